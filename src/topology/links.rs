//! The nodes of a file against each other: handles are distinct, every upstream exists, nobody follows in a circle,
//! and somebody can be promoted.

use std::collections::BTreeMap;

use super::check::{quoted, tamed};
use super::directives;
use super::file::{RawFile, RawNode, Upstream};
use super::problem::{Report, nearest};

/// Judges who follows whom; gives for each node the place in the file of the one it follows.
pub(super) fn judge(raw: &RawFile, ports: &[Option<u16>], report: &mut Report<'_>) -> Vec<Option<usize>> {
    distinct(&raw.nodes, ports, report);
    let upstreams: Vec<Option<usize>> =
        (0..raw.nodes.len()).map(|index| upstream(raw, index, ports, report)).collect();
    circles(raw, &upstreams, report);
    priorities(raw, &upstreams, report);
    upstreams
}

fn distinct(nodes: &[RawNode], ports: &[Option<u16>], report: &mut Report<'_>) {
    let mut by_port: BTreeMap<u16, usize> = BTreeMap::new();
    let mut by_name: BTreeMap<&str, &RawNode> = BTreeMap::new();
    for (node, port) in nodes.iter().zip(ports) {
        let label = Some(node.label.as_str());
        if let (Some(port), Some(typed)) = (port, &node.port)
            && by_port.insert(*port, typed.at).is_some()
        {
            let free = (*port..=u16::MAX).find(|free| !ports.contains(&Some(*free)));
            let write = free.map_or_else(String::new, |free| format!("port = {free}"));
            report.problem(typed.at, label, format!("port {port} is already that of another node"), write);
        }
        if let Some(name) = &node.name
            && let Some(other) = by_name.insert(&name.value, node)
        {
            let what = format!("the name {} is already that of node {}", quoted(&name.value), other.label);
            report.problem(name.at, label, what, format!("name = \"{}-2\"", tamed(&name.value)));
        }
    }
}

/// The place in the file of the node that this one follows.
fn upstream(raw: &RawFile, index: usize, ports: &[Option<u16>], report: &mut Report<'_>) -> Option<usize> {
    let node = raw.nodes.get(index)?;
    let typed = node.replica_of.as_ref()?;
    let found = raw.nodes.iter().zip(ports).position(|(other, port)| match &typed.value {
        Upstream::Port(typed) => port.map(i64::from) == Some(*typed),
        Upstream::Name(typed) => other.name.as_ref().is_some_and(|name| name.value == *typed),
    });
    let label = Some(node.label.as_str());
    match found {
        Some(found) if found == index => {
            report.problem(
                typed.at,
                label,
                "a node cannot be a replica of itself",
                other_master(raw, index, ports),
            );
            None
        }
        Some(found) => Some(found),
        None => {
            // A port that was refused above is not unknown as well.
            let refused = |other: &RawNode| match (&typed.value, &other.port) {
                (Upstream::Port(typed), Some(port)) => port.value == *typed,
                _ => false,
            };
            if !raw.nodes.iter().any(refused) {
                let (what, write) = unknown_upstream(raw, index, &typed.value, ports);
                report.problem(typed.at, label, what, write);
            }
            None
        }
    }
}

fn unknown_upstream(
    raw: &RawFile,
    index: usize,
    typed: &Upstream,
    ports: &[Option<u16>],
) -> (String, String) {
    let others = || (0..).zip(ports).filter(|(other, _)| *other != index);
    match typed {
        Upstream::Port(typed) => {
            let ports = others().filter_map(|(_, port)| port.map(i64::from));
            let near = ports.min_by_key(|port| port.abs_diff(*typed));
            let write = near.map_or_else(String::new, |port| format!("replica-of = {port}"));
            (format!("no node has port {typed}, so nothing can be its replica"), write)
        }
        Upstream::Name(typed) => {
            let names =
                raw.nodes.iter().filter_map(|node| node.name.as_ref().map(|name| name.value.as_str()));
            let write = nearest(typed, names)
                .map_or_else(|| other_master(raw, index, ports), |name| format!("replica-of = \"{name}\""));
            (format!("no node is called {}", quoted(typed)), write)
        }
    }
}

/// A line that would follow the first other master of the file.
fn other_master(raw: &RawFile, index: usize, ports: &[Option<u16>]) -> String {
    let mut others = raw.nodes.iter().zip(ports).enumerate().filter(|(other, _)| *other != index);
    let master = others.find_map(|(_, (node, port))| port.filter(|_| node.replica_of.is_none()));
    master.map_or_else(String::new, |port| format!("replica-of = {port}"))
}

/// Each circle is told once, printed from its first node in the file.
fn circles(raw: &RawFile, upstreams: &[Option<usize>], report: &mut Report<'_>) {
    let mut told: Vec<usize> = Vec::new();
    for start in 0..upstreams.len() {
        let Some(path) = circle(start, upstreams).filter(|_| !told.contains(&start)) else { continue };
        let label = |index: &usize| raw.nodes.get(*index).map_or("", |node| node.label.as_str());
        let drawn: Vec<&str> = path.iter().chain([&start]).map(label).collect();
        let at = raw.nodes.get(start).and_then(|node| node.replica_of.as_ref()).map_or(0, |typed| typed.at);
        let what = format!("replicas in a circle: {}; one of them must be a master", drawn.join(" → "));
        report.problem(at, Some(label(&start)), what, "");
        told.extend(path);
    }
}

/// The nodes from `start` upward, when the way leads back to it.
fn circle(start: usize, upstreams: &[Option<usize>]) -> Option<Vec<usize>> {
    let mut path = vec![start];
    loop {
        let next = upstreams.get(*path.last()?).copied().flatten()?;
        if next == start {
            return Some(path);
        }
        if path.contains(&next) {
            return None;
        }
        path.push(next);
    }
}

/// A master whose replicas all have priority 0 can have no successor.
fn priorities(raw: &RawFile, upstreams: &[Option<usize>], report: &mut Report<'_>) {
    let root = |mut index: usize| {
        // Bounded, because a circle was told but not removed.
        for _ in 0..upstreams.len() {
            match upstreams.get(index).copied().flatten() {
                Some(up) => index = up,
                None => break,
            }
        }
        index
    };
    let mut replicas: BTreeMap<usize, Vec<Option<usize>>> = BTreeMap::new();
    for (index, node) in raw.nodes.iter().enumerate() {
        if upstreams.get(index).copied().flatten().is_some() {
            let never = directives::never_promoted(&raw.defaults.config, &node.config);
            replicas.entry(root(index)).or_default().push(never);
        }
    }
    for (master, zeros) in replicas {
        let first =
            zeros.iter().copied().collect::<Option<Vec<usize>>>().and_then(|all| all.into_iter().min());
        if let (Some(at), Some(master)) = (first, raw.nodes.get(master)) {
            let what = "every replica has replica-priority 0, so none can ever be promoted";
            report.problem(at, Some(&master.label), what, "replica-priority = 100");
        }
    }
}
