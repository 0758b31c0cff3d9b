//! What a command did, in order: the bytes its replicas must see.
//!
//! A handler says *nothing*, *as sent*, or *these instead*. Victims of lazy expiry met on the way are recorded
//! before the command's own effect. Whether more than one effect is wrapped in MULTI/EXEC is the stream's
//! business, not the handler's.

use crate::resp::reply::encode_request;

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

/// The effects of one command, reused from command to command.
#[derive(Debug, Default)]
pub struct Effects {
    list: Vec<Effect>,
    bytes: Vec<u8>,
    changes: u64,
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

    /// A key in `db` was found expired and deleted: a DEL, or an UNLINK if `unlink`.
    pub fn expired(&mut self, db: usize, key: &[u8], unlink: bool) {
        let verb: &[u8] = if unlink { b"UNLINK" } else { b"DEL" };
        self.instead(db, &[verb, key]);
    }

    /// Counts further changes beyond one per effect (DEL of several keys).
    pub fn changed(&mut self, more: u64) {
        self.changes += more;
    }

    /// Nothing happened.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
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
