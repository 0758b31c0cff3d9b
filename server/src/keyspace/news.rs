//! What happened to keys since somebody last asked, for those who are told of it: new keys, and changed ones.
//!
//! Nothing is noted unless it is asked for.

use super::store::Keyspace;

/// What is noted.
#[derive(Debug, Default)]
pub(super) struct News {
    created: Option<Vec<(usize, Box<[u8]>)>>,
    changed: Option<Changed>,
}

/// Keys that changed, whatever their database.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Changed {
    /// In order; a key that changed twice is here twice.
    pub keys: Vec<Box<[u8]>>,
    /// A whole database was emptied.
    pub flushed: bool,
}

impl Keyspace {
    /// Whether keys that are made are to be remembered until [`Keyspace::take_created`].
    pub fn note_created(&mut self, on: bool) {
        self.news.created = on.then(Vec::new);
    }

    /// The keys made since this was last called, in order, if they are remembered.
    pub fn take_created(&mut self) -> Vec<(usize, Box<[u8]>)> {
        self.news.created.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Whether keys that change are to be remembered until [`Keyspace::take_changed`].
    pub fn note_changed(&mut self, on: bool) {
        self.news.changed = on.then(Changed::default);
    }

    /// The keys that changed since this was last called, if they are remembered.
    pub fn take_changed(&mut self) -> Changed {
        self.news.changed.as_mut().map(std::mem::take).unwrap_or_default()
    }
}

impl News {
    /// A key was made.
    #[inline]
    pub(super) fn made(&mut self, db: usize, key: &[u8]) {
        if let Some(created) = &mut self.created {
            created.push((db, key.into()));
        }
    }

    /// A key changed.
    #[inline]
    pub(super) fn touched(&mut self, key: &[u8]) {
        if let Some(changed) = &mut self.changed {
            changed.keys.push(key.into());
        }
    }

    /// A database was emptied.
    pub(super) fn flushed(&mut self) {
        if let Some(changed) = &mut self.changed {
            changed.flushed = true;
        }
    }
}
