//! The index of a page: for each element its hash and where it lies, in order of the hashes.
//!
//! Six bytes a slot: a hash of 32 bits and an offset of 16, both little-endian. Once a page is longer than 16 bits can say, which
//! takes very many equal hashes, offsets have 32 bits and slots eight bytes.

use crate::data::packed;
use crate::data::table::prefetch;

const HASH: usize = 4;
const NARROW: usize = HASH + 2;
const WIDE: usize = HASH + 4;

/// How far from where it should be, were hashes spread evenly, a hash is looked for before all slots are. The hashes of a full page
/// wander by about half of it.
const NEAR: usize = 12;

/// See the top of the file.
#[derive(Debug, Clone, Default)]
pub(super) struct Slots {
    bytes: Vec<u8>,
    /// The hashes of both ends, 0 when there is none: they say where to look without a look at the ends.
    least: u32,
    greatest: u32,
    wide: bool,
}

impl Slots {
    /// Slots.
    #[inline]
    pub(super) fn len(&self) -> usize {
        if self.wide { self.bytes.len() / WIDE } else { self.bytes.len() / NARROW }
    }

    /// Bytes from the allocator.
    pub(super) fn memory(&self) -> usize {
        packed::memory(&self.bytes)
    }

    /// The hash at an index; the greatest past the end.
    #[inline]
    pub(super) fn hash(&self, index: usize) -> u32 {
        let at = index * self.width();
        self.bytes
            .get(at..)
            .and_then(|rest| rest.first_chunk())
            .map_or(u32::MAX, |bytes| u32::from_le_bytes(*bytes))
    }

    /// The offset at an index, which must be one.
    #[inline]
    pub(super) fn offset(&self, index: usize) -> usize {
        let rest = self.bytes.get(index * self.width() + HASH..).unwrap_or_default();
        let offset = if self.wide {
            rest.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
        } else {
            rest.first_chunk().map_or(0, |bytes| u32::from(u16::from_le_bytes(*bytes)))
        };
        usize::try_from(offset).unwrap_or(usize::MAX)
    }

    /// The first index whose hash is not below `hash`.
    #[inline]
    pub(super) fn lower_bound(&self, hash: u32) -> usize {
        let len = self.len();
        let Some(last) = len.checked_sub(1) else { return 0 };
        if hash <= self.least {
            return 0;
        }
        if hash > self.greatest {
            return len;
        }
        let guess = self.guess(hash, last);
        let (mut low, mut high) = (guess.saturating_sub(NEAR), (guess + NEAR).min(last));
        if self.hash(low) >= hash {
            low = 0;
        }
        if self.hash(high) < hash {
            high = last;
        }
        // The hash at `high` is never below.
        while low < high {
            let middle = low + (high - low) / 2;
            if self.hash(middle) < hash {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Where a hash would be, were hashes spread evenly; `last` is the last index.
    #[inline]
    fn guess(&self, hash: u32, last: usize) -> usize {
        let whole = self.greatest.wrapping_sub(self.least).max(1);
        let part = hash.saturating_sub(self.least).min(whole);
        usize::try_from(u64::from(part) * last as u64 / u64::from(whole)).unwrap_or(0)
    }

    /// Asks the processor for where a hash will be looked for first.
    #[inline]
    pub(super) fn prefetch(&self, hash: u32) {
        let last = self.len().saturating_sub(1);
        let guess = self.guess(hash, last);
        let start = self.bytes.as_ptr();
        prefetch(start.wrapping_add(guess.saturating_sub(NEAR) * self.width()));
        prefetch(start.wrapping_add((guess + NEAR).min(last) * self.width()));
    }

    /// Puts a slot at an index.
    pub(super) fn insert(&mut self, index: usize, hash: u32, offset: usize) {
        self.make_wide_for(offset);
        let (width, old) = (self.width(), self.bytes.len());
        packed::make_room(&mut self.bytes, width);
        self.bytes.resize(old + width, 0);
        self.bytes.copy_within(index * width..old, (index + 1) * width);
        self.write(index, hash, offset);
        if index == 0 {
            self.least = hash;
        }
        if (index + 1) * width > old {
            self.greatest = hash;
        }
    }

    /// Changes where an element lies.
    pub(super) fn move_to(&mut self, index: usize, offset: usize) {
        self.make_wide_for(offset);
        self.write(index, self.hash(index), offset);
    }

    /// Takes a slot out.
    pub(super) fn remove(&mut self, index: usize) {
        let width = self.width();
        self.bytes.copy_within((index + 1) * width.., index * width);
        self.bytes.truncate(self.bytes.len() - width);
        packed::give_back(&mut self.bytes);
        let ends = self.len().checked_sub(1).map(|last| (self.hash(0), self.hash(last)));
        (self.least, self.greatest) = ends.unwrap_or_default();
    }

    /// An index not before the first and not after the last at which hashes differ from those before it, near the middle; `None` when
    /// all are equal.
    pub(super) fn parting(&self) -> Option<usize> {
        let len = self.len();
        let parts = |index: usize| index > 0 && index < len && self.hash(index - 1) != self.hash(index);
        let middle = len / 2;
        (0..=middle + 1).find_map(|step| {
            [middle.saturating_sub(step), middle + step].into_iter().find(|&index| parts(index))
        })
    }

    #[inline]
    fn width(&self) -> usize {
        if self.wide { WIDE } else { NARROW }
    }

    fn write(&mut self, index: usize, hash: u32, offset: usize) {
        let width = self.width();
        let offset = u32::try_from(offset).unwrap_or(u32::MAX).to_le_bytes();
        if let Some(slot) = self.bytes.get_mut(index * width..(index + 1) * width) {
            let (head, tail) = slot.split_at_mut(HASH);
            head.copy_from_slice(&hash.to_le_bytes());
            tail.copy_from_slice(&offset[..width - HASH]);
        }
    }

    #[inline]
    fn make_wide_for(&mut self, offset: usize) {
        if !self.wide && offset > usize::from(u16::MAX) {
            self.widen();
        }
    }

    #[cold]
    fn widen(&mut self) {
        let mut wider = Vec::new();
        packed::make_room(&mut wider, self.len() * WIDE);
        for slot in self.bytes.chunks_exact(NARROW) {
            wider.extend_from_slice(slot);
            wider.extend_from_slice(&[0, 0]);
        }
        (self.bytes, self.wide) = (wider, true);
    }
}
