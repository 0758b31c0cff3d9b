//! The proxy's process: the server as its child, the public port, and one end for both.

#![expect(clippy::disallowed_methods, reason = "this does things and measures how long they take")]

use std::ffi::OsStr;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, raise};
use nix::unistd::Pid;
use tokio::net::{TcpListener, TcpSocket, UnixStream};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::admin::Rules;
use super::connection::serve_one;
use crate::error::{Error, Exit, Result};
use crate::node::engine::SOCKET;

/// Between two looks whether the server listens.
const PAUSE: Duration = Duration::from_millis(2);
/// Connections waiting to be accepted.
const BACKLOG: u32 = 1024;
/// How long last bytes of a server that ended may take to go out.
const LAST_BYTES: Duration = Duration::from_millis(200);

/// Runs `program` with the configuration file `conf` behind the public `port`, with what is wrong with links from the
/// start, and ends as the server ends.
///
/// # Errors
/// The server cannot be started, or the port is taken.
pub async fn run(port: u16, program: &OsStr, conf: &Path, faults: &str) -> Result<u8> {
    let failed = |what: &str, error: &dyn std::fmt::Display| {
        Error::new(Exit::Environment, format!("proxy before {port}: {what}: {error}"))
    };
    let rules = rctl_server::fault::read_rules(faults).map_err(|error| failed("faults", &error))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| failed("signals", &error))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| failed("signals", &error))?;
    let mut child = server(program, conf).map_err(|error| failed(&program.to_string_lossy(), &error))?;
    let (ending, ended) = watch::channel(false);
    let serving = serve(port, watch::Sender::new(rules), ended);
    tokio::pin!(serving);
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
    let pass_on = |signal| {
        if let Some(pid) = pid {
            // It may have ended this very moment.
            let _ = kill(Pid::from_raw(pid), signal);
        }
    };
    let status = loop {
        tokio::select! {
            status = child.wait() => break status.map_err(|error| failed("its server was lost", &error))?,
            outcome = &mut serving => {
                pass_on(Signal::SIGKILL);
                let _ = child.wait().await;
                return Err(match outcome {
                    Ok(()) => failed("listening", &"ended"),
                    Err(error) => failed("listening", &error),
                });
            }
            _ = terminate.recv() => pass_on(Signal::SIGTERM),
            _ = interrupt.recv() => pass_on(Signal::SIGINT),
        }
    };
    // A server that ended by itself said its last words; one that was killed did not.
    if status.code().is_some() {
        ending.send_replace(true);
        let _ = tokio::time::timeout(LAST_BYTES, serving).await;
    }
    Ok(end_as(status))
}

/// Ends as the server did, so that whoever watches sees how.
fn end_as(status: ExitStatus) -> u8 {
    if let Some(signal) = status.signal().and_then(|number| Signal::try_from(number).ok()) {
        let _ = raise(signal);
    }
    u8::try_from(status.code().unwrap_or(1) & 0xff).unwrap_or(1)
}

#[expect(unsafe_code, reason = "what the child does between fork and exec")]
fn server(program: &OsStr, conf: &Path) -> io::Result<Child> {
    let mut command = Command::new(program);
    command.arg(conf).env_remove("RCTL_LINK_FAULTS").stdin(std::process::Stdio::null());
    #[cfg(target_os = "linux")]
    {
        let parent = nix::unistd::getpid();
        // SAFETY: only calls that are safe after a fork: prctl, getppid. The thread that starts the child is the only
        // one, so the signal means the end of the process.
        unsafe {
            command.pre_exec(move || {
                nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
                // It may have ended before that.
                if nix::unistd::getppid() == parent {
                    Ok(())
                } else {
                    Err(io::ErrorKind::NotConnected.into())
                }
            });
        }
    }
    command.spawn()
}

/// Listens as soon as the server does: until then, clients are refused as they would be without a proxy. Returns when
/// the server has ended and its last bytes are out.
async fn serve(port: u16, rules: watch::Sender<Rules>, mut ending: watch::Receiver<bool>) -> io::Result<()> {
    while UnixStream::connect(SOCKET).await.is_err() {
        tokio::time::sleep(PAUSE).await;
    }
    let began = Instant::now();
    let listener = listen((Ipv4Addr::LOCALHOST, port).into())?;
    // A machine without IPv6 has the other family only.
    let second = listen((Ipv6Addr::LOCALHOST, port).into()).ok();
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            accepted = accept(second.as_ref()) => accepted,
            Some(_) = connections.join_next() => continue,
            _ = ending.changed() => break,
        };
        match accepted {
            Ok((peer, _)) => {
                connections.spawn(serve_one(peer, rules.clone(), began));
            }
            // No descriptor is left, or the peer went: trying again at once would spin.
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
    drop((listener, second));
    while connections.join_next().await.is_some() {}
    Ok(())
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<(tokio::net::TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
