//! The world itself: machines, wires, clients and one clock.
//!
//! Nothing happens by itself. Bytes sit on a wire until [`World::settle`] or [`World::deliver`] moves them, and time
//! stands still until [`World::advance`] or [`World::jump`] moves it, so that every run is the same run.
//!
//! Nodes are numbered from one; node n listens on 127.0.0.1 at [`port_of`] n unless it was given another port.

use std::collections::BTreeMap;

use super::check::Check;
use super::host::{Asked, Host};
use super::net::{End, Net};
use crate::data::Now;
use crate::node::{ConnId, Node, Signal};

/// The wall clock at which every world begins: in the future of any real peer, so that absolute deadlines in a
/// transcript mean the same to a real server.
pub const BEGIN_MS: u64 = 2_000_000_000_000;

/// The monotonic clock at which every world begins.
const BEGIN_US: u64 = 1_000_000;

/// Where node `n` listens.
#[must_use]
pub fn port_of(n: usize) -> u16 {
    7000 + u16::try_from(n).unwrap_or(0)
}

/// Bytes that arrived at a client of the test, and whether its connection is closed.
#[derive(Debug, Default)]
struct Inbox {
    bytes: Vec<u8>,
    closed: bool,
}

/// A connection that a node wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dial {
    /// Who dials.
    pub n: usize,
    /// Its name for the attempt.
    pub ticket: u64,
    /// The port it dials.
    pub port: u16,
    incarnation: u64,
}

/// A world of nodes.
#[derive(Debug, Default)]
pub struct World {
    now: Now,
    /// How far the wall clock is off, in milliseconds.
    skew_ms: i64,
    hosts: BTreeMap<usize, Host>,
    ports: BTreeMap<u16, usize>,
    /// All wires.
    pub net: Net,
    inboxes: BTreeMap<String, Inbox>,
    /// Connections that were asked for and did not come about yet.
    pub dials: Vec<Dial>,
    /// Ends whose wire is gone, and that were not told.
    pub unaware: Vec<End>,
    /// Who judges, if anybody does.
    pub check: Option<Box<Check>>,
    /// What no world should come to: a node that never rests, a file that its own node refuses.
    pub trouble: Option<String>,
    /// Connections between nodes come about, and saves are written, only when the driver says so.
    by_hand: bool,
}

impl World {
    /// A world without nodes.
    #[must_use]
    pub fn empty() -> Self {
        Self { now: Now { wall_ms: BEGIN_MS, mono_us: BEGIN_US }, ..Self::default() }
    }

    /// A world of `n` running nodes configured by these lines and their port, with a `file` that they may rewrite or
    /// without.
    #[must_use]
    pub fn new(n: usize, config: &str, file: bool) -> Self {
        let mut world = Self::empty();
        for n in 1..=n {
            world.add(n, port_of(n), config, file, 0);
            world.start(n);
        }
        world
    }

    /// A world in which nothing is done that the driver did not ask for, judged after every input.
    #[must_use]
    pub fn by_hand() -> Self {
        Self { by_hand: true, check: Some(Box::default()), ..Self::empty() }
    }

    /// Adds machine `n`, whose process is down; `seed` feeds its randomness.
    pub fn add(&mut self, n: usize, port: u16, config: &str, file: bool, seed: u64) {
        self.hosts.insert(n, Host::new(format!("port {port}\n{config}"), file, seed));
        self.ports.insert(port, n);
        if let Some(check) = &mut self.check {
            check.ports.insert(port, n);
        }
    }

    /// Hands over at most `bytes` in one piece from now on.
    pub fn split(&mut self, bytes: usize) {
        self.net.split(bytes);
    }

    /// The clocks.
    #[must_use]
    pub fn now(&self) -> Now {
        self.now
    }

    /// The log lines of node `n` since the last call.
    pub fn take_log(&mut self, n: usize) -> Vec<String> {
        self.hosts.get_mut(&n).map(|host| std::mem::take(&mut host.asked.log)).unwrap_or_default()
    }

    /// The numbers of all machines.
    #[must_use]
    pub fn nodes(&self) -> Vec<usize> {
        self.hosts.keys().copied().collect()
    }

    /// A machine.
    #[must_use]
    pub fn host(&self, n: usize) -> Option<&Host> {
        self.hosts.get(&n)
    }

    /// A machine, to change.
    pub fn host_mut(&mut self, n: usize) -> Option<&mut Host> {
        self.hosts.get_mut(&n)
    }

    /// The process of machine `n`, if it runs.
    #[must_use]
    pub fn node(&self, n: usize) -> Option<&Node> {
        self.hosts.get(&n)?.node.as_ref()
    }

    /// Whether its process runs.
    #[must_use]
    pub fn running(&self, n: usize) -> bool {
        self.node(n).is_some()
    }

    /// Starts node `n` from its disk.
    pub fn start(&mut self, n: usize) {
        let now = self.now;
        if let Some(host) = self.hosts.get_mut(&n)
            && let Err(why) = host.start(n, now)
        {
            self.trouble.get_or_insert(why);
        }
        self.judge(n);
        self.rest();
    }

    /// Node `n` is gone from one moment to the next; its disk stays.
    pub fn crash(&mut self, n: usize) {
        if let Some(host) = self.hosts.get_mut(&n) {
            host.stop();
        }
        self.gone(n);
        let ends = self.net.reset(n, None);
        let others: Vec<End> = ends.into_iter().filter(|end| end.host() != Some(n)).collect();
        self.lost_or_unaware(others);
        self.rest();
    }

    fn gone(&mut self, n: usize) {
        self.dials.retain(|dial| dial.n != n);
        self.unaware.retain(|end| end.host() != Some(n));
        if let Some(check) = &mut self.check {
            check.gone(n);
        }
    }

    /// The operating system signals node `n`.
    pub fn signal(&mut self, n: usize, signal: Signal) {
        self.with(n, |node, now, sink| node.signal(signal, now, sink));
        self.rest();
    }

    /// Opens a connection from outside to node `n`.
    pub fn connect(&mut self, client: &str, n: usize) {
        let now = self.now;
        let conn = self.hosts.get_mut(&n).and_then(|host| host.accept(now));
        self.inboxes.insert(client.to_owned(), Inbox { bytes: Vec::new(), closed: conn.is_none() });
        if let Some(conn) = conn {
            self.net.connect(End::Client(client.to_owned()), End::Node(n, conn));
        }
    }

    /// Whether that client is connected.
    #[must_use]
    pub fn connected(&self, client: &str) -> bool {
        self.net.has(&End::Client(client.to_owned()))
    }

    /// Bytes from a client; delivered by the next [`World::settle`] or [`World::settle_clients`].
    pub fn send(&mut self, client: &str, bytes: &[u8]) {
        self.net.send(&End::Client(client.to_owned()), bytes);
    }

    /// A client closes its connection.
    pub fn hang_up(&mut self, client: &str) {
        self.net.close(&End::Client(client.to_owned()));
        self.inboxes.remove(client);
    }

    /// What arrived at a client since the last call, and whether its connection is closed.
    pub fn take(&mut self, client: &str) -> (Vec<u8>, bool) {
        let inbox = self.inboxes.get_mut(client);
        inbox.map(|inbox| (std::mem::take(&mut inbox.bytes), inbox.closed)).unwrap_or_default()
    }

    /// Of what flies in this direction only `bytes` more are delivered until [`World::release`].
    pub fn hold(&mut self, direction: (usize, usize), bytes: usize) {
        self.net.hold(direction, bytes);
    }

    /// What was held is delivered, and nothing is held any more.
    pub fn release(&mut self) {
        self.net.release();
        self.rest();
    }

    /// Connections between the two are reset, and new ones fail until [`World::heal`].
    pub fn cut(&mut self, (a, b): (usize, usize)) {
        self.net.cut(a, b);
        self.net.cut(b, a);
        self.reset((a, b));
    }

    /// Connections between the two are reset; new ones may be made.
    pub fn reset(&mut self, (a, b): (usize, usize)) {
        let gone = self.net.reset(a, Some(b));
        self.lost_or_unaware(gone);
        self.rest();
    }

    /// Everybody reaches everybody again.
    pub fn heal(&mut self) {
        self.net.heal();
        self.rest();
    }

    /// The wire at `index` is dead; its ends are [`World::unaware`] of it until they are told.
    pub fn sever(&mut self, index: usize) {
        let ends = self.net.sever(index);
        self.unaware.extend(ends);
    }

    /// One of the unaware learns that its wire is gone.
    pub fn tell(&mut self, index: usize) {
        if index < self.unaware.len() {
            let end = self.unaware.remove(index);
            self.lost(vec![end]);
            self.carry_out();
        }
    }

    fn lost_or_unaware(&mut self, ends: Vec<End>) {
        if self.by_hand {
            let (clients, nodes) = ends.into_iter().partition(|end| end.host().is_none());
            self.lost(clients);
            self.unaware.extend::<Vec<End>>(nodes);
        } else {
            self.lost(ends);
        }
    }

    /// Moves the clock, stopping at every deadline on the way and settling after each.
    pub fn advance(&mut self, ms: u64) {
        let until = self.now.mono_us + ms * 1000;
        let mut stuck = 0;
        while let Some(next) = self.next_deadline().filter(|&next| next <= until) {
            stuck = if next <= self.now.mono_us { stuck + 1 } else { 0 };
            if stuck >= 1000 {
                self.trouble.get_or_insert("a node asks for the same moment for ever".to_owned());
                return;
            }
            self.jump(next.max(self.now.mono_us));
            self.settle();
        }
        self.jump(until);
        self.settle();
    }

    /// Sets the monotonic clock, in microseconds, and lets every node that is due have its tick. Nothing is delivered.
    pub fn jump(&mut self, mono_us: u64) {
        let skewed = (BEGIN_MS + (mono_us - BEGIN_US) / 1000).saturating_add_signed(self.skew_ms);
        self.now = Now { wall_ms: skewed, mono_us };
        for n in self.nodes() {
            let due = |node: &Node| node.deadline().is_some_and(|deadline| deadline <= mono_us);
            if self.node(n).is_some_and(due) {
                self.with(n, |node, now, sink| node.tick(now, sink));
            }
        }
        self.carry_out();
    }

    /// Somebody sets the wall clock of all machines by so many milliseconds.
    pub fn set_wall(&mut self, by_ms: i64) {
        self.skew_ms += by_ms;
        self.now.wall_ms = self.now.wall_ms.saturating_add_signed(by_ms);
    }

    /// In a world that runs by itself: delivers and answers until nothing moves.
    fn rest(&mut self) {
        if self.by_hand { self.carry_out() } else { self.settle() }
    }

    /// Delivers and answers until nothing moves, the clock standing still.
    pub fn settle(&mut self) {
        for _ in 0..100_000 {
            self.carry_out();
            let dialed = !self.dials.is_empty();
            for index in (0..self.dials.len()).rev() {
                self.dialed(index, true);
            }
            let saved = self.nodes().into_iter().filter(|&n| self.save(n, 64 << 10)).count() > 0;
            if !self.deliver_once(|_| true) && !dialed && !saved {
                return;
            }
        }
        self.trouble.get_or_insert("the nodes never come to rest".to_owned());
    }

    /// Delivers what clients sent and what was answered to them, and nothing between nodes.
    pub fn settle_clients(&mut self) {
        for _ in 0..1000 {
            self.carry_out();
            let clients = |ends: &[End; 2]| ends.iter().any(|end| end.host().is_none());
            if !self.deliver_once(clients) {
                return;
            }
        }
    }

    /// The next moment at which a node wants its tick, in monotonic microseconds.
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        self.hosts.values().filter_map(|host| host.node.as_ref()?.deadline()).min()
    }

    fn with(&mut self, n: usize, input: impl FnOnce(&mut Node, Now, &mut Asked)) {
        let now = self.now;
        let Some(host) = self.hosts.get_mut(&n) else { return };
        if let Some(node) = &mut host.node {
            input(node, now, &mut host.asked);
        }
        self.judge(n);
    }

    fn judge(&mut self, n: usize) {
        if let Some(check) = &mut self.check
            && let Some(host) = self.hosts.get(&n)
            && let Some(node) = &host.node
        {
            check.after(n, host.starts, node, self.now.mono_ms());
        }
    }

    /// Does what the nodes asked for: output onto wires, connections closed, connections wanted, the process's end.
    pub fn carry_out(&mut self) {
        for n in self.nodes() {
            if self.hosts.get(&n).is_some_and(Host::must_save) {
                self.save(n, 64 << 10);
            }
            let now = self.now;
            let Some(host) = self.hosts.get_mut(&n) else { continue };
            if host.node.is_none() {
                continue;
            }
            let net = &self.net;
            let output = host.output(now, &|conn| net.room(&End::Node(n, conn)));
            let closing = host.closing(now);
            let (incarnation, dials) = (host.starts, host.dials());
            let exited = host.exited();
            let busy = !output.is_empty() || !closing.is_empty();
            for (conn, bytes) in output {
                if let Some((wire, to)) = self.net.send(&End::Node(n, conn), &bytes)
                    && let Some(check) = &mut self.check
                {
                    check.sent(wire, to, &bytes);
                }
            }
            for conn in closing {
                let end = End::Node(n, conn);
                self.unaware.retain(|other| *other != end);
                self.net.close(&end);
            }
            self.dials.extend(dials.into_iter().map(|(ticket, port)| Dial { n, ticket, port, incarnation }));
            if exited {
                self.net.close_host(n);
                self.gone(n);
            } else if busy {
                self.judge(n);
            }
        }
        if !self.by_hand {
            self.dial_all();
        }
    }

    fn dial_all(&mut self) {
        while !self.dials.is_empty() {
            self.dialed(0, true);
        }
    }

    /// The connection at `index` of [`World::dials`] comes about, if it can and `answered`; else it is refused.
    pub fn dialed(&mut self, index: usize, answered: bool) {
        if index >= self.dials.len() {
            return;
        }
        let Dial { n, ticket, port, incarnation } = self.dials.remove(index);
        if self.hosts.get(&n).is_none_or(|host| host.starts != incarnation) {
            return;
        }
        let now = self.now;
        let other = self.ports.get(&port).copied().filter(|&other| answered && self.net.reachable(n, other));
        let theirs =
            other.and_then(|other| self.hosts.get_mut(&other)?.accept(now).map(|conn| (other, conn)));
        let Some((other, theirs)) = theirs else {
            let refused = Err("Connection refused".to_owned());
            return self.with(n, |node, now, sink| node.dialed(ticket, refused, now, sink));
        };
        let Some(host) = self.hosts.get_mut(&n) else { return };
        let (ours, peer) = host.open(port);
        let wire = self.net.connect(End::Node(n, ours), End::Node(other, theirs));
        if let Some(check) = &mut self.check {
            check.connected(wire, n, other);
        }
        self.with(n, |node, now, sink| node.dialed(ticket, Ok((ours, peer)), now, sink));
    }

    /// Writes up to about `budget` bytes of the save of node `n`, if one is under way; an urgent one to its end.
    pub fn save(&mut self, n: usize, budget: usize) -> bool {
        let now = self.now;
        let saved = self.hosts.get_mut(&n).is_some_and(|host| host.saves() && host.save_some(budget, now));
        if saved {
            self.judge(n);
        }
        saved
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
                    self.judge(n);
                }
            }
        }
    }

    /// What could fly now: wires and directions.
    #[must_use]
    pub fn moving(&self) -> Vec<(usize, usize)> {
        self.net.moving(|end| match end {
            End::Client(_) => true,
            End::Node(n, conn) => self.hosts.get(n).is_some_and(|host| host.reads(*conn)),
        })
    }

    /// Up to `most` bytes arrive at end `to` of the wire at `index`; gives how many did, and who took them.
    pub fn deliver(&mut self, index: usize, to: usize, most: usize) -> Option<(usize, End)> {
        let (wire, end, bytes) = self.net.arrive(index, to, most)?;
        match end.clone() {
            End::Client(name) => self.inboxes.entry(name).or_default().bytes.extend_from_slice(&bytes),
            End::Node(n, conn) => {
                if let Some(check) = &mut self.check {
                    check.arriving(wire, to, bytes.len());
                }
                self.receive(n, conn, &bytes);
            }
        }
        Some((bytes.len(), end))
    }

    fn receive(&mut self, n: usize, conn: ConnId, bytes: &[u8]) {
        self.with(n, |node, now, sink| node.receive(conn, bytes, now, sink));
    }

    /// Closes the connections whose last byte has arrived; true when there were any.
    pub fn finish(&mut self) -> bool {
        let gone = self.net.finished();
        let any = !gone.is_empty();
        self.lost(gone);
        any
    }

    /// One piece for every end that has something coming; false when nothing moved.
    fn deliver_once(&mut self, which: impl Fn(&[End; 2]) -> bool) -> bool {
        let moving = self.moving();
        let mut moved = false;
        for (index, to) in moving {
            if self.net.wire(index).is_some_and(|wire| which(&wire.ends)) {
                moved |= self.deliver(index, to, usize::MAX).is_some_and(|(bytes, _)| bytes > 0);
            }
        }
        moved | self.finish()
    }
}
