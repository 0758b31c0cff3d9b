//! Pairs within bounds: ZRANGE and the commands it took the place of, ZRANGESTORE.

use std::ops::Range;

use super::bounds::{Bounds, read_members, read_ranks, read_scores};
use super::store::store;
use super::write_pairs;
use crate::command::args::{Options, integer, is};
use crate::command::context::Context;
use crate::command::error::{self, Failure};
use crate::data::listpack::Item;
use crate::data::zset::Zset;
use crate::resp::Args;

const LIMIT_BY_RANK: Failure =
    Failure::fixed("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
const SCORES_BY_MEMBER: Failure =
    Failure::fixed("ERR syntax error, WITHSCORES not supported in combination with BYLEX");

/// What a range is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Member,
}

/// What the name of a command leaves open: `None` is for the options to say.
#[derive(Debug, Clone, Copy)]
struct Form {
    /// The position of the key that is read.
    key: usize,
    by: Option<By>,
    down: Option<bool>,
}

/// `ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]`
pub fn zrange(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    show(ctx, args, Form { key: 1, by: None, down: None })
}

/// `ZREVRANGE key start stop [WITHSCORES]`
pub fn zrevrange(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    show(ctx, args, Form { key: 1, by: Some(By::Rank), down: Some(true) })
}

/// `ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]`
pub fn zrangebyscore(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    show(ctx, args, Form { key: 1, by: Some(By::Score), down: Some(false) })
}

/// `ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]`
pub fn zrevrangebyscore(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    show(ctx, args, Form { key: 1, by: Some(By::Score), down: Some(true) })
}

/// `ZRANGEBYLEX key min max [LIMIT offset count]`
pub fn zrangebylex(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    show(ctx, args, Form { key: 1, by: Some(By::Member), down: Some(false) })
}

/// `ZREVRANGEBYLEX key max min [LIMIT offset count]`
pub fn zrevrangebylex(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    show(ctx, args, Form { key: 1, by: Some(By::Member), down: Some(true) })
}

fn show(ctx: &mut Context<'_>, args: Args<'_>, form: Form) -> Result<(), Failure> {
    let wanted = Wanted::read(args, form, true)?;
    ctx.view(args.get(form.key), |found: Option<&Zset>, reply| match found {
        Some(zset) => write_pairs(reply, zset.walk(wanted.ranks(zset), wanted.down), wanted.scores),
        None => reply.array(0),
    })
}

/// `ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]`
pub fn zrangestore(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let form = Form { key: 2, by: None, down: None };
    let wanted = Wanted::read(args, form, false)?;
    let limits = ctx.settings.limits;
    let made = ctx.view(args.get(form.key), |found: Option<&Zset>, _| {
        let Some(zset) = found else { return Zset::default() };
        let mut numbers = Vec::new();
        let mut pairs = Vec::new();
        for (member, score) in zset.walk(wanted.ranks(zset), false) {
            match member {
                Item::Str(text) => pairs.push((score, text)),
                Item::Int(number) => numbers.push((score, itoa::Buffer::new().format(number).to_owned())),
            }
        }
        pairs.extend(numbers.iter().map(|(score, text)| (*score, text.as_bytes())));
        Zset::from_pairs(pairs, &limits).unwrap_or_default()
    })?;
    store(ctx, args.get(1), made, "zrangestore");
    Ok(())
}

/// A range as it was asked for, with all options.
struct Wanted<'a> {
    bounds: Bounds<'a>,
    down: bool,
    scores: bool,
    offset: i64,
    /// Negative for all.
    limit: i64,
}

impl<'a> Wanted<'a> {
    fn read(args: Args<'a>, form: Form, may_have_scores: bool) -> Result<Self, Failure> {
        let (mut by, mut down) = (form.by, form.down);
        let (mut scores, mut offset, mut limit) = (false, 0, -1);
        let mut options = Options::from(args, form.key + 3);
        while let Some(word) = options.next() {
            if may_have_scores && is(word, "WITHSCORES") {
                scores = true;
            } else if is(word, "LIMIT") {
                let (skip, count) = (options.value()?, options.value()?);
                (offset, limit) = (integer(skip)?, integer(count)?);
            } else if down.is_none() && is(word, "REV") {
                down = Some(true);
            } else if by.is_none() && is(word, "BYLEX") {
                by = Some(By::Member);
            } else if by.is_none() && is(word, "BYSCORE") {
                by = Some(By::Score);
            } else {
                return Err(error::SYNTAX);
            }
        }
        let (by, down) = (by.unwrap_or(By::Rank), down.unwrap_or(false));
        if limit != -1 && by == By::Rank {
            return Err(LIMIT_BY_RANK);
        }
        if scores && by == By::Member {
            return Err(SCORES_BY_MEMBER);
        }
        let (first, second) = (args.get(form.key + 1), args.get(form.key + 2));
        let (min, max) = if down { (second, first) } else { (first, second) };
        let bounds = match by {
            By::Rank => read_ranks(first, second)?,
            By::Score => read_scores(min, max)?,
            By::Member => read_members(min, max)?,
        };
        Ok(Self { bounds, down, scores, offset, limit })
    }

    /// The ranks of the pairs that are wanted, counted from the lowest.
    fn ranks(&self, zset: &Zset) -> Range<usize> {
        let ranks = self.bounds.ranks(zset);
        if let Bounds::Ranks(..) = self.bounds {
            if !self.down {
                return ranks;
            }
            // Ranks of the other direction.
            let len = crate::data::Kind::len(zset);
            return len - ranks.end..len - ranks.start;
        }
        let Ok(offset) = usize::try_from(self.offset) else { return 0..0 };
        let left = ranks.len().saturating_sub(offset);
        let count = usize::try_from(self.limit).map_or(left, |limit| limit.min(left));
        if self.down {
            let end = ranks.end - (ranks.len() - left);
            end - count..end
        } else {
            let start = ranks.start + (ranks.len() - left);
            start..start + count
        }
    }
}
