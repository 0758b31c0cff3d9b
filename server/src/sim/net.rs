//! The wires of a [`super::World`]: bytes in flight, and what keeps them from flying.
//!
//! Bytes of one connection arrive in order, and across connections in any order: whoever drives the world picks the
//! wire and the number of bytes. A wire can be clogged in one direction, a pair of hosts can be cut from each other in
//! one direction or both, and a wire can die without its ends noticing: to each of them it is still open until it is
//! told, which is how a replica comes to be connected twice.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::node::ConnId;

/// One end of a wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// A connection of node n.
    Node(usize, ConnId),
    /// A client from outside, by name.
    Client(String),
}

impl End {
    /// The node it belongs to.
    #[must_use]
    pub fn host(&self) -> Option<usize> {
        match self {
            Self::Node(n, _) => Some(*n),
            Self::Client(_) => None,
        }
    }
}

/// A connection: what flies toward each end, and whether the other side has said goodbye.
#[derive(Debug)]
pub struct Wire {
    /// Names it for good.
    pub id: u64,
    /// Who dialed, and who was dialed.
    pub ends: [End; 2],
    flying: [VecDeque<u8>; 2],
    goodbye: [bool; 2],
    clogged: [bool; 2],
    /// The most bytes in flight toward each end, as a slow reader leaves room.
    room: [usize; 2],
}

impl Wire {
    /// The nodes at the far and the near end of what flies toward `to`, if both are nodes.
    fn direction(&self, to: usize) -> Option<(usize, usize)> {
        Some((self.ends.get(1 - to)?.host()?, self.ends.get(to)?.host()?))
    }
}

/// All wires.
#[derive(Debug)]
pub struct Net {
    wires: Vec<Wire>,
    ids: u64,
    /// Directions that are held, and how many bytes they still let through.
    held: BTreeMap<(usize, usize), usize>,
    /// Directions in which nothing flies and no connection comes about.
    cut: BTreeSet<(usize, usize)>,
    /// The most bytes handed over in one piece; small pieces find parsers that forget.
    piece: usize,
    /// Room of wires between nodes.
    room: usize,
}

/// The most bytes in flight on a wire that stalls.
const STALLED: usize = 1024;

impl Default for Net {
    fn default() -> Self {
        let (held, cut) = (BTreeMap::new(), BTreeSet::new());
        Self { wires: Vec::new(), ids: 0, held, cut, piece: usize::MAX, room: usize::MAX }
    }
}

impl Net {
    /// The most bytes handed over in one piece.
    pub fn split(&mut self, bytes: usize) {
        self.piece = bytes.max(1);
    }

    /// The most bytes in flight on a wire between nodes from now on.
    pub fn set_room(&mut self, bytes: usize) {
        self.room = bytes.max(1);
        for wire in self.wires.iter_mut().filter(|wire| wire.ends.iter().all(|end| end.host().is_some())) {
            wire.room = [self.room, self.room];
        }
    }

    /// Of what flies in this direction only `bytes` more are let through.
    pub fn hold(&mut self, direction: (usize, usize), bytes: usize) {
        self.held.insert(direction, bytes);
    }

    /// Nothing is held, clogged or slow any more.
    pub fn release(&mut self) {
        self.held.clear();
        for wire in &mut self.wires {
            wire.clogged = [false, false];
            wire.room = [usize::MAX, usize::MAX];
        }
    }

    /// From now on nothing gets from `from` to `to`.
    pub fn cut(&mut self, from: usize, to: usize) {
        self.cut.insert((from, to));
    }

    /// Everybody reaches everybody.
    pub fn heal(&mut self) {
        self.cut.clear();
        self.release();
    }

    /// Whether a connection can come about: it takes both directions.
    #[must_use]
    pub fn reachable(&self, a: usize, b: usize) -> bool {
        !self.cut.contains(&(a, b)) && !self.cut.contains(&(b, a))
    }

    /// A new wire, from the one who dialed.
    pub fn connect(&mut self, first: End, second: End) -> u64 {
        self.ids += 1;
        let nodes = first.host().is_some() && second.host().is_some();
        let room = if nodes { self.room } else { usize::MAX };
        self.wires.push(Wire {
            id: self.ids,
            ends: [first, second],
            flying: Default::default(),
            goodbye: [false, false],
            clogged: [false, false],
            room: [room, room],
        });
        self.ids
    }

    /// Whether a wire ends there.
    #[must_use]
    pub fn has(&self, end: &End) -> bool {
        self.wires.iter().any(|wire| wire.ends.contains(end))
    }

    /// How many wires there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.wires.len()
    }

    /// Nothing is connected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.wires.is_empty()
    }

    /// The wire at `index`, in the order in which they were made.
    #[must_use]
    pub fn wire(&self, index: usize) -> Option<&Wire> {
        self.wires.get(index)
    }

    /// How many bytes `from` can send now. Without a wire everything is taken, and lost.
    #[must_use]
    pub fn room(&self, from: &End) -> usize {
        let Some((at, to)) = self.far(from) else { return usize::MAX };
        let Some(wire) = self.wires.get(at) else { return 0 };
        let clogged = wire.clogged.get(to) == Some(&true);
        let room = wire.room.get(to).copied().unwrap_or(0).min(if clogged { STALLED } else { usize::MAX });
        room.saturating_sub(wire.flying.get(to).map_or(0, VecDeque::len))
    }

    /// Bytes leave `from`: the wire they are on and the index of the end they fly to.
    pub fn send(&mut self, from: &End, bytes: &[u8]) -> Option<(u64, usize)> {
        let (at, to) = self.far(from)?;
        let wire = self.wires.get_mut(at)?;
        wire.flying.get_mut(to)?.extend(bytes);
        Some((wire.id, to))
    }

    /// `from` is closed in good order: what it sent still arrives, what was sent to it does not.
    pub fn close(&mut self, from: &End) {
        if let Some((at, to)) = self.far(from)
            && let Some(wire) = self.wires.get_mut(at)
            && let [first, second] = &mut wire.flying
        {
            let back = if to == 0 { second } else { first };
            back.clear();
            if let Some(goodbye) = wire.goodbye.get_mut(to) {
                *goodbye = true;
            }
        }
    }

    /// Everything at node `n` is closed in good order.
    pub fn close_host(&mut self, n: usize) {
        let ends = self.wires.iter().flat_map(|wire| wire.ends.clone());
        for end in ends.filter(|end| end.host() == Some(n)).collect::<Vec<_>>() {
            self.close(&end);
        }
    }

    /// Wires between `a` and `b`, or all of `a`, are gone with all that flew on them: the ends that have to learn of it.
    pub fn reset(&mut self, a: usize, b: Option<usize>) -> Vec<End> {
        self.remove(|wire, _| {
            let hosts = wire.ends.each_ref().map(End::host);
            hosts.contains(&Some(a)) && b.is_none_or(|b| hosts.contains(&Some(b)))
        })
    }

    /// The wire at `index` is gone with all that flew on it: the ends that have to learn of it.
    pub fn sever(&mut self, index: usize) -> Vec<End> {
        self.remove(|_, at| at == index)
    }

    /// Turns clogging of one direction of a wire on or off. A clogged wire takes little more than it holds.
    pub fn clog(&mut self, index: usize, to: usize) {
        if let Some(clogged) = self.wires.get_mut(index).and_then(|wire| wire.clogged.get_mut(to)) {
            *clogged = !*clogged;
        }
    }

    /// Wires on which the last byte before a goodbye has arrived are gone: the ends that have to learn of it.
    pub fn finished(&mut self) -> Vec<End> {
        if !self.wires.iter().any(|wire| wire.goodbye.contains(&true)) {
            return Vec::new();
        }
        let (held, cut) = (self.held.clone(), self.cut.clone());
        let open = |wire: &Wire, to: usize| {
            let free = |direction| !held.contains_key(&direction) && !cut.contains(&direction);
            wire.direction(to).is_none_or(free) && !wire.clogged.get(to).is_some_and(|clogged| *clogged)
        };
        self.remove(|wire, _| {
            (0..2).any(|to| {
                let over = wire.goodbye.get(to) == Some(&true);
                over && wire.flying.get(to).is_some_and(VecDeque::is_empty) && open(wire, to)
            })
        })
    }

    /// The wires and directions in which something can fly now: toward ends that listen.
    pub fn moving(&self, listens: impl Fn(&End) -> bool) -> Vec<(usize, usize)> {
        let mut moving = Vec::new();
        for (index, wire) in self.wires.iter().enumerate() {
            for (to, end) in wire.ends.iter().enumerate() {
                let something = wire.flying.get(to).is_some_and(|flying| !flying.is_empty());
                let clogged = wire.clogged.get(to) == Some(&true);
                if something && !clogged && self.lets_through(wire, to) > 0 && listens(end) {
                    moving.push((index, to));
                }
            }
        }
        moving
    }

    /// Up to `most` bytes arrive at end `to` of the wire at `index`: the wire's id, the end and the bytes.
    pub fn arrive(&mut self, index: usize, to: usize, most: usize) -> Option<(u64, End, Vec<u8>)> {
        let through = self.wires.get(index).map_or(0, |wire| self.lets_through(wire, to));
        let wire = self.wires.get_mut(index)?;
        let direction = wire.direction(to);
        let flying = wire.flying.get_mut(to)?;
        let size = flying.len().min(most).min(self.piece).min(through);
        let bytes = flying.drain(..size).collect();
        if let Some(left) = direction.and_then(|direction| self.held.get_mut(&direction)) {
            *left -= size;
        }
        Some((wire.id, wire.ends.get(to)?.clone(), bytes))
    }

    fn lets_through(&self, wire: &Wire, to: usize) -> usize {
        match wire.direction(to) {
            Some(direction) if self.cut.contains(&direction) => 0,
            Some(direction) => self.held.get(&direction).copied().unwrap_or(usize::MAX),
            None => usize::MAX,
        }
    }

    fn remove(&mut self, which: impl Fn(&Wire, usize) -> bool) -> Vec<End> {
        let mut ends = Vec::new();
        let mut index = 0;
        self.wires.retain(|wire| {
            let gone = which(wire, index);
            index += 1;
            if gone {
                ends.extend(wire.ends.iter().cloned());
            }
            !gone
        });
        ends
    }

    /// The index of the wire that ends at `near`, and that of its other end.
    fn far(&self, near: &End) -> Option<(usize, usize)> {
        self.wires.iter().enumerate().find_map(|(index, wire)| {
            let at = wire.ends.iter().position(|end| end == near)?;
            Some((index, 1 - at))
        })
    }
}
