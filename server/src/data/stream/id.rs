//! The id of an entry: a millisecond and a number within it.

use crate::resp::number::{parse_i64, parse_u64};

/// The id of an entry of a stream; ids are ordered, and those of a stream only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Id {
    /// Milliseconds since the Unix epoch, if the server chose it.
    pub ms: u64,
    /// Its number within the millisecond.
    pub seq: u64,
}

impl Id {
    /// Before all others; no entry has it.
    pub const MIN: Self = Self { ms: 0, seq: 0 };
    /// The last there can be.
    pub const MAX: Self = Self { ms: u64::MAX, seq: u64::MAX };

    /// The one behind this.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        match self.seq.checked_add(1) {
            Some(seq) => Some(Self { ms: self.ms, seq }),
            None => Some(Self { ms: self.ms.checked_add(1)?, seq: 0 }),
        }
    }

    /// The one before this.
    #[must_use]
    pub fn prev(self) -> Option<Self> {
        match self.seq.checked_sub(1) {
            Some(seq) => Some(Self { ms: self.ms, seq }),
            None => Some(Self { ms: self.ms.checked_sub(1)?, seq: u64::MAX }),
        }
    }

    /// Reads `ms-seq` or `ms`, where `seq` is then `missing`. Numbers are read as C's `strtoull` reads them, as far as digits,
    /// a plus and spaces before them go.
    #[must_use]
    pub fn parse(text: &[u8], missing: u64) -> Option<Self> {
        let mut parts = text.splitn(2, |&byte| byte == b'-');
        let ms = number(parts.next()?)?;
        let seq = parts.next().map_or(Some(missing), number)?;
        Some(Self { ms, seq })
    }

    /// Shows `look` the id as text.
    #[inline]
    pub fn with_text<T>(self, look: impl FnOnce(&[u8]) -> T) -> T {
        let mut text = [0; 41];
        let (mut ms, mut seq) = (itoa::Buffer::new(), itoa::Buffer::new());
        let (ms, seq) = (ms.format(self.ms).as_bytes(), seq.format(self.seq).as_bytes());
        // Two numbers of at most 20 digits and what parts them.
        text[..ms.len()].copy_from_slice(ms);
        text[ms.len()] = b'-';
        text[ms.len() + 1..=ms.len() + seq.len()].copy_from_slice(seq);
        look(&text[..=ms.len() + seq.len()])
    }

    /// The sixteen bytes that a snapshot has, in which byte order is the order of ids.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        ((u128::from(self.ms) << 64) | u128::from(self.seq)).to_be_bytes()
    }

    /// The id that [`Id::to_bytes`] wrote.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "each half is taken")]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        let both = u128::from_be_bytes(bytes);
        Self { ms: (both >> 64) as u64, seq: both as u64 }
    }
}

/// One half of an id. What is a canonical number below zero is none; what is not canonical is read leniently.
fn number(text: &[u8]) -> Option<u64> {
    if parse_i64(text).is_some_and(|number| number < 0) {
        return None;
    }
    parse_u64(text).or_else(|| {
        let text = text.trim_ascii_start();
        let digits = text.strip_prefix(b"+").unwrap_or(text);
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        str::from_utf8(digits).ok()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_and_written_as_redis_does() {
        let id = |ms, seq| Some(Id { ms, seq });
        for (text, wanted) in [
            ("1-2", id(1, 2)),
            ("5", id(5, 9)),
            ("0-0", id(0, 0)),
            ("18446744073709551615-18446744073709551615", Some(Id::MAX)),
            ("007-+3", id(7, 3)),
            ("", None),
            ("-", None),
            ("+", None),
            ("1-", None),
            ("-1", None),
            ("1--1", None),
            ("1-2-3", None),
            ("a-1", None),
            ("1-*", None),
            ("18446744073709551616-0", None),
        ] {
            assert_eq!(Id::parse(text.as_bytes(), 9), wanted, "{text}");
        }
        assert_eq!(Id::MAX.with_text(<[u8]>::to_vec), b"18446744073709551615-18446744073709551615");
        assert_eq!(Id { ms: 12, seq: 0 }.with_text(<[u8]>::to_vec), b"12-0");
    }

    #[test]
    fn neighbours_carry_into_the_millisecond_and_end_at_both_ends() {
        let last = Id { ms: 1, seq: u64::MAX };
        assert_eq!(last.next(), Some(Id { ms: 2, seq: 0 }));
        assert_eq!(Id { ms: 2, seq: 0 }.prev(), Some(last));
        assert_eq!((Id::MAX.next(), Id::MIN.prev()), (None, None));
        assert_eq!(Id::from_bytes(last.to_bytes()), last);
    }
}
