//! Unused bytes before a listpack, so that a queue is no longer moved with every element.
//!
//! They begin with a mark: their own number, and the highest bit, which a listpack's total never has. So a listpack is no larger
//! for it, and one without a gap is just its bytes. A gap has at least the four bytes of its mark.

use super::entry::Entry;
use super::{HEADER, Listpack};
use crate::data::packed;

/// What tells a gap from a total.
const MARK: u32 = 1 << 31;
/// The bytes of a mark.
const LEAST: usize = 4;
/// Below this many bytes moving them costs less than thinking about it.
const WORTH: usize = 128;

impl Listpack {
    /// Where the header is: the length of the gap.
    #[inline]
    pub(super) fn base(&self) -> usize {
        let first = self.bytes.first_chunk().map_or(0, |first| u32::from_le_bytes(*first));
        // Four bytes make a usize on every machine this runs on.
        if first & MARK == 0 { 0 } else { usize::try_from(first & !MARK).unwrap_or(0) }
    }

    /// Puts an entry before the first one.
    #[inline]
    pub(super) fn open(&mut self, entry: &Entry<'_>) {
        let (size, count) = (entry.size(), self.added(1));
        let mut base = self.base();
        if base < size || (1..LEAST).contains(&(base - size)) {
            base = self.widen(base, size);
        }
        let start = base - size;
        entry.write(&mut self.bytes[start + HEADER..]);
        self.move_header(start, count);
    }

    /// Takes away the first `size` bytes of entries, which are `elements`. False if that is not worth a gap, and nothing is done.
    #[inline]
    pub(super) fn advance(&mut self, size: usize, elements: usize) -> bool {
        let base = self.base();
        let (start, live) = (base + size, self.bytes.len() - base);
        if start < LEAST || live < WORTH {
            return false;
        }
        let count = self.without(elements);
        self.move_header(start, count);
        self.give_back();
        true
    }

    /// Makes room behind the last entry out of the gap, if there is enough of it to be worth the move.
    #[inline]
    pub(super) fn make_room(&mut self, more: usize) {
        if self.bytes.len() + more > self.bytes.capacity() {
            let base = self.base();
            if base >= WORTH && base / 2 >= more {
                self.shift(base, base / 2);
            } else {
                packed::make_room(&mut self.bytes, more);
            }
        }
    }

    /// Gives memory back once a quarter of it is unused, the gap included.
    #[inline]
    pub(super) fn give_back(&mut self) {
        let base = self.base();
        let unused = self.bytes.capacity() - (self.bytes.len() - base);
        if unused > self.bytes.capacity() / 4 {
            if base > 0 {
                self.shift(base, 0);
            }
            packed::give_back(&mut self.bytes);
        }
    }

    /// Makes the gap at least `size` bytes long, and either just that or with room for a mark beside it; gives its new length.
    #[cold]
    fn widen(&mut self, base: usize, size: usize) -> usize {
        let live = self.bytes.len() - base;
        let needed = live + size;
        let grows = needed > self.bytes.capacity();
        if grows {
            let more = needed - self.bytes.len();
            packed::make_room(&mut self.bytes, more);
        }
        let spare = self.bytes.capacity() - needed;
        // A row that just grew at its front will go on; else both ends get their share of what there is.
        let room = if grows { spare } else { spare / 2 };
        let room = if needed < WORTH || room < LEAST { 0 } else { room };
        self.shift(base, size + room);
        size + room
    }

    /// Moves header and entries from `base` to `to`; a gap of less than a mark is one only until the header moves again.
    fn shift(&mut self, base: usize, to: usize) {
        let end = self.bytes.len();
        if to > base {
            self.bytes.resize(end + (to - base), 0);
        }
        self.bytes.copy_within(base..end, to);
        self.bytes.truncate(to + (end - base));
        self.mark(to);
    }

    /// Writes the header at a new place.
    #[inline]
    fn move_header(&mut self, to: usize, count: u16) {
        self.mark(to);
        let total = u32::try_from(self.bytes.len() - to).unwrap_or(u32::MAX);
        self.bytes[to..to + 4].copy_from_slice(&total.to_le_bytes());
        self.bytes[to + 4..to + HEADER].copy_from_slice(&count.to_le_bytes());
    }

    #[inline]
    fn mark(&mut self, base: usize) {
        if base >= LEAST {
            let mark = u32::try_from(base).unwrap_or(0) | MARK;
            self.bytes[..4].copy_from_slice(&mark.to_le_bytes());
        }
    }
}
