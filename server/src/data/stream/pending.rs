//! What was delivered and not acknowledged, in order of ids: pages of a tree.

use super::id::Id;
use crate::data::tree::{Leaf, Tree};

/// Elements of a page; with more it is split.
const PAGE: usize = 128;

/// Something with an id.
pub(super) trait Keyed: Copy + std::fmt::Debug {
    /// Its id.
    fn id(&self) -> Id;
}

impl Keyed for Id {
    fn id(&self) -> Id {
        *self
    }
}

/// The number of a consumer within its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner(pub(super) u32);

/// An entry that waits for its acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// The entry.
    pub id: Id,
    /// When it was last delivered, in milliseconds since the Unix epoch.
    pub delivered_ms: i64,
    /// How often it was delivered.
    pub deliveries: u64,
    /// To whom.
    pub owner: Owner,
}

impl Keyed for Pending {
    fn id(&self) -> Id {
        self.id
    }
}

/// Some elements in order of their ids.
#[derive(Debug, Clone)]
pub(super) struct Page<T>(Vec<T>);

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Keyed> Leaf for Page<T> {
    type Key = Id;

    fn count(&self) -> usize {
        self.0.len()
    }

    fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<T>() + 80
    }

    fn key(&self) -> Id {
        self.0.first().map_or(Id::MIN, Keyed::id)
    }

    fn is_overfull(&self) -> bool {
        self.0.len() >= PAGE
    }

    /// Most stays: what is added is mostly added at the end.
    fn split(&mut self) -> Self {
        let next = self.0.split_off(PAGE - PAGE / 8);
        self.0.shrink_to_fit();
        Self(next)
    }

    fn is_underfull(&self) -> bool {
        self.0.len() < PAGE / 4
    }

    fn absorb(&mut self, next: &Self) -> bool {
        let fits = self.0.len() + next.0.len() <= PAGE * 3 / 4;
        if fits {
            self.0.reserve_exact(next.0.len());
            self.0.extend_from_slice(&next.0);
        }
        fits
    }
}

/// Elements in order of their ids; a clone shares them.
#[derive(Debug, Clone)]
pub(super) struct Row<T: Keyed>(Tree<Page<T>>);

impl<T: Keyed> Default for Row<T> {
    fn default() -> Self {
        Self(Tree::default())
    }
}

impl<T: Keyed> Row<T> {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.0.bytes()
    }

    pub(super) fn get(&self, id: Id) -> Option<T> {
        let (page, _) = self.0.leaf_by_key(|key| *key <= id);
        page.0.binary_search_by_key(&id, Keyed::id).ok().and_then(|at| page.0.get(at).copied())
    }

    pub(super) fn first(&self) -> Option<T> {
        self.0.first().0.first().copied()
    }

    pub(super) fn last(&self) -> Option<T> {
        self.0.last().0.last().copied()
    }

    /// Puts an element in; gives the one with its id that was there.
    pub(super) fn put(&mut self, element: T) -> Option<T> {
        let id = element.id();
        self.0.edit_by_key(
            |key| *key <= id,
            |page| match page.0.binary_search_by_key(&id, Keyed::id) {
                Ok(at) => page.0.get_mut(at).map(|old| std::mem::replace(old, element)),
                Err(at) => {
                    page.0.insert(at, element);
                    None
                }
            },
        )
    }

    /// Takes an element out, if it is there.
    pub(super) fn take(&mut self, id: Id) -> Option<T> {
        self.get(id)?;
        self.0.edit_by_key(
            |key| *key <= id,
            |page| page.0.binary_search_by_key(&id, Keyed::id).ok().map(|at| page.0.remove(at)),
        )
    }

    /// The elements from an id on.
    pub(super) fn from(&self, id: Id) -> impl Iterator<Item = T> {
        let (page, rank) = self.0.leaf_by_key(|key| *key <= id);
        let mut at = page.0.partition_point(|element| element.id() < id);
        let mut place = (page, rank);
        std::iter::from_fn(move || {
            let (mut page, mut rank) = place;
            if at >= page.0.len() {
                rank += page.0.len();
                if rank >= self.0.len() {
                    return None;
                }
                page = self.0.leaf_by_rank(rank).0;
                (place, at) = ((page, rank), 0);
            }
            at += 1;
            page.0.get(at - 1).copied()
        })
    }

    /// Frees a page; gives how many elements went.
    pub(super) fn shed(&mut self) -> usize {
        self.0.pop_leaf().map_or(0, |page| page.0.len())
    }
}
