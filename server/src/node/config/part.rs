//! A limit in bytes, or as a part of another one.

use super::slot::Slot;

/// Bytes, or a percentage of `maxmemory`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// So many bytes.
    Bytes(u64),
    /// So many hundredths.
    Percent(u8),
}

impl Part {
    /// The bytes it is of a whole.
    #[must_use]
    pub fn of(self, whole: u64) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Percent(percent) => {
                whole / 100 * u64::from(percent) + whole % 100 * u64::from(percent) / 100
            }
        }
    }
}

impl Slot for Part {
    fn show(&self) -> String {
        match self {
            Self::Bytes(bytes) => bytes.to_string(),
            Self::Percent(percent) => format!("{percent}%"),
        }
    }

    fn take(&mut self, canonical: &str) -> bool {
        let read = match canonical.strip_suffix('%') {
            Some(percent) => percent.parse().map(Self::Percent),
            None => canonical.parse().map(Self::Bytes),
        };
        read.map(|part| *self = part).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_exact_and_cannot_overflow() {
        let mut part = Part::Bytes(0);
        for (text, whole, bytes) in
            [("7", 100, 7), ("5%", 150, 7), ("100%", u64::MAX, u64::MAX), ("50%", 0, 0), ("0%", 9, 0)]
        {
            assert!(part.take(text));
            assert_eq!((part.of(whole), part.show().as_str()), (bytes, text));
        }
        assert!(!part.take("x%") && !part.take(""));
    }
}
