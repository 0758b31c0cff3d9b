//! What is given up: a replica's keys for a master that came back with less, a former master's last writes.

use super::{Check, Seen, Verdict};
use crate::sim::canon::Index;

impl Check {
    /// A master that came back with nothing, and wrote nothing since, is not worth anybody's keys, and neither is one that
    /// came back older and did not write as much since. Who follows a replica goes where that one was told to go.
    pub(super) fn kept(&self, n: usize, index: Index, last: &Seen, seen: &Seen) -> Verdict {
        let Some(past) = self.canon.past(index) else { return Ok(()) };
        let empty = seen.keys == 0 && past.data_end == past.start && past.parent.is_none();
        // A person who makes a node a master knows what it is worth, and one that emptied itself did not come back.
        let went_on = self.absorbed.iter().any(|(_, _, new)| *new == index);
        if went_on || self.appointed.contains(&past.owner.node) {
            return Ok(());
        }
        let directly = seen.upstream.and_then(|(port, _)| self.ports.get(&port)) == Some(&past.owner.node);
        if !directly || last.upstream.is_none() || self.told.contains(&n) || last.keys == 0 {
            return Ok(());
        }
        if empty {
            return Err(format!("kept: it gave up {} keys for a master that came back empty", last.keys));
        }
        // What a cut of another history means can be said where both have something in common.
        let related = last.history.is_some_and(|before| self.canon.shared(before, index) > 0);
        let cut = self.nodes.get(&n).and_then(|known| known.cut).filter(|(history, _)| *history == index);
        match cut {
            Some((_, cut)) if related && seen.previous.is_none() && cut < last.offset => {
                Err(format!("kept: it gave up {} bytes for a master that came back older", last.offset - cut))
            }
            _ => Ok(()),
        }
    }

    /// What is counted as lost is what a full resync took away that nobody else had.
    pub(super) fn lost(
        &self,
        n: usize,
        (before, index): (Index, Index),
        last: &Seen,
        seen: &Seen,
    ) -> Verdict {
        let full = seen.upstream.is_some() && seen.previous.is_none();
        if !full {
            return self.nothing_lost(last, seen);
        }
        let counted = seen.lost - last.lost;
        let gone = last.offset - self.canon.shared(before, index).min(last.offset);
        if counted > 0 && counted != gone {
            return Err(format!("lost: it counted {counted} bytes, {gone} were given up"));
        }
        // Its new master can tell it where they parted, unless it was told to take over by force.
        let master = seen.upstream.and_then(|(port, _)| self.seen(*self.ports.get(&port)?));
        let parted = master.filter(|master| master.id == seen.id).and_then(|master| master.previous);
        let mastered = self.nodes.get(&n).is_some_and(|known| known.mastered) && !last.hands_over;
        match parted {
            Some((id, shared)) if mastered && id == last.id && shared < last.offset && counted == 0 => {
                Err(format!("lost: it gave up {gone} bytes and counted none"))
            }
            _ => Ok(()),
        }
    }

    /// Nothing was given up.
    pub(super) fn nothing_lost(&self, last: &Seen, seen: &Seen) -> Verdict {
        if seen.lost == last.lost {
            return Ok(());
        }
        Err(format!("lost: it counted {} bytes and gave up none", seen.lost - last.lost))
    }

    /// Node `n` keeps the end of its stream in a file: it has to be the end of its stream.
    pub fn tail_kept(&mut self, n: usize, name: &str, bytes: &[u8]) {
        let verdict = self.judge_tail(n, name, bytes);
        self.note(|| format!("node {n}"), verdict);
    }

    fn judge_tail(&self, n: usize, name: &str, bytes: &[u8]) -> Verdict {
        let Some(Seen { history: Some(index), kept: Some(kept), offset, .. }) = self.seen(n) else {
            return Err(format!("lost: it keeps {name} and has no stream"));
        };
        let numbers = name.strip_suffix(".resp").unwrap_or_default().rsplit('-');
        let mut numbers = numbers.filter_map(|word| word.parse::<u64>().ok());
        let (Some(to), Some(from)) = (numbers.next(), numbers.next()) else {
            return Err(format!("lost: {name} does not say what it holds"));
        };
        let start = from.saturating_sub(1).max(kept.start);
        let whole = to == *offset && start + bytes.len() as u64 == to;
        if whole && self.canon.matching(*index, start, bytes) == bytes.len() {
            return Ok(());
        }
        Err(format!(
            "lost: {name} holds {} bytes that are not the end of its stream at {offset}",
            bytes.len()
        ))
    }
}
