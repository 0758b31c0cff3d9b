//! Commands that set whole strings: SET with its options, and its older forms.

use super::args::{Options, is};
use super::context::Context;
use super::deadline::{Deadline, Unit};
use super::effects::Events;
use super::error::{self, Failure};
use super::strings::write_string;
use crate::keyspace::{NewValue, Ttl};
use crate::resp::Args;

/// `SET key value [NX | XX] [GET] [EX seconds | PX ms | EXAT seconds | PXAT ms | KEEPTTL]`
pub fn set(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    if args.len() == 3 {
        ctx.drop_if_listened(args.get(1));
        ctx.keyspace.set(ctx.db, args.get(1), NewValue::Bytes(args.get(2)), Ttl::Clear);
        ctx.effects.as_sent(ctx.db);
        ctx.notify(Events::STRING, "set", args.get(1));
        ctx.reply.ok();
        return Ok(());
    }
    let request = Request::parse(args)?;
    match (store(ctx, args, &request)?, request.get) {
        (_, true) => {}
        (true, false) => ctx.reply.ok(),
        (false, false) => ctx.reply.null(),
    }
    Ok(())
}

/// `SETNX key value`
pub fn setnx(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let request =
        Request { condition: Condition::Absent, ..Request::plain("setnx", args.get(1), args.get(2)) };
    let stored = store(ctx, args, &request)?;
    ctx.reply.int(i64::from(stored));
    Ok(())
}

/// `SETEX key seconds value`
pub fn setex(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    set_until(ctx, args, "setex", Unit::Seconds)
}

/// `PSETEX key milliseconds value`
pub fn psetex(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    set_until(ctx, args, "psetex", Unit::Millis)
}

fn set_until(
    ctx: &mut Context<'_>,
    args: Args<'_>,
    command: &'static str,
    unit: Unit,
) -> Result<(), Failure> {
    let deadline = Deadline::Given(unit, args.get(2));
    let request = Request { deadline, ..Request::plain(command, args.get(1), args.get(3)) };
    store(ctx, args, &request)?;
    ctx.reply.ok();
    Ok(())
}

/// `GETSET key value`: replicas see a SET.
pub fn getset(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (key, value) = (args.get(1), args.get(2));
    ctx.read_string(key, |old, reply| write_string(reply, old))?;
    ctx.keyspace.set(ctx.db, key, NewValue::Bytes(value), Ttl::Clear);
    ctx.effects.instead(ctx.db, &[b"SET", key, value]);
    ctx.notify(Events::STRING, "set", key);
    Ok(())
}

/// `MSET key value [key value ...]`
pub fn mset(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    set_pairs(ctx, args, "mset")?;
    ctx.reply.ok();
    Ok(())
}

/// `MSETNX key value [key value ...]`: all of them, or none.
pub fn msetnx(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    // A wrong number of arguments is reported even when a key exists.
    if args.len().is_multiple_of(2) {
        return Err(error::wrong_arity("msetnx"));
    }
    if args.iter_from(1).step_by(2).any(|key| ctx.exists(key)) {
        ctx.reply.int(0);
        return Ok(());
    }
    set_pairs(ctx, args, "msetnx")?;
    ctx.reply.int(1);
    Ok(())
}

fn set_pairs(ctx: &mut Context<'_>, args: Args<'_>, command: &str) -> Result<(), Failure> {
    if args.len().is_multiple_of(2) {
        return Err(error::wrong_arity(command));
    }
    let pairs = args.len() / 2;
    for pair in 0..pairs {
        let (key, value) = (args.get(1 + 2 * pair), args.get(2 + 2 * pair));
        ctx.drop_if_listened(key);
        ctx.keyspace.set(ctx.db, key, NewValue::Bytes(value), Ttl::Clear);
        ctx.notify(Events::STRING, "set", key);
    }
    ctx.effects.as_sent(ctx.db);
    ctx.effects.changed(u64::try_from(pairs.saturating_sub(1)).unwrap_or(0));
    Ok(())
}

/// When a key may be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    Always,
    Absent,
    Present,
}

/// One string to set.
#[derive(Debug, Clone, Copy)]
struct Request<'a> {
    command: &'static str,
    key: &'a [u8],
    value: &'a [u8],
    condition: Condition,
    get: bool,
    deadline: Deadline<'a>,
}

impl<'a> Request<'a> {
    fn plain(command: &'static str, key: &'a [u8], value: &'a [u8]) -> Self {
        Self { command, key, value, condition: Condition::Always, get: false, deadline: Deadline::Unsaid }
    }

    fn parse(args: Args<'a>) -> Result<Self, Failure> {
        let mut request = Self::plain("set", args.get(1), args.get(2));
        let mut options = Options::from(args, 3);
        while let Some(word) = options.next() {
            if is(word, "NX") && request.condition != Condition::Present {
                request.condition = Condition::Absent;
            } else if is(word, "XX") && request.condition != Condition::Absent {
                request.condition = Condition::Present;
            } else if is(word, "GET") {
                request.get = true;
            } else if is(word, "PERSIST") || !request.deadline.option(word, || options.value())? {
                return Err(error::SYNTAX);
            }
        }
        Ok(request)
    }
}

/// Sets the string if its condition holds, and says whether it did. Replies only what GET asks for.
fn store(ctx: &mut Context<'_>, args: Args<'_>, request: &Request<'_>) -> Result<bool, Failure> {
    let at = request.deadline.absolute(ctx.now_ms, request.command)?;
    let (key, get) = (request.key, request.get);
    let found = if get {
        ctx.read_string(key, |old, reply| {
            write_string(reply, old);
            old.is_some()
        })?
    } else {
        ctx.exists(key)
    };
    match request.condition {
        Condition::Absent if found => return Ok(false),
        Condition::Present if !found => return Ok(false),
        _ => {}
    }
    let ttl = match (request.deadline, at) {
        (_, Some(at)) => Ttl::At(at),
        (Deadline::Keep, None) => Ttl::Keep,
        _ => Ttl::Clear,
    };
    ctx.keyspace.set(ctx.db, key, NewValue::Bytes(request.value), ttl);
    ctx.notify(Events::STRING, "set", key);
    if at.is_some() {
        ctx.notify(Events::GENERIC, "expire", key);
    }
    match (request.deadline, at) {
        // Milliseconds since the epoch are what replicas need: it goes as it was typed.
        (Deadline::Given(Unit::UnixMillis, _), _) => ctx.effects.as_sent(ctx.db),
        (_, Some(at)) => {
            let mut buffer = itoa::Buffer::new();
            let at = buffer.format(at).as_bytes();
            ctx.effects.instead(ctx.db, &[b"SET", key, request.value, b"PXAT", at]);
        }
        (_, None) if get => {
            let kept: Vec<&[u8]> = (0..)
                .zip(args.iter_from(0))
                .filter(|&(position, word)| position < 3 || !is(word, "GET"))
                .map(|(_, word)| word)
                .collect();
            ctx.effects.instead(ctx.db, &kept);
        }
        (_, None) => ctx.effects.as_sent(ctx.db),
    }
    Ok(true)
}
