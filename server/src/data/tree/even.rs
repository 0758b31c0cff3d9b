//! Trees whose keys are spread evenly, as hashes are: a way down is guessed and then corrected, and several are gone at once.

use triomphe::Arc;

use super::{Child, Leaf, Node, Seek, Tree};
use crate::data::table::prefetch;

/// Bytes that come from memory together.
const LINE: usize = 64;

/// To the last leaf whose key is not above a hash; to the first when none is.
struct ByHash(u32);

impl<L: Leaf<Key = u32>> Seek<L> for ByHash {
    #[inline]
    fn choose(&mut self, children: &[Child<L>]) -> usize {
        let hash = self.0;
        let last = children.len().saturating_sub(1);
        let key = |at: usize| children.get(at).map_or(u32::MAX, |child| child.key);
        let (least, greatest) = (key(0), key(last));
        let whole = u64::from(greatest.saturating_sub(least).max(1));
        let part = u64::from(hash.saturating_sub(least)).min(whole);
        let mut at = usize::try_from(part * last as u64 / whole).unwrap_or(0);
        // The key of the first child says nothing: it takes whatever is below that of the second.
        while at < last && key(at + 1) <= hash {
            at += 1;
        }
        while at > 0 && key(at) > hash {
            at -= 1;
        }
        at
    }
}

impl<L: Leaf<Key = u32>> Tree<L> {
    /// The leaf that [`Tree::leaf_by_key`] finds for keys not above a hash. Nothing is counted, so it is quicker.
    #[must_use]
    #[inline]
    pub fn leaf_by_hash(&self, hash: u32) -> &L {
        let mut node = &*self.root;
        loop {
            match node {
                Node::Leaf(leaf) => return leaf,
                // An inner node has children, and one of them is chosen.
                Node::Inner(children) => node = &children[ByHash(hash).choose(children)].node,
            }
        }
    }

    /// Changes the leaf that [`Tree::leaf_by_hash`] finds, as [`Tree::edit_by_key`] does.
    pub fn edit_by_hash<R>(&mut self, hash: u32, change: impl FnOnce(&mut L) -> R) -> R {
        self.edit(&mut ByHash(hash), |leaf, _| change(leaf))
    }

    /// The leaves that [`Tree::leaf_by_hash`] finds for these hashes, in their order. The nodes above leaves are few and near; the leaves
    /// themselves are asked for before the first of them is looked at, so that the processor waits for memory once and not for each.
    #[must_use]
    pub fn leaves_by_hash<const N: usize>(&self, hashes: &[u32]) -> [Option<&L>; N] {
        let levels = self.levels();
        let mut nodes: [Option<&Arc<Node<L>>>; N] = [None; N];
        for (place, hash) in nodes.iter_mut().zip(hashes) {
            let mut node = &self.root;
            for _ in 0..levels {
                let Node::Inner(children) = &**node else { break };
                let Some(child) = children.get(ByHash(*hash).choose(children)) else { break };
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
}
