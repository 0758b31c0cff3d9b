//! Reaching a server by its name, past two traps of ports that clients get too.

use std::io;

use tokio::net::{TcpSocket, TcpStream, lookup_host};

/// Tries every address of `host`; the last error counts.
///
/// Two traps where a node's port lies in the range that the system hands out to clients. Our own end of some connection
/// may get that very port and keep the node from listening: so the address is marked as reusable. And knocking on a port
/// where nobody listens may meet oneself (TCP's simultaneous open): that is nobody listening.
pub(super) async fn dial(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut outcome = Err(io::ErrorKind::NotFound.into());
    for address in lookup_host((host, port)).await? {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        outcome = match socket.connect(address).await {
            Ok(stream) if is_oneself(&stream) => Err(io::ErrorKind::ConnectionRefused.into()),
            other => other,
        };
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

pub(super) fn is_oneself(stream: &TcpStream) -> bool {
    stream.local_addr().ok().zip(stream.peer_addr().ok()).is_some_and(|(own, peer)| own == peer)
}
