//! One connection: bytes between a peer and the server, late or never where it is a replication link with a fault.

use std::io;
use std::time::{Duration, Instant};

use rctl_server::fault::{Lane, Out, Rule};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::watch;

use super::admin::{Rules, serve};
use super::classify::{Class, Classifier};
use crate::node::engine::SOCKET;

/// Read at a time.
const PIECE: usize = 64 << 10;

/// Serves one connection to its end.
pub(super) async fn serve_one(
    peer: TcpStream,
    rules: watch::Sender<Rules>,
    began: Instant,
) -> io::Result<()> {
    peer.set_nodelay(true)?;
    let mut peer = peer;
    let mut server = UnixStream::connect(SOCKET).await?;
    let mut classifier = Classifier::default();
    let (mut from_peer, mut from_server) = (vec![0; 16 << 10], vec![0; 16 << 10]);
    let class = loop {
        tokio::select! {
            count = peer.read(&mut from_peer) => {
                let bytes = from_peer.get(..count?).unwrap_or_default();
                if bytes.is_empty() {
                    break Class::Client;
                }
                let (class, before) = classifier.feed(bytes);
                server.write_all(&before).await?;
                if class != Class::Undecided {
                    break class;
                }
            }
            count = server.read(&mut from_server) => {
                let bytes = from_server.get(..count?).unwrap_or_default();
                if bytes.is_empty() {
                    return Ok(());
                }
                peer.write_all(bytes).await?;
            }
        }
    };
    let held = classifier.into_held();
    match class {
        Class::Link(port) => Link::new(peer, server, port, began).carry(held, rules.subscribe()).await,
        Class::Admin => break_links(peer, held, &rules).await,
        Class::Client | Class::Undecided => pass(peer, server, &held).await,
    }
}

/// A client: bytes go straight through. The server's end ends both; the client's end only its half.
async fn pass(mut peer: TcpStream, mut server: UnixStream, held: &[u8]) -> io::Result<()> {
    server.write_all(held).await?;
    let (mut from_peer, mut to_peer) = peer.split();
    let (mut from_server, mut to_server) = server.split();
    let up = async {
        let _ = tokio::io::copy(&mut from_peer, &mut to_server).await;
        let _ = to_server.shutdown().await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = up => Ok(()),
        down = tokio::io::copy(&mut from_server, &mut to_peer) => down.map(drop),
    }
}

/// Somebody who breaks links; the server sees nothing of it.
async fn break_links(
    mut peer: TcpStream,
    mut input: Vec<u8>,
    rules: &watch::Sender<Rules>,
) -> io::Result<()> {
    let mut piece = vec![0; 4 << 10];
    loop {
        let mut out = Vec::new();
        let mut goes_on = true;
        rules.send_modify(|rules| goes_on = serve(&mut input, rules, &mut out));
        peer.write_all(&out).await?;
        if !goes_on {
            return Ok(());
        }
        let count = peer.read(&mut piece).await?;
        if count == 0 {
            return Ok(());
        }
        input.extend_from_slice(piece.get(..count).unwrap_or_default());
    }
}

/// A replication link, and both directions of it.
struct Link {
    peer: TcpStream,
    server: UnixStream,
    port: u16,
    began: Instant,
    up: Lane,
    down: Lane,
}

/// What became of one try to move bytes on.
enum Moved {
    /// All that is due is out; more is due then.
    Until(Option<u64>),
    /// The other side takes no more now.
    Full,
    /// The stream ended.
    End,
}

impl Link {
    fn new(peer: TcpStream, server: UnixStream, port: u16, began: Instant) -> Self {
        Self { peer, server, port, began, up: Lane::default(), down: Lane::default() }
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Carries it until one side ends or the link is cut.
    async fn carry(mut self, held: Vec<u8>, mut rules: watch::Receiver<Rules>) -> io::Result<()> {
        self.up.push(&held, self.now_us());
        let mut piece = vec![0; PIECE];
        let mut peer_ended = false;
        loop {
            let rule = rules.borrow_and_update().get(&self.port).copied().unwrap_or_default();
            if rule.cut {
                return Ok(());
            }
            let now = self.now_us();
            let up = advance(&mut self.up, rule, now, |bytes| self.server.try_write(bytes))?;
            let down = advance(&mut self.down, rule, now, |bytes| self.peer.try_write(bytes))?;
            if let Moved::End = up
                && !std::mem::replace(&mut peer_ended, true)
            {
                self.server.shutdown().await?;
            }
            let (up_wake, down_wake) = match (&up, &down) {
                (_, Moved::End) => return Ok(()),
                (up, Moved::Until(down)) => (until(up), *down),
                (up, Moved::Full) => (until(up), None),
            };
            let wake = up_wake.into_iter().chain(down_wake).min();
            let peer_interest = interest(self.up.room(rule) > 0 && !peer_ended, matches!(down, Moved::Full));
            let server_interest = interest(self.down.room(rule) > 0, matches!(up, Moved::Full));
            tokio::select! {
                ready = ready_peer(&self.peer, peer_interest) => if ready?.is_readable() {
                    read(&mut self.up, rule, now, &mut piece, |into| self.peer.try_read(into))?;
                },
                ready = ready_server(&self.server, server_interest) => if ready?.is_readable() {
                    read(&mut self.down, rule, now, &mut piece, |into| self.server.try_read(into))?;
                },
                () = sleep_until(self.began, wake) => {}
                changed = rules.changed() => if changed.is_err() { return Ok(()) },
            }
        }
    }
}

fn until(moved: &Moved) -> Option<u64> {
    match moved {
        Moved::Until(wake) => *wake,
        Moved::Full | Moved::End => None,
    }
}

/// Writes what is due.
fn advance(
    lane: &mut Lane,
    rule: Rule,
    now_us: u64,
    mut write: impl FnMut(&[u8]) -> io::Result<usize>,
) -> io::Result<Moved> {
    loop {
        let written = match lane.next(rule, now_us) {
            Out::Bytes(bytes) => write(bytes),
            Out::End => return Ok(Moved::End),
            Out::Later(at) => return Ok(Moved::Until(at)),
        };
        match written {
            Ok(count) => lane.taken(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Moved::Full),
            Err(error) => return Err(error),
        }
    }
}

/// Reads what there is room for.
fn read(
    lane: &mut Lane,
    rule: Rule,
    now_us: u64,
    piece: &mut [u8],
    mut take: impl FnMut(&mut [u8]) -> io::Result<usize>,
) -> io::Result<()> {
    let room = lane.room(rule).min(piece.len());
    match take(piece.get_mut(..room).unwrap_or_default()) {
        Ok(0) if room > 0 => lane.push_end(now_us),
        Ok(count) => lane.push(piece.get(..count).unwrap_or_default(), now_us),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

fn interest(reads: bool, writes: bool) -> Option<Interest> {
    match (reads, writes) {
        (true, true) => Some(Interest::READABLE | Interest::WRITABLE),
        (true, false) => Some(Interest::READABLE),
        (false, true) => Some(Interest::WRITABLE),
        (false, false) => None,
    }
}

async fn ready_peer(peer: &TcpStream, interest: Option<Interest>) -> io::Result<tokio::io::Ready> {
    match interest {
        Some(interest) => peer.ready(interest).await,
        None => std::future::pending().await,
    }
}

async fn ready_server(server: &UnixStream, interest: Option<Interest>) -> io::Result<tokio::io::Ready> {
    match interest {
        Some(interest) => server.ready(interest).await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(began: Instant, wake_us: Option<u64>) {
    match wake_us {
        Some(at) => tokio::time::sleep_until((began + Duration::from_micros(at)).into()).await,
        None => std::future::pending().await,
    }
}
