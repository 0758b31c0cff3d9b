//! Lengths and strings of the format, and everything that can be wrong with a file.

use super::format::{self, encoding};
use super::lzf;
use std::fmt;

/// A file that cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Where the item begins that is wrong: bytes from the start of the file.
    pub at: u64,
    /// What is wrong with it.
    pub why: Why,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It is no RDB file: its first bytes.
    NotRdb(Vec<u8>),
    /// It is written in the form only Valkey 9 and later use.
    Valkey,
    /// It is of a version we do not read.
    Version(u16),
    /// A key holds a type we cannot hold.
    CannotHold {
        /// The key.
        key: Vec<u8>,
        /// `a list`
        what: &'static str,
    },
    /// A value or opcode nobody knows.
    UnknownType(u8),
    /// A string is announced that is longer than any we hold.
    TooLong(u64),
    /// A compressed string does not unpack to what it announces.
    Packing,
    /// Any other breach of the format.
    Breach(&'static str),
    /// The checksum is another one than that of the bytes.
    Checksum {
        /// As the file says.
        stored: u64,
        /// Of the bytes that came.
        computed: u64,
    },
    /// The file ends before its end mark.
    Truncated,
    /// Whoever loads it refuses it, for this reason.
    Refused(String),
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, at byte {}", self.why, self.at)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRdb(start) => write!(f, "no RDB file: it begins with \"{}\"", start.escape_ascii()),
            Self::Valkey => {
                write!(f, "an RDB file in the form of Valkey 9 (VALKEY080), which this server does not read")
            }
            Self::Version(version) => {
                let newest = format::NEWEST;
                write!(f, "RDB version {version}, but this server reads versions 1 to {newest}")
            }
            Self::CannotHold { key, what } => {
                let shown = key.get(..64).unwrap_or(key);
                write!(f, "key '{}' holds {what}, which this server cannot hold yet", shown.escape_ascii())
            }
            Self::UnknownType(byte) => write!(f, "unknown type or opcode {byte}"),
            Self::TooLong(len) => {
                write!(f, "a string of {len} bytes, but the limit is {}", format::MAX_STRING)
            }
            Self::Packing => f.write_str("a compressed string that does not unpack"),
            Self::Breach(what) => f.write_str(what),
            Self::Checksum { stored, computed } => {
                write!(f, "wrong checksum: the file says {stored:016x}, its bytes give {computed:016x}")
            }
            Self::Truncated => f.write_str("the file ends too early"),
            Self::Refused(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for Damage {}

/// Why an item could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// It cannot be whole before this many more bytes have come; never zero.
    Need(usize),
    /// It is wrong.
    Wrong(Why),
}

impl From<Why> for Stop {
    fn from(why: Why) -> Self {
        Self::Wrong(why)
    }
}

/// A string as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text<'a> {
    Bytes(&'a [u8]),
    Int(i64),
    Packed { packed: &'a [u8], len: usize },
}

impl<'a> Text<'a> {
    /// The bytes of the string; those that are not stored as such are made in `scratch`.
    pub(super) fn bytes(self, scratch: &'a mut Vec<u8>) -> Result<&'a [u8], Stop> {
        scratch.clear();
        match self {
            Self::Bytes(bytes) => return Ok(bytes),
            Self::Int(n) => scratch.extend_from_slice(itoa::Buffer::new().format(n).as_bytes()),
            Self::Packed { packed, len } => {
                lzf::unpack(packed, len, scratch).map_err(|lzf::Malformed| Why::Packing)?;
            }
        }
        Ok(scratch)
    }
}

/// Reads forward through the bytes of one item. Reading never looks beyond what the item is known to need, so that
/// [`Stop::Need`] is exact.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes read so far.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn slice(&mut self, len: usize) -> Result<&'a [u8], Stop> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = rest.get(..len).ok_or(Stop::Need(len.saturating_sub(rest.len())))?;
        self.at += len;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = rest.first_chunk::<N>().ok_or(Stop::Need(N.saturating_sub(rest.len())))?;
        self.at += N;
        Ok(*taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Stop> {
        self.array().map(|[byte]: [u8; 1]| byte)
    }

    /// A length, where no string may stand.
    pub(super) fn length(&mut self) -> Result<u64, Stop> {
        let first = self.byte()?;
        self.length_after(first)?.ok_or(Stop::Wrong(Why::Breach("an encoded string where a number belongs")))
    }

    /// The length that begins with `first`; `None` when it announces an encoded string instead.
    fn length_after(&mut self, first: u8) -> Result<Option<u64>, Stop> {
        Ok(Some(match first {
            0..0x40 => u64::from(first),
            0x40..0x80 => u64::from(first & 0x3F) << 8 | u64::from(self.byte()?),
            0x80 => u64::from(u32::from_be_bytes(self.array()?)),
            0x81 => u64::from_be_bytes(self.array()?),
            0x82..0xC0 => return Err(Why::Breach("a length of unknown form").into()),
            _ => return Ok(None),
        }))
    }

    /// A string in any of its forms.
    pub(super) fn text(&mut self) -> Result<Text<'a>, Stop> {
        let first = self.byte()?;
        if let Some(len) = self.length_after(first)? {
            return Ok(Text::Bytes(self.slice(bounded(len)?)?));
        }
        Ok(match first & 0x3F {
            encoding::INT8 => Text::Int(i64::from(i8::from_le_bytes(self.array()?))),
            encoding::INT16 => Text::Int(i64::from(i16::from_le_bytes(self.array()?))),
            encoding::INT32 => Text::Int(i64::from(i32::from_le_bytes(self.array()?))),
            encoding::LZF => {
                let packed_len = bounded(self.length()?)?;
                let len = bounded(self.length()?)?;
                Text::Packed { packed: self.slice(packed_len)?, len }
            }
            _ => return Err(Why::Breach("a string of unknown encoding").into()),
        })
    }
}

fn bounded(len: u64) -> Result<usize, Stop> {
    let fits = usize::try_from(len).ok().filter(|_| len <= format::MAX_STRING);
    fits.ok_or(Stop::Wrong(Why::TooLong(len)))
}
