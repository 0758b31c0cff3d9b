//! Hashes: numbers counted up in a field.

use super::args::integer;
use super::context::Context;
use super::effects::Events;
use super::error::{self, Failure};
use crate::data::decimal::Decimal;
use crate::data::hash::Hash;
use crate::data::listpack::Item;
use crate::resp::Args;
use crate::resp::number::parse_i64;

/// `HINCRBY key field increment`
pub fn hincrby(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (key, field, limits) = (args.get(1), args.get(2), &ctx.settings.limits);
    let by = integer(args.get(3))?;
    let edited = ctx.edit_or_new(key, |hash: &mut Hash, _| {
        let old = match hash.get(field) {
            None => Some(0),
            Some(Item::Int(number)) => Some(number),
            Some(Item::Str(text)) => parse_i64(text),
        };
        let sum = old.ok_or(Failure::fixed("ERR hash value is not an integer")).and_then(|old| {
            old.checked_add(by).ok_or(Failure::fixed("ERR increment or decrement would overflow"))
        });
        if let Ok(sum) = &sum {
            hash.set(field, itoa::Buffer::new().format(*sum).as_bytes(), limits);
        }
        let changed = sum.is_ok();
        (sum, changed)
    })?;
    let sum = edited.result?;
    ctx.notify(Events::HASH, "hincrby", key);
    ctx.effects.as_sent(ctx.db);
    ctx.reply.int(sum);
    Ok(())
}

/// `HINCRBYFLOAT key field increment`: replicas are told the result, so that no two nodes can round differently.
pub fn hincrbyfloat(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (key, field, limits) = (args.get(1), args.get(2), &ctx.settings.limits);
    let by = Decimal::parse(args.get(3)).ok_or(error::NOT_A_FLOAT)?;
    if by == Decimal::Infinite {
        return Err(Failure::fixed("ERR value is NaN or Infinity"));
    }
    let edited = ctx.edit_or_new(key, |hash: &mut Hash, _| {
        let old = match hash.get(field) {
            None => Decimal::parse(b"0"),
            Some(value) => value.with_text(Decimal::parse),
        };
        let sum = old.ok_or(Failure::fixed("ERR hash value is not a float")).and_then(|old| {
            old.plus(&by).ok_or(Failure::fixed("ERR increment would produce NaN or Infinity"))
        });
        let sum = sum.map(|sum| sum.print());
        if let Ok(sum) = &sum {
            hash.set(field, sum, limits);
        }
        let changed = sum.is_ok();
        (sum, changed)
    })?;
    let sum = edited.result?;
    ctx.notify(Events::HASH, "hincrbyfloat", key);
    ctx.effects.instead(ctx.db, &[b"HSET", key, field, &sum]);
    ctx.reply.bulk(&sum);
    Ok(())
}
