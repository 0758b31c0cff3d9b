//! A row of small elements in one allocation, byte for byte as Redis lays it out, so that a snapshot takes it as it is.
//!
//! Layout: total bytes (u32), number of elements (u16, 65535 when there are that many or more), entries, the end mark 255.
//! An entry is an encoding with its payload, and the length of both, which is read from behind. All numbers are little-endian.
//!
//! A *position* is the byte offset of an entry in these bytes, or [`Listpack::end`]. A change keeps the positions before it; a position that
//! did not come from this value, or lies behind a change, names nothing in particular.
//!
//! The format counts its bytes in 32 bits. Who adds asks [`Listpack::fits`] first, or keeps sizes far below by its own limits.

mod entry;
mod gap;
mod walk;

#[cfg(test)]
mod tests;

use self::entry::Entry;
use super::packed::{self, Malformed};

pub use self::entry::{Item, Wanted};
pub use self::walk::Iter;

/// Bytes before the first entry.
const HEADER: usize = 6;
/// The byte behind the last entry.
const END: u8 = 0xff;
/// A count that is not known without walking.
const MANY: u16 = u16::MAX;
/// Largest number of bytes that a listpack grows to: 1 GiB, Redis' limit.
const LARGEST: usize = 1 << 30;
/// What an entry takes besides its text, at most.
const OVERHEAD: usize = 10;

/// A listpack. A clone is one copy of its bytes.
#[derive(Debug)]
pub struct Listpack {
    /// Perhaps a gap; then always whole: header, entries, end mark.
    bytes: Vec<u8>,
}

impl Clone for Listpack {
    fn clone(&self) -> Self {
        Self { bytes: self.as_bytes().to_vec() }
    }
}

impl PartialEq for Listpack {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Listpack {}

impl Default for Listpack {
    fn default() -> Self {
        Self::new()
    }
}

impl Listpack {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(0)
    }

    /// An empty one with room for `bytes` bytes of entries.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        let mut made = Vec::new();
        packed::make_room(&mut made, HEADER + 1 + bytes);
        made.extend_from_slice(&[7, 0, 0, 0, 0, 0, END]);
        Self { bytes: made }
    }

    /// Takes bytes from outside after a look at every one of them: the total, each entry's length from both sides, the number
    /// of entries and the end mark must be right.
    ///
    /// # Errors
    /// The rule that the bytes break.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, Malformed> {
        walk::verify(&bytes)?;
        Ok(Self { bytes })
    }

    /// The bytes, as they stand in a snapshot.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[self.base()..]
    }

    /// How many bytes that is.
    #[must_use]
    #[inline]
    pub fn bytes_len(&self) -> usize {
        self.bytes.len() - self.base()
    }

    /// Bytes taken from the allocator.
    #[must_use]
    pub fn memory(&self) -> usize {
        packed::memory(&self.bytes)
    }

    /// Elements. Walks all of them when there are more than 65534.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        match self.count() {
            MANY => self.iter().count(),
            count => usize::from(count),
        }
    }

    /// Whether there is no element.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.bytes_len() <= HEADER + 1
    }

    /// Whether an element of `text` bytes may be added.
    #[must_use]
    #[inline]
    pub fn fits(&self, text: usize) -> bool {
        text < LARGEST && self.bytes_len() + text + OVERHEAD <= LARGEST
    }

    /// Adds an element at the end.
    #[inline]
    pub fn push_back(&mut self, text: &[u8]) {
        self.push_back_item(Item::of(text));
    }

    /// Adds an element at the end.
    #[inline]
    pub fn push_back_item(&mut self, item: Item<'_>) {
        let entry = Entry::new(item);
        self.make_room(entry.size());
        self.bytes.pop();
        entry.append_to(&mut self.bytes);
        self.bytes.push(END);
        self.set_header(self.added(1));
    }

    /// Adds an element at the start.
    #[inline]
    pub fn push_front(&mut self, text: &[u8]) {
        self.push_front_item(Item::of(text));
    }

    /// Adds an element at the start.
    #[inline]
    pub fn push_front_item(&mut self, item: Item<'_>) {
        self.open(&Entry::new(item));
    }

    /// Puts an element before the one at a position, which may be the end. The new one is then at that position.
    pub fn insert(&mut self, at: usize, text: &[u8]) {
        self.insert_item(at, Item::of(text));
    }

    /// Puts an element before the one at a position, which may be the end. The new one is then at that position.
    pub fn insert_item(&mut self, at: usize, item: Item<'_>) {
        if at <= HEADER {
            return self.push_front_item(item);
        }
        self.splice(at.min(self.end()), 0, 0, Some(item));
    }

    /// Puts an element in the place of the one at a position; at the end nothing happens.
    pub fn replace(&mut self, at: usize, text: &[u8]) {
        self.replace_item(at, Item::of(text));
    }

    /// Puts an element in the place of the one at a position; at the end nothing happens.
    pub fn replace_item(&mut self, at: usize, item: Item<'_>) {
        if let Some(next) = self.next(at) {
            self.splice(at, next - at, 1, Some(item));
        }
    }

    /// Removes the element at a position, which then names the one behind it; at the end nothing happens.
    pub fn remove(&mut self, at: usize) {
        self.remove_at(at, 1);
    }

    /// Removes up to `count` elements from a position on, which then names the one behind them; gives how many.
    pub fn remove_at(&mut self, at: usize, count: usize) -> usize {
        let (mut to, mut removed) = (at, 0);
        while removed < count
            && let Some(next) = self.next(to)
        {
            to = next;
            removed += 1;
        }
        if removed > 0 && !(at == HEADER && self.advance(to - at, removed)) {
            self.splice(at, to - at, removed, None);
        }
        removed
    }

    /// Removes up to `count` elements from an index on (negative ones count from the end); gives how many.
    pub fn remove_range(&mut self, index: i64, count: usize) -> usize {
        self.seek(index).map_or(0, |at| self.remove_at(at, count))
    }

    /// Removes all elements.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// Adds the elements of another one behind its own.
    pub fn append(&mut self, other: &Self) {
        let count = self.added(usize::from(other.count()));
        let entries = &other.as_bytes()[HEADER..];
        self.make_room(entries.len() - 1);
        self.bytes.pop();
        self.bytes.extend_from_slice(entries);
        self.set_header(count);
    }

    /// Keeps the elements before a position and gives the others.
    #[must_use]
    pub fn split_off(&mut self, at: usize) -> Self {
        let at = at.min(self.end());
        let mut other = Self::with_capacity(self.end() - at);
        other.bytes.truncate(HEADER);
        other.bytes.extend_from_slice(&self.as_bytes()[at..]);
        let moved = other.iter().count();
        other.set_header(u16::try_from(moved).unwrap_or(MANY));
        let left = match self.count() {
            MANY => Iter::between(self.as_bytes(), HEADER, at).count(),
            count => usize::from(count).saturating_sub(moved),
        };
        self.bytes.truncate(self.base() + at);
        self.bytes.push(END);
        self.give_back();
        self.set_header(u16::try_from(left).unwrap_or(MANY));
        other
    }

    /// Puts an entry, or nothing, in the place of the `bytes` bytes at `at`, which are `elements` whole entries.
    #[inline]
    fn splice(&mut self, at: usize, bytes: usize, elements: usize, item: Option<Item<'_>>) {
        let (old, at) = (self.bytes.len(), at + self.base());
        let entry = item.map(Entry::new);
        let size = entry.as_ref().map_or(0, Entry::size);
        if size > bytes {
            packed::make_room(&mut self.bytes, size - bytes);
            self.bytes.resize(old + size - bytes, END);
        }
        if size != bytes {
            self.bytes.copy_within(at + bytes..old, at + size);
        }
        let count = self.without(elements);
        if size < bytes {
            self.bytes.truncate(old - (bytes - size));
        }
        if let Some(entry) = &entry {
            entry.write(&mut self.bytes[at..]);
        }
        self.set_header(if entry.is_some() { more(count, 1) } else { count });
        if size < bytes {
            self.give_back();
        }
    }

    #[inline]
    fn count(&self) -> u16 {
        let base = self.base();
        u16::from_le_bytes([self.bytes[base + 4], self.bytes[base + 5]])
    }

    /// The count after `elements` joined.
    #[inline]
    fn added(&self, elements: usize) -> u16 {
        more(self.count(), elements)
    }

    /// The count after `elements` left; one that is not known stays so.
    #[inline]
    fn without(&self, elements: usize) -> u16 {
        match self.count() {
            MANY => MANY,
            count => u16::try_from(usize::from(count).saturating_sub(elements)).unwrap_or(MANY),
        }
    }

    #[inline]
    fn set_header(&mut self, count: u16) {
        let base = self.base();
        let total = u32::try_from(self.bytes.len() - base).unwrap_or(u32::MAX);
        self.bytes[base..base + 4].copy_from_slice(&total.to_le_bytes());
        self.bytes[base + 4..base + HEADER].copy_from_slice(&count.to_le_bytes());
    }
}

/// A count and `elements` more.
#[inline]
fn more(count: u16, elements: usize) -> u16 {
    u16::try_from(usize::from(count) + elements).unwrap_or(MANY)
}
