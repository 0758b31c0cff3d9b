//! Walks over the entries of a stream, in both directions.

use super::id::Id;
use super::node::Node;
use super::record::{Fields, Head, Record};
use crate::data::tree::Tree;

/// An entry as it is read.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// Its id.
    pub id: Id,
    /// Names and values.
    pub fields: Fields<'a>,
}

/// Where a walk is: a node, and the rank of its first entry.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    nodes: &'a Tree<Node>,
    node: &'a Node,
    head: Option<Head>,
    rank: usize,
}

impl<'a> Place<'a> {
    /// In the node where this id is, if it is anywhere.
    fn of(nodes: &'a Tree<Node>, id: Id) -> Self {
        let (node, rank) = nodes.leaf_by_key(|master| *master <= id);
        Self { nodes, node, head: node.head(), rank }
    }

    /// In the next node.
    fn next(&self) -> Option<Self> {
        let rank = self.rank + self.node.len();
        if rank >= self.nodes.len() {
            return None;
        }
        let node = self.nodes.leaf_by_rank(rank).0;
        Some(Self { nodes: self.nodes, node, head: node.head(), rank })
    }

    /// In the node before.
    fn prev(&self) -> Option<Self> {
        let rank = self.rank.checked_sub(1)?;
        let (node, within) = self.nodes.leaf_by_rank(rank);
        Some(Self { nodes: self.nodes, node, head: node.head(), rank: rank - within })
    }

    fn entry(&self, record: Record) -> Option<Entry<'a>> {
        Some(Entry { id: record.id, fields: self.node.fields(self.head?, record) })
    }
}

/// Entries in order.
#[derive(Debug, Clone)]
pub struct Range<'a> {
    place: Option<Place<'a>>,
    /// Position of the next entry.
    at: usize,
    from: Id,
    to: Id,
}

impl<'a> Range<'a> {
    pub(super) fn new(nodes: &'a Tree<Node>, from: Id, to: Id) -> Self {
        let place = Place::of(nodes, from);
        let at = place.head.map_or(0, |head| head.entries);
        Self { place: Some(place), at, from, to }
    }
}

impl<'a> Iterator for Range<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let place = self.place?;
            let Some(record) = place.head.and_then(|head| place.node.record(head, self.at)) else {
                self.place = place.next();
                self.at = self.place?.head.map_or(0, |head| head.entries);
                continue;
            };
            self.at = place.node.behind(record);
            if record.is_gone() || record.id < self.from {
                continue;
            }
            if record.id > self.to {
                self.place = None;
                return None;
            }
            return place.entry(record);
        }
    }
}

/// Entries from the last to the first.
#[derive(Debug, Clone)]
pub struct Reverse<'a> {
    place: Option<Place<'a>>,
    /// Position behind the next entry.
    end: usize,
    from: Id,
    to: Id,
}

impl<'a> Reverse<'a> {
    pub(super) fn new(nodes: &'a Tree<Node>, from: Id, to: Id) -> Self {
        let place = Place::of(nodes, to);
        Self { place: Some(place), end: place.node.pack.end(), from, to }
    }
}

impl<'a> Iterator for Reverse<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let place = self.place?;
            let start = place.head.filter(|head| self.end > head.entries).and_then(|head| {
                let at = place.node.before(self.end)?;
                place.node.record(head, at)
            });
            let Some(record) = start else {
                self.place = place.prev();
                self.end = self.place?.node.pack.end();
                continue;
            };
            self.end = record.at;
            if record.is_gone() || record.id > self.to {
                continue;
            }
            if record.id < self.from {
                self.place = None;
                return None;
            }
            return place.entry(record);
        }
    }
}
