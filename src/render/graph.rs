//! A set as a graph: the tree with the lag on each edge, for people, for Mermaid, for Graphviz.

use std::fmt::Write as _;

use serde::Serialize;

use super::Painter;
use super::style::{mark, marks};
use super::tree::tree;
use crate::status::figure::grouped;
use crate::status::{NodeStatus, Role, StatusReport};

/// The graph as JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Graph {
    schema: &'static str,
    topology: String,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Node {
    port: u16,
    name: Option<String>,
    role: Role,
    state: &'static str,
    offset: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Edge {
    from: u16,
    to: u16,
    lag_bytes: Option<u64>,
    lag_ms: Option<u64>,
    /// The stream flows along it.
    flows: bool,
}

/// The graph of a set.
#[must_use]
pub fn graph(report: &StatusReport) -> Graph {
    let node = |node: &NodeStatus| Node {
        port: node.port,
        name: node.name.clone(),
        role: node.role,
        state: node.state.word(),
        offset: node.offset,
    };
    let edge = |node: &NodeStatus| {
        Some(Edge {
            from: node.upstream?,
            to: node.port,
            lag_bytes: node.lag_bytes,
            lag_ms: node.lag_ms,
            flows: node.state.is_well(),
        })
    };
    Graph {
        schema: "rctl.graph/1",
        topology: report.topology.clone(),
        nodes: report.nodes.iter().map(node).collect(),
        edges: report.nodes.iter().filter_map(edge).collect(),
    }
}

/// The tree as lines, the lag on each edge.
#[must_use]
pub fn text(report: &StatusReport, painter: &Painter) -> String {
    let marks = marks(painter);
    let dash = if painter.ascii { "-" } else { "─" };
    let mut text = format!("{}\n", report.topology);
    for branch in tree(&report.nodes, &marks) {
        let Some(node) = branch.node.and_then(|index| report.nodes.get(index)) else {
            let _ = writeln!(text, "{}{} see {}", branch.prefix, marks.sync, branch.port);
            continue;
        };
        let edge = match node.role {
            Role::Master => String::new(),
            Role::Replica => format!("{} {dash} ", lag(node)),
        };
        let stem = branch.prefix.trim_end();
        let stem = if stem.is_empty() { String::new() } else { format!("{stem} ") };
        let _ = writeln!(
            text,
            "{stem}{edge}{} {} {}",
            called(node),
            mark(&node.state, &marks),
            node.state.word()
        );
    }
    text
}

/// A Mermaid flowchart: what does not flow is dotted.
#[must_use]
pub fn mermaid(report: &StatusReport) -> String {
    let mut text = "flowchart TD\n".to_owned();
    for node in &report.nodes {
        let _ = writeln!(text, "  n{}[\"{}<br/>{}\"]", node.port, called(node), node.state.word());
    }
    for node in &report.nodes {
        if let Some(upstream) = node.upstream {
            let arrow = if node.state.is_well() { "-->" } else { "-.->" };
            let _ = writeln!(text, "  n{upstream} {arrow}|\"{}\"| n{}", lag(node), node.port);
        }
    }
    text
}

/// A Graphviz digraph: what does not flow is dashed.
#[must_use]
pub fn dot(report: &StatusReport) -> String {
    let mut text = format!("digraph \"{}\" {{\n  node [shape=box];\n", report.topology);
    for node in &report.nodes {
        let _ = writeln!(text, "  \"{}\" [label=\"{}\\n{}\"];", node.port, called(node), node.state.word());
    }
    for node in &report.nodes {
        if let Some(upstream) = node.upstream {
            let style = if node.state.is_well() { "" } else { ", style=dashed" };
            let _ = writeln!(text, "  \"{upstream}\" -> \"{}\" [label=\"{}\"{style}];", node.port, lag(node));
        }
    }
    text + "}\n"
}

fn called(node: &NodeStatus) -> String {
    match &node.name {
        Some(name) => format!("{} {name}", node.port),
        None => node.port.to_string(),
    }
}

/// Bytes behind the master; `~` marks last-known figures.
fn lag(node: &NodeStatus) -> String {
    let about = if node.last_known_ms.is_some() { "~" } else { "" };
    match node.lag_bytes {
        Some(bytes) => format!("{about}{} B", grouped(bytes)),
        None => "? B".to_owned(),
    }
}
