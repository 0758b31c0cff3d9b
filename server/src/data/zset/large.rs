//! A sorted set of many members: one tree in order, one by the hash of the member.

use std::ops::Range;

use foldhash::quality::FixedState;
use std::hash::BuildHasher;

use super::index::{self, Index};
use super::page::{Page, order};
use crate::data::tree::{Leaf, Tree};
use crate::resp::double;

/// Members looked ahead at together, at most.
const AHEAD: usize = 64;

/// See the top of the file. Both trees hold the same pairs. A clone takes constant time.
#[derive(Debug, Clone)]
pub(super) struct Large {
    pub(super) ordered: Tree<Page>,
    index: Index,
    seed: u64,
}

impl Large {
    /// An empty one, whose hashes follow from the seed.
    pub(super) fn new(seed: u64) -> Self {
        Self { ordered: Tree::default(), index: Index::default(), seed }
    }

    /// One of these pairs, in order; none if a member occurs twice.
    pub(super) fn build(pairs: &[(f64, &[u8])], seed: u64) -> Option<Self> {
        let mut pages = Vec::new();
        let mut page = Page::default();
        let mut hashed = Vec::with_capacity(pairs.len());
        for &(score, member) in pairs {
            if page.is_full(member.len()) {
                pages.push(std::mem::take(&mut page));
            }
            page.push(score, member);
            hashed.push((hash(seed, member), score, member));
        }
        if page.count() > 0 {
            pages.push(page);
        }
        hashed.sort_unstable_by_key(|(hash, ..)| *hash);
        let index = index::build(hashed.into_iter())?;
        Some(Self { ordered: Tree::from_leaves(pages), index, seed })
    }

    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + self.ordered.bytes() + self.index.bytes()
    }

    pub(super) fn score(&self, member: &[u8]) -> Option<f64> {
        index::score(&self.index, hash(self.seed, member), member)
    }

    /// See [`super::Zset::update`].
    pub(super) fn update(
        &mut self,
        member: &[u8],
        decide: impl FnOnce(Option<f64>) -> Option<f64>,
    ) -> (Option<f64>, Option<f64>) {
        let (old, new) = index::update(&mut self.index, hash(self.seed, member), member, decide);
        match (old, new) {
            (_, None) => {}
            (None, Some(new)) => self.order(new, member),
            (Some(old), Some(new)) => {
                let before = before_or_at(old, member);
                if !self.ordered.edit_by_key(before, |page| page.reorder(old, member, new)) {
                    self.disorder(old, member);
                    self.order(new, member);
                }
            }
        }
        (old, new)
    }

    pub(super) fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let score = index::remove(&mut self.index, hash(self.seed, member), member)?;
        self.disorder(score, member);
        Some(score)
    }

    /// Removes the pairs of these ranks.
    pub(super) fn remove_ranks(&mut self, ranks: Range<usize>) {
        let (mut rank, end) = (ranks.start, ranks.end.min(self.ordered.len()));
        while rank < end {
            let (page, at) = self.ordered.leaf_by_rank(rank);
            let (index, seed) = (&mut self.index, self.seed);
            for at in at..page.count().min(at + end - rank) {
                if let Some((_, member)) = page.pair(at) {
                    index::remove(index, hash(seed, member), member);
                }
            }
            rank += (page.count() - at).max(1);
        }
        self.ordered.remove_ranks(ranks.start..end, Page::drain);
    }

    /// How many pairs satisfy a predicate, which must be true for smaller ones and false for larger ones.
    pub(super) fn rank_of(&self, before: impl Fn(f64, &[u8]) -> bool) -> usize {
        let (page, rank) = self.ordered.leaf_by_key(|key| before(key.score, &key.member));
        rank + page.partition(before)
    }

    /// The rank of a pair that is here.
    pub(super) fn rank(&self, score: f64, member: &[u8]) -> usize {
        let (page, rank) = self.ordered.leaf_by_key(|key| before_or_at(score, member)(key));
        rank + page.place(score, member)
    }

    /// See [`super::Zset::look_ahead`].
    pub(super) fn look_ahead(&self, members: &[&[u8]], scores: &[&[u8]]) {
        let mut hashes = [0; AHEAD];
        for (hash, member) in hashes.iter_mut().zip(members) {
            *hash = self::hash(self.seed, member);
        }
        let hashes = hashes.get(..members.len()).unwrap_or(&hashes);
        let buckets = self.index.leaves_by_hash::<AHEAD>(hashes);
        let places = || buckets.iter().flatten().zip(hashes);
        places().for_each(|(bucket, _)| bucket.prefetch());
        if !scores.is_empty() {
            let mut wanted = [(0.0, &[][..]); AHEAD];
            for (pair, (score, member)) in wanted.iter_mut().zip(scores.iter().zip(members)) {
                *pair = (double::parse(score).unwrap_or(0.0), member);
            }
            let wanted = wanted.get(..members.len()).unwrap_or(&wanted);
            let pages = self.ordered.leaves_by_key::<AHEAD, _>(wanted, |(score, member), key| {
                order(key.score, &key.member, *score, member).is_le()
            });
            pages.iter().flatten().for_each(|page| page.prefetch());
        }
        places().for_each(|(bucket, hash)| bucket.prefetch_pair(*hash));
    }

    /// See [`super::Zset::scan`].
    pub(super) fn scan<'a>(&'a self, cursor: u64, count: usize, each: impl FnMut(&'a [u8], f64)) -> u64 {
        let Ok(from) = u32::try_from(cursor) else { return 0 };
        index::scan(&self.index, from, count, each).map_or(0, u64::from)
    }

    /// Frees about `budget` pairs; gives how many.
    pub(super) fn dismantle(&mut self, budget: usize) -> usize {
        let mut freed = 0;
        while freed < budget {
            let ordered = self.ordered.pop_leaf().map(|page| page.count());
            let indexed = self.index.pop_leaf().map(|bucket| bucket.count());
            if ordered.is_none() && indexed.is_none() {
                break;
            }
            freed += ordered.unwrap_or(0).max(indexed.unwrap_or(0));
        }
        freed
    }

    fn order(&mut self, score: f64, member: &[u8]) {
        self.ordered.edit_by_key(before_or_at(score, member), |page| page.insert(score, member));
    }

    fn disorder(&mut self, score: f64, member: &[u8]) {
        self.ordered.edit_by_key(before_or_at(score, member), |page| page.remove(score, member));
    }
}

/// Leads to the page of a pair.
fn before_or_at(score: f64, member: &[u8]) -> impl Fn(&super::page::Key) -> bool {
    move |key| order(key.score, &key.member, score, member).is_le()
}

/// Half of a seeded hash: enough to tell nearly all members apart, in half the memory.
#[inline]
fn hash(seed: u64, member: &[u8]) -> u32 {
    let whole = FixedState::with_seed(seed).hash_one(member);
    u32::try_from(whole >> 32).unwrap_or(0)
}
