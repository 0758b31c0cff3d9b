//! Growing and shrinking: one segment at a time.
//!
//! A segment splits at [`SPLIT_AT`] keys and merges with its neighbour when both together hold at most [`MERGE_AT`]:
//! the gap between keeps a table that hovers from doing both in turn. The bits that say what a snapshot has captured
//! move along, so neither waits for a snapshot to end.

use super::bucket::{BUCKETS, Bucket};
use super::cut::{CUTS, Captured};
use super::directory::{DEPTH_MAX, Place, Segment, Table};

/// Keys at which a segment splits: 83 % of the 448 slots in it.
pub(super) const SPLIT_AT: usize = 372;
/// Keys that two neighbours may hold together when they merge: 36 % of one.
pub(super) const MERGE_AT: usize = 160;
/// Keys per segment that [`Table::reserve`] plans for: between the fill after a split and the fill before one.
const PLANNED: usize = 288;
/// Keys that one call of [`Table::reserve`] believes in: a claim is not yet data.
const RESERVE_MAX: usize = 1 << 22;
/// Places of the directory per segment. A directory longer than that would mean that hashes cluster; then chains
/// grow instead.
const SPREAD: usize = 16;

impl Table {
    /// Makes an empty table ready for `keys` keys, so that loading them splits nothing. Believes in at most four
    /// million; the table grows beyond by itself.
    pub fn reserve(&mut self, keys: usize) {
        if !self.directory.is_empty() || keys == 0 {
            return;
        }
        let segments = keys.min(RESERVE_MAX).div_ceil(PLANNED).next_power_of_two();
        self.depth = segments.ilog2();
        self.directory.reserve_exact(segments);
        for _ in 0..segments {
            let place = self.new_segment(self.depth);
            self.directory.push(place);
        }
    }

    /// Makes sure that `hash` has a segment, and splits it when it is full.
    pub(super) fn make_room(&mut self, hash: u64) {
        if self.directory.is_empty() {
            self.depth = 0;
            let place = self.new_segment(0);
            self.directory.push(place);
        } else if self.segment_mut(hash).is_some_and(|segment| segment.keys >= SPLIT_AT) {
            self.split(hash);
        }
    }

    /// After removals: merges the segment of `hash` with its neighbour while both are sparse, and gives memory back.
    /// `capture` receives buckets that a live snapshot needs before they mix.
    pub fn shrink(&mut self, hash: u64, capture: &mut Captured<'_>) {
        while let Some(segment) = self.segment_mut(hash) {
            let depth = segment.depth;
            if segment.keys > MERGE_AT {
                return;
            }
            if depth == 0 {
                if self.keys == 0 {
                    self.clear();
                }
                return;
            }
            if !self.merge(hash, depth, capture) {
                return;
            }
        }
    }

    /// Empties the table and gives its memory back now. Snapshots must have taken what they need.
    fn clear(&mut self) {
        for id in 0..self.segments.len() {
            self.free_segment(id);
        }
        self.directory = Vec::new();
        self.segments = Vec::new();
        self.holes = Vec::new();
        self.depth = 0;
    }

    /// The table as something to take apart in slices.
    #[must_use]
    pub fn ruin(self) -> Ruin {
        Ruin(self)
    }

    /// A segment of new, empty buckets. Nothing in it is older than any cut, so every cut has captured it.
    fn new_segment(&mut self, depth: u32) -> Place {
        let buckets = Bucket::allocate(BUCKETS);
        self.at_depth[depth as usize] += 1;
        let segment = Segment {
            buckets: Some(buckets),
            depth,
            keys: 0,
            deadlines: 0,
            captured: [u64::MAX; CUTS],
            generations: self.cuts.map(|cut| cut.generation),
        };
        let id = match self.holes.pop() {
            Some(hole) => {
                self.segments[hole as usize] = segment;
                hole
            }
            None => {
                self.segments.push(segment);
                // 2^32 segments would be 16 TiB of buckets.
                (self.segments.len() - 1) as u32
            }
        };
        Place { buckets, segment: id }
    }

    /// The places that the segment of `hash`, of this depth, fills.
    fn places(&self, hash: u64, depth: u32) -> std::ops::Range<usize> {
        let span = 1usize << (self.depth - depth);
        let start = self.place_of(hash) & !(span - 1);
        start..start + span
    }

    /// Splits the segment of `hash` by its next top bit.
    fn split(&mut self, hash: u64) {
        let Some(depth) = self.segment_mut(hash).map(|segment| segment.depth) else { return };
        if depth == self.depth {
            let segments = self.segments.len() - self.holes.len();
            if self.directory.len() >= SPREAD * segments || self.depth >= DEPTH_MAX {
                return;
            }
            self.directory = self.directory.iter().flat_map(|&place| [place, place]).collect();
            self.depth += 1;
        }
        let places = self.places(hash, depth);
        let low = self.directory[places.start].segment as usize;
        let high_place = self.new_segment(depth + 1);
        let high = high_place.segment as usize;
        let middle = places.start + places.len() / 2;
        self.directory[middle..places.end].fill(high_place);
        self.at_depth[depth as usize] -= 1;
        self.at_depth[depth as usize + 1] += 1;
        self.segments[low].depth = depth + 1;
        self.segments[high].captured = self.segments[low].captured;
        self.segments[high].generations = self.segments[low].generations;
        self.deal_out(low, high, 1 << (63 - depth));
    }

    /// Moves the entries whose hash has `bit` from one segment to the other, bucket by bucket.
    fn deal_out(&mut self, low: usize, high: usize, bit: u64) {
        let mut entries = Vec::with_capacity(64);
        let (mut moved, mut moved_deadlines) = (0, 0);
        for at in 0..BUCKETS {
            if let Some(next) = self.segments[low].bucket((at + 2) % BUCKETS) {
                next.prefetch_all();
            }
            let Some(bucket) = self.segments[low].bucket_mut(at) else { continue };
            while let Some((tag, block, freed)) = bucket.pop() {
                self.children -= freed;
                entries.push((tag, block));
            }
            for (tag, block) in entries.drain(..) {
                let goes = self.hash(block.key()) & bit != 0;
                if goes {
                    moved += 1;
                    moved_deadlines += usize::from(block.expire().is_some());
                }
                let target = if goes { high } else { low };
                if let Some(bucket) = self.segments[target].bucket_mut(at) {
                    self.children += bucket.insert(tag, block);
                }
            }
        }
        self.segments[low].keys -= moved;
        self.segments[low].deadlines -= moved_deadlines;
        self.segments[high].keys += moved;
        self.segments[high].deadlines += moved_deadlines;
    }

    /// Merges the segment of `hash` with the one that differs in its last bit, if both are sparse.
    fn merge(&mut self, hash: u64, depth: u32, capture: &mut Captured<'_>) -> bool {
        let bit = 1u64 << (64 - depth);
        let (low_places, high_places) = (self.places(hash & !bit, depth), self.places(hash | bit, depth));
        let low_place = self.directory[low_places.start];
        let high_place = self.directory[high_places.start];
        let (low, high) = (low_place.segment as usize, high_place.segment as usize);
        let fits = self.segments[low].depth == self.segments[high].depth
            && self.segments[low].keys + self.segments[high].keys <= MERGE_AT;
        if !fits {
            return false;
        }
        self.level(low, high, capture);
        for at in 0..BUCKETS {
            while let Some((tag, block, freed)) = self.segments[high].bucket_mut(at).and_then(Bucket::pop) {
                self.children -= freed;
                if let Some(bucket) = self.segments[low].bucket_mut(at) {
                    self.children += bucket.insert(tag, block);
                }
            }
        }
        let (keys, deadlines) = (self.segments[high].keys, self.segments[high].deadlines);
        self.segments[low].keys += keys;
        self.segments[low].deadlines += deadlines;
        self.at_depth[depth as usize] -= 1;
        self.at_depth[depth as usize - 1] += 1;
        self.segments[low].depth = depth - 1;
        self.directory[high_places].fill(low_place);
        self.segments[high].keys = 0;
        self.segments[high].deadlines = 0;
        self.free_segment(high);
        self.holes.push(high_place.segment);
        self.narrow();
        true
    }

    /// Halves the directory while every segment fills at least two of its places and it is far longer than needed.
    fn narrow(&mut self) {
        let segments = self.segments.len() - self.holes.len();
        while self.directory.len() > 1 && self.directory.len() >= 4 * segments {
            if self.at_depth[self.depth as usize] != 0 {
                break;
            }
            self.directory = self.directory.iter().copied().step_by(2).collect();
            self.depth -= 1;
        }
        if self.segments.len() > 4 * segments + 64 {
            self.compact();
        }
    }

    /// Moves the segments' records together, so that the list of them shrinks with the table.
    fn compact(&mut self) {
        let mut moved = vec![0u32; self.segments.len()];
        let old = std::mem::take(&mut self.segments);
        for (id, segment) in old.into_iter().enumerate().filter(|(_, segment)| segment.buckets.is_some()) {
            moved[id] = self.segments.len() as u32;
            self.segments.push(segment);
        }
        for place in &mut self.directory {
            place.segment = moved[place.segment as usize];
        }
        self.holes = Vec::new();
    }

    /// Frees a segment's buckets and what is in them; gives the number of entries freed.
    fn free_segment(&mut self, id: usize) -> usize {
        let Some(segment) = self.segments.get_mut(id) else { return 0 };
        let mut entries = 0;
        for at in 0..BUCKETS {
            if let Some(next) = segment.bucket((at + 2) % BUCKETS) {
                next.prefetch_all();
            }
            let Some(bucket) = segment.bucket_mut(at) else { continue };
            while let Some((_, block, freed)) = bucket.pop() {
                self.children -= freed;
                self.bytes -= block.footprint();
                entries += 1;
            }
        }
        if let Some(buckets) = segment.buckets.take() {
            self.at_depth[segment.depth as usize] -= 1;
            // SAFETY: allocated by `new_segment` with this count; emptied above, and no longer reachable.
            unsafe { Bucket::free(buckets, BUCKETS) };
        }
        entries
    }

    /// Takes the last segment off a table that is no longer looked into; gives the entries freed.
    fn demolish_one(&mut self) -> Option<usize> {
        self.directory = Vec::new();
        let last = self.segments.len().checked_sub(1)?;
        let freed = self.free_segment(last);
        self.segments.truncate(last);
        Some(freed)
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        while self.demolish_one().is_some() {}
    }
}

/// A table that nobody can see any more, being freed in slices.
#[derive(Debug)]
pub struct Ruin(Table);

impl Ruin {
    /// Frees about `budget` entries, at least one segment; gives how many units it took, 0 when all is gone.
    pub fn reclaim(&mut self, budget: usize) -> usize {
        let mut spent = 0;
        while spent < budget.max(1) {
            match self.0.demolish_one() {
                Some(freed) => spent += freed + 1,
                None => break,
            }
        }
        spent
    }

    /// Bytes not freed yet.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.0.bytes + (self.0.segments.len() * BUCKETS + self.0.children) * size_of::<Bucket>()
    }
}
