//! Where connections come in: TCP on each address of `bind`, and a unix socket.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::PathBuf;

use mio::net::{TcpListener, UnixListener};
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::conn::Stream;

/// A socket that accepts.
#[derive(Debug)]
pub(super) struct Listener {
    kind: Kind,
    /// Connections may be waiting.
    pub(super) pending: bool,
    registered: bool,
}

#[derive(Debug)]
enum Kind {
    Tcp(TcpListener),
    Unix(UnixListener, Socketfile),
}

/// A unix socket's file: removed with its listener.
#[derive(Debug)]
struct Socketfile {
    path: PathBuf,
    shown: String,
}

impl Drop for Socketfile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// An address that could not be listened on.
#[derive(Debug)]
pub(super) struct Refused {
    /// What to log about it, as redis-server words it.
    pub(super) line: String,
}

impl Listener {
    /// Listens on `port` at every address of `bind`. Those with a `-` in front may be missing on this machine.
    /// Answers the listeners and what there is to log.
    pub(super) fn tcp(bind: &[String], port: u16, backlog: u32) -> Result<(Vec<Self>, Vec<String>), Refused> {
        let mut listeners = Vec::new();
        let mut notes = Vec::new();
        if port == 0 {
            return Ok((listeners, notes));
        }
        for entry in bind {
            let (optional, host) = match entry.strip_prefix('-') {
                Some(host) => (true, host),
                None => (false, entry.as_str()),
            };
            let outcome = resolve(host, port).and_then(|addr| listen(addr, backlog));
            match outcome {
                Ok(listener) => {
                    listeners.push(Self { kind: Kind::Tcp(listener), pending: false, registered: false });
                }
                Err(error) => {
                    let why = super::reason(&error);
                    let line = format!(
                        "Warning: Could not create server TCP listening socket {host}:{port}: bind: {why}"
                    );
                    if !(optional && is_absent(&error)) {
                        return Err(Refused { line });
                    }
                    notes.push(line);
                }
            }
        }
        Ok((listeners, notes))
    }

    /// Listens on a unix socket; `mode` 0 leaves its permissions as they come. They are set before anyone can
    /// connect.
    pub(super) fn unix(path: &str, mode: u32, backlog: u32) -> Result<Self, Refused> {
        let refused = |error: io::Error| Refused {
            line: format!("Failed opening Unix socket: bind: {}", super::reason(&error)),
        };
        if std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
            let _ = std::fs::remove_file(path);
        }
        let open = || {
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
            socket.bind(&SockAddr::unix(path)?)?;
            let file = Socketfile { path: std::path::absolute(path)?, shown: path.to_owned() };
            if mode != 0 {
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
            }
            socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
            socket.set_nonblocking(true)?;
            Ok(Self {
                kind: Kind::Unix(UnixListener::from_std(socket.into()), file),
                pending: false,
                registered: false,
            })
        };
        open().map_err(refused)
    }

    /// Whether it is a unix socket.
    pub(super) fn is_unix(&self) -> bool {
        matches!(self.kind, Kind::Unix(..))
    }

    /// Registers it, once.
    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        if std::mem::replace(&mut self.registered, true) {
            return Ok(());
        }
        match &mut self.kind {
            Kind::Tcp(listener) => registry.register(listener, token, Interest::READABLE),
            Kind::Unix(listener, _) => registry.register(listener, token, Interest::READABLE),
        }
    }

    /// The next connection. `None` when no more are waiting.
    pub(super) fn accept(&mut self) -> io::Result<Option<Stream>> {
        loop {
            let result = match &self.kind {
                Kind::Tcp(listener) => listener.accept().map(|(stream, _)| Stream::Tcp(stream)),
                Kind::Unix(listener, file) => {
                    listener.accept().map(|(stream, _)| Stream::Unix(stream, file.shown.clone()))
                }
            };
            match result {
                Ok(stream) => return Ok(Some(stream)),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return Ok(None),
                    // The peer gave up while it waited, or a signal came.
                    io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted => {}
                    _ => return Err(error),
                },
            }
        }
    }
}

/// The address an entry of `bind` means.
fn resolve(host: &str, port: u16) -> io::Result<SocketAddr> {
    match host {
        "*" => Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port)),
        "::*" => Ok(SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port)),
        _ => (host, port).to_socket_addrs()?.next().ok_or_else(|| io::ErrorKind::AddrNotAvailable.into()),
    }
}

fn listen(addr: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if addr.is_ipv6() {
        // `*` and `::*` are two listeners on one port.
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&addr.into())?;
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    socket.set_nonblocking(true)?;
    Ok(TcpListener::from_std(socket.into()))
}

/// The machine does not have this address, or not this kind of address.
fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable
        || matches!(
            error.raw_os_error(),
            Some(libc::EAFNOSUPPORT | libc::EPROTONOSUPPORT | libc::EPFNOSUPPORT | libc::ENOPROTOOPT)
        )
}

#[cfg(test)]
#[expect(clippy::disallowed_types, reason = "a test of real servers speaks to them itself")]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_told_as_redis_tells_it() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let refused = Listener::tcp(&["127.0.0.1".to_owned()], port, 5).unwrap_err();
        let want = format!(
            "Warning: Could not create server TCP listening socket 127.0.0.1:{port}: bind: Address already in use"
        );
        assert_eq!(refused.line, want);
        // A dash forgives an address that is not there, not one that is taken.
        assert!(Listener::tcp(&["-127.0.0.1".to_owned()], port, 5).is_err());
        let (listeners, notes) = Listener::tcp(&["-192.0.2.1".to_owned()], port, 5).unwrap();
        assert!(listeners.is_empty() && notes.len() == 1);
        assert!(Listener::tcp(&["192.0.2.1".to_owned()], port, 5).is_err());
    }

    #[test]
    fn a_unix_socket_has_its_permissions_and_leaves_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let text = path.to_str().unwrap();
        for _ in 0..2 {
            let listener = Listener::unix(text, 0o600, 5).unwrap();
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            // A file left by a crash is replaced.
            std::mem::forget(listener);
        }
        drop(Listener::unix(text, 0, 5).unwrap());
        assert!(!path.exists());
        std::fs::write(&path, "data").unwrap();
        assert!(Listener::unix(text, 0, 5).is_err(), "a file that is no socket is not removed");
    }
}
