//! Going over the table: cursors, everything, a random key, deadlines.
//!
//! A cursor is a point in hash order: six bits of bucket number over 42 top bits of the hash, so it stays below 2^48
//! and fits the doubles that some clients keep it in. A step visits one bucket of one segment and the cursor moves to
//! where that segment ends, whatever its size is by then.

use super::bucket::BUCKETS;
use super::cut::next_segment;
use super::directory::Table;
use super::entry::EntryRef;
use crate::data::Rng;

const TOP_BITS: u32 = 42;
/// Empty buckets that a scan passes for free, so that a small table is seen in one call.
const FREE_BUCKETS: usize = 64;
/// Slots that a random draw imagines in a chain; rarely one has more.
const DRAW_SLOTS: usize = 14;
/// Draws before a random key is looked for one bucket after the other.
const DRAWS: usize = 128;

/// How far a rolling walk over deadlines has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    hash: u64,
    bucket: usize,
}

/// What a walk over deadlines did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deadlines {
    /// Steps taken of the budget: buckets looked at, and segments passed without one.
    pub steps: usize,
    /// Keys with a deadline seen.
    pub seen: usize,
    /// Keys of these that are past it.
    pub found: usize,
    /// Whether the walk came to the table's end; it starts over next time.
    pub wrapped: bool,
}

impl Table {
    /// Visits up to `buckets` buckets with entries from `cursor` on (0 starts) and gives the next cursor, 0 at the
    /// end. A key that is there from start to end is met at least once, whatever happens in between. Empty buckets
    /// count a quarter, after the first few, so that the work stays bounded.
    pub fn scan(&self, cursor: u64, buckets: usize, each: &mut dyn FnMut(EntryRef<'_>)) -> u64 {
        let mut index = cursor >> TOP_BITS;
        let mut top = cursor << (64 - TOP_BITS);
        let (mut full, mut empty) = (0, 0);
        while index < BUCKETS as u64 && !self.directory.is_empty() {
            // The low bits of `top` are zero: a cursor keeps only the top ones.
            let hash = top | index;
            let Some(bucket) = self.bucket(hash) else { break };
            let before = full;
            bucket.each(|entry| {
                full = before + 1;
                each(entry);
            });
            empty += usize::from(full == before);
            match next_segment(top, self.depth_at(hash)) {
                Some(next) => top = next,
                None => (index, top) = (index + 1, 0),
            }
            if full >= buckets.max(1) || empty >= buckets.saturating_mul(4).saturating_add(FREE_BUCKETS) {
                break;
            }
        }
        if index >= BUCKETS as u64 || self.directory.is_empty() {
            0
        } else {
            index << TOP_BITS | top >> (64 - TOP_BITS)
        }
    }

    /// Every entry once, in an order that follows from the hashes.
    pub fn for_each(&self, each: &mut dyn FnMut(EntryRef<'_>)) {
        let mut at = Some(0);
        while let Some(hash) = at {
            let Some(segment) = self.segment(hash) else { return };
            for index in 0..BUCKETS {
                if let Some(next) = segment.bucket((index + 2) % BUCKETS) {
                    next.prefetch_all();
                }
                if let Some(bucket) = segment.bucket(index) {
                    bucket.each(&mut *each);
                }
            }
            at = next_segment(hash, segment.depth);
        }
    }

    /// A key drawn at random: exactly evenly from a small table, nearly evenly from a large one.
    pub fn random(&self, rng: &mut Rng) -> Option<EntryRef<'_>> {
        if self.keys == 0 {
            return None;
        }
        if self.depth == 0 {
            let segment = self.segment(0)?;
            let mut nth = below(rng, self.keys);
            for bucket in (0..BUCKETS).filter_map(|index| segment.bucket(index)) {
                let len = bucket.len();
                if nth < len {
                    return bucket.nth(nth);
                }
                nth -= len;
            }
        }
        let mut hash = 0;
        for _ in 0..DRAWS {
            hash = rng.draw();
            let bucket = self.bucket(hash)?;
            let draw = below(rng, bucket.len().max(DRAW_SLOTS));
            if draw < bucket.len() {
                return bucket.nth(draw);
            }
        }
        self.next_key(hash, rng)
    }

    /// Looks at deadlines from `position` on, in at most `budget` steps, and tells `found` of keys past `now_ms`.
    pub fn expired(
        &self,
        position: &mut Position,
        now_ms: u64,
        budget: usize,
        found: &mut dyn FnMut(&[u8]),
    ) -> Deadlines {
        let mut stats = Deadlines::default();
        while stats.steps < budget && self.deadlines > 0 {
            let Some(segment) = self.segment(position.hash) else { break };
            if segment.deadlines > 0 {
                while position.bucket < BUCKETS && stats.steps < budget {
                    stats.steps += 1;
                    let bucket = segment.bucket(position.bucket).filter(|bucket| bucket.has_deadlines());
                    position.bucket += 1;
                    let Some(bucket) = bucket else { continue };
                    bucket.each_with_deadline(|entry| {
                        stats.seen += 1;
                        if entry.expire().is_some_and(|deadline| deadline <= now_ms) {
                            stats.found += 1;
                            found(entry.key());
                        }
                    });
                }
                if position.bucket < BUCKETS {
                    return stats;
                }
            } else {
                stats.steps += 1;
            }
            match next_segment(position.hash, segment.depth) {
                Some(hash) => *position = Position { hash, bucket: 0 },
                None => {
                    *position = Position::default();
                    stats.wrapped = true;
                    return stats;
                }
            }
        }
        stats.wrapped |= self.deadlines == 0;
        stats
    }

    /// The first key from the bucket of `hash` on: for tables so sparse that drawing fails.
    fn next_key(&self, hash: u64, rng: &mut Rng) -> Option<EntryRef<'_>> {
        let start = self.place_of(hash);
        let (before, from) = self.directory.split_at(start.min(self.directory.len()));
        for place in from.iter().chain(before) {
            let segment = self.segments.get(place.segment as usize)?;
            if segment.keys == 0 {
                continue;
            }
            let first = below(rng, BUCKETS);
            for index in 0..BUCKETS {
                let bucket = segment.bucket((first + index) % BUCKETS)?;
                if bucket.len() > 0 {
                    return bucket.nth(below(rng, bucket.len()));
                }
            }
        }
        None
    }

    fn depth_at(&self, hash: u64) -> u32 {
        self.segment(hash).map_or(0, |segment| segment.depth)
    }
}

fn below(rng: &mut Rng, bound: usize) -> usize {
    rng.below(bound as u64) as usize
}
