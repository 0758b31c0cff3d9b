//! Elements found by the hash of a text: what a large set and a large hash are made of.
//!
//! A tree of pages in order of a seeded hash of 32 bits. So an element is found in logarithmic time, by its text or by its rank; a walk
//! can go on from a number, whatever has changed meanwhile; and cloning takes constant time, as for every tree.
//!
//! Who adds and finds needs the same seed: it is drawn when the first element comes and stays.

mod aside;
mod bulk;
mod entry;
mod page;
mod slots;

#[cfg(test)]
mod tests;

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;

pub use self::bulk::Bulk;
use self::page::{Page, Stored};
use super::tree::{Leaf, Tree};

/// Fields looked ahead at together, at most.
const AHEAD: usize = 64;

/// See the top of the file. With `PAIRS` each element has a value besides the text that it is found by; without, values are empty.
#[derive(Debug, Clone)]
pub struct Hashed<const PAIRS: bool> {
    tree: Tree<Page<PAIRS>>,
    hasher: FixedState,
}

impl<const PAIRS: bool> Hashed<PAIRS> {
    /// An empty one, whose hashes follow from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { tree: Tree::default(), hasher: FixedState::with_seed(seed) }
    }

    /// Elements.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.tree.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tree.is_empty()
    }

    /// Bytes of memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.tree.bytes() + size_of::<FixedState>()
    }

    /// The value of a field.
    #[must_use]
    #[inline]
    pub fn get(&self, field: &[u8]) -> Option<&[u8]> {
        let hash = self.hash(field);
        let page = self.page_of(hash);
        page.find(hash, field).map(|index| page.at(index).1)
    }

    /// Is it there.
    #[must_use]
    #[inline]
    pub fn contains(&self, field: &[u8]) -> bool {
        let hash = self.hash(field);
        self.page_of(hash).find(hash, field).is_some()
    }

    /// Adds a field, or gives the one that is there another value; true if it is new.
    pub fn store(&mut self, field: &[u8], value: &[u8]) -> bool {
        let hash = self.hash(field);
        self.tree.edit_by_hash(hash, |page| page.store(hash, field, value)) == Stored::New
    }

    /// Removes a field; false if it is not there.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        let hash = self.hash(field);
        self.tree.edit_by_key(
            |&key| key <= hash,
            |page| {
                let found = page.find(hash, field);
                if let Some(index) = found {
                    page.remove(index);
                }
                found.is_some()
            },
        )
    }

    /// Fetches what finding these fields will read, step by step for all of them, so that the processor waits for memory once for many
    /// and not for each.
    pub fn look_ahead(&self, fields: &[&[u8]]) {
        let mut hashes = [0; AHEAD];
        for (hash, field) in hashes.iter_mut().zip(fields) {
            *hash = self.hash(field);
        }
        let hashes = hashes.get(..fields.len()).unwrap_or(&hashes);
        let pages = self.tree.leaves_by_hash::<AHEAD>(hashes);
        let places = || pages.iter().flatten().zip(hashes);
        places().for_each(|(page, hash)| page.prefetch_slots(*hash));
        places().zip(fields).for_each(|((page, hash), field)| page.prefetch_entry(*hash, field.len()));
    }

    /// The field and the value of a rank in the order of hashes.
    #[must_use]
    pub fn at(&self, rank: usize) -> Option<(&[u8], &[u8])> {
        if rank >= self.len() {
            return None;
        }
        let (page, index) = self.tree.leaf_by_rank(rank);
        Some(page.at(index))
    }

    /// Removes the element of a rank, after `look` has seen its field and value.
    pub fn take<R>(&mut self, rank: usize, look: impl FnOnce(&[u8], &[u8]) -> R) -> Option<R> {
        if rank >= self.len() {
            return None;
        }
        Some(self.tree.edit_by_rank(rank, |page, index| {
            let (field, value) = page.at(index);
            let result = look(field, value);
            page.remove(index);
            result
        }))
    }

    /// Shows `count` elements, or as many as there are, from a rank on; gives the next rank. As long as nothing changes, a walk from 0 on
    /// by the ranks given meets each element once, and is over at [`Hashed::len`].
    pub fn walk(&self, from: usize, count: usize, mut each: impl FnMut(&[u8], &[u8])) -> usize {
        let end = from.saturating_add(count).min(self.len());
        let mut rank = from;
        while rank < end {
            let (page, index) = self.tree.leaf_by_rank(rank);
            let stop = page.count().min(index + (end - rank));
            if stop <= index {
                break;
            }
            for index in index..stop {
                let (field, value) = page.at(index);
                each(field, value);
            }
            rank += stop - index;
        }
        rank
    }

    /// Shows about `count` elements from a cursor on and gives the next cursor. Cursor 0 starts, and 0 is given at the end. Whatever
    /// changes in between, an element that stays is met at least once, and no text twice that was there all the time.
    pub fn scan(&self, cursor: u64, count: usize, mut each: impl FnMut(&[u8], &[u8])) -> u64 {
        // A cursor is the least hash that was not met yet.
        let Ok(least) = u32::try_from(cursor) else { return 0 };
        let (page, before) = self.tree.leaf_by_key(|&key| key <= least);
        let mut rank = before + page.lower_bound(least);
        let (mut left, mut last) = (count.max(1), None);
        while rank < self.len() {
            let (page, from) = self.tree.leaf_by_rank(rank);
            for index in from..page.count() {
                let hash = page.hash_at(index);
                // Elements of one hash are met together: the cursor cannot part them.
                if left == 0 && last != Some(hash) {
                    return u64::from(hash);
                }
                let (field, value) = page.at(index);
                each(field, value);
                (left, last) = (left.saturating_sub(1), Some(hash));
            }
            rank += (page.count() - from).max(1);
        }
        0
    }

    /// Frees about `budget` elements; gives how many.
    pub fn dismantle(&mut self, budget: usize) -> usize {
        let mut freed = 0;
        while freed < budget.max(1) {
            let Some(page) = self.tree.pop_leaf() else { break };
            freed += page.count();
        }
        freed
    }

    #[inline]
    fn hash(&self, field: &[u8]) -> u32 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(field);
        (hasher.finish() >> 32) as u32
    }

    #[inline]
    fn page_of(&self, hash: u32) -> &Page<PAIRS> {
        self.tree.leaf_by_hash(hash)
    }
}
