//! A sorted set of integers in one allocation, byte for byte as Redis lays it out.
//!
//! Layout: width of an element in bytes (u32: 2, 4 or 8), number of elements (u32), the elements in ascending order. All
//! numbers are little-endian. The width grows with the first element that needs it and never shrinks.

use super::packed::{self, Malformed};

/// Bytes before the first element.
const HEADER: usize = 8;

/// A set of integers. A clone is one copy of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntSet {
    /// Always whole: header and elements.
    bytes: Vec<u8>,
}

impl Default for IntSet {
    fn default() -> Self {
        Self::new()
    }
}

impl IntSet {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self { bytes: vec![2, 0, 0, 0, 0, 0, 0, 0] }
    }

    /// Takes bytes from outside after a look at all of them.
    ///
    /// # Errors
    /// The rule that the bytes break. As in Redis, a set in a snapshot is not empty.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, Malformed> {
        let (Some(width), Some(len)) = (word(&bytes, 0), word(&bytes, 4)) else {
            return Err(Malformed("an intset is shorter than its header"));
        };
        if ![2, 4, 8].contains(&width) {
            return Err(Malformed("an intset has elements of a width that is none"));
        }
        if len.checked_mul(width).and_then(|size| size.checked_add(HEADER)) != Some(bytes.len()) || len == 0 {
            return Err(Malformed("an intset's count is not its number of elements"));
        }
        let made = Self { bytes };
        let ascending = made.iter().zip(made.iter().skip(1)).all(|(one, next)| one < next);
        if ascending { Ok(made) } else { Err(Malformed("an intset is not in ascending order")) }
    }

    /// The bytes, as they stand in a snapshot.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many bytes that is.
    #[must_use]
    pub fn bytes_len(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes taken from the allocator.
    #[must_use]
    pub fn memory(&self) -> usize {
        packed::memory(&self.bytes)
    }

    /// Elements.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        (self.bytes.len() - HEADER) >> self.width().trailing_zeros()
    }

    /// Whether there is no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.len() <= HEADER
    }

    /// The element at an index of the ascending order.
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> Option<i64> {
        read(&self.bytes, self.width(), index)
    }

    /// The elements in ascending order, from either side.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter { bytes: &self.bytes, width: self.width(), front: 0, back: self.len() }
    }

    /// Is `number` an element.
    #[must_use]
    #[inline]
    pub fn contains(&self, number: i64) -> bool {
        self.search(number).is_ok()
    }

    /// Adds an element; false if it is one already.
    pub fn insert(&mut self, number: i64) -> bool {
        let Err(index) = self.search(number) else { return false };
        let width = width_of(number);
        if width > self.width() {
            self.widen(width);
        }
        let (width, old) = (self.width(), self.bytes.len());
        let at = HEADER + index * width;
        packed::make_room(&mut self.bytes, width);
        self.bytes.resize(old + width, 0);
        self.bytes.copy_within(at..old, at + width);
        self.bytes[at..at + width].copy_from_slice(&number.to_le_bytes()[..width]);
        self.count();
        true
    }

    /// Removes an element; false if it was none.
    pub fn remove(&mut self, number: i64) -> bool {
        let Ok(index) = self.search(number) else { return false };
        let width = self.width();
        let at = HEADER + index * width;
        self.bytes.copy_within(at + width.., at);
        self.bytes.truncate(self.bytes.len() - width);
        packed::give_back(&mut self.bytes);
        self.count();
        true
    }

    /// The index of an element, or the one it would have.
    fn search(&self, number: i64) -> Result<usize, usize> {
        let (width, len) = (self.width(), self.len());
        let at = |index| read(&self.bytes, width, index).unwrap_or(i64::MAX);
        if len == 0 || number > at(len - 1) {
            return Err(len);
        }
        let (mut low, mut high) = (0, len);
        while low < high {
            let middle = low + (high - low) / 2;
            match at(middle).cmp(&number) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Ok(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }

    /// Rewrites the elements with a greater width.
    fn widen(&mut self, width: usize) {
        let mut wider = Vec::new();
        packed::make_room(&mut wider, HEADER + (self.len() + 1) * width);
        wider.extend_from_slice(&self.bytes[..HEADER]);
        for number in self.iter() {
            wider.extend_from_slice(&number.to_le_bytes()[..width]);
        }
        wider[0] = u8::try_from(width).unwrap_or(8);
        self.bytes = wider;
    }

    /// Writes the number of elements, which follows from the bytes, into the header.
    fn count(&mut self) {
        let len = u32::try_from(self.len()).unwrap_or(u32::MAX);
        self.bytes[4..HEADER].copy_from_slice(&len.to_le_bytes());
    }

    #[inline]
    fn width(&self) -> usize {
        usize::from(self.bytes[0])
    }
}

impl<'a> IntoIterator for &'a IntSet {
    type Item = i64;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The elements of an [`IntSet`] in ascending order.
#[derive(Debug, Clone)]
pub struct Iter<'a> {
    bytes: &'a [u8],
    width: usize,
    front: usize,
    back: usize,
}

impl Iterator for Iter<'_> {
    type Item = i64;

    #[inline]
    fn next(&mut self) -> Option<i64> {
        if self.front >= self.back {
            return None;
        }
        self.front += 1;
        read(self.bytes, self.width, self.front - 1)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.back - self.front;
        (left, Some(left))
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<i64> {
        if self.front >= self.back {
            return None;
        }
        self.back -= 1;
        read(self.bytes, self.width, self.back)
    }
}

impl ExactSizeIterator for Iter<'_> {}

/// The bytes an integer needs.
fn width_of(number: i64) -> usize {
    if i16::try_from(number).is_ok() {
        2
    } else if i32::try_from(number).is_ok() {
        4
    } else {
        8
    }
}

#[inline]
fn read(bytes: &[u8], width: usize, index: usize) -> Option<i64> {
    let at = HEADER + index * width;
    let rest = bytes.get(at..)?;
    match width {
        2 => rest.first_chunk().map(|bytes| i64::from(i16::from_le_bytes(*bytes))),
        4 => rest.first_chunk().map(|bytes| i64::from(i32::from_le_bytes(*bytes))),
        _ => rest.first_chunk().map(|bytes| i64::from_le_bytes(*bytes)),
    }
}

/// A number of the header.
fn word(bytes: &[u8], at: usize) -> Option<usize> {
    let chunk = bytes.get(at..)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*chunk)).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::data::Rng;

    /// A number of up to `bits` bits, of either sign.
    fn number(rng: &mut Rng, bits: u32) -> i64 {
        rng.draw().cast_signed() >> (64 - bits)
    }

    #[test]
    fn a_set_behaves_as_a_sorted_set_of_numbers_and_its_bytes_are_always_valid() {
        let mut rng = Rng::new(7);
        for bits in [4, 8, 17, 20, 34, 64] {
            let (mut set, mut model) = (IntSet::new(), BTreeSet::new());
            for step in 0..2000 {
                let bits = if step < 200 { 4 } else { bits };
                let drawn = number(&mut rng, bits);
                match rng.below(3) {
                    0 => assert_eq!(set.remove(drawn), model.remove(&drawn)),
                    _ => assert_eq!(set.insert(drawn), model.insert(drawn)),
                }
                assert_eq!(set.contains(drawn), model.contains(&drawn));
                assert_eq!(set.len(), model.len());
                if !model.is_empty() {
                    assert_eq!(IntSet::from_bytes(set.as_bytes().to_vec()).as_ref(), Ok(&set));
                }
            }
            assert!(set.iter().eq(model.iter().copied()));
            assert!(set.iter().rev().eq(model.iter().rev().copied()));
            for (index, number) in model.iter().enumerate() {
                assert_eq!(set.get(index), Some(*number));
            }
            assert_eq!(set.get(model.len()), None);
            for number in model {
                assert!(set.remove(number));
            }
            assert!(set.is_empty());
        }
    }

    #[test]
    fn the_bytes_are_those_of_redis() {
        let mut set = IntSet::new();
        for number in [3, -1, 2] {
            assert!(set.insert(number));
        }
        assert_eq!(set.as_bytes(), b"\x02\0\0\0\x03\0\0\0\xff\xff\x02\0\x03\0");
        assert!(set.insert(-40_000));
        assert_eq!(
            set.as_bytes(),
            b"\x04\0\0\0\x04\0\0\0\xc0\x63\xff\xff\xff\xff\xff\xff\x02\0\0\0\x03\0\0\0"
        );
        assert!(set.insert(1 << 40) && set.remove(1 << 40));
        assert_eq!(set.as_bytes()[0], 8, "the width never shrinks");
    }

    #[test]
    fn bytes_that_are_no_set_are_refused() {
        let cases: [&[u8]; 8] = [
            b"",
            b"\x02\0\0\0\x01\0\0",
            b"\x03\0\0\0\x01\0\0\0\x01\0\0",
            b"\x02\0\0\0\x02\0\0\0\x01\0",
            b"\x02\0\0\0\x02\0\0\0\x01\0\x01\0",
            b"\x02\0\0\0\x02\0\0\0\x02\0\x01\0",
            b"\x02\0\0\0\0\0\0\0",
            b"\x08\0\0\0\xff\xff\xff\xff\x02\0\x01\0",
        ];
        for bytes in cases {
            assert!(IntSet::from_bytes(bytes.to_vec()).is_err(), "{bytes:?}");
        }
    }
}
