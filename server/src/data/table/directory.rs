//! The table itself: hash → directory → segment → bucket → entry.
//!
//! Invariants:
//! - The directory has 2^depth places; a segment of depth d fills 2^(depth - d) neighbouring ones.
//! - `segments` owns the buckets; a segment given back leaves a hole that the next one fills.
//! - `keys`, `deadlines` and the byte counts equal what a walk over all entries would find.

use super::block::Block;
use super::bucket::{BUCKETS, Bucket, prefetch, tag};
use super::cut::{CUTS, Cut};
use super::entry::EntryRef;
use crate::data::collection::Collection;
use crate::data::value::{NewValue, Ttl};
use foldhash::quality::FixedState;
use std::hash::{BuildHasher, Hasher};
use std::ptr::NonNull;

/// The directory's greatest depth: 2^32 segments would be 16 TiB of buckets.
pub(super) const DEPTH_MAX: u32 = 32;

/// A hash table from keys to values with deadlines.
pub struct Table {
    hasher: FixedState,
    pub(super) directory: Vec<Place>,
    /// Logarithm of the directory's length; 0 for an empty one.
    pub(super) depth: u32,
    pub(super) segments: Vec<Segment>,
    pub(super) holes: Vec<u32>,
    /// Segments of each depth.
    pub(super) at_depth: [u32; DEPTH_MAX as usize + 1],
    pub(super) keys: usize,
    pub(super) deadlines: usize,
    /// Bytes of entries.
    pub(super) bytes: usize,
    /// Child buckets.
    pub(super) children: usize,
    pub(super) cuts: [Cut; CUTS],
    /// A bit per live cut that still has buckets to capture here.
    pub(super) watching: u8,
}

/// A place of the directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The segment's first bucket: reading needs nothing else.
    pub(super) buckets: NonNull<Bucket>,
    /// Which of `segments`.
    pub(super) segment: u32,
}

/// What is known of 64 buckets.
pub(super) struct Segment {
    /// The buckets; `None` in a hole.
    pub(super) buckets: Option<NonNull<Bucket>>,
    /// How many top bits all its hashes share.
    pub(super) depth: u32,
    pub(super) keys: usize,
    pub(super) deadlines: usize,
    /// A bit per bucket and cut: already captured. Means something only with the cut's own generation beside it.
    pub(super) captured: [u64; CUTS],
    pub(super) generations: [u64; CUTS],
}

// SAFETY: the table owns every bucket and block it points to; blocks may change threads.
unsafe impl Send for Table {}
// SAFETY: through a shared reference only access clocks change, and they are atomic.
unsafe impl Sync for Table {}

impl Table {
    /// An empty table whose hash follows from `seed`. It owns no memory yet.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            hasher: FixedState::with_seed(seed),
            directory: Vec::new(),
            depth: 0,
            segments: Vec::new(),
            holes: Vec::new(),
            at_depth: [0; DEPTH_MAX as usize + 1],
            keys: 0,
            deadlines: 0,
            bytes: 0,
            children: 0,
            cuts: [Cut::default(); CUTS],
            watching: 0,
        }
    }

    /// An empty table with this one's hash.
    #[must_use]
    pub fn fresh(&self) -> Self {
        let mut fresh = Self::new(0);
        fresh.hasher = self.hasher.clone();
        fresh
    }

    /// Keys present.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys == 0
    }

    /// Keys with a deadline.
    #[must_use]
    pub fn deadlines(&self) -> usize {
        self.deadlines
    }

    /// Bytes of entries, buckets and directory.
    #[must_use]
    pub fn memory(&self) -> usize {
        let segments = self.segments.len() - self.holes.len();
        self.bytes
            + (segments * BUCKETS + self.children) * size_of::<Bucket>()
            + self.segments.capacity() * size_of::<Segment>()
            + self.directory.capacity() * size_of::<Place>()
    }

    /// Bytes of buckets and directory for each key, rounded up. A bucket at most: a table that is nearly empty is no key's
    /// doing.
    #[must_use]
    pub fn share(&self) -> usize {
        self.overhead().div_ceil(self.keys.max(1)).min(size_of::<Bucket>())
    }

    /// Bytes of buckets and directory.
    #[must_use]
    pub fn overhead(&self) -> usize {
        self.memory() - self.bytes
    }

    /// The hash of a key, which the other methods ask for.
    #[must_use]
    pub fn hash(&self, key: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(key);
        hasher.finish()
    }

    /// Asks the processor for the bucket of `hash`.
    pub fn prefetch_bucket(&self, hash: u64) {
        if let Some(bucket) = self.bucket_of(hash) {
            prefetch(bucket.as_ptr());
        }
    }

    /// Asks the processor for the entry of `hash`; useful when its bucket was prefetched some time before.
    pub fn prefetch_entry(&self, hash: u64) {
        if let Some(bucket) = self.bucket(hash) {
            bucket.prefetch_entry(tag(hash));
        }
    }

    /// The entry of `key`.
    #[must_use]
    pub fn get(&self, hash: u64, key: &[u8]) -> Option<EntryRef<'_>> {
        self.bucket(hash)?.get(tag(hash), key)
    }

    /// Stores a value under `key`. Says whether it replaced one, and gives an old entry whose freeing may be put off.
    pub fn set(&mut self, hash: u64, key: &[u8], value: NewValue<'_>, ttl: Ttl) -> (bool, Option<Block>) {
        let expire = |old: Option<u64>| match ttl {
            Ttl::Clear => None,
            Ttl::Keep => old,
            Ttl::At(deadline) => Some(deadline),
        };
        let replaced = self.edit(hash, key, |block| block.replace(value, expire(block.expire())));
        match replaced {
            Some(old) => (true, old),
            None => {
                self.add(hash, Block::new(key, value, expire(None)));
                (false, None)
            }
        }
    }

    /// Puts an entry in; gives the one of the same key that it replaced.
    pub fn insert(&mut self, hash: u64, block: Block) -> Option<Block> {
        let old = self.remove(hash, block.key());
        self.add(hash, block);
        old
    }

    /// Takes an entry out. The table does not shrink by itself: see [`Table::shrink`].
    pub fn remove(&mut self, hash: u64, key: &[u8]) -> Option<Block> {
        let (block, freed) = self.bucket_mut(hash)?.remove(tag(hash), key)?;
        self.children -= freed;
        self.bytes -= block.footprint();
        self.count(hash, -1, -isize::from(block.expire().is_some()));
        Some(block)
    }

    /// Sets or removes a deadline; whether the key is there.
    pub fn set_expire(&mut self, hash: u64, key: &[u8], expire: Option<u64>) -> bool {
        self.edit(hash, key, |block| block.set_expire(expire)).is_some()
    }

    /// Writes into a string at `offset`, or at its end when `None`, padding with zeros. Gives its new length; `None`
    /// when the key is not there.
    pub fn splice(&mut self, hash: u64, key: &[u8], offset: Option<usize>, bytes: &[u8]) -> Option<usize> {
        self.edit(hash, key, |block| block.splice(offset, bytes))
    }

    /// Shows an entry's deadline and collection (`None` for a string) to `change`, which may change the collection; `None`
    /// when the key is not there.
    pub fn edit_collection<R>(
        &mut self,
        hash: u64,
        key: &[u8],
        change: impl FnOnce(Option<u64>, Option<&mut Collection>) -> R,
    ) -> Option<R> {
        // Nothing else of the entry changes, so nothing else is measured.
        let (mut before, mut after) = (0, 0);
        let result = self.bucket_mut(hash)?.edit(tag(hash), key, |block| {
            let expire = block.expire();
            let mut collection = block.collection_mut();
            before = collection.as_deref().map_or(0, Collection::memory);
            let result = change(expire, collection.as_deref_mut());
            after = collection.map_or(0, |collection| collection.memory());
            result
        })?;
        self.bytes = self.bytes + after - before;
        Some(result)
    }

    /// Changes an entry in place and keeps the counts true.
    fn edit<R>(&mut self, hash: u64, key: &[u8], change: impl FnOnce(&mut Block) -> R) -> Option<R> {
        let (mut bytes, mut deadlines) = (0, 0);
        let result = self.bucket_mut(hash)?.edit(tag(hash), key, |block| {
            let before = (block.footprint(), block.expire().is_some());
            let result = change(block);
            (bytes, deadlines) =
                (block.footprint(), isize::from(block.expire().is_some()) - isize::from(before.1));
            (result, before.0)
        });
        let (result, bytes_before) = result?;
        self.bytes = self.bytes + bytes - bytes_before;
        if deadlines != 0 {
            self.count(hash, 0, deadlines);
        }
        Some(result)
    }

    /// Adds an entry whose key is not there.
    fn add(&mut self, hash: u64, block: Block) {
        self.make_room(hash);
        self.bytes += block.footprint();
        let deadline = isize::from(block.expire().is_some());
        if let Some(bucket) = self.bucket_mut(hash) {
            let made = bucket.insert(tag(hash), block);
            self.children += made;
            self.count(hash, 1, deadline);
        }
    }

    /// Adds to the counts of the table and of the segment of `hash`.
    fn count(&mut self, hash: u64, keys: isize, deadlines: isize) {
        self.keys = self.keys.wrapping_add_signed(keys);
        self.deadlines = self.deadlines.wrapping_add_signed(deadlines);
        if let Some(segment) = self.segment_mut(hash) {
            segment.keys = segment.keys.wrapping_add_signed(keys);
            segment.deadlines = segment.deadlines.wrapping_add_signed(deadlines);
        }
    }

    /// The place in the directory for a hash; meaningless while it is empty.
    #[inline]
    pub(super) fn place_of(&self, hash: u64) -> usize {
        // Two shifts, because a shift by 64 is none.
        ((hash >> 1) >> (63 - self.depth)) as usize
    }

    #[inline]
    fn bucket_of(&self, hash: u64) -> Option<NonNull<Bucket>> {
        let place = self.directory.get(self.place_of(hash))?;
        // SAFETY: a segment has 64 buckets and the index is six bits.
        Some(unsafe { place.buckets.add(index(hash)) })
    }

    #[inline]
    pub(super) fn bucket(&self, hash: u64) -> Option<&Bucket> {
        // SAFETY: the table owns the bucket and is borrowed.
        self.bucket_of(hash).map(|bucket| unsafe { bucket.as_ref() })
    }

    #[inline]
    pub(super) fn bucket_mut(&mut self, hash: u64) -> Option<&mut Bucket> {
        // SAFETY: the table owns the bucket and is borrowed for itself.
        self.bucket_of(hash).map(|mut bucket| unsafe { bucket.as_mut() })
    }

    pub(super) fn segment(&self, hash: u64) -> Option<&Segment> {
        let place = self.directory.get(self.place_of(hash))?;
        self.segments.get(place.segment as usize)
    }

    pub(super) fn segment_mut(&mut self, hash: u64) -> Option<&mut Segment> {
        let place = self.directory.get(self.place_of(hash))?;
        self.segments.get_mut(place.segment as usize)
    }
}

impl Segment {
    /// One of its buckets.
    pub(super) fn bucket(&self, index: usize) -> Option<&Bucket> {
        debug_assert!(index < BUCKETS, "a segment has 64 buckets");
        // SAFETY: the table, which is borrowed with the segment, owns the 64 buckets; the index is below 64.
        self.buckets.map(|first| unsafe { first.add(index % BUCKETS).as_ref() })
    }

    /// One of its buckets, to change.
    pub(super) fn bucket_mut(&mut self, index: usize) -> Option<&mut Bucket> {
        debug_assert!(index < BUCKETS, "a segment has 64 buckets");
        // SAFETY: as in `bucket`; the segment is borrowed for itself.
        self.buckets.map(|first| unsafe { first.add(index % BUCKETS).as_mut() })
    }
}

/// The bucket of a hash in its segment.
#[inline]
pub(super) fn index(hash: u64) -> usize {
    (hash % BUCKETS as u64) as usize
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table")
            .field("keys", &self.keys)
            .field("deadlines", &self.deadlines)
            .field("depth", &self.depth)
            .field("segments", &(self.segments.len() - self.holes.len()))
            .finish_non_exhaustive()
    }
}
