//! What goes over the wires of a world: clients from outside, connections between nodes, and bytes on their way; held,
//! cut, reset or lost when the driver says so.

use super::World;
use crate::node::ConnId;
use crate::sim::net::End;

/// Bytes that arrived at a client of the test, and whether its connection is closed.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    pub(super) bytes: Vec<u8>,
    pub(super) closed: bool,
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
    pub(super) incarnation: u64,
}

impl World {
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

    /// What arrived at a client since the last call, and whether its connection is closed.
    pub fn take(&mut self, client: &str) -> (Vec<u8>, bool) {
        let inbox = self.inboxes.get_mut(client);
        inbox.map(|inbox| (std::mem::take(&mut inbox.bytes), inbox.closed)).unwrap_or_default()
    }

    /// A client closes its connection.
    pub fn hang_up(&mut self, client: &str) {
        self.net.close(&End::Client(client.to_owned()));
        self.inboxes.remove(client);
    }

    /// Who dials this port is connected to a client of this name: a master of the test's own making.
    pub fn stand_in(&mut self, port: u16, client: &str) {
        self.stand_ins.insert(port, client.to_owned());
    }

    /// Hands over at most `bytes` in one piece from now on.
    pub fn split(&mut self, bytes: usize) {
        self.net.split(bytes);
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

    pub(super) fn lost_or_unaware(&mut self, ends: Vec<End>) {
        if self.by_hand {
            let (clients, nodes) = ends.into_iter().partition(|end| end.host().is_none());
            self.lost(clients);
            self.unaware.extend::<Vec<End>>(nodes);
        } else {
            self.lost(ends);
        }
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

    pub(super) fn dial_all(&mut self) {
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
        if let Some(name) = self.stand_ins.get(&port).filter(|_| answered).cloned()
            && let Some(host) = self.hosts.get_mut(&n)
        {
            let (ours, peer) = host.open(port);
            self.net.connect(End::Node(n, ours), End::Client(name.clone()));
            self.inboxes.insert(name, Inbox::default());
            return self.with(n, |node, now, sink| node.dialed(ticket, Ok((ours, peer)), now, sink));
        }
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
    pub(super) fn deliver_once(&mut self, which: impl Fn(&[End; 2]) -> bool) -> bool {
        let moving = self.moving();
        let mut moved = false;
        for (index, to) in moving {
            if self.net.wire(index).is_some_and(|wire| which(&wire.ends)) {
                moved |= self.deliver(index, to, usize::MAX).is_some_and(|(bytes, _)| bytes > 0);
            }
        }
        moved | self.finish()
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
}
