//! Ways down a tree.

use super::{Child, Leaf};

/// Where to go down: chooses among the children of a node.
pub(super) trait Seek<L: Leaf> {
    fn choose(&mut self, children: &[Child<L>]) -> usize;
}

/// To the last leaf whose key satisfies the predicate; to the first when none does.
pub(super) struct ByKey<F>(pub(super) F);

impl<L: Leaf, F: Fn(&L::Key) -> bool> Seek<L> for ByKey<F> {
    fn choose(&mut self, children: &[Child<L>]) -> usize {
        children.partition_point(|child| (self.0)(&child.key)).saturating_sub(1)
    }
}

/// To the leaf with the element of this rank, to the last when there is none; leaves the rank within the leaf.
pub(super) struct ByRank(pub(super) usize);

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

/// To the first leaf or to the last, without a look at the others.
pub(super) enum Edge {
    First,
    Last,
}

impl<L: Leaf> Seek<L> for Edge {
    #[inline]
    fn choose(&mut self, children: &[Child<L>]) -> usize {
        match self {
            Self::First => 0,
            Self::Last => children.len().saturating_sub(1),
        }
    }
}
