//! What ZUNION and its kin are asked for.

use crate::command::args::{integer, is};
use crate::command::context::{Context, Found};
use crate::command::error::{self, Failure};
use crate::data::collection::Collection;
use crate::resp::{Args, double};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    Union,
    Intersection,
    Difference,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Show,
    Store,
    Count,
}

/// What becomes of several scores of one member.
#[derive(Debug, Clone, Copy)]
pub(super) enum Aggregate {
    Sum,
    Min,
    Max,
}

impl Aggregate {
    pub(super) fn read(word: &[u8]) -> Result<Self, Failure> {
        match word {
            word if is(word, "SUM") => Ok(Self::Sum),
            word if is(word, "MIN") => Ok(Self::Min),
            word if is(word, "MAX") => Ok(Self::Max),
            _ => Err(error::SYNTAX),
        }
    }

    pub(super) fn join(self, total: f64, score: f64) -> f64 {
        match self {
            // Two infinities that cancel each other out make zero.
            Self::Sum => weighted(total + score, 1.0),
            Self::Min if score < total => score,
            Self::Max if score > total => score,
            Self::Min | Self::Max => total,
        }
    }
}

/// What was asked for.
pub(super) struct Wanted {
    pub(super) join: Join,
    /// Positions of the keys that are there, and weights; for all but the difference, in the order of their sizes.
    pub(super) keys: Vec<(Option<usize>, f64)>,
    pub(super) aggregate: Aggregate,
    pub(super) scores: bool,
    /// 0 for none.
    pub(super) limit: usize,
}

impl Wanted {
    /// Reads the request, whose number of keys is argument `number`. Keys are looked at before the options are, as Redis does.
    pub(super) fn read(
        ctx: &mut Context<'_>,
        args: Args<'_>,
        name: &str,
        number: usize,
        (join, purpose): (Join, Purpose),
    ) -> Result<Self, Failure> {
        let keys = integer(args.get(number))?;
        let Some(keys) = usize::try_from(keys).ok().filter(|&keys| keys > 0) else {
            return Err(Failure::worded(format!("ERR at least 1 input key is needed for '{name}' command")));
        };
        let first = number + 1;
        if keys > args.len() - first {
            return Err(error::SYNTAX);
        }
        let behind = first + keys;
        let mut sized = Vec::with_capacity(keys);
        for at in first..behind {
            let size = ctx.read(args.get(at), |found, _| match found.map(Found::collection) {
                None => Some((0, None)),
                Some(Some(collection @ (Collection::Zset(_) | Collection::Set(_)))) => {
                    Some((collection.len(), Some(at)))
                }
                Some(_) => None,
            });
            let (size, at) = size.ok_or(error::WRONG_TYPE)?;
            sized.push((size, at, 1.0));
        }
        let mut wanted = Self { join, keys: Vec::new(), aggregate: Aggregate::Sum, scores: false, limit: 0 };
        wanted.read_options(args, behind, purpose, &mut sized)?;
        if join != Join::Difference {
            sized.sort_by_key(|(size, ..)| *size);
        }
        wanted.keys = sized.into_iter().map(|(_, at, weight)| (at, weight)).collect();
        Ok(wanted)
    }

    fn read_options(
        &mut self,
        args: Args<'_>,
        first: usize,
        purpose: Purpose,
        keys: &mut [(usize, Option<usize>, f64)],
    ) -> Result<(), Failure> {
        let weighs = self.join != Join::Difference && purpose != Purpose::Count;
        let mut at = first;
        while at < args.len() {
            let (word, behind) = (args.get(at), args.len() - at - 1);
            at += 1;
            if weighs && behind >= keys.len() && is(word, "WEIGHTS") {
                for key in &mut *keys {
                    key.2 = double::parse(args.get(at))
                        .ok_or(Failure::fixed("ERR weight value is not a float"))?;
                    at += 1;
                }
            } else if weighs && behind >= 1 && is(word, "AGGREGATE") {
                self.aggregate = Aggregate::read(args.get(at))?;
                at += 1;
            } else if purpose == Purpose::Show && is(word, "WITHSCORES") {
                self.scores = true;
            } else if purpose == Purpose::Count && behind >= 1 && is(word, "LIMIT") {
                self.limit = integer(args.get(at))
                    .ok()
                    .and_then(|limit| usize::try_from(limit).ok())
                    .ok_or(Failure::fixed("ERR LIMIT can't be negative"))?;
                at += 1;
            } else {
                return Err(error::SYNTAX);
            }
        }
        Ok(())
    }
}

/// Infinity times zero is zero here.
pub(super) fn weighted(score: f64, weight: f64) -> f64 {
    let product = score * weight;
    if product.is_nan() { 0.0 } else { product }
}
