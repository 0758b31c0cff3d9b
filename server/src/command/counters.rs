//! Numbers kept as strings.

use super::args::integer;
use super::context::{Context, Found};
use super::effects::Events;
use super::error::{self, Failure};
use super::strings::with_bytes;
use crate::data::decimal::Decimal;
use crate::keyspace::{NewValue, Ttl, ValueRef};
use crate::resp::Args;
use crate::resp::number::parse_i64;

/// `INCR key`
pub fn incr(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    add(ctx, args.get(1), 1)
}

/// `DECR key`
pub fn decr(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    add(ctx, args.get(1), -1)
}

/// `INCRBY key increment`
pub fn incrby(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    add(ctx, args.get(1), integer(args.get(2))?)
}

/// `DECRBY key decrement`
pub fn decrby(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let by = integer(args.get(2))?.checked_neg().ok_or(Failure::fixed("ERR decrement would overflow"))?;
    add(ctx, args.get(1), by)
}

fn add(ctx: &mut Context<'_>, key: &[u8], by: i64) -> Result<(), Failure> {
    let old = ctx.find_string(key, |found, _| match found.map(Found::value) {
        None => Some(0),
        Some(ValueRef::Int(number)) => Some(number),
        Some(ValueRef::Bytes(bytes)) => parse_i64(bytes),
        Some(ValueRef::Collection(_)) => None,
    })?;
    let old = old.ok_or(error::NOT_AN_INTEGER)?;
    let sum = old.checked_add(by).ok_or(Failure::fixed("ERR increment or decrement would overflow"))?;
    ctx.keyspace.set(ctx.db, key, NewValue::Int(sum), Ttl::Keep);
    ctx.effects.as_sent(ctx.db);
    ctx.notify(Events::STRING, "incrby", key);
    ctx.reply.int(sum);
    Ok(())
}

/// `INCRBYFLOAT key increment`: replicas are told the result, so that no two nodes can round differently.
pub fn incrbyfloat(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let key = args.get(1);
    let old = ctx.find_string(key, |found, _| match found {
        Some(found) => with_bytes(found.value(), Decimal::parse),
        None => Decimal::parse(b"0"),
    })?;
    let by = Decimal::parse(args.get(2));
    let (Some(old), Some(by)) = (old, by) else { return Err(error::NOT_A_FLOAT) };
    let sum = old.plus(&by).ok_or(Failure::fixed("ERR increment would produce NaN or Infinity"))?.print();
    ctx.keyspace.set(ctx.db, key, NewValue::Bytes(&sum), Ttl::Keep);
    ctx.effects.instead(ctx.db, &[b"SET", key, &sum, b"KEEPTTL"]);
    ctx.notify(Events::STRING, "incrbyfloat", key);
    ctx.reply.bulk(&sum);
    Ok(())
}
