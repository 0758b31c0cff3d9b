//! Several ways down a tree at once, so that the processor waits for memory once for many and not for each.

use triomphe::Arc;

use super::seek::ByKey;
use super::{Leaf, Node, Seek, Tree};
use crate::data::table::prefetch;

/// Bytes that come from memory together.
const LINE: usize = 64;

impl<L: Leaf> Tree<L> {
    /// The leaves that [`Tree::leaf_by_key`] finds for these keys, in their order. The nodes above leaves are few and near; the leaves
    /// themselves are asked for before the first of them is looked at.
    pub fn leaves_of<const N: usize>(&self, keys: &[L::Key]) -> [Option<&L>; N]
    where
        L::Key: Ord,
    {
        let levels = self.levels();
        let mut nodes: [Option<&Arc<Node<L>>>; N] = [None; N];
        for (place, key) in nodes.iter_mut().zip(keys) {
            let (mut node, mut seek) = (&self.root, ByKey(|other: &L::Key| other <= key));
            for _ in 0..levels {
                let Node::Inner(children) = &**node else { break };
                let at = Seek::<L>::choose(&mut seek, children);
                let Some(child) = children.get(at) else { break };
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
    fn levels(&self) -> usize {
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
