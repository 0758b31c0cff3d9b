//! A counted tree of leaves, shared until it changes: what every large collection is made of.
//!
//! A leaf is a page of some hundred elements that knows how to split itself; the tree knows how many elements stand before
//! each leaf and what its least key is. So one structure is a list (found by position), a sorted set (found by score, and
//! ranked), a stream (found by id) and a hash or a set (found by the hash of a field).
//!
//! - Cloning shares everything and takes constant time: this is how a snapshot holds a large collection. A change copies
//!   the leaf and the nodes above it, and only those that somebody shares.
//! - Every leaf but the only one of a tree holds an element; all leaves are equally deep.
//! - `len` and `bytes` are kept, never computed.
//! - The key above a child parts its elements from those of its left neighbour. It need not be the least element itself,
//!   and says nothing at the first child, so that removing and inserting leave it alone.

mod ahead;
mod build;
mod change;
mod even;
mod seek;

use self::seek::{ByKey, ByRank, Edge, Seek};
use triomphe::Arc;

/// Children of an inner node; a node with more splits, one with fewer than a quarter joins a neighbour.
const FANOUT: usize = 64;

/// A page of elements in order.
pub trait Leaf: Clone + Default + std::fmt::Debug {
    /// What leaves are found by, the least of a leaf's elements; `()` where they are found by position only.
    type Key: Clone + std::fmt::Debug;

    /// Elements.
    fn count(&self) -> usize;
    /// Bytes of memory behind the leaf.
    fn bytes(&self) -> usize;
    /// The key of the first element; asked only of a leaf that has one.
    fn key(&self) -> Self::Key;
    /// Whether it must be split.
    fn is_overfull(&self) -> bool;
    /// Keeps the first part and gives the second; both have elements.
    fn split(&mut self) -> Self;
    /// Whether it is worth looking whether it can join a neighbour.
    fn is_underfull(&self) -> bool;
    /// Takes the elements of its right neighbour over, if the two together are well below what would be split. Says
    /// whether it did.
    fn absorb(&mut self, next: &Self) -> bool;
}

/// See the top of the file.
#[derive(Debug, Clone)]
pub struct Tree<L: Leaf> {
    root: Arc<Node<L>>,
    len: usize,
    bytes: usize,
}

#[derive(Debug, Clone)]
enum Node<L: Leaf> {
    Leaf(L),
    Inner(Vec<Child<L>>),
}

#[derive(Debug, Clone)]
struct Child<L: Leaf> {
    count: usize,
    key: L::Key,
    node: Arc<Node<L>>,
}

impl<L: Leaf> Default for Tree<L> {
    fn default() -> Self {
        Self::from_leaf(L::default())
    }
}

impl<L: Leaf> Tree<L> {
    /// A tree of one leaf, which may be empty.
    #[must_use]
    pub fn from_leaf(leaf: L) -> Self {
        let (len, bytes) = (leaf.count(), leaf.bytes());
        Self { root: Arc::new(Node::Leaf(leaf)), len, bytes }
    }

    /// Elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of memory: leaves, and about what the nodes above them take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes + size_of::<Self>()
    }

    /// The last leaf whose key satisfies `not_after` (the first, when none does), and how many elements stand before it.
    /// `not_after` must be true for smaller keys and false for larger ones.
    #[must_use]
    pub fn leaf_by_key(&self, not_after: impl Fn(&L::Key) -> bool) -> (&L, usize) {
        self.descend(&mut ByKey(not_after))
    }

    /// The leaf with the element of this rank and the rank within it; the last leaf and a rank past its end when there
    /// is none.
    #[must_use]
    pub fn leaf_by_rank(&self, rank: usize) -> (&L, usize) {
        let mut seek = ByRank(rank);
        (self.descend(&mut seek).0, seek.0)
    }

    /// The first leaf.
    #[must_use]
    pub fn first(&self) -> &L {
        self.descend(&mut Edge::First).0
    }

    /// The last leaf.
    #[must_use]
    pub fn last(&self) -> &L {
        self.descend(&mut Edge::Last).0
    }

    /// How many leaves there are: a look at the nodes above them.
    #[must_use]
    pub fn leaf_count(&self) -> usize {
        self.root.leaf_count()
    }

    /// All leaves in order. The step to the next one is a search: cheap beside the work on a leaf.
    pub fn leaves(&self) -> impl Iterator<Item = &L> {
        let mut rank = 0;
        std::iter::from_fn(move || {
            if rank >= self.len {
                return None;
            }
            let leaf = self.leaf_by_rank(rank).0;
            rank += leaf.count().max(1);
            Some(leaf)
        })
    }

    /// Changes the leaf that [`Tree::leaf_by_key`] finds. The leaf may end empty, overfull, or with another key.
    pub fn edit_by_key<R>(
        &mut self,
        not_after: impl Fn(&L::Key) -> bool,
        change: impl FnOnce(&mut L) -> R,
    ) -> R {
        self.edit(&mut ByKey(not_after), |leaf, _| change(leaf))
    }

    /// Changes the leaf that [`Tree::leaf_by_rank`] finds; `change` is given the rank within it.
    pub fn edit_by_rank<R>(&mut self, rank: usize, change: impl FnOnce(&mut L, usize) -> R) -> R {
        self.edit(&mut ByRank(rank), |leaf, seek| change(leaf, seek.0))
    }

    /// Changes the first leaf.
    #[inline]
    pub fn edit_first<R>(&mut self, change: impl FnOnce(&mut L) -> R) -> R {
        self.edit(&mut Edge::First, |leaf, _| change(leaf))
    }

    /// Changes the last leaf.
    #[inline]
    pub fn edit_last<R>(&mut self, change: impl FnOnce(&mut L) -> R) -> R {
        self.edit(&mut Edge::Last, |leaf, _| change(leaf))
    }

    /// Removes the elements of these ranks, with `drain` removing a range from a leaf.
    pub fn remove_ranks(
        &mut self,
        ranks: std::ops::Range<usize>,
        drain: impl Fn(&mut L, std::ops::Range<usize>),
    ) {
        let mut left = ranks.end.min(self.len).saturating_sub(ranks.start);
        while left > 0 {
            let before = self.len;
            self.edit_by_rank(ranks.start, |leaf, at| {
                let end = leaf.count().min(at.saturating_add(left));
                drain(leaf, at..end);
            });
            match before - self.len.min(before) {
                0 => return,
                removed => left -= removed.min(left),
            }
        }
    }

    /// Adds a leaf behind the last one. Its elements are greater than all others; one without elements is dropped.
    pub fn push_leaf(&mut self, leaf: L) {
        if self.is_empty() {
            *self = Self::from_leaf(leaf);
            return;
        }
        let bytes = leaf.bytes();
        if leaf.count() > 0
            && let Some(child) = Child::of(Arc::new(Node::Leaf(leaf)))
        {
            self.len += child.count;
            self.bytes += bytes;
            let split = Arc::make_mut(&mut self.root).push(child);
            self.spread(split);
        }
    }

    /// Takes the last leaf out; the way to free a large tree in slices. An empty tree gives `None`.
    pub fn pop_leaf(&mut self) -> Option<L> {
        if self.is_empty() {
            return None;
        }
        Some(self.edit_last(std::mem::take))
    }

    /// The leaf that `seek` leads to, and how many elements stand before it.
    fn descend(&self, seek: &mut impl Seek<L>) -> (&L, usize) {
        let mut node = &*self.root;
        let mut before = 0;
        loop {
            match node {
                Node::Leaf(leaf) => return (leaf, before),
                Node::Inner(children) => {
                    let at = seek.choose(children).min(children.len().saturating_sub(1));
                    before += children.iter().take(at).map(|child| child.count).sum::<usize>();
                    node = &children[at].node;
                }
            }
        }
    }
}

impl<L: Leaf> Node<L> {
    /// Leaves below; all are equally deep.
    fn leaf_count(&self) -> usize {
        let Self::Inner(children) = self else { return 1 };
        match children.first().map(|child| &*child.node) {
            Some(Self::Inner(_)) => children.iter().map(|child| child.node.leaf_count()).sum(),
            _ => children.len(),
        }
    }

    /// Bytes of a leaf; what stands above leaves is not counted.
    #[inline]
    fn leaf_bytes(&self) -> usize {
        match self {
            Self::Leaf(leaf) => leaf.bytes(),
            Self::Inner(_) => 0,
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::Leaf(leaf) => leaf.count(),
            Self::Inner(children) => children.iter().map(|child| child.count).sum(),
        }
    }

    fn is_underfull(&self) -> bool {
        match self {
            Self::Leaf(leaf) => leaf.is_underfull(),
            Self::Inner(children) => children.len() < FANOUT / 4,
        }
    }
}

impl<L: Leaf> Child<L> {
    /// The child for a node with elements.
    fn of(node: Arc<Node<L>>) -> Option<Self> {
        let key = match &*node {
            Node::Leaf(leaf) => leaf.key(),
            Node::Inner(children) => children.first()?.key.clone(),
        };
        Some(Self { count: node.count(), key, node })
    }
}

#[cfg(test)]
mod tests;
