//! Configuration files as redis-server and valkey-server read them.

use std::fmt::Write as _;

use super::Exported;
use crate::plan::sentinels::{self, Watched, monitor};
use crate::topology::{NodeSpec, Persistence, Sentinel, Topology};

/// Where nodes find each other.
pub(super) trait Addresses {
    /// The host of a node, as the others reach it.
    fn host(&self, port: u16) -> String;
    /// The port it listens on there.
    fn port(&self, port: u16) -> u16 {
        port
    }
    /// Names are used, which Sentinels have to be told.
    fn names(&self) -> bool {
        false
    }
}

/// All on one machine.
pub(super) struct Local;

impl Addresses for Local {
    fn host(&self, _: u16) -> String {
        "127.0.0.1".to_owned()
    }
}

/// A file for each node, and one for each Sentinel.
pub(super) fn files(topology: &Topology) -> Vec<Exported> {
    let node = |node: &NodeSpec| {
        let dir = format!("data-{}", node.port);
        let text =
            format!("# Start it where it is: mkdir -p {dir} && redis-server {}\n", node_name(node.port));
        (node_name(node.port), text + &node_conf(node, &dir, &Local))
    };
    let mut files: Vec<Exported> = topology.nodes.iter().map(node).collect();
    if let Some(sentinel) = &topology.sentinel {
        for port in sentinel.port..sentinel.port + sentinel.count {
            let name = format!("sentinel-{port}.conf");
            let text = format!("# Start it where it is: redis-sentinel {name}\n");
            files.push((name, text + &sentinel_conf(topology, sentinel, port, &Local)));
        }
    }
    files
}

/// The name of a node's file.
pub(super) fn node_name(port: u16) -> String {
    format!("node-{port}.conf")
}

/// The configuration of one node.
pub(super) fn node_conf(node: &NodeSpec, dir: &str, addresses: &impl Addresses) -> String {
    let bind = if addresses.names() { "* -::*" } else { "127.0.0.1 -::1" };
    let save = if node.persistence == Persistence::None { "\"\"" } else { "3600 1 300 100 60 10000" };
    let append = if node.persistence == Persistence::Aof { "yes" } else { "no" };
    let own: [(&str, String); 6] = [
        ("bind", bind.to_owned()),
        ("port", addresses.port(node.port).to_string()),
        ("dir", dir.to_owned()),
        ("save", save.to_owned()),
        ("appendonly", append.to_owned()),
        ("repl-diskless-sync-delay", "0".to_owned()),
    ];
    let mut text = String::new();
    for (key, value) in own.iter().filter(|(key, _)| !node.config.contains_key(*key)) {
        let _ = writeln!(text, "{key} {value}");
    }
    for (key, value) in &node.config {
        let value = if value.is_empty() { "\"\"" } else { value };
        let _ = writeln!(text, "{key} {value}");
    }
    if addresses.names() {
        let _ = writeln!(text, "protected-mode no\nreplica-announce-ip {}", addresses.host(node.port));
    }
    if let Some(upstream) = node.replica_of {
        let _ = writeln!(text, "replicaof {} {}", addresses.host(upstream), addresses.port(upstream));
    }
    text
}

/// The configuration of one Sentinel: it watches every master that has replicas.
pub(super) fn sentinel_conf(
    topology: &Topology,
    sentinel: &Sentinel,
    port: u16,
    addresses: &impl Addresses,
) -> String {
    let mut text = format!("port {port}\nprotected-mode no\n");
    if addresses.names() {
        text.push_str("sentinel resolve-hostnames yes\nsentinel announce-hostnames yes\n");
    }
    let followed = |node: &&NodeSpec| {
        node.replica_of.is_none() && topology.nodes.iter().any(|other| other.replica_of == Some(node.port))
    };
    for master in topology.nodes.iter().filter(followed) {
        let host = addresses.host(master.port);
        let watched = Watched {
            name: sentinels::name(&topology.name, master.port),
            host: &host,
            port: addresses.port(master.port),
            password: master.password(),
        };
        monitor(&mut text, sentinel, &watched);
    }
    text
}
