//! Every error text a client can see, as Redis 7 words it.

use std::borrow::Cow;

/// What a client did wrong: the code and text of an error reply, without the leading dash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(pub Cow<'static, str>);

impl Failure {
    /// A fixed text.
    #[must_use]
    pub const fn fixed(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// A text made for this request.
    pub fn worded(text: impl Into<String>) -> Self {
        Self(Cow::Owned(text.into()))
    }
}

/// `GET` on a list.
pub const WRONG_TYPE: Failure =
    Failure::fixed("WRONGTYPE Operation against a key holding the wrong kind of value");
/// An option that does not exist or does not fit.
pub const SYNTAX: Failure = Failure::fixed("ERR syntax error");
/// Not a canonical 64-bit integer.
pub const NOT_AN_INTEGER: Failure = Failure::fixed("ERR value is not an integer or out of range");
/// Not a double.
pub const NOT_A_FLOAT: Failure = Failure::fixed("ERR value is not a valid float");
/// RENAME and friends.
pub const NO_SUCH_KEY: Failure = Failure::fixed("ERR no such key");
/// SELECT, MOVE, COPY, SWAPDB.
pub const DB_OUT_OF_RANGE: Failure = Failure::fixed("ERR DB index is out of range");
/// A position outside the value.
pub const OUT_OF_RANGE: Failure = Failure::fixed("ERR value is out of range");
