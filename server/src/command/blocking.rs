//! Commands that take elements out of lists and sorted sets, and wait for some if there are none. Replicas see what was done, as
//! if nobody had waited: LPOP, LMOVE, ZPOPMIN.

use super::args::integer;
use super::context::Context;
use super::error::Failure;
use super::waiting::{Waiting, timeout_seconds};
use super::zset::pop::{self, End, Shape};
use super::{list_moves, lists};
use crate::data::list::{List, Side};
use crate::data::zset::Zset;
use crate::resp::Args;

/// `BLPOP key [key ...] timeout`
pub fn blpop(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    pop_element(ctx, args, Side::Left)
}

/// `BRPOP key [key ...] timeout`
pub fn brpop(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    pop_element(ctx, args, Side::Right)
}

fn pop_element(ctx: &mut Context<'_>, args: Args<'_>, side: Side) -> Result<(), Failure> {
    let last = args.len().saturating_sub(1);
    let timeout_ms = timeout_seconds(args.get(last), ctx.now_ms)?;
    for at in 1..last {
        let key = args.get(at);
        let popped = lists::pop_one(ctx, key, side, |reply, item| {
            reply.array(2);
            reply.bulk(key);
            lists::write_item(reply, item);
        })?;
        if popped {
            let verb: &[u8] = if side == Side::Left { b"LPOP" } else { b"RPOP" };
            ctx.effects.instead(ctx.db, &[verb, key]);
            return Ok(());
        }
    }
    ctx.reply.null_array();
    ctx.block(Waiting::on::<List>((1..last).map(|at| args.get(at)), timeout_ms));
    Ok(())
}

/// `BLMOVE source destination LEFT|RIGHT LEFT|RIGHT timeout`
pub fn blmove(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (out, into) = (list_moves::side(args.get(3))?, list_moves::side(args.get(4))?);
    let timeout_ms = timeout_seconds(args.get(5), ctx.now_ms)?;
    let (from, to) = (args.get(1), args.get(2));
    if list_moves::move_one(ctx, from, to, out, into)? {
        ctx.effects.instead(ctx.db, &[b"LMOVE", from, to, args.get(3), args.get(4)]);
    } else {
        wait_for_source(ctx, from, timeout_ms);
    }
    Ok(())
}

/// `BRPOPLPUSH source destination timeout`
pub fn brpoplpush(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let timeout_ms = timeout_seconds(args.get(3), ctx.now_ms)?;
    let (from, to) = (args.get(1), args.get(2));
    if list_moves::move_one(ctx, from, to, Side::Right, Side::Left)? {
        ctx.effects.instead(ctx.db, &[b"RPOPLPUSH", from, to]);
    } else {
        wait_for_source(ctx, from, timeout_ms);
    }
    Ok(())
}

fn wait_for_source(ctx: &mut Context<'_>, from: &[u8], timeout_ms: Option<u64>) {
    // Who may not wait gets a null; who waited in vain, an array that is null. Redis has it so.
    ctx.reply.null();
    ctx.block(Waiting::on::<List>([from], timeout_ms));
}

/// `BLMPOP timeout numkeys key [key ...] LEFT|RIGHT [COUNT count]`
pub fn blmpop(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let timeout_ms = timeout_seconds(args.get(1), ctx.now_ms)?;
    let list_moves::Request { keys, side, count } = list_moves::Request::read(args, 2)?;
    if !list_moves::pop_first(ctx, args, keys.clone(), side, count)? {
        ctx.reply.null_array();
        ctx.block(Waiting::on::<List>(keys.map(|at| args.get(at)), timeout_ms));
    }
    Ok(())
}

/// `BZPOPMIN key [key ...] timeout`
pub fn bzpopmin(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    pop_member(ctx, args, End::Min)
}

/// `BZPOPMAX key [key ...] timeout`
pub fn bzpopmax(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    pop_member(ctx, args, End::Max)
}

fn pop_member(ctx: &mut Context<'_>, args: Args<'_>, end: End) -> Result<(), Failure> {
    let last = args.len().saturating_sub(1);
    let timeout_ms = timeout_seconds(args.get(last), ctx.now_ms)?;
    for at in 1..last {
        let key = args.get(at);
        if pop::pop(ctx, key, end, 1, Shape::KeyFlat)? > 0 {
            let verb: &[u8] = if end == End::Min { b"ZPOPMIN" } else { b"ZPOPMAX" };
            ctx.effects.instead(ctx.db, &[verb, key]);
            return Ok(());
        }
    }
    ctx.reply.null_array();
    ctx.block(Waiting::on::<Zset>((1..last).map(|at| args.get(at)), timeout_ms));
    Ok(())
}

/// `BZMPOP timeout numkeys key [key ...] MIN|MAX [COUNT count]`
pub fn bzmpop(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let timeout_ms = timeout_seconds(args.get(1), ctx.now_ms)?;
    let pop::Request { keys, end, count } = pop::Request::read(args, 2)?;
    if !pop::pop_first(ctx, args, keys.clone(), end, count)? {
        ctx.reply.null_array();
        ctx.block(Waiting::on::<Zset>(keys.map(|at| args.get(at)), timeout_ms));
    }
    Ok(())
}

/// `WAITAOF numlocal numreplicas timeout`: refused, as there is no append-only file to wait for.
pub fn waitaof(_: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let local = integer(args.get(1))?;
    if local > 0 {
        return Err(Failure::fixed(
            "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.",
        ));
    }
    Err(Failure::fixed("ERR WAITAOF is not supported by this server yet: it keeps no append-only file"))
}
