//! Whether a port is free, and who has it: from the kernel's table of sockets and the open files of processes.

#![expect(clippy::disallowed_types, reason = "whether a port is free is asked by taking it")]

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;

use super::identity::{describe, processes};

/// Who listens on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The process.
    pub pid: u32,
    /// Its program.
    pub program: String,
    /// How long it has been running, in seconds.
    pub age_s: Option<u64>,
    /// The name of the directory of the set it belongs to, where rctl started it.
    pub set: Option<String>,
}

/// Why a port cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Somebody listens there.
    InUse,
    /// This user may not.
    Forbidden,
}

/// Takes all ports at once and lets go of them again; tells those that could not be had.
#[must_use]
pub fn taken(ports: &[u16]) -> Vec<(u16, Taken)> {
    let mut held = Vec::new();
    let mut taken = Vec::new();
    for &port in ports {
        let addresses =
            [SocketAddr::from((Ipv4Addr::LOCALHOST, port)), SocketAddr::from((Ipv6Addr::LOCALHOST, port))];
        for address in addresses {
            match TcpListener::bind(address) {
                Ok(listener) => held.push(listener),
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                    taken.push((port, Taken::InUse));
                    break;
                }
                Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                    taken.push((port, Taken::Forbidden));
                    break;
                }
                // No IPv6 here: the node does without it, too.
                Err(_) => {}
            }
        }
    }
    taken
}

/// Who listens on a port; `None` where the system does not tell, as for the processes of other users.
#[must_use]
pub fn of(port: u16, state_root: &Path) -> Option<Owner> {
    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .flat_map(|table| listeners(&table, port))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    let holds = |pid: u32| {
        let files = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        files
            .filter_map(|file| std::fs::read_link(file.path()).ok())
            .any(|link| link.to_str().is_some_and(|link| inodes.iter().any(|inode| inode == link)))
    };
    let pid = if inodes.is_empty() { None } else { processes().into_iter().find(|pid| holds(*pid)) }?;
    let (program, age_s) = describe(pid)?;
    Some(Owner { pid, program, age_s, set: set_of(pid, state_root) })
}

/// The inodes of the sockets that listen on `port`, in a table as the kernel prints it.
fn listeners(table: &str, port: u16) -> Vec<u64> {
    let row = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let local = fields.get(1)?.rsplit_once(':')?.1;
        let listens = *fields.get(3)? == "0A" && u16::from_str_radix(local, 16) == Ok(port);
        if listens { fields.get(9)?.parse().ok() } else { None }
    };
    table.lines().skip(1).filter_map(row).collect()
}

/// A node works in `ROOT/NAME-HASH/nodes/PORT/data`.
fn set_of(pid: u32, state_root: &Path) -> Option<String> {
    let cwd = std::fs::read_link(format!("/proc/{pid}/cwd")).ok()?;
    let inside = cwd.strip_prefix(state_root.canonicalize().ok()?).ok()?;
    Some(inside.components().next()?.as_os_str().to_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_are_read_from_the_kernels_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0\n\
             1: 0100007F:18EB 0100007F:CAFE 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 20 4 30 10 -1\n\
             2: short\n";
        assert_eq!(listeners(table, 6379), [4711]);
        assert!(listeners(table, 6380).is_empty());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_owner_of_a_taken_port_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(taken(&[port]), [(port, Taken::InUse)]);
        let owner = of(port, Path::new("/nowhere")).unwrap();
        assert_eq!((owner.pid, owner.set), (std::process::id(), None));
        drop(listener);
        assert!(taken(&[port]).is_empty());
    }
}
