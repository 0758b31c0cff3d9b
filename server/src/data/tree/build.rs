//! A tree made of whole leaves, level by level: no search, no split.

use triomphe::Arc;

use super::{Child, FANOUT, Leaf, Node, Tree};

impl<L: Leaf> Tree<L> {
    /// A tree of these leaves, which are in order, hold an element each and are not overfull.
    #[must_use]
    pub fn from_leaves(leaves: Vec<L>) -> Self {
        let len = leaves.iter().map(L::count).sum();
        let bytes = leaves.iter().map(L::bytes).sum();
        let mut level: Vec<Child<L>> =
            leaves.into_iter().filter_map(|leaf| Child::of(Arc::new(Node::Leaf(leaf)))).collect();
        while level.len() > 1 {
            // Even shares: the last node of a level is not left with a single child.
            let nodes = level.len().div_ceil(FANOUT);
            let mut above = Vec::with_capacity(nodes);
            let mut rest = level;
            for left in (1..=nodes).rev() {
                let behind = rest.split_off(rest.len().div_ceil(left));
                above.extend(Child::of(Arc::new(Node::Inner(rest))));
                rest = behind;
            }
            level = above;
        }
        match level.pop() {
            Some(root) => Self { root: root.node, len, bytes },
            None => Self::default(),
        }
    }
}
