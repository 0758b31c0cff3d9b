//! What a key holds, as it is read and as it is written.

/// A value as it is read. Strings are the only type so far; collections join as further variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueRef<'a> {
    /// A string that is a canonical integer, stored as one.
    Int(i64),
    /// Any other string.
    Bytes(&'a [u8]),
}

/// A value to store.
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
