//! What a key holds, as it is read and as it is written.

use super::collection::Collection;

/// A value as it is read.
#[derive(Debug, Clone, Copy)]
pub enum ValueRef<'a> {
    /// A string that is a canonical integer, stored as one.
    Int(i64),
    /// Any other string.
    Bytes(&'a [u8]),
    /// No string.
    Collection(&'a Collection),
}

/// Strings are compared by their text; collections only with themselves.
impl PartialEq for ValueRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (*self, *other) {
            (Self::Int(one), Self::Int(other)) => one == other,
            (Self::Bytes(one), Self::Bytes(other)) => one == other,
            (Self::Collection(one), Self::Collection(other)) => std::ptr::eq(one, other),
            _ => false,
        }
    }
}

/// A string to store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewValue<'a> {
    /// A string stored as an integer.
    Int(i64),
    /// A string; the keyspace stores it as an integer when it is a canonical one (as SET does).
    Bytes(&'a [u8]),
    /// A string kept as bytes whatever it looks like (as APPEND and SETRANGE leave it).
    Raw(&'a [u8]),
}

/// What becomes of a key's deadline when its value is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ttl {
    /// It is removed.
    Clear,
    /// It stays.
    Keep,
    /// It becomes this: milliseconds since the Unix epoch.
    At(u64),
}
