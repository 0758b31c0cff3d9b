//! Lists, searched: LPOS.

use std::ops::ControlFlow;

use super::args::{Options, is, positive};
use super::context::Context;
use super::error::{self, Failure};
use super::lists::countable;
use crate::data::Kind;
use crate::data::list::List;
use crate::data::listpack::Wanted;
use crate::resp::Args;

const RANK_ZERO: Failure = Failure::fixed(
    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from \
     the end of the list",
);

/// The options of LPOS.
struct Search {
    /// The match to begin with, from 1 on.
    rank: u64,
    /// From the tail to the head.
    back: bool,
    /// How many matches as an array, 0 for all; without COUNT one that is no array.
    count: Option<usize>,
    /// How many elements are looked at, 0 for all.
    most: usize,
}

impl Search {
    fn read(args: Args<'_>) -> Result<Self, Failure> {
        let mut search = Self { rank: 1, back: false, count: None, most: 0 };
        let mut options = Options::from(args, 3);
        while let Some(word) = options.next() {
            if is(word, "RANK") {
                let rank = countable(options.value()?)?;
                if rank == 0 {
                    return Err(RANK_ZERO);
                }
                (search.rank, search.back) = (rank.unsigned_abs(), rank < 0);
            } else if is(word, "COUNT") {
                search.count =
                    Some(positive(options.value()?, Failure::fixed("ERR COUNT can't be negative"))?);
            } else if is(word, "MAXLEN") {
                search.most = positive(options.value()?, Failure::fixed("ERR MAXLEN can't be negative"))?;
            } else {
                return Err(error::SYNTAX);
            }
        }
        Ok(search)
    }

    /// The indices of the matches asked for, in the order in which they were met.
    fn run(&self, list: &List, text: &[u8]) -> Vec<usize> {
        let (wanted, len) = (Wanted::new(text), list.len());
        let enough = match self.count {
            None => 1,
            Some(0) => usize::MAX,
            Some(count) => count,
        };
        let (mut looked, mut matches, mut found) = (0, 0, Vec::new());
        let from = if self.back { len.saturating_sub(1) } else { 0 };
        list.walk(from, self.back, |item| {
            if wanted.is(item) {
                matches += 1;
                if matches >= self.rank {
                    found.push(if self.back { len - 1 - looked } else { looked });
                }
            }
            looked += 1;
            if found.len() == enough || looked == self.most {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        found
    }
}

/// `LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]`
pub fn lpos(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let search = Search::read(args)?;
    ctx.view(args.get(1), |list: Option<&List>, reply| {
        let found = list.map(|list| search.run(list, args.get(2))).unwrap_or_default();
        if search.count.is_some() {
            reply.array(found.len());
            found.iter().for_each(|&index| reply.count(index));
        } else if let [index] = found[..] {
            reply.count(index);
        } else {
            reply.null();
        }
    })
}
