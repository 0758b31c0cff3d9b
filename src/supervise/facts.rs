//! What only the supervisor knows of a set: its processes, and what they looked like when last asked. Sent to every
//! `rctl` that asks.

use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::node::sentinel::Master;
use crate::topology::Topology;

/// Everything the supervisor knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetFacts {
    /// The set as it was last asked for, with what was added since.
    pub topology: Topology,
    /// One per node, in the order of the ports.
    pub nodes: Vec<NodeFacts>,
    /// One per Sentinel, in the order of the ports.
    #[serde(default)]
    pub sentinels: Vec<NodeFacts>,
    /// The supervisor's own process.
    pub supervisor: u32,
    /// When the supervisor started: milliseconds since the Unix epoch.
    pub started_ms: u64,
    /// The set is going down.
    pub ending: bool,
    /// The link faults, oldest first.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// Nodes that do not know of them yet, or not yet of their end. What is down is told when it starts.
    #[serde(default)]
    pub untold: Vec<Untold>,
    /// What people should know: a damaged state file, a disk that is full.
    pub warnings: Vec<String>,
}

impl NodeFacts {
    /// It can be talked to, as far as is known: its process lives, or it is attached and answered when last asked.
    #[must_use]
    pub fn lives(&self) -> bool {
        self.pid.is_some() || (self.process == ProcessState::Attached && self.seen.is_some())
    }
}

impl SetFacts {
    /// The node on a port.
    #[must_use]
    pub fn node(&self, port: u16) -> Option<&NodeFacts> {
        self.nodes.iter().find(|node| node.port == port)
    }

    /// The node or the Sentinel on a port.
    #[must_use]
    pub fn process(&self, port: u16) -> Option<&NodeFacts> {
        self.node(port).or_else(|| self.sentinels.iter().find(|sentinel| sentinel.port == port))
    }

    /// A Sentinel that answers, and what it calls the master on `port`.
    #[must_use]
    pub fn watcher_of(&self, port: u16) -> Option<(u16, &str)> {
        let living = self.sentinels.iter().filter(|sentinel| sentinel.process == ProcessState::Running);
        living.into_iter().find_map(|sentinel| {
            let watches = &sentinel.seen.as_ref()?.watches;
            let master = watches.iter().find(|master| master.port == port)?;
            Some((sentinel.port, master.name.as_str()))
        })
    }
}

/// A node that runs and does not know yet what is wrong with its links now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Untold {
    /// The node.
    pub port: u16,
    /// Why it could not be told, for people.
    pub problem: Option<String>,
}

/// One node's process, as the supervisor sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeFacts {
    /// The node's port.
    pub port: u16,
    /// The process, when there is one.
    pub pid: Option<u32>,
    /// Where it is in its life.
    pub process: ProcessState,
    /// When it came into that state: milliseconds since the Unix epoch.
    pub since_ms: u64,
    /// Times it was restarted after a crash since the last stable run.
    pub restarts: u32,
    /// What it looked like when the supervisor last asked it.
    #[serde(default)]
    pub seen: Option<Seen>,
    /// The upstream it is still to be pointed at, right after its creation.
    #[serde(default)]
    pub wiring: Option<u16>,
    /// The last offsets, oldest first: (milliseconds since the Unix epoch, offset). One a second at most, only
    /// when the offset moved.
    #[serde(default)]
    pub trail: Vec<(u64, u64)>,
}

/// What a node said of itself, at some moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// When: milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The server's own name for this run.
    pub run_id: Option<String>,
    /// The history it is on.
    pub replid: Option<String>,
    /// The history it was on before.
    pub replid2: Option<String>,
    /// Its offset in the history.
    pub offset: Option<u64>,
    /// Keys over all databases.
    pub keys: Option<u64>,
    /// Whom it follows; `None` is a master.
    pub upstream: Option<(String, u16)>,
    /// Its link to the upstream is up.
    pub link_up: bool,
    /// It is loading a snapshot from its disk.
    pub loading: bool,
    /// What a Sentinel says of the masters it watches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watches: Vec<Master>,
}

/// Where a node's process is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum ProcessState {
    /// Never started, or stopped because somebody asked.
    Stopped,
    /// Spawned, does not answer yet.
    Starting,
    /// Answered PING.
    Running,
    /// SIGSTOP was sent by rctl, or the process is in state T.
    Paused,
    /// No process of ours: somebody else started it, and it is only talked to.
    Attached,
    /// Ended though nobody asked; `exit` is worded for people: `killed by SIGKILL`, `exit code 1`.
    Crashed {
        /// How it ended.
        exit: String,
    },
    /// Not started on purpose: it would come back with less than its replicas hold.
    Held {
        /// `would return empty`, `12400 B older`.
        why: String,
    },
}
