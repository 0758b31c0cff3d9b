//! The file against what runs: what `up` does, and what it leaves alone and only tells.
//!
//! `up` starts what is down and adds what is new. It never removes, demotes or resyncs unless asked to.

use std::collections::BTreeMap;

use super::Plan;

/// What there is of a set, before `up` touches it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Present {
    /// The plan that was executed last.
    pub plan: Option<Plan>,
    /// Whether each known node's process lives.
    pub alive: BTreeMap<u16, bool>,
    /// Whom each node follows according to itself, where that is known.
    pub upstream: BTreeMap<u16, Option<u16>>,
}

/// What differs, node by node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    /// In the file, not known yet.
    pub add: Vec<u16>,
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
    pub fn of(wanted: &Plan, present: &Present) -> Self {
        let known = present.plan.as_ref().map(|plan| plan.nodes.as_slice()).unwrap_or_default();
        let mut diff = Self::default();
        for node in &wanted.nodes {
            let port = node.spec.port;
            let Some(old) = known.iter().find(|old| old.spec.port == port) else {
                diff.add.push(port);
                continue;
            };
            if !present.alive.get(&port).copied().unwrap_or(false) {
                diff.start.push(port);
            } else if old.program != node.program || old.config != node.config {
                diff.changed.push(port);
            }
            if let Some(&truth) = present.upstream.get(&port)
                && truth != node.spec.replica_of
            {
                diff.roles.push((port, node.spec.replica_of, truth));
            }
        }
        let gone = |port: &u16| !wanted.nodes.iter().any(|node| node.spec.port == *port);
        diff.extra = known.iter().map(|old| old.spec.port).filter(gone).collect();
        diff
    }

    /// Is there anything to start.
    #[must_use]
    pub fn starts_nothing(&self) -> bool {
        self.add.is_empty() && self.start.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::node::engine::Program;
    use crate::topology::{Engine, NodeSpec, Persistence, Restart, Topology};

    fn plan(ports: &[(u16, Option<u16>)]) -> Plan {
        let node = |&(port, replica_of): &(u16, Option<u16>)| NodeSpec {
            port,
            name: None,
            replica_of,
            engine: Engine::Builtin,
            persistence: Persistence::Rdb,
            restart: Restart::No,
            config: BTreeMap::new(),
        };
        let topology = Topology { name: "t".into(), file: None, nodes: ports.iter().map(node).collect() };
        Plan::new(topology, Path::new("/s"), |_| Ok(Program::Own)).unwrap()
    }

    #[test]
    fn a_second_up_of_a_whole_set_is_nothing_to_do() {
        let wanted = plan(&[(1, None), (2, Some(1))]);
        let present = Present {
            plan: Some(wanted.clone()),
            alive: [(1, true), (2, true)].into(),
            upstream: [(1, None), (2, Some(1))].into(),
        };
        assert_eq!(Diff::of(&wanted, &present), Diff::default());
    }

    #[test]
    fn what_is_new_is_added_what_is_down_started_what_left_only_told() {
        let mut wanted = plan(&[(1, None), (2, Some(1)), (4, Some(1))]);
        let present = Present {
            plan: Some(plan(&[(1, None), (2, Some(1)), (3, Some(1))])),
            alive: [(1, true), (3, true)].into(),
            upstream: [(1, Some(3)), (3, None)].into(),
        };
        wanted.nodes[0].config.push_str("maxmemory 2gb\n");
        let diff = Diff::of(&wanted, &present);
        assert_eq!(
            diff,
            Diff {
                add: vec![4],
                start: vec![2],
                changed: vec![1],
                extra: vec![3],
                roles: vec![(1, None, Some(3))]
            }
        );
    }
}
