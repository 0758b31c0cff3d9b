//! Deadlines of keys: set, asked, taken away.

use super::args::{integer, is};
use super::context::{Context, Found};
use super::deadline::Unit;
use super::effects::Events;
use super::error::{self, Failure};
use crate::resp::Args;

/// `EXPIRE key seconds [NX | XX | GT | LT]`
pub fn expire(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    set_deadline(ctx, args, "expire", Unit::Seconds)
}

/// `PEXPIRE key milliseconds [NX | XX | GT | LT]`
pub fn pexpire(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    set_deadline(ctx, args, "pexpire", Unit::Millis)
}

/// `EXPIREAT key unix-time-seconds [NX | XX | GT | LT]`
pub fn expireat(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    set_deadline(ctx, args, "expireat", Unit::UnixSeconds)
}

/// `PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT]`
pub fn pexpireat(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    set_deadline(ctx, args, "pexpireat", Unit::UnixMillis)
}

fn set_deadline(ctx: &mut Context<'_>, args: Args<'_>, command: &str, unit: Unit) -> Result<(), Failure> {
    let condition = Condition::parse(args)?;
    let at =
        deadline_of(integer(args.get(2))?, unit, ctx.now_ms).ok_or_else(|| error::invalid_expire(command))?;
    let key = args.get(1);
    let current = ctx.find(key, |found, _| found.map(Found::expire));
    let allowed = current.is_some_and(|current| condition.allows(at, current));
    ctx.reply.int(i64::from(allowed));
    if !allowed {
        return Ok(());
    }
    // What lies before the epoch is as past as the epoch itself.
    let millis = u64::try_from(at).unwrap_or(0);
    ctx.expire_at(key, millis, |ctx, _| {
        if unit == Unit::UnixMillis {
            return ctx.effects.as_sent(ctx.db);
        }
        let mut buffer = itoa::Buffer::new();
        let at = buffer.format(at).as_bytes();
        let command: Vec<&[u8]> = [b"PEXPIREAT", key, at].into_iter().chain(args.iter_from(3)).collect();
        ctx.effects.instead(ctx.db, &command);
    });
    Ok(())
}

/// Milliseconds since the epoch, possibly before it; none if out of range.
fn deadline_of(number: i64, unit: Unit, now_ms: u64) -> Option<i64> {
    let millis = match unit {
        Unit::Seconds | Unit::UnixSeconds => number.checked_mul(1000)?,
        Unit::Millis | Unit::UnixMillis => number,
    };
    let base = match unit {
        Unit::Seconds | Unit::Millis => i64::try_from(now_ms).ok()?,
        Unit::UnixSeconds | Unit::UnixMillis => 0,
    };
    millis.checked_add(base)
}

/// `NX`, `XX`, `GT`, `LT`: which deadlines may be replaced.
#[derive(Debug, Clone, Copy, Default)]
struct Condition {
    absent: bool,
    present: bool,
    later: bool,
    sooner: bool,
}

impl Condition {
    fn parse(args: Args<'_>) -> Result<Self, Failure> {
        let mut condition = Self::default();
        for word in args.iter_from(3) {
            let slot = match word {
                word if is(word, "NX") => &mut condition.absent,
                word if is(word, "XX") => &mut condition.present,
                word if is(word, "GT") => &mut condition.later,
                word if is(word, "LT") => &mut condition.sooner,
                word => return Err(error::unsupported_option(word)),
            };
            *slot = true;
        }
        if condition.absent && (condition.present || condition.later || condition.sooner) {
            return Err(Failure::fixed(
                "ERR NX and XX, GT or LT options at the same time are not compatible",
            ));
        }
        if condition.later && condition.sooner {
            return Err(Failure::fixed("ERR GT and LT options at the same time are not compatible"));
        }
        Ok(condition)
    }

    /// May the deadline `at` replace `current`; a key without one lives for ever, which is later than any deadline.
    fn allows(self, at: i64, current: Option<u64>) -> bool {
        let current = current.map(|current| i64::try_from(current).unwrap_or(i64::MAX));
        match current {
            None => !self.present && !self.later,
            Some(current) => !self.absent && (!self.later || at > current) && (!self.sooner || at < current),
        }
    }
}

/// `TTL key`
pub fn ttl(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let now = ctx.now_ms;
    show_deadline(ctx, args.get(1), |at| (at.saturating_sub(now).saturating_add(500)) / 1000)
}

/// `PTTL key`
pub fn pttl(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let now = ctx.now_ms;
    show_deadline(ctx, args.get(1), |at| at.saturating_sub(now))
}

/// `EXPIRETIME key`
pub fn expiretime(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    show_deadline(ctx, args.get(1), |at| at.saturating_add(500) / 1000)
}

/// `PEXPIRETIME key`
pub fn pexpiretime(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    show_deadline(ctx, args.get(1), |at| at)
}

/// -2 for no key, -1 for no deadline.
fn show_deadline(ctx: &mut Context<'_>, key: &[u8], show: impl FnOnce(u64) -> u64) -> Result<(), Failure> {
    ctx.glance(key, |found, reply| match found.map(Found::expire) {
        None => reply.int(-2),
        Some(None) => reply.int(-1),
        Some(Some(at)) => reply.int(i64::try_from(show(at)).unwrap_or(i64::MAX)),
    });
    Ok(())
}

/// `PERSIST key`
pub fn persist(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let key = args.get(1);
    let lasting = ctx.find(key, |found, _| found.is_some_and(|found| found.expire().is_some()));
    if lasting {
        ctx.keyspace.set_expire(ctx.db, key, None);
        ctx.effects.as_sent(ctx.db);
        ctx.notify(Events::GENERIC, "persist", key);
    }
    ctx.reply.int(i64::from(lasting));
    Ok(())
}
