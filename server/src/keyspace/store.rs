//! The keyspace: look up, store, remove, move, walk.

use super::expiry::Roll;
use super::graveyard::Graveyard;
use super::news::News;
use super::snapshot::Snapshots;
use super::value::{NewValue, Ttl};
use super::wait::Waits;
use super::watch::Watches;
use crate::data::table::{Block, EntryRef, Table};
use crate::data::{Collection, Rng, Usage};
use crate::resp::number::parse_i64;

/// The longest text of an i64.
const INT_DIGITS_MAX: usize = 20;

/// What became of a collection that was to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edited<R> {
    /// What the change gave.
    pub result: R,
    /// It changed something.
    pub changed: bool,
    /// The key is gone, because nothing was left.
    pub emptied: bool,
    /// The key is new.
    pub created: bool,
}

/// All databases.
#[derive(Debug)]
pub struct Keyspace {
    /// Never empty.
    pub(super) databases: Vec<Table>,
    pub(super) snapshots: Snapshots,
    pub(super) watches: Watches,
    pub(super) waits: Waits,
    pub(super) news: News,
    stamp: Option<(Usage, u64, u64)>,
    pub(super) graveyard: Graveyard,
    pub(super) roll: Roll,
}

impl Default for Keyspace {
    fn default() -> Self {
        Self::new(16, 0)
    }
}

impl Keyspace {
    /// `databases` empty ones (at least one), whose hash follows from `hash_seed`.
    #[must_use]
    pub fn new(databases: usize, hash_seed: u64) -> Self {
        Self {
            databases: (0..databases.max(1)).map(|_| Table::new(hash_seed)).collect(),
            snapshots: Snapshots::default(),
            watches: Watches::default(),
            waits: Waits::default(),
            news: News::default(),
            stamp: None,
            graveyard: Graveyard::default(),
            roll: Roll::default(),
        }
    }

    /// How many databases there are.
    #[must_use]
    pub fn databases(&self) -> usize {
        self.databases.len()
    }

    /// Keys in a database, those past their deadline included.
    #[must_use]
    pub fn len(&self, db: usize) -> usize {
        self.databases.get(db).map_or(0, Table::len)
    }

    /// Whether no database has a key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.databases.iter().all(Table::is_empty)
    }

    /// Keys of a database that have a deadline.
    #[must_use]
    pub fn expires(&self, db: usize) -> usize {
        self.databases.get(db).map_or(0, Table::deadlines)
    }

    /// Bytes of tables and entries, in size classes; what waits to be freed counts until it is.
    #[must_use]
    pub fn memory(&self) -> usize {
        let tables: usize = self.databases.iter().map(Table::memory).sum();
        tables + self.snapshots.memory() + self.graveyard.memory()
    }

    /// As [`Keyspace::memory`], without what waits to be freed and what only snapshots need.
    #[must_use]
    pub fn live_memory(&self) -> usize {
        self.databases.iter().map(Table::memory).sum()
    }

    /// Bytes that a database takes beside its entries.
    #[must_use]
    pub fn overhead(&self, db: usize) -> usize {
        self.databases.get(db).map_or(0, Table::overhead)
    }

    /// Bytes that a key takes: its entry with all that is in it, and its share of the table. `None` when it is not there;
    /// one past its deadline is.
    #[must_use]
    pub fn footprint(&self, db: usize, key: &[u8]) -> Option<usize> {
        Some(self.get(db, key)?.footprint() + self.databases.get(db)?.share())
    }

    /// What the clock of a key becomes when it is written: what clocks mean, the time, and random bits. `None` leaves it alone.
    pub fn stamp(&mut self, stamp: Option<(Usage, u64, u64)>) {
        self.stamp = stamp;
    }

    /// The hash of a key, for prefetching.
    #[must_use]
    pub fn hash(&self, key: &[u8]) -> u64 {
        self.databases.first().map_or(0, |table| table.hash(key))
    }

    /// First step of a batch: asks the processor for the bucket of a hash.
    pub fn prefetch_bucket(&self, db: usize, hash: u64) {
        if let Some(table) = self.databases.get(db) {
            table.prefetch_bucket(hash);
        }
    }

    /// Second step of a batch, once all buckets were asked for: asks for the entry of a hash.
    pub fn prefetch_entry(&self, db: usize, hash: u64) {
        if let Some(table) = self.databases.get(db) {
            table.prefetch_entry(hash);
        }
    }

    /// The entry of a key, whether or not it is past its deadline.
    #[must_use]
    pub fn get(&self, db: usize, key: &[u8]) -> Option<EntryRef<'_>> {
        let table = self.databases.get(db)?;
        table.get(table.hash(key), key)
    }

    /// Stores a value; true if it replaced one.
    pub fn set(&mut self, db: usize, key: &[u8], value: NewValue<'_>, ttl: Ttl) -> bool {
        let hash = self.hash(key);
        self.before_change(db, hash);
        let Some(table) = self.databases.get_mut(db) else { return false };
        let (replaced, old) = table.set(hash, key, canonical(value), ttl);
        self.graveyard.bury(old);
        if !replaced {
            self.news.made(db, key);
        }
        self.touched(db, key);
        replaced
    }

    /// Removes a key; true if it was there. A long value is freed later, by [`Keyspace::reclaim`].
    pub fn remove(&mut self, db: usize, key: &[u8]) -> bool {
        let hash = self.hash(key);
        let removed = self.take(db, hash, key);
        let found = removed.is_some();
        self.graveyard.bury(removed);
        if found {
            self.touched(db, key);
        }
        found
    }

    /// Sets or removes a key's deadline, milliseconds since the Unix epoch; true if the key is there.
    pub fn set_expire(&mut self, db: usize, key: &[u8], at_ms: Option<u64>) -> bool {
        let hash = self.hash(key);
        self.before_change(db, hash);
        let found = self.databases.get_mut(db).is_some_and(|table| table.set_expire(hash, key, at_ms));
        if found {
            self.touched(db, key);
        }
        found
    }

    /// Appends to a string, making it if need be; gives the new length. The deadline stays. The caller has checked
    /// the longest string allowed.
    pub fn append(&mut self, db: usize, key: &[u8], bytes: &[u8]) -> usize {
        match self.splice(db, key, None, bytes) {
            Some(len) => len,
            None => {
                self.set(db, key, NewValue::Bytes(bytes), Ttl::Clear);
                bytes.len()
            }
        }
    }

    /// Writes into a string at `offset`, padding it with zeros, making it if need be; gives the new length. The
    /// deadline stays. Writing nothing changes nothing. The caller has checked the longest string allowed.
    pub fn set_range(&mut self, db: usize, key: &[u8], offset: usize, bytes: &[u8]) -> usize {
        if bytes.is_empty() {
            return self.get(db, key).map_or(0, EntryRef::text_len);
        }
        if self.get(db, key).is_none() {
            self.set(db, key, NewValue::Raw(b""), Ttl::Clear);
        }
        self.splice(db, key, Some(offset), bytes).unwrap_or(0)
    }

    /// Stores a collection in place of whatever is there; true if it replaced something.
    pub fn put_collection(&mut self, db: usize, key: &[u8], collection: Collection, ttl: Ttl) -> bool {
        let old = self.get(db, key).map(EntryRef::expire);
        let expire = match ttl {
            Ttl::Clear => None,
            Ttl::Keep => old.flatten(),
            Ttl::At(deadline) => Some(deadline),
        };
        self.put(db, key, Block::holding(key, collection, expire));
        old.is_some()
    }

    /// Shows `change` the deadline and the collection of a key (`None` for a string); it may change the collection, and
    /// says whether it did. A key whose collection then is nothing any more is removed. `None` when there is no such key.
    pub fn edit_collection<R>(
        &mut self,
        db: usize,
        key: &[u8],
        change: impl FnOnce(Option<u64>, Option<&mut Collection>) -> (R, bool),
    ) -> Option<Edited<R>> {
        let hash = self.hash(key);
        self.before_change(db, hash);
        let mut emptied = false;
        let (result, changed) =
            self.databases.get_mut(db)?.edit_collection(hash, key, |expire, collection| {
                let Some(collection) = collection else { return change(expire, None) };
                let outcome = change(expire, Some(collection));
                emptied = collection.is_nothing();
                outcome
            })?;
        if emptied {
            let block = self.take(db, hash, key);
            self.graveyard.bury(block);
        }
        if changed {
            self.touched(db, key);
        }
        Some(Edited { result, changed, emptied, created: false })
    }

    /// Gives a value and its deadline another key, whose own value is replaced; false if `from` is not there.
    pub fn rename(&mut self, db: usize, from: &[u8], to: &[u8]) -> bool {
        if from == to {
            return self.get(db, from).is_some();
        }
        let hash = self.hash(from);
        let Some(block) = self.take(db, hash, from) else { return false };
        // To those who are told of new keys this one is, whatever had its name.
        if self.put(db, to, block.copy_as(to)) {
            self.news.made(db, to);
        }
        self.touched(db, from);
        true
    }

    /// Copies a value and its deadline to another key, whose own value is replaced; false if `from` is not there.
    /// A long value is shared until one of the two changes.
    pub fn copy(&mut self, from_db: usize, from: &[u8], to_db: usize, to: &[u8]) -> bool {
        let Some(copy) = self.get(from_db, from).map(|entry| entry.copy_as(to)) else { return false };
        if (from_db, from) != (to_db, to) && self.put(to_db, to, copy) {
            self.news.made(to_db, to);
        }
        true
    }

    /// Moves a value and its deadline to the same key of another database; false, and nothing done, if it is not
    /// there or the other database has that key.
    pub fn move_key(&mut self, from_db: usize, key: &[u8], to_db: usize) -> bool {
        if from_db == to_db || to_db >= self.databases.len() || self.get(to_db, key).is_some() {
            return false;
        }
        let hash = self.hash(key);
        let Some(block) = self.take(from_db, hash, key) else { return false };
        self.put(to_db, key, block);
        self.touched(from_db, key);
        true
    }

    /// Makes an empty database ready for `keys` keys. Believes in at most four million: a claim is not yet data.
    pub fn reserve(&mut self, db: usize, keys: usize) {
        if let Some(table) = self.databases.get_mut(db) {
            table.reserve(keys);
        }
    }

    /// Visits up to `buckets` non-empty buckets (about five keys each) from `cursor` on and gives the next cursor,
    /// which stays below 2^48. Cursor 0 starts and 0 is given at the end. A key that stays is met at least once.
    pub fn scan(&self, db: usize, cursor: u64, buckets: usize, each: &mut dyn FnMut(EntryRef<'_>)) -> u64 {
        self.databases.get(db).map_or(0, |table| table.scan(cursor, buckets, each))
    }

    /// Visits every key once.
    pub fn for_each(&self, db: usize, each: &mut dyn FnMut(EntryRef<'_>)) {
        if let Some(table) = self.databases.get(db) {
            table.for_each(each);
        }
    }

    /// A key drawn at random, nearly evenly, with bounded work.
    pub fn random(&self, db: usize, rng: &mut Rng) -> Option<EntryRef<'_>> {
        self.databases.get(db)?.random(rng)
    }

    /// Removes all keys of one database, or of all; gives how many. `lazy` leaves the freeing to
    /// [`Keyspace::reclaim`]. Live snapshots keep what they still need of the old tables.
    pub fn flush(&mut self, db: Option<usize>, lazy: bool) -> usize {
        let range = db.map_or(0..self.databases.len(), |db| db..db.saturating_add(1));
        let mut removed = 0;
        self.news.flushed();
        for (number, table) in self.databases.iter_mut().enumerate() {
            if !range.contains(&number) {
                continue;
            }
            let fresh = table.fresh();
            let old = std::mem::replace(table, fresh);
            removed += old.len();
            self.watches.exchanged(number, &old, table);
            self.waits.exchanged(number, &old, table);
            match self.snapshots.keep(old) {
                Some(unneeded) if lazy => self.graveyard.bury_table(unneeded),
                _ => {}
            }
        }
        removed
    }

    /// Exchanges the contents of two databases. A live snapshot keeps the numbers they had at its cut.
    pub fn swap(&mut self, a: usize, b: usize) {
        if a == b || a.max(b) >= self.databases.len() {
            return;
        }
        self.databases.swap(a, b);
        let (now_a, now_b) = (&self.databases[a], &self.databases[b]);
        self.watches.exchanged(a, now_b, now_a);
        self.watches.exchanged(b, now_a, now_b);
        self.waits.exchanged(a, now_b, now_a);
        self.waits.exchanged(b, now_a, now_b);
    }

    /// Swaps in a loaded data set. The old one goes to the graveyard, or to the live snapshots that still need it;
    /// clients that watch a key which either set has hear of it. Snapshots and watches of `other` are dropped.
    pub fn replace_with(&mut self, mut other: Self) {
        self.news.flushed();
        let count = self.databases.len().max(other.databases.len());
        let mut loaded = std::mem::take(&mut other.databases);
        let hash = loaded.first().or(self.databases.first()).map(Table::fresh);
        if let Some(pattern) = hash {
            loaded.resize_with(count, || pattern.fresh());
            self.databases.resize_with(count, || pattern.fresh());
        }
        for (number, new) in loaded.into_iter().enumerate() {
            let old = std::mem::replace(&mut self.databases[number], new);
            self.databases[number].forget_cuts();
            self.watches.exchanged(number, &old, &self.databases[number]);
            self.waits.exchanged(number, &old, &self.databases[number]);
            if let Some(unneeded) = self.snapshots.keep(old) {
                self.graveyard.bury_table(unneeded);
            }
        }
        self.snapshots.supersede(&other.snapshots);
        self.graveyard.merge(std::mem::take(&mut other.graveyard));
        self.roll = Roll::default();
    }

    /// Frees some of what was removed, about `budget` small entries' worth; true while there is more.
    pub fn reclaim(&mut self, budget: usize) -> bool {
        self.graveyard.reclaim(budget)
    }

    fn splice(&mut self, db: usize, key: &[u8], offset: Option<usize>, bytes: &[u8]) -> Option<usize> {
        let hash = self.hash(key);
        self.before_change(db, hash);
        let len = self.databases.get_mut(db)?.splice(hash, key, offset, bytes)?;
        self.touched(db, key);
        Some(len)
    }

    /// Takes an entry out, and lets the table shrink.
    fn take(&mut self, db: usize, hash: u64, key: &[u8]) -> Option<Block> {
        self.before_change(db, hash);
        let table = self.databases.get_mut(db)?;
        let block = table.remove(hash, key)?;
        let snapshots = &mut self.snapshots;
        table.shrink(hash, &mut |slot, db, entry| snapshots.capture(slot, db, entry));
        Some(block)
    }

    /// Puts in an entry of `key`, replacing what is there; true if something was.
    fn put(&mut self, db: usize, key: &[u8], block: Block) -> bool {
        let hash = self.hash(key);
        self.before_change(db, hash);
        let Some(table) = self.databases.get_mut(db) else { return false };
        let old = table.insert(hash, block);
        let replaced = old.is_some();
        if !replaced {
            self.news.made(db, key);
        }
        self.graveyard.bury(old);
        self.touched(db, key);
        replaced
    }

    /// To be called before anything in the bucket of `hash` changes.
    #[inline]
    fn before_change(&mut self, db: usize, hash: u64) {
        if let Some(table) = self.databases.get_mut(db)
            && table.is_watched()
        {
            let snapshots = &mut self.snapshots;
            table.before_change(hash, &mut |slot, db, entry| snapshots.capture(slot, db, entry));
        }
    }

    /// To be called after a key changed.
    #[inline]
    fn touched(&mut self, db: usize, key: &[u8]) {
        if !self.watches.is_empty() {
            let exists = self.get(db, key).is_some();
            self.watches.touched(db, key, exists);
        }
        if !self.waits.is_empty() {
            self.waits.touched(db, key);
        }
        self.news.touched(key);
        if let Some((usage, now_ms, draw)) = self.stamp
            && let Some(entry) = self.get(db, key)
        {
            entry.set_clock(usage.used(entry.clock(), now_ms, draw));
        }
    }
}

/// A string that is a canonical integer becomes one.
fn canonical(value: NewValue<'_>) -> NewValue<'_> {
    match value {
        NewValue::Bytes(text) if text.len() <= INT_DIGITS_MAX => parse_i64(text).map_or(value, NewValue::Int),
        _ => value,
    }
}
