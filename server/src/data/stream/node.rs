//! A node of a stream: some hundred entries in a listpack, byte for byte as Redis has them.
//!
//! Elements of the listpack: first the *head*, which is the number of entries, the number of those among them that are gone,
//! the number of fields of the first entry, their names, and a 0. Then the entries. An entry is its flags, how far its id is from the
//! node's (milliseconds, number), and its fields: only the values when the names are those of the head ([`SAME`]),
//! otherwise their number, and names and values in turn. Behind them stands how many elements the entry has, itself not
//! counted, for those who walk back.
//!
//! An entry that is deleted is only marked ([`GONE`]); a node goes once all its entries are gone.

use super::id::Id;
use crate::data::listpack::{self, Item};
use crate::data::tree::Leaf;
use crate::data::{Limits, Listpack};

/// Flag of an entry that was deleted.
pub(super) const GONE: i64 = 1;
/// Flag of an entry whose fields have the names of the head.
pub(super) const SAME: i64 = 2;

/// Largest node, in bytes, when the settings allow more: Redis' limit.
const LARGEST: usize = 1 << 30;
/// What a node takes besides its listpack: its place in the tree, and the counts.
const OVERHEAD: usize = 96;

/// See the top of the file.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// The id of its first entry, gone or not, from which the others count. The key of the node in a snapshot.
    pub(super) master: Id,
    pub(super) pack: Listpack,
    /// Entries that are there.
    pub(super) live: usize,
    /// Entries that are gone.
    pub(super) gone: usize,
}

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
    /// The id that the others in it count from; what a snapshot files it under.
    #[must_use]
    pub fn master(&self) -> Id {
        self.master
    }

    /// Its listpack, as it stands in a snapshot.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.pack.as_bytes()
    }

    /// Entries that are there.
    #[must_use]
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether no entry is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// A node without entries, whose head has the names of these fields; word 2n is the name of field n.
    pub(super) fn new<'w>(master: Id, fields: usize, word: &impl Fn(usize) -> &'w [u8]) -> Self {
        let mut pack = Listpack::new();
        pack.push_back_item(Item::Int(0));
        pack.push_back_item(Item::Int(0));
        pack.push_back_item(int(fields));
        for field in 0..fields {
            pack.push_back(word(2 * field));
        }
        pack.push_back_item(Item::Int(0));
        Self { master, pack, live: 0, gone: 0 }
    }

    /// Whether an entry with texts of `size` bytes belongs here and not in a new node.
    pub(super) fn has_room(&self, size: usize, limits: &Limits) -> bool {
        let most = match limits.stream_bytes {
            0 => LARGEST,
            bytes => bytes.min(LARGEST),
        };
        let entries = self.live + self.gone;
        entries > 0
            && self.pack.bytes_len() + size < most
            && (limits.stream_entries == 0 || entries < limits.stream_entries)
    }

    /// Adds an entry; word 2n is the name of field n, and the next its value. The id is greater than all here.
    pub(super) fn append<'w>(&mut self, id: Id, fields: usize, word: &impl Fn(usize) -> &'w [u8]) {
        let same = self.has_names(fields, word);
        let ms = id.ms.wrapping_sub(self.master.ms).cast_signed();
        let seq = id.seq.wrapping_sub(self.master.seq).cast_signed();
        let pack = &mut self.pack;
        pack.push_back_item(Item::Int(if same { SAME } else { 0 }));
        pack.push_back_item(Item::Int(ms));
        pack.push_back_item(Item::Int(seq));
        if !same {
            pack.push_back_item(int(fields));
        }
        for field in 0..fields {
            if !same {
                pack.push_back(word(2 * field));
            }
            pack.push_back(word(2 * field + 1));
        }
        pack.push_back_item(int(elements(fields, same)));
        self.live += 1;
        pack.replace_item(pack.start(), int(self.live));
    }

    /// Whether fields have the names of the head, in that order.
    fn has_names<'w>(&self, fields: usize, word: &impl Fn(usize) -> &'w [u8]) -> bool {
        let Some(head) = self.head() else { return false };
        head.fields == fields
            && self.pack.iter_from(head.names).take(fields).enumerate().all(|(n, name)| name.is(word(2 * n)))
    }

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

    /// Marks entries as gone, of those that are there from the first on, while `goes` agrees; gives how many.
    pub(super) fn trim(&mut self, mut goes: impl FnMut(Id) -> bool) -> usize {
        let Some(head) = self.head() else { return 0 };
        let (mut at, mut marked) = (head.entries, 0);
        while let Some(record) = self.record(head, at) {
            if !record.is_gone() {
                if !goes(record.id) {
                    break;
                }
                // Flags take one byte, whatever they are: no position changes.
                self.pack.replace_item(at, Item::Int(record.flags | GONE));
                marked += 1;
            }
            at = self.behind(record);
        }
        self.lost(marked);
        marked
    }

    /// Marks the entry at a position as gone.
    pub(super) fn mark(&mut self, record: Record) {
        self.pack.replace_item(record.at, Item::Int(record.flags | GONE));
        self.lost(1);
    }

    fn lost(&mut self, entries: usize) {
        self.live -= entries.min(self.live);
        if self.live == 0 {
            *self = Self::default();
            return;
        }
        self.gone += entries;
        let start = self.pack.start();
        self.pack.replace_item(start, int(self.live));
        if let Some(next) = self.pack.next(start) {
            self.pack.replace_item(next, int(self.gone));
        }
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

/// A page is never split: where it ends was decided when its last entry was added.
impl Leaf for Node {
    type Key = Id;

    fn count(&self) -> usize {
        self.live
    }

    fn bytes(&self) -> usize {
        self.pack.memory() + OVERHEAD
    }

    fn key(&self) -> Id {
        self.master
    }

    fn is_overfull(&self) -> bool {
        false
    }

    fn split(&mut self) -> Self {
        Self::default()
    }

    fn is_underfull(&self) -> bool {
        false
    }

    fn absorb(&mut self, _next: &Self) -> bool {
        false
    }
}

/// How many elements an entry has, the last not counted.
pub(super) fn elements(fields: usize, same: bool) -> usize {
    if same { fields + 3 } else { 2 * fields + 4 }
}

fn int(number: usize) -> Item<'static> {
    Item::Int(i64::try_from(number).unwrap_or(i64::MAX))
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
