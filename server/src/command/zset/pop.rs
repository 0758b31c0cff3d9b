//! The lowest and the highest members, taken out: ZPOPMIN, ZPOPMAX, ZMPOP, and what their waiting forms share with them.

use std::ops::Range;

use crate::command::args::{first_of, is, positive};
use crate::command::context::Context;
use crate::command::effects::Events;
use crate::command::error::{self, Failure};
use crate::command::sets::write_text;
use crate::data::{Kind, zset::Zset};
use crate::resp::Args;

/// Which end of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The lowest scores.
    Min,
    /// The highest scores.
    Max,
}

/// How what was taken out is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `member score member score`: ZPOPMIN in RESP2, and without a count.
    Flat,
    /// `[member score] [member score]`: ZPOPMIN with a count in RESP3.
    Pairs,
    /// `key member score`: BZPOPMIN.
    KeyFlat,
    /// `key [[member score] [member score]]`: ZMPOP, BZMPOP.
    KeyPairs,
}

/// `ZPOPMIN key [count]`
pub fn zpopmin(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    plain(ctx, args, End::Min)
}

/// `ZPOPMAX key [count]`
pub fn zpopmax(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    plain(ctx, args, End::Max)
}

fn plain(ctx: &mut Context<'_>, args: Args<'_>, end: End) -> Result<(), Failure> {
    if args.len() > 3 {
        return Err(error::SYNTAX);
    }
    let count = match args.len() {
        3 => Some(positive(args.get(2), error::NOT_POSITIVE)?),
        _ => None,
    };
    let shape = if ctx.reply.resp3() && count.is_some() { Shape::Pairs } else { Shape::Flat };
    match pop(ctx, args.get(1), end, count.unwrap_or(1), shape)? {
        0 => ctx.reply.array(0),
        popped => {
            ctx.effects.as_sent(ctx.db);
            ctx.effects.changed(u64::try_from(popped - 1).unwrap_or(u64::MAX));
        }
    }
    Ok(())
}

/// Takes up to `count` members out at one end and writes them, the outermost first; gives how many. When that is none, because
/// there is no such key or `count` is 0, nothing is written. Events are told; what replicas see is left to the caller.
///
/// # Errors
/// The key holds something else.
pub fn pop(
    ctx: &mut Context<'_>,
    key: &[u8],
    end: End,
    count: usize,
    shape: Shape,
) -> Result<usize, Failure> {
    let edited = ctx.edit(key, |zset: &mut Zset, reply| {
        let count = count.min(zset.len());
        if count == 0 {
            return (0, false);
        }
        let nested = matches!(shape, Shape::Pairs | Shape::KeyPairs);
        match shape {
            Shape::Flat => reply.array(count.saturating_mul(2)),
            Shape::Pairs => reply.array(count),
            Shape::KeyFlat => {
                reply.array(count.saturating_mul(2).saturating_add(1));
                reply.bulk(key);
            }
            Shape::KeyPairs => {
                reply.array(2);
                reply.bulk(key);
                reply.array(count);
            }
        }
        let ranks = match end {
            End::Min => 0..count,
            End::Max => zset.len() - count..zset.len(),
        };
        for (member, score) in zset.walk(ranks.clone(), end == End::Max) {
            if nested {
                reply.array(2);
            }
            write_text(reply, member);
            reply.double(score);
        }
        zset.remove_ranks(ranks);
        (count, true)
    })?;
    let Some(edited) = edited else { return Ok(0) };
    if edited.result > 0 {
        ctx.notify(Events::ZSET, if end == End::Min { "zpopmin" } else { "zpopmax" }, key);
        if edited.emptied {
            ctx.notify(Events::GENERIC, "del", key);
        }
    }
    Ok(edited.result)
}

/// `ZMPOP numkeys key [key ...] MIN|MAX [COUNT count]`
pub fn zmpop(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let Request { keys, end, count } = Request::read(args, 1)?;
    if !pop_first(ctx, args, keys, end, count)? {
        ctx.reply.null_array();
    }
    Ok(())
}

/// Takes members out of the first of these keys that is there, as ZMPOP does; false, and nothing written, if there is none.
/// Replicas see a ZPOPMIN or ZPOPMAX of as many members as there were.
///
/// # Errors
/// A key before it holds something else.
pub fn pop_first(
    ctx: &mut Context<'_>,
    args: Args<'_>,
    keys: Range<usize>,
    end: End,
    count: usize,
) -> Result<bool, Failure> {
    for at in keys {
        let key = args.get(at);
        let popped = pop(ctx, key, end, count, Shape::KeyPairs)?;
        if let Some(further) = popped.checked_sub(1) {
            let verb: &[u8] = if end == End::Min { b"ZPOPMIN" } else { b"ZPOPMAX" };
            ctx.effects.instead(ctx.db, &[verb, key, itoa::Buffer::new().format(popped).as_bytes()]);
            ctx.effects.changed(u64::try_from(further).unwrap_or(u64::MAX));
            return Ok(true);
        }
    }
    Ok(false)
}

/// What ZMPOP and BZMPOP ask for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The positions of the keys among the arguments.
    pub keys: Range<usize>,
    /// Where members are taken out.
    pub end: End,
    /// How many, at least one.
    pub count: usize,
}

impl Request {
    /// Reads `numkeys key [key ...] MIN|MAX [COUNT count]`, the number of keys being argument `number`.
    ///
    /// # Errors
    /// What ZMPOP says to it.
    pub fn read(args: Args<'_>, number: usize) -> Result<Self, Failure> {
        let (keys, end, count) = first_of(args, number, |word| match word {
            word if is(word, "MIN") => Ok(End::Min),
            word if is(word, "MAX") => Ok(End::Max),
            _ => Err(error::SYNTAX),
        })?;
        Ok(Self { keys, end, count })
    }
}
