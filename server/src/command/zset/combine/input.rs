//! The sets that are taken together.

use super::request::Wanted;
use crate::command::context::Found;
use crate::data::collection::{Collection, Kind};
use crate::data::{set::Set, zset::Zset};
use crate::keyspace::Keyspace;
use crate::resp::Args;

/// Members of a set that are looked at between two looks at whether there are enough.
const STRIDE: usize = 64;

/// One input.
#[derive(Debug, Clone, Copy)]
pub(super) enum Input<'a> {
    Nothing,
    Zset(&'a Zset),
    Set(&'a Set),
}

/// The inputs.
pub(super) fn inputs<'a>(
    keyspace: &'a Keyspace,
    db: usize,
    args: Args<'_>,
    wanted: &Wanted,
) -> Vec<(Input<'a>, f64)> {
    let found = |at: usize| keyspace.get(db, args.get(at)).and_then(Found::collection);
    let input = |at: Option<usize>| match at.and_then(found) {
        Some(Collection::Zset(zset)) => Input::Zset(zset),
        Some(Collection::Set(set)) => Input::Set(set),
        _ => Input::Nothing,
    };
    wanted.keys.iter().map(|&(at, weight)| (input(at), weight)).collect()
}

impl Input<'_> {
    pub(super) fn score(&self, member: &[u8]) -> Option<f64> {
        match self {
            Self::Nothing => None,
            Self::Zset(zset) => zset.score(member),
            Self::Set(set) => set.contains(member).then_some(1.0),
        }
    }

    /// Shows every member, as long as `each` wants more.
    pub(super) fn each(&self, mut each: impl FnMut(&[u8], f64) -> bool) {
        match self {
            Self::Nothing => {}
            Self::Zset(zset) => {
                zset.iter().all(|(member, score)| member.with_text(|text| each(text, score)));
            }
            Self::Set(set) => {
                let (mut at, mut more) = (0, true);
                while more && at < set.len() {
                    at = set.walk(at, STRIDE, |member| {
                        more = more && member.with_text(|text| each(text, 1.0));
                    });
                }
            }
        }
    }
}
