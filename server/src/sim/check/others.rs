//! What holds between several nodes: who follows whom, and who holds a write.

use super::{Check, Seen, Verdict};
use crate::sim::canon::{Index, Owner};

impl Check {
    /// A ring that holds the owner of its history, or of two, never comes about. A longer one cannot be told from a chain
    /// by any of its members; it lasts no longer than silence does.
    pub(super) fn no_ring(&self, n: usize) -> Verdict {
        let (mut at, mut owned) = (n, false);
        for length in 1..=self.nodes.len() {
            let Some(Seen { upstream: Some((port, true)), history, .. }) = self.seen(at) else {
                return Ok(());
            };
            let incarnation = self.nodes.get(&at).map_or(0, |known| known.incarnation);
            let owner = history.and_then(|index| self.canon.past(index)).map(|past| past.owner);
            owned |= owner == Some(Owner { node: at, incarnation });
            let Some(&next) = self.ports.get(port) else { return Ok(()) };
            if next == n && (length <= 2 || owned) {
                return Err("no ring: it follows itself by links that are all up".into());
            }
            at = next;
        }
        Ok(())
    }

    /// WAIT on node `n` counted `count` replicas behind a write that ends at a position of a history.
    pub fn waited(&mut self, n: usize, write: (Index, u64), count: usize) {
        let others = self.nodes.iter().filter(|(other, _)| **other != n);
        let holders =
            others.filter(|(_, known)| known.ever.iter().any(|held| self.holds(*held, write))).count();
        if count > holders {
            let why = format!("waited: WAIT counts {count} replicas, {holders} ever held the write");
            self.note(|| format!("node {n}"), Err(why));
        }
    }

    /// Who is so far in that history holds the write.
    fn holds(&self, (held, upto): (Index, u64), (index, position): (Index, u64)) -> bool {
        if upto >= position && self.canon.shared(held, index) >= position {
            return true;
        }
        self.absorbed.iter().any(|&(old, end, new)| {
            let start = self.canon.past(new).map_or(0, |past| past.start);
            new > index
                && self.canon.shared(old, index).min(end) >= position
                && self.holds((held, upto), (new, start))
        })
    }
}
