//! What comes out: a value that is painted or printed as JSON (`rctl.status/1`). Unknown is null, never 0.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::figure::{moment, moment_or_null};
use super::sentinels::SentinelStatus;
use crate::fault::Effect;
use crate::topology::same_host;

/// A whole set, judged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatusReport {
    /// `rctl.status/1`: fields are added to it, none is changed or removed.
    pub schema: &'static str,
    /// The set's name.
    pub topology: String,
    /// What runs its nodes; `mixed` where they differ.
    pub engine: String,
    /// When the nodes were asked: milliseconds since the Unix epoch.
    #[serde(rename = "asked", serialize_with = "moment")]
    pub asked_ms: u64,
    /// Every node is in sync or writable.
    pub ok: bool,
    /// In the order of the topology.
    pub nodes: Vec<NodeStatus>,
    /// Faults that are in force.
    pub faults: Vec<FaultStatus>,
    /// What to tell, the roots of trouble first.
    pub problems: Vec<Problem>,
    /// Its Sentinels, in the order of their ports.
    pub sentinels: Vec<SentinelStatus>,
    /// What is no trouble and yet worth knowing.
    pub notes: Vec<String>,
}

/// One node, judged. Figures of a node that does not answer are its last known ones.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NodeStatus {
    /// Its port.
    pub port: u16,
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Where it listens.
    pub host: String,
    /// Somebody else started it.
    pub attached: bool,
    /// What it wants to be.
    pub role: Role,
    /// What it is.
    pub state: State,
    /// When its process came into its present state: milliseconds since the Unix epoch.
    #[serde(rename = "since", serialize_with = "moment_or_null")]
    pub since_ms: Option<u64>,
    /// The port it follows.
    pub upstream: Option<u16>,
    /// The host it follows.
    pub upstream_host: Option<String>,
    /// Its own link, for a replica that answers.
    pub link: Option<Link>,
    /// Bytes of the stream produced or processed.
    pub offset: Option<u64>,
    /// How many bytes its master is ahead, both asked in the same round.
    pub lag_bytes: Option<u64>,
    /// For how long its master has been ahead, in milliseconds.
    pub lag_ms: Option<u64>,
    /// Bytes that only this node has, where it diverged.
    pub unique_bytes: Option<u64>,
    /// Seconds since its upstream last heard an acknowledgement from it.
    pub ack_s: Option<u64>,
    /// Keys over all databases.
    pub keys: Option<u64>,
    /// Commands per second.
    pub ops_per_s: Option<u64>,
    /// `used_memory`.
    pub memory_bytes: Option<u64>,
    /// Connected clients.
    pub clients: Option<u64>,
    /// Its history.
    pub replid: Option<String>,
    /// The history before that one.
    pub replid2: Option<String>,
    /// It belongs to another history than its master's.
    pub other_history: bool,
    /// Its process.
    pub pid: Option<u32>,
    /// Seconds since it was started.
    pub uptime_s: Option<u64>,
    /// Times it was restarted after a crash.
    pub restarts: u32,
    /// The figures are last known ones, from then: milliseconds since the Unix epoch.
    #[serde(rename = "last_known", serialize_with = "moment_or_null")]
    pub last_known_ms: Option<u64>,
    /// Why it is not well.
    pub reason: Option<String>,
    /// What to type about it.
    pub fix: Option<String>,
    /// Every field of its INFO, as printed.
    pub info: BTreeMap<String, String>,
}

/// A link fault that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FaultStatus {
    /// Its number, for `heal`.
    pub id: u32,
    /// `cut`, `stall`, `delay`, `throttle`, with its figure.
    #[serde(flatten)]
    pub effect: Effect,
    /// The same for people.
    #[serde(skip)]
    pub what: String,
    /// `6379-6381`, the lower port first.
    pub links: Vec<String>,
    /// Since when: milliseconds since the Unix epoch.
    #[serde(rename = "since", serialize_with = "moment")]
    pub since_ms: u64,
    /// Nodes that run and do not know of it yet.
    pub pending: Vec<u16>,
    /// What to type to take it away.
    pub fix: String,
}

/// What a node wants to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Takes writes.
    Master,
    /// Follows another node.
    Replica,
}

/// A replica's own link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// The stream flows.
    Up,
    /// A snapshot is being copied.
    Syncing,
    /// Neither.
    Down,
}

/// What a node is, in order of precedence: the first that holds is its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Not started on purpose: it would come back with less than its replicas hold.
    Held {
        /// `would return empty`, `12400 B older`.
        why: String,
    },
    /// Ended though nobody asked.
    Crashed {
        /// `killed by SIGKILL`, `exit code 1`.
        exit: String,
    },
    /// Ended because somebody asked, or never started.
    Stopped,
    /// Frozen.
    Paused,
    /// Its process lives and does not answer.
    Unresponsive {
        /// `no answer in time`, …
        why: String,
    },
    /// Its port is answered by a process that rctl did not start.
    Foreign {
        /// That process, where it says.
        pid: Option<u32>,
    },
    /// A master that shares a past with another one, and both went on alone.
    Diverged {
        /// The other master's port.
        from: u16,
        /// Up to where they have the same history.
        shared: u64,
        /// Bytes that only this one has.
        unique: u64,
    },
    /// Starting, or reading its data.
    Loading,
    /// Copying a snapshot from its upstream.
    Syncing {
        /// Bytes that came.
        read: Option<u64>,
        /// Bytes in all, where the upstream says so.
        total: Option<u64>,
    },
    /// Its upstream prepares a snapshot for it.
    Waiting,
    /// Its link was cut on purpose.
    Cut,
    /// Its link is down by itself.
    LinkDown {
        /// For how many seconds; `None` when it never was up.
        for_s: Option<u64>,
    },
    /// Its own link is up, and yet it does not get what the master writes.
    Stale {
        /// Why.
        blame: Blame,
    },
    /// A master with too few good replicas.
    RefusingWrites {
        /// How many are good.
        good: u64,
        /// How many must be.
        min: u64,
    },
    /// A replica that has what its master has, or is about to.
    InSync,
    /// A master that takes writes.
    Writable,
}

/// Whom a stale node waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// A node above it that is not well itself: its port.
    Above(u16),
    /// Its upstream has not heard from it for this many seconds.
    NoAck(u64),
    /// There is no master above it: the replicas follow each other in a circle.
    Circle,
}

/// One line of advice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The node.
    pub port: u16,
    /// What is the matter.
    pub what: String,
    /// What can be typed as it stands; puts it right, or shows more where nothing can.
    pub fix: String,
    /// `fix` only shows more.
    pub see: bool,
}

impl NodeStatus {
    /// The other node is the upstream: same host, same port.
    #[must_use]
    pub fn follows(&self, other: &Self) -> bool {
        self.upstream == Some(other.port)
            && self.upstream_host.as_deref().is_some_and(|host| same_host(host, &other.host))
    }
}

impl State {
    /// The word for it in JSON.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Held { .. } => "held",
            Self::Crashed { .. } => "crashed",
            Self::Stopped => "stopped",
            Self::Paused => "paused",
            Self::Unresponsive { .. } => "unresponsive",
            Self::Foreign { .. } => "foreign",
            Self::Diverged { .. } => "diverged",
            Self::Loading => "loading",
            Self::Syncing { .. } => "syncing",
            Self::Waiting => "waiting",
            Self::Cut => "cut",
            Self::LinkDown { .. } => "link-down",
            Self::Stale { .. } => "stale",
            Self::RefusingWrites { .. } => "refusing-writes",
            Self::InSync => "in-sync",
            Self::Writable => "writable",
        }
    }

    /// Nothing needs attention.
    #[must_use]
    pub fn is_well(&self) -> bool {
        matches!(self, Self::InSync | Self::Writable)
    }

    /// Passes by itself.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Loading | Self::Syncing { .. } | Self::Waiting)
    }

    /// What is below such a node does not get the master's writes.
    pub(super) fn starves(&self) -> bool {
        !matches!(self, Self::InSync | Self::Writable | Self::RefusingWrites { .. } | Self::Diverged { .. })
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}
