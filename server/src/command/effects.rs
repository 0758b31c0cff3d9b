//! What a command did, in order: the bytes its replicas must see.
//!
//! A handler says *nothing*, *as sent*, or *these instead*. Victims of lazy expiry met on the way are recorded
//! before the command's own effect. Whether more than one effect is wrapped in MULTI/EXEC is the stream's
//! business, not the handler's.

use super::waiting::Waiting;
use crate::resp::Args;
use crate::resp::reply::{encode_request, encode_words};

/// One effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The request, verbatim.
    AsSent {
        /// The database it acted on.
        db: usize,
    },
    /// An encoded command, `bytes[start..end]` of [`Effects::bytes`].
    Encoded {
        /// The database it acts on.
        db: usize,
        /// First byte.
        start: usize,
        /// One past the last byte.
        end: usize,
    },
}

/// Classes of keyspace events, as `notify-keyspace-events` chooses them. A bit set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Events(u32);

impl Events {
    /// Nothing is told.
    pub const NONE: Self = Self(0);
    /// `K`: messages on `__keyspace@<db>__:<key>`.
    pub const KEYSPACE: Self = Self(1);
    /// `E`: messages on `__keyevent@<db>__:<event>`.
    pub const KEYEVENT: Self = Self(1 << 1);
    /// `g`: del, expire, rename and other commands on any type.
    pub const GENERIC: Self = Self(1 << 2);
    /// `$`
    pub const STRING: Self = Self(1 << 3);
    /// `l`
    pub const LIST: Self = Self(1 << 4);
    /// `s`
    pub const SET: Self = Self(1 << 5);
    /// `h`
    pub const HASH: Self = Self(1 << 6);
    /// `z`
    pub const ZSET: Self = Self(1 << 7);
    /// `x`: a key expired.
    pub const EXPIRED: Self = Self(1 << 8);
    /// `e`: a key was evicted.
    pub const EVICTED: Self = Self(1 << 9);
    /// `t`
    pub const STREAM: Self = Self(1 << 10);
    /// `m`: a key was asked for and was not there; not part of `A`.
    pub const MISS: Self = Self(1 << 11);
    /// `n`: a key is new; not part of `A`.
    pub const NEW: Self = Self(1 << 12);
    /// `d`: events of modules.
    pub const MODULE: Self = Self(1 << 13);

    /// The letters of the classes, `A` aside.
    const LETTERS: [(char, Self); 14] = [
        ('K', Self::KEYSPACE),
        ('E', Self::KEYEVENT),
        ('g', Self::GENERIC),
        ('$', Self::STRING),
        ('l', Self::LIST),
        ('s', Self::SET),
        ('h', Self::HASH),
        ('z', Self::ZSET),
        ('x', Self::EXPIRED),
        ('e', Self::EVICTED),
        ('t', Self::STREAM),
        ('m', Self::MISS),
        ('n', Self::NEW),
        ('d', Self::MODULE),
    ];

    /// The classes that the letters of `notify-keyspace-events` stand for; letters without a meaning mean nothing. Nothing
    /// is told, and the set is empty, unless a `K` or an `E` says where.
    #[must_use]
    pub fn parse(letters: &str) -> Self {
        let all = |letter: char| letters.contains('A') && "g$lshzxetd".contains(letter);
        let chosen = Self::LETTERS
            .iter()
            .filter(|(letter, _)| letters.contains(*letter) || all(*letter))
            .fold(Self::NONE, |set, (_, class)| set.and(*class));
        if chosen.meets(Self::KEYSPACE.and(Self::KEYEVENT)) { chosen } else { Self::NONE }
    }

    /// Both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the two have a class in common.
    #[must_use]
    #[inline]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Something that happened to a key, for those who listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// What kind of thing.
    pub class: Events,
    /// Its name: `lpush`, `del`.
    pub name: &'static str,
    /// The database of the key.
    pub db: usize,
    start: usize,
    end: usize,
}

/// The effects of one command, reused from command to command.
#[derive(Debug, Default)]
pub struct Effects {
    list: Vec<Effect>,
    bytes: Vec<u8>,
    changes: u64,
    events: Vec<Event>,
    event_keys: Vec<u8>,
    wish: Option<Box<Waiting>>,
    /// Keys that reading commands found, since the start or CONFIG RESETSTAT: INFO's `keyspace_hits`. Not cleared.
    pub hits: u64,
    /// Keys that reading commands missed, since the start or CONFIG RESETSTAT: INFO's `keyspace_misses`. Not cleared.
    pub misses: u64,
    /// Keys that commands found expired and deleted, since the start or CONFIG RESETSTAT: part of INFO's `expired_keys`. Not cleared.
    pub victims: u64,
}

impl Effects {
    /// Forgets what the last command did, keeps the memory.
    pub fn clear(&mut self) {
        self.list.clear();
        self.bytes.clear();
        self.changes = 0;
        self.events.clear();
        self.event_keys.clear();
        self.wish = None;
        if self.bytes.capacity() > 1 << 20 {
            self.bytes = Vec::new();
        }
    }

    /// Counts hits, misses and victims from zero again (CONFIG RESETSTAT).
    pub fn forget_counts(&mut self) {
        (self.hits, self.misses, self.victims) = (0, 0, 0);
    }

    /// The request itself is the effect, in `db`; it changed one thing.
    #[inline]
    pub fn as_sent(&mut self, db: usize) {
        self.list.push(Effect::AsSent { db });
        self.changes += 1;
    }

    /// This command is the effect instead, in `db`; it changed one thing.
    pub fn instead(&mut self, db: usize, command: &[&[u8]]) {
        let start = self.bytes.len();
        encode_request(&mut self.bytes, command);
        self.list.push(Effect::Encoded { db, start, end: self.bytes.len() });
        self.changes += 1;
    }

    /// The request with some of its words replaced is the effect, in `db`; it changed one thing. `replaced` has places and words.
    pub fn reworded(&mut self, db: usize, args: Args<'_>, replaced: &[(usize, &[u8])]) {
        let start = self.bytes.len();
        let word = |at: usize| {
            let new = replaced.iter().find(|(place, _)| *place == at);
            new.map_or_else(|| args.get(at), |(_, word)| word)
        };
        encode_words(&mut self.bytes, args.len(), word);
        self.list.push(Effect::Encoded { db, start, end: self.bytes.len() });
        self.changes += 1;
    }

    /// A key in `db` was found expired and deleted: a DEL, or an UNLINK if `unlink`.
    pub fn expired(&mut self, db: usize, key: &[u8], unlink: bool) {
        let verb: &[u8] = if unlink { b"UNLINK" } else { b"DEL" };
        self.instead(db, &[verb, key]);
    }

    /// Something happened to a key in `db` that somebody may listen to.
    pub fn event(&mut self, class: Events, name: &'static str, db: usize, key: &[u8]) {
        let start = self.event_keys.len();
        self.event_keys.extend_from_slice(key);
        self.events.push(Event { class, name, db, start, end: self.event_keys.len() });
    }

    /// What happened to keys, in order, each with the key.
    pub fn events(&self) -> impl Iterator<Item = (Event, &[u8])> {
        self.events
            .iter()
            .map(|&event| (event, self.event_keys.get(event.start..event.end).unwrap_or_default()))
    }

    /// Forgets what happened to keys; what replicas are told stays.
    pub fn forget_events(&mut self) {
        self.events.clear();
        self.event_keys.clear();
    }

    /// Counts further changes beyond one per effect (DEL of several keys).
    pub fn changed(&mut self, more: u64) {
        self.changes += more;
    }

    /// The request wants to wait.
    pub fn wish(&mut self, waiting: Waiting) {
        self.wish = Some(Box::new(waiting));
    }

    /// What the request wants to wait for, if it does.
    pub fn take_wish(&mut self) -> Option<Box<Waiting>> {
        self.wish.take()
    }

    /// Replicas have nothing to be told.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Nothing happened at all: no effect, no event, no wish.
    #[must_use]
    #[inline]
    pub fn is_quiet(&self) -> bool {
        self.list.is_empty() && self.events.is_empty() && self.wish.is_none()
    }

    /// Whether something happened to keys that somebody may listen to.
    #[must_use]
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// The effects in order.
    #[must_use]
    pub fn list(&self) -> &[Effect] {
        &self.list
    }

    /// The encoded bytes of an effect; empty for one as sent.
    #[must_use]
    pub fn bytes(&self, effect: Effect) -> &[u8] {
        match effect {
            Effect::AsSent { .. } => &[],
            Effect::Encoded { start, end, .. } => self.bytes.get(start..end).unwrap_or_default(),
        }
    }

    /// How much was changed: what INFO adds to `rdb_changes_since_last_save`.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes
    }
}
