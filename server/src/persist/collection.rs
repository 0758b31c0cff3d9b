//! Collections to bytes, in the form that the version has for them, and in slices.

use super::format::{self, kind, node};
use super::put::Put;
use super::stream::StreamWalk;
use crate::data::list::{List, NodeRef};
use crate::data::{Collection, IntSet, Kind, Listpack};
use std::ops::ControlFlow;

/// Elements between two looks at the budget.
const STRIDE: usize = 64;

/// How a collection is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As one row of bytes, of this type.
    Row(u8),
    /// Length and elements.
    Elements(u8),
    /// A list, node by node.
    Nodes,
    /// A stream, of this type.
    Stream(u8),
}

impl Form {
    /// The form of a collection in a file of a version. `exact` allows a newer one where the older would lose something.
    pub(super) fn of(collection: &Collection, version: u32, exact: bool) -> Self {
        let (packs, packs_sets) = (version >= format::LISTPACKS, version >= format::SET_LISTPACKS);
        match collection {
            Collection::List(_) if packs => Self::Nodes,
            Collection::List(_) => Self::Elements(kind::LIST),
            Collection::Set(set) if set.as_intset().is_some() => Self::Row(kind::SET_INTSET),
            Collection::Set(set) if packs_sets && set.as_listpack().is_some() => {
                Self::Row(kind::SET_LISTPACK)
            }
            Collection::Set(_) => Self::Elements(kind::SET),
            Collection::Hash(hash) if packs && hash.as_listpack().is_some() => Self::Row(kind::HASH_LISTPACK),
            Collection::Hash(_) => Self::Elements(kind::HASH),
            Collection::Zset(zset) if packs && zset.as_listpack().is_some() => Self::Row(kind::ZSET_LISTPACK),
            Collection::Zset(_) => Self::Elements(kind::ZSET),
            Collection::Stream(_) if packs_sets => Self::Stream(kind::STREAM_3),
            Collection::Stream(stream) if packs || exact && !StreamWalk::is_plain(stream) => {
                Self::Stream(kind::STREAM_2)
            }
            Collection::Stream(_) => Self::Stream(kind::STREAM_1),
        }
    }

    /// The type that stands before the key.
    pub(super) fn kind(self) -> u8 {
        match self {
            Self::Row(kind) | Self::Elements(kind) | Self::Stream(kind) => kind,
            Self::Nodes => kind::LIST_NODES,
        }
    }
}

/// How far the writing of a collection has come.
#[derive(Debug)]
pub(super) struct Walk {
    form: Form,
    begun: bool,
    /// Elements written.
    at: usize,
    stream: StreamWalk,
}

impl Walk {
    /// At the beginning.
    pub(super) fn new(form: Form) -> Self {
        Self { form, begun: false, at: 0, stream: StreamWalk::new(form.kind()) }
    }

    /// Writes on until about `budget` bytes more are there; true when all of the collection is.
    pub(super) fn step(&mut self, collection: &Collection, put: &mut Put, budget: usize) -> bool {
        let until = put.out.len().saturating_add(budget);
        if !self.begun {
            self.begun = true;
            match (self.form, collection) {
                (Form::Row(_), _) => {
                    row(collection, put);
                    return true;
                }
                (Form::Elements(_), _) => put.length(collection.len() as u64),
                (Form::Nodes, Collection::List(list)) => put.length(list.node_count() as u64),
                _ => {}
            }
        }
        match collection {
            Collection::Stream(stream) => return self.stream.step(stream, put, until),
            Collection::List(list) if self.form == Form::Nodes => self.nodes(list, put, until),
            Collection::List(list) => self.elements(list, put, until),
            Collection::Set(set) => self.strides(collection.len(), put, until, |at, put| {
                set.walk(at, STRIDE, |member| put.item(member))
            }),
            Collection::Hash(hash) => self.strides(collection.len(), put, until, |at, put| {
                hash.walk(at, STRIDE, |field, value| {
                    put.item(field);
                    put.item(value);
                })
            }),
            // From the last to the first: a loader then inserts at the front, where Redis finds the place at once.
            Collection::Zset(zset) => self.strides(collection.len(), put, until, |at, put| {
                let (end, start) = (zset.len() - at, zset.len().saturating_sub(at + STRIDE));
                for (member, score) in zset.walk(start..end, true) {
                    put.item(member);
                    put.out.extend(score.to_le_bytes());
                }
                at + end - start
            }),
        }
        self.at >= collection.len()
    }

    /// Strides of elements up to `len` of them; `write` writes those from a number on, and gives the next.
    fn strides(&mut self, len: usize, put: &mut Put, until: usize, write: impl Fn(usize, &mut Put) -> usize) {
        while self.at < len && put.out.len() < until {
            // What gives nothing must not be asked for ever.
            self.at = write(self.at, put).max(self.at + 1);
        }
    }

    fn elements(&mut self, list: &List, put: &mut Put, until: usize) {
        list.walk(self.at, false, |item| {
            put.item(item);
            self.at += 1;
            if put.out.len() < until { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
    }

    fn nodes(&mut self, list: &List, put: &mut Put, until: usize) {
        while put.out.len() < until
            && let Some((found, next)) = list.node_at(self.at)
        {
            match found {
                NodeRef::Packed(pack) => {
                    put.length(node::PACKED);
                    put.bytes(pack.as_bytes());
                }
                NodeRef::Plain(text) => {
                    put.length(node::PLAIN);
                    put.bytes(text);
                }
            }
            self.at = next;
        }
    }
}

/// A small collection as the one string that it is in memory.
fn row(collection: &Collection, put: &mut Put) {
    let pack = match collection {
        Collection::Set(set) => set.as_listpack(),
        Collection::Hash(hash) => hash.as_listpack(),
        Collection::Zset(zset) => zset.as_listpack(),
        Collection::List(_) | Collection::Stream(_) => None,
    };
    let ints = if let Collection::Set(set) = collection { set.as_intset() } else { None };
    let bytes = pack.map(Listpack::as_bytes).or(ints.map(IntSet::as_bytes));
    put.bytes(bytes.unwrap_or_default());
}
