//! Reading a node: its head, its entries one by one, their fields.
//!
//! Whoever has a [`Node`] has one that keeps the rules of [`super::node`]. Where one is broken all the same, a walk ends.

use super::id::Id;
use super::node::Node;
use crate::data::listpack::{self, Item};

/// Flag of an entry that was deleted.
pub(super) const GONE: i64 = 1;
/// Flag of an entry whose fields have the names of the head.
pub(super) const SAME: i64 = 2;

/// Where things are in a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    /// Fields whose names the head has.
    pub(super) fields: usize,
    /// Position of their first name.
    pub(super) names: usize,
    /// Position of the first entry.
    pub(super) entries: usize,
}

/// An entry as it stands in a node, gone or not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    /// Position of its flags.
    pub(super) at: usize,
    pub(super) flags: i64,
    pub(super) id: Id,
    /// How many fields it has.
    pub(super) fields: usize,
    /// Position of its first name or value.
    pub(super) body: usize,
}

impl Record {
    pub(super) fn is_gone(&self) -> bool {
        self.flags & GONE != 0
    }

    fn is_same(&self) -> bool {
        self.flags & SAME != 0
    }
}

impl Node {
    /// Where things are; none in a node that never had an entry.
    #[inline]
    pub(super) fn head(&self) -> Option<Head> {
        let mut walk = self.pack.iter();
        walk.nth(1)?;
        let fields = size(walk.next()?)?;
        let names = walk.position();
        // The last of them is the 0 behind the names.
        walk.nth(fields)?;
        Some(Head { fields, names, entries: walk.position() })
    }

    /// The entry at a position; none at the end.
    #[inline]
    pub(super) fn record(&self, head: Head, at: usize) -> Option<Record> {
        let mut walk = self.pack.iter_from(at);
        let flags = whole(walk.next()?)?;
        let ms = self.master.ms.wrapping_add(whole(walk.next()?)?.cast_unsigned());
        let seq = self.master.seq.wrapping_add(whole(walk.next()?)?.cast_unsigned());
        let fields = if flags & SAME == 0 { size(walk.next()?)? } else { head.fields };
        Some(Record { at, flags, id: Id { ms, seq }, fields, body: walk.position() })
    }

    /// The position behind an entry.
    #[inline]
    pub(super) fn behind(&self, record: Record) -> usize {
        let mut walk = self.pack.iter_from(record.body);
        let words = if record.is_same() { record.fields } else { 2 * record.fields };
        walk.nth(words);
        walk.position()
    }

    /// The position of the entry that ends at a position, which is none in the head.
    pub(super) fn before(&self, end: usize) -> Option<usize> {
        let mut at = self.pack.prev(end)?;
        for _ in 0..size(self.pack.at(at)?)? {
            at = self.pack.prev(at)?;
        }
        Some(at)
    }

    /// All entries in order, those that are gone too.
    pub(super) fn records(&self) -> impl Iterator<Item = Record> {
        let head = self.head();
        let mut at = head.map_or(0, |head| head.entries);
        std::iter::from_fn(move || {
            let record = self.record(head?, at)?;
            at = self.behind(record);
            Some(record)
        })
    }

    /// The id of the last entry, gone or not.
    pub(super) fn last(&self) -> Option<Id> {
        let at = self.before(self.pack.end())?;
        Some(self.record(self.head()?, at)?.id)
    }

    /// The fields of an entry.
    pub(super) fn fields(&self, head: Head, record: Record) -> Fields<'_> {
        let body = self.pack.iter_from(record.body);
        let (names, values) =
            if record.is_same() { (self.pack.iter_from(head.names), Some(body)) } else { (body, None) };
        Fields { names, values, left: record.fields }
    }
}

/// Names and values of an entry, in order.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    names: listpack::Iter<'a>,
    /// None when the values stand between the names.
    values: Option<listpack::Iter<'a>>,
    left: usize,
}

impl<'a> Iterator for Fields<'a> {
    type Item = (Item<'a>, Item<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let name = self.names.next()?;
        let value = match &mut self.values {
            Some(values) => values.next()?,
            None => self.names.next()?,
        };
        Some((name, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Fields<'_> {}

/// How many elements an entry has, the last not counted.
pub(super) fn elements(fields: usize, same: bool) -> usize {
    if same { fields + 3 } else { 2 * fields + 4 }
}

#[inline]
pub(super) fn whole(item: Item<'_>) -> Option<i64> {
    match item {
        Item::Int(number) => Some(number),
        Item::Str(_) => None,
    }
}

#[inline]
pub(super) fn size(item: Item<'_>) -> Option<usize> {
    usize::try_from(whole(item)?).ok()
}
