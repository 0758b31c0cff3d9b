//! The file against what runs: what `up` does, and what it leaves alone and only tells.
//!
//! `up` starts what is down and adds what is new. It never removes, demotes or resyncs unless asked to.

use std::collections::BTreeMap;

use crate::topology::{NodeSpec, Topology};

/// What there is of a set, before `up` touches it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Present {
    /// The nodes as they were last asked for.
    pub nodes: Vec<NodeSpec>,
    /// Whether each node's process lives.
    pub alive: BTreeMap<u16, bool>,
    /// Whom each node follows according to itself, where that is known.
    pub upstream: BTreeMap<u16, Option<u16>>,
}

/// What differs, node by node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    /// In the file, not known yet.
    pub add: Vec<u16>,
    /// In the file, started by somebody else, not known yet.
    pub attach: Vec<u16>,
    /// Known, and its process does not live.
    pub start: Vec<u16>,
    /// Lives, and the file asks for another program or configuration.
    pub changed: Vec<u16>,
    /// Known, no longer in the file.
    pub extra: Vec<u16>,
    /// Follows somebody else than the file says: (node, by the file, in truth).
    pub roles: Vec<(u16, Option<u16>, Option<u16>)>,
}

impl Diff {
    /// Compares.
    #[must_use]
    pub fn of(wanted: &Topology, present: &Present) -> Self {
        let mut diff = Self::default();
        for node in &wanted.nodes {
            let port = node.port;
            let Some(old) = present.nodes.iter().find(|old| old.port == port) else {
                if node.attach.is_some() {
                    diff.attach.push(port);
                } else {
                    diff.add.push(port);
                }
                continue;
            };
            if node.attach.is_some() {
                // Neither started nor restarted.
            } else if !present.alive.get(&port).copied().unwrap_or(false) {
                diff.start.push(port);
            } else if !same_process(old, node) {
                diff.changed.push(port);
            }
            if let Some(&truth) = present.upstream.get(&port)
                && truth != node.replica_of
            {
                diff.roles.push((port, node.replica_of, truth));
            }
        }
        let gone = |port: &u16| wanted.node(*port).is_none();
        diff.extra = present.nodes.iter().map(|old| old.port).filter(gone).collect();
        diff
    }

    /// The nodes that would be started.
    #[must_use]
    pub fn starts(&self) -> Vec<u16> {
        self.add.iter().chain(&self.start).copied().collect()
    }
}

/// Would both be run by the same program with the same configuration. The role is not part of that.
fn same_process(one: &NodeSpec, other: &NodeSpec) -> bool {
    one.engine == other.engine && one.persistence == other.persistence && one.config == other.config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_up_of_a_whole_set_is_nothing_to_do() {
        let wanted = Topology::of_replicas(1).unwrap();
        let present = Present {
            nodes: wanted.nodes.clone(),
            alive: [(6379, true), (6380, true)].into(),
            upstream: [(6379, None), (6380, Some(6379))].into(),
        };
        assert_eq!(Diff::of(&wanted, &present), Diff::default());
    }

    #[test]
    fn what_is_new_is_added_what_is_down_started_what_left_only_told() {
        let mut wanted = Topology::of_replicas(3).unwrap();
        let mut present = Present {
            nodes: wanted.nodes.clone(),
            alive: [(6379, true), (6381, true)].into(),
            upstream: [(6379, Some(6381)), (6381, None)].into(),
        };
        present.nodes.remove(3);
        wanted.nodes.remove(2);
        wanted.nodes[0].config.insert("maxmemory".into(), "2gb".into());
        let diff = Diff::of(&wanted, &present);
        let roles = vec![(6379, None, Some(6381))];
        assert_eq!(
            diff,
            Diff {
                add: vec![6382],
                start: vec![6380],
                changed: vec![6379],
                extra: vec![6381],
                roles,
                ..Diff::default()
            }
        );
        assert_eq!(diff.starts(), [6382, 6380]);
    }
}
