//! When a string expires, as SET and GETEX are told: `EX`, `PX`, `EXAT`, `PXAT`, `KEEPTTL`, `PERSIST`.
//!
//! Replicas are told absolute milliseconds, whatever the client wrote, so that a late replica expires keys at the same instant.

use super::args::{integer, is};
use super::error::{self, Failure};

/// What a command says about a key's deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline<'a> {
    /// Nothing.
    Unsaid,
    /// `KEEPTTL`: it stays.
    Keep,
    /// `PERSIST`: it goes.
    Persist,
    /// A number, not read yet: a mistake in it is reported after every mistake of syntax.
    Given(Unit, &'a [u8]),
}

/// What the number of a deadline counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// `EX`: seconds from now.
    Seconds,
    /// `PX`: milliseconds from now.
    Millis,
    /// `EXAT`: seconds since the Unix epoch.
    UnixSeconds,
    /// `PXAT`: milliseconds since the Unix epoch.
    UnixMillis,
}

impl Unit {
    fn named(word: &[u8]) -> Option<Self> {
        let named = [
            ("EX", Self::Seconds),
            ("PX", Self::Millis),
            ("EXAT", Self::UnixSeconds),
            ("PXAT", Self::UnixMillis),
        ];
        named.into_iter().find(|(name, _)| is(word, name)).map(|(_, unit)| unit)
    }
}

impl<'a> Deadline<'a> {
    /// Takes one option into account; `value` gives the word behind it. Says whether it was one of ours.
    ///
    /// The same option twice is allowed, the later one counts; two different ones are not.
    ///
    /// # Errors
    /// [`error::SYNTAX`]: no value follows, or another option about the deadline went before.
    pub fn option(
        &mut self,
        word: &[u8],
        value: impl FnOnce() -> Result<&'a [u8], Failure>,
    ) -> Result<bool, Failure> {
        let next = if is(word, "KEEPTTL") {
            Self::Keep
        } else if is(word, "PERSIST") {
            Self::Persist
        } else if let Some(unit) = Unit::named(word) {
            Self::Given(unit, value()?)
        } else {
            return Ok(false);
        };
        let fits = match (*self, next) {
            (Self::Unsaid, _) => true,
            (Self::Given(old, _), Self::Given(new, _)) => old == new,
            (old, new) => old == new,
        };
        *self = next;
        if fits { Ok(true) } else { Err(error::SYNTAX) }
    }

    /// The deadline in milliseconds since the Unix epoch, if a number was given.
    ///
    /// # Errors
    /// It is no integer, not positive, or too far away; `command` is named in the text.
    pub fn absolute(self, now_ms: u64, command: &str) -> Result<Option<u64>, Failure> {
        let Self::Given(unit, word) = self else { return Ok(None) };
        let number = integer(word)?;
        let base = match unit {
            Unit::Seconds | Unit::Millis => i64::try_from(now_ms).unwrap_or(i64::MAX),
            Unit::UnixSeconds | Unit::UnixMillis => 0,
        };
        let millis = match unit {
            Unit::Seconds | Unit::UnixSeconds => number.checked_mul(1000),
            Unit::Millis | Unit::UnixMillis => Some(number),
        };
        let at = millis.filter(|&millis| millis > 0).and_then(|millis| millis.checked_add(base));
        let at = at.and_then(|at| u64::try_from(at).ok());
        at.map(Some).ok_or_else(|| error::invalid_expire(command))
    }
}
