//! The consumers of a group: found by name, and by number from what they have pending.

use super::group::Consumer;
use super::pending::{Owner, Row};
use triomphe::Arc;

/// What a consumer takes besides its name and what it has pending.
const OVERHEAD: usize = size_of::<Consumer>() + 96;

/// See the top of the file.
#[derive(Debug, Clone, Default)]
pub(super) struct Roster {
    /// By number. A free one is used again.
    slots: Vec<Option<Arc<Consumer>>>,
    /// Numbers in order of the names.
    order: Vec<u32>,
    /// Numbers that are free.
    free: Vec<u32>,
    /// Bytes of all names.
    names: usize,
}

impl Roster {
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Bytes of memory, without what is pending.
    pub(super) fn memory(&self) -> usize {
        self.names + self.order.len() * OVERHEAD
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Owner, &Consumer)> {
        self.order.iter().filter_map(|&number| Some((Owner(number), self.get(Owner(number))?)))
    }

    pub(super) fn get(&self, owner: Owner) -> Option<&Consumer> {
        self.slots.get(owner.0 as usize)?.as_deref()
    }

    pub(super) fn get_mut(&mut self, owner: Owner) -> Option<&mut Consumer> {
        self.slots.get_mut(owner.0 as usize)?.as_mut().map(Arc::make_mut)
    }

    pub(super) fn find(&self, name: &[u8]) -> Option<Owner> {
        let at = self.place(name).ok()?;
        self.order.get(at).map(|&number| Owner(number))
    }

    pub(super) fn add(&mut self, name: &[u8], seen_ms: i64, active_ms: Option<i64>) -> Option<Owner> {
        let at = self.place(name).err()?;
        let consumer = Arc::new(Consumer { name: name.into(), seen_ms, active_ms, pending: Row::default() });
        let number = match self.free.pop() {
            Some(number) => number,
            None => {
                // The last number is nobody's.
                let number = u32::try_from(self.slots.len()).ok().filter(|&number| number < u32::MAX)?;
                self.slots.push(None);
                number
            }
        };
        *self.slots.get_mut(number as usize)? = Some(consumer);
        self.order.insert(at, number);
        self.names += name.len();
        Some(Owner(number))
    }

    pub(super) fn remove(&mut self, name: &[u8]) -> Option<Consumer> {
        let number = self.order.remove(self.place(name).ok()?);
        let consumer = self.slots.get_mut(number as usize)?.take()?;
        self.free.push(number);
        self.names -= name.len();
        Some(Arc::try_unwrap(consumer).unwrap_or_else(|shared| Consumer::clone(&shared)))
    }

    /// Frees some of what a consumer has, or a consumer; gives how much that was.
    pub(super) fn shed(&mut self) -> usize {
        let Some(&number) = self.order.last() else { return 0 };
        let freed = self.get_mut(Owner(number)).map_or(0, |consumer| consumer.pending.shed());
        if freed > 0 {
            return freed;
        }
        self.order.pop();
        if let Some(gone) = self.slots.get_mut(number as usize).and_then(Option::take) {
            self.names -= gone.name.len();
        }
        1
    }

    /// Where in the order a name stands, or would.
    fn place(&self, name: &[u8]) -> Result<usize, usize> {
        self.order
            .binary_search_by(|&number| self.get(Owner(number)).map_or(&[][..], Consumer::name).cmp(name))
    }
}
