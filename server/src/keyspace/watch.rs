//! Watched keys: which clients hear that a key changed.
//!
//! The rules are those of Redis 7. A change breaks the watch, and so does a flush or an exchange of databases that had
//! or has the key. A key already past its deadline when it was watched may be deleted without breaking it: for the
//! client it was gone all along.

use super::store::Keyspace;
use crate::data::table::{EntryRef, Table};
use std::collections::BTreeMap;

/// All watches. Ordered maps: flushing walks them, and the walk must not depend on a hash.
#[derive(Debug, Default)]
pub(super) struct Watches {
    clients: BTreeMap<u64, Client>,
    /// By database, then by key.
    keys: BTreeMap<usize, BTreeMap<Box<[u8]>, Vec<Watcher>>>,
}

#[derive(Debug, Default)]
struct Client {
    broken: bool,
    /// Empty once broken: nothing more can happen to it.
    keys: Vec<(usize, Box<[u8]>)>,
}

#[derive(Debug, Clone, Copy)]
struct Watcher {
    client: u64,
    /// The key was past its deadline when it was watched, and is still there.
    expired: bool,
}

impl Keyspace {
    /// `client` watches a key from now on.
    pub fn watch(&mut self, client: u64, db: usize, key: &[u8], now_ms: u64) {
        let expired = self.is_expired(db, key, now_ms);
        self.watches.watch(client, db, key, expired);
    }

    /// `client` watches nothing any more, and its watch is whole again.
    pub fn unwatch(&mut self, client: u64) {
        self.watches.release(client);
        self.watches.clients.remove(&client);
    }

    /// Whether a key that `client` watches changed since.
    #[must_use]
    pub fn watch_broken(&self, client: u64) -> bool {
        self.watches.clients.get(&client).is_some_and(|client| client.broken)
    }

    /// Whether a key that `client` watches passed its deadline since and is still there. EXEC treats that as a change
    /// too, though nothing was deleted.
    #[must_use]
    pub fn watch_expired(&self, client: u64, now_ms: u64) -> bool {
        let Some(watched) = self.watches.clients.get(&client) else { return false };
        watched.keys.iter().any(|(db, key)| {
            self.is_expired(*db, key, now_ms)
                && self.watches.watcher(client, *db, key).is_some_and(|watcher| !watcher.expired)
        })
    }

    fn is_expired(&self, db: usize, key: &[u8], now_ms: u64) -> bool {
        self.get(db, key).and_then(EntryRef::expire).is_some_and(|deadline| deadline <= now_ms)
    }
}

impl Watches {
    /// Whether no key is watched.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// A key changed; `exists` says whether it is there afterwards.
    pub(super) fn touched(&mut self, db: usize, key: &[u8], exists: bool) {
        let Some(watchers) = self.keys.get_mut(&db).and_then(|keys| keys.get_mut(key)) else { return };
        let mut broken = Vec::new();
        for watcher in watchers {
            if watcher.expired && !exists {
                watcher.expired = false;
            } else {
                broken.push(watcher.client);
            }
        }
        for client in broken {
            self.break_watch(client);
        }
    }

    /// The contents of a database were exchanged: every watched key that was or is there changed.
    pub(super) fn exchanged(&mut self, db: usize, before: &Table, after: &Table) {
        let Some(keys) = self.keys.get(&db) else { return };
        let has = |table: &Table, key: &[u8]| table.get(table.hash(key), key).is_some();
        let changed: Vec<(Box<[u8]>, bool)> = keys
            .keys()
            .map(|key| (key, has(before, key), has(after, key)))
            .filter(|(_, was, is)| *was || *is)
            .map(|(key, _, is)| (key.clone(), is))
            .collect();
        for (key, exists) in changed {
            self.touched(db, &key, exists);
        }
    }

    fn watch(&mut self, client: u64, db: usize, key: &[u8], expired: bool) {
        let watched = self.clients.entry(client).or_default();
        if watched.broken || watched.keys.iter().any(|(at, name)| (*at, &**name) == (db, key)) {
            return;
        }
        watched.keys.push((db, key.into()));
        let watchers = self.keys.entry(db).or_default().entry(key.into()).or_default();
        watchers.push(Watcher { client, expired });
    }

    fn watcher(&self, client: u64, db: usize, key: &[u8]) -> Option<Watcher> {
        self.keys.get(&db)?.get(key)?.iter().copied().find(|watcher| watcher.client == client)
    }

    fn break_watch(&mut self, client: u64) {
        self.release(client);
        self.clients.entry(client).or_default().broken = true;
    }

    /// Forgets the keys of a client.
    fn release(&mut self, client: u64) {
        let keys = self.clients.get_mut(&client).map(|watched| std::mem::take(&mut watched.keys));
        for (db, key) in keys.into_iter().flatten() {
            let Some(of_db) = self.keys.get_mut(&db) else { continue };
            if let Some(watchers) = of_db.get_mut(&key) {
                watchers.retain(|watcher| watcher.client != client);
                if watchers.is_empty() {
                    of_db.remove(&key);
                }
            }
            if of_db.is_empty() {
                self.keys.remove(&db);
            }
        }
    }
}
