//! One entry of a listpack: encoding, payload, and its own length again, to be read from behind.

use crate::resp::number::parse_i64;

/// The longest text of a 64-bit integer.
const INT_TEXT_MAX: usize = 20;

/// An element as it is stored: a canonical integer is a number, whatever was pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'a> {
    /// An integer.
    Int(i64),
    /// Any other bytes.
    Str(&'a [u8]),
}

impl<'a> Item<'a> {
    /// How `text` is stored: as an integer if it is the canonical text of one.
    #[must_use]
    #[inline]
    pub fn of(text: &'a [u8]) -> Self {
        match text.first() {
            Some(b'0'..=b'9' | b'-') if text.len() <= INT_TEXT_MAX => {
                parse_i64(text).map_or(Self::Str(text), Item::Int)
            }
            _ => Self::Str(text),
        }
    }

    /// Shows `look` the element's text.
    #[inline]
    pub fn with_text<T>(self, look: impl FnOnce(&[u8]) -> T) -> T {
        match self {
            Self::Int(number) => look(itoa::Buffer::new().format(number).as_bytes()),
            Self::Str(text) => look(text),
        }
    }

    /// Appends the element's text.
    #[inline]
    pub fn write_to(self, out: &mut Vec<u8>) {
        self.with_text(|text| out.extend_from_slice(text));
    }

    /// The element's text.
    #[must_use]
    pub fn to_vec(self) -> Vec<u8> {
        self.with_text(<[u8]>::to_vec)
    }

    /// The length of the element's text.
    #[must_use]
    pub fn text_len(self) -> usize {
        self.with_text(<[u8]>::len)
    }

    /// Is this the element's text.
    #[must_use]
    pub fn is(self, text: &[u8]) -> bool {
        self.with_text(|own| own == text)
    }
}

/// A text that is looked for among many elements: read as a number once.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    text: &'a [u8],
    number: Option<i64>,
}

impl<'a> Wanted<'a> {
    /// Looks for this text.
    #[must_use]
    pub fn new(text: &'a [u8]) -> Self {
        let number = match Item::of(text) {
            Item::Int(number) => Some(number),
            Item::Str(_) => None,
        };
        Self { text, number }
    }

    /// Is this the element.
    #[must_use]
    #[inline]
    pub fn is(&self, item: Item<'_>) -> bool {
        match item {
            Item::Str(text) => text == self.text,
            Item::Int(number) => self.number == Some(number),
        }
    }
}

/// A few bytes made on the stack.
#[derive(Clone, Copy)]
pub(super) struct Short<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Short<N> {
    #[inline]
    fn new(first: u8, rest: &[u8]) -> Self {
        let mut bytes = [0; N];
        bytes[0] = first;
        bytes[1..=rest.len()].copy_from_slice(rest);
        Self { bytes, len: rest.len() + 1 }
    }

    // Most heads and tails are one byte, which is no matter for a call to copy memory.

    #[inline]
    fn write(&self, at: &mut [u8]) {
        match self.len {
            1 => at[0] = self.bytes[0],
            len => at[..len].copy_from_slice(&self.bytes[..len]),
        }
    }

    #[inline]
    fn append_to(&self, out: &mut Vec<u8>) {
        match self.len {
            1 => out.push(self.bytes[0]),
            len => out.extend_from_slice(&self.bytes[..len]),
        }
    }
}

/// An entry ready to be written: head, payload and tail follow each other.
pub(super) struct Entry<'a> {
    pub(super) head: Short<9>,
    pub(super) payload: &'a [u8],
    pub(super) tail: Short<5>,
}

impl<'a> Entry<'a> {
    /// Chooses the shortest encoding. A text has at most 2^32 - 1 bytes.
    #[inline]
    pub(super) fn new(item: Item<'a>) -> Self {
        let (head, payload): (_, &[u8]) = match item {
            Item::Int(number) => (int_head(number), &[]),
            Item::Str(text) => (str_head(text.len()), text),
        };
        let tail = tail(head.len + payload.len());
        Self { head, payload, tail }
    }

    /// Bytes of all three parts.
    #[inline]
    pub(super) fn size(&self) -> usize {
        self.head.len + self.payload.len() + self.tail.len
    }

    /// Writes the entry over the first [`Entry::size`] bytes of `at`.
    #[inline]
    pub(super) fn write(&self, at: &mut [u8]) {
        let (head, rest) = at.split_at_mut(self.head.len);
        let (payload, rest) = rest.split_at_mut(self.payload.len());
        self.head.write(head);
        payload.copy_from_slice(self.payload);
        self.tail.write(rest);
    }

    /// Writes the entry behind what is there.
    #[inline]
    pub(super) fn append_to(&self, out: &mut Vec<u8>) {
        self.head.append_to(out);
        out.extend_from_slice(self.payload);
        self.tail.append_to(out);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "each arm takes the low bytes of a number that fits them"
)]
#[expect(clippy::cast_sign_loss, reason = "two's complement is what is stored")]
#[inline]
fn int_head(number: i64) -> Short<9> {
    let low = number.to_le_bytes();
    match number {
        0..=127 => Short::new(number as u8, &[]),
        -4096..=4095 => Short::new(0xc0 | ((number >> 8) as u8 & 0x1f), &low[..1]),
        -0x8000..=0x7fff => Short::new(0xf1, &low[..2]),
        -0x80_0000..=0x7f_ffff => Short::new(0xf2, &low[..3]),
        -0x8000_0000..=0x7fff_ffff => Short::new(0xf3, &low[..4]),
        _ => Short::new(0xf4, &low),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "each arm takes the low bytes of a length that fits them"
)]
#[inline]
fn str_head(len: usize) -> Short<9> {
    match len {
        0..64 => Short::new(0x80 | len as u8, &[]),
        64..4096 => Short::new(0xe0 | (len >> 8) as u8, &[len as u8]),
        _ => Short::new(0xf0, &(len as u32).to_le_bytes()),
    }
}

/// How many bytes say that an entry has `size` bytes before them. The bounds are one below what would fit, as in Redis.
#[inline]
pub(super) fn tail_len(size: usize) -> usize {
    match size {
        0..=127 => 1,
        128..16_383 => 2,
        16_383..2_097_151 => 3,
        2_097_151..268_435_455 => 4,
        _ => 5,
    }
}

/// Seven bits a byte, the lowest last; a byte with the high bit has more before it.
#[expect(clippy::cast_possible_truncation, reason = "seven bits are taken")]
#[inline]
fn tail(size: usize) -> Short<5> {
    let len = tail_len(size);
    let mut bytes = [0; 5];
    for (place, byte) in bytes[..len].iter_mut().rev().enumerate() {
        *byte = ((size >> (7 * place)) & 0x7f) as u8 | 0x80;
    }
    bytes[0] &= 0x7f;
    Short { bytes, len }
}

/// The entry at `at`: what it holds, and its bytes without the tail. None at the end mark, and for anything that is no whole
/// entry.
#[inline]
pub(super) fn read(bytes: &[u8], at: usize) -> Option<(Item<'_>, usize)> {
    let rest = bytes.get(at..)?;
    let &first = rest.first()?;
    match first {
        0..=0x7f => Some((Item::Int(i64::from(first)), 1)),
        0x80..=0xbf => text(rest, 1, usize::from(first & 0x3f)),
        0xc0..=0xdf => {
            let bits = u16::from(first & 0x1f) << 8 | u16::from(*rest.get(1)?);
            // Thirteen bits with a sign, moved to the top and back.
            Some((Item::Int(i64::from((bits << 3).cast_signed() >> 3)), 2))
        }
        0xe0..=0xef => text(rest, 2, usize::from(first & 0x0f) << 8 | usize::from(*rest.get(1)?)),
        0xf0 => text(rest, 5, usize::try_from(u32::from_le_bytes(chunk(rest)?)).ok()?),
        0xf1 => Some((Item::Int(i64::from(i16::from_le_bytes(chunk(rest)?))), 3)),
        0xf2 => {
            let [a, b, c] = chunk(rest)?;
            Some((Item::Int(i64::from(i32::from_le_bytes([0, a, b, c]) >> 8)), 4))
        }
        0xf3 => Some((Item::Int(i64::from(i32::from_le_bytes(chunk(rest)?))), 5)),
        0xf4 => Some((Item::Int(i64::from_le_bytes(chunk(rest)?)), 9)),
        _ => None,
    }
}

#[inline]
fn text(rest: &[u8], head: usize, len: usize) -> Option<(Item<'_>, usize)> {
    let size = head.checked_add(len)?;
    Some((Item::Str(rest.get(head..size)?), size))
}

/// The bytes behind the first.
#[inline]
fn chunk<const N: usize>(rest: &[u8]) -> Option<[u8; N]> {
    rest.get(1..)?.first_chunk().copied()
}

/// The size written in the tail that ends just before `end`, and the tail's own length.
#[inline]
pub(super) fn read_tail(bytes: &[u8], end: usize) -> Option<(usize, usize)> {
    let mut size = 0usize;
    for place in 0..5 {
        let byte = *bytes.get(end.checked_sub(place + 1)?)?;
        size |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((size, place + 1));
        }
    }
    None
}
