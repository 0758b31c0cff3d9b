//! The whole vocabulary between the decider and the doer: [`Event`]s go in, [`Action`]s come out.

use std::collections::BTreeMap;

use rctl_server::fault::Rule;
use serde::{Deserialize, Serialize};

pub use super::happening::Happening;

use super::facts::{NodeFacts, Seen};
use super::guard::Holding;
use super::identity::Identity;
use super::request::{Reply, Request};
use crate::fault::Fault;
use crate::node::saved::Saved;
use crate::plan::NodePlan;
use crate::plan::members::Members;
use crate::plan::step::Step;
use crate::topology::Topology;

/// The two clocks, read once per event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds that only ever grow: for timers.
    pub mono: u64,
    /// Milliseconds since the Unix epoch: for people.
    pub unix: u64,
}

/// Everything that can happen to a supervisor.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Time has passed: [`super::Supervisor::next_wake`] has come.
    Tick,
    /// Somebody asks for something.
    Request {
        /// Names the asker in [`Action::Reply`].
        id: u64,
        /// What.
        request: Request,
    },
    /// The answer to [`Action::Examine`].
    Examined {
        /// The node.
        port: u16,
        /// What is there.
        found: Box<Found>,
    },
    /// The process was started.
    Spawned {
        /// The node.
        port: u16,
        /// Its process.
        identity: Identity,
    },
    /// The process could not be started.
    NotSpawned {
        /// The node.
        port: u16,
        /// Why, for people.
        why: String,
    },
    /// The process ended.
    Exited {
        /// The node.
        port: u16,
        /// The process it was.
        pid: u32,
        /// How it ended.
        ended: Ended,
        /// Whom its configuration file says to follow: what it will be when it comes back. The outer `None` is a
        /// file that cannot be read.
        follows: Option<Option<(String, u16)>>,
    },
    /// The answer to [`Action::Probe`].
    Answered {
        /// The node.
        port: u16,
        /// The process that was meant.
        pid: u32,
        /// Whether that process, or one it started, is the one that answered.
        ours: bool,
        /// What it said.
        seen: Seen,
    },
    /// No answer to [`Action::Probe`].
    Silent {
        /// The node.
        port: u16,
        /// The process that was meant.
        pid: u32,
    },
    /// The end of [`Action::Wire`].
    Wired {
        /// The node.
        port: u16,
        /// What went wrong, for people.
        problem: Option<String>,
    },
    /// The end of [`Action::Fault`].
    Faulted {
        /// The node.
        port: u16,
        /// What it was told.
        rules: BTreeMap<u16, Rule>,
        /// What went wrong, for people.
        problem: Option<String>,
    },
    /// The state file could not be written, or could again.
    Stored {
        /// What went wrong, for people.
        problem: Option<String>,
    },
    /// The answer to [`Action::Survey`].
    Surveyed {
        /// The master that is away.
        old: u16,
        /// Every node, as it was found.
        members: Box<Members>,
    },
    /// The end of [`Action::Succeed`].
    Succeeded {
        /// The master that was away.
        old: u16,
        /// The node that was to take over.
        target: u16,
        /// What went wrong, for people.
        problem: Option<String>,
    },
    /// The supervisor itself was told to end by a signal.
    Terminate,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code.
    Code(i32),
    /// By a signal, named as in `SIGKILL`.
    Signal(String),
    /// Nobody was there to see: an adopted process is no child.
    Unseen,
}

/// What is known before a node is started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The node's process lives already, started by a supervisor that is no more.
    pub living: Option<Identity>,
    /// That process is frozen.
    pub frozen: bool,
    /// A configuration file is there from an earlier run.
    pub configured: bool,
    /// Whom that file says to follow.
    pub follows: Option<(String, u16)>,
    /// What its data directory would give back.
    pub saved: Saved,
    /// What the other nodes of the set hold.
    pub others: Vec<Holding>,
}

/// Everything a supervisor can want done.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Look at what a start of the node would bring back.
    Examine {
        /// The node.
        port: u16,
    },
    /// Start the process. With `configure`, write its configuration file first and keep the role in the old one.
    Spawn {
        /// The node.
        port: u16,
        /// As above.
        configure: bool,
    },
    /// Watch a process that is no child of ours until it ends.
    Watch {
        /// The node.
        port: u16,
        /// Its process.
        identity: Identity,
    },
    /// Send a signal.
    Signal {
        /// The node.
        port: u16,
        /// Its process.
        identity: Identity,
        /// The signal's number.
        signal: i32,
    },
    /// Ask the node what it is.
    Probe {
        /// The node.
        port: u16,
        /// Its process.
        pid: u32,
    },
    /// Send REPLICAOF and CONFIG REWRITE.
    Wire {
        /// The node.
        port: u16,
        /// Whom to follow, on this machine.
        upstream: u16,
    },
    /// Tell a node what is wrong with the links it accepts: with every other node of the set, also where that is
    /// nothing.
    Fault {
        /// The node.
        port: u16,
        /// What is wrong, by the port at the other end.
        rules: BTreeMap<u16, Rule>,
    },
    /// Write the role into the configuration file of a node that is down.
    Rewrite {
        /// The node.
        port: u16,
        /// Host and port to follow; `None` is a master.
        upstream: Option<(String, u16)>,
    },
    /// Remove the node's directory.
    Discard {
        /// The node.
        port: u16,
    },
    /// Add a line to the events.
    Publish(Happening),
    /// Ask every node what it is: a master is away, and somebody has to take over.
    Survey {
        /// The master.
        old: u16,
    },
    /// Carry out these steps, one after the other.
    Succeed {
        /// The master that is away.
        old: u16,
        /// The node that takes over.
        target: u16,
        /// The whole promotion: commands are sent, what is to be waited for shows by itself.
        steps: Vec<Step>,
    },
    /// Store the state; the latest counts.
    Persist(Box<SetState>),
    /// Answer a request.
    Reply {
        /// Who asked.
        id: u64,
        /// The answer.
        reply: Reply,
    },
    /// Everything is down: end.
    End,
}

/// What outlives a supervisor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetState {
    /// The set.
    pub topology: Topology,
    /// One per node.
    pub nodes: Vec<NodeRecord>,
    /// One per Sentinel.
    #[serde(default)]
    pub sentinels: Vec<NodeRecord>,
    /// The link faults that are in force.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// How many there ever were since the set was started: ids are not used twice.
    #[serde(default)]
    pub faults_ever: u32,
}

/// What outlives a supervisor, of one node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// Every choice made.
    pub plan: NodePlan,
    /// Its process.
    pub identity: Option<Identity>,
    /// Its configuration file is to be written before the next start.
    pub fresh: bool,
    /// It was started at least once.
    pub born: bool,
    /// Everything that is shown of it.
    pub facts: NodeFacts,
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(name) => write!(f, "killed by {name}"),
            Self::Unseen => write!(f, "ended while no supervisor was its parent, exit code unknown"),
        }
    }
}
