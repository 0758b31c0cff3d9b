//! Who follows whom now: what nodes say, else what was last known, else what the file wants.

use super::look::Round;
use super::report::Role;

/// What one node wants to be, and whom it follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) role: Role,
    /// Host and port, as the node has them.
    pub(super) upstream: Option<(String, u16)>,
    /// The node of this set that is meant.
    pub(super) parent: Option<usize>,
}

/// The places of all nodes of a round.
#[derive(Debug)]
pub(super) struct Chain {
    places: Vec<Place>,
}

impl Chain {
    pub(super) fn of(round: &Round<'_>) -> Self {
        let places = (0..round.topology.nodes.len()).map(|index| place(round, index)).collect();
        Self { places }
    }

    pub(super) fn place(&self, index: usize) -> Option<&Place> {
        self.places.get(index)
    }

    pub(super) fn parent(&self, index: usize) -> Option<usize> {
        self.place(index)?.parent
    }

    /// The nodes above, nearest first, as far as they are of this set; each once, however they are tied.
    pub(super) fn above(&self, index: usize) -> Vec<usize> {
        let mut path = Vec::new();
        let mut next = self.parent(index);
        while let Some(up) = next.filter(|up| *up != index && !path.contains(up)) {
            path.push(up);
            next = self.parent(up);
        }
        path
    }

    /// The master of this set that the node's data comes from; itself for a master, `None` in a circle or when it
    /// comes from outside.
    pub(super) fn root(&self, index: usize) -> Option<usize> {
        let top = self.above(index).last().copied().unwrap_or(index);
        self.place(top).filter(|place| place.role == Role::Master).map(|_| top)
    }

    /// Going up from here never ends.
    pub(super) fn in_circle(&self, index: usize) -> bool {
        let top = self.above(index).last().copied().unwrap_or(index);
        self.parent(top).is_some()
    }

    /// How many nodes have their data from this one.
    pub(super) fn followers(&self, root: usize) -> usize {
        (0..self.places.len()).filter(|index| *index != root && self.root(*index) == Some(root)).count()
    }

    pub(super) fn children(&self, index: usize) -> impl Iterator<Item = usize> {
        (0..self.places.len()).filter(move |child| self.parent(*child) == Some(index))
    }
}

fn place(round: &Round<'_>, index: usize) -> Place {
    let look = round.looks.get(index);
    let wanted = || round.topology.nodes.get(index).and_then(|node| node.replica_of);
    let (replica, upstream) = if let Some(seen) = look.and_then(super::Look::seen) {
        (seen.is_replica, seen.link.as_ref().map(|link| (link.host.clone(), link.port)))
    } else if let Some(last) = look.and_then(super::Look::last) {
        (last.upstream.is_some(), last.upstream.clone())
    } else {
        (wanted().is_some(), wanted().map(|port| (round.topology.host(port).to_owned(), port)))
    };
    let parent = upstream
        .as_ref()
        .and_then(|(host, port)| round.topology.nodes.iter().position(|node| node.is_at(host, *port)));
    Place { role: if replica { Role::Replica } else { Role::Master }, upstream, parent }
}
