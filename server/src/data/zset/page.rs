//! A page of a large sorted set: pairs in order of score, then of member.

use std::cmp::Ordering;
use std::ops::Range;

use triomphe::Arc;

use super::members::Members;
use crate::data::packed;
use crate::data::table::block_size;
use crate::data::tree::Leaf;

/// Pairs of a page, and bytes of its members: more are split, fewer than a quarter look for a neighbour.
pub(super) const PAIRS: usize = 128;
pub(super) const TEXT: usize = 4096;
/// What the tree holds for a page besides the pairs: the node, the entry above it, the head of its key.
const FRAME: usize = 192;

/// See the top of the file. As many scores as members.
#[derive(Debug, Clone, Default)]
pub(super) struct Page {
    scores: Vec<f64>,
    members: Members,
}

/// What a page is found by: its first pair when it came to be.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) score: f64,
    pub(super) member: Arc<[u8]>,
}

/// Which of two pairs comes first. Scores are never NaN, and both zeros are equal.
#[inline]
#[must_use]
pub fn order(score: f64, member: &[u8], other_score: f64, other: &[u8]) -> Ordering {
    match score.partial_cmp(&other_score) {
        Some(Ordering::Equal) | None => member.cmp(other),
        Some(different) => different,
    }
}

impl Page {
    /// The pair at an index.
    #[inline]
    pub(super) fn pair(&self, at: usize) -> Option<(f64, &[u8])> {
        self.scores.get(at).map(|score| (*score, self.members.get(at)))
    }

    /// How many pairs at the start satisfy a predicate, which must be true for smaller ones and false for larger ones.
    pub(super) fn partition(&self, before: impl Fn(f64, &[u8]) -> bool) -> usize {
        let (mut from, mut to) = (0, self.scores.len());
        while from < to {
            let middle = from.midpoint(to);
            if self.pair(middle).is_some_and(|(score, member)| before(score, member)) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        from
    }

    /// Where a pair stands, or would.
    pub(super) fn place(&self, score: f64, member: &[u8]) -> usize {
        // Texts are compared only among equal scores.
        let from = self.scores.partition_point(|other| *other < score);
        let mut to =
            from + self.scores.get(from..).unwrap_or_default().partition_point(|other| *other <= score);
        let mut at = from;
        while at < to {
            let middle = at.midpoint(to);
            if self.members.get(middle) < member {
                at = middle + 1;
            } else {
                to = middle;
            }
        }
        at
    }

    /// Puts a pair in its place.
    pub(super) fn insert(&mut self, score: f64, member: &[u8]) {
        let at = self.place(score, member);
        packed::make_room(&mut self.scores, 1);
        self.scores.insert(at, score);
        self.members.insert(at, member);
    }

    /// Removes a pair; false if it is not here.
    pub(super) fn remove(&mut self, score: f64, member: &[u8]) -> bool {
        let at = self.place(score, member);
        let here = at < self.scores.len() && self.members.get(at) == member;
        if here {
            self.drain(at..at + 1);
        }
        here
    }

    /// Gives a pair another score if it keeps its place, between neighbours of this page.
    pub(super) fn reorder(&mut self, old: f64, member: &[u8], new: f64) -> bool {
        let at = self.place(old, member);
        let fits = |neighbour: Option<usize>, wanted: Ordering| {
            neighbour
                .and_then(|at| self.pair(at))
                .is_some_and(|(score, text)| order(score, text, new, member) == wanted)
        };
        let stays = self.members.get(at) == member
            && fits(at.checked_sub(1), Ordering::Less)
            && fits(at.checked_add(1), Ordering::Greater);
        match self.scores.get_mut(at) {
            Some(score) if stays => {
                *score = new;
                true
            }
            _ => false,
        }
    }

    /// Asks the processor for the scores.
    pub(super) fn prefetch(&self) {
        packed::prefetch(&self.scores);
    }

    /// Adds a pair that comes behind all others.
    pub(super) fn push(&mut self, score: f64, member: &[u8]) {
        packed::make_room(&mut self.scores, 1);
        self.scores.push(score);
        self.members.insert(self.members.len(), member);
    }

    /// Removes the pairs of these indices.
    pub(super) fn drain(&mut self, range: Range<usize>) {
        let range = range.start.min(self.scores.len())..range.end.min(self.scores.len());
        self.members.remove(range.clone());
        self.scores.drain(range);
        packed::give_back(&mut self.scores);
    }

    /// Whether there is no room for a pair with a member of `text` bytes, as the pages of a new tree are filled.
    pub(super) fn is_full(&self, text: usize) -> bool {
        !self.scores.is_empty()
            && (self.scores.len() >= PAIRS * 3 / 4 || self.members.text_len() + text > TEXT * 3 / 4)
    }
}

impl Leaf for Page {
    type Key = Key;

    fn count(&self) -> usize {
        self.scores.len()
    }

    fn bytes(&self) -> usize {
        let key = block_size(16 + self.members.get(0).len());
        packed::memory(&self.scores) + self.members.memory() + key + FRAME
    }

    fn key(&self) -> Key {
        Key { score: self.scores.first().copied().unwrap_or(0.0), member: Arc::from(self.members.get(0)) }
    }

    fn is_overfull(&self) -> bool {
        self.scores.len() > PAIRS || self.members.text_len() > TEXT
    }

    fn split(&mut self) -> Self {
        let at = self.scores.len() / 2;
        let other = Self {
            scores: self.scores.get(at..).unwrap_or_default().to_vec(),
            members: self.members.split_off(at),
        };
        self.scores.truncate(at);
        packed::give_back(&mut self.scores);
        other
    }

    fn is_underfull(&self) -> bool {
        self.scores.len() < PAIRS / 4 && self.members.text_len() < TEXT / 4
    }

    fn absorb(&mut self, next: &Self) -> bool {
        let fits = self.scores.len() + next.scores.len() <= PAIRS * 3 / 4
            && self.members.text_len() + next.members.text_len() <= TEXT * 3 / 4;
        if fits {
            packed::make_room(&mut self.scores, next.scores.len());
            self.scores.extend_from_slice(&next.scores);
            self.members.append(&next.members);
        }
        fits
    }
}
