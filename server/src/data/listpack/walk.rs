//! Reading a listpack: positions, indices, search, verification.

use super::entry::{self, Item, Wanted};
use super::{END, HEADER, LARGEST, Listpack, MANY};
use crate::data::packed::Malformed;

impl Listpack {
    /// The position behind the last element.
    #[must_use]
    #[inline]
    pub fn end(&self) -> usize {
        self.bytes_len() - 1
    }

    /// The position of the first element, or the end.
    #[must_use]
    #[inline]
    pub fn start(&self) -> usize {
        HEADER
    }

    /// The position of the last element.
    #[must_use]
    #[inline]
    pub fn last(&self) -> Option<usize> {
        self.prev(self.end())
    }

    /// The element at a position; none at the end.
    #[must_use]
    #[inline]
    pub fn at(&self, at: usize) -> Option<Item<'_>> {
        entry::read(self.as_bytes(), at).map(|(item, _)| item)
    }

    /// The position behind an element's; none if there is no element at `at`.
    #[must_use]
    #[inline]
    pub fn next(&self, at: usize) -> Option<usize> {
        entry::read(self.as_bytes(), at).map(|(_, size)| at + size + entry::tail_len(size))
    }

    /// The position before one, which may be the end; none before the first.
    #[must_use]
    #[inline]
    pub fn prev(&self, at: usize) -> Option<usize> {
        before(self.as_bytes(), at)
    }

    /// The position of an index; negative ones count from the end, -1 is the last. Walks from the nearer end.
    #[must_use]
    pub fn seek(&self, index: i64) -> Option<usize> {
        let len = match self.count() {
            MANY => None,
            count => Some(u64::from(count)),
        };
        let steps = index.unsigned_abs();
        let (forward, steps) = match (index >= 0, len) {
            (true, Some(len)) if steps >= len => return None,
            (false, Some(len)) if steps > len => return None,
            (true, Some(len)) if steps > len / 2 => (false, len - steps),
            (false, Some(len)) if steps > len / 2 => (true, len - steps),
            (forward, _) => (forward, steps),
        };
        let mut at = if forward { HEADER } else { self.end() };
        for _ in 0..steps {
            at = if forward { self.next(at)? } else { self.prev(at)? };
        }
        (at < self.end()).then_some(at)
    }

    /// The element at an index; negative ones count from the end, -1 is the last.
    #[must_use]
    pub fn get(&self, index: i64) -> Option<Item<'_>> {
        self.at(self.seek(index)?)
    }

    /// The elements in order, from either side.
    #[must_use]
    #[inline]
    pub fn iter(&self) -> Iter<'_> {
        Iter { bytes: self.as_bytes(), front: HEADER, back: self.end() }
    }

    /// The elements from a position on, from either side.
    #[must_use]
    #[inline]
    pub fn iter_from(&self, at: usize) -> Iter<'_> {
        Iter { bytes: self.as_bytes(), front: at, back: self.end() }
    }

    /// The elements before a position, from either side.
    #[must_use]
    #[inline]
    pub fn iter_before(&self, at: usize) -> Iter<'_> {
        Iter { bytes: self.as_bytes(), front: HEADER, back: at.min(self.end()) }
    }

    /// The first position from `from` on at which this text stands, looking at one element and leaving out `skip` after it
    /// (1 finds the name in a row of names and values).
    #[must_use]
    pub fn find(&self, from: usize, text: &[u8], skip: usize) -> Option<usize> {
        let wanted = Wanted::new(text);
        let (mut at, bytes) = (from, self.as_bytes());
        while let Some((item, size)) = entry::read(bytes, at) {
            if wanted.is(item) {
                return Some(at);
            }
            at += size + entry::tail_len(size);
            for _ in 0..skip {
                at = self.next(at)?;
            }
        }
        None
    }
}

impl Listpack {
    /// Whether every `step`th element, from the first on, differs from all the others of these.
    #[must_use]
    pub fn all_differ(&self, step: usize) -> bool {
        // A text may be stored as a text although it could have been an integer.
        let mut texts: Vec<(Option<i64>, &[u8])> = self
            .iter()
            .step_by(step.max(1))
            .map(|item| match item {
                Item::Int(number) => (Some(number), &[][..]),
                Item::Str(text) => match Item::of(text) {
                    Item::Int(number) => (Some(number), &[][..]),
                    Item::Str(text) => (None, text),
                },
            })
            .collect();
        texts.sort_unstable();
        texts.windows(2).all(|pair| pair.first() != pair.last())
    }
}

impl<'a> IntoIterator for &'a Listpack {
    type Item = Item<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The elements between two positions.
#[derive(Debug, Clone)]
pub struct Iter<'a> {
    bytes: &'a [u8],
    front: usize,
    back: usize,
}

impl<'a> Iter<'a> {
    pub(super) fn between(bytes: &'a [u8], front: usize, back: usize) -> Self {
        Self { bytes, front, back }
    }

    /// The position of the element that comes next.
    #[must_use]
    pub fn position(&self) -> usize {
        self.front
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        if self.front >= self.back {
            return None;
        }
        let (item, size) = entry::read(self.bytes, self.front)?;
        self.front += size + entry::tail_len(size);
        Some(item)
    }
}

impl<'a> DoubleEndedIterator for Iter<'a> {
    #[inline]
    fn next_back(&mut self) -> Option<Item<'a>> {
        if self.front >= self.back {
            return None;
        }
        self.back = before(self.bytes, self.back)?;
        entry::read(self.bytes, self.back).map(|(item, _)| item)
    }
}

#[inline]
fn before(bytes: &[u8], at: usize) -> Option<usize> {
    if at <= HEADER {
        return None;
    }
    let (size, tail) = entry::read_tail(bytes, at)?;
    at.checked_sub(size + tail)
}

/// Looks at every byte of a listpack from outside.
pub(super) fn verify(bytes: &[u8]) -> Result<(), Malformed> {
    let Some((header, _)) = bytes.split_first_chunk::<HEADER>() else {
        return Err(Malformed("a listpack is shorter than its header"));
    };
    let [a, b, c, d, low, high] = *header;
    if usize::try_from(u32::from_le_bytes([a, b, c, d])) != Ok(bytes.len()) {
        return Err(Malformed("a listpack's total is not its length"));
    }
    if bytes.len() > LARGEST {
        return Err(Malformed("a listpack is larger than any should be"));
    }
    let end = bytes.len() - 1;
    if end < HEADER || bytes.get(end) != Some(&END) {
        return Err(Malformed("a listpack has no end mark"));
    }
    let (mut at, mut elements) = (HEADER, 0usize);
    while at < end {
        let (_, size) = entry::read(bytes, at).ok_or(Malformed("a listpack has an entry that is none"))?;
        let next = at + size + entry::tail_len(size);
        if next > end || entry::read_tail(bytes, next) != Some((size, entry::tail_len(size))) {
            return Err(Malformed("an entry of a listpack differs from its length"));
        }
        at = next;
        elements += 1;
    }
    match u16::from_le_bytes([low, high]) {
        MANY => Ok(()),
        count if usize::from(count) == elements => Ok(()),
        _ => Err(Malformed("a listpack's count is not its number of entries")),
    }
}
