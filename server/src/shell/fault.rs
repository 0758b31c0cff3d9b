//! Link faults: cut, hold, delay and slow the replication links that this server accepts, on request.
//!
//! The end that accepts does all of it, both ways, so that one fault of a pair of nodes counts once, whoever of the two
//! is the master. A link is known by the port its replica announces. Ports never change, nothing of it shows in INFO,
//! clients are never touched. Bytes under way are in this process: when it dies they are gone, as with a machine.

use std::collections::BTreeMap;

use super::conn::Stream;
use super::turn::Server;
use super::world::World;
use crate::fault::{Lane, Out, Rule, read_rules};
use crate::node::{ConnId, Level, Sink as _};

/// Faults to begin with: `6380 cut; 6381 delay 200`. Whoever starts a server sets it, so that no link of a restarted
/// server is whole for a moment.
pub(super) const VARIABLE: &str = "RCTL_LINK_FAULTS";
/// Delivered to the node from one link in one turn.
const BUDGET: usize = 1 << 20;
/// A node that does not want to read now is looked at again so soon, microseconds.
const PARKED_US: u64 = 5_000;

/// What is wrong with which link, and the links there are.
#[derive(Debug, Default)]
pub(super) struct Faults {
    rules: BTreeMap<u16, Rule>,
    links: Vec<(u16, ConnId)>,
    /// Links with lanes.
    shaped: Vec<ConnId>,
    wake_us: Option<u64>,
}

/// Both directions of a connection under a fault.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    rule: Rule,
    inbound: Lane,
    outbound: Lane,
}

impl Lanes {
    /// How many bytes may be read from the socket.
    pub(super) fn room(&self) -> usize {
        self.inbound.room(self.rule)
    }

    /// Bytes came from the socket; none is the end of the stream.
    pub(super) fn came(&mut self, bytes: &[u8], now_us: u64) {
        if bytes.is_empty() { self.inbound.push_end(now_us) } else { self.inbound.push(bytes, now_us) }
    }

    /// Bytes are to go to the peer; answers how many of them were taken.
    pub(super) fn send(&mut self, slices: &[&[u8]], now_us: u64) -> usize {
        let mut taken = 0;
        for slice in slices {
            let part = slice.get(..self.outbound.room(self.rule)).unwrap_or(slice);
            self.outbound.push(part, now_us);
            taken += part.len();
            if part.len() < slice.len() {
                break;
            }
        }
        taken
    }

    /// Nothing is on its way to the peer.
    pub(super) fn is_sent(&self) -> bool {
        self.outbound.is_empty()
    }

    /// Writes what is due; answers when there will be more, and whether the connection is broken.
    fn write(&mut self, stream: &mut Stream, now_us: u64) -> (Written, Option<u64>) {
        loop {
            let (offered, written) = match self.outbound.next(self.rule, now_us) {
                Out::Bytes(bytes) => (bytes.len(), stream.write(&[bytes])),
                Out::Later(at) => return (Written::All, at),
                Out::End => return (Written::All, None),
            };
            self.outbound.taken(written.bytes);
            if written.broken {
                return (Written::Broken, None);
            }
            if written.bytes < offered {
                return (Written::Full, None);
            }
        }
    }
}

/// What became of bytes that were due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// All that were due are out.
    All,
    /// The socket takes no more now.
    Full,
    /// The connection is broken.
    Broken,
}

impl Faults {
    /// Reads [`VARIABLE`].
    pub(super) fn read(text: &str) -> Result<Self, String> {
        Ok(Self { rules: read_rules(text)?, ..Self::default() })
    }

    fn set(&mut self, port: u16, rule: Rule) {
        if rule.is_none() {
            self.rules.remove(&port);
        } else {
            self.rules.insert(port, rule);
        }
    }

    /// When bytes are due.
    pub(super) fn deadline(&self) -> Option<u64> {
        self.wake_us
    }
}

impl World {
    /// A connection is the link from the node on `port`. `false` where that is cut.
    pub(super) fn link_introduced(&mut self, conn: ConnId, port: u16) -> bool {
        let Self { conns, faults, .. } = self;
        faults.links.retain(|(_, link)| *link != conn && conns.get(*link).is_some());
        faults.links.push((port, conn));
        match faults.rules.get(&port).copied() {
            None => true,
            Some(rule) => {
                self.shape(conn, rule);
                !rule.cut
            }
        }
    }

    /// From now on this is wrong with the link from the node on `port`, or with none.
    pub(super) fn set_link_fault(&mut self, port: Option<u16>, rule: Rule) {
        match port {
            None => self.faults.rules.clear(),
            Some(port) => self.faults.set(port, rule),
        }
        let meant = |link: &&(u16, ConnId)| port.is_none_or(|port| port == link.0);
        let links: Vec<ConnId> = self.faults.links.iter().filter(meant).map(|(_, conn)| *conn).collect();
        for conn in links {
            self.shape(conn, if port.is_none() { Rule::default() } else { rule });
        }
        match port {
            Some(port) => self.note(Level::Notice, format_args!("DEBUG LINK {port} {rule}")),
            None => self.note(Level::Notice, format_args!("DEBUG LINK RESET")),
        }
    }

    /// What is wrong with which link.
    pub(super) fn link_faults(&self) -> Vec<(u16, Rule)> {
        self.faults.rules.iter().map(|(port, rule)| (*port, *rule)).collect()
    }

    fn shape(&mut self, id: ConnId, rule: Rule) {
        let Some(conn) = self.conns.get(id) else { return };
        if rule.cut {
            conn.closing = true;
            self.closes.push_back(id);
            return;
        }
        match &mut conn.lanes {
            Some(lanes) => lanes.rule = rule,
            None if rule.is_none() => return,
            None => conn.lanes = Some(Box::new(Lanes { rule, ..Lanes::default() })),
        }
        if !self.faults.shaped.contains(&id) {
            self.faults.shaped.push(id);
        }
        self.faults.wake_us = Some(0);
        self.want_read(id);
    }

    fn wake_link(&mut self, at: Option<u64>) {
        let wake = self.faults.wake_us;
        self.faults.wake_us = wake.into_iter().chain(at).min();
    }
}

impl Server {
    /// Moves what is due on links with faults.
    pub(super) fn links(&mut self) {
        if self.world.faults.shaped.is_empty() {
            return;
        }
        self.world.faults.wake_us = None;
        let mut shaped = std::mem::take(&mut self.world.faults.shaped);
        shaped.retain(|id| self.link(*id));
        // A command that was just delivered may have shaped another link.
        shaped.append(&mut self.world.faults.shaped);
        self.world.faults.shaped = shaped;
    }

    /// One link; `false` when it needs no lanes any more.
    fn link(&mut self, id: ConnId) -> bool {
        self.send_due(id);
        self.deliver_due(id);
        let Some(conn) = self.world.conns.get(id) else { return false };
        let idle =
            |lanes: &Lanes| lanes.rule.is_none() && lanes.inbound.is_empty() && lanes.outbound.is_empty();
        if conn.lanes.as_ref().is_some_and(|lanes| idle(lanes)) {
            conn.lanes = None;
            self.world.want_read(id);
            return false;
        }
        conn.lanes.is_some()
    }

    fn send_due(&mut self, id: ConnId) {
        let now = self.now().mono_us;
        let Some(conn) = self.world.conns.get(id) else { return };
        let (Some(lanes), Some(stream)) = (&mut conn.lanes, &mut conn.stream) else { return };
        let (written, wake) = lanes.write(stream, now);
        let sent = lanes.is_sent();
        let (waits, closing) = (std::mem::take(&mut conn.blocked), conn.closing);
        match written {
            Written::Broken => {
                conn.broken = true;
                conn.closing = true;
                self.world.closes.push_back(id);
            }
            Written::Full => self.world.watch_writes(id),
            Written::All if sent && closing => self.world.closes.push_back(id),
            Written::All => {
                self.world.wake_link(wake);
                // The node has more, and there may be room again.
                if waits {
                    self.world.output_ready(id);
                }
            }
        }
    }

    fn deliver_due(&mut self, id: ConnId) {
        let now = self.now().mono_us;
        let mut budget = BUDGET;
        loop {
            let Self { world, buffer, .. } = self;
            let Some(conn) = world.conns.get(id) else { return };
            let (closing, reading) = (conn.closing, conn.reading);
            let Some(lanes) = conn.lanes.as_mut().filter(|_| !closing) else { return };
            if !reading || budget == 0 {
                self.world.wake_link(Some(now + PARKED_US));
                return;
            }
            let count = match lanes.inbound.next(lanes.rule, now) {
                Out::Bytes(bytes) => fill(buffer, bytes),
                Out::End => return self.world.close(id, true),
                Out::Later(at) => {
                    self.world.wake_link(at);
                    return self.world.want_read(id);
                }
            };
            lanes.inbound.taken(count);
            budget = budget.saturating_sub(count);
            self.receive(id, count);
        }
    }
}

/// As many of the bytes as fit.
fn fill(buffer: &mut [u8], bytes: &[u8]) -> usize {
    let count = bytes.len().min(buffer.len());
    if let (Some(into), Some(from)) = (buffer.get_mut(..count), bytes.get(..count)) {
        into.copy_from_slice(from);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_faults_to_begin_with_are_ports_and_rules() {
        let faults = Faults::read(" 6380 cut; 6381 delay 200 rate 9;").unwrap();
        let rules: Vec<String> = faults.rules.iter().map(|(port, rule)| format!("{port} {rule}")).collect();
        assert_eq!(rules, ["6380 cut", "6381 delay 200 rate 9"]);
        assert!(Faults::read("").unwrap().rules.is_empty());
        for bad in ["6380", "x cut", "6380 cat", "70000 cut"] {
            assert!(Faults::read(bad).is_err(), "{bad:?} was accepted");
        }
    }
}
