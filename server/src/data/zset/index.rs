//! The members of a large sorted set by the hash of each, with its score: a second tree beside the ordered one.
//!
//! It has the members' texts too. So asking for a score is one search, two members whose hashes are equal are told apart on the
//! spot, and a walk in the order of hashes (ZSCAN) shows a member once whatever becomes of its score meanwhile.
//!
//! Members with equal hashes stand in one page.

use super::members::Members;
use super::page::{PAIRS, TEXT};
use crate::data::packed;
use crate::data::tree::{Leaf, Tree};

/// What the tree holds for a page besides its members: the node and the entry above it.
const FRAME: usize = 208;

/// A page: members in the order of their hashes. As many hashes as scores as members.
#[derive(Debug, Clone, Default)]
pub(super) struct Bucket {
    hashes: Vec<u32>,
    scores: Vec<f64>,
    members: Members,
}

/// Members by hash.
pub(super) type Index = Tree<Bucket>;

/// The score of a member.
pub(super) fn score(index: &Index, hash: u32, member: &[u8]) -> Option<f64> {
    let bucket = index.leaf_by_hash(hash);
    bucket.scores.get(bucket.find(hash, member).ok()?).copied()
}

/// Shows `decide` the score of a member and gives it the one that it says; gives both. A member without a score is not there, and
/// one for which nothing is said stays as it is.
pub(super) fn update(
    index: &mut Index,
    hash: u32,
    member: &[u8],
    decide: impl FnOnce(Option<f64>) -> Option<f64>,
) -> (Option<f64>, Option<f64>) {
    index.edit_by_hash(hash, |bucket| match bucket.find(hash, member) {
        Ok(at) => {
            let old = bucket.scores.get(at).copied();
            let new = decide(old);
            if let (Some(score), Some(new)) = (bucket.scores.get_mut(at), new) {
                *score = new;
            }
            (old, new)
        }
        Err(at) => {
            let new = decide(None);
            if let Some(new) = new {
                bucket.insert(at, hash, new, member);
            }
            (None, new)
        }
    })
}

/// Takes a member out; gives its score.
pub(super) fn remove(index: &mut Index, hash: u32, member: &[u8]) -> Option<f64> {
    index.edit_by_hash(hash, |bucket| {
        let at = bucket.find(hash, member).ok()?;
        let score = bucket.scores.get(at).copied();
        bucket.remove(at);
        score
    })
}

/// Shows the members whose hashes are at least `from`, at least `count` of them, all of one hash together. Gives the hash to go
/// on from; none at the end.
pub(super) fn scan<'a>(
    index: &'a Index,
    from: u32,
    count: usize,
    mut each: impl FnMut(&'a [u8], f64),
) -> Option<u32> {
    let (mut bucket, before) = index.leaf_by_key(|key| *key <= from);
    let mut at = bucket.hashes.partition_point(|hash| *hash < from);
    let (mut rank, mut shown, mut last) = (before + at, 0, None);
    while rank < index.len() {
        if at >= bucket.hashes.len() {
            (bucket, at) = index.leaf_by_rank(rank);
        }
        let hash = bucket.hashes.get(at).copied();
        if shown >= count && hash != last {
            return hash;
        }
        last = hash;
        each(bucket.members.get(at), bucket.scores.get(at).copied().unwrap_or(0.0));
        (at, rank, shown) = (at + 1, rank + 1, shown + 1);
    }
    None
}

/// An index of these members, hashed already and in order of the hashes; none if a member occurs twice.
pub(super) fn build<'a>(sorted: impl Iterator<Item = (u32, f64, &'a [u8])>) -> Option<Index> {
    let mut buckets = Vec::new();
    let mut bucket = Bucket::default();
    for (hash, score, member) in sorted {
        let full =
            bucket.hashes.len() >= PAIRS * 3 / 4 || bucket.members.text_len() + member.len() > TEXT * 3 / 4;
        if full && bucket.hashes.last().is_some_and(|last| *last != hash) {
            buckets.push(std::mem::take(&mut bucket));
        }
        let at = bucket.find(hash, member).err()?;
        bucket.insert(at, hash, score, member);
    }
    if !bucket.hashes.is_empty() {
        buckets.push(bucket);
    }
    Some(Tree::from_leaves(buckets))
}

impl Bucket {
    /// Asks the processor for the hashes.
    pub(super) fn prefetch(&self) {
        packed::prefetch(&self.hashes);
    }

    /// Asks the processor for the score and the text that stand at a hash, if there are any; the hashes were asked for before.
    pub(super) fn prefetch_pair(&self, hash: u32) {
        let at = self.hashes.partition_point(|other| *other < hash);
        packed::prefetch(self.scores.get(at..=at).unwrap_or_default());
        packed::prefetch(self.members.get(at));
    }

    /// Where a member stands, or where it may be put.
    #[inline]
    fn find(&self, hash: u32, member: &[u8]) -> Result<usize, usize> {
        let mut at = self.hashes.partition_point(|other| *other < hash);
        while self.hashes.get(at) == Some(&hash) {
            if self.members.get(at) == member {
                return Ok(at);
            }
            at += 1;
        }
        Err(at)
    }

    fn insert(&mut self, at: usize, hash: u32, score: f64, member: &[u8]) {
        packed::make_room(&mut self.hashes, 1);
        self.hashes.insert(at, hash);
        packed::make_room(&mut self.scores, 1);
        self.scores.insert(at, score);
        self.members.insert(at, member);
    }

    fn remove(&mut self, at: usize) {
        self.hashes.remove(at);
        packed::give_back(&mut self.hashes);
        self.scores.remove(at);
        packed::give_back(&mut self.scores);
        self.members.remove(at..at + 1);
    }
}

impl Leaf for Bucket {
    type Key = u32;

    fn count(&self) -> usize {
        self.hashes.len()
    }

    fn bytes(&self) -> usize {
        packed::memory(&self.hashes) + packed::memory(&self.scores) + self.members.memory() + FRAME
    }

    fn key(&self) -> u32 {
        self.hashes.first().copied().unwrap_or(0)
    }

    fn is_overfull(&self) -> bool {
        // Members of one hash are never parted.
        (self.hashes.len() > PAIRS || self.members.text_len() > TEXT)
            && self.hashes.first() != self.hashes.last()
    }

    fn split(&mut self) -> Self {
        let middle = self.hashes.get(self.hashes.len() / 2).copied().unwrap_or(0);
        let at = match self.hashes.partition_point(|hash| *hash < middle) {
            0 => self.hashes.partition_point(|hash| *hash <= middle),
            at => at,
        };
        let other = Self {
            hashes: self.hashes.get(at..).unwrap_or_default().to_vec(),
            scores: self.scores.get(at..).unwrap_or_default().to_vec(),
            members: self.members.split_off(at),
        };
        self.hashes.truncate(at);
        packed::give_back(&mut self.hashes);
        self.scores.truncate(at);
        packed::give_back(&mut self.scores);
        other
    }

    fn is_underfull(&self) -> bool {
        self.hashes.len() < PAIRS / 4 && self.members.text_len() < TEXT / 4
    }

    fn absorb(&mut self, next: &Self) -> bool {
        let fits = self.hashes.len() + next.hashes.len() <= PAIRS * 3 / 4
            && self.members.text_len() + next.members.text_len() <= TEXT * 3 / 4;
        if fits {
            packed::make_room(&mut self.hashes, next.hashes.len());
            self.hashes.extend_from_slice(&next.hashes);
            packed::make_room(&mut self.scores, next.scores.len());
            self.scores.extend_from_slice(&next.scores);
            self.members.append(&next.members);
        }
        fits
    }
}
