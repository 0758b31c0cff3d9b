//! The consumer groups of a stream, by name. A clone shares them; a change copies the list of groups and the one that changes,
//! if somebody shares them.

use super::group::Group;
use std::collections::BTreeMap;
use triomphe::Arc;

/// What a group takes in the list of groups, besides its name.
const OVERHEAD: usize = 64;

type ByName = BTreeMap<Box<[u8]>, Arc<Group>>;

/// See the top of the file.
#[derive(Debug, Clone, Default)]
pub struct Groups {
    /// None for a stream that never had a group: most have none.
    map: Option<Arc<ByName>>,
    bytes: usize,
}

impl Groups {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.map.as_ref().map_or(0, |map| map.len())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The group of this name.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&Group> {
        self.map.as_ref()?.get(name).map(|group| &**group)
    }

    /// All of them with their names, in order of those.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &Group)> {
        self.map.iter().flat_map(|map| map.iter()).map(|(name, group)| (&**name, &**group))
    }

    /// Lets `change` change the group of this name; `None` when there is none.
    pub fn edit<R>(&mut self, name: &[u8], change: impl FnOnce(&mut Group) -> R) -> Option<R> {
        let map = self.map.as_mut().filter(|map| map.contains_key(name))?;
        let group = Arc::make_mut(Arc::make_mut(map).get_mut(name)?);
        let before = group.memory();
        let result = change(group);
        self.bytes = self.bytes.saturating_sub(before) + group.memory();
        Some(result)
    }

    /// Adds a group; false when there is one of this name.
    pub fn add(&mut self, name: &[u8], group: Group) -> bool {
        if self.get(name).is_some() {
            return false;
        }
        self.bytes += OVERHEAD + name.len() + group.memory();
        let map = self.map.get_or_insert_with(Arc::default);
        Arc::make_mut(map).insert(name.into(), Arc::new(group));
        true
    }

    /// Removes a group; false when there is none of this name.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        if self.get(name).is_none() {
            return false;
        }
        let gone = self.map.as_mut().and_then(|map| Arc::make_mut(map).remove(name));
        let bytes = gone.map_or(0, |group| OVERHEAD + name.len() + group.memory());
        self.bytes = self.bytes.saturating_sub(bytes);
        true
    }

    /// Bytes of memory.
    pub(super) fn memory(&self) -> usize {
        self.bytes
    }

    /// Frees some; gives how many elements that were, 0 when nothing is left.
    pub(super) fn shed(&mut self) -> usize {
        let Some(name) = self.map.as_ref().and_then(|map| map.keys().next_back()).cloned() else { return 0 };
        match self.edit(&name, Group::shed) {
            None | Some(0) => usize::from(self.remove(&name)),
            Some(freed) => freed,
        }
    }
}
