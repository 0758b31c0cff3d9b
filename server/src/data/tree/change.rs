//! How a tree changes: down to a leaf, the counts on the way corrected, and what got too large or too small set right.

use triomphe::Arc;

use super::{Child, FANOUT, Leaf, Node, Seek, Tree};

/// More levels than a tree can have: a root is parted only when it has more than 64 children, and each part has 32.
const LEVELS: usize = 16;

/// The way down to a leaf: which child, at each level.
#[derive(Default)]
struct Path {
    steps: [u16; LEVELS],
    len: usize,
}

impl Path {
    #[inline]
    fn push(&mut self, step: usize) {
        debug_assert!(step < FANOUT && self.len < LEVELS, "nodes and trees are bounded");
        if let Some(place) = self.steps.get_mut(self.len) {
            *place = u16::try_from(step).unwrap_or(u16::MAX);
            self.len += 1;
        }
    }

    #[inline]
    fn steps(&self) -> &[u16] {
        self.steps.get(..self.len).unwrap_or_default()
    }
}

impl<L: Leaf> Tree<L> {
    /// Changes the leaf that `seek` leads to.
    pub(super) fn edit<S: Seek<L>, R>(
        &mut self,
        seek: &mut S,
        change: impl FnOnce(&mut L, &mut S) -> R,
    ) -> R {
        let mut path = Path::default();
        let mut node = &mut self.root;
        let (leaf, bytes_before) = loop {
            // Those of the leaf that is shared: a copy may take others.
            let bytes = node.leaf_bytes();
            match Arc::make_mut(node) {
                Node::Leaf(leaf) => break (leaf, bytes),
                Node::Inner(children) => {
                    // An inner node has children: `lower`, `mend` and `divide` see to it.
                    let at = seek.choose(children).min(children.len().saturating_sub(1));
                    path.push(at);
                    node = &mut children[at].node;
                }
            }
        };
        let before = leaf.count();
        let result = change(leaf, seek);
        let (count, bytes) = (leaf.count(), leaf.bytes());
        let unsettled = leaf.is_overfull() || count < before && (count == 0 || leaf.is_underfull());
        self.bytes = self.bytes.saturating_add_signed(difference(bytes_before, bytes));
        if count != before {
            self.recount(&path, difference(before, count));
        }
        if unsettled {
            self.mend(&path);
        }
        result
    }

    /// Corrects the counts on the way to a leaf, which nobody shares any more.
    #[inline]
    fn recount(&mut self, path: &Path, by: isize) {
        self.len = self.len.saturating_add_signed(by);
        let mut node = &mut self.root;
        for &step in path.steps() {
            let Node::Inner(children) = Arc::make_mut(node) else { return };
            let Some(child) = children.get_mut(usize::from(step)) else { return };
            child.count = child.count.saturating_add_signed(by);
            node = &mut child.node;
        }
    }

    /// Parts what is too large and joins what is too small, from the leaf up.
    fn mend(&mut self, path: &Path) {
        let Mended { bytes, split } = Node::mend(&mut self.root, path.steps());
        self.bytes = self.bytes.saturating_add_signed(bytes);
        self.spread(split);
        self.lower();
    }

    /// Puts a node above the root when it was split; several, when the parts are more than a node takes.
    pub(super) fn spread(&mut self, mut split: Vec<Child<L>>) {
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
struct Mended<L: Leaf> {
    /// By how much the bytes of leaves changed.
    bytes: isize,
    /// Right neighbours it was split into.
    split: Vec<Child<L>>,
}

impl<L: Leaf> Node<L> {
    /// Sets right what a change of the leaf at the end of `path` left; counts are right already.
    fn mend(this: &mut Arc<Self>, path: &[u16]) -> Mended<L> {
        let this = Arc::make_mut(this);
        match this {
            Self::Leaf(leaf) => {
                let before = leaf.bytes();
                let mut parts = Vec::new();
                divide(leaf, &mut parts);
                let bytes = leaf.bytes() + parts.iter().map(Leaf::bytes).sum::<usize>();
                let split =
                    parts.into_iter().filter_map(|part| Child::of(Arc::new(Self::Leaf(part)))).collect();
                Mended { bytes: difference(before, bytes), split }
            }
            Self::Inner(children) => {
                let Some((&step, below)) = path.split_first() else {
                    return Mended { bytes: 0, split: Vec::new() };
                };
                let at = usize::from(step).min(children.len().saturating_sub(1));
                let child = &mut children[at];
                let Mended { bytes, split } = Self::mend(&mut child.node, below);
                for part in &split {
                    child.count -= part.count;
                }
                let divided = !split.is_empty();
                if divided {
                    children.splice(at + 1..at + 1, split);
                }
                let gained = if divided { 0 } else { mend(children, at) };
                Mended { bytes: bytes + gained, split: this.divide() }
            }
        }
    }

    /// Adds a child that is a leaf behind all others; gives right neighbours this was split into.
    pub(super) fn push(&mut self, leaf: Child<L>) -> Vec<Child<L>> {
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
            let at = (children.len() - FANOUT).clamp(FANOUT / 2, FANOUT);
            let right = children.split_off(children.len() - at);
            parts.extend(Child::of(Arc::new(Self::Inner(right))));
        }
        parts.reverse();
        parts
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
