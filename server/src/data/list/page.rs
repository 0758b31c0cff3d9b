//! A page of a large list: one node, and what a change put behind it until the tree takes that.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use super::{Fill, NodeRef, Side, pack};
use crate::data::listpack::{Item, Listpack, Wanted};
use crate::data::tree::Leaf;

/// What Redis reckons an element takes in a node besides its text.
const OVERHEAD: usize = 8;

/// What a page holds, and what a snapshot stores.
#[derive(Debug, Clone)]
pub enum Node {
    /// Several elements.
    Packed(Listpack),
    /// One element that is longer than a node. Shared, so that copying its page costs nothing.
    Plain(Arc<[u8]>),
}

impl Default for Node {
    fn default() -> Self {
        Self::Packed(Listpack::new())
    }
}

impl Node {
    /// A node for one element.
    fn of(text: &[u8], fill: Fill) -> Self {
        if fill.is_large(text.len()) {
            return Self::Plain(text.into());
        }
        let mut pack = Listpack::new();
        pack.push_back(text);
        Self::Packed(pack)
    }
}

/// A leaf of the tree.
#[derive(Debug, Clone, Default)]
pub(super) struct Page {
    node: Node,
    fill: Fill,
    /// What belongs behind this page: set by a change that this page had no room for, taken by the tree at once.
    next: Option<Box<Page>>,
}

impl Page {
    pub(super) fn holding(node: Node, fill: Fill) -> Self {
        Self { node, fill, next: None }
    }

    pub(super) fn fill(&self) -> Fill {
        self.fill
    }

    /// Of this page alone.
    #[inline]
    pub(super) fn len(&self) -> usize {
        match &self.node {
            Node::Packed(pack) => pack.len(),
            Node::Plain(_) => 1,
        }
    }

    pub(super) fn node(&self) -> NodeRef<'_> {
        match &self.node {
            Node::Packed(pack) => NodeRef::Packed(pack),
            Node::Plain(text) => NodeRef::Plain(text),
        }
    }

    /// Its only node as a listpack: [`Page::may_stand_alone`] said yes.
    pub(super) fn into_listpack(self) -> Listpack {
        match self.node {
            Node::Packed(pack) => pack,
            Node::Plain(text) => {
                let mut pack = Listpack::new();
                pack.push_back(&text);
                pack
            }
        }
    }

    /// Whether this node is a small list.
    pub(super) fn may_stand_alone(&self, fill: Fill, shrinking: bool) -> bool {
        match &self.node {
            Node::Packed(pack) => fill.is_small(pack.bytes_len(), pack.len(), shrinking),
            Node::Plain(_) => false,
        }
    }

    /// Whether an element may be added to this node.
    #[inline]
    pub(super) fn admits(&self, text: &[u8]) -> bool {
        match &self.node {
            Node::Packed(pack) => {
                let bytes = pack.bytes_len().saturating_add(text.len()).saturating_add(OVERHEAD);
                !self.fill.is_large(text.len()) && !self.fill.exceeded(bytes, pack.len() + 1)
            }
            Node::Plain(_) => false,
        }
    }

    #[inline]
    pub(super) fn push_back(&mut self, text: &[u8]) {
        let admitted = self.admits(text);
        match &mut self.node {
            Node::Packed(pack) if admitted => pack.push_back(text),
            Node::Packed(pack) if pack.is_empty() => self.node = Node::of(text, self.fill),
            _ => self.put_behind(Node::of(text, self.fill)),
        }
    }

    #[inline]
    pub(super) fn push_front(&mut self, text: &[u8]) {
        let admitted = self.admits(text);
        match &mut self.node {
            Node::Packed(pack) if admitted => pack.push_front(text),
            Node::Packed(pack) if pack.is_empty() => self.node = Node::of(text, self.fill),
            _ => self.put_before(Node::of(text, self.fill)),
        }
    }

    #[inline]
    pub(super) fn pop<T>(&mut self, side: Side, look: impl FnOnce(Item<'_>) -> T) -> Option<T> {
        match &mut self.node {
            Node::Packed(pack) => pack::pop(pack, side, look),
            Node::Plain(text) => {
                let popped = look(Item::Str(text));
                self.node = Node::default();
                Some(popped)
            }
        }
    }

    pub(super) fn get(&self, at: usize) -> Option<Item<'_>> {
        match &self.node {
            Node::Packed(pack) => pack.get(pack::index(at)),
            Node::Plain(text) => (at == 0).then_some(Item::Str(text)),
        }
    }

    #[inline]
    pub(super) fn walk(
        &self,
        from: usize,
        back: bool,
        each: &mut impl FnMut(Item<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match &self.node {
            Node::Packed(pack) => pack::walk(pack, from, back, each),
            Node::Plain(text) => each(Item::Str(text)),
        }
    }

    pub(super) fn replace(&mut self, at: usize, text: &[u8]) {
        let large = self.fill.is_large(text.len());
        match &mut self.node {
            Node::Plain(_) => self.node = Node::of(text, self.fill),
            Node::Packed(_) if large => {
                self.remove(at..at + 1);
                self.insert(at, text);
            }
            Node::Packed(pack) => {
                pack::replace(pack, at, text);
                // A node is filled by what is added; replacements could make it grow without bound.
                if pack.bytes_len() > self.fill.heavy() && pack.len() > 1 {
                    let half = pack.split_off(pack.seek(pack::index(pack.len() / 2)).unwrap_or(pack.end()));
                    self.put_behind(Node::Packed(half));
                }
            }
        }
    }

    /// Puts an element before the one at `at`, or behind all. A full node is parted there.
    pub(super) fn insert(&mut self, at: usize, text: &[u8]) {
        let admitted = self.admits(text);
        if at == 0 && !admitted {
            return self.push_front(text);
        }
        if at >= self.len() {
            return self.push_back(text);
        }
        let Node::Packed(pack) = &mut self.node else { return };
        if admitted {
            return pack::insert(pack, at, text);
        }
        let right = pack.split_off(pack.seek(pack::index(at)).unwrap_or(pack.end()));
        self.put_behind(Node::Packed(right));
        if let Some(next) = &mut self.next {
            if self.fill.is_large(text.len()) {
                next.put_before(Node::of(text, self.fill));
            } else if let Node::Packed(pack) = &mut self.node {
                // The left part lost an element at least, but another one may still not fit: it then opens the right one.
                let full = self.fill.exceeded(pack.bytes_len() + text.len() + OVERHEAD, pack.len() + 1);
                if full { next.push_front(text) } else { pack.push_back(text) }
            }
        }
    }

    pub(super) fn remove(&mut self, range: Range<usize>) {
        match &mut self.node {
            Node::Packed(pack) => pack::remove(pack, range),
            Node::Plain(_) if range.contains(&0) => self.node = Node::default(),
            Node::Plain(_) => {}
        }
    }

    pub(super) fn has(&self, wanted: &Wanted<'_>) -> bool {
        match &self.node {
            Node::Packed(pack) => pack.iter().any(|item| wanted.is(item)),
            Node::Plain(text) => wanted.is(Item::Str(text)),
        }
    }

    pub(super) fn remove_equal(&mut self, wanted: &Wanted<'_>, most: usize, back: bool) -> usize {
        match &mut self.node {
            Node::Packed(pack) => pack::remove_equal(pack, wanted, most, back),
            Node::Plain(text) => {
                let removed = usize::from(most > 0 && wanted.is(Item::Str(text)));
                if removed > 0 {
                    self.node = Node::default();
                }
                removed
            }
        }
    }

    /// The new node stands directly behind this one.
    fn put_behind(&mut self, node: Node) {
        let next = Self { node, fill: self.fill, next: self.next.take() };
        self.next = Some(Box::new(next));
    }

    /// The new node takes this one's place, which moves behind it.
    fn put_before(&mut self, node: Node) {
        let old = std::mem::replace(&mut self.node, node);
        self.put_behind(old);
    }
}

impl Leaf for Page {
    type Key = ();

    fn count(&self) -> usize {
        self.len() + self.next.as_ref().map_or(0, |next| next.count())
    }

    fn bytes(&self) -> usize {
        let behind = match &self.node {
            Node::Packed(pack) => pack.memory(),
            Node::Plain(text) => text.len() + 2 * size_of::<usize>(),
        };
        size_of::<Self>() + behind + self.next.as_ref().map_or(0, |next| next.bytes())
    }

    fn key(&self) {}

    fn is_overfull(&self) -> bool {
        self.next.is_some()
    }

    fn split(&mut self) -> Self {
        self.next.take().map(|next| *next).unwrap_or_default()
    }

    /// As in Redis, nodes do not join: which node an element is in decides when a list becomes small.
    fn is_underfull(&self) -> bool {
        false
    }

    fn absorb(&mut self, _next: &Self) -> bool {
        false
    }
}
