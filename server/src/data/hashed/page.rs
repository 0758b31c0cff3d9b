//! A page of elements in order of their hashes: the leaf of the tree.
//!
//! Two rows of bytes: the slots, which are searched, and an arena of entries in the order they came. An entry that is replaced by one
//! of another size, or removed, leaves its bytes behind until a quarter of the arena is like that.
//!
//! Elements of equal hash are never parted, so that looking for one looks into one page. A page of nothing else grows without limit;
//! hashes are seeded, so nobody can bring that about.

use std::sync::Arc;

use super::aside::Aside;
use super::entry::{Entry, LONG, Text};
use super::slots::Slots;
use crate::data::packed;
use crate::data::table::prefetch;
use crate::data::tree::Leaf;

/// A page with more elements, or more bytes of them, is split.
const MOST: usize = 256;
const MOST_BYTES: usize = 4096;
/// A page with fewer elements and fewer bytes may join its neighbour, if the two stay below three quarters of the limits.
const FEW: usize = 64;
const FEW_BYTES: usize = 1024;
/// Fewer bytes left behind than this are never worth a copy of the arena.
const LITTLE: usize = 128;

/// See the top of the file. `PAIRS`: elements have values.
#[derive(Debug, Clone, Default)]
pub(super) struct Page<const PAIRS: bool> {
    slots: Slots,
    arena: Vec<u8>,
    /// Bytes of the arena that no slot leads to.
    dead: usize,
    /// Texts that lie outside the page; an entry knows the places of its own.
    long: Aside,
}

/// What became of a value that was to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// The field is new.
    New,
    /// It was there.
    Replaced,
}

impl<const PAIRS: bool> Page<PAIRS> {
    /// The index of a field.
    #[inline]
    pub(super) fn find(&self, hash: u32, field: &[u8]) -> Option<usize> {
        self.search(hash, field).ok()
    }

    /// The field and the value at an index; empty texts past the end.
    #[inline]
    pub(super) fn at(&self, index: usize) -> (&[u8], &[u8]) {
        match self.entry(index) {
            Some(entry) => (self.text(entry.field), self.text(entry.value)),
            None => (&[], &[]),
        }
    }

    /// The hash at an index.
    #[inline]
    pub(super) fn hash_at(&self, index: usize) -> u32 {
        self.slots.hash(index)
    }

    /// The first index whose hash is not below `hash`.
    pub(super) fn lower_bound(&self, hash: u32) -> usize {
        self.slots.lower_bound(hash)
    }

    /// Asks the processor for what a search will read first.
    #[inline]
    pub(super) fn prefetch_slots(&self, hash: u32) {
        self.slots.prefetch(hash);
    }

    /// Asks the processor for what a search for a field of `len` bytes will compare with; reads slots.
    #[inline]
    pub(super) fn prefetch_entry(&self, hash: u32, len: usize) {
        let index = self.slots.lower_bound(hash).min(self.count().saturating_sub(1));
        let start = self.arena.as_ptr().wrapping_add(self.slots.offset(index));
        prefetch(start);
        prefetch(start.wrapping_add(len));
    }

    /// Adds a field with its value, or gives the field that is there this value.
    pub(super) fn store(&mut self, hash: u32, field: &[u8], value: &[u8]) -> Stored {
        match self.search(hash, field) {
            Ok(index) => {
                if PAIRS {
                    self.replace(index, value);
                }
                Stored::Replaced
            }
            Err(index) => {
                let entry = Entry { field: self.keep(field), value: self.keep(value) };
                self.insert(index, hash, entry);
                Stored::New
            }
        }
    }

    /// Takes the element at an index out.
    pub(super) fn remove(&mut self, index: usize) {
        let Some(entry) = self.entry(index) else { return };
        let (size, texts) = (entry.size::<PAIRS>(), [entry.field, entry.value].map(place));
        texts.into_iter().flatten().for_each(|place| self.long.release(place));
        self.slots.remove(index);
        self.bury(size);
    }

    /// The index of a field, or the one it would have.
    #[inline]
    fn search(&self, hash: u32, field: &[u8]) -> Result<usize, usize> {
        let mut index = self.slots.lower_bound(hash);
        while index < self.slots.len() && self.slots.hash(index) == hash {
            if self.entry(index).is_some_and(|entry| self.text(entry.field) == field) {
                return Ok(index);
            }
            index += 1;
        }
        Err(index)
    }

    #[inline]
    fn entry(&self, index: usize) -> Option<Entry<'_>> {
        if index >= self.slots.len() {
            return None;
        }
        Entry::read::<PAIRS>(&self.arena, self.slots.offset(index))
    }

    #[inline]
    fn text<'a>(&'a self, text: Text<'a>) -> &'a [u8] {
        match text {
            Text::Short(bytes) => bytes,
            Text::Long(place) => self.long.get(place).map_or(&[], |text| text),
        }
    }

    fn insert(&mut self, index: usize, hash: u32, entry: Entry<'_>) {
        let at = self.arena.len();
        packed::make_room(&mut self.arena, entry.size::<PAIRS>());
        entry.write::<PAIRS>(&mut self.arena);
        self.slots.insert(index, hash, at);
    }

    fn replace(&mut self, index: usize, value: &[u8]) {
        let at = self.slots.offset(index);
        let Some(old) = Entry::read::<PAIRS>(&self.arena, at) else { return };
        let size = old.size::<PAIRS>();
        if let Text::Short(bytes) = old.value
            && bytes.len() == value.len()
        {
            let end = at + size;
            if let Some(room) = self.arena.get_mut(end - value.len()..end) {
                room.copy_from_slice(value);
            }
            return;
        }
        // The field goes on where it is kept, short ones by a copy.
        let (old_place, field) = (place(old.value), old.field);
        let mut moved = Vec::new();
        let field = match field {
            Text::Short(bytes) => {
                moved.extend_from_slice(bytes);
                Text::Short(&moved)
            }
            Text::Long(place) => Text::Long(place),
        };
        if let Some(place) = old_place {
            self.long.release(place);
        }
        let entry = Entry { field, value: self.keep(value) };
        let offset = self.arena.len();
        packed::make_room(&mut self.arena, entry.size::<PAIRS>());
        entry.write::<PAIRS>(&mut self.arena);
        self.slots.move_to(index, offset);
        self.bury(size);
    }

    /// A text as an entry holds it; a long one is put aside.
    fn keep<'a>(&mut self, text: &'a [u8]) -> Text<'a> {
        if text.len() < LONG { Text::Short(text) } else { Text::Long(self.long.put(Arc::from(text))) }
    }

    /// Some bytes of the arena are of no use any more.
    fn bury(&mut self, size: usize) {
        self.dead += size;
        if self.dead > LITTLE.max(self.arena.len() / 4) {
            *self = self.part(0..self.slots.len());
        }
    }

    /// A page of some of the elements.
    fn part(&self, indices: std::ops::Range<usize>) -> Self {
        let mut part = Self::default();
        part.arena.reserve_exact(
            (self.arena.len() - self.dead).min(2 * MOST_BYTES) * indices.len() / self.slots.len().max(1),
        );
        part.take(self, indices);
        packed::give_back(&mut part.arena);
        part
    }

    /// Adds some of another page's elements behind all its own.
    fn take(&mut self, other: &Self, indices: std::ops::Range<usize>) {
        for index in indices {
            let Some(entry) = other.entry(index) else { continue };
            let field = self.adopt(other, entry.field);
            let value = self.adopt(other, entry.value);
            self.insert(self.slots.len(), other.slots.hash(index), Entry { field, value });
        }
    }

    fn adopt<'a>(&mut self, other: &Self, text: Text<'a>) -> Text<'a> {
        match text {
            Text::Short(_) => text,
            Text::Long(place) => {
                other.long.get(place).map_or(Text::Short(&[]), |text| Text::Long(self.long.put(text.clone())))
            }
        }
    }

    /// Bytes of elements.
    pub(super) fn live(&self) -> usize {
        self.arena.len() - self.dead
    }
}

impl<const PAIRS: bool> Leaf for Page<PAIRS> {
    type Key = u32;

    #[inline]
    fn count(&self) -> usize {
        self.slots.len()
    }

    fn bytes(&self) -> usize {
        // The page itself lies behind a count of its sharers.
        let own = size_of::<Self>() + size_of::<usize>();
        own + self.slots.memory() + packed::memory(&self.arena) + self.long.memory()
    }

    fn key(&self) -> u32 {
        self.slots.hash(0)
    }

    fn is_overfull(&self) -> bool {
        (self.count() > MOST || self.live() > MOST_BYTES)
            && self.slots.hash(0) != self.slots.hash(self.count().saturating_sub(1))
    }

    fn split(&mut self) -> Self {
        let at = self.slots.parting().unwrap_or(self.count());
        let behind = self.part(at..self.count());
        *self = self.part(0..at);
        behind
    }

    fn is_underfull(&self) -> bool {
        self.count() < FEW && self.live() < FEW_BYTES
    }

    fn absorb(&mut self, next: &Self) -> bool {
        let fits =
            self.count() + next.count() <= MOST * 3 / 4 && self.live() + next.live() <= MOST_BYTES * 3 / 4;
        if fits {
            self.take(next, 0..next.count());
        }
        fits
    }
}

fn place(text: Text<'_>) -> Option<u32> {
    match text {
        Text::Short(_) => None,
        Text::Long(place) => Some(place),
    }
}
