//! Connecting to a master: names resolved off the loop, every address tried in turn, nothing waited for.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use mio::net::TcpStream;
use mio::{Interest, Registry, Token, Waker};
use socket2::{Domain, Protocol, Socket, Type};

use super::conn::Stream;

/// An address gets so long, microseconds.
const ATTEMPT_US: u64 = 5_000_000;
/// Names being looked up at a time. A resolver that hangs must not collect threads.
const MAX_LOOKUPS: usize = 8;
/// Stack of a lookup's thread: the C library's resolver needs more than it looks.
const LOOKUP_STACK: usize = 256 << 10;

/// What became of a dial.
pub(super) type Outcome = (u64, Result<Stream, String>);

/// All dials under way.
#[derive(Debug)]
pub(super) struct Dialer {
    first_token: usize,
    dials: Vec<Option<Dial>>,
    lookups: usize,
    found: Receiver<Found>,
    teller: Sender<Found>,
    waker: Arc<Waker>,
    outcomes: Vec<Outcome>,
}

#[derive(Debug)]
struct Found {
    ticket: u64,
    addrs: Result<Vec<SocketAddr>, String>,
    source: String,
}

#[derive(Debug)]
struct Dial {
    ticket: u64,
    rest: VecDeque<SocketAddr>,
    source: String,
    stream: TcpStream,
    deadline_us: u64,
}

impl Dialer {
    /// None yet. Sockets that connect are registered from `first_token` downward.
    pub(super) fn new(first_token: Token, waker: Arc<Waker>) -> Self {
        let (teller, found) = channel();
        let first_token = first_token.0;
        Self { first_token, dials: Vec::new(), lookups: 0, found, teller, waker, outcomes: Vec::new() }
    }

    /// Begins to connect to `host:port`, from the address `source` unless it is empty.
    pub(super) fn dial(
        &mut self,
        ticket: u64,
        host: &str,
        port: u16,
        source: &str,
        registry: &Registry,
        now_us: u64,
    ) {
        let source = source.to_owned();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(ip) = host.parse::<IpAddr>() {
            let rest = VecDeque::from([SocketAddr::new(ip, port)]);
            return self.next_address(ticket, rest, source, "no address".to_owned(), registry, now_us);
        }
        if self.lookups >= MAX_LOOKUPS {
            let why = format!("cannot resolve {host}: earlier lookups are still unanswered");
            return self.outcomes.push((ticket, Err(why)));
        }
        let (name, teller, waker) = (host.to_owned(), self.teller.clone(), Arc::clone(&self.waker));
        let look_up = move || {
            let addrs = (name.as_str(), port).to_socket_addrs().map(Iterator::collect);
            let addrs = addrs.map_err(|error| format!("cannot resolve {name}: {error}"));
            // The loop may have ended meanwhile; then nobody wants to know.
            let _ = teller.send(Found { ticket, addrs, source });
            let _ = waker.wake();
        };
        let thread = std::thread::Builder::new().name("resolver".to_owned()).stack_size(LOOKUP_STACK);
        match thread.spawn(look_up) {
            Ok(_) => self.lookups += 1,
            Err(error) => self.outcomes.push((ticket, Err(super::reason(&error)))),
        }
    }

    /// The dial that an event's token means.
    pub(super) fn index_of(&self, token: Token) -> Option<usize> {
        let index = self.first_token.checked_sub(token.0)?;
        (index < self.dials.len()).then_some(index)
    }

    /// Its socket became ready: connected or refused.
    pub(super) fn ready(&mut self, index: usize, registry: &Registry, now_us: u64) {
        let Some(place) = self.dials.get_mut(index) else { return };
        let Some(dial) = place else { return };
        let failed = match dial.stream.take_error() {
            Ok(Some(error)) | Err(error) => Some(super::reason(&error)),
            Ok(None) => match dial.stream.peer_addr() {
                // A dial to a free port of this machine can meet itself.
                Ok(peer) if dial.stream.local_addr().is_ok_and(|own| own == peer) => {
                    Some("Connection refused".to_owned())
                }
                Ok(_) => None,
                Err(error) if error.kind() == io::ErrorKind::NotConnected => return,
                Err(error) => Some(super::reason(&error)),
            },
        };
        let Some(dial) = place.take() else { return };
        self.conclude(dial, failed, registry, now_us);
    }

    /// What was found out since the last call, in the order in which it was.
    pub(super) fn take(&mut self, registry: &Registry, now_us: u64) -> Vec<Outcome> {
        while let Ok(Found { ticket, addrs, source }) = self.found.try_recv() {
            self.lookups = self.lookups.saturating_sub(1);
            match addrs {
                Ok(addrs) => {
                    let why = "the name has no address".to_owned();
                    self.next_address(ticket, addrs.into(), source, why, registry, now_us);
                }
                Err(why) => self.outcomes.push((ticket, Err(why))),
            }
        }
        for index in 0..self.dials.len() {
            let late = |dial: &mut Dial| dial.deadline_us <= now_us;
            if let Some(dial) = self.dials.get_mut(index).and_then(|place| place.take_if(late)) {
                self.conclude(dial, Some("Connection timed out".to_owned()), registry, now_us);
            }
        }
        std::mem::take(&mut self.outcomes)
    }

    /// When [`Dialer::take`] has something to do at the latest.
    pub(super) fn deadline(&self) -> Option<u64> {
        if !self.outcomes.is_empty() {
            return Some(0);
        }
        self.dials.iter().flatten().map(|dial| dial.deadline_us).min()
    }

    fn conclude(&mut self, mut dial: Dial, failed: Option<String>, registry: &Registry, now_us: u64) {
        match failed {
            None => self.outcomes.push((dial.ticket, Ok(Stream::Tcp(dial.stream)))),
            Some(why) => {
                let _ = registry.deregister(&mut dial.stream);
                drop(dial.stream);
                self.next_address(dial.ticket, dial.rest, dial.source, why, registry, now_us);
            }
        }
    }

    /// Tries addresses until one is on its way; `why` is what the last one said.
    fn next_address(
        &mut self,
        ticket: u64,
        mut rest: VecDeque<SocketAddr>,
        source: String,
        mut why: String,
        registry: &Registry,
        now_us: u64,
    ) {
        let index = self.dials.iter().position(Option::is_none).unwrap_or(self.dials.len());
        let token = Token(self.first_token - index);
        while let Some(addr) = rest.pop_front() {
            let started = start(addr, &source).and_then(|mut stream| {
                registry.register(&mut stream, token, Interest::WRITABLE | Interest::READABLE)?;
                Ok(stream)
            });
            match started {
                Ok(stream) => {
                    let dial = Some(Dial { ticket, rest, source, stream, deadline_us: now_us + ATTEMPT_US });
                    match self.dials.get_mut(index) {
                        Some(place) => *place = dial,
                        None => self.dials.push(dial),
                    }
                    return;
                }
                Err(error) => why = super::reason(&error),
            }
        }
        self.outcomes.push((ticket, Err(why)));
    }
}

fn start(addr: SocketAddr, source: &str) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if !source.is_empty() {
        let ip: IpAddr = source.parse().map_err(|_| io::Error::other("bind-source-addr is no address"))?;
        socket.bind(&SocketAddr::new(ip, 0).into())?;
    }
    socket.set_nonblocking(true)?;
    match socket.connect(&addr.into()) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
        Err(error) => return Err(error),
    }
    Ok(TcpStream::from_std(socket.into()))
}

#[cfg(test)]
#[expect(clippy::disallowed_types, reason = "a test of real servers speaks to them itself")]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Runs a dial to its end, without a bound on time but the test's own.
    fn outcome(host: &str, port: u16) -> Outcome {
        let mut poll = mio::Poll::new().unwrap();
        let waker = Arc::new(Waker::new(poll.registry(), Token(1)).unwrap());
        let mut dialer = Dialer::new(Token(100), waker);
        dialer.dial(7, host, port, "", poll.registry(), 0);
        let mut events = mio::Events::with_capacity(8);
        for _ in 0..100 {
            if let Some(outcome) = dialer.take(poll.registry(), 1).pop() {
                return outcome;
            }
            poll.poll(&mut events, Some(Duration::from_secs(10))).unwrap();
            for event in &events {
                if let Some(index) = dialer.index_of(event.token()) {
                    dialer.ready(index, poll.registry(), 1);
                }
            }
        }
        panic!("no outcome");
    }

    #[test]
    fn a_name_is_tried_at_all_its_addresses() {
        // It listens at one of the two addresses that the name may have.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (ticket, stream) = outcome("localhost", port);
        assert_eq!(ticket, 7);
        assert_eq!(stream.unwrap().peer().addr, format!("127.0.0.1:{port}"));
        assert!(outcome("127.0.0.1", port).1.is_ok());
    }

    #[test]
    fn a_refusal_says_why() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        assert_eq!(outcome("127.0.0.1", port).1.unwrap_err(), "Connection refused");
        assert!(outcome("no such name", port).1.unwrap_err().starts_with("cannot resolve no such name: "));
    }
}
