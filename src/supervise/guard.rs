//! The guard: a master that would come back with less than its replicas hold is not started.
//!
//! Replicas throw away what they have when their master returns with another history. Five thousand writes that
//! were confirmed by WAIT are gone after a kill and a restart from an old snapshot; the guard is what stands
//! between. Where two histories cannot be compared, it holds: asking again costs a flag, being wrong costs data.

use std::collections::BTreeMap;

use crate::node::saved::Saved;

/// What another node of the set holds, in memory or on its disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The node.
    pub port: u16,
    /// Whom it follows, when that is a node of this machine.
    pub follows: Option<u16>,
    /// Holds at least one key.
    pub data: bool,
    /// The history it is on.
    pub replid: Option<String>,
    /// The history it was on before.
    pub replid2: Option<String>,
    /// Its offset.
    pub offset: Option<u64>,
}

/// Why the master on `port` has to be held, given what it would come back with; `None` lets it start.
#[must_use]
pub fn hold(port: u16, saved: &Saved, others: &[Holding]) -> Option<String> {
    let followers: Vec<&Holding> = below(port, others).into_iter().filter(|other| other.data).collect();
    if followers.is_empty() || saved.append_only {
        return None;
    }
    if !saved.data {
        return Some("would return empty".to_owned());
    }
    let mut worst = 0;
    for follower in followers {
        let shared = saved.replid.is_some() && [&follower.replid, &follower.replid2].contains(&&saved.replid);
        match (shared, saved.offset, follower.offset) {
            (true, Some(saved), Some(held)) => worst = worst.max(held.saturating_sub(saved)),
            _ => return Some(format!("may be older than {}", follower.port)),
        }
    }
    (worst > 0).then(|| format!("{worst} B older"))
}

/// The nodes whose chain of upstreams leads to `port`.
fn below(port: u16, others: &[Holding]) -> Vec<&Holding> {
    let follows: BTreeMap<u16, Option<u16>> =
        others.iter().map(|other| (other.port, other.follows)).collect();
    let leads = |start: u16| {
        let mut at = start;
        for _ in 0..=others.len() {
            match follows.get(&at) {
                Some(Some(above)) if *above == port => return true,
                Some(Some(above)) => at = *above,
                _ => return false,
            }
        }
        false
    };
    others.iter().filter(|other| leads(other.port)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica(port: u16, follows: u16, offset: u64) -> Holding {
        Holding {
            port,
            follows: Some(follows),
            data: true,
            replid: Some("now".into()),
            replid2: Some("before".into()),
            offset: Some(offset),
        }
    }

    fn saved(replid: &str, offset: u64) -> Saved {
        Saved { data: true, replid: Some(replid.into()), offset: Some(offset), append_only: false }
    }

    #[test]
    fn an_empty_master_is_held_while_a_replica_has_keys() {
        assert_eq!(hold(1, &Saved::default(), &[replica(2, 1, 9)]).as_deref(), Some("would return empty"));
        let empty = Holding { data: false, ..replica(2, 1, 9) };
        assert_eq!(hold(1, &Saved::default(), &[empty]), None, "nobody has anything to lose");
    }

    #[test]
    fn an_older_master_is_held_with_the_number_of_bytes() {
        assert_eq!(hold(1, &saved("now", 100), &[replica(2, 1, 12_500)]).as_deref(), Some("12400 B older"));
        assert_eq!(hold(1, &saved("before", 100), &[replica(2, 1, 150)]).as_deref(), Some("50 B older"));
        assert_eq!(hold(1, &saved("now", 12_500), &[replica(2, 1, 12_500)]), None);
    }

    #[test]
    fn a_replica_of_a_replica_counts_and_a_stranger_does_not() {
        let chain = [Holding { data: false, ..replica(2, 1, 0) }, replica(3, 2, 9)];
        assert!(hold(1, &Saved::default(), &chain).is_some());
        assert_eq!(hold(1, &Saved::default(), &[replica(3, 7, 9)]), None);
        let ring = [replica(2, 3, 9), replica(3, 2, 9)];
        assert_eq!(hold(1, &Saved::default(), &ring), None, "a ring ends");
    }

    #[test]
    fn histories_that_cannot_be_compared_are_held() {
        assert_eq!(
            hold(1, &saved("other", 900), &[replica(2, 1, 5)]).as_deref(),
            Some("may be older than 2")
        );
        let unknown = Saved { data: true, ..Saved::default() };
        assert!(hold(1, &unknown, &[replica(2, 1, 5)]).is_some());
    }

    #[test]
    fn an_append_only_file_keeps_what_was_acknowledged() {
        assert_eq!(hold(1, &Saved { append_only: true, ..Saved::default() }, &[replica(2, 1, 9)]), None);
    }
}
