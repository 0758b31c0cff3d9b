//! What only the supervisor knows of a node: its process. Sent to every `rctl` that asks.

use serde::{Deserialize, Serialize};

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
