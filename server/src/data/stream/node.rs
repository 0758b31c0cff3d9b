//! A node of a stream: some hundred entries in a listpack, byte for byte as Redis has them.
//!
//! Elements of the listpack: first the *head*, which is the number of entries, the number of those among them that are gone,
//! the number of fields of the first entry, their names, and a 0. Then the entries. An entry is its flags, how far its id is from the
//! node's (milliseconds, number), and its fields: only the values when the names are those of the head (`SAME`),
//! otherwise their number, and names and values in turn. Behind them stands how many elements the entry has, itself not
//! counted, for those who walk back.
//!
//! An entry that is deleted is only marked (`GONE`); a node goes once all its entries are gone.

use super::id::Id;
use super::record::{GONE, Record, SAME, elements};
use crate::data::listpack::Item;
use crate::data::tree::Leaf;
use crate::data::{Limits, Listpack};

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
}

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

fn int(number: usize) -> Item<'static> {
    Item::Int(i64::try_from(number).unwrap_or(i64::MAX))
}
