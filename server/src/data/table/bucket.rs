//! Seven entries in one cache line, and a chain of further lines when that is not enough.
//!
//! Invariants:
//! - A tag of zero means that the slot is free; tags of entries are never zero.
//! - With a child, the last slot holds the child's pointer and its tag is zero.
//! - Only the last bucket of a chain has free slots besides its children's place: a chain has no holes.

use super::block::Block;
use super::entry::EntryRef;
use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::{self, NonNull};

/// Entries of a bucket without a child.
pub(super) const SLOTS: usize = 7;
/// Buckets in a segment.
pub(super) const BUCKETS: usize = 64;

const CHILD_SLOT: usize = SLOTS - 1;
const CHILD: u8 = 0x80;
const TTLS: u8 = 0x7f;

/// One line: a bit per slot that its entry has a deadline and one for a child, seven tags, seven pointers.
#[repr(C, align(64))]
pub(super) struct Bucket {
    meta: u8,
    tags: [u8; SLOTS],
    slots: [*mut u8; SLOTS],
}

/// A place in a chain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    bucket: NonNull<Bucket>,
    slot: usize,
}

impl Bucket {
    /// The place of `key` in this chain.
    pub(super) fn find(&self, tag: u8, key: &[u8]) -> Option<Spot> {
        let mut bucket = self;
        loop {
            let mut hits = bucket.matches(tag);
            while hits != 0 {
                let slot = slot_of(hits);
                hits &= hits - 1;
                if bucket.block(slot).is_some_and(|block| block.key() == key) {
                    return Some(Spot { bucket: NonNull::from(bucket), slot });
                }
            }
            bucket = bucket.child()?;
        }
    }

    /// The entry of `key`.
    pub(super) fn get(&self, tag: u8, key: &[u8]) -> Option<EntryRef<'_>> {
        let mut bucket = self;
        loop {
            let mut hits = bucket.matches(tag);
            while hits != 0 {
                let slot = slot_of(hits);
                hits &= hits - 1;
                match bucket.block(slot) {
                    Some(block) if block.key() == key => return Some(block.entry()),
                    _ => {}
                }
            }
            bucket = bucket.child()?;
        }
    }

    /// The entry of `key`, to change it through `edit`; keeps the bit for its deadline.
    pub(super) fn edit<R>(&mut self, tag: u8, key: &[u8], edit: impl FnOnce(&mut Block) -> R) -> Option<R> {
        let mut bucket = self;
        loop {
            let mut hits = bucket.matches(tag);
            while hits != 0 {
                let slot = slot_of(hits);
                hits &= hits - 1;
                if bucket.block(slot).is_some_and(|block| block.key() == key) {
                    let block = bucket.block_mut(slot)?;
                    let result = edit(block);
                    let has_deadline = block.expire().is_some();
                    bucket.mark(slot, has_deadline);
                    return Some(result);
                }
            }
            bucket = bucket.child_mut()?;
        }
    }

    /// Adds an entry whose key is not in the chain; gives the number of child buckets made (0 or 1).
    pub(super) fn insert(&mut self, tag: u8, block: Block) -> usize {
        let last = self.last_mut();
        let free = last.matches(0);
        if free != 0 {
            last.put(slot_of(free), tag, block);
            return 0;
        }
        let mut child = Self::allocate(1);
        // SAFETY: freshly allocated, zeroed, and known to nobody else; zero is an empty bucket.
        let new = unsafe { child.as_mut() };
        let moved_tag = last.tag(CHILD_SLOT);
        if let Some(moved) = last.take(CHILD_SLOT) {
            new.put(0, moved_tag, moved);
        }
        new.put(1, tag, block);
        last.slots[CHILD_SLOT] = child.as_ptr().cast();
        last.meta |= CHILD;
        1
    }

    /// Takes the entry of `key` out; gives it and the number of child buckets freed (0 or 1).
    pub(super) fn remove(&mut self, tag: u8, key: &[u8]) -> Option<(Block, usize)> {
        let spot = self.find(tag, key)?;
        // The last entry of the chain fills the hole.
        let (last_tag, last, freed) = self.pop()?;
        let mut bucket = Some(self);
        while let Some(here) = bucket {
            if ptr::from_mut(here) == spot.bucket.as_ptr() {
                if let Some(found) = here.take(spot.slot) {
                    here.put(spot.slot, last_tag, last);
                    return Some((found, freed));
                }
                break;
            }
            bucket = here.child_mut();
        }
        // The hole was the last entry itself.
        Some((last, freed))
    }

    /// Takes the last entry of the chain; frees the bucket it leaves empty. Gives its tag, itself, buckets freed.
    pub(super) fn pop(&mut self) -> Option<(u8, Block, usize)> {
        let Some(child) = self.child_mut() else {
            let slot = (0..SLOTS).rev().find(|&slot| self.tags[slot] != 0)?;
            let tag = self.tags[slot];
            return self.take(slot).map(|block| (tag, block, 0));
        };
        let popped = child.pop();
        let empty = child.meta & CHILD == 0 && child.tags == [0; SLOTS];
        let (tag, block, freed) = popped?;
        if !empty {
            return Some((tag, block, freed));
        }
        if let Some(child) = NonNull::new(self.slots[CHILD_SLOT].cast()) {
            self.meta &= !CHILD;
            self.slots[CHILD_SLOT] = ptr::null_mut();
            // SAFETY: the child was made by `allocate(1)`, is empty, and was unlinked just now.
            unsafe { Self::free(child, 1) };
        }
        Some((tag, block, freed + 1))
    }

    /// Every entry of the chain.
    pub(super) fn each<'a>(&'a self, mut each: impl FnMut(EntryRef<'a>)) {
        let mut bucket = Some(self);
        while let Some(here) = bucket {
            for slot in 0..SLOTS {
                if let Some(block) = here.block(slot) {
                    each(block.entry());
                }
            }
            bucket = here.child();
        }
    }

    /// The `nth` entry of the chain.
    pub(super) fn nth(&self, mut nth: usize) -> Option<EntryRef<'_>> {
        let mut bucket = self;
        loop {
            let count = bucket.entries();
            if nth < count {
                return (0..SLOTS).filter_map(|slot| bucket.block(slot)).nth(nth).map(Block::entry);
            }
            nth -= count;
            bucket = bucket.child()?;
        }
    }

    /// Entries in the chain.
    pub(super) fn len(&self) -> usize {
        self.entries() + self.child().map_or(0, Self::len)
    }

    /// Whether any entry of the chain has a deadline, without looking at one.
    pub(super) fn has_deadlines(&self) -> bool {
        self.meta & TTLS != 0 || self.child().is_some_and(Self::has_deadlines)
    }

    /// Every entry of the chain with a deadline.
    pub(super) fn each_with_deadline<'a>(&'a self, mut each: impl FnMut(EntryRef<'a>)) {
        let mut bucket = Some(self);
        while let Some(here) = bucket {
            for slot in (0..SLOTS).filter(|slot| here.meta & 1 << slot != 0) {
                if let Some(block) = here.block(slot) {
                    each(block.entry());
                }
            }
            bucket = here.child();
        }
    }

    /// Asks the processor for the first entry whose tag fits; reads only this line.
    pub(super) fn prefetch_entry(&self, tag: u8) {
        let hits = self.matches(tag);
        if hits != 0 {
            let block = self.slots[slot_of(hits)];
            prefetch(block);
            // An entry of 16-byte key and 64-byte value takes two lines.
            prefetch(block.wrapping_add(64));
        } else if self.meta & CHILD != 0 {
            prefetch(self.slots[CHILD_SLOT]);
        }
    }

    /// Asks the processor for every entry of this line and for the child.
    pub(super) fn prefetch_all(&self) {
        for &slot in &self.slots {
            if !slot.is_null() {
                prefetch(slot);
            }
        }
    }

    /// `count` empty buckets in one piece.
    pub(super) fn allocate(count: usize) -> NonNull<Self> {
        let layout = Self::layout(count);
        // SAFETY: the size is not zero; all zeroes is a valid, empty bucket.
        NonNull::new(unsafe { alloc_zeroed(layout) }.cast()).unwrap_or_else(|| handle_alloc_error(layout))
    }

    /// Gives back what [`Bucket::allocate`] gave.
    ///
    /// # Safety
    /// `buckets` came from `allocate(count)`, holds no entry, and is not used again.
    pub(super) unsafe fn free(buckets: NonNull<Self>, count: usize) {
        // SAFETY: by this function's contract.
        unsafe { dealloc(buckets.as_ptr().cast(), Self::layout(count)) };
    }

    fn layout(count: usize) -> Layout {
        // One bucket or one segment: never near the limit that this checks.
        Layout::array::<Self>(count).unwrap_or(Layout::new::<Self>())
    }

    /// A bit at 8 × slot + 7 for each slot with this tag. Exact: a free slot never matches an entry's tag.
    fn matches(&self, tag: u8) -> u64 {
        const LOW: u64 = 0x007f_7f7f_7f7f_7f7f;
        let [a, b, c, d, e, f, g] = self.tags;
        let tags = u64::from_le_bytes([a, b, c, d, e, f, g, 0]);
        let differing = tags ^ (u64::from(tag) * 0x0001_0101_0101_0101);
        let busy = ((differing & LOW) + LOW) | differing | LOW;
        let hits = !busy & 0x0080_8080_8080_8080;
        // The child's place is not free.
        if tag == 0 && self.meta & CHILD != 0 { hits & !(0x80 << (8 * CHILD_SLOT)) } else { hits }
    }

    fn entries(&self) -> usize {
        self.tags.iter().filter(|&&tag| tag != 0).count()
    }

    fn tag(&self, slot: usize) -> u8 {
        self.tags[slot]
    }

    fn block(&self, slot: usize) -> Option<&Block> {
        // SAFETY: a slot with a tag holds a block's pointer, and `Block` is a transparent non-null pointer.
        (self.tags[slot] != 0).then(|| unsafe { &*ptr::from_ref(&self.slots[slot]).cast::<Block>() })
    }

    fn block_mut(&mut self, slot: usize) -> Option<&mut Block> {
        // SAFETY: as in `block`; the bucket is borrowed for itself.
        (self.tags[slot] != 0).then(|| unsafe { &mut *ptr::from_mut(&mut self.slots[slot]).cast::<Block>() })
    }

    fn put(&mut self, slot: usize, tag: u8, block: Block) {
        debug_assert!(self.tags[slot] == 0 && tag != 0, "a slot is filled once, with a tag");
        self.tags[slot] = tag;
        self.mark(slot, block.expire().is_some());
        self.slots[slot] = block.into_raw().as_ptr();
    }

    fn take(&mut self, slot: usize) -> Option<Block> {
        if self.tags[slot] == 0 {
            return None;
        }
        self.tags[slot] = 0;
        self.mark(slot, false);
        let block = std::mem::replace(&mut self.slots[slot], ptr::null_mut());
        // SAFETY: a slot with a tag held a block that `put` turned into a pointer; the slot is free now.
        NonNull::new(block).map(|block| unsafe { Block::from_raw(block) })
    }

    fn mark(&mut self, slot: usize, has_deadline: bool) {
        let bit = 1 << slot;
        self.meta = if has_deadline { self.meta | bit } else { self.meta & !bit };
    }

    fn child(&self) -> Option<&Self> {
        // SAFETY: with the child bit, the last slot points to a bucket that this one owns.
        (self.meta & CHILD != 0).then(|| unsafe { &*self.slots[CHILD_SLOT].cast::<Self>() })
    }

    fn child_mut(&mut self) -> Option<&mut Self> {
        // SAFETY: as in `child`; this bucket is borrowed for itself.
        (self.meta & CHILD != 0).then(|| unsafe { &mut *self.slots[CHILD_SLOT].cast::<Self>() })
    }

    fn last_mut(&mut self) -> &mut Self {
        let mut bucket = self;
        while bucket.meta & CHILD != 0 {
            // SAFETY: as in `child_mut`.
            bucket = unsafe { &mut *bucket.slots[CHILD_SLOT].cast::<Self>() };
        }
        bucket
    }
}

/// The tag of a hash: eight bits that neither the directory nor the place in a segment uses; never zero.
pub(super) fn tag(hash: u64) -> u8 {
    let [_, low, high, ..] = hash.to_le_bytes();
    // Bits 8 to 15 xor 16 to 23; the directory reaches them only beyond 2^40 segments.
    (low ^ high).max(1)
}

/// Asks the processor to fetch the line at `address`; any address will do.
#[inline]
pub(in crate::data) fn prefetch<T>(address: *const T) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing as far as the program can tell and faults on no address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
    }
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    // SAFETY: a prefetch reads nothing as far as the program can tell and faults on no address.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{}]", in(reg) address, options(nostack, preserves_flags, readonly));
    };
    #[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
    let _ = address;
}

fn slot_of(hits: u64) -> usize {
    (hits.trailing_zeros() / 8) as usize
}
