//! Lists: one listpack while small, a tree of pages when large.
//!
//! - The bounds of pages and the moments at which a list changes its form are Redis 7.2's: what OBJECT ENCODING tells, and how
//!   densely nodes are filled, is the same. A small list becomes large before it would exceed one node; a large one becomes small
//!   when one node is left of it that is at most half full, so that a list at the bound does not change with every element.
//! - `fill` is `list-max-listpack-size` as the caller's configuration has it now. A large list keeps the one it was made with.

mod fill;
mod pack;
mod page;

#[cfg(test)]
mod tests;

use std::ops::{ControlFlow, Range};

use self::page::Page;
use super::collection::{Kind, variant};
use super::listpack::{Item, Listpack, Wanted};
use super::tree::Tree;

pub use self::fill::Fill;
pub use self::page::Node;

/// An end of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The head, where index 0 is.
    Left,
    /// The tail.
    Right,
}

/// See the top of the file. A clone of a large list shares its pages.
#[derive(Debug, Clone)]
pub struct List(Form);

#[derive(Debug, Clone)]
enum Form {
    Small(Listpack),
    Large(Tree<Page>),
}

impl Default for List {
    fn default() -> Self {
        Self(Form::Small(Listpack::new()))
    }
}

impl List {
    /// A list of these nodes, in order, as a snapshot has them.
    #[must_use]
    pub fn from_nodes(nodes: impl IntoIterator<Item = Node>, fill: Fill) -> Self {
        let pages = nodes.into_iter().map(|node| Page::holding(node, fill)).filter(|page| page.len() > 0);
        let tree = Tree::from_leaves(pages.collect());
        let mut list = Self(Form::Large(tree));
        list.settle(fill, false);
        list
    }

    /// How many nodes there are.
    #[must_use]
    pub fn node_count(&self) -> usize {
        match &self.0 {
            Form::Small(_) => 1,
            Form::Large(tree) => tree.leaf_count(),
        }
    }

    /// The nodes in order, as a snapshot has them: one listpack for a small list.
    pub fn nodes(&self) -> impl Iterator<Item = NodeRef<'_>> {
        let (small, large) = match &self.0 {
            Form::Small(pack) => (Some(NodeRef::Packed(pack)), None),
            Form::Large(tree) => (None, Some(tree.leaves().map(Page::node))),
        };
        small.into_iter().chain(large.into_iter().flatten())
    }

    /// The node with the element of this rank, and the rank of the first element behind it: a way to go through them in slices.
    #[must_use]
    pub fn node_at(&self, rank: usize) -> Option<(NodeRef<'_>, usize)> {
        if rank >= self.len() {
            return None;
        }
        Some(match &self.0 {
            Form::Small(pack) => (NodeRef::Packed(pack), pack.len()),
            Form::Large(tree) => {
                let (page, within) = tree.leaf_by_rank(rank);
                (page.node(), rank - within + page.len())
            }
        })
    }

    /// The listpack, if it is small.
    #[must_use]
    pub fn as_listpack(&self) -> Option<&Listpack> {
        match &self.0 {
            Form::Small(pack) => Some(pack),
            Form::Large(_) => None,
        }
    }

    /// How nodes of a large list are filled; `None` for a small one.
    #[must_use]
    pub fn large_fill(&self) -> Option<Fill> {
        match &self.0 {
            Form::Small(_) => None,
            Form::Large(tree) => Some(tree.first().fill()),
        }
    }

    /// Adds elements at one end, one after the other.
    #[inline]
    pub fn push<'t>(&mut self, side: Side, texts: impl Iterator<Item = &'t [u8]> + Clone, fill: Fill) {
        self.grow(texts.clone(), fill);
        match (&mut self.0, side) {
            (Form::Small(pack), Side::Left) => texts.for_each(|text| pack.push_front(text)),
            (Form::Small(pack), Side::Right) => texts.for_each(|text| pack.push_back(text)),
            (Form::Large(tree), Side::Left) => {
                texts.for_each(|text| tree.edit_first(|page| page.push_front(text)));
            }
            (Form::Large(tree), Side::Right) => {
                texts.for_each(|text| tree.edit_last(|page| page.push_back(text)));
            }
        }
    }

    /// Removes one element at an end, after showing it to `look`; `None` when there is none.
    #[inline]
    pub fn pop<T>(&mut self, side: Side, fill: Fill, look: impl FnOnce(Item<'_>) -> T) -> Option<T> {
        let popped = self.take(side, look);
        self.settle(fill, true);
        popped
    }

    /// Moves the element at one end to an end, perhaps the other one, and gives it. The list changes its form no more than
    /// once, if at all.
    pub fn rotate(&mut self, out: Side, into: Side, fill: Fill) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        self.take(out, |item| item.write_to(&mut text))?;
        self.push(into, std::iter::once(&text[..]), fill);
        self.settle(fill, true);
        Some(text)
    }

    /// The element at an index; negative ones count from the end, -1 is the last.
    #[must_use]
    pub fn get(&self, index: i64) -> Option<Item<'_>> {
        match &self.0 {
            Form::Small(pack) => pack.get(index),
            Form::Large(tree) => {
                let (page, at) = tree.leaf_by_rank(rank_of(index, tree.len())?);
                page.get(at)
            }
        }
    }

    /// Shows elements to `each` from the one at `from` on, towards the tail, or towards the head if `back`, until it breaks off.
    #[inline]
    pub fn walk(&self, from: usize, back: bool, mut each: impl FnMut(Item<'_>) -> ControlFlow<()>) {
        match &self.0 {
            Form::Small(pack) => {
                // How it ended is of no use to the caller.
                let _ended = pack::walk(pack, from, back, &mut each);
            }
            Form::Large(tree) => {
                let mut rank = from;
                while rank < tree.len() {
                    let (page, at) = tree.leaf_by_rank(rank);
                    if page.walk(at, back, &mut each).is_break() {
                        return;
                    }
                    let Some(next) =
                        (if back { rank.checked_sub(at + 1) } else { Some(rank - at + page.len()) })
                    else {
                        return;
                    };
                    rank = next;
                }
            }
        }
    }

    /// Puts another element in the place of the one at an index; false if there is none.
    pub fn set(&mut self, index: i64, text: &[u8], fill: Fill) -> bool {
        // As in Redis: whether it becomes large is asked as if the element were added.
        self.grow(std::iter::once(text), fill);
        let Some(rank) = rank_of(index, self.len()) else { return false };
        match &mut self.0 {
            Form::Small(pack) => pack::replace(pack, rank, text),
            Form::Large(tree) => tree.edit_by_rank(rank, |page, at| page.replace(at, text)),
        }
        self.settle(fill, true);
        true
    }

    /// The first index of an element.
    #[must_use]
    pub fn position(&self, text: &[u8]) -> Option<usize> {
        let wanted = Wanted::new(text);
        let (mut index, mut found) = (0, None);
        self.walk(0, false, |item| {
            if wanted.is(item) {
                found = Some(index);
                return ControlFlow::Break(());
            }
            index += 1;
            ControlFlow::Continue(())
        });
        found
    }

    /// Puts an element before the one at `rank`; behind the last one when there is none.
    pub fn insert(&mut self, rank: usize, text: &[u8], fill: Fill) {
        self.grow(std::iter::once(text), fill);
        match &mut self.0 {
            Form::Small(pack) => pack::insert(pack, rank, text),
            Form::Large(tree) => {
                let (page, at) = tree.leaf_by_rank(rank);
                // Room at the end of the page before is better used than a page of its own.
                if at == 0
                    && !page.admits(text)
                    && let Some(before) = rank.checked_sub(1)
                    && tree.leaf_by_rank(before).0.admits(text)
                {
                    tree.edit_by_rank(before, |page, at| page.insert(at + 1, text));
                } else {
                    tree.edit_by_rank(rank, |page, at| page.insert(at, text));
                }
            }
        }
    }

    /// Asks for room before an insertion, as Redis does before it knows whether there will be one (LINSERT, LSET): a small list
    /// that would exceed a node with these elements becomes large.
    pub fn grow<'t>(&mut self, texts: impl Iterator<Item = &'t [u8]>, fill: Fill) {
        let Form::Small(pack) = &mut self.0 else { return };
        let (mut bytes, mut count) = (pack.bytes_len(), pack.len());
        for text in texts {
            bytes = bytes.saturating_add(text.len());
            count += 1;
        }
        if fill.exceeded(bytes, count) {
            let pack = std::mem::take(pack);
            self.0 = Form::Large(Tree::from_leaf(Page::holding(Node::Packed(pack), fill)));
        }
    }

    /// Removes the elements of these ranks.
    pub fn remove(&mut self, ranks: Range<usize>, fill: Fill) {
        match &mut self.0 {
            Form::Small(pack) => pack::remove(pack, ranks),
            Form::Large(tree) => tree.remove_ranks(ranks, Page::remove),
        }
        self.settle(fill, true);
    }

    /// Removes up to `most` elements that are `text`, looking from the head, or from the tail if `back`; gives how many.
    pub fn remove_equal(&mut self, text: &[u8], most: usize, back: bool, fill: Fill) -> usize {
        let wanted = Wanted::new(text);
        let removed = match &mut self.0 {
            Form::Small(pack) => pack::remove_equal(pack, &wanted, most, back),
            Form::Large(tree) => remove_equal(tree, &wanted, most, back),
        };
        self.settle(fill, true);
        removed
    }

    #[inline]
    fn take<T>(&mut self, side: Side, look: impl FnOnce(Item<'_>) -> T) -> Option<T> {
        match &mut self.0 {
            Form::Small(pack) => pack::pop(pack, side, look),
            Form::Large(tree) => match side {
                Side::Left => tree.edit_first(|page| page.pop(side, look)),
                Side::Right => tree.edit_last(|page| page.pop(side, look)),
            },
        }
    }

    /// After a removal, or when a list was built: it becomes small if what is left of it is one node within the bounds.
    fn settle(&mut self, fill: Fill, shrinking: bool) {
        let Form::Large(tree) = &mut self.0 else { return };
        let first = tree.first();
        if first.len() != tree.len() || !first.may_stand_alone(fill, shrinking) {
            return;
        }
        let pack = tree.pop_leaf().map(Page::into_listpack).unwrap_or_default();
        self.0 = Form::Small(pack);
    }
}

/// The rank of an index that may count from the end; `None` outside the list.
fn rank_of(index: i64, len: usize) -> Option<usize> {
    if index >= 0 {
        usize::try_from(index).ok().filter(|&rank| rank < len)
    } else {
        len.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)
    }
}

/// Page by page, so that only pages that lose something are copied when they are shared.
fn remove_equal(tree: &mut Tree<Page>, wanted: &Wanted<'_>, most: usize, back: bool) -> usize {
    let mut removed = 0;
    // Elements still to be looked at are those from `rank` on, or, looking back, those before it.
    let mut rank = if back { tree.len() } else { 0 };
    while removed < most {
        let within = if back { rank.checked_sub(1) } else { Some(rank).filter(|&rank| rank < tree.len()) };
        let Some(within) = within else { break };
        let (page, at) = tree.leaf_by_rank(within);
        let (start, before) = (within - at, page.len());
        let gone = if page.has(wanted) {
            tree.edit_by_rank(within, |page, _| page.remove_equal(wanted, most - removed, back))
        } else {
            0
        };
        removed += gone;
        rank = if back { start } else { start + before - gone };
    }
    removed
}

/// A node of a list, as it is read.
#[derive(Debug, Clone, Copy)]
pub enum NodeRef<'a> {
    /// Several elements.
    Packed(&'a Listpack),
    /// One that is longer than a node.
    Plain(&'a [u8]),
}

impl Kind for List {
    const NAME: &'static str = "list";
    const NUMBER: u32 = 1;

    fn len(&self) -> usize {
        match &self.0 {
            Form::Small(pack) => pack.len(),
            Form::Large(tree) => tree.len(),
        }
    }

    fn memory(&self) -> usize {
        match &self.0 {
            Form::Small(pack) => pack.memory(),
            Form::Large(tree) => tree.bytes(),
        }
    }

    fn encoding(&self) -> &'static str {
        match &self.0 {
            Form::Small(_) => "listpack",
            Form::Large(_) => "quicklist",
        }
    }

    fn dismantle(&mut self, budget: usize) -> usize {
        let mut freed = 0;
        match &mut self.0 {
            Form::Small(pack) => {
                freed = pack.len();
                pack.clear();
            }
            Form::Large(tree) => {
                while freed < budget
                    && let Some(page) = tree.pop_leaf()
                {
                    freed += page.len();
                }
            }
        }
        freed
    }

    variant!(List);
}
