//! Lists: what is put in at one end and taken out at another, and what is read.
//!
//! [`pop_one`] and [`pop_many`] are the core of every command that takes elements out, waiting or not: they change the list, tell
//! of the event, and leave it to the caller what replicas see.

use std::ops::{ControlFlow, Range};

use super::args::{integer, positive};
use super::context::Context;
use super::effects::Events;
use super::error::{self, Failure};
use crate::data::Kind;
use crate::data::list::{Fill, List, Side};
use crate::data::listpack::Item;
use crate::resp::{Args, Reply};

/// `LPUSH key element [element ...]`
pub fn lpush(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    push(ctx, args, Side::Left)
}

/// `RPUSH key element [element ...]`
pub fn rpush(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    push(ctx, args, Side::Right)
}

/// `LPUSHX key element [element ...]`
pub fn lpushx(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    push_if_there(ctx, args, Side::Left)
}

/// `RPUSHX key element [element ...]`
pub fn rpushx(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    push_if_there(ctx, args, Side::Right)
}

fn push(ctx: &mut Context<'_>, args: Args<'_>, side: Side) -> Result<(), Failure> {
    let fill = fill(ctx);
    ctx.edit_or_new(args.get(1), |list: &mut List, reply| {
        list.push(side, args.iter_from(2), fill);
        reply.count(list.len());
        ((), true)
    })?;
    pushed(ctx, args, side);
    Ok(())
}

fn push_if_there(ctx: &mut Context<'_>, args: Args<'_>, side: Side) -> Result<(), Failure> {
    let fill = fill(ctx);
    let edited = ctx.edit(args.get(1), |list: &mut List, reply| {
        list.push(side, args.iter_from(2), fill);
        reply.count(list.len());
        ((), true)
    })?;
    match edited {
        Some(_) => pushed(ctx, args, side),
        None => ctx.reply.int(0),
    }
    Ok(())
}

/// All elements behind the key of this request were pushed.
fn pushed(ctx: &mut Context<'_>, args: Args<'_>, side: Side) {
    ctx.notify(Events::LIST, push_event(side), args.get(1));
    as_sent(ctx, args.len() - 2);
}

/// `LPOP key [count]`
pub fn lpop(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    pop(ctx, args, Side::Left, "lpop")
}

/// `RPOP key [count]`
pub fn rpop(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    pop(ctx, args, Side::Right, "rpop")
}

fn pop(ctx: &mut Context<'_>, args: Args<'_>, side: Side, name: &str) -> Result<(), Failure> {
    let key = args.get(1);
    let popped = match args.len() {
        2 => {
            let popped = pop_one(ctx, key, side, write_item)?;
            if !popped {
                ctx.reply.null();
            }
            usize::from(popped)
        }
        3 => {
            let count = positive(args.get(2), error::NOT_POSITIVE)?;
            if count == 0 {
                // Nothing is taken, but a key of another type is still refused.
                return ctx.look::<List, _>(key, |found, reply| match found {
                    Some(_) => reply.array(0),
                    None => reply.null_array(),
                });
            }
            let popped = pop_many(ctx, key, side, count, |_| ())?;
            if popped == 0 {
                ctx.reply.null_array();
            }
            popped
        }
        _ => return Err(error::wrong_arity(name)),
    };
    as_sent(ctx, popped);
    Ok(())
}

/// Takes an element out at one end of a list, after `show` wrote it; false if there is no such key.
///
/// # Errors
/// The key holds something else.
pub fn pop_one(
    ctx: &mut Context<'_>,
    key: &[u8],
    side: Side,
    show: impl FnOnce(&mut Reply, Item<'_>),
) -> Result<bool, Failure> {
    let fill = fill(ctx);
    let edited = ctx.edit(key, |list: &mut List, reply| {
        let popped = list.pop(side, fill, |item| show(reply, item));
        ((), popped.is_some())
    })?;
    let Some(edited) = edited else { return Ok(false) };
    shortened(ctx, pop_event(side), key, edited.emptied);
    Ok(true)
}

/// Takes up to `count` elements (at least one) out at one end of a list and writes them as an array, in the order in which they
/// left, after `begin` wrote what stands before it; gives how many, 0 if there is no such key and nothing was written.
///
/// # Errors
/// The key holds something else.
pub fn pop_many(
    ctx: &mut Context<'_>,
    key: &[u8],
    side: Side,
    count: usize,
    begin: impl FnOnce(&mut Reply),
) -> Result<usize, Failure> {
    let fill = fill(ctx);
    let edited = ctx.edit(key, |list: &mut List, reply| {
        let len = list.len();
        let count = count.min(len);
        begin(reply);
        write_run(reply, list, if side == Side::Left { 0 } else { len - 1 }, count, side == Side::Right);
        list.remove(if side == Side::Left { 0..count } else { len - count..len }, fill);
        (count, true)
    })?;
    let Some(edited) = edited else { return Ok(0) };
    shortened(ctx, pop_event(side), key, edited.emptied);
    Ok(edited.result)
}

/// `LLEN key`
pub fn llen(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.view(args.get(1), |found: Option<&List>, reply| reply.count(found.map_or(0, Kind::len)))
}

/// `LRANGE key start stop`; negative positions count from the end, and the end is part of the range.
pub fn lrange(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (start, stop) = (integer(args.get(2))?, integer(args.get(3))?);
    ctx.view(args.get(1), |found: Option<&List>, reply| match found {
        Some(list) => {
            let range = span(start, stop, list.len());
            write_run(reply, list, range.start, range.len(), false);
        }
        None => reply.array(0),
    })
}

/// `LINDEX key index`
pub fn lindex(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.view(args.get(1), |found: Option<&List>, reply| {
        // The number is looked at only for a list that exists.
        let Some(list) = found else {
            reply.null();
            return Ok(());
        };
        match list.get(integer(args.get(2))?) {
            Some(item) => write_item(reply, item),
            None => reply.null(),
        }
        Ok(())
    })?
}

/// The nodes' size that is configured.
pub(super) fn fill(ctx: &Context<'_>) -> Fill {
    Fill::of(ctx.settings.limits.list_node).plain_from(ctx.settings.limits.list_plain)
}

/// The request is the effect, if it changed something: this many elements.
pub(super) fn as_sent(ctx: &mut Context<'_>, changes: usize) {
    if let Some(further) = changes.checked_sub(1) {
        ctx.effects.as_sent(ctx.db);
        ctx.effects.changed(u64::try_from(further).unwrap_or(u64::MAX));
    }
}

/// Elements left a list, and the key with the last of them.
pub(super) fn shortened(ctx: &mut Context<'_>, event: &'static str, key: &[u8], emptied: bool) {
    ctx.notify(Events::LIST, event, key);
    if emptied {
        ctx.notify(Events::GENERIC, "del", key);
    }
}

/// The event of a push.
pub(super) fn push_event(side: Side) -> &'static str {
    if side == Side::Left { "lpush" } else { "rpush" }
}

fn pop_event(side: Side) -> &'static str {
    if side == Side::Left { "lpop" } else { "rpop" }
}

/// An element as a bulk string.
#[inline]
pub(super) fn write_item(reply: &mut Reply, item: Item<'_>) {
    match item {
        Item::Int(number) => reply.bulk_int(number),
        Item::Str(text) => reply.bulk(text),
    }
}

/// An array of `count` elements from the one at `from` on, towards the head if `back`.
fn write_run(reply: &mut Reply, list: &List, from: usize, count: usize, back: bool) {
    reply.array(count);
    let mut left = count;
    if count > 0 {
        list.walk(from, back, |item| {
            write_item(reply, item);
            left -= 1;
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    }
}

/// The elements from `start` to `stop`, both included; negative ones count from the end.
pub(super) fn span(start: i64, stop: i64, len: usize) -> Range<usize> {
    let place = |at: i64| match usize::try_from(at.unsigned_abs()) {
        Ok(distance) if at < 0 => len.checked_sub(distance),
        Ok(distance) => Some(distance),
        Err(_) if at < 0 => None,
        Err(_) => Some(usize::MAX),
    };
    let start = place(start).unwrap_or(0);
    let end = place(stop).map_or(0, |stop| stop.saturating_add(1).min(len));
    if start < end { start..end } else { 0..0 }
}

/// A number whose negative is one too.
///
/// # Errors
/// It is no integer, or the least of all.
pub(super) fn countable(word: &[u8]) -> Result<i64, Failure> {
    match integer(word)? {
        i64::MIN => Err(Failure::fixed(
            "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
        )),
        number => Ok(number),
    }
}
