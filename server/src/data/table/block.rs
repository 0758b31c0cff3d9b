//! One entry in one heap block: header, key, deadline, value.
//!
//! Its length is the layout's: whatever reads or writes a block's bytes stands here, so that the unsafe code is checked against
//! one picture.
//!
//! ```text
//! flags, clock | varint key length | key | [u64 deadline] | content
//! flags      one byte: kind (2 bits), raw, has-deadline
//! clock      three bytes: the access clock
//! content    int: i64 · bytes: varint length, bytes · big: pointer to a shared string · boxed: pointer to a collection
//! ```
//!
//! Invariants:
//! - The key stands before everything that changes, so a new value or deadline never moves it inside the block.
//! - The block's allocation is exactly [`block_size`] of the bytes in use. A change that stays in the same size
//!   class happens in place and allocates nothing.
//! - A string longer than [`INLINE_MAX`] is `big`: held behind a reference count, so that a snapshot or a COPY
//!   shares it. A writer copies it only while somebody shares it.
//! - A collection is `boxed`: the block owns it alone. What is large in it is shared by its own means.

use super::entry::EntryRef;
use super::layout::{allocate, block_size, free, read_varint, varint_len, write_varint};
use crate::data::collection::Collection;
use crate::data::value::{NewValue, ValueRef};
use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// The longest string that lies in the entry itself, in bytes.
pub const INLINE_MAX: usize = 16 * 1024;

/// From this length on a string that grows gets less spare room, in bytes.
const LONG: usize = 1 << 20;

/// From this many bytes on, freeing a collection is put off.
const COSTLY: usize = 16 * 1024;

const HEADER: usize = 4;
const BYTES: u8 = 0;
const INT: u8 = 1;
const BIG: u8 = 2;
const BOXED: u8 = 3;
const KIND: u8 = 0b11;
const RAW: u8 = 0b100;
const DEADLINE: u8 = 0b1000;
/// Both fixed-width contents (an integer, a pointer) and the deadline take eight bytes.
const WORD: usize = 8;

/// What follows the deadline.
enum Content<'a> {
    Int(i64),
    Bytes(&'a [u8]),
    Big(Arc<Vec<u8>>),
    Boxed(Box<Collection>),
}

/// An entry, owned. Dropping it frees the block, its collection, its share of a big string.
#[repr(transparent)]
pub struct Block(NonNull<u8>);

// SAFETY: a block is the only owner of its memory. A big string is an `Arc<Vec<u8>>` and a collection a `Box`, which may
// change threads.
unsafe impl Send for Block {}
// SAFETY: through a shared reference only the access clock changes, and it is atomic.
unsafe impl Sync for Block {}

impl Block {
    /// An entry of `key` and `value` with a deadline in milliseconds since the Unix epoch.
    #[must_use]
    pub fn new(key: &[u8], value: NewValue<'_>, expire: Option<u64>) -> Self {
        let (content, raw) = Content::of(value);
        Self::build(key, raw, expire, content)
    }

    /// An entry of `key` that holds a collection.
    #[must_use]
    pub fn holding(key: &[u8], collection: Collection, expire: Option<u64>) -> Self {
        Self::build(key, 0, expire, Content::Boxed(Box::new(collection)))
    }

    /// The same value, deadline and clock under another key. A big string is shared, not copied.
    #[must_use]
    pub fn copy_as(&self, key: &[u8]) -> Self {
        let copy = Self::build(key, self.flags() & RAW, self.expire(), self.content());
        copy.set_clock(self.clock());
        copy
    }

    /// This entry, for reading.
    #[must_use]
    pub fn entry(&self) -> EntryRef<'_> {
        EntryRef(self)
    }

    /// Bytes this entry occupies: its size class and, for a big string, the buffer behind it. A shared buffer
    /// counts for each of its holders.
    #[must_use]
    pub fn footprint(&self) -> usize {
        let behind = match self.kind() {
            BIG => self.with_big(Vec::capacity) + size_of::<Vec<u8>>() + 2 * WORD,
            BOXED => self.collection().map_or(0, Collection::memory),
            _ => 0,
        };
        block_size(self.used()) + behind
    }

    /// Whether freeing this entry costs more than a few calls to the allocator.
    #[must_use]
    pub fn is_costly(&self) -> bool {
        match self.kind() {
            BIG => true,
            BOXED => self.collection().is_some_and(|collection| collection.memory() > COSTLY),
            _ => false,
        }
    }

    /// Whether it holds a big string.
    pub(super) fn is_big(&self) -> bool {
        self.kind() == BIG
    }

    /// The collection, if it holds one.
    pub(super) fn collection(&self) -> Option<&Collection> {
        // SAFETY: a boxed entry's content is a pointer from `Box::into_raw`, which the block owns while it is borrowed.
        (self.kind() == BOXED).then(|| unsafe { &*self.pointer::<Collection>() })
    }

    /// The collection, if it holds one, to change it.
    pub fn collection_mut(&mut self) -> Option<&mut Collection> {
        // SAFETY: as in `collection`; the block is borrowed for itself.
        (self.kind() == BOXED).then(|| unsafe { &mut *self.pointer::<Collection>().cast_mut() })
    }

    pub(super) fn value(&self) -> ValueRef<'_> {
        let at = self.content_at();
        match self.kind() {
            // SAFETY: an int's content is eight bytes.
            INT => ValueRef::Int(unsafe { self.0.as_ptr().add(at).cast::<i64>().read_unaligned() }),
            // SAFETY: the block holds a share of the string while it is borrowed, and nobody changes it meanwhile:
            // a writer needs the block for itself.
            BIG => ValueRef::Bytes(unsafe { &*self.pointer::<Vec<u8>>() }),
            // SAFETY: as in `collection`.
            BOXED => ValueRef::Collection(unsafe { &*self.pointer::<Collection>() }),
            _ => {
                let (len, start) = self.varint(at);
                // SAFETY: the string's `len` bytes start at `start`.
                ValueRef::Bytes(unsafe { std::slice::from_raw_parts(self.0.as_ptr().add(start), len) })
            }
        }
    }

    /// Whether the string was changed in place, so that Redis calls it `raw` however short it is.
    pub(super) fn is_raw(&self) -> bool {
        self.flags() & RAW != 0
    }

    /// The pointer, for a slot of a bucket; the entry lives on until [`Block::from_raw`].
    pub(super) fn into_raw(self) -> NonNull<u8> {
        ManuallyDrop::new(self).0
    }

    /// Owns an entry again.
    ///
    /// # Safety
    /// `block` came from [`Block::into_raw`] and nobody else owns it.
    pub(super) unsafe fn from_raw(block: NonNull<u8>) -> Self {
        Self(block)
    }

    pub(super) fn key(&self) -> &[u8] {
        let (len, at) = self.varint(HEADER);
        // SAFETY: the key's `len` bytes start at `at` and were written when the block was built.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().add(at), len) }
    }

    pub(super) fn expire(&self) -> Option<u64> {
        // SAFETY: with the flag set, the deadline's eight bytes follow the key.
        (self.flags() & DEADLINE != 0)
            .then(|| unsafe { self.0.as_ptr().add(self.key_end()).cast::<u64>().read_unaligned() })
    }

    /// Stores another value and deadline. Gives back the old entry when its freeing is worth putting off.
    pub(super) fn replace(&mut self, value: NewValue<'_>, expire: Option<u64>) -> Option<Self> {
        let (content, raw) = Content::of(value);
        let key_end = self.key_end();
        let need = key_end + if expire.is_some() { WORD } else { 0 } + content.len();
        if !self.holds_pointer() && block_size(need) == block_size(self.used()) {
            // SAFETY: the allocation holds `need` bytes, and no pointer is overwritten.
            unsafe { self.write_tail(key_end, raw, expire, content) };
            return None;
        }
        let new = Self::build(self.key(), raw, expire, content);
        new.set_clock(self.clock());
        let old = std::mem::replace(self, new);
        old.is_costly().then_some(old)
    }

    /// Sets or removes the deadline.
    pub(super) fn set_expire(&mut self, expire: Option<u64>) {
        let (at, used) = (self.key_end(), self.used());
        let from = self.content_at();
        let to = at + if expire.is_some() { WORD } else { 0 };
        let need = to + (used - from);
        let base = self.0.as_ptr();
        if block_size(need) == block_size(used) {
            // SAFETY: both ranges lie in the allocation, which holds max(used, need) bytes.
            unsafe { ptr::copy(base.add(from), base.add(to), used - from) };
        } else {
            let new = allocate(need);
            // SAFETY: the new block holds `need` bytes; the content moves, so that the old block is freed without
            // releasing a big string.
            unsafe {
                ptr::copy_nonoverlapping(base, new.as_ptr(), at);
                ptr::copy_nonoverlapping(base.add(from), new.as_ptr().add(to), used - from);
                free(self.0, used);
            }
            self.0 = new;
        }
        let flags = self.flags() & !DEADLINE;
        if let Some(deadline) = expire {
            // SAFETY: the gap of eight bytes after the key was made above.
            unsafe { self.0.as_ptr().add(at).cast::<u64>().write_unaligned(deadline) };
        }
        self.set_flags(if expire.is_some() { flags | DEADLINE } else { flags });
    }

    /// Writes `bytes` at `offset` (at the end when `None`), padding a gap with zeros; the string is raw from then
    /// on. Gives its new length. The caller has checked that offset and length stay below the longest string.
    pub(super) fn splice(&mut self, offset: Option<usize>, bytes: &[u8]) -> usize {
        debug_assert!(self.kind() != BOXED, "only a string is written into");
        if self.kind() == BOXED {
            return 0;
        }
        if self.kind() == BIG {
            self.own_big();
            let len = self.with_big_mut(|text| write_at(text, offset, bytes));
            self.set_flags(self.flags() | RAW);
            return len;
        }
        let mut digits = itoa::Buffer::new();
        let old_len = self.text(&mut digits).len();
        let at = offset.unwrap_or(old_len);
        let len = old_len.max(at.saturating_add(bytes.len()));
        if self.kind() == BYTES && self.grow_in_place(len) {
            let start = self.content_at() + varint_len(len);
            // SAFETY: the value now has `len` initialised bytes from `start`, and `at + bytes.len() <= len`.
            unsafe {
                ptr::copy_nonoverlapping(bytes.as_ptr(), self.0.as_ptr().add(start + at), bytes.len());
            }
            self.set_flags(self.flags() | RAW);
            return len;
        }
        let mut text = Vec::with_capacity(len);
        text.extend_from_slice(self.text(&mut digits));
        write_at(&mut text, Some(at), bytes);
        let content = if len > INLINE_MAX { Content::Big(Arc::new(text)) } else { Content::Bytes(&text) };
        let new = Self::build(self.key(), RAW, self.expire(), content);
        new.set_clock(self.clock());
        *self = new;
        len
    }

    /// The string as text, an integer written into `digits`; empty for what is no string.
    pub(super) fn text<'a>(&'a self, digits: &'a mut itoa::Buffer) -> &'a [u8] {
        match self.value() {
            ValueRef::Int(number) => digits.format(number).as_bytes(),
            ValueRef::Bytes(text) => text,
            ValueRef::Collection(_) => &[],
        }
    }

    /// Lengthens an inline string to `len` with zeros if it stays in its size class and its length in its varint.
    fn grow_in_place(&mut self, len: usize) -> bool {
        let at = self.content_at();
        let (old_len, start) = self.varint(at);
        let fits = len <= INLINE_MAX
            && varint_len(len) == start - at
            && block_size(start + len) == block_size(start + old_len);
        if fits {
            // SAFETY: the allocation holds `start + len` bytes; the new length takes as many bytes as the old one.
            unsafe {
                write_varint(self.0.as_ptr().add(at), len);
                ptr::write_bytes(self.0.as_ptr().add(start + old_len), 0, len - old_len);
            }
        }
        fits
    }

    fn build(key: &[u8], raw: u8, expire: Option<u64>, content: Content<'_>) -> Self {
        let key_end = HEADER + varint_len(key.len()) + key.len();
        let need = key_end + if expire.is_some() { WORD } else { 0 } + content.len();
        let mut block = Self(allocate(need));
        // SAFETY: the new block holds `need` bytes: header, key length, key, then what `write_tail` writes.
        unsafe {
            let base = block.0.as_ptr();
            ptr::write_bytes(base, 0, HEADER);
            let at = HEADER + write_varint(base.add(HEADER), key.len());
            ptr::copy_nonoverlapping(key.as_ptr(), base.add(at), key.len());
            block.write_tail(key_end, raw, expire, content);
        }
        block
    }

    /// Writes deadline and content behind the key, and the flags that describe them.
    ///
    /// # Safety
    /// The allocation holds them; whatever stood there needs no dropping.
    unsafe fn write_tail(&mut self, key_end: usize, raw: u8, expire: Option<u64>, content: Content<'_>) {
        let mut flags = raw;
        // SAFETY: by this function's contract.
        unsafe {
            let mut at = self.0.as_ptr().add(key_end);
            if let Some(deadline) = expire {
                flags |= DEADLINE;
                at.cast::<u64>().write_unaligned(deadline);
                at = at.add(WORD);
            }
            match content {
                Content::Int(number) => {
                    flags = (flags & !RAW) | INT;
                    at.cast::<i64>().write_unaligned(number);
                }
                Content::Bytes(text) => {
                    flags |= BYTES;
                    at = at.add(write_varint(at, text.len()));
                    ptr::copy_nonoverlapping(text.as_ptr(), at, text.len());
                }
                Content::Big(text) => {
                    flags |= BIG;
                    at.cast::<*const Vec<u8>>().write_unaligned(Arc::into_raw(text));
                }
                Content::Boxed(collection) => {
                    flags |= BOXED;
                    at.cast::<*mut Collection>().write_unaligned(Box::into_raw(collection));
                }
            }
        }
        self.set_flags(flags);
    }

    /// The content, copied or shared, for another block.
    fn content(&self) -> Content<'_> {
        match self.kind() {
            BIG => Content::Big(self.share()),
            _ => match self.value() {
                ValueRef::Int(number) => Content::Int(number),
                ValueRef::Bytes(text) => Content::Bytes(text),
                ValueRef::Collection(collection) => Content::Boxed(Box::new(collection.clone())),
            },
        }
    }

    pub(super) fn share(&self) -> Arc<Vec<u8>> {
        let held = ManuallyDrop::new(self.big());
        Arc::clone(&held)
    }

    /// Makes this entry the only holder of its big string, copying it if somebody shares it.
    fn own_big(&mut self) {
        let mut held = ManuallyDrop::new(self.big());
        if Arc::get_mut(&mut held).is_none() {
            let copy = Arc::new(Vec::clone(&held));
            let at = self.content_at();
            // SAFETY: the content of a big entry is this pointer. The old share is dropped after it was replaced.
            unsafe {
                self.0.as_ptr().add(at).cast::<*const Vec<u8>>().write_unaligned(Arc::into_raw(copy));
                ManuallyDrop::drop(&mut held);
            }
        }
    }

    fn with_big<R>(&self, read: impl FnOnce(&Vec<u8>) -> R) -> R {
        read(&ManuallyDrop::new(self.big()))
    }

    fn with_big_mut(&mut self, change: impl FnOnce(&mut Vec<u8>) -> usize) -> usize {
        let mut held = ManuallyDrop::new(self.big());
        Arc::get_mut(&mut held).map_or(0, change)
    }

    /// The big string as the `Arc` that the block holds: not one more share, so it must not be dropped.
    fn big(&self) -> Arc<Vec<u8>> {
        debug_assert_eq!(self.kind(), BIG, "only a big entry holds a pointer");
        // SAFETY: a big entry's content is a pointer from `Arc::into_raw`; callers do not drop what they get.
        unsafe { Arc::from_raw(self.pointer::<Vec<u8>>()) }
    }

    /// Whether the content is a pointer to what must be dropped.
    fn holds_pointer(&self) -> bool {
        matches!(self.kind(), BIG | BOXED)
    }

    /// The pointer that is the content of a big or a boxed entry.
    fn pointer<T>(&self) -> *const T {
        debug_assert!(self.holds_pointer(), "callers have looked at the kind");
        // SAFETY: such an entry's content is a pointer; eight bytes, unaligned.
        unsafe { self.0.as_ptr().add(self.content_at()).cast::<*const T>().read_unaligned() }
    }

    fn flags(&self) -> u8 {
        // SAFETY: a block starts with its flags.
        unsafe { self.0.as_ptr().read() }
    }

    fn kind(&self) -> u8 {
        self.flags() & KIND
    }

    fn set_flags(&mut self, flags: u8) {
        // SAFETY: as in `flags`.
        unsafe { self.0.as_ptr().write(flags) };
    }

    pub(super) fn clock(&self) -> u32 {
        let [low, middle, high] = self.clock_bytes();
        let byte = |of: &AtomicU8| of.load(Ordering::Relaxed);
        u32::from_le_bytes([byte(low), byte(middle), byte(high), 0])
    }

    pub(super) fn set_clock(&self, clock: u32) {
        for (byte, new) in self.clock_bytes().iter().zip(clock.to_le_bytes()) {
            byte.store(new, Ordering::Relaxed);
        }
    }

    fn clock_bytes(&self) -> &[AtomicU8; 3] {
        // SAFETY: three bytes behind the flags that are accessed only as these atomics once the block was built.
        unsafe { &*self.0.as_ptr().add(1).cast::<[AtomicU8; 3]>() }
    }

    fn key_end(&self) -> usize {
        let (len, at) = self.varint(HEADER);
        at + len
    }

    fn content_at(&self) -> usize {
        self.key_end() + if self.flags() & DEADLINE != 0 { WORD } else { 0 }
    }

    /// Bytes of the block in use, from which its allocation follows.
    pub(super) fn used(&self) -> usize {
        let at = self.content_at();
        if self.kind() == BYTES {
            let (len, start) = self.varint(at);
            start + len
        } else {
            at + WORD
        }
    }

    /// The varint at `at` and where it ends.
    fn varint(&self, at: usize) -> (usize, usize) {
        // SAFETY: callers pass the place of a length that was written with `write_varint`.
        unsafe { read_varint(self.0.as_ptr(), at) }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        match self.kind() {
            BIG => drop(self.big()),
            // SAFETY: the pointer came from `Box::into_raw`, and the block was its only owner.
            BOXED => drop(unsafe { Box::from_raw(self.pointer::<Collection>().cast_mut()) }),
            _ => {}
        }
        let used = self.used();
        // SAFETY: the block is owned and was allocated for a size in the class of `used`.
        unsafe { free(self.0, used) };
    }
}

impl std::fmt::Debug for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.entry().fmt(f)
    }
}

impl<'a> Content<'a> {
    /// The content for a value, and the raw flag.
    fn of(value: NewValue<'a>) -> (Self, u8) {
        let (text, raw) = match value {
            NewValue::Int(number) => return (Self::Int(number), 0),
            NewValue::Bytes(text) => (text, 0),
            NewValue::Raw(text) => (text, RAW),
        };
        if text.len() > INLINE_MAX {
            (Self::Big(Arc::new(text.to_vec())), raw)
        } else {
            (Self::Bytes(text), raw)
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Int(_) | Self::Big(_) | Self::Boxed(_) => WORD,
            Self::Bytes(text) => varint_len(text.len()) + text.len(),
        }
    }
}

/// Writes `bytes` into `text` at `offset` or at its end, padding with zeros; gives the new length.
fn write_at(text: &mut Vec<u8>, offset: Option<usize>, bytes: &[u8]) -> usize {
    let at = offset.unwrap_or(text.len());
    let end = at.saturating_add(bytes.len());
    if end > text.capacity() {
        // Room to grow: as much again for short strings, an eighth for long ones.
        let room = if end < LONG { end } else { LONG + end / 8 };
        text.reserve_exact(end - text.len() + room);
    }
    if end > text.len() {
        text.resize(end, 0);
    }
    if let Some(place) = text.get_mut(at..end) {
        place.copy_from_slice(bytes);
    }
    text.len()
}
