//! Would this node continue where it stopped, or copy everything anew: the answer before the question is asked.
//!
//! The rule is the master's own, applied to what both sides say in INFO. A node may continue when it is on the
//! upstream's history, or on the part of the upstream's previous history that both share, and the upstream's backlog
//! still holds the next byte it needs.

use std::fmt;

use crate::node::observe::Observation;

/// What a node will go through when it starts to follow an upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forecast {
    /// It continues, and is sent this many bytes to catch up.
    Partial {
        /// Bytes it has still to hear.
        bytes: u64,
    },
    /// It drops what it has and copies everything.
    Full(Reason),
    /// One of the two does not say enough.
    Unknown,
}

/// Why a full copy is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The two have no history in common.
    OtherHistory,
    /// The node has this many bytes that the upstream has not.
    Ahead {
        /// Bytes that no copy brings back.
        bytes: u64,
    },
    /// The node left the upstream's history and has this many bytes of its own since.
    Parted {
        /// Bytes that no copy brings back.
        bytes: u64,
    },
    /// The upstream's backlog begins this many bytes too late.
    FellOff {
        /// Bytes that are missing between the two.
        bytes: u64,
    },
    /// The upstream keeps no backlog.
    NoBacklog,
}

impl Forecast {
    /// Bytes of the node that die, where that can be counted.
    #[must_use]
    pub fn lost_bytes(&self) -> Option<u64> {
        match self {
            Self::Full(Reason::Ahead { bytes } | Reason::Parted { bytes }) => Some(*bytes),
            _ => None,
        }
    }

    /// Everything is copied anew.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }
}

impl fmt::Display for Forecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Partial { bytes } => write!(f, "partial resync of {bytes} B"),
            Self::Full(reason) => write!(f, "full resync: {reason}"),
            Self::Unknown => f.write_str("resync unknown: it does not say enough"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherHistory => f.write_str("another history"),
            Self::Ahead { bytes } => write!(f, "it has {bytes} B that its upstream has not"),
            Self::Parted { bytes } => write!(f, "it left that history and has {bytes} B of its own since"),
            Self::FellOff { bytes } => write!(f, "{bytes} B short of the backlog"),
            Self::NoBacklog => f.write_str("its upstream keeps no backlog"),
        }
    }
}

/// What `node` will go through when it follows `upstream`, both as they are now.
#[must_use]
pub fn forecast(node: &Observation, upstream: &Observation) -> Forecast {
    let (Some(asked), Some(from)) = (node.replid.as_deref(), node.offset) else { return Forecast::Unknown };
    let (Some(current), Some(end)) = (upstream.replid.as_deref(), upstream.offset) else {
        return Forecast::Unknown;
    };
    // `second_repl_offset` is counted from one: the last shared byte is the one before it.
    let shared = match upstream.second_offset {
        Some(second) if upstream.replid2.as_deref() == Some(asked) => Some(second.saturating_sub(1)),
        _ => None,
    };
    let limit = if asked == current { end } else { shared.map_or(0, |shared| shared.min(end)) };
    if asked != current && shared.is_none() {
        return Forecast::Full(parted(node, upstream).unwrap_or(Reason::OtherHistory));
    }
    if from > limit {
        return Forecast::Full(Reason::Ahead { bytes: from - limit });
    }
    // `repl_backlog_first_byte_offset` is counted from one too.
    let Some(first) = upstream.backlog_first else { return Forecast::Full(Reason::NoBacklog) };
    let begin = first.saturating_sub(1);
    if from < begin {
        return Forecast::Full(Reason::FellOff { bytes: begin - from });
    }
    Forecast::Partial { bytes: end - from }
}

/// The node was on the upstream's history before its own: what it wrote since is its alone.
fn parted(node: &Observation, upstream: &Observation) -> Option<Reason> {
    let before = node.replid2.as_deref()?;
    let common = [&upstream.replid, &upstream.replid2].into_iter().any(|id| id.as_deref() == Some(before));
    let left_at = node.second_offset?.saturating_sub(1);
    common.then(|| Reason::Parted { bytes: node.offset.unwrap_or(0).saturating_sub(left_at) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "0ld0000000000000000000000000000000000000";
    const NEW: &str = "new0000000000000000000000000000000000000";

    fn at(replid: &str, offset: u64) -> Observation {
        Observation { replid: Some(replid.into()), offset: Some(offset), ..Observation::default() }
    }

    fn upstream(replid: &str, offset: u64, backlog_first: u64) -> Observation {
        Observation { backlog_first: Some(backlog_first), ..at(replid, offset) }
    }

    /// Was OLD until 1000, is NEW since, stands at 1200.
    fn promoted() -> Observation {
        Observation { replid2: Some(OLD.into()), second_offset: Some(1001), ..upstream(NEW, 1200, 501) }
    }

    #[test]
    fn the_masters_rule_decides_from_both_infos() {
        let full = Forecast::Full;
        for (law, node, upstream, want) in [
            ("level", at(OLD, 1000), upstream(OLD, 1000, 1), Forecast::Partial { bytes: 0 }),
            (
                "behind, in the backlog",
                at(OLD, 900),
                upstream(OLD, 1000, 1),
                Forecast::Partial { bytes: 100 },
            ),
            (
                "first byte of the backlog",
                at(OLD, 500),
                upstream(OLD, 1000, 501),
                Forecast::Partial { bytes: 500 },
            ),
            ("one byte too late", at(OLD, 499), upstream(OLD, 1000, 501), full(Reason::FellOff { bytes: 1 })),
            (
                "ahead of its upstream",
                at(OLD, 1010),
                upstream(OLD, 1000, 1),
                full(Reason::Ahead { bytes: 10 }),
            ),
            ("strangers", at(NEW, 10), upstream(OLD, 1000, 1), full(Reason::OtherHistory)),
            ("no backlog", at(OLD, 1000), at(OLD, 1000), full(Reason::NoBacklog)),
            ("old history, last shared byte", at(OLD, 1000), promoted(), Forecast::Partial { bytes: 200 }),
            ("old history, beyond it", at(OLD, 1001), promoted(), full(Reason::Ahead { bytes: 1 })),
            (
                "old history, before the backlog",
                at(OLD, 400),
                promoted(),
                full(Reason::FellOff { bytes: 100 }),
            ),
            (
                "left, and wrote since",
                promoted(),
                upstream(OLD, 1100, 1),
                full(Reason::Parted { bytes: 200 }),
            ),
            ("says no offset", Observation { offset: None, ..at(OLD, 0) }, promoted(), Forecast::Unknown),
        ] {
            assert_eq!(forecast(&node, &upstream), want, "{law}");
        }
    }

    #[test]
    fn a_forecast_reads_as_a_sentence() {
        let text = forecast(&at(OLD, 1001), &promoted()).to_string();
        assert_eq!(text, "full resync: it has 1 B that its upstream has not");
        assert_eq!(forecast(&at(OLD, 1000), &promoted()).to_string(), "partial resync of 200 B");
    }
}
