//! What a data handler may touch, and the one place where a command meets an expired key.
//!
//! Handlers look keys up through [`Context::read`], [`Context::find`], [`Context::peek`] and [`Context::exists`], which know
//! what an expired key looks like to this command. A plain SET needs no look-up: it replaces whatever is there, and so it does
//! for replicas. The order of effects is the order of calls, so a key that is found expired is deleted for replicas before
//! the command itself is.
//!
//! Commands on strings and on collections have doors of their own ([`Context::read_string`], and `typed` for the others),
//! which also refuse a key of another type.

use crate::command::effects::{Effects, Events};
use crate::command::error::{self, Failure};
use crate::data::{Limits, Rng, Usage};
use crate::keyspace::{Keyspace, ValueRef};
use crate::resp::Reply;

/// A key that was found: its value, its deadline, how it is stored.
pub type Found<'a> = crate::keyspace::EntryRef<'a>;

/// What a key past its deadline looks like to this command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// A client of a master: it is deleted, and the deletion is an effect.
    Delete,
    /// A client of a replica, or writes are paused: it is invisible but stays.
    Hide,
    /// The master's stream: it is alive until the master says otherwise.
    Ignore,
}

/// Settings that data commands read; the node's configuration keeps them current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// `lazyfree-lazy-expire`: an expired key is propagated as UNLINK, not DEL.
    pub lazy_expire: bool,
    /// `lazyfree-lazy-user-del`: DEL frees in slices, as UNLINK does.
    pub lazy_user_del: bool,
    /// `lazyfree-lazy-server-del`: a key that a command empties is propagated as UNLINK, not DEL.
    pub lazy_server_del: bool,
    /// `lazyfree-lazy-user-flush`: FLUSHALL and FLUSHDB without an option free in slices.
    pub lazy_user_flush: bool,
    /// `proto-max-bulk-len`: the longest string a command may make, in bytes.
    pub max_string: usize,
    /// Thresholds of small collections.
    pub limits: Limits,
    /// What the access clocks of keys mean.
    pub usage: Usage,
    /// `notify-keyspace-events`: the events that somebody may be told of.
    pub notify: Events,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lazy_expire: true,
            lazy_user_del: true,
            lazy_server_del: true,
            lazy_user_flush: true,
            max_string: 512 << 20,
            limits: Limits::default(),
            usage: Usage::Recency,
            notify: Events::NONE,
        }
    }
}

/// Everything a data command sees: no clock, no connection, no configuration file.
#[derive(Debug)]
pub struct Context<'a> {
    /// All databases.
    pub keyspace: &'a mut Keyspace,
    /// The selected database.
    pub db: usize,
    /// Milliseconds since the Unix epoch, one reading per turn.
    pub now_ms: u64,
    /// How expired keys look.
    pub expiry: Expiry,
    /// Seeded randomness.
    pub rng: &'a mut Rng,
    /// Where the reply goes.
    pub reply: &'a mut Reply,
    /// What the command did.
    pub effects: &'a mut Effects,
    /// Current settings.
    pub settings: &'a Settings,
    /// What is read counts as used.
    pub touches: bool,
}

impl Context<'_> {
    /// Shows `look` what a key holds, for a command that reads it: counted as a hit or a miss, and the key counts as
    /// used. One look-up.
    #[inline]
    pub fn read<T>(&mut self, key: &[u8], look: impl FnOnce(Option<Found<'_>>, &mut Reply) -> T) -> T {
        let (usage, now_ms, touches) = (self.settings.usage, self.now_ms, self.touches);
        let draw = if usage == Usage::Recency { 0 } else { self.rng.draw() };
        let mut hit = false;
        let result = self.find(key, |found, reply| {
            if let Some(found) = found {
                hit = true;
                if touches {
                    found.set_clock(usage.used(found.clock(), now_ms, draw));
                }
            }
            look(found, reply)
        });
        self.count(hit);
        if !hit {
            self.notify(Events::MISS, "keymiss", key);
        }
        result
    }

    /// As [`Context::read`], for a command that asks about the key and not for its value: to ask is not to use.
    pub fn glance<T>(&mut self, key: &[u8], look: impl FnOnce(Option<Found<'_>>, &mut Reply) -> T) -> T {
        let touches = std::mem::replace(&mut self.touches, false);
        let result = self.read(key, look);
        self.touches = touches;
        result
    }

    #[inline]
    fn count(&mut self, hit: bool) {
        if hit {
            self.effects.hits += 1;
        } else {
            self.effects.misses += 1;
        }
    }

    /// Shows `look` what a key holds, for a command that is about to change it. One look-up, unless the key is expired.
    #[inline]
    pub fn find<T>(&mut self, key: &[u8], look: impl FnOnce(Option<Found<'_>>, &mut Reply) -> T) -> T {
        match self.keyspace.get(self.db, key) {
            Some(found) if self.is_past(found) => {}
            found => return look(found, self.reply),
        }
        self.drop_expired(self.db, key);
        look(None, self.reply)
    }

    /// As [`Context::read`], for a command on strings.
    ///
    /// # Errors
    /// The key holds something else.
    #[inline]
    pub fn read_string<T>(
        &mut self,
        key: &[u8],
        look: impl FnOnce(Option<Found<'_>>, &mut Reply) -> T,
    ) -> Result<T, Failure> {
        self.read(key, |found, reply| string(found).map(|found| look(found, reply)))
    }

    /// As [`Context::find`], for a command on strings.
    ///
    /// # Errors
    /// The key holds something else.
    #[inline]
    pub fn find_string<T>(
        &mut self,
        key: &[u8],
        look: impl FnOnce(Option<Found<'_>>, &mut Reply) -> T,
    ) -> Result<T, Failure> {
        self.find(key, |found, reply| string(found).map(|found| look(found, reply)))
    }

    /// Tells whoever listens that something happened to a key (`notify-keyspace-events`). Costs a look at a setting when
    /// nobody can listen.
    #[inline]
    pub fn notify(&mut self, class: Events, event: &'static str, key: &[u8]) {
        self.notify_in(class, event, self.db, key);
    }

    /// As [`Context::notify`], of a key in another database.
    #[inline]
    pub fn notify_in(&mut self, class: Events, event: &'static str, db: usize, key: &[u8]) {
        if self.settings.notify != Events::NONE {
            self.record(class, event, db, key);
        }
    }

    /// Keys that are new by now are told of first.
    #[cold]
    fn record(&mut self, class: Events, event: &'static str, db: usize, key: &[u8]) {
        self.note_new_keys();
        if self.settings.notify.meets(class) {
            self.effects.event(class, event, db, key);
        }
    }

    /// Tells of keys that were made since this was last called.
    #[cold]
    fn note_new_keys(&mut self) {
        for (db, key) in self.keyspace.take_created() {
            self.effects.event(Events::NEW, "new", db, &key);
        }
    }

    /// Somebody listens: what a command would leave to be replaced unseen has to be looked at first.
    #[inline]
    pub(super) fn drop_if_listened(&mut self, key: &[u8]) {
        if self.settings.notify != Events::NONE {
            self.exists(key);
        }
    }

    /// As [`Context::glance`], for OBJECT: nobody is told of a key that is not there.
    pub fn peek<T>(&mut self, key: &[u8], look: impl FnOnce(Option<Found<'_>>) -> T) -> T {
        let (hit, result) = self.find(key, |found, _| (found.is_some(), look(found)));
        self.count(hit);
        result
    }

    /// Is there such a key, for this command.
    pub fn exists(&mut self, key: &[u8]) -> bool {
        self.exists_in(self.db, key)
    }

    /// Is there such a key in another database.
    pub fn exists_in(&mut self, db: usize, key: &[u8]) -> bool {
        match self.keyspace.get(db, key) {
            None => false,
            Some(found) if !self.is_past(found) => true,
            Some(_) => {
                self.drop_expired(db, key);
                false
            }
        }
    }

    /// Gives a key that exists the deadline `at_ms`. A deadline that is past deletes the key instead, where keys may be
    /// deleted; for anything else, `record` is told the deadline in print and records the effect.
    pub fn expire_at(&mut self, key: &[u8], at_ms: u64, record: impl FnOnce(&mut Self, &[u8])) {
        if at_ms <= self.now_ms && self.expiry == Expiry::Delete {
            self.keyspace.remove(self.db, key);
            self.effects.expired(self.db, key, self.settings.lazy_expire);
            self.notify(Events::GENERIC, "del", key);
            return;
        }
        self.keyspace.set_expire(self.db, key, Some(at_ms));
        self.notify(Events::GENERIC, "expire", key);
        record(self, itoa::Buffer::new().format(at_ms).as_bytes());
    }

    /// Past its deadline, and this command may know.
    #[inline]
    fn is_past(&self, found: Found<'_>) -> bool {
        found.expire().is_some_and(|at| at <= self.now_ms) && self.expiry != Expiry::Ignore
    }

    #[cold]
    pub(super) fn drop_expired(&mut self, db: usize, key: &[u8]) {
        if self.expiry == Expiry::Delete {
            self.keyspace.remove(db, key);
            self.effects.expired(db, key, self.settings.lazy_expire);
            self.effects.victims += 1;
            self.notify_in(Events::EXPIRED, "expired", db, key);
        }
    }
}

/// The name TYPE gives to what a key holds.
#[must_use]
pub fn type_name(found: Found<'_>) -> &'static str {
    match found.value() {
        ValueRef::Int(_) | ValueRef::Bytes(_) => "string",
        ValueRef::Collection(collection) => collection.type_name(),
    }
}

/// What was found, if it is a string.
#[inline]
fn string(found: Option<Found<'_>>) -> Result<Option<Found<'_>>, Failure> {
    match found {
        Some(found) if found.collection().is_some() => Err(error::WRONG_TYPE),
        found => Ok(found),
    }
}
