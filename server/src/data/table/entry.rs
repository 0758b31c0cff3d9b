//! An entry as it is read, by everybody above the table.

use super::block::Block;
use crate::data::collection::Collection;
use crate::data::value::ValueRef;
use std::sync::Arc;

/// The longest string that Redis calls `embstr`, in bytes.
const EMBSTR_MAX: usize = 44;

/// From about this many bytes on a collection is shared with a snapshot, not copied.
const SHARED_FROM: usize = 16 * 1024;

/// An entry as it is read: key, value, deadline, access clock.
#[derive(Clone, Copy)]
pub struct EntryRef<'a>(pub(super) &'a Block);

impl<'a> EntryRef<'a> {
    /// The key.
    #[must_use]
    pub fn key(self) -> &'a [u8] {
        self.0.key()
    }

    /// The value.
    #[must_use]
    pub fn value(self) -> ValueRef<'a> {
        self.0.value()
    }

    /// The deadline, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn expire(self) -> Option<u64> {
        self.0.expire()
    }

    /// What OBJECT ENCODING says, by Redis' rules. Of strings: `int`, `embstr` up to 44 bytes unless the string was
    /// changed in place, else `raw`.
    #[must_use]
    pub fn encoding(self) -> &'static str {
        let raw = self.0.is_raw();
        match self.value() {
            ValueRef::Int(_) => "int",
            ValueRef::Bytes(text) if text.len() <= EMBSTR_MAX && !raw => "embstr",
            ValueRef::Bytes(_) => "raw",
            ValueRef::Collection(collection) => collection.encoding(),
        }
    }

    /// A share of a string longer than [`INLINE_MAX`]: a snapshot keeps it instead of copying the bytes.
    #[must_use]
    pub fn shared(self) -> Option<Arc<Vec<u8>>> {
        let block = self.0;
        block.is_big().then(|| block.share())
    }

    /// The access clock: 24 bits whose meaning is the caller's (seconds, or a frequency).
    #[must_use]
    pub fn clock(self) -> u32 {
        self.0.clock()
    }

    /// Sets the access clock; the upper eight bits are dropped.
    pub fn set_clock(self, clock: u32) {
        self.0.set_clock(clock);
    }

    /// The collection, if it holds one.
    #[must_use]
    pub fn collection(self) -> Option<&'a Collection> {
        self.0.collection()
    }

    /// A share of a collection that is large: a snapshot keeps it, and makes bytes of it in slices.
    #[must_use]
    pub fn shared_collection(self) -> Option<Collection> {
        self.collection().filter(|collection| collection.memory() >= SHARED_FROM).cloned()
    }

    /// Bytes of the value as text; 0 for a collection.
    #[must_use]
    pub fn text_len(self) -> usize {
        self.0.text(&mut itoa::Buffer::new()).len()
    }

    /// The same value, deadline and clock under another key. A long string is shared, not copied.
    #[must_use]
    pub fn copy_as(self, key: &[u8]) -> Block {
        self.0.copy_as(key)
    }

    /// What copying this entry costs, in bytes; what is shared costs its pointer.
    pub(super) fn cost(self) -> usize {
        self.0.used() + self.collection().map_or(0, |collection| collection.memory().min(SHARED_FROM))
    }

    /// Bytes this entry occupies, size class included.
    #[must_use]
    pub fn footprint(self) -> usize {
        self.0.footprint()
    }
}

impl std::fmt::Debug for EntryRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("key", &self.key().escape_ascii().to_string())
            .field("value", &self.value())
            .field("expire", &self.expire())
            .finish()
    }
}
