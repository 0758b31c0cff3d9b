//! Hashes: fields set, read and removed.

use super::context::Context;
use super::effects::Events;
use super::error::{self, Failure};
use super::lists::as_sent;
use super::sets::write_text;
use crate::data::Kind;
use crate::data::hash::Hash;
use crate::data::listpack::Item;
use crate::resp::Args;

/// `HSET key field value [field value ...]`
pub fn hset(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let new = set(ctx, args, "hset")?;
    ctx.reply.count(new);
    Ok(())
}

/// `HMSET key field value [field value ...]`: the old form of HSET.
pub fn hmset(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    set(ctx, args, "hmset")?;
    ctx.reply.ok();
    Ok(())
}

/// Sets fields; gives how many are new.
fn set(ctx: &mut Context<'_>, args: Args<'_>, name: &str) -> Result<usize, Failure> {
    if !args.len().is_multiple_of(2) {
        return Err(error::wrong_arity(name));
    }
    let (key, limits) = (args.get(1), &ctx.settings.limits);
    let edited = ctx.edit_or_new(key, |hash: &mut Hash, _| {
        hash.expect((2..args.len()).map(|at| args.get(at)), limits);
        let fields = (2..args.len()).step_by(2);
        let new = fields.filter(|&at| hash.set(args.get(at), args.get(at + 1), limits)).count();
        (new, true)
    })?;
    ctx.notify(Events::HASH, "hset", key);
    as_sent(ctx, (args.len() - 2) / 2);
    Ok(edited.result)
}

/// `HSETNX key field value`
pub fn hsetnx(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (key, field, value, limits) = (args.get(1), args.get(2), args.get(3), &ctx.settings.limits);
    let edited = ctx.edit_or_new(key, |hash: &mut Hash, _| {
        let new = hash.get(field).is_none() && hash.set(field, value, limits);
        (new, new)
    })?;
    if edited.result {
        ctx.notify(Events::HASH, "hset", key);
        ctx.effects.as_sent(ctx.db);
    }
    ctx.reply.int(i64::from(edited.result));
    Ok(())
}

/// `HDEL key field [field ...]`
pub fn hdel(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let key = args.get(1);
    let edited = ctx.edit(key, |hash: &mut Hash, _| {
        let removed = args.iter_from(2).filter(|field| hash.remove(field)).count();
        (removed, removed > 0)
    })?;
    let (removed, emptied) = edited.map_or((0, false), |edited| (edited.result, edited.emptied));
    if removed > 0 {
        ctx.notify(Events::HASH, "hdel", key);
        if emptied {
            ctx.notify(Events::GENERIC, "del", key);
        }
        as_sent(ctx, removed);
    }
    ctx.reply.count(removed);
    Ok(())
}

/// `HGET key field`
pub fn hget(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.view(args.get(1), |found: Option<&Hash>, reply| match found.and_then(|hash| hash.get(args.get(2))) {
        Some(value) => write_text(reply, value),
        None => reply.null(),
    })
}

/// `HMGET key field [field ...]`
pub fn hmget(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.view(args.get(1), |found: Option<&Hash>, reply| {
        reply.array(args.len() - 2);
        for field in args.iter_from(2) {
            match found.and_then(|hash| hash.get(field)) {
                Some(value) => write_text(reply, value),
                None => reply.null(),
            }
        }
    })
}

/// `HGETALL key`
pub fn hgetall(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.view(args.get(1), |found: Option<&Hash>, reply| {
        reply.map(found.map_or(0, Hash::len));
        if let Some(hash) = found {
            hash.for_each(|field, value| {
                write_text(reply, field);
                write_text(reply, value);
            });
        }
    })
}

/// `HKEYS key`
pub fn hkeys(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    half(ctx, args, |field, _| field)
}

/// `HVALS key`
pub fn hvals(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    half(ctx, args, |_, value| value)
}

/// One text of each pair.
fn half(
    ctx: &mut Context<'_>,
    args: Args<'_>,
    which: impl for<'a> Fn(Item<'a>, Item<'a>) -> Item<'a>,
) -> Result<(), Failure> {
    ctx.view(args.get(1), |found: Option<&Hash>, reply| {
        reply.array(found.map_or(0, Hash::len));
        if let Some(hash) = found {
            hash.for_each(|field, value| write_text(reply, which(field, value)));
        }
    })
}

/// `HLEN key`
pub fn hlen(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.view(args.get(1), |found: Option<&Hash>, reply| reply.count(found.map_or(0, Hash::len)))
}

/// `HEXISTS key field`
pub fn hexists(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.view(args.get(1), |found: Option<&Hash>, reply| {
        reply.int(i64::from(found.is_some_and(|hash| hash.get(args.get(2)).is_some())));
    })
}

/// `HSTRLEN key field`
pub fn hstrlen(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.view(args.get(1), |found: Option<&Hash>, reply| {
        let value = found.and_then(|hash| hash.get(args.get(2)));
        reply.count(value.map_or(0, Item::text_len));
    })
}
