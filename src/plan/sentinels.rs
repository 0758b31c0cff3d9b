//! Sentinels of a set: what runs them, and what they are told to watch. Pure.
//!
//! A Sentinel keeps what it learns in its own configuration file, and that file wins from then on: it is written once,
//! when the Sentinel first starts, and says who is a master then, not who the topology file wants.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::NodePlan;
use crate::error::Result;
use crate::node::engine::Program;
use crate::topology::{Engine, NodeSpec, Persistence, Restart, Sentinel, Topology};

/// A master to watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched<'a> {
    /// What the Sentinels call it.
    pub name: String,
    /// Where it is.
    pub host: &'a str,
    /// Its port there.
    pub port: u16,
    /// What opens it.
    pub password: Option<&'a str>,
}

/// What Sentinels call the master on `port` of a set.
#[must_use]
pub fn name(set: &str, port: u16) -> String {
    format!("{set}-{port}")
}

/// One plan per Sentinel, without a configuration yet. `locate` finds a program that can be one, and is told whether
/// that of Valkey is preferred.
///
/// # Errors
/// There is no such program.
pub fn plans(topology: &Topology, locate: impl FnOnce(bool) -> Result<Program>) -> Result<Vec<NodePlan>> {
    let Some(sentinel) = &topology.sentinel else { return Ok(Vec::new()) };
    let valkey = topology.nodes.iter().any(|node| node.engine == Engine::Valkey);
    let redis = topology.nodes.iter().any(|node| node.engine == Engine::Redis);
    let program = locate(valkey && !redis)?;
    let plan = |port| NodePlan {
        spec: NodeSpec {
            port,
            name: None,
            replica_of: None,
            engine: Engine::Redis,
            persistence: Persistence::None,
            restart: Restart::No,
            config: BTreeMap::new(),
            attach: None,
        },
        program: program.clone(),
        config: String::new(),
        proxied: false,
    };
    Ok(sentinel.ports().map(plan).collect())
}

/// The first configuration of the Sentinel on `port`.
#[must_use]
pub fn config(sentinel: &Sentinel, port: u16, masters: &[Watched<'_>]) -> String {
    let mut text = format!(
        "# Written by rctl, once. The Sentinel keeps here what it learns.\n\
         port {port}\nbind 127.0.0.1 -::1\nprotected-mode no\ndaemonize no\nlogfile \"\"\n"
    );
    masters.iter().for_each(|master| monitor(&mut text, sentinel, master));
    text
}

/// The directives for one master.
pub fn monitor(text: &mut String, sentinel: &Sentinel, master: &Watched<'_>) {
    let Watched { name, host, port, password } = master;
    let _ = writeln!(text, "sentinel monitor {name} {host} {port} {}", sentinel.quorum);
    let _ = writeln!(text, "sentinel down-after-milliseconds {name} {}", sentinel.down_after_ms);
    let _ = writeln!(text, "sentinel failover-timeout {name} {}", sentinel.failover_timeout_ms());
    if let Some(password) = password {
        let _ = writeln!(text, "sentinel auth-pass {name} {password}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentinel_watches_who_is_a_master_now() {
        let sentinel = Sentinel { count: 3, quorum: 2, port: 26_379, down_after_ms: 500 };
        let master =
            Watched { name: name("lab", 6379), host: "127.0.0.1", port: 6381, password: Some("secret") };
        let text = config(&sentinel, 26_380, &[master]);
        for line in [
            "port 26380",
            "sentinel monitor lab-6379 127.0.0.1 6381 2",
            "sentinel down-after-milliseconds lab-6379 500",
            "sentinel failover-timeout lab-6379 5000",
            "sentinel auth-pass lab-6379 secret",
        ] {
            assert!(text.lines().any(|have| have == line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn a_set_without_sentinels_needs_no_program() {
        let mut topology = Topology::of_replicas(1).unwrap();
        let none = |_| Program::locate_sentinel(false, Some(std::ffi::OsStr::new("/nowhere")));
        assert!(plans(&topology, none).unwrap().is_empty());
        topology.sentinel = Some(Sentinel { count: 3, quorum: 2, port: 26_379, down_after_ms: 500 });
        let error = plans(&topology, none).unwrap_err();
        assert!(error.to_string().contains("apt-get install redis-sentinel"), "{error}");
    }
}
