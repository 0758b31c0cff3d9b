//! Snapshots of the table as it was at a cut, taken while it changes.
//!
//! Per segment and cut, a bit for each bucket says that it was captured. A bucket is captured whole before its first
//! change; the rest follows at the snapshot's own pace. So what is captured is exactly the table at the cut, each
//! key once, and beginning costs nothing per key: a segment whose generation is not the cut's has captured nothing.
//!
//! Splitting copies the bits (a bucket splits into the buckets of the same number), merging levels them first. A
//! segment made from nothing holds nothing older than the cut and counts as captured.

use super::bucket::{BUCKETS, Bucket};
use super::directory::{Segment, Table, index};
use super::entry::EntryRef;

/// Snapshots that may live at once.
pub const CUTS: usize = 4;

/// Takes captured entries: the snapshot's slot, the database's number at the cut, the entry.
pub type Captured<'s> = dyn FnMut(usize, usize, EntryRef<'_>) + 's;

/// What looking at a bucket costs of a budget in bytes, besides its entries.
const BUCKET_COST: usize = size_of::<Bucket>();

/// A snapshot as one table sees it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cut {
    /// Tells this cut's bits from those of earlier snapshots in the same slot.
    pub(super) generation: u64,
    /// The number of this database at the cut.
    db: usize,
    /// Hashes below this one, by their top bits, are captured.
    at: u64,
}

impl Table {
    /// Begins a snapshot in `slot` (below [`CUTS`]) under the number that this database has now. `generation` differs
    /// from those of all earlier snapshots in the slot.
    pub fn begin_cut(&mut self, slot: usize, generation: u64, db: usize) {
        self.cuts[slot] = Cut { generation, db, at: 0 };
        if self.keys > 0 {
            self.watching |= 1 << slot;
        }
    }

    /// Ends the snapshot in `slot`, complete or not.
    pub fn end_cut(&mut self, slot: usize) {
        self.watching &= !(1 << slot);
    }

    /// Forgets all snapshots: the table becomes part of a keyspace that does not know them.
    pub fn forget_cuts(&mut self) {
        self.watching = 0;
        self.cuts = [Cut::default(); CUTS];
    }

    /// Whether any live snapshot has buckets to capture here.
    #[inline]
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.watching != 0
    }

    /// Whether the snapshot in `slot` has buckets to capture here.
    #[must_use]
    pub fn is_watched_by(&self, slot: usize) -> bool {
        self.watching & 1 << slot != 0
    }

    /// To be called before anything in the bucket of `hash` changes: captures it into each live snapshot that has not
    /// got it yet.
    pub fn before_change(&mut self, hash: u64, capture: &mut Captured<'_>) {
        let (watching, cuts) = (self.watching, self.cuts);
        let Some(segment) = self.segment_mut(hash) else { return };
        for slot in live(watching) {
            segment.capture(slot, cuts[slot], index(hash), capture);
        }
    }

    /// Captures further buckets into the snapshot in `slot`, about `budget` bytes of entries, at least one bucket.
    /// Gives what it spent; when all is captured the table is no longer watched by that snapshot.
    pub fn drive_cut(&mut self, slot: usize, budget: usize, capture: &mut Captured<'_>) -> usize {
        let mut spent = 0;
        while self.is_watched_by(slot) {
            let cut = self.cuts[slot];
            let Some(segment) = self.segment_mut(cut.at) else {
                self.end_cut(slot);
                break;
            };
            let mut missing = !segment.bits(slot, cut);
            while missing != 0 {
                if spent >= budget && spent > 0 {
                    return spent;
                }
                let at = missing.trailing_zeros() as usize;
                missing &= missing - 1;
                if missing != 0
                    && let Some(next) = segment.bucket(missing.trailing_zeros() as usize)
                {
                    next.prefetch_all();
                }
                spent += segment.capture(slot, cut, at, capture);
            }
            spent += BUCKET_COST;
            match next_segment(cut.at, segment.depth) {
                Some(next) => self.cuts[slot].at = next,
                None => self.end_cut(slot),
            }
        }
        spent
    }

    /// Makes two segments that merge agree on what is captured, by capturing what only one of them has.
    pub(super) fn level(&mut self, low: usize, high: usize, capture: &mut Captured<'_>) {
        for slot in live(self.watching) {
            let cut = self.cuts[slot];
            let bits = [self.segments[low].bits(slot, cut), self.segments[high].bits(slot, cut)];
            for (id, other) in [(low, bits[1]), (high, bits[0])] {
                for at in (0..BUCKETS).filter(|at| other >> at & 1 == 1) {
                    self.segments[id].capture(slot, cut, at, capture);
                }
            }
        }
    }
}

impl Segment {
    /// Which buckets a cut has captured; forgets bits of an earlier snapshot.
    fn bits(&mut self, slot: usize, cut: Cut) -> u64 {
        if self.generations[slot] != cut.generation {
            self.generations[slot] = cut.generation;
            self.captured[slot] = 0;
        }
        self.captured[slot]
    }

    /// Captures a bucket unless that was done; gives what it cost.
    fn capture(&mut self, slot: usize, cut: Cut, at: usize, capture: &mut Captured<'_>) -> usize {
        if self.bits(slot, cut) >> at & 1 == 1 {
            return 0;
        }
        self.captured[slot] |= 1 << at;
        let mut cost = BUCKET_COST;
        if let Some(bucket) = self.bucket(at) {
            bucket.each(|entry| {
                cost += entry.cost();
                capture(slot, cut.db, entry);
            });
        }
        cost
    }
}

/// Where the segment after the one that holds `hash` starts; `None` after the last.
pub(super) fn next_segment(hash: u64, depth: u32) -> Option<u64> {
    if depth == 0 {
        return None;
    }
    let width = 1u64 << (64 - depth);
    (hash & !(width - 1)).checked_add(width)
}

fn live(watching: u8) -> impl Iterator<Item = usize> {
    (0..CUTS).filter(move |slot| watching & 1 << slot != 0)
}
