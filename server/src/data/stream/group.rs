//! A consumer group: how far it has read, what it was delivered and has not acknowledged, and its consumers.
//!
//! What is pending stands twice: in the group's row, with all that is known of it, and as an id in the row of the consumer
//! that has it. The two always agree.

use super::id::Id;
use super::pending::{Owner, Pending, Row};
use super::roster::Roster;
use crate::data::packed::Malformed;

/// See the top of the file.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// The last entry it was given.
    pub last: Id,
    /// How many entries it was given, counted from the first ever added; none when that is not known.
    pub read: Option<u64>,
    pending: Row<Pending>,
    consumers: Roster,
}

/// A member of a group.
#[derive(Debug, Clone)]
pub struct Consumer {
    pub(super) name: Box<[u8]>,
    /// When it last asked for anything, in milliseconds since the Unix epoch.
    pub seen_ms: i64,
    /// When it last was given anything; none before the first time.
    pub active_ms: Option<i64>,
    pub(super) pending: Row<Id>,
}

impl Consumer {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// How many entries it has not acknowledged.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.len()
    }
}

impl Group {
    /// One that has read up to `last`, and nobody in it.
    #[must_use]
    pub fn new(last: Id, read: Option<u64>) -> Self {
        Self { last, read, ..Self::default() }
    }

    /// How many consumers it has.
    #[must_use]
    pub fn consumer_count(&self) -> usize {
        self.consumers.len()
    }

    /// Its consumers, in order of their names.
    pub fn consumers(&self) -> impl Iterator<Item = (Owner, &Consumer)> {
        self.consumers.iter()
    }

    /// The consumer of this name.
    #[must_use]
    pub fn find(&self, name: &[u8]) -> Option<Owner> {
        self.consumers.find(name)
    }

    /// The consumer with this number.
    #[must_use]
    pub fn consumer(&self, owner: Owner) -> Option<&Consumer> {
        self.consumers.get(owner)
    }

    /// The name of the consumer with this number; empty when there is none.
    #[must_use]
    pub fn name_of(&self, owner: Owner) -> &[u8] {
        self.consumers.get(owner).map_or(&[], Consumer::name)
    }

    /// Adds a consumer; `None` when there is one of this name.
    pub fn add(&mut self, name: &[u8], seen_ms: i64, active_ms: Option<i64>) -> Option<Owner> {
        self.consumers.add(name, seen_ms, active_ms)
    }

    /// Notes that a consumer asked for something, and if `active` that it was given something.
    pub fn note(&mut self, owner: Owner, now_ms: i64, active: bool) {
        if let Some(consumer) = self.consumers.get_mut(owner) {
            if active {
                consumer.active_ms = Some(now_ms);
            } else {
                consumer.seen_ms = now_ms;
            }
        }
    }

    /// Removes a consumer and all it has not acknowledged; gives how many entries that were.
    pub fn remove(&mut self, name: &[u8]) -> Option<usize> {
        let consumer = self.consumers.remove(name)?;
        for id in consumer.pending.from(Id::MIN) {
            self.pending.take(id);
        }
        Some(consumer.pending())
    }

    /// How many entries are pending.
    #[must_use]
    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }

    /// The first and the last that are pending.
    #[must_use]
    pub fn pending_ends(&self) -> Option<(Id, Id)> {
        Some((self.pending.first()?.id, self.pending.last()?.id))
    }

    /// What is known of a pending entry.
    #[must_use]
    pub fn pending(&self, id: Id) -> Option<Pending> {
        self.pending.get(id)
    }

    /// What is pending from an id on.
    pub fn pending_from(&self, id: Id) -> impl Iterator<Item = Pending> {
        self.pending.from(id)
    }

    /// What is pending for one consumer from an id on.
    pub fn pending_of(&self, owner: Owner, id: Id) -> impl Iterator<Item = Pending> {
        let ids = self.consumers.get(owner).map(|consumer| consumer.pending.from(id));
        ids.into_iter().flatten().filter_map(|id| self.pending.get(id))
    }

    /// Makes an entry pending, or changes what is known of it: it may have had another owner.
    pub fn assign(&mut self, pending: Pending) {
        let Pending { id, owner, .. } = pending;
        if self.consumers.get(owner).is_none() {
            return;
        }
        let old = self.pending.put(pending);
        if old.is_some_and(|old| old.owner == owner) {
            return;
        }
        if let Some(consumer) = old.and_then(|old| self.consumers.get_mut(old.owner)) {
            consumer.pending.take(id);
        }
        if let Some(consumer) = self.consumers.get_mut(owner) {
            consumer.pending.put(id);
        }
    }

    /// Forgets a pending entry; true if it was one.
    pub fn acknowledge(&mut self, id: Id) -> bool {
        let Some(pending) = self.pending.take(id) else { return false };
        if let Some(consumer) = self.consumers.get_mut(pending.owner) {
            consumer.pending.take(id);
        }
        true
    }

    /// Bytes of memory, about: constant time.
    pub(super) fn memory(&self) -> usize {
        // The rows of consumers have as many ids as the group's, on pages that are as full.
        let ids = self.pending.len() * size_of::<Id>() * 5 / 4;
        size_of::<Self>() + self.pending.bytes() + ids + self.consumers.memory()
    }

    /// Frees about a page's worth; gives how many elements that were, 0 when nothing is left.
    pub(super) fn shed(&mut self) -> usize {
        match self.pending.shed() {
            0 => self.consumers.shed(),
            freed => freed,
        }
    }
}

/// A group of a snapshot, which lists first what is pending and then to whom.
#[derive(Debug)]
pub struct Loading {
    group: Group,
    /// Pending entries without an owner.
    unowned: usize,
}

/// Who has a pending entry before its consumer was read.
const NOBODY: Owner = Owner(u32::MAX);

impl Loading {
    /// One that has read up to `last`.
    #[must_use]
    pub fn new(last: Id, read: Option<u64>) -> Self {
        Self { group: Group::new(last, read), unowned: 0 }
    }

    /// An entry is pending.
    ///
    /// # Errors
    /// It is for the second time.
    pub fn pending(&mut self, id: Id, delivered_ms: i64, deliveries: u64) -> Result<(), Malformed> {
        if self.group.pending.get(id).is_some() {
            return Err(Malformed("an entry is pending twice in a group of a stream"));
        }
        self.group.pending.put(Pending { id, delivered_ms, deliveries, owner: NOBODY });
        self.unowned += 1;
        Ok(())
    }

    /// There is a consumer.
    ///
    /// # Errors
    /// It is for the second time.
    pub fn consumer(
        &mut self,
        name: &[u8],
        seen_ms: i64,
        active_ms: Option<i64>,
    ) -> Result<Owner, Malformed> {
        let twice = Malformed("a group of a stream has two consumers of one name");
        self.group.add(name, seen_ms, active_ms).ok_or(twice)
    }

    /// A consumer has a pending entry.
    ///
    /// # Errors
    /// It is not pending, or somebody else has it.
    pub fn own(&mut self, owner: Owner, id: Id) -> Result<(), Malformed> {
        let Some(pending) = self.group.pending.get(id) else {
            return Err(Malformed("a consumer of a stream has an entry that is not pending"));
        };
        if pending.owner != NOBODY {
            return Err(Malformed("two consumers of a stream have the same entry"));
        }
        self.group.assign(Pending { owner, ..pending });
        self.unowned -= 1;
        Ok(())
    }

    /// The group.
    ///
    /// # Errors
    /// A pending entry has no consumer.
    pub fn finish(self) -> Result<Group, Malformed> {
        match self.unowned {
            0 => Ok(self.group),
            _ => Err(Malformed("an entry is pending for no consumer of its group")),
        }
    }
}
