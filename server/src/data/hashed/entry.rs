//! One element of a page: a field, and a value where the page holds pairs.
//!
//! ```text
//! field length, value length | field | value        lengths are one byte; a set has no value and no length of it
//! ```
//!
//! A text of [`LONG`] bytes or more lies outside, shared: its length is [`LONG`], and four bytes say where the page keeps it.

/// Texts from this length on are not in the page: copying a page must stay cheap.
pub(super) const LONG: usize = 255;
/// Bytes of a reference to a long text.
const REFERENCE: usize = 4;

/// A text as an entry holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text<'a> {
    /// The bytes themselves, fewer than [`LONG`].
    Short(&'a [u8]),
    /// The place of a long text in its page.
    Long(u32),
}

impl<'a> Text<'a> {
    fn code(self) -> u8 {
        match self {
            Self::Short(bytes) => u8::try_from(bytes.len()).unwrap_or(u8::MAX),
            Self::Long(_) => u8::MAX,
        }
    }

    /// Bytes in the page besides the length.
    fn size(self) -> usize {
        match self {
            Self::Short(bytes) => bytes.len(),
            Self::Long(_) => REFERENCE,
        }
    }

    fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Short(bytes) => out.extend_from_slice(bytes),
            Self::Long(place) => out.extend_from_slice(&place.to_le_bytes()),
        }
    }

    #[inline]
    fn read(code: u8, rest: &'a [u8]) -> Option<(Self, &'a [u8])> {
        if usize::from(code) == LONG {
            let (place, rest) = rest.split_first_chunk()?;
            return Some((Self::Long(u32::from_le_bytes(*place)), rest));
        }
        let (bytes, rest) = rest.split_at_checked(usize::from(code))?;
        Some((Self::Short(bytes), rest))
    }
}

/// An entry as it lies in a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) field: Text<'a>,
    /// Empty, and not stored, where there are no pairs.
    pub(super) value: Text<'a>,
}

impl<'a> Entry<'a> {
    /// Bytes in the page.
    pub(super) fn size<const PAIRS: bool>(self) -> usize {
        head::<PAIRS>() + self.field.size() + if PAIRS { self.value.size() } else { 0 }
    }

    /// Appends it.
    pub(super) fn write<const PAIRS: bool>(self, out: &mut Vec<u8>) {
        out.push(self.field.code());
        if PAIRS {
            out.push(self.value.code());
        }
        self.field.write(out);
        if PAIRS {
            self.value.write(out);
        }
    }

    /// The entry that starts at `at`; `None` if none does.
    #[inline]
    pub(super) fn read<const PAIRS: bool>(arena: &'a [u8], at: usize) -> Option<Self> {
        let rest = arena.get(at..)?;
        let (&field, rest) = rest.split_first()?;
        if !PAIRS {
            let (field, _) = Text::read(field, rest)?;
            return Some(Self { field, value: Text::Short(&[]) });
        }
        let (&value, rest) = rest.split_first()?;
        let (field, rest) = Text::read(field, rest)?;
        let (value, _) = Text::read(value, rest)?;
        Some(Self { field, value })
    }
}

/// Bytes before the texts.
const fn head<const PAIRS: bool>() -> usize {
    if PAIRS { 2 } else { 1 }
}
