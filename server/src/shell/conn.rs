//! Connections: a non-blocking socket each, in slots that are used again under a new generation.
//!
//! Readiness is edge-triggered: a connection stays marked readable until a read took less than there was room
//! for, and waits for writability only after a write that would have blocked.

use std::io::{self, IoSlice, Read as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::time::Duration;

use mio::event::Source;
use mio::net::{TcpStream, UnixStream};
use mio::{Interest, Registry, Token};
use socket2::{SockRef, TcpKeepalive};

use super::fault::Lanes;
use crate::node::{ConnId, Peer};

/// Most slices given to one `writev`; systems take 1024 at most.
const MAX_SLICES: usize = 64;

/// A socket of either kind.
#[derive(Debug)]
pub(super) enum Stream {
    /// TCP.
    Tcp(TcpStream),
    /// A unix socket, and its path.
    Unix(UnixStream, String),
}

/// What a write left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    /// Bytes the peer's socket took.
    pub(super) bytes: usize,
    /// The connection is broken.
    pub(super) broken: bool,
}

impl Stream {
    /// No delay for small packets, and probes when the peer is silent for `keepalive` seconds (0: never). A
    /// socket that refuses an option works without it.
    pub(super) fn tune(&self, keepalive: u32) {
        let Self::Tcp(stream) = self else { return };
        let _ = stream.set_nodelay(true);
        if keepalive == 0 {
            return;
        }
        // A third of it between probes, three of them: dead after twice the time, as with Redis.
        let seconds = u64::from(keepalive);
        let probes = TcpKeepalive::new()
            .with_time(Duration::from_secs(seconds))
            .with_interval(Duration::from_secs((seconds / 3).max(1)))
            .with_retries(3);
        let _ = SockRef::from(stream).set_tcp_keepalive(&probes);
    }

    /// Small packets may wait for more from now on.
    pub(super) fn coalesce(&self) {
        if let Self::Tcp(stream) = self {
            let _ = stream.set_nodelay(false);
        }
    }

    /// Who is at the other end.
    pub(super) fn peer(&self) -> Peer {
        let fd = self.as_raw_fd();
        match self {
            Self::Tcp(stream) => {
                let remote = stream.peer_addr().ok();
                let text = |addr: Option<std::net::SocketAddr>| {
                    addr.map_or_else(|| "?:0".to_owned(), |addr| addr.to_string())
                };
                let local = remote.is_some_and(|addr| addr.ip().to_canonical().is_loopback());
                Peer { addr: text(remote), laddr: text(stream.local_addr().ok()), local, fd }
            }
            Self::Unix(_, path) => {
                let addr = format!("{path}:0");
                Peer { addr: addr.clone(), laddr: addr, local: true, fd }
            }
        }
    }

    /// Reads what is there.
    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let result = match self {
                Self::Tcp(stream) => stream.read(into),
                Self::Unix(stream, _) => stream.read(into),
            };
            match result {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    /// Whether the peer closed and left nothing to read.
    pub(super) fn is_at_end(&self) -> bool {
        let mut byte = [std::mem::MaybeUninit::uninit()];
        let fd = match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream, _) => stream.as_fd(),
        };
        matches!(SockRef::from(&fd).peek(&mut byte), Ok(0))
    }

    /// Writes the slices in order until all are taken or the socket takes no more.
    pub(super) fn write(&mut self, slices: &[&[u8]]) -> Written {
        let total: usize = slices.iter().map(|slice| slice.len()).sum();
        let mut bytes = 0;
        while bytes < total {
            match self.write_from(slices, bytes) {
                Ok(0) => return Written { bytes, broken: true },
                // Going on after a part was taken ends in `WouldBlock`, without which no edge is promised.
                Ok(count) => bytes += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return Written { bytes, broken: error.kind() != io::ErrorKind::WouldBlock };
                }
            }
        }
        Written { bytes, broken: false }
    }

    /// One write of what follows the first `skip` bytes.
    fn write_from(&mut self, slices: &[&[u8]], mut skip: usize) -> io::Result<usize> {
        let mut list = [IoSlice::new(&[]); MAX_SLICES];
        let mut used = 0;
        for slice in slices {
            let rest = slice.get(skip..).unwrap_or_default();
            skip = skip.saturating_sub(slice.len());
            if rest.is_empty() {
                continue;
            }
            let Some(place) = list.get_mut(used) else { break };
            *place = IoSlice::new(rest);
            used += 1;
        }
        let list = list.get(..used).unwrap_or_default();
        match (self, list) {
            // The common case of one reply buffer needs no vector.
            (Self::Tcp(stream), [one]) => stream.write(one),
            (Self::Tcp(stream), _) => stream.write_vectored(list),
            (Self::Unix(stream, _), _) => stream.write_vectored(list),
        }
    }

    /// Says goodbye without cutting off what is under way: closing a socket with unread input would reset it,
    /// and the peer might never see our last bytes.
    pub(super) fn finish(&mut self, scratch: &mut [u8]) {
        let _ = match self {
            Self::Tcp(stream) => stream.shutdown(std::net::Shutdown::Write),
            Self::Unix(stream, _) => stream.shutdown(std::net::Shutdown::Write),
        };
        for _ in 0..4 {
            if !matches!(self.read(scratch), Ok(1..)) {
                return;
            }
        }
    }

    fn as_raw_fd(&self) -> i32 {
        match self {
            Self::Tcp(stream) => stream.as_raw_fd(),
            Self::Unix(stream, _) => stream.as_raw_fd(),
        }
    }

    /// The socket as the poll sees it.
    pub(super) fn source(&mut self) -> &mut dyn Source {
        match self {
            Self::Tcp(stream) => stream,
            Self::Unix(stream, _) => stream,
        }
    }
}

/// One connection.
#[derive(Debug)]
pub(super) struct Conn {
    /// The socket; out of its place only while the node drains into it.
    pub(super) stream: Option<Stream>,
    /// We connected, so it is a link to a master.
    pub(super) link: bool,
    /// The node wants to read from it.
    pub(super) reading: bool,
    /// There may be something to read.
    pub(super) readable: bool,
    /// It stands in the list of connections to read.
    pub(super) in_reads: bool,
    /// It stands in the list of connections to drain.
    pub(super) in_drains: bool,
    /// The peer will send no more: read until the end is seen.
    pub(super) hangup: bool,
    /// The last drain was stopped by the peer.
    pub(super) blocked: bool,
    /// It is registered for writability.
    pub(super) watches_writes: bool,
    /// It is being closed: nothing is read any more.
    pub(super) closing: bool,
    /// A write failed.
    pub(super) broken: bool,
    /// It is a replication link with a fault: bytes take these instead of the straight way.
    pub(super) lanes: Option<Box<Lanes>>,
}

/// All connections.
#[derive(Debug, Default)]
pub(super) struct Conns {
    slots: Vec<(u32, Option<Conn>)>,
    free: Vec<u32>,
    /// How many were accepted and still live; links to masters are not counted.
    pub(super) clients: u32,
}

impl Conns {
    /// Takes a socket in and registers it.
    pub(super) fn add(&mut self, mut stream: Stream, link: bool, registry: &Registry) -> io::Result<ConnId> {
        let slot = match self.free.last() {
            Some(slot) => *slot,
            None => u32::try_from(self.slots.len()).map_err(|_| io::Error::other("too many connections"))?,
        };
        let token = Token(slot as usize);
        if link {
            // It was registered while it connected.
            registry.reregister(stream.source(), token, Interest::READABLE)?;
        } else {
            registry.register(stream.source(), token, Interest::READABLE)?;
        }
        let conn = Conn {
            stream: Some(stream),
            link,
            reading: true,
            readable: false,
            in_reads: false,
            in_drains: false,
            hangup: false,
            blocked: false,
            watches_writes: false,
            closing: false,
            broken: false,
            lanes: None,
        };
        self.clients += u32::from(!link);
        if self.free.pop().is_none() {
            self.slots.push((0, None));
        }
        let Some(place) = self.slots.get_mut(slot as usize) else {
            return Err(io::Error::other("a slot that is not there"));
        };
        place.1 = Some(conn);
        Ok(ConnId { slot, generation: place.0 })
    }

    /// The connection, if it still is the one meant.
    pub(super) fn get(&mut self, id: ConnId) -> Option<&mut Conn> {
        match self.slots.get_mut(id.slot as usize) {
            Some((generation, Some(conn))) if *generation == id.generation => Some(conn),
            _ => None,
        }
    }

    /// The connection that an event's token means.
    pub(super) fn by_token(&mut self, token: Token) -> Option<(ConnId, &mut Conn)> {
        let (generation, conn) = self.slots.get_mut(token.0)?;
        let id = ConnId { slot: u32::try_from(token.0).ok()?, generation: *generation };
        conn.as_mut().map(|conn| (id, conn))
    }

    /// Takes a connection out; its slot gets a new generation.
    pub(super) fn remove(&mut self, id: ConnId) -> Option<Conn> {
        self.get(id)?;
        let (generation, conn) = self.slots.get_mut(id.slot as usize)?;
        *generation = generation.wrapping_add(1);
        let conn = conn.take()?;
        self.free.push(id.slot);
        self.clients -= u32::from(!conn.link);
        Some(conn)
    }

    /// Whether any connection waits for its peer to take bytes.
    pub(super) fn any_blocked(&self) -> bool {
        self.slots.iter().any(|(_, conn)| conn.as_ref().is_some_and(|conn| conn.blocked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Stream, std::os::unix::net::UnixStream) {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        (Stream::Unix(UnixStream::from_std(ours), "/tmp/s".to_owned()), theirs)
    }

    #[test]
    fn a_slot_used_again_has_another_generation() {
        let poll = mio::Poll::new().unwrap();
        let mut conns = Conns::default();
        let (stream, _keep) = pair();
        let first = conns.add(stream, false, poll.registry()).unwrap();
        assert!(conns.get(first).is_some() && conns.clients == 1);
        assert!(conns.remove(first).is_some() && conns.clients == 0);
        let (stream, _keep) = pair();
        let second = conns.add(stream, false, poll.registry()).unwrap();
        assert_eq!(first.slot, second.slot);
        assert!(conns.get(first).is_none() && conns.remove(first).is_none());
        assert!(conns.get(second).is_some());
    }

    #[test]
    fn all_slices_go_out_in_order_until_the_socket_is_full() {
        let (mut stream, mut theirs) = pair();
        let parts: Vec<Vec<u8>> = (0..200u8).map(|n| vec![n; usize::from(n % 3)]).collect();
        let slices: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let want = parts.concat();
        assert_eq!(stream.write(&slices), Written { bytes: want.len(), broken: false });
        let mut got = vec![0; want.len()];
        theirs.read_exact(&mut got).unwrap();
        assert_eq!(got, want);

        let big = vec![7u8; 8 << 20];
        let written = stream.write(&[&big, &big]);
        assert!(!written.broken && written.bytes > 0 && written.bytes < big.len());
        drop(theirs);
        assert!(stream.write(&[b"x"]).broken);
    }

    #[test]
    fn the_end_is_seen_only_behind_what_was_sent() {
        let (mut stream, mut theirs) = pair();
        assert!(!stream.is_at_end());
        theirs.write_all(b"x").unwrap();
        drop(theirs);
        assert!(!stream.is_at_end());
        assert_eq!(stream.read(&mut [0; 8]).unwrap(), 1);
        assert!(stream.is_at_end());
    }
}
