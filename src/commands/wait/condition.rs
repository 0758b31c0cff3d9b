//! What can be waited for: words in, a condition out; a report in, what is missing out. Pure.

use crate::error::{Error, Exit, Result};
use crate::status::{NodeStatus, Role, StatusReport};

/// States as `rctl status --json` has them.
const STATES: [&str; 16] = [
    "writable",
    "in-sync",
    "waiting",
    "syncing",
    "loading",
    "stale",
    "link-down",
    "cut",
    "paused",
    "unresponsive",
    "foreign",
    "crashed",
    "stopped",
    "held",
    "diverged",
    "refusing-writes",
];

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// Every node is writable or in sync.
    Ready,
    /// No replica lacks a byte.
    InSync,
    /// Another master than at the beginning takes writes.
    MasterChanged,
    /// A node is something.
    Is { node: String, state: String },
    /// A replica lacks less than so many bytes.
    Behind { node: String, below: u64 },
}

/// Reads the words of a command line; `6381 behind<1kB` may be one word of it or two.
pub(super) fn parse(words: &[String]) -> Result<Vec<Condition>> {
    let mut conditions = Vec::new();
    let mut words = words.iter().flat_map(|word| word.split_whitespace()).peekable();
    while let Some(word) = words.next() {
        conditions.push(match word {
            "ready" => Condition::Ready,
            "in-sync" => Condition::InSync,
            "master-changed" => Condition::MasterChanged,
            _ => {
                if let Some(size) = words.peek().and_then(|next| next.strip_prefix("behind<")) {
                    words.next();
                    let below = bytes(size).ok_or_else(|| unreadable(&format!("{word} behind<{size}")))?;
                    Condition::Behind { node: node(word), below }
                } else {
                    is(word)?
                }
            }
        });
    }
    if conditions.is_empty() { Err(unreadable("")) } else { Ok(conditions) }
}

fn is(word: &str) -> Result<Condition> {
    let (name, state) =
        word.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| unreadable(word))?;
    let state = if state == "primary" { "master" } else { state };
    if !STATES.contains(&state) && !["master", "replica", "up", "down"].contains(&state) {
        return Err(Error::new(Exit::Usage, format!("no node is ever {state:?}"))
            .detail(format!("a node is master, replica, up, down, {}", STATES.join(", "))));
    }
    Ok(Condition::Is { node: node(name), state: state.to_owned() })
}

/// `localhost:6381` is 6381.
fn node(word: &str) -> String {
    let local = ["localhost:", "127.0.0.1:", "[::1]:"];
    local.iter().find_map(|host| word.strip_prefix(host)).unwrap_or(word).to_owned()
}

/// `1kB`, `512`, `2MB`: units of 1024, as redis.conf has them.
fn bytes(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match lower.get(digits.len()..)? {
        "" | "b" => 1,
        "k" | "kb" => 1 << 10,
        "m" | "mb" => 1 << 20,
        "g" | "gb" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

fn unreadable(word: &str) -> Error {
    Error::new(Exit::Usage, format!("{word:?} is nothing to wait for"))
        .detail("a condition is ready, in-sync, master-changed, NODE=STATE or \"NODE behind<SIZE\"")
        .hint("rctl help wait")
}

/// The ports of the masters that answer.
pub(super) fn masters(report: &StatusReport) -> Vec<u16> {
    let answering = report.nodes.iter().filter(|node| node.role == Role::Master && answers(node));
    answering.map(|node| node.port).collect()
}

fn answers(node: &NodeStatus) -> bool {
    !node.info.is_empty()
}

impl Condition {
    /// The node it names.
    pub(super) fn node(&self) -> Option<&str> {
        match self {
            Self::Is { node, .. } | Self::Behind { node, .. } => Some(node),
            _ => None,
        }
    }

    /// What does not hold, in words; `None` where it holds. `before` are the masters at the beginning.
    pub(super) fn missing(&self, report: &StatusReport, before: &[u16]) -> Option<String> {
        match self {
            Self::Ready => {
                let unwell: Vec<String> =
                    report.nodes.iter().filter(|node| !node.state.is_well()).map(told).collect();
                (!unwell.is_empty()).then(|| unwell.join(", "))
            }
            Self::InSync => {
                let late = |node: &&NodeStatus| {
                    node.role == Role::Replica && (!node.state.is_well() || node.lag_bytes != Some(0))
                };
                let late: Vec<String> = report.nodes.iter().filter(late).map(told).collect();
                (!late.is_empty()).then(|| late.join(", "))
            }
            Self::MasterChanged => {
                let now = masters(report);
                let new = now.iter().any(|port| !before.contains(port));
                (!new).then(|| format!("the master is still {}", listed(&now)))
            }
            Self::Is { node, state } => {
                let found = find(report, node)?;
                (!is_so(found, state)).then(|| format!("{} and not {state}", told(found)))
            }
            Self::Behind { node, below } => {
                let found = find(report, node)?;
                // Last known figures say nothing about now.
                let lag = found.lag_bytes.filter(|_| answers(found));
                let so = lag.is_some_and(|lag| lag < *below);
                (!so).then(|| match lag {
                    Some(lag) => format!("{} is {lag} B behind, not less than {below}", found.port),
                    None => format!("{}, and how far behind is not known", told(found)),
                })
            }
        }
    }
}

fn is_so(node: &NodeStatus, state: &str) -> bool {
    match state {
        "master" => node.role == Role::Master && answers(node),
        "replica" => node.role == Role::Replica && answers(node),
        "up" => answers(node),
        "down" => matches!(node.state.word(), "crashed" | "stopped" | "held"),
        word => node.state.word() == word,
    }
}

fn find<'r>(report: &'r StatusReport, handle: &str) -> Option<&'r NodeStatus> {
    report.nodes.iter().find(|node| handle.parse() == Ok(node.port) || node.name.as_deref() == Some(handle))
}

fn told(node: &NodeStatus) -> String {
    let role = if node.role == Role::Master { "master" } else { "replica" };
    match node.lag_bytes.filter(|lag| *lag > 0) {
        Some(lag) => format!("{} is {role}, {}, {lag} B behind", node.port, node.state.word()),
        None => format!("{} is {role}, {}", node.port, node.state.word()),
    }
}

fn listed(ports: &[u16]) -> String {
    match ports {
        [] => "nobody".to_owned(),
        ports => ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Vec<Condition>> {
        parse(&words.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn conditions_are_read_as_they_are_written() {
        let behind = Condition::Behind { node: "6381".into(), below: 1024 };
        assert_eq!(read(&["6381 behind<1kB"]).unwrap(), std::slice::from_ref(&behind));
        assert_eq!(read(&["6381", "behind<1KB"]).unwrap(), [behind]);
        let is = Condition::Is { node: "6380".into(), state: "up".into() };
        assert_eq!(
            read(&["ready", "localhost:6380=up", "in-sync"]).unwrap(),
            [Condition::Ready, is, Condition::InSync]
        );
        assert_eq!(
            read(&["reader=primary"]).unwrap(),
            [Condition::Is { node: "reader".into(), state: "master".into() }]
        );
    }

    #[test]
    fn what_cannot_be_read_is_a_usage_error() {
        for bad in
            [&["nonsense"][..], &["6381=asleep"], &["6381 behind<x"], &["6381 behind<1y"], &["=up"], &[""]]
        {
            assert_eq!(read(bad).unwrap_err().exit, Exit::Usage, "{bad:?}");
        }
        assert!(read(&["6381 behind<99999999999999999999gb"]).is_err(), "no overflow");
    }
}
