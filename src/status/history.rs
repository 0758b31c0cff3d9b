//! Whose data is whose: two masters with a shared past, and how many bytes each has alone.
//!
//! A promoted node keeps the id of the history it came from (`master_replid2`) and where that ended
//! (`second_repl_offset`, one beyond). Up to F = second_repl_offset − 1 both have the same bytes; what each has beyond
//! F is its own. Both beyond F: diverged. One beyond F: the other is only behind.

use crate::node::observe::Observation;

/// Two masters that both went on alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fork {
    /// F: up to where the history is shared.
    pub(super) shared: u64,
    /// Bytes that only the first has.
    pub(super) first: u64,
    /// Bytes that only the second has.
    pub(super) second: u64,
}

/// Compares two masters; `None` unless both have bytes the other lacks.
pub(super) fn fork(first: &Observation, second: &Observation) -> Option<Fork> {
    let end = |node: &Observation| node.second_offset.map(|offset| offset.saturating_sub(1));
    let was = |node: &Observation, id: &Option<String>| id.is_some() && node.replid2 == *id;
    let shared = if first.replid == second.replid {
        return None;
    } else if was(first, &second.replid) {
        end(first)?
    } else if was(second, &first.replid) {
        end(second)?
    } else if was(first, &second.replid2) {
        end(first)?.min(end(second)?)
    } else {
        return None;
    };
    let beyond = |node: &Observation| node.offset?.checked_sub(shared).filter(|unique| *unique > 0);
    Some(Fork { shared, first: beyond(first)?, second: beyond(second)? })
}

/// The node's offset counts in the master's history: the same, or the one the master came from.
pub(super) fn comparable(master: &Observation, replid: Option<&str>, offset: u64) -> bool {
    let same = replid.is_some() && master.replid.as_deref() == replid;
    let older = replid.is_some() && master.replid2.as_deref() == replid;
    same || (older && master.second_offset.is_some_and(|end| offset < end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn master(replid: &str, before: Option<(&str, u64)>, offset: u64) -> Observation {
        Observation {
            replid: Some(replid.into()),
            replid2: before.map(|(id, _)| id.into()),
            second_offset: before.map(|(_, end)| end),
            offset: Some(offset),
            ..Observation::default()
        }
    }

    #[test]
    fn only_two_masters_that_both_went_on_are_diverged() {
        let old = master("a", None, 120);
        let fork_of = |new: &Observation| fork(&old, new).map(|fork| (fork.shared, fork.first, fork.second));
        assert_eq!(fork_of(&master("b", Some(("a", 101)), 130)), Some((100, 20, 30)));
        assert_eq!(fork_of(&master("b", Some(("a", 101)), 100)), None, "the new one wrote nothing");
        assert_eq!(fork_of(&master("b", Some(("a", 121)), 130)), None, "the old one wrote nothing more");
        assert_eq!(fork_of(&master("b", Some(("c", 101)), 130)), None, "strangers");
        assert_eq!(fork_of(&master("a", None, 99)), None, "one history");
        let (left, right) = (master("b", Some(("a", 101)), 130), master("c", Some(("a", 111)), 140));
        assert_eq!(fork(&left, &right), Some(Fork { shared: 100, first: 30, second: 40 }));
    }

    #[test]
    fn offsets_are_compared_within_one_history_only() {
        let new = master("b", Some(("a", 101)), 130);
        assert!(comparable(&new, Some("b"), 500) && comparable(&new, Some("a"), 100));
        assert!(
            !comparable(&new, Some("a"), 101)
                && !comparable(&new, Some("x"), 1)
                && !comparable(&new, None, 1)
        );
    }
}
