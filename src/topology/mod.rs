//! What is wanted: a set of nodes and who follows whom. Knows nothing of processes.
//!
//! [`Topology`] is valid by construction: text → `file` (as typed, with positions) → `check`, `directives` and
//! `links` (one small function per rule, `attached` and `keepers` beside them) → a [`Topology`], or all the file's [`Problem`]s at once. `schema` is the
//! same for editors.

mod problem;
mod file;
mod attached;
mod keepers;
mod directives;
mod links;
mod check;
mod load;
mod schema;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Exit};

pub use check::is_name;
pub use load::{Checked, check, check_file, load, parse};
pub use problem::{Problem, Spot, problems_of};
pub use schema::schema;

/// A valid set: unique ports and names, every upstream exists, no cycles.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topology {
    /// `[a-z0-9-]{1,40}`.
    pub name: String,
    /// The file it came from (absolute), if it came from one.
    pub file: Option<PathBuf>,
    /// In the order of the file.
    pub nodes: Vec<NodeSpec>,
    /// The supervisor promotes a replica where a master stays away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autofailover: Option<Autofailover>,
    /// Sentinels watch the masters. Excludes `autofailover`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentinel: Option<Sentinel>,
    /// Without proxies before servers that have no link faults of their own: their links cannot be broken.
    #[serde(default)]
    pub direct: bool,
}

/// When the supervisor takes a master for gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Autofailover {
    /// How long a master may be away, in milliseconds.
    pub down_after_ms: u64,
}

/// Sentinel processes of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentinel {
    /// How many.
    pub count: u16,
    /// How many must agree that a master is gone.
    pub quorum: u16,
    /// The port of the first; the others follow.
    pub port: u16,
    /// How long a master may be away, in milliseconds.
    pub down_after_ms: u64,
}

impl Sentinel {
    /// The ports they listen on.
    #[must_use]
    pub fn ports(&self) -> std::ops::Range<u16> {
        self.port..self.port.saturating_add(self.count)
    }

    /// How long a failover may take before another is tried, in milliseconds.
    #[must_use]
    pub fn failover_timeout_ms(&self) -> u64 {
        self.down_after_ms.saturating_mul(5).max(5_000)
    }
}

impl Topology {
    /// One master and `replicas` replicas of it on ports from 6379, on the defaults: what `up` starts without a file.
    ///
    /// # Errors
    /// More nodes than one set may have.
    pub fn of_replicas(replicas: u16) -> Result<Self, Error> {
        if usize::from(replicas) >= check::NODES_MAX {
            let most = check::NODES_MAX - 1;
            return Err(Error::new(Exit::Usage, format!("--replicas {replicas}: at most {most}"))
                .hint(format!("rctl up --replicas {most}")));
        }
        let node = |index: u16| NodeSpec {
            port: 6379 + index,
            name: None,
            replica_of: (index > 0).then_some(6379),
            engine: Engine::Builtin,
            persistence: Persistence::Rdb,
            restart: Restart::No,
            config: BTreeMap::new(),
            attach: None,
        };
        Ok(Self { name: "local".into(), nodes: (0..=replicas).map(node).collect(), ..Self::default() })
    }

    /// The ports of its Sentinels; empty where it has none.
    pub fn sentinel_ports(&self) -> impl Iterator<Item = u16> + use<> {
        self.sentinel.map_or(0..0, |sentinel| sentinel.ports())
    }

    /// Where the node on `port` listens.
    #[must_use]
    pub fn host(&self, port: u16) -> &str {
        self.node(port).map_or(HERE, NodeSpec::host)
    }

    /// The node on `port` was started by somebody else.
    #[must_use]
    pub fn is_attached(&self, port: u16) -> bool {
        self.node(port).is_some_and(|node| node.attach.is_some())
    }

    /// The node on `port`.
    #[must_use]
    pub fn node(&self, port: u16) -> Option<&NodeSpec> {
        self.nodes.iter().find(|node| node.port == port)
    }

    /// The node with this handle: its port or its name.
    #[must_use]
    pub fn find(&self, handle: &str) -> Option<&NodeSpec> {
        self.nodes.iter().find(|node| node.name.as_deref() == Some(handle) || handle.parse() == Ok(node.port))
    }
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
    /// Whether it is started again after a crash.
    pub restart: Restart,
    /// redis.conf directives, values as text, keys lower case.
    pub config: BTreeMap<String, String>,
    /// The host of a server that somebody else started and stops; `None` for a node of our own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attach: Option<String>,
}

/// Where our own nodes listen.
pub const HERE: &str = "127.0.0.1";

/// This machine's loopback, however it is spelt.
#[must_use]
pub fn is_here(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Both names mean one host, as far as names tell.
#[must_use]
pub fn same_host(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || (is_here(one) && is_here(other))
}

impl NodeSpec {
    /// Where it listens, as the others reach it.
    #[must_use]
    pub fn host(&self) -> &str {
        self.attach.as_deref().unwrap_or(HERE)
    }

    /// The server at this address is this node.
    #[must_use]
    pub fn is_at(&self, host: &str, port: u16) -> bool {
        self.port == port && same_host(host, self.host())
    }

    /// The password that the node's own configuration asks of clients.
    #[must_use]
    pub fn password(&self) -> Option<&str> {
        self.config.get("requirepass").map(String::as_str).filter(|password| !password.is_empty())
    }
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
