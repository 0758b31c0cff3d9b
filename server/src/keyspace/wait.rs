//! Keys that somebody waits for: who comes first, and which of them changed.
//!
//! Who waits has a ticket; a lower one came first. Whoever holds the tickets asks for the keys that changed, in the order in
//! which they did, and judges for itself whether what is there now is what was waited for.

use super::store::Keyspace;
use crate::data::table::Table;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// All keys waited for. Ordered maps: an exchange of databases walks them, and the walk must not depend on a hash.
#[derive(Debug, Default)]
pub(super) struct Waits {
    /// By database, then by key.
    keys: BTreeMap<usize, BTreeMap<Box<[u8]>, Queue>>,
    /// Keys that changed, in order. A key whose last ticket was given back meanwhile is passed over.
    ready: VecDeque<(usize, Box<[u8]>)>,
}

#[derive(Debug, Default)]
struct Queue {
    tickets: BTreeSet<u64>,
    /// It is among the ready ones.
    ready: bool,
}

impl Keyspace {
    /// `ticket` waits for a key from now on.
    pub fn wait_for(&mut self, ticket: u64, db: usize, key: &[u8]) {
        let of_db = self.waits.keys.entry(db).or_default();
        of_db.entry(key.into()).or_default().tickets.insert(ticket);
    }

    /// `ticket` does not wait for a key any more.
    pub fn stop_waiting(&mut self, ticket: u64, db: usize, key: &[u8]) {
        let Some(of_db) = self.waits.keys.get_mut(&db) else { return };
        if let Some(queue) = of_db.get_mut(key) {
            queue.tickets.remove(&ticket);
            if queue.tickets.is_empty() {
                of_db.remove(key);
            }
        }
        if of_db.is_empty() {
            self.waits.keys.remove(&db);
        }
    }

    /// The first ticket behind `after` that waits for a key; tickets are counted from 1.
    #[must_use]
    pub fn next_waiter(&self, db: usize, key: &[u8], after: u64) -> Option<u64> {
        let queue = self.waits.keys.get(&db)?.get(key)?;
        queue.tickets.range(after.checked_add(1)?..).next().copied()
    }

    /// Whether a key that is waited for changed and nobody asked yet.
    #[must_use]
    #[inline]
    pub fn has_ready(&self) -> bool {
        !self.waits.ready.is_empty()
    }

    /// The next key that is waited for and changed.
    pub fn take_ready(&mut self) -> Option<(usize, Box<[u8]>)> {
        while let Some((db, key)) = self.waits.ready.pop_front() {
            if let Some(queue) = self.waits.queue(db, &key) {
                queue.ready = false;
                return Some((db, key));
            }
        }
        None
    }

    /// How many keys are waited for.
    #[must_use]
    pub fn awaited_keys(&self) -> usize {
        self.waits.keys.values().map(BTreeMap::len).sum()
    }
}

impl Waits {
    /// Whether no key is waited for.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// A key changed.
    pub(super) fn touched(&mut self, db: usize, key: &[u8]) {
        if let Some(queue) = self.queue(db, key)
            && !std::mem::replace(&mut queue.ready, true)
        {
            self.ready.push_back((db, key.into()));
        }
    }

    /// The contents of a database were exchanged: every key that was or is there changed.
    pub(super) fn exchanged(&mut self, db: usize, before: &Table, after: &Table) {
        let Some(keys) = self.keys.get_mut(&db) else { return };
        let has = |table: &Table, key: &[u8]| table.get(table.hash(key), key).is_some();
        for (key, queue) in keys {
            if (has(before, key) || has(after, key)) && !std::mem::replace(&mut queue.ready, true) {
                self.ready.push_back((db, key.clone()));
            }
        }
    }

    fn queue(&mut self, db: usize, key: &[u8]) -> Option<&mut Queue> {
        self.keys.get_mut(&db)?.get_mut(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyspace::{NewValue, Ttl};

    #[test]
    fn keys_are_ready_once_and_in_the_order_they_changed() {
        let mut keys = Keyspace::new(2, 0);
        for (ticket, key) in [(1, b"a"), (2, b"b"), (3, b"a"), (4, b"c")] {
            keys.wait_for(ticket, 0, key);
        }
        assert_eq!(keys.awaited_keys(), 3);
        for key in [b"b", b"a", b"b", b"d"] {
            keys.set(0, key, NewValue::Int(1), Ttl::Clear);
        }
        keys.set(1, b"c", NewValue::Int(1), Ttl::Clear);
        keys.stop_waiting(2, 0, b"b");
        assert_eq!(keys.take_ready(), Some((0, b"a"[..].into())));
        assert_eq!(keys.take_ready(), None);
        assert_eq!(keys.next_waiter(0, b"a", 0), Some(1));
        assert_eq!(keys.next_waiter(0, b"a", 1), Some(3));
        assert_eq!(keys.next_waiter(0, b"a", 3), None);
        keys.swap(0, 1);
        assert_eq!(keys.take_ready(), Some((0, b"a"[..].into())));
        assert_eq!(keys.take_ready(), Some((0, b"c"[..].into())));
        assert_eq!(keys.take_ready(), None);
    }
}
