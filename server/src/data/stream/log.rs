//! The entries of a stream, and what is remembered of those that went.

use super::id::Id;
use super::node::Node;
use super::range::{Range, Reverse};
use crate::data::Limits;
use crate::data::packed::Malformed;
use crate::data::tree::Tree;

/// See the top of the file.
#[derive(Debug, Clone, Default)]
pub struct Log {
    pub(super) nodes: Tree<Node>,
    /// Of the last entry ever added.
    last: Id,
    /// Of the first entry there is; zero when there is none.
    first: Id,
    /// The greatest that was deleted by name.
    max_deleted: Id,
    /// Entries ever added.
    added: u64,
    /// How many nodes there are.
    pub(super) count: usize,
}

impl Log {
    /// Entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The id of the last entry ever added, or what XSETID made of it.
    #[must_use]
    pub fn last(&self) -> Id {
        self.last
    }

    /// The id of the first entry there is; zero when there is none.
    #[must_use]
    pub fn first(&self) -> Id {
        self.first
    }

    /// The greatest id that was deleted by name, or what XSETID made of it; zero when none was.
    #[must_use]
    pub fn max_deleted(&self) -> Id {
        self.max_deleted
    }

    /// How many entries were ever added, as far as is known.
    #[must_use]
    pub fn added(&self) -> u64 {
        self.added
    }

    /// The id of the last entry there is.
    #[must_use]
    pub fn top(&self) -> Option<Id> {
        self.reverse(Id::MIN, Id::MAX).next().map(|entry| entry.id)
    }

    /// Whether there is an entry behind this id.
    #[must_use]
    pub fn has_after(&self, id: Id) -> bool {
        // The last entry ever added is the last there is unless it was deleted.
        !self.is_empty() && self.last > id && self.top().is_some_and(|top| top > id)
    }

    /// Whether there is an entry with this id.
    #[must_use]
    pub fn contains(&self, id: Id) -> bool {
        self.range(id, id).next().is_some()
    }

    /// The entries from one id to another, both included.
    #[must_use]
    pub fn range(&self, from: Id, to: Id) -> Range<'_> {
        Range::new(&self.nodes, from, to)
    }

    /// As [`Log::range`], the last first.
    #[must_use]
    pub fn reverse(&self, from: Id, to: Id) -> Reverse<'_> {
        Reverse::new(&self.nodes, from, to)
    }

    /// The nodes in order, as a snapshot has them.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.leaves()
    }

    /// How many nodes there are.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.count
    }

    /// The node with the entry of this rank, and the rank of the first entry behind it: a way to go through them in slices.
    #[must_use]
    pub fn node_at(&self, rank: usize) -> Option<(&Node, usize)> {
        if rank >= self.len() {
            return None;
        }
        let (node, within) = self.nodes.leaf_by_rank(rank);
        Some((node, rank - within + node.len()))
    }

    /// Adds an entry, whose id is greater than [`Log::last`]. Word 2n is the name of field n, and the next its value.
    pub fn append<'w>(&mut self, id: Id, fields: usize, word: impl Fn(usize) -> &'w [u8], limits: &Limits) {
        let size = (0..2 * fields).map(|n| word(n).len()).sum();
        let put = self.nodes.edit_by_key(
            |_| true,
            |node| {
                let fits = node.has_room(size, limits);
                if fits {
                    node.append(id, fields, &word);
                }
                fits
            },
        );
        if !put {
            let mut node = Node::new(id, fields, &word);
            node.append(id, fields, &word);
            self.push(node);
        }
        self.last = id;
        self.added = self.added.saturating_add(1);
        if self.len() == 1 {
            self.first = id;
        }
    }

    /// Deletes an entry; true if it was there.
    pub fn delete(&mut self, id: Id) -> bool {
        let (node, _) = self.nodes.leaf_by_key(|master| *master <= id);
        let Some(record) = node.records().find(|record| record.id == id && !record.is_gone()) else {
            return false;
        };
        let emptied = self.nodes.edit_by_key(
            |master| *master <= id,
            |node| {
                node.mark(record);
                node.is_empty()
            },
        );
        self.count -= usize::from(emptied);
        self.max_deleted = self.max_deleted.max(id);
        if id == self.first {
            self.find_first();
        }
        true
    }

    /// What XSETID does. The caller has checked the rules of [`Log::last`].
    pub fn set_last(&mut self, last: Id, added: Option<u64>, max_deleted: Option<Id>) {
        self.last = last;
        self.added = added.unwrap_or(self.added);
        self.max_deleted = max_deleted.unwrap_or(self.max_deleted);
    }

    /// Adds a node of a snapshot behind the others.
    ///
    /// # Errors
    /// Its ids are not greater than theirs.
    pub fn push_node(&mut self, node: Node) -> Result<(), Malformed> {
        if node.is_empty() {
            return Ok(());
        }
        let first = node.records().find(|record| !record.is_gone()).map_or(node.master, |record| record.id);
        if self.top().is_some_and(|top| node.master <= top)
            || !self.is_empty() && node.master <= self.nodes.last().master
        {
            return Err(Malformed("the nodes of a stream do not follow each other"));
        }
        if self.is_empty() {
            self.first = first;
        }
        self.last = self.last.max(node.last().unwrap_or(first));
        self.added = self.added.saturating_add(node.len() as u64);
        self.push(node);
        Ok(())
    }

    /// Ends the loading of a snapshot's nodes with what it says of the stream. `added` and `max_deleted` are what version 7.0 and
    /// later say.
    ///
    /// # Errors
    /// There are not `len` entries, or some behind `last`.
    pub fn finish(
        &mut self,
        len: u64,
        last: Id,
        added: Option<u64>,
        max_deleted: Option<Id>,
    ) -> Result<(), Malformed> {
        if self.len() as u64 != len {
            return Err(Malformed("a stream has not as many entries as it says"));
        }
        if self.top().is_some_and(|top| last < top) {
            return Err(Malformed("a stream has entries behind its last"));
        }
        self.set_last(last, added, max_deleted);
        Ok(())
    }

    /// How many entries were added up to the one with this id; none where it cannot be told without looking at all of them.
    #[must_use]
    pub fn distance(&self, id: Id) -> Option<u64> {
        if self.added == 0 {
            return Some(0);
        }
        if self.is_empty() && id <= self.last || id == self.last {
            return Some(self.added);
        }
        if id > self.last || self.max_deleted != Id::MIN && self.max_deleted >= self.first {
            return None;
        }
        let before = self.added.saturating_sub(self.len() as u64);
        match id.cmp(&self.first) {
            std::cmp::Ordering::Less => Some(before),
            std::cmp::Ordering::Equal => Some(before + 1),
            std::cmp::Ordering::Greater => None,
        }
    }

    /// Whether an entry from this id on may have been deleted by name.
    #[must_use]
    pub fn has_gaps_from(&self, id: Id) -> bool {
        !self.is_empty() && self.max_deleted >= self.first && id <= self.max_deleted
    }

    /// Adds a node with entries.
    fn push(&mut self, node: Node) {
        self.nodes.push_leaf(node);
        self.count += 1;
    }

    pub(super) fn find_first(&mut self) {
        self.first = self.range(Id::MIN, Id::MAX).next().map_or(Id::MIN, |entry| entry.id);
    }
}
