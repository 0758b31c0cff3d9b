//! Snapshots: the keyspace exactly as it was at a cut, while it goes on changing.
//!
//! Beginning one marks each table and copies nothing. From then on a bucket is captured before its first change, and
//! [`Keyspace::drive_snapshot`] captures the rest in slices. A table that is flushed or replaced meanwhile is kept,
//! unchanged, for the snapshots that are not through with it. Databases keep the number they had at the cut.

use super::store::Keyspace;
use crate::data::table::{CUTS, EntryRef, Table};
use std::any::Any;

/// Takes the entries of a snapshot and makes bytes of them.
///
/// All of a snapshot's databases are announced first, in order of their number, those without keys left out. Then
/// the entries come, each once, those of different databases mixed.
pub trait Capture: std::fmt::Debug + Send {
    /// A database that has `keys` keys at the cut, `expires` of them with a deadline.
    fn begin_db(&mut self, db: usize, keys: usize, expires: usize);
    /// An entry as it was at the cut. A long value may be kept by reference ([`EntryRef::shared`],
    /// [`EntryRef::shared_collection`]), and its bytes made later.
    fn entry(&mut self, db: usize, entry: EntryRef<'_>);
    /// Makes about `budget` bytes of what it kept to be made later; gives how many.
    fn settle(&mut self, _budget: usize) -> usize {
        0
    }
    /// Whether nothing is left to be made later.
    fn is_settled(&self) -> bool {
        true
    }
    /// Bytes made and not taken yet.
    fn buffered(&self) -> usize;
    /// Moves the bytes made so far to the end of `out`.
    fn take(&mut self, out: &mut Vec<u8>);
    /// The capture as what it really is.
    fn as_any(&mut self) -> &mut dyn Any;
}

/// A live snapshot. Outdated once it ended: then every method answers as for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotId {
    slot: usize,
    generation: u64,
}

/// The live snapshots and the tables that only they still need.
#[derive(Debug, Default)]
pub(super) struct Snapshots {
    live: [Option<Live>; CUTS],
    /// Snapshots begun so far.
    generation: u64,
    retired: Vec<Table>,
}

#[derive(Debug)]
struct Live {
    generation: u64,
    capture: Box<dyn Capture>,
}

impl Keyspace {
    /// Begins a snapshot of all databases as they are now; `None` when too many live.
    pub fn begin_snapshot(&mut self, mut capture: Box<dyn Capture>) -> Option<SnapshotId> {
        let slot = self.snapshots.live.iter().position(Option::is_none)?;
        let generation = self.snapshots.generation + 1;
        self.snapshots.generation = generation;
        for (db, table) in self.databases.iter_mut().enumerate() {
            table.begin_cut(slot, generation, db);
            if !table.is_empty() {
                capture.begin_db(db, table.len(), table.deadlines());
            }
        }
        self.snapshots.live[slot] = Some(Live { generation, capture });
        Some(SnapshotId { slot, generation })
    }

    /// Captures about `budget_bytes` of further entries, at least one bucket; true when everything is captured.
    pub fn drive_snapshot(&mut self, id: SnapshotId, budget_bytes: usize) -> bool {
        let Some(found) = self.snapshots.find(id) else { return true };
        let budget = budget_bytes.max(1);
        let settled = found.capture.settle(budget);
        if !found.capture.is_settled() {
            return false;
        }
        let Snapshots { live, retired, .. } = &mut self.snapshots;
        let mut capture = |slot: usize, db: usize, entry: EntryRef<'_>| capture_in(live, slot, db, entry);
        let mut left = budget.saturating_sub(settled).max(1);
        for table in self.databases.iter_mut().chain(retired) {
            if table.is_watched_by(id.slot) {
                left = left.saturating_sub(table.drive_cut(id.slot, left, &mut capture));
                if table.is_watched_by(id.slot) {
                    return false;
                }
                if left == 0 {
                    break;
                }
            }
        }
        self.release();
        let settled = self.snapshots.find(id).is_none_or(|live| live.capture.is_settled());
        settled
            && !self.databases.iter().chain(&self.snapshots.retired).any(|table| table.is_watched_by(id.slot))
    }

    /// Moves the bytes a snapshot has made so far to the end of `out`.
    pub fn take_snapshot_bytes(&mut self, id: SnapshotId, out: &mut Vec<u8>) {
        if let Some(live) = self.snapshots.find(id) {
            live.capture.take(out);
        }
    }

    /// Bytes a snapshot has made that nobody took yet.
    #[must_use]
    pub fn snapshot_buffered(&self, id: SnapshotId) -> usize {
        let live = self.snapshots.live.get(id.slot).and_then(Option::as_ref);
        live.filter(|live| live.generation == id.generation).map_or(0, |live| live.capture.buffered())
    }

    /// Ends a snapshot, complete or abandoned, and gives its capture back.
    pub fn end_snapshot(&mut self, id: SnapshotId) -> Option<Box<dyn Capture>> {
        self.snapshots.find(id)?;
        let live = self.snapshots.live[id.slot].take();
        for table in self.databases.iter_mut().chain(&mut self.snapshots.retired) {
            table.end_cut(id.slot);
        }
        self.release();
        live.map(|live| live.capture)
    }

    /// Buries retired tables that no snapshot needs any more.
    fn release(&mut self) {
        for table in self.snapshots.retired.extract_if(.., |table| !table.is_watched()) {
            self.graveyard.bury_table(table);
        }
    }
}

impl Snapshots {
    /// Hands an entry to the snapshot in `slot`.
    pub(super) fn capture(&mut self, slot: usize, db: usize, entry: EntryRef<'_>) {
        capture_in(&mut self.live, slot, db, entry);
    }

    /// Keeps a table that is no longer part of the keyspace, if a live snapshot is not through with it; gives it back
    /// otherwise.
    pub(super) fn keep(&mut self, table: Table) -> Option<Table> {
        if table.is_watched() {
            self.retired.push(table);
            None
        } else {
            Some(table)
        }
    }

    /// Takes over tables from another keyspace, whose snapshots end: numbers of new ones differ from all of both.
    pub(super) fn supersede(&mut self, other: &Self) {
        self.generation = self.generation.max(other.generation);
    }

    /// Bytes of the tables kept.
    pub(super) fn memory(&self) -> usize {
        self.retired.iter().map(Table::memory).sum()
    }

    fn find(&mut self, id: SnapshotId) -> Option<&mut Live> {
        self.live.get_mut(id.slot)?.as_mut().filter(|live| live.generation == id.generation)
    }
}

fn capture_in(live: &mut [Option<Live>; CUTS], slot: usize, db: usize, entry: EntryRef<'_>) {
    if let Some(Some(live)) = live.get_mut(slot) {
        live.capture.entry(db, entry);
    }
}
