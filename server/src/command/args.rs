//! Reading arguments: numbers with the errors Redis gives them, and options in any order.

use std::ops::Range;

use super::error::{self, Failure};
use crate::resp::Args;
use crate::resp::number::parse_i64;

/// A canonical 64-bit integer.
///
/// # Errors
/// [`error::NOT_AN_INTEGER`].
pub fn integer(word: &[u8]) -> Result<i64, Failure> {
    parse_i64(word).ok_or(error::NOT_AN_INTEGER)
}

/// The number of one of `databases` databases, as SELECT, MOVE and COPY read it.
///
/// # Errors
/// It is no integer, none of 32 bits, or there is no such database.
pub fn database(word: &[u8], databases: usize) -> Result<usize, Failure> {
    let number = integer(word)?;
    if i32::try_from(number).is_err() {
        return Err(error::NOT_32_BITS);
    }
    usize::try_from(number).ok().filter(|&number| number < databases).ok_or(error::DB_OUT_OF_RANGE)
}

/// A number that is not negative.
///
/// # Errors
/// It is none: `failure`.
pub(super) fn positive(word: &[u8], failure: Failure) -> Result<usize, Failure> {
    let number = integer(word).ok().and_then(|number| usize::try_from(number).ok());
    number.ok_or(failure)
}

/// Reads `numkeys key [key ...] END [COUNT count]`, as LMPOP and ZMPOP have it, the number of keys being argument `number`:
/// the positions of the keys, the end, and how many, at least one. `end` reads the word that names an end.
///
/// # Errors
/// A number that is not positive, a word that names no end, or an option twice or unknown.
pub(super) fn first_of<E>(
    args: Args<'_>,
    number: usize,
    end: impl FnOnce(&[u8]) -> Result<E, Failure>,
) -> Result<(Range<usize>, E, usize), Failure> {
    let counted = |word: &[u8], failure: Failure| match positive(word, failure.clone())? {
        0 => Err(failure),
        count => Ok(count),
    };
    let keys = counted(args.get(number), Failure::fixed("ERR numkeys should be greater than 0"))?;
    let first = number + 1;
    let behind = first.saturating_add(keys);
    if behind >= args.len() {
        return Err(error::SYNTAX);
    }
    let end = end(args.get(behind))?;
    let mut count = None;
    let mut options = Options::from(args, behind + 1);
    while let Some(word) = options.next() {
        if count.is_some() || !is(word, "COUNT") {
            return Err(error::SYNTAX);
        }
        let failure = Failure::fixed("ERR count should be greater than 0");
        count = Some(counted(options.value()?, failure)?);
    }
    Ok((first..behind, end, count.unwrap_or(1)))
}

/// Is `word` this option, whatever its case. Options are written in capitals here, as documents write them.
#[must_use]
#[inline]
pub fn is(word: &[u8], option: &str) -> bool {
    word.eq_ignore_ascii_case(option.as_bytes())
}

/// A walk over the options behind a command's fixed arguments.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    args: Args<'a>,
    at: usize,
}

impl<'a> Options<'a> {
    /// The options from argument `first` on.
    #[must_use]
    pub fn from(args: Args<'a>, first: usize) -> Self {
        Self { args, at: first }
    }

    /// The value that must follow an option.
    ///
    /// # Errors
    /// [`error::SYNTAX`]: there is none.
    pub fn value(&mut self) -> Result<&'a [u8], Failure> {
        self.next().ok_or(error::SYNTAX)
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.at >= self.args.len() {
            return None;
        }
        self.at += 1;
        Some(self.args.get(self.at - 1))
    }
}
