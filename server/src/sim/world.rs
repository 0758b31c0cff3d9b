//! The world itself: machines, wires, clients and one clock.
//!
//! Nothing happens by itself. Bytes sit on a wire until [`World::settle`] or [`World::deliver`] moves them, and time
//! stands still until [`World::advance`] or [`World::jump`] moves it, so that every run is the same run.
//!
//! Nodes are numbered from one; node n listens on 127.0.0.1 at [`port_of`] n unless it was given another port.

mod traffic;

use std::collections::BTreeMap;

use self::traffic::Inbox;
use super::asked::Asked;
use super::check::Check;
use super::host::Host;
use super::net::{End, Net};
use crate::data::Now;
use crate::node::{Node, Signal};

pub use self::traffic::Dial;

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
    /// Ports at which somebody from outside stands in for a node.
    stand_ins: BTreeMap<u16, String>,
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
            && let Some(host) = self.hosts.get_mut(&n)
            && let Some(node) = &host.node
        {
            check.after(n, host.starts, node, self.now.mono_ms());
            for (name, bytes) in std::mem::take(&mut host.asked.kept) {
                check.tail_kept(n, &name, &bytes);
            }
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
        if !self.by_hand && !self.dials.is_empty() {
            self.dial_all();
            self.carry_out();
        }
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
}
