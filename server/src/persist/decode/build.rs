//! Collections from the items of a file: element by element, node by node, or from the one string that a small one is.
//!
//! An item that is not whole changes nothing: all of it is read before any of it is used.

use super::Scratch;
use super::stream::StreamBuilder;
use super::ziplist;
use crate::data::hash::Hash;
use crate::data::hashed::Bulk;
use crate::data::list::{Fill, List, Node, Side};
use crate::data::packed::Malformed;
use crate::data::set::Set;
use crate::data::zset::Zset;
use crate::data::{Collection, IntSet, Kind, Limits, Listpack};
use crate::persist::format::{kind, node};
use crate::persist::read::{Cursor, Stop, Why};
use crate::resp::double;

const MEMBER_TWICE: Why = Why::Breach("a set has a member twice");
const FIELD_TWICE: Why = Why::Breach("a hash has a field twice");

impl From<Malformed> for Stop {
    fn from(Malformed(why): Malformed) -> Self {
        Self::Wrong(Why::Breach(why))
    }
}

/// A collection in the making.
#[derive(Debug)]
pub(in crate::persist) struct Builder {
    kind: u8,
    limits: Limits,
    /// Elements or nodes to come; unknown before the first item.
    left: Option<u64>,
    made: Made,
}

#[derive(Debug)]
enum Made {
    /// Nothing before its one item.
    Row,
    List(List),
    Nodes(Vec<Node>),
    Set(Set),
    /// A set that is large from the start.
    Members(Bulk<false>),
    Hash(Hash),
    /// A hash that is large from the start.
    Pairs(Bulk<true>),
    Zset(Zset),
    Stream(Box<StreamBuilder>),
}

impl Builder {
    /// One for a value of this type; `None` for what is no collection, or none that we can hold.
    pub(in crate::persist) fn new(kind: u8, limits: Limits) -> Option<Self> {
        let made = match kind {
            kind::LIST => Made::List(List::default()),
            kind::LIST_ZIPLISTS | kind::LIST_NODES => Made::Nodes(Vec::new()),
            kind::SET => Made::Set(Set::default()),
            kind::HASH => Made::Hash(Hash::default()),
            kind::ZSET | kind::ZSET_TEXT => Made::Zset(Zset::default()),
            kind::STREAM_1 | kind::STREAM_2 | kind::STREAM_3 => {
                Made::Stream(Box::new(StreamBuilder::new(kind)))
            }
            kind::HASH_ZIPMAP
            | kind::LIST_ZIPLIST
            | kind::SET_INTSET
            | kind::ZSET_ZIPLIST
            | kind::HASH_ZIPLIST
            | kind::HASH_LISTPACK
            | kind::ZSET_LISTPACK
            | kind::SET_LISTPACK => Made::Row,
            _ => return None,
        };
        Some(Self { kind, limits, left: None, made })
    }

    /// Reads one item; gives the collection with the last.
    pub(in crate::persist) fn next(
        &mut self,
        cursor: &mut Cursor<'_>,
        scratch: &mut Scratch,
    ) -> Result<Option<Collection>, Stop> {
        if let Made::Row = self.made {
            let text = cursor.text()?;
            return row(self.kind, text.bytes(&mut scratch.value)?, &self.limits).map(Some);
        }
        if let Made::Stream(stream) = &mut self.made {
            return Ok(stream.next(cursor, scratch)?.map(Kind::wrap));
        }
        let left = match self.left {
            None => {
                let len = cursor.length()?;
                self.begin(len);
                len
            }
            Some(left) => {
                self.element(cursor, scratch)?;
                left.saturating_sub(1)
            }
        };
        self.left = Some(left);
        if left == 0 { self.finish().map(Some) } else { Ok(None) }
    }

    /// The number of elements is known: a claim, which chooses a form and allocates nothing.
    fn begin(&mut self, len: u64) {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        match &mut self.made {
            Made::Set(_) if Set::is_large_from(len, &self.limits) => {
                self.made = Made::Members(Bulk::new(self.limits.seed));
            }
            Made::Hash(_) if Hash::is_large_from(len, &self.limits) => {
                self.made = Made::Pairs(Bulk::new(self.limits.seed));
            }
            Made::Set(_)
            | Made::Hash(_)
            | Made::Members(_)
            | Made::Pairs(_)
            | Made::Row
            | Made::List(_)
            | Made::Nodes(_)
            | Made::Zset(_)
            | Made::Stream(_) => {}
        }
    }

    fn element(&mut self, cursor: &mut Cursor<'_>, scratch: &mut Scratch) -> Result<(), Stop> {
        let limits = &self.limits;
        match &mut self.made {
            Made::List(list) => {
                let text = cursor.text()?.bytes(&mut scratch.value)?;
                list.push(Side::Right, std::iter::once(text), Fill::of(limits.list_node));
            }
            Made::Nodes(nodes) => nodes.push(list_node(self.kind, cursor, scratch)?),
            Made::Set(set) => {
                if !set.add(cursor.text()?.bytes(&mut scratch.value)?, limits) {
                    return Err(MEMBER_TWICE.into());
                }
            }
            Made::Hash(hash) => {
                let (field, value) = (cursor.text()?, cursor.text()?);
                let Scratch { key, value: second } = scratch;
                if !hash.set(field.bytes(key)?, value.bytes(second)?, limits) {
                    return Err(FIELD_TWICE.into());
                }
            }
            Made::Members(members) => members.push(cursor.text()?.bytes(&mut scratch.value)?, &[]),
            Made::Pairs(pairs) => {
                let (field, value) = (cursor.text()?, cursor.text()?);
                let Scratch { key, value: second } = scratch;
                pairs.push(field.bytes(key)?, value.bytes(second)?);
            }
            Made::Zset(zset) => {
                let member = cursor.text()?;
                let score = if self.kind == kind::ZSET {
                    f64::from_le_bytes(cursor.array()?)
                } else {
                    score(cursor)?
                };
                if score.is_nan() {
                    return Err(Why::Breach("a member of a sorted set has no number as its score").into());
                }
                if !zset.insert(member.bytes(&mut scratch.value)?, score, limits) {
                    return Err(Why::Breach("a sorted set has a member twice").into());
                }
            }
            Made::Row | Made::Stream(_) => {}
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Collection, Stop> {
        Ok(match std::mem::replace(&mut self.made, Made::Row) {
            Made::List(list) => list.wrap(),
            Made::Nodes(nodes) => List::from_nodes(nodes, Fill::of(self.limits.list_node)).wrap(),
            Made::Set(set) => set.wrap(),
            Made::Hash(hash) => hash.wrap(),
            Made::Members(members) => Set::from_large(members.finish().ok_or(MEMBER_TWICE)?).wrap(),
            Made::Pairs(pairs) => Hash::from_large(pairs.finish().ok_or(FIELD_TWICE)?).wrap(),
            Made::Zset(zset) => zset.wrap(),
            Made::Row | Made::Stream(_) => List::default().wrap(),
        })
    }
}

/// A node of a list: a ziplist, a listpack, or one long element.
fn list_node(kind: u8, cursor: &mut Cursor<'_>, scratch: &mut Scratch) -> Result<Node, Stop> {
    if kind == kind::LIST_ZIPLISTS {
        let text = cursor.text()?.bytes(&mut scratch.value)?;
        return Ok(Node::Packed(ziplist::to_listpack(text)?));
    }
    let container = cursor.length()?;
    let text = cursor.text()?.bytes(&mut scratch.value)?;
    match container {
        node::PLAIN => Ok(Node::Plain(text.into())),
        node::PACKED => Ok(Node::Packed(Listpack::from_bytes(text.to_vec())?)),
        _ => Err(Why::Breach("a node of a list is of a form that nobody knows").into()),
    }
}

/// A score as text: its length and digits, or a length that says which number it is instead.
fn score(cursor: &mut Cursor<'_>) -> Result<f64, Stop> {
    let digits = match cursor.byte()? {
        253 => return Ok(f64::NAN),
        254 => return Ok(f64::INFINITY),
        255 => return Ok(f64::NEG_INFINITY),
        len => cursor.slice(usize::from(len))?,
    };
    double::parse(digits)
        .ok_or(Stop::Wrong(Why::Breach("the score of a member of a sorted set is no number")))
}

/// A collection that is one string.
fn row(kind: u8, bytes: &[u8], limits: &Limits) -> Result<Collection, Stop> {
    Ok(match kind {
        kind::SET_INTSET => Set::from_intset(IntSet::from_bytes(bytes.to_vec())?, limits).wrap(),
        kind::SET_LISTPACK => Set::from_listpack(Listpack::from_bytes(bytes.to_vec())?, limits)?.wrap(),
        kind::HASH_LISTPACK => Hash::from_listpack(Listpack::from_bytes(bytes.to_vec())?, limits)?.wrap(),
        kind::ZSET_LISTPACK => Zset::from_listpack(Listpack::from_bytes(bytes.to_vec())?, limits)?.wrap(),
        kind::HASH_ZIPLIST => Hash::from_listpack(ziplist::to_listpack(bytes)?, limits)?.wrap(),
        kind::ZSET_ZIPLIST => Zset::from_listpack(ziplist::to_listpack(bytes)?, limits)?.wrap(),
        kind::HASH_ZIPMAP => ziplist::zipmap(bytes, limits)?.wrap(),
        _ => {
            let node = Node::Packed(ziplist::to_listpack(bytes)?);
            List::from_nodes([node], Fill::of(limits.list_node)).wrap()
        }
    })
}
