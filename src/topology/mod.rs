//! What is wanted: a set of nodes and who follows whom. Knows nothing of processes.
//!
//! [`Topology`] is valid by construction: `check` turns the file as typed into one, or into all its problems.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A valid set: unique ports and names, every upstream exists, no cycles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topology {
    /// `[a-z0-9-]{1,40}`.
    pub name: String,
    /// The file it came from (absolute), if it came from one.
    pub file: Option<PathBuf>,
    /// In the order of the file.
    pub nodes: Vec<NodeSpec>,
}

/// One node as wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSpec {
    /// The node's handle everywhere.
    pub port: u16,
    /// An optional second handle; never all digits, never a reserved word.
    pub name: Option<String>,
    /// The port of its upstream; `None` is a master.
    pub replica_of: Option<u16>,
    /// What runs it.
    pub engine: Engine,
    /// What survives a restart.
    pub persistence: Persistence,
    /// Started again after a crash?
    pub restart: Restart,
    /// redis.conf directives, values as text, keys lower case.
    pub config: BTreeMap<String, String>,
}

/// The server program of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// `rctl server`.
    Builtin,
    /// `redis-server` from the PATH.
    Redis,
    /// `valkey-server` from the PATH.
    Valkey,
    /// A server program at a path.
    Path(PathBuf),
}

/// What survives a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Persistence {
    /// Nothing.
    None,
    /// A snapshot at shutdown and by BGSAVE.
    Rdb,
    /// The append-only file.
    Aof,
}

/// What happens after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// Stays down, visibly.
    No,
    /// Started again with backoff.
    OnFailure,
}
