//! What goes in: for each node of a set, what it said, and what its supervisor knows and remembers of it.

use crate::node::client::{ClientError, Failure};
use crate::node::observe::Observation;
use crate::supervise::facts::{NodeFacts, Seen};
use crate::topology::Topology;

/// One round of looking at a whole set.
#[derive(Debug, Clone)]
pub struct Round<'a> {
    /// What is wanted.
    pub topology: &'a Topology,
    /// When the round was made: milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// One per node, in the order of the topology. Missing ones were not looked at.
    pub looks: Vec<Look>,
    /// How many commands per second rctl itself sends to each node, which are not counted as its work.
    pub own_ops_per_s: u64,
}

/// One node as it was found.
#[derive(Debug, Clone)]
pub struct Look {
    /// What it said.
    pub sight: Sight,
    /// Its process and what it said before; `None` where there is no supervisor to ask.
    pub facts: Option<NodeFacts>,
    /// Its link to its upstream was cut on purpose.
    pub cut: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self { sight: Sight::Refused, facts: None, cut: false }
    }
}

/// What came of asking a node for INFO.
#[derive(Debug, Clone, PartialEq)]
pub enum Sight {
    /// It answered.
    Seen(Box<Observation>),
    /// Nothing listens on its port.
    Refused,
    /// It took the connection or not, and said nothing in time.
    Silent,
    /// Something answers that is no Redis server at all.
    Stranger,
    /// It answered, but not with INFO; worded for people.
    Unreadable(String),
}

impl From<Result<Observation, ClientError>> for Sight {
    fn from(asked: Result<Observation, ClientError>) -> Self {
        match asked {
            Ok(seen) => Self::Seen(Box::new(seen)),
            Err(ClientError { kind, .. }) => match kind {
                Failure::Refused => Self::Refused,
                Failure::TimedOut => Self::Silent,
                Failure::Closed => Self::Unreadable("it closes the connection".into()),
                Failure::Malformed(_) => Self::Stranger,
                Failure::Reply(text) => Self::Unreadable(text.escape_debug().take(80).collect()),
                Failure::Io(why) => Self::Unreadable(why),
            },
        }
    }
}

impl Look {
    /// What it said in this round.
    pub(super) fn seen(&self) -> Option<&Observation> {
        match &self.sight {
            Sight::Seen(seen) => Some(seen),
            _ => None,
        }
    }

    /// What it said at the supervisor's last look, when it says nothing now.
    pub(super) fn last(&self) -> Option<&Seen> {
        match self.seen() {
            Some(_) => None,
            None => self.facts.as_ref()?.seen.as_ref(),
        }
    }

    /// When this node first went beyond `offset`, as far as the supervisor remembers: since then, whoever stands there
    /// is late.
    pub(super) fn passed_at(&self, offset: u64) -> Option<u64> {
        let trail = &self.facts.as_ref()?.trail;
        // Offsets that fall belong to an earlier history.
        let fell =
            trail.windows(2).rposition(|pair| matches!(pair, [(_, before), (_, after)] if after < before));
        let rising = trail.get(fell.map_or(0, |at| at + 1)..)?;
        let index = rising.partition_point(|(_, reached)| *reached <= offset);
        // Before the first mark it may have been passed at any time.
        if index == 0 { None } else { rising.get(index).map(|(at, _)| *at) }
    }

    /// Its offset, now or as last known.
    pub(super) fn offset(&self) -> Option<u64> {
        match self.seen() {
            Some(seen) => seen.offset,
            None => self.last()?.offset,
        }
    }

    /// Its history, now or as last known.
    pub(super) fn replid(&self) -> Option<&str> {
        match self.seen() {
            Some(seen) => seen.replid.as_deref(),
            None => self.last()?.replid.as_deref(),
        }
    }

    /// Its keys, now or as last known.
    pub(super) fn keys(&self) -> Option<u64> {
        match self.seen() {
            Some(seen) => seen.keys,
            None => self.last()?.keys,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervise::facts::ProcessState;

    #[test]
    fn a_late_node_is_late_since_its_master_went_on() {
        let passed = |trail: &[(u64, u64)], offset| {
            let facts = NodeFacts {
                port: 1,
                pid: None,
                process: ProcessState::Running,
                since_ms: 0,
                restarts: 0,
                seen: None,
                wiring: None,
                trail: trail.to_vec(),
            };
            Look { facts: Some(facts), ..Look::default() }.passed_at(offset)
        };
        let trail = [(1000, 50), (3000, 70), (4000, 90)];
        assert_eq!(passed(&trail, 50), Some(3000));
        assert_eq!(passed(&trail, 89), Some(4000));
        assert_eq!(passed(&trail, 90), None, "nobody is beyond it");
        assert_eq!(passed(&trail, 10), None, "longer ago than is remembered");
        assert_eq!(
            passed(&[(1000, 500), (2000, 10), (3000, 20)], 10),
            Some(3000),
            "an earlier history counts nothing"
        );
        assert_eq!(passed(&[], 10), None);
    }
}
