//! Sets: members added, removed, moved and asked for.

use super::context::Context;
use super::effects::Events;
use super::error::Failure;
use super::lists::as_sent;
use crate::data::Kind;
use crate::data::listpack::Item;
use crate::data::set::Set;
use crate::resp::{Args, Reply};

/// `SADD key member [member ...]`
pub fn sadd(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (key, limits) = (args.get(1), &ctx.settings.limits);
    let edited = ctx.edit_or_new(key, |set: &mut Set, reply| {
        set.expect(args.get(2), args.len() - 2, limits);
        let added = args.iter_from(2).filter(|member| set.add(member, limits)).count();
        reply.count(added);
        (added, added > 0)
    })?;
    if edited.result > 0 {
        ctx.notify(Events::SET, "sadd", key);
        as_sent(ctx, edited.result);
    }
    Ok(())
}

/// `SREM key member [member ...]`
pub fn srem(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let key = args.get(1);
    let edited = ctx.edit(key, |set: &mut Set, _| {
        let removed = args.iter_from(2).filter(|member| set.remove(member)).count();
        (removed, removed > 0)
    })?;
    let (removed, emptied) = edited.map_or((0, false), |edited| (edited.result, edited.emptied));
    if removed > 0 {
        lessened(ctx, "srem", key, emptied);
        as_sent(ctx, removed);
    }
    ctx.reply.count(removed);
    Ok(())
}

/// `SMOVE source destination member`
pub fn smove(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (from, to, member) = (args.get(1), args.get(2), args.get(3));
    // Whether the destination is a set matters only if there is a source.
    let destination = ctx.look::<Set, _>(to, |_, _| ());
    let held = ctx.look(from, |found: Option<&Set>, _| found.map(|set| set.contains(member)))?;
    let Some(held) = held else {
        ctx.reply.int(0);
        return Ok(());
    };
    destination?;
    if held && from != to {
        let emptied = ctx.edit(from, |set: &mut Set, _| (set.remove(member), true))?;
        lessened(ctx, "srem", from, emptied.is_some_and(|edited| edited.emptied));
        let limits = &ctx.settings.limits;
        let added = ctx.edit_or_new(to, |set: &mut Set, _| {
            set.expect(member, 1, limits);
            let added = set.add(member, limits);
            (added, added)
        })?;
        if added.result {
            ctx.notify(Events::SET, "sadd", to);
        }
        as_sent(ctx, 1 + usize::from(added.result));
    }
    ctx.reply.int(i64::from(held));
    Ok(())
}

/// `SISMEMBER key member`
pub fn sismember(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.view(args.get(1), |found: Option<&Set>, reply| {
        reply.int(i64::from(found.is_some_and(|set| set.contains(args.get(2)))));
    })
}

/// `SMISMEMBER key member [member ...]`
pub fn smismember(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.view(args.get(1), |found: Option<&Set>, reply| {
        reply.array(args.len() - 2);
        for member in args.iter_from(2) {
            reply.int(i64::from(found.is_some_and(|set| set.contains(member))));
        }
    })
}

/// `SCARD key`
pub fn scard(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.view(args.get(1), |found: Option<&Set>, reply| reply.count(found.map_or(0, Set::len)))
}

/// `SMEMBERS key`
pub fn smembers(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.view(args.get(1), |found: Option<&Set>, reply| match found {
        Some(set) => write_set(reply, set),
        None => reply.set(0),
    })
}

/// A set as a reply.
pub(super) fn write_set(reply: &mut Reply, set: &Set) {
    reply.set(set.len());
    set.for_each(|member| write_text(reply, member));
}

/// A member, a field or a value as a bulk string.
#[inline]
pub(super) fn write_text(reply: &mut Reply, item: Item<'_>) {
    match item {
        Item::Str(text) => reply.bulk(text),
        Item::Int(number) => reply.bulk_int(number),
    }
}

/// Members left a set, and the key with the last of them.
pub(super) fn lessened(ctx: &mut Context<'_>, event: &'static str, key: &[u8], emptied: bool) {
    ctx.notify(Events::SET, event, key);
    if emptied {
        ctx.notify(Events::GENERIC, "del", key);
    }
}
