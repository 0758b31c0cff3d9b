//! The wires of a [`super::world`]: bytes in flight, and where they are kept from flying.

use rctl_server::node::ConnId;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One end of a wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    Node(usize, ConnId),
    /// A client of the test, by name.
    Client(String),
}

impl End {
    pub(crate) fn host(&self) -> Option<usize> {
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

impl Wire {
    /// The nodes at the far and the near end of what flies toward `to`, if both are nodes.
    fn direction(&self, to: usize) -> Option<(usize, usize)> {
        Some((self.ends[1 - to].host()?, self.ends[to].host()?))
    }
}

#[derive(Debug)]
pub(crate) struct Net {
    wires: Vec<Wire>,
    /// Directions that are held, and how many bytes they still let through.
    held: BTreeMap<(usize, usize), usize>,
    /// Pairs that cannot reach each other, lower number first.
    cut: BTreeSet<(usize, usize)>,
    /// The most bytes handed over in one piece; small pieces find parsers that forget.
    piece: usize,
}

impl Net {
    pub(crate) fn new() -> Self {
        Self { wires: Vec::new(), held: BTreeMap::new(), cut: BTreeSet::new(), piece: usize::MAX }
    }

    pub(crate) fn split(&mut self, bytes: usize) {
        self.piece = bytes.max(1);
    }

    pub(crate) fn hold(&mut self, direction: (usize, usize), bytes: usize) {
        self.held.insert(direction, bytes);
    }

    pub(crate) fn release(&mut self) {
        self.held.clear();
    }

    pub(crate) fn cut(&mut self, a: usize, b: usize) {
        self.cut.insert((a.min(b), a.max(b)));
    }

    pub(crate) fn heal(&mut self) {
        self.cut.clear();
        self.release();
    }

    pub(crate) fn reachable(&self, a: usize, b: usize) -> bool {
        !self.cut.contains(&(a.min(b), a.max(b)))
    }

    pub(crate) fn connect(&mut self, first: End, second: End) {
        self.wires.push(Wire { ends: [first, second], flying: Default::default(), goodbye: [false, false] });
    }

    /// Whether a wire ends there.
    pub(crate) fn has(&self, end: &End) -> bool {
        self.wires.iter().any(|wire| wire.ends.contains(end))
    }

    /// Bytes leave `from`.
    pub(crate) fn send(&mut self, from: &End, bytes: &[u8]) {
        if let Some((wire, to)) = self.far(from) {
            wire.flying[to].extend(bytes);
        }
    }

    /// `from` is closed in good order: what it sent still arrives, what was sent to it does not.
    pub(crate) fn close(&mut self, from: &End) {
        if let Some((wire, to)) = self.far(from) {
            wire.goodbye[to] = true;
            wire.flying[1 - to].clear();
        }
    }

    /// Everything at node `n` is closed in good order.
    pub(crate) fn close_host(&mut self, n: usize) {
        let ends = self.wires.iter().flat_map(|wire| wire.ends.clone());
        for end in ends.filter(|end| end.host() == Some(n)).collect::<Vec<_>>() {
            self.close(&end);
        }
    }

    /// Wires between `a` and `b`, or all of `a`, are gone with all that flew on them: the ends that have to learn of it.
    pub(crate) fn reset(&mut self, a: usize, b: Option<usize>) -> Vec<End> {
        let hit = |wire: &Wire| {
            let hosts = [wire.ends[0].host(), wire.ends[1].host()];
            hosts.contains(&Some(a)) && b.is_none_or(|b| hosts.contains(&Some(b)))
        };
        self.remove(hit)
    }

    /// Wires on which the last byte before a goodbye has arrived are gone: the ends that have to learn of it.
    pub(crate) fn finished(&mut self) -> Vec<End> {
        let held = self.held.clone();
        let open = |wire: &Wire, to: usize| {
            wire.direction(to).is_none_or(|direction| !held.contains_key(&direction))
        };
        self.remove(|wire| (0..2).any(|to| wire.goodbye[to] && wire.flying[to].is_empty() && open(wire, to)))
    }

    /// The next bytes to arrive, one piece for each end that listens and has something coming.
    pub(crate) fn arriving(&mut self, listens: impl Fn(&End) -> bool) -> Vec<(End, Vec<u8>)> {
        let mut arriving = Vec::new();
        for wire in &mut self.wires {
            for to in 0..2 {
                if !listens(&wire.ends[to]) {
                    continue;
                }
                let mut size = wire.flying[to].len().min(self.piece);
                let held = wire.direction(to).and_then(|direction| self.held.get_mut(&direction));
                if let Some(left) = held {
                    size = size.min(*left);
                    *left -= size;
                }
                if size > 0 {
                    arriving.push((wire.ends[to].clone(), wire.flying[to].drain(..size).collect()));
                }
            }
        }
        arriving
    }

    fn remove(&mut self, which: impl Fn(&Wire) -> bool) -> Vec<End> {
        let (gone, kept): (Vec<Wire>, Vec<Wire>) =
            std::mem::take(&mut self.wires).into_iter().partition(|wire| which(wire));
        self.wires = kept;
        gone.into_iter().flat_map(|wire| wire.ends).collect()
    }

    /// The wire that ends at `near`, and the index of its other end.
    fn far(&mut self, near: &End) -> Option<(&mut Wire, usize)> {
        self.wires.iter_mut().find_map(|wire| {
            let at = wire.ends.iter().position(|end| end == near)?;
            Some((wire, 1 - at))
        })
    }
}
