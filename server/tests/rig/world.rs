//! A world of nodes in one process: a fake network, a fake clock, a fake disk.
//!
//! Nothing happens by itself. Bytes sit on a wire until [`World::settle`] delivers them, and time stands still until
//! [`World::advance`] moves it, so that every run is the same run.
//!
//! Nodes are numbered from one; node n listens on 127.0.0.1 at [`port_of`] n.

use super::host::Host;
use rctl_server::data::Now;
use rctl_server::node::{ConnId, Node, Signal};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The wall clock at which every world begins: in the future of any real peer, so that absolute deadlines in a
/// transcript mean the same to a real server.
pub(crate) const BEGIN_MS: u64 = 2_000_000_000_000;

/// Where node `n` listens.
pub(crate) fn port_of(n: usize) -> u16 {
    7000 + u16::try_from(n).unwrap_or(0)
}

/// One end of a wire.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Node(usize, ConnId),
    Client(String),
}

impl End {
    fn host(&self) -> Option<usize> {
        match self {
            Self::Node(n, _) => Some(*n),
            Self::Client(_) => None,
        }
    }
}

/// A connection: what flies toward each end, and whether the other side has said goodbye.
#[derive(Debug)]
struct Wire {
    ends: [End; 2],
    flying: [VecDeque<u8>; 2],
    goodbye: [bool; 2],
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
    wires: Vec<Wire>,
    inboxes: BTreeMap<String, Inbox>,
    /// Directions in which nothing is delivered.
    held: BTreeSet<(usize, usize)>,
    /// Pairs that cannot reach each other, lower number first.
    cut: BTreeSet<(usize, usize)>,
    /// The most bytes handed over in one piece; small pieces find parsers that forget.
    piece: usize,
}

impl World {
    /// A world of `n` running nodes whose configuration files hold these lines, and their port.
    pub(crate) fn new(n: usize, config: &str) -> Self {
        let now = Now { wall_ms: BEGIN_MS, mono_us: 1_000_000 };
        let mut world = Self {
            now,
            hosts: BTreeMap::new(),
            wires: Vec::new(),
            inboxes: BTreeMap::new(),
            held: BTreeSet::new(),
            cut: BTreeSet::new(),
            piece: usize::MAX,
        };
        for n in 1..=n {
            world.hosts.insert(n, Host::new(format!("port {}\n{config}", port_of(n))));
            world.start(n);
        }
        world
    }

    pub(crate) fn now(&self) -> Now {
        self.now
    }

    /// Hands over at most `bytes` in one piece from now on.
    pub(crate) fn split(&mut self, bytes: usize) {
        self.piece = bytes.max(1);
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
        let Some(host) = self.hosts.get_mut(&n) else { return };
        host.start(n, now);
        self.settle();
    }

    /// Node `n` is gone from one moment to the next; its disk stays.
    pub(crate) fn crash(&mut self, n: usize) {
        let Some(host) = self.hosts.get_mut(&n) else { return };
        host.stop();
        self.reset_wires(|wire| wire.ends.iter().any(|end| end.host() == Some(n)));
        self.settle();
    }

    pub(crate) fn signal(&mut self, n: usize, signal: Signal) {
        self.with(n, |node, now, sink| node.signal(signal, now, sink));
        self.settle();
    }

    /// Opens a connection from the test to node `n`.
    pub(crate) fn connect(&mut self, client: &str, n: usize) {
        let now = self.now;
        let Some(conn) = self.hosts.get_mut(&n).and_then(|host| host.accept(now)) else {
            self.inboxes.insert(client.to_owned(), Inbox { bytes: Vec::new(), closed: true });
            return;
        };
        self.inboxes.insert(client.to_owned(), Inbox::default());
        self.wires.push(Wire::between(End::Client(client.to_owned()), End::Node(n, conn)));
    }

    pub(crate) fn connected(&self, client: &str) -> bool {
        self.wire_of(client).is_some()
    }

    /// Bytes from a client of the test; delivered by the next [`World::settle`].
    pub(crate) fn send(&mut self, client: &str, bytes: &[u8]) {
        if let Some(index) = self.wire_of(client) {
            self.wires[index].flying[1].extend(bytes);
        }
    }

    pub(crate) fn hang_up(&mut self, client: &str) {
        if let Some(index) = self.wire_of(client) {
            self.wires[index].goodbye[1] = true;
        }
        self.inboxes.remove(client);
    }

    /// What arrived at a client since the last call, and whether its connection is closed.
    pub(crate) fn take(&mut self, client: &str) -> (Vec<u8>, bool) {
        self.inboxes
            .get_mut(client)
            .map(|inbox| (std::mem::take(&mut inbox.bytes), inbox.closed))
            .unwrap_or_default()
    }

    /// Nothing is delivered from `from` to `to` until [`World::deliver`].
    pub(crate) fn hold(&mut self, direction: (usize, usize)) {
        self.held.insert(direction);
    }

    /// What was held is delivered, and nothing is held any more.
    pub(crate) fn deliver(&mut self) {
        self.held.clear();
        self.settle();
    }

    /// Connections between `a` and `b` are reset, and new ones fail until [`World::heal`].
    pub(crate) fn cut(&mut self, (a, b): (usize, usize)) {
        self.cut.insert((a.min(b), a.max(b)));
        self.reset((a, b));
    }

    /// Connections between `a` and `b` are reset; new ones may be made.
    pub(crate) fn reset(&mut self, (a, b): (usize, usize)) {
        self.reset_wires(|wire| {
            let hosts = [wire.ends[0].host(), wire.ends[1].host()];
            hosts == [Some(a), Some(b)] || hosts == [Some(b), Some(a)]
        });
        self.settle();
    }

    /// Everybody reaches everybody again.
    pub(crate) fn heal(&mut self) {
        self.cut.clear();
        self.deliver();
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

    fn wire_of(&self, client: &str) -> Option<usize> {
        self.wires.iter().position(|wire| matches!(&wire.ends[0], End::Client(name) if name == client))
    }

    fn next_deadline(&self) -> Option<u64> {
        self.hosts.values().filter_map(|host| host.node.as_ref()?.deadline()).min()
    }

    fn set_clock(&mut self, mono_us: u64) {
        self.now.wall_ms = BEGIN_MS + (mono_us - 1_000_000) / 1000;
        self.now.mono_us = mono_us;
    }

    fn tick(&mut self) {
        let now = self.now.mono_us;
        for n in self.nodes() {
            let due = |node: &Node| node.deadline().is_some_and(|deadline| deadline <= now);
            if self.hosts.get(&n).and_then(|host| host.node.as_ref()).is_some_and(due) {
                self.with(n, Node::tick);
            }
        }
        self.settle();
    }

    fn with(&mut self, n: usize, input: impl FnOnce(&mut Node, Now, &mut super::host::Asked)) {
        let now = self.now;
        if let Some(host) = self.hosts.get_mut(&n)
            && let Some(node) = &mut host.node
        {
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
                if let Some((index, to)) = self.far_end(n, conn) {
                    self.wires[index].flying[to].extend(bytes);
                }
            }
            for conn in closing {
                if let Some((index, to)) = self.far_end(n, conn) {
                    self.wires[index].goodbye[to] = true;
                    self.wires[index].flying[1 - to].clear();
                }
            }
            for (ticket, port) in dials {
                self.dial(n, ticket, port);
            }
            if exited {
                self.say_goodbye(n);
            }
        }
    }

    /// Connects node `n` to the node that listens at `port`.
    fn dial(&mut self, n: usize, ticket: u64, port: u16) {
        let now = self.now;
        let other = self.nodes().into_iter().find(|&other| port_of(other) == port);
        let reachable = other.filter(|&other| !self.cut.contains(&(n.min(other), n.max(other))));
        let Some((other, theirs)) =
            reachable.and_then(|other| Some((other, self.hosts.get_mut(&other)?.accept(now)?)))
        else {
            let refused = Err("Connection refused".to_owned());
            return self.with(n, |node, now, sink| node.dialed(ticket, refused, now, sink));
        };
        let Some(host) = self.hosts.get_mut(&n) else { return };
        let (ours, peer) = host.open(port);
        self.wires.push(Wire::between(End::Node(n, ours), End::Node(other, theirs)));
        self.with(n, |node, now, sink| node.dialed(ticket, Ok((ours, peer)), now, sink));
    }

    /// The wire of a node's connection, and the index of its other end.
    fn far_end(&self, n: usize, conn: ConnId) -> Option<(usize, usize)> {
        let near = End::Node(n, conn);
        let found = |(index, wire): (usize, &Wire)| {
            wire.ends.iter().position(|end| *end == near).map(|end| (index, 1 - end))
        };
        self.wires.iter().enumerate().find_map(found)
    }

    /// A process ended in good order: what it wrote still arrives.
    fn say_goodbye(&mut self, n: usize) {
        for wire in &mut self.wires {
            for end in 0..2 {
                if wire.ends[end].host() == Some(n) {
                    wire.goodbye[1 - end] = true;
                    wire.flying[end].clear();
                }
            }
        }
    }

    fn reset_wires(&mut self, which: impl Fn(&Wire) -> bool) {
        let (gone, kept) = std::mem::take(&mut self.wires).into_iter().partition(which);
        self.wires = kept;
        for wire in gone {
            self.hear_goodbye(&wire.ends[0]);
            self.hear_goodbye(&wire.ends[1]);
        }
    }

    fn hear_goodbye(&mut self, end: &End) {
        match end {
            End::Client(name) => {
                if let Some(inbox) = self.inboxes.get_mut(name) {
                    inbox.closed = true;
                }
            }
            End::Node(n, conn) => {
                let now = self.now;
                if let Some(host) = self.hosts.get_mut(n) {
                    host.closed(*conn, now);
                }
            }
        }
    }

    /// One piece for every end that has something coming; false when nothing moved.
    fn deliver_once(&mut self) -> bool {
        let mut moved = false;
        for index in 0..self.wires.len() {
            for to in 0..2 {
                moved |= self.deliver_to(index, to);
            }
        }
        let over = |wire: &Wire| (0..2).any(|to| wire.goodbye[to] && wire.flying[to].is_empty());
        let held: BTreeSet<(usize, usize)> = self.held.clone();
        let waits = |wire: &Wire| {
            let hosts = (wire.ends[0].host(), wire.ends[1].host());
            let (Some(a), Some(b)) = hosts else { return false };
            (wire.goodbye[1] && held.contains(&(a, b))) || (wire.goodbye[0] && held.contains(&(b, a)))
        };
        if self.wires.iter().any(|wire| over(wire) && !waits(wire)) {
            self.reset_wires(|wire| over(wire) && !waits(wire));
            moved = true;
        }
        moved
    }

    fn deliver_to(&mut self, index: usize, to: usize) -> bool {
        let wire = &mut self.wires[index];
        if let (Some(from), Some(to)) = (wire.ends[1 - to].host(), wire.ends[to].host())
            && self.held.contains(&(from, to))
        {
            return false;
        }
        if wire.flying[to].is_empty() {
            return false;
        }
        let end = wire.ends[to].clone();
        match end {
            End::Client(name) => {
                let bytes: Vec<u8> = wire.flying[to].drain(..).collect();
                self.inboxes.entry(name).or_default().bytes.extend(bytes);
            }
            End::Node(n, conn) => {
                if self.hosts.get(&n).is_none_or(|host| !host.reads(conn)) {
                    return false;
                }
                let size = wire.flying[to].len().min(self.piece);
                let bytes: Vec<u8> = wire.flying[to].drain(..size).collect();
                self.with(n, |node, now, sink| node.receive(conn, &bytes, now, sink));
            }
        }
        true
    }
}

impl Wire {
    fn between(first: End, second: End) -> Self {
        Self { ends: [first, second], flying: Default::default(), goodbye: [false, false] }
    }
}
