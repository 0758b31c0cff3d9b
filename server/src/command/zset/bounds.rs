//! Ranges of a sorted set: by rank, by score, by member among equal scores. Each becomes a range of ranks.

use std::ops::Range;

use crate::command::args::integer;
use crate::command::error::Failure;
use crate::data::{Kind, zset::Zset};
use crate::resp::double;

const NOT_SCORES: Failure = Failure::fixed("ERR min or max is not a float");
const NOT_MEMBERS: Failure = Failure::fixed("ERR min or max not valid string range item");

/// A range as it was asked for.
#[derive(Debug, Clone, Copy)]
pub enum Bounds<'a> {
    /// `0 -1`: both ends are part of it, negative ones count from the end.
    Ranks(i64, i64),
    /// `(1 +inf`
    Scores(Scores),
    /// `[a (b`, `- +`
    Members(Members<'a>),
}

impl Bounds<'_> {
    /// The ranks of the pairs within.
    #[must_use]
    pub fn ranks(&self, zset: &Zset) -> Range<usize> {
        match self {
            Self::Ranks(start, end) => ranks(*start, *end, zset.len()),
            Self::Scores(scores) => scores.ranks(zset),
            Self::Members(members) => members.ranks(zset),
        }
    }
}

/// Reads two ranks.
///
/// # Errors
/// One is no integer.
pub fn read_ranks<'a>(start: &[u8], end: &[u8]) -> Result<Bounds<'a>, Failure> {
    Ok(Bounds::Ranks(integer(start)?, integer(end)?))
}

/// Reads two bounds on scores, the lower first.
///
/// # Errors
/// One is no number.
pub fn read_scores<'a>(min: &[u8], max: &[u8]) -> Result<Bounds<'a>, Failure> {
    let bound = |text: &[u8]| match text.strip_prefix(b"(") {
        Some(rest) => double::parse_bound(rest).map(|score| (score, true)),
        None => double::parse_bound(text).map(|score| (score, false)),
    };
    let (min, max) = (bound(min).ok_or(NOT_SCORES)?, bound(max).ok_or(NOT_SCORES)?);
    Ok(Bounds::Scores(Scores { min, max }))
}

/// Reads two bounds on members, the lower first.
///
/// # Errors
/// One is none of `-`, `+`, `[member` and `(member`.
pub fn read_members<'a>(min: &'a [u8], max: &'a [u8]) -> Result<Bounds<'a>, Failure> {
    let bound = |text: &'a [u8]| match text.split_first() {
        Some((b'-', [])) => Ok(Bound::Lowest),
        Some((b'+', [])) => Ok(Bound::Highest),
        Some((b'[', member)) => Ok(Bound::With(member)),
        Some((b'(', member)) => Ok(Bound::Without(member)),
        _ => Err(NOT_MEMBERS),
    };
    Ok(Bounds::Members(Members { min: bound(min)?, max: bound(max)? }))
}

/// Two scores, each with whether it is itself outside.
#[derive(Debug, Clone, Copy)]
pub struct Scores {
    min: (f64, bool),
    max: (f64, bool),
}

impl Scores {
    fn ranks(&self, zset: &Zset) -> Range<usize> {
        let (min, above) = self.min;
        let (max, below) = self.max;
        // Both ends are searched for only if there can be something between them.
        if min > max || (min >= max && (above || below)) {
            return 0..0;
        }
        let start = zset.count_before(|score, _| score < min || (above && score <= min));
        let end = zset.count_before(|score, _| score < max || (!below && score <= max));
        start..end.max(start)
    }
}

/// Two members.
#[derive(Debug, Clone, Copy)]
pub struct Members<'a> {
    min: Bound<'a>,
    max: Bound<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Bound<'a> {
    Lowest,
    Highest,
    With(&'a [u8]),
    Without(&'a [u8]),
}

impl Members<'_> {
    /// Of members whose scores differ, which are not in order, a small set gives what Redis gives: a run that begins with the first
    /// one that is not too low, unless the outermost ones say that there is none.
    fn ranks(&self, zset: &Zset) -> Range<usize> {
        let (min, max) = (self.min, self.max);
        let outermost = |rank: usize, inside: &dyn Fn(&[u8]) -> bool| {
            zset.at(rank).is_some_and(|(member, _)| member.with_text(inside))
        };
        let none = !outermost(zset.len().saturating_sub(1), &|member| !min.is_above(member))
            || !outermost(0, &|member| !max.is_below(member));
        if none {
            return 0..0;
        }
        let start = zset.count_before(|_, member| min.is_above(member));
        if zset.as_listpack().is_some() {
            let run = zset.walk(start..zset.len(), false);
            let inside = run.take_while(|(member, _)| member.with_text(|text| !max.is_below(text)));
            return start..start + inside.count();
        }
        start..zset.count_before(|_, member| !max.is_below(member)).max(start)
    }
}

impl Bound<'_> {
    /// As a lower bound: it leaves this member out.
    fn is_above(self, member: &[u8]) -> bool {
        match self {
            Self::Lowest => false,
            Self::Highest => true,
            Self::With(bound) => member < bound,
            Self::Without(bound) => member <= bound,
        }
    }

    /// As an upper bound: it leaves this member out.
    fn is_below(self, member: &[u8]) -> bool {
        match self {
            Self::Lowest => true,
            Self::Highest => false,
            Self::With(bound) => member > bound,
            Self::Without(bound) => member >= bound,
        }
    }
}

/// The ranks from `start` to `end`, of which both are part; negative ones count from the end.
fn ranks(start: i64, end: i64, len: usize) -> Range<usize> {
    let from_start = |rank: i64| match usize::try_from(rank) {
        Ok(rank) => Some(rank),
        Err(_) => len.checked_sub(usize::try_from(rank.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let start = from_start(start).unwrap_or(0).min(len);
    let end = from_start(end).map_or(0, |end| end.saturating_add(1)).min(len);
    start..end.max(start)
}
