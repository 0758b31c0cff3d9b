//! What a key holds when it is no string.

use super::hash::Hash;
use super::list::List;
use super::set::Set;
use super::stream::Stream;
use super::zset::Zset;

/// A value of several elements.
///
/// Kept small, because every small collection pays for it: what is large in a type stands behind a pointer of its own.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each variant is the type of that name, whose file documents it")]
pub enum Collection {
    List(List),
    Set(Set),
    Hash(Hash),
    Zset(Zset),
    Stream(Stream),
}

/// What every type of collection offers to the rooms that do not care which one it is.
///
/// Cloning takes constant time or copies a few KiB: this is how snapshots and COPY hold a collection ([`super::tree`]).
pub trait Kind: Clone + Default + std::fmt::Debug {
    /// What TYPE says.
    const NAME: &'static str;
    /// Redis' number of the type (`OBJ_LIST` and the like of server.h); DEBUG DIGEST mixes it in.
    const NUMBER: u32;
    /// Whether a key may hold one without elements: only streams.
    const MAY_BE_EMPTY: bool = false;

    /// Elements (fields, members, entries).
    fn len(&self) -> usize;
    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Bytes of memory behind the value itself. Constant time: it is asked before and after each change.
    fn memory(&self) -> usize;
    /// What OBJECT ENCODING says.
    fn encoding(&self) -> &'static str;
    /// Frees about `budget` elements; gives how many, 0 when nothing is left. The value is good for nothing else any more.
    fn dismantle(&mut self, budget: usize) -> usize;
    /// The collection as this type.
    fn of(collection: &Collection) -> Option<&Self>;
    /// The collection as this type, to change it.
    fn of_mut(collection: &mut Collection) -> Option<&mut Self>;
    /// This as a collection.
    fn wrap(self) -> Collection;
}

/// Calls a method of [`Kind`], or anything else all types have, on whatever a collection is.
macro_rules! each_kind {
    ($collection:expr, $it:ident => $call:expr) => {
        match $collection {
            Collection::List($it) => $call,
            Collection::Set($it) => $call,
            Collection::Hash($it) => $call,
            Collection::Zset($it) => $call,
            Collection::Stream($it) => $call,
        }
    };
}

impl Collection {
    /// What TYPE says.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        fn name<K: Kind>(_: &K) -> &'static str {
            K::NAME
        }
        each_kind!(self, it => name(it))
    }

    /// Redis' number of the type.
    #[must_use]
    pub fn type_number(&self) -> u32 {
        fn number<K: Kind>(_: &K) -> u32 {
            K::NUMBER
        }
        each_kind!(self, it => number(it))
    }

    /// Elements.
    #[must_use]
    pub fn len(&self) -> usize {
        each_kind!(self, it => it.len())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a key that holds this ceases to exist.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        fn nothing<K: Kind>(it: &K) -> bool {
            !K::MAY_BE_EMPTY && it.is_empty()
        }
        each_kind!(self, it => nothing(it))
    }

    /// Bytes of memory, itself included.
    #[must_use]
    pub fn memory(&self) -> usize {
        size_of::<Self>() + each_kind!(self, it => it.memory())
    }

    /// What OBJECT ENCODING says.
    #[must_use]
    pub fn encoding(&self) -> &'static str {
        each_kind!(self, it => it.encoding())
    }

    /// Reads what finding these elements by name will read, where that is worth it.
    pub fn look_ahead(&self, names: &[&[u8]]) {
        match self {
            Self::Set(set) => set.look_ahead(names),
            Self::Hash(hash) => hash.look_ahead(names),
            _ => {}
        }
    }

    /// See [`Kind::dismantle`].
    pub fn dismantle(&mut self, budget: usize) -> usize {
        each_kind!(self, it => it.dismantle(budget))
    }
}

/// Implements the three conversions of [`Kind`].
macro_rules! variant {
    ($name:ident) => {
        fn of(collection: &$crate::data::collection::Collection) -> Option<&Self> {
            match collection {
                $crate::data::collection::Collection::$name(it) => Some(it),
                _ => None,
            }
        }

        fn of_mut(collection: &mut $crate::data::collection::Collection) -> Option<&mut Self> {
            match collection {
                $crate::data::collection::Collection::$name(it) => Some(it),
                _ => None,
            }
        }

        fn wrap(self) -> $crate::data::collection::Collection {
            $crate::data::collection::Collection::$name(self)
        }
    };
}
pub(crate) use variant;
