//! Lists, from one to another; and the first of several that has elements.

use std::ops::Range;

use super::args::{first_of, is};
use super::context::Context;
use super::effects::Events;
use super::error::{self, Failure};
use super::lists::{fill, pop_many, push_event, shortened};
use crate::data::list::{List, Side};
use crate::resp::Args;

/// `LMOVE source destination LEFT|RIGHT LEFT|RIGHT`
pub fn lmove(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (out, into) = (side(args.get(3))?, side(args.get(4))?);
    transfer(ctx, args, out, into)
}

/// `RPOPLPUSH source destination`
pub fn rpoplpush(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    transfer(ctx, args, Side::Right, Side::Left)
}

fn transfer(ctx: &mut Context<'_>, args: Args<'_>, out: Side, into: Side) -> Result<(), Failure> {
    if move_one(ctx, args.get(1), args.get(2), out, into)? {
        ctx.effects.as_sent(ctx.db);
    } else {
        ctx.reply.null();
    }
    Ok(())
}

/// Takes an element out at the `out` end of `from`, puts it in at the `into` end of `to`, which may be the same list, and writes
/// it. False, and nothing written, if there is no list to take from. What replicas see is left to the caller.
///
/// # Errors
/// One of the keys holds something else; nothing was moved.
pub fn move_one(
    ctx: &mut Context<'_>,
    from: &[u8],
    to: &[u8],
    out: Side,
    into: Side,
) -> Result<bool, Failure> {
    if !ctx.look(from, |found: Option<&List>, _| found.is_some())? {
        return Ok(false);
    }
    ctx.look(to, |_: Option<&List>, _| ())?;
    let fill = fill(ctx);
    let mut text = Vec::new();
    let emptied = if from == to {
        ctx.edit(from, |list: &mut List, _| {
            text = list.rotate(out, into, fill).unwrap_or_default();
            ((), true)
        })?;
        false
    } else {
        let edited = ctx.edit(from, |list: &mut List, _| {
            list.pop(out, fill, |item| item.write_to(&mut text));
            ((), true)
        })?;
        ctx.edit_or_new(to, |list: &mut List, _| {
            list.push(into, std::iter::once(&text[..]), fill);
            ((), true)
        })?;
        edited.is_some_and(|edited| edited.emptied)
    };
    ctx.notify(Events::LIST, push_event(into), to);
    shortened(ctx, if out == Side::Left { "lpop" } else { "rpop" }, from, emptied);
    ctx.reply.bulk(&text);
    Ok(true)
}

/// `LMPOP numkeys key [key ...] LEFT|RIGHT [COUNT count]`
pub fn lmpop(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let Request { keys, side, count } = Request::read(args, 1)?;
    if !pop_first(ctx, args, keys, side, count)? {
        ctx.reply.null_array();
    }
    Ok(())
}

/// Pops from the first of these keys that is a list, as LMPOP does; false, and nothing written, if there is none. Replicas see
/// an LPOP or RPOP of as many elements as there were.
///
/// # Errors
/// A key before it holds something else.
pub fn pop_first(
    ctx: &mut Context<'_>,
    args: Args<'_>,
    keys: Range<usize>,
    side: Side,
    count: usize,
) -> Result<bool, Failure> {
    for at in keys {
        let key = args.get(at);
        let popped = pop_many(ctx, key, side, count, |reply| {
            reply.array(2);
            reply.bulk(key);
        })?;
        if let Some(further) = popped.checked_sub(1) {
            let verb: &[u8] = if side == Side::Left { b"LPOP" } else { b"RPOP" };
            ctx.effects.instead(ctx.db, &[verb, key, itoa::Buffer::new().format(popped).as_bytes()]);
            ctx.effects.changed(u64::try_from(further).unwrap_or(u64::MAX));
            return Ok(true);
        }
    }
    Ok(false)
}

/// What LMPOP and BLMPOP ask for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The positions of the keys among the arguments.
    pub keys: Range<usize>,
    /// Where elements are taken out.
    pub side: Side,
    /// How many, at least one.
    pub count: usize,
}

impl Request {
    /// Reads `numkeys key [key ...] LEFT|RIGHT [COUNT count]`, the number of keys being argument `number`.
    ///
    /// # Errors
    /// What LMPOP says to it.
    pub fn read(args: Args<'_>, number: usize) -> Result<Self, Failure> {
        let (keys, side, count) = first_of(args, number, side)?;
        Ok(Self { keys, side, count })
    }
}

/// The end of a list that a word names.
///
/// # Errors
/// It names none.
pub fn side(word: &[u8]) -> Result<Side, Failure> {
    if is(word, "LEFT") {
        Ok(Side::Left)
    } else if is(word, "RIGHT") {
        Ok(Side::Right)
    } else {
        Err(error::SYNTAX)
    }
}
