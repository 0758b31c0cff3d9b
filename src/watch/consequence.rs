//! What a change would do, with numbers, from what was last seen.

use super::Change;
use crate::status::figure::{grouped, size};
use crate::status::{NodeStatus, Role, StatusReport};

/// Lines that say what will be true afterwards.
#[must_use]
pub fn consequence(change: Change, report: &StatusReport) -> Vec<String> {
    let find = |port: u16| report.nodes.iter().find(|node| node.port == port);
    match change {
        Change::Kill(port) => find(port).map(|node| kill(report, node)).unwrap_or_default(),
        Change::Pause(port) => find(port).map(|node| pause(report, node)).unwrap_or_default(),
        Change::Cut(port) => find(port).map(|node| cut(report, node)).unwrap_or_default(),
        Change::Promote(_) | Change::Resume(_) | Change::Heal(_) => Vec::new(),
    }
}

fn kill(report: &StatusReport, node: &NodeStatus) -> Vec<String> {
    let mut lines = vec![format!("kill {} with SIGKILL{}", node.port, keys(node))];
    let below = below(report, node.port);
    match node.role {
        Role::Master if below == 0 => lines.push("no other node has what was not saved to its disk".into()),
        Role::Master => {
            lines.push(format!("nobody takes writes until you promote; {} below it", nodes(below)));
            lines.push(alone(report, node));
        }
        Role::Replica => {
            lines.push(format!("{} below it{}", nodes(below), clients(node)));
            lines.push(window(report, node));
        }
    }
    lines
}

fn pause(report: &StatusReport, node: &NodeStatus) -> Vec<String> {
    let mut lines = vec![format!("freeze {} with SIGSTOP{}", node.port, keys(node))];
    let below = below(report, node.port);
    match node.role {
        Role::Master => lines.push(format!("writes hang; {} below it", nodes(below))),
        Role::Replica => {
            lines.push(format!("{} below it; it answers nobody", nodes(below)));
            lines.push(window(report, node));
        }
    }
    lines
}

fn cut(report: &StatusReport, node: &NodeStatus) -> Vec<String> {
    let Some(above) = node.upstream else {
        return vec![format!("{} follows nobody: there is no link to cut", node.port)];
    };
    let below = below(report, node.port);
    vec![format!("cut {} from {above}; {} below it", node.port, nodes(below)), window(report, node)]
}

/// What a master has that its replicas have not heard yet.
fn alone(report: &StatusReport, node: &NodeStatus) -> String {
    let heard = report.nodes.iter().filter(|other| other.follows(node));
    match heard.filter_map(|other| other.lag_bytes.filter(|_| other.last_known_ms.is_none())).min() {
        Some(0) => "its best replica has every byte of it (0 B behind)".into(),
        Some(bytes) => format!("its best replica is {} B behind: they die with it", grouped(bytes)),
        None => "no replica of it is known to be level".into(),
    }
}

/// How much may be written before a node that is away has to copy everything.
fn window(report: &StatusReport, node: &NodeStatus) -> String {
    let above = report.nodes.iter().find(|other| node.follows(other));
    let held = above.and_then(|above| above.info.get("repl_backlog_size")?.parse::<u64>().ok());
    match (above, held) {
        (Some(above), Some(bytes)) => {
            let left = bytes.saturating_sub(node.lag_bytes.unwrap_or(0));
            format!("after {} more of writes on {} it needs a FULL RESYNC", size(left), above.port)
        }
        _ => "how long it could be away is not known".into(),
    }
}

/// How many nodes get the master's writes through this one.
fn below(report: &StatusReport, port: u16) -> usize {
    let mut seen = vec![port];
    let mut at = 0;
    while let Some(above) = seen.get(at).copied() {
        at += 1;
        for node in report.nodes.iter().filter(|node| node.upstream == Some(above)) {
            if !seen.contains(&node.port) {
                seen.push(node.port);
            }
        }
    }
    seen.len() - 1
}

fn nodes(count: usize) -> String {
    match count {
        0 => "no node is".into(),
        1 => "1 node is".into(),
        many => format!("{many} nodes are"),
    }
}

fn keys(node: &NodeStatus) -> String {
    node.keys.map(|keys| format!(", {} keys", grouped(keys))).unwrap_or_default()
}

fn clients(node: &NodeStatus) -> String {
    node.clients.map(|clients| format!("; clients that lose it: {}", grouped(clients))).unwrap_or_default()
}
