//! Which process is meant: its id, the moment it started and the boot it started in. A process id alone is
//! reused within minutes on a busy machine; the three together never are.
//!
//! This is the one file that knows how an operating system tells these things. Where there is no `/proc`, a
//! process cannot be recognised again, and rctl then leaves it alone rather than guess.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// One process, for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The process id.
    pub pid: u32,
    /// When it started, in clock ticks since the boot (field 22 of `/proc/PID/stat`).
    pub start: u64,
    /// The boot it started in.
    pub boot: String,
}

/// What has become of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Living {
    /// It runs.
    Alive,
    /// It lives and is stopped (state T).
    Frozen,
    /// It is no more; its id may belong to somebody else by now.
    Gone,
}

impl Identity {
    /// The process that has this id now.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        Some(Self { pid, start: stat(pid)?.start, boot: boot_id()? })
    }

    /// What has become of it.
    #[must_use]
    pub fn look(&self) -> Living {
        let same = |stat: &Stat| stat.start == self.start && boot_id().as_ref() == Some(&self.boot);
        match stat(self.pid).filter(same) {
            None => Living::Gone,
            Some(stat) if matches!(stat.state, 'Z' | 'X' | 'x') => Living::Gone,
            Some(stat) if matches!(stat.state, 'T' | 't') => Living::Frozen,
            Some(_) => Living::Alive,
        }
    }
}

/// Are two processes in one process group. A wrapper script and the server it starts are.
#[must_use]
pub fn same_group(one: u32, other: u32) -> bool {
    match (stat(one), stat(other)) {
        (Some(one), Some(other)) => one.group == other.group,
        _ => false,
    }
}

/// The processes of this user whose working directory is `dir`: how a node is found again when the record of it
/// is lost. Every node is started in its own data directory and stays there.
#[must_use]
pub fn working_in(dir: &Path) -> Option<Identity> {
    let dir = dir.canonicalize().ok()?;
    processes().into_iter().filter(|pid| link(*pid, "cwd").as_ref() == Some(&dir)).find_map(|pid| {
        // The leader of its group is the one that was started; helpers it forked (a save) share the directory.
        let stat = stat(pid)?;
        (stat.group == pid && !matches!(stat.state, 'Z' | 'X')).then(|| Identity::of(pid))?
    })
}

/// The name of a process's program, and how long it has been running in seconds.
#[must_use]
pub fn describe(pid: u32) -> Option<(String, Option<u64>)> {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?.trim_end().to_owned();
    let uptime = std::fs::read_to_string("/proc/uptime").ok();
    let up: Option<u64> = uptime.and_then(|text| text.split('.').next()?.parse().ok());
    // The kernel tells starts in hundredths of a second to every program, whatever its own tick.
    let age = up.zip(stat(pid)).map(|(up, stat)| up.saturating_sub(stat.start / 100));
    Some((name, age))
}

/// Every process id there is.
#[must_use]
pub fn processes() -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let mut pids: Vec<u32> =
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    pids.sort_unstable();
    pids
}

struct Stat {
    state: char,
    group: u32,
    start: u64,
}

fn stat(pid: u32) -> Option<Stat> {
    parse(&std::fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// The program's name is in parentheses and may hold anything, parentheses included: fields count from the last.
fn parse(stat: &[u8]) -> Option<Stat> {
    let end = stat.iter().rposition(|&byte| byte == b')')?;
    let fields: Vec<&str> =
        std::str::from_utf8(stat.get(end + 1..)?).ok()?.split_ascii_whitespace().collect();
    Some(Stat {
        state: fields.first()?.chars().next()?,
        group: fields.get(2)?.parse().ok()?,
        start: fields.get(19)?.parse().ok()?,
    })
}

fn boot_id() -> Option<String> {
    Some(std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned())
}

fn link(pid: u32, name: &str) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/{name}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_counted_from_the_last_parenthesis() {
        let line = b"12 (a) b) (c) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 1 1 1";
        let stat = parse(line).unwrap();
        assert_eq!((stat.state, stat.group, stat.start), ('S', 7, 4242));
        for end in 0..line.len() - 8 {
            assert!(parse(&line[..end]).is_none_or(|stat| stat.start != 4242));
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_reused_process_id_is_another_process() {
        let me = Identity::of(std::process::id()).unwrap();
        assert_eq!(me.look(), Living::Alive);
        assert_eq!(Identity { start: me.start + 1, ..me.clone() }.look(), Living::Gone);
        assert_eq!(Identity { boot: "another".into(), ..me }.look(), Living::Gone);
    }
}
