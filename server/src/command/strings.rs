//! Strings, read and changed in part.

use super::args::{Options, integer};
use super::context::{Context, Found};
use super::deadline::Deadline;
use super::effects::Events;
use super::error::{self, Failure};
use crate::keyspace::{NewValue, Ttl, ValueRef};
use crate::resp::{Args, Reply};

/// `GET key`
pub fn get(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.read_string(args.get(1), |found, reply| write_string(reply, found))
}

/// `MGET key [key ...]`
pub fn mget(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.reply.array(args.len() - 1);
    for key in args.iter_from(1) {
        ctx.read(key, |found, reply| write_string(reply, found));
    }
    Ok(())
}

/// `GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST]`: what replicas see is what became of the deadline.
pub fn getex(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let mut deadline = Deadline::Unsaid;
    let mut options = Options::from(args, 2);
    while let Some(word) = options.next() {
        if !deadline.option(word, || options.value())? || deadline == Deadline::Keep {
            return Err(error::SYNTAX);
        }
    }
    let key = args.get(1);
    let found = ctx.read_string(key, |found, reply| {
        write_string(reply, found);
        found.is_some()
    })?;
    if !found {
        return Ok(());
    }
    // The number is looked at only for a key that exists; a mistake in it takes the place of the value.
    match deadline.absolute(ctx.now_ms, "getex")? {
        Some(at) => ctx.expire_at(key, at, |ctx, at| ctx.effects.instead(ctx.db, &[b"PEXPIREAT", key, at])),
        None if deadline == Deadline::Persist && ctx.keyspace.set_expire(ctx.db, key, None) => {
            ctx.effects.instead(ctx.db, &[b"PERSIST", key]);
            ctx.notify(Events::GENERIC, "persist", key);
        }
        None => {}
    }
    Ok(())
}

/// `GETDEL key`: replicas see a DEL.
pub fn getdel(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let key = args.get(1);
    ctx.read_string(key, |found, reply| write_string(reply, found))?;
    if ctx.keyspace.remove(ctx.db, key) {
        ctx.effects.instead(ctx.db, &[b"DEL", key]);
        ctx.notify(Events::GENERIC, "del", key);
    }
    Ok(())
}

/// `STRLEN key`
pub fn strlen(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.read_string(args.get(1), |found, reply| {
        reply.count(found.map_or(0, |found| with_bytes(found.value(), <[u8]>::len)));
    })
}

/// `GETRANGE key start end`; negative positions count from the end, and the end is part of the range.
pub fn getrange(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (start, end) = (integer(args.get(2))?, integer(args.get(3))?);
    ctx.read_string(args.get(1), |found, reply| match found {
        Some(found) => with_bytes(found.value(), |bytes| reply.bulk(part(bytes, start, end))),
        None => reply.bulk(b""),
    })
}

/// `APPEND key value`
pub fn append(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (key, value) = (args.get(1), args.get(2));
    let old = ctx.find_string(key, |found, _| found.map(|found| with_bytes(found.value(), <[u8]>::len)))?;
    let length = match old {
        Some(old) => {
            check_length(ctx, old.saturating_add(value.len()))?;
            ctx.keyspace.append(ctx.db, key, value)
        }
        None => {
            ctx.keyspace.set(ctx.db, key, NewValue::Bytes(value), Ttl::Clear);
            value.len()
        }
    };
    ctx.effects.as_sent(ctx.db);
    ctx.notify(Events::STRING, "append", key);
    ctx.reply.count(length);
    Ok(())
}

/// `SETRANGE key offset value`: an empty value changes nothing.
pub fn setrange(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (key, value) = (args.get(1), args.get(3));
    let offset = integer(args.get(2))?;
    let offset = usize::try_from(offset).map_err(|_| Failure::fixed("ERR offset is out of range"))?;
    if value.is_empty() {
        return ctx.find_string(key, |found, reply| {
            reply.count(found.map_or(0, |found| with_bytes(found.value(), <[u8]>::len)));
        });
    }
    // Drops an expired string first, so that nothing of it shows through.
    ctx.find_string(key, |_, _| ())?;
    check_length(ctx, offset.saturating_add(value.len()))?;
    let length = ctx.keyspace.set_range(ctx.db, key, offset, value);
    ctx.effects.as_sent(ctx.db);
    ctx.notify(Events::STRING, "setrange", key);
    ctx.reply.count(length);
    Ok(())
}

fn check_length(ctx: &Context<'_>, length: usize) -> Result<(), Failure> {
    if length > ctx.settings.max_string { Err(error::STRING_TOO_LONG) } else { Ok(()) }
}

/// What a key holds as a bulk string, or a null: it may hold none.
#[inline]
pub(super) fn write_string(reply: &mut Reply, found: Option<Found<'_>>) {
    match found.map(Found::value) {
        Some(ValueRef::Bytes(bytes)) => reply.bulk(bytes),
        Some(ValueRef::Int(number)) => reply.bulk_int(number),
        Some(ValueRef::Collection(_)) | None => reply.null(),
    }
}

/// Shows `look` the bytes of a string, an integer as it is printed; nothing of what is no string, which callers refuse.
#[inline]
pub(super) fn with_bytes<T>(value: ValueRef<'_>, look: impl FnOnce(&[u8]) -> T) -> T {
    match value {
        ValueRef::Bytes(bytes) => look(bytes),
        ValueRef::Int(number) => look(itoa::Buffer::new().format(number).as_bytes()),
        ValueRef::Collection(_) => look(&[]),
    }
}

/// The bytes from `start` to `end`, both included.
fn part(bytes: &[u8], start: i64, end: i64) -> &[u8] {
    if start < 0 && end < 0 && start > end {
        return &[];
    }
    let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    let position = |at: i64| if at < 0 { length.saturating_add(at).max(0) } else { at };
    let (start, end) = (position(start), position(end).min(length - 1));
    if start > end || length == 0 {
        return &[];
    }
    let (Ok(start), Ok(end)) = (usize::try_from(start), usize::try_from(end)) else { return &[] };
    bytes.get(start..=end).unwrap_or_default()
}
