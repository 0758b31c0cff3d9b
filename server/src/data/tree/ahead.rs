//! Several ways down a tree at once, so that the processor waits for memory once for many and not for each.

use triomphe::Arc;

use super::{ByKey, Leaf, Node, Seek, Tree};
use crate::data::table::prefetch;

/// Bytes that come from memory together.
const LINE: usize = 64;

impl<L: Leaf> Tree<L> {
    /// The leaves that [`Tree::leaf_by_key`] finds with `not_after` for each of `wanted`, in their order. All are asked for before
    /// the first of them is looked at.
    pub fn leaves_by_key<const N: usize, W>(
        &self,
        wanted: &[W],
        not_after: impl Fn(&W, &L::Key) -> bool,
    ) -> [Option<&L>; N] {
        let levels = self.levels();
        let mut nodes: [Option<&Arc<Node<L>>>; N] = [None; N];
        for (place, wanted) in nodes.iter_mut().zip(wanted) {
            let (mut node, mut seek) = (&self.root, ByKey(|key: &L::Key| not_after(wanted, key)));
            for _ in 0..levels {
                let Node::Inner(children) = &**node else { break };
                let Some(child) = children.get(Seek::<L>::choose(&mut seek, children)) else { break };
                node = &child.node;
            }
            let address: *const Node<L> = &raw const **node;
            prefetch(address);
            prefetch(address.wrapping_byte_add(LINE));
            *place = Some(node);
        }
        nodes.map(|node| match &**node? {
            Node::Leaf(leaf) => Some(leaf),
            Node::Inner(_) => None,
        })
    }

    /// Levels above the leaves, which are all equally deep.
    pub(super) fn levels(&self) -> usize {
        let (mut node, mut levels) = (&self.root, 0);
        while let Node::Inner(children) = &**node
            && let Some(first) = children.first()
        {
            node = &first.node;
            levels += 1;
        }
        levels
    }
}
