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

mod build;

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

/// Where to go down: chooses among the children of a node.
trait Seek<L: Leaf> {
    fn choose(&mut self, children: &[Child<L>]) -> usize;
}

/// To the last leaf whose key satisfies the predicate; to the first when none does.
struct ByKey<F>(F);

impl<L: Leaf, F: Fn(&L::Key) -> bool> Seek<L> for ByKey<F> {
    fn choose(&mut self, children: &[Child<L>]) -> usize {
        children.partition_point(|child| (self.0)(&child.key)).saturating_sub(1)
    }
}

/// To the leaf with the element of this rank, to the last when there is none; leaves the rank within the leaf.
struct ByRank(usize);

impl<L: Leaf> Seek<L> for ByRank {
    fn choose(&mut self, children: &[Child<L>]) -> usize {
        for (at, child) in children.iter().enumerate() {
            if self.0 < child.count || at + 1 == children.len() {
                return at;
            }
            self.0 -= child.count;
        }
        0
    }
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

    /// The leaf alone that [`Tree::leaf_by_key`] finds: nothing is counted, so it is quicker.
    #[must_use]
    #[inline]
    pub fn leaf_of(&self, not_after: impl Fn(&L::Key) -> bool) -> &L {
        let (mut node, mut seek) = (&*self.root, ByKey(not_after));
        loop {
            match node {
                Node::Leaf(leaf) => return leaf,
                // An inner node has children, and a key is sought among them.
                Node::Inner(children) => {
                    node = &children
                        [Seek::<L>::choose(&mut seek, children).min(children.len().saturating_sub(1))]
                    .node;
                }
            }
        }
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
        self.leaf_by_rank(0).0
    }

    /// The last leaf.
    #[must_use]
    pub fn last(&self) -> &L {
        self.leaf_by_rank(self.len).0
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
        Some(self.edit_by_rank(self.len, |leaf, _| std::mem::take(leaf)))
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

    fn edit<S: Seek<L>, R>(&mut self, seek: &mut S, change: impl FnOnce(&mut L, &mut S) -> R) -> R {
        let Outcome { result, len, bytes, split } = Node::edit(&mut self.root, seek, change);
        self.len = self.len.saturating_add_signed(len);
        self.bytes = self.bytes.saturating_add_signed(bytes);
        self.spread(split);
        self.lower();
        result
    }

    /// Puts a node above the root when it was split; several, when the parts are more than a node takes.
    fn spread(&mut self, mut split: Vec<Child<L>>) {
        while !split.is_empty() {
            let mut children = Vec::with_capacity(split.len() + 1);
            children.extend(Child::of(self.root.clone()));
            children.append(&mut split);
            let mut root = Node::Inner(children);
            split = root.divide();
            self.root = Arc::new(root);
        }
    }

    /// Takes away nodes above the leaves that choose nothing any more.
    fn lower(&mut self) {
        if self.len == 0 {
            if !matches!(&*self.root, Node::Leaf(_)) {
                *self = Self::default();
            }
            return;
        }
        while let Node::Inner(children) = &*self.root
            && let [only] = &**children
        {
            self.root = only.node.clone();
        }
    }
}

/// What became of a node, for the node above it.
struct Outcome<L: Leaf, R> {
    result: R,
    /// By how much elements and bytes changed.
    len: isize,
    bytes: isize,
    /// Right neighbours it was split into.
    split: Vec<Child<L>>,
}

impl<L: Leaf> Node<L> {
    /// Changes the leaf below a node. The bytes before are those of the leaf that was shared: a copy may take others.
    fn edit<S: Seek<L>, R>(
        this: &mut Arc<Self>,
        seek: &mut S,
        change: impl FnOnce(&mut L, &mut S) -> R,
    ) -> Outcome<L, R> {
        let bytes_before = this.leaf_bytes();
        let this = Arc::make_mut(this);
        match this {
            Self::Leaf(leaf) => {
                let before = (leaf.count(), bytes_before);
                let result = change(leaf, seek);
                let mut parts = Vec::new();
                divide(leaf, &mut parts);
                let (mut count, mut bytes) = (leaf.count(), leaf.bytes());
                for part in &parts {
                    count += part.count();
                    bytes += part.bytes();
                }
                let split =
                    parts.into_iter().filter_map(|part| Child::of(Arc::new(Self::Leaf(part)))).collect();
                Outcome {
                    result,
                    len: difference(before.0, count),
                    bytes: difference(before.1, bytes),
                    split,
                }
            }
            Self::Inner(children) => {
                let at = seek.choose(children).min(children.len().saturating_sub(1));
                // An inner node has children: `lower`, `mend` and `divide` see to it.
                let child = &mut children[at];
                let Outcome { result, len, bytes, split } = Self::edit(&mut child.node, seek, change);
                child.count = child.count.saturating_add_signed(len);
                for part in &split {
                    child.count -= part.count;
                }
                let divided = !split.is_empty();
                if divided {
                    children.splice(at + 1..at + 1, split);
                }
                let gained = if len < 0 && !divided { mend(children, at) } else { 0 };
                Outcome { result, len, bytes: bytes + gained, split: this.divide() }
            }
        }
    }

    /// Adds a child that is a leaf behind all others; gives right neighbours this was split into.
    fn push(&mut self, leaf: Child<L>) -> Vec<Child<L>> {
        let Self::Inner(children) = self else { return vec![leaf] };
        if let Some(last) = children.last_mut() {
            let mut split = Arc::make_mut(&mut last.node).push(leaf);
            last.count = last.node.count();
            children.append(&mut split);
        }
        self.divide()
    }

    /// Splits an inner node that has too many children; gives the right parts.
    fn divide(&mut self) -> Vec<Child<L>> {
        let mut parts = Vec::new();
        let Self::Inner(children) = self else { return parts };
        while children.len() > FANOUT {
            let at = children.len().saturating_sub(FANOUT).max(FANOUT / 2).min(children.len() - 1);
            let right = children.split_off(children.len() - at);
            parts.extend(Child::of(Arc::new(Self::Inner(right))));
        }
        parts.reverse();
        parts
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

    /// Takes over its right neighbour, whose key above them is `key`. Says whether it did.
    fn absorb(&mut self, next: &Self, key: &L::Key) -> bool {
        match (self, next) {
            (Self::Leaf(leaf), Self::Leaf(next)) => leaf.absorb(next),
            (Self::Inner(children), Self::Inner(more)) if children.len() + more.len() <= FANOUT => {
                let from = children.len();
                children.extend(more.iter().cloned());
                // The first child's own key may be too large: until now nobody was to the left of it.
                if let Some(first) = children.get_mut(from) {
                    first.key = key.clone();
                }
                true
            }
            _ => false,
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

/// After the child at `at` lost elements: takes it out when it has none, and lets it join a neighbour when it has few.
/// Gives by how many bytes that changed the leaves.
fn mend<L: Leaf>(children: &mut Vec<Child<L>>, at: usize) -> isize {
    let Some(child) = children.get(at) else { return 0 };
    if child.count == 0 {
        if children.len() > 1 {
            let gone = children.remove(at);
            return -difference(0, gone.node.leaf_bytes());
        }
        return 0;
    }
    if !child.node.is_underfull() || children.len() < 2 {
        return 0;
    }
    let left = at.min(children.len() - 2);
    let [child, next] = &mut children[left..=left + 1] else { return 0 };
    let alone = child.node.leaf_bytes();
    let absorbed = Arc::make_mut(&mut child.node).absorb(&next.node, &next.key);
    let bytes = child.node.leaf_bytes();
    if !absorbed {
        return difference(alone, bytes);
    }
    let before = alone + next.node.leaf_bytes();
    child.count += next.count;
    children.remove(left + 1);
    difference(before, bytes)
}

/// Splits a leaf until no part is overfull; `parts` gets those behind it.
fn divide<L: Leaf>(leaf: &mut L, parts: &mut Vec<L>) {
    if leaf.count() < 2 || !leaf.is_overfull() {
        return;
    }
    let mut next = leaf.split();
    divide(leaf, parts);
    let mut behind = Vec::new();
    divide(&mut next, &mut behind);
    parts.push(next);
    parts.append(&mut behind);
}

fn difference(before: usize, after: usize) -> isize {
    after.wrapping_sub(before).cast_signed()
}

#[cfg(test)]
mod tests;
