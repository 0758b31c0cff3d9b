//! A world of nodes in one process: a fake network, a fake clock, a fake disk.
//!
//! Nothing happens by itself. Bytes sit on a wire until [`World::settle`] delivers them, and time stands still until
//! [`World::advance`] moves it, so that every run is the same run.
//!
//! Nodes are numbered from one; node n listens on 127.0.0.1 at [`port_of`] n.

use super::host::{Asked, Host};
use super::net::{End, Net};
use rctl_server::data::Now;
use rctl_server::node::{Node, Signal};
use std::collections::BTreeMap;

/// The wall clock at which every world begins: in the future of any real peer, so that absolute deadlines in a
/// transcript mean the same to a real server.
pub(crate) const BEGIN_MS: u64 = 2_000_000_000_000;

/// The monotonic clock at which every world begins.
const BEGIN_US: u64 = 1_000_000;

/// Where node `n` listens.
pub(crate) fn port_of(n: usize) -> u16 {
    7000 + u16::try_from(n).unwrap_or(0)
}

/// Bytes that arrived at a client of the test, and whether its connection is closed.
#[derive(Debug, Default)]
struct Inbox {
    bytes: Vec<u8>,
    closed: bool,
}

#[derive(Debug)]
pub(crate) struct World {
    now: Now,
    hosts: BTreeMap<usize, Host>,
    net: Net,
    inboxes: BTreeMap<String, Inbox>,
}

impl World {
    /// A world of `n` running nodes configured by these lines and their port, with a `file` that they may rewrite or
    /// without.
    pub(crate) fn new(n: usize, config: &str, file: bool) -> Self {
        let now = Now { wall_ms: BEGIN_MS, mono_us: BEGIN_US };
        let mut world = Self { now, hosts: BTreeMap::new(), net: Net::new(), inboxes: BTreeMap::new() };
        for n in 1..=n {
            world.hosts.insert(n, Host::new(format!("port {}\n{config}", port_of(n)), file));
            world.start(n);
        }
        world
    }

    /// Hands over at most `bytes` in one piece from now on.
    pub(crate) fn split(&mut self, bytes: usize) {
        self.net.split(bytes);
    }

    /// The log lines of node `n` since the last call.
    pub(crate) fn take_log(&mut self, n: usize) -> Vec<String> {
        self.hosts.get_mut(&n).map(|host| std::mem::take(&mut host.world.log)).unwrap_or_default()
    }

    pub(crate) fn nodes(&self) -> Vec<usize> {
        self.hosts.keys().copied().collect()
    }

    pub(crate) fn running(&self, n: usize) -> bool {
        self.hosts.get(&n).is_some_and(|host| host.node.is_some())
    }

    /// Starts node `n` from its disk.
    pub(crate) fn start(&mut self, n: usize) {
        let now = self.now;
        if let Some(host) = self.hosts.get_mut(&n) {
            host.start(n, now);
        }
        self.settle();
    }

    /// Node `n` is gone from one moment to the next; its disk stays.
    pub(crate) fn crash(&mut self, n: usize) {
        if let Some(host) = self.hosts.get_mut(&n) {
            host.stop();
        }
        let gone = self.net.reset(n, None);
        self.lost(gone);
        self.settle();
    }

    pub(crate) fn signal(&mut self, n: usize, signal: Signal) {
        self.with(n, |node, now, sink| node.signal(signal, now, sink));
        self.settle();
    }

    /// Opens a connection from the test to node `n`.
    pub(crate) fn connect(&mut self, client: &str, n: usize) {
        let now = self.now;
        let conn = self.hosts.get_mut(&n).and_then(|host| host.accept(now));
        self.inboxes.insert(client.to_owned(), Inbox { bytes: Vec::new(), closed: conn.is_none() });
        if let Some(conn) = conn {
            self.net.connect(End::Client(client.to_owned()), End::Node(n, conn));
        }
    }

    pub(crate) fn connected(&self, client: &str) -> bool {
        self.net.has(&End::Client(client.to_owned()))
    }

    /// Bytes from a client of the test; delivered by the next [`World::settle`].
    pub(crate) fn send(&mut self, client: &str, bytes: &[u8]) {
        self.net.send(&End::Client(client.to_owned()), bytes);
    }

    pub(crate) fn hang_up(&mut self, client: &str) {
        self.net.close(&End::Client(client.to_owned()));
        self.inboxes.remove(client);
    }

    /// What arrived at a client since the last call, and whether its connection is closed.
    pub(crate) fn take(&mut self, client: &str) -> (Vec<u8>, bool) {
        let inbox = self.inboxes.get_mut(client);
        inbox.map(|inbox| (std::mem::take(&mut inbox.bytes), inbox.closed)).unwrap_or_default()
    }

    /// Of what flies in this direction only `bytes` more are delivered until [`World::deliver`].
    pub(crate) fn hold(&mut self, direction: (usize, usize), bytes: usize) {
        self.net.hold(direction, bytes);
    }

    /// What was held is delivered, and nothing is held any more.
    pub(crate) fn deliver(&mut self) {
        self.net.release();
        self.settle();
    }

    /// Connections between the two are reset, and new ones fail until [`World::heal`].
    pub(crate) fn cut(&mut self, (a, b): (usize, usize)) {
        self.net.cut(a, b);
        self.reset((a, b));
    }

    /// Connections between the two are reset; new ones may be made.
    pub(crate) fn reset(&mut self, (a, b): (usize, usize)) {
        let gone = self.net.reset(a, Some(b));
        self.lost(gone);
        self.settle();
    }

    /// Everybody reaches everybody again.
    pub(crate) fn heal(&mut self) {
        self.net.heal();
        self.settle();
    }

    /// Moves the clock, stopping at every deadline on the way.
    ///
    /// # Panics
    /// A node wants to be called again and again at the same moment.
    pub(crate) fn advance(&mut self, ms: u64) {
        let until = self.now.mono_us + ms * 1000;
        let mut stuck = 0;
        while let Some(next) = self.next_deadline().filter(|&next| next <= until) {
            stuck = if next <= self.now.mono_us { stuck + 1 } else { 0 };
            assert!(stuck < 1000, "a node asks for the same moment for ever");
            self.set_clock(next.max(self.now.mono_us));
            self.tick();
        }
        self.set_clock(until);
        self.tick();
    }

    /// Delivers and answers until nothing moves, the clock standing still.
    ///
    /// # Panics
    /// The nodes never come to rest.
    pub(crate) fn settle(&mut self) {
        for _ in 0..100_000 {
            self.carry_out();
            if !self.deliver_once() {
                return;
            }
        }
        panic!("the nodes never come to rest");
    }

    fn next_deadline(&self) -> Option<u64> {
        self.hosts.values().filter_map(|host| host.node.as_ref()?.deadline()).min()
    }

    fn set_clock(&mut self, mono_us: u64) {
        self.now = Now { wall_ms: BEGIN_MS + (mono_us - BEGIN_US) / 1000, mono_us };
    }

    fn tick(&mut self) {
        let now = self.now.mono_us;
        for n in self.nodes() {
            let due = |node: &Node| node.deadline().is_some_and(|deadline| deadline <= now);
            if self.hosts.get(&n).and_then(|host| host.node.as_ref()).is_some_and(due) {
                self.with(n, |node, now, sink| node.tick(now, sink));
            }
        }
        self.settle();
    }

    fn with(&mut self, n: usize, input: impl FnOnce(&mut Node, Now, &mut Asked)) {
        let now = self.now;
        let Some(host) = self.hosts.get_mut(&n) else { return };
        if let Some(node) = &mut host.node {
            input(node, now, &mut host.world);
        }
    }

    /// Does what the nodes asked for.
    fn carry_out(&mut self) {
        for n in self.nodes() {
            let now = self.now;
            let Some(host) = self.hosts.get_mut(&n) else { continue };
            host.saves(now);
            let output = host.output(now);
            let closing = host.closing(now);
            let dials = host.dials();
            let exited = host.exited();
            for (conn, bytes) in output {
                self.net.send(&End::Node(n, conn), &bytes);
            }
            for conn in closing {
                self.net.close(&End::Node(n, conn));
            }
            for (ticket, port) in dials {
                self.dial(n, ticket, port);
            }
            if exited {
                self.net.close_host(n);
            }
        }
    }

    /// Connects node `n` to the node that listens at `port`.
    fn dial(&mut self, n: usize, ticket: u64, port: u16) {
        let now = self.now;
        let other = self.nodes().into_iter().find(|&other| port_of(other) == port);
        let other = other.filter(|&other| self.net.reachable(n, other));
        let theirs =
            other.and_then(|other| self.hosts.get_mut(&other)?.accept(now).map(|conn| (other, conn)));
        let Some((other, theirs)) = theirs else {
            let refused = Err("Connection refused".to_owned());
            return self.with(n, |node, now, sink| node.dialed(ticket, refused, now, sink));
        };
        let Some(host) = self.hosts.get_mut(&n) else { return };
        let (ours, peer) = host.open(port);
        self.net.connect(End::Node(n, ours), End::Node(other, theirs));
        self.with(n, |node, now, sink| node.dialed(ticket, Ok((ours, peer)), now, sink));
    }

    /// These ends have no wire any more.
    fn lost(&mut self, ends: Vec<End>) {
        let now = self.now;
        for end in ends {
            match end {
                End::Client(name) => self.inboxes.entry(name).or_default().closed = true,
                End::Node(n, conn) => {
                    if let Some(host) = self.hosts.get_mut(&n) {
                        host.closed(conn, now);
                    }
                }
            }
        }
    }

    /// One piece for every end that has something coming; false when nothing moved.
    fn deliver_once(&mut self) -> bool {
        let hosts = &self.hosts;
        let arriving = self.net.arriving(|end| match end {
            End::Client(_) => true,
            End::Node(n, conn) => hosts.get(n).is_some_and(|host| host.reads(*conn)),
        });
        let mut moved = !arriving.is_empty();
        for (end, bytes) in arriving {
            match end {
                End::Client(name) => self.inboxes.entry(name).or_default().bytes.extend(bytes),
                End::Node(n, conn) => self.with(n, |node, now, sink| node.receive(conn, &bytes, now, sink)),
            }
        }
        let gone = self.net.finished();
        moved |= !gone.is_empty();
        self.lost(gone);
        moved
    }
}
