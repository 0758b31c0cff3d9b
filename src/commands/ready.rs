//! Is replication really up: PING, role, link, and the upstream lists the replica as online. Nothing less is
//! called ready: a node that answers may be syncing, and one whose link is up may not be counted yet.

use std::collections::BTreeMap;

use super::set::Running;
use crate::error::Result;
use crate::node::client::{Client, LOOK};
use crate::node::observe::{Observation, observe_over};
use crate::supervise::facts::ProcessState;
use crate::topology::{Topology, same_host};

/// How far a node has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Its process is on the way up, or it does not answer.
    Starting,
    /// It is attached, and does not answer.
    Absent,
    /// It answers, and is still to be pointed at its upstream.
    Alone,
    /// It follows, and is not in sync yet.
    Syncing {
        /// Whom.
        upstream: u16,
    },
    /// A master that answers.
    Master,
    /// A replica that its upstream lists as online.
    InSync {
        /// Whom it follows.
        upstream: u16,
    },
    /// Its process is not there, and will not come by waiting.
    Failed {
        /// How it ended.
        exit: String,
    },
    /// The guard holds it.
    Held {
        /// What the guard says.
        why: String,
    },
}

impl Stage {
    /// Nothing more to wait for.
    #[must_use]
    pub fn ready(&self) -> bool {
        matches!(self, Self::Master | Self::InSync { .. })
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Starting => "starting".to_owned(),
            Self::Absent => "attached, and does not answer".to_owned(),
            Self::Alone => "answers".to_owned(),
            Self::Syncing { upstream } => format!("syncing with {upstream}"),
            Self::Master => "master".to_owned(),
            Self::InSync { upstream } => format!("replica, in sync with {upstream}"),
            Self::Failed { exit } => exit.clone(),
            Self::Held { why } => format!("held: {why}"),
        }
    }
}

/// Looks at nodes again and again over the same connections.
#[derive(Debug, Default)]
pub struct Watcher {
    connections: BTreeMap<u16, Client>,
}

impl Watcher {
    /// Looks once at the nodes on `ports`, and at those they follow.
    ///
    /// # Errors
    /// A lost supervisor.
    pub async fn look(&mut self, set: &mut Running, ports: &[u16]) -> Result<BTreeMap<u16, Stage>> {
        set.refresh().await?;
        let mut observed = BTreeMap::new();
        let answers = |node: &&crate::supervise::facts::NodeFacts| {
            matches!(node.process, ProcessState::Running | ProcessState::Attached)
        };
        let running: Vec<u16> = set.facts.nodes.iter().filter(answers).map(|node| node.port).collect();
        let unwired = |port: &u16| set.facts.node(*port).is_some_and(|node| node.wiring.is_some());
        // While a node is not pointed at its upstream there is nothing to learn from asking.
        for &port in running.iter().filter(|port| !unwired(port)) {
            if let Some(observation) = self.observe(set, port).await {
                observed.insert(port, observation);
            }
        }
        Ok(ports.iter().map(|&port| (port, stage(set, port, &observed))).collect())
    }

    async fn observe(&mut self, set: &Running, port: u16) -> Option<Observation> {
        let mut client = match self.connections.remove(&port) {
            Some(client) => client,
            None => set.connect(port, LOOK).await.ok()?,
        };
        let observation = observe_over(&mut client, LOOK).await.ok()?;
        self.connections.insert(port, client);
        Some(observation)
    }
}

fn stage(set: &Running, port: u16, observed: &BTreeMap<u16, Observation>) -> Stage {
    let Some(node) = set.facts.node(port) else { return Stage::Starting };
    match &node.process {
        ProcessState::Stopped => return Stage::Failed { exit: "stopped".to_owned() },
        ProcessState::Crashed { exit } => return Stage::Failed { exit: exit.clone() },
        ProcessState::Held { why } => return Stage::Held { why: why.clone() },
        ProcessState::Starting | ProcessState::Paused => return Stage::Starting,
        // Whether it answers shows below.
        ProcessState::Attached if !observed.contains_key(&port) => return Stage::Absent,
        ProcessState::Running | ProcessState::Attached => {}
    }
    if node.wiring.is_some() {
        return Stage::Alone;
    }
    judge(port, observed, set.topology())
}

/// What a node that answers is, by what it and its upstream say.
fn judge(port: u16, observed: &BTreeMap<u16, Observation>, topology: &Topology) -> Stage {
    let Some(observation) = observed.get(&port) else { return Stage::Starting };
    if observation.loading {
        return Stage::Starting;
    }
    let Some(link) = &observation.link else { return Stage::Master };
    let upstream = link.port;
    let ours = same_host(&link.host, topology.host(upstream));
    let listed = match observed.get(&upstream).filter(|_| ours) {
        Some(above) => above.replicas.iter().any(|replica| replica.port == port && replica.state == "online"),
        // An upstream that is none of ours: its own view cannot be asked for.
        None => true,
    };
    if link.up && listed { Stage::InSync { upstream } } else { Stage::Syncing { upstream } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::observe::{AttachedReplica, UpstreamLink};

    fn replica(up: bool) -> Observation {
        let link = UpstreamLink { host: "127.0.0.1".into(), port: 1, up, ..UpstreamLink::default() };
        Observation { is_replica: true, link: Some(link), ..Observation::default() }
    }

    fn master(state: &str) -> Observation {
        let replica = AttachedReplica { port: 2, state: state.into(), ..AttachedReplica::default() };
        Observation { replicas: vec![replica], ..Observation::default() }
    }

    #[test]
    fn ready_means_that_both_ends_say_so() {
        let judge = |up, state: &str| {
            judge(2, &BTreeMap::from([(1, master(state)), (2, replica(up))]), &Topology::default())
        };
        assert_eq!(judge(true, "online"), Stage::InSync { upstream: 1 });
        assert_eq!(judge(true, "send_bulk"), Stage::Syncing { upstream: 1 });
        assert_eq!(judge(false, "online"), Stage::Syncing { upstream: 1 });
    }

    #[test]
    fn a_node_that_loads_or_is_silent_is_not_ready() {
        let loading = Observation { loading: true, ..Observation::default() };
        assert_eq!(judge(1, &BTreeMap::from([(1, loading)]), &Topology::default()), Stage::Starting);
        assert_eq!(judge(1, &BTreeMap::new(), &Topology::default()), Stage::Starting);
    }
}
