//! A sorted set while it is made of others.

use std::hash::BuildHasher;

use foldhash::quality::FixedState;
use hashbrown::HashTable;

use super::request::Aggregate;
use crate::data::zset::order;

/// A result while it grows: members in one row of bytes, found by their hash.
pub(super) struct Made {
    texts: Vec<u8>,
    entries: Vec<Entry>,
    found: HashTable<usize>,
    state: FixedState,
}

struct Entry {
    start: usize,
    end: usize,
    score: f64,
}

impl Made {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            texts: Vec::new(),
            entries: Vec::new(),
            found: HashTable::new(),
            state: FixedState::with_seed(seed),
        }
    }

    fn text<'a>(texts: &'a [u8], entries: &[Entry], at: usize) -> &'a [u8] {
        entries.get(at).and_then(|entry| texts.get(entry.start..entry.end)).unwrap_or_default()
    }

    /// Adds a member that is new.
    pub(super) fn push(&mut self, member: &[u8], score: f64) {
        let start = self.texts.len();
        self.texts.extend_from_slice(member);
        self.entries.push(Entry { start, end: self.texts.len(), score });
    }

    /// Adds a member, or takes its scores together.
    pub(super) fn add(&mut self, member: &[u8], score: f64, aggregate: Aggregate) {
        let hash = self.state.hash_one(member);
        let (texts, entries) = (&self.texts, &self.entries);
        let known = self.found.find(hash, |&at| Self::text(texts, entries, at) == member).copied();
        if let Some(entry) = known.and_then(|at| self.entries.get_mut(at)) {
            entry.score = aggregate.join(entry.score, score);
            return;
        }
        let at = self.entries.len();
        self.push(member, score);
        let (texts, entries, state) = (&self.texts, &self.entries, &self.state);
        self.found.insert_unique(hash, at, |&at| state.hash_one(Self::text(texts, entries, at)));
    }

    /// The pairs as a sorted set has them.
    pub(super) fn in_order(&self) -> Vec<(f64, &[u8])> {
        let mut pairs: Vec<(f64, &[u8])> = (0..self.entries.len())
            .map(|at| (self.entries[at].score, Self::text(&self.texts, &self.entries, at)))
            .collect();
        pairs.sort_unstable_by(|a, b| order(a.0, a.1, b.0, b.1));
        pairs
    }
}
