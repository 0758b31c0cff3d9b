//! DUMP and RESTORE: a value as bytes that another server takes.

use super::args::{Options, integer, is};
use super::context::{Context, Expiry};
use super::effects::Events;
use super::error::{self, Failure};
use crate::data::Usage;
use crate::keyspace::{NewValue, Ttl};
use crate::persist::dump::{self, Restored, Unfit};
use crate::resp::Args;

/// `DUMP key`
pub fn dump(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    match ctx.read(args.get(1), |found, _| found.map(|found| dump::dump(found.value()))) {
        Some(payload) => ctx.reply.bulk(&payload),
        None => ctx.reply.null(),
    }
    Ok(())
}

/// What RESTORE was told besides key, deadline and payload.
#[derive(Debug, Default)]
struct Wishes {
    replace: bool,
    absolute: bool,
    /// Seconds the key was not used.
    idle_s: Option<i64>,
    frequency: Option<i64>,
}

impl Wishes {
    fn parse(args: Args<'_>) -> Result<Self, Failure> {
        let mut wishes = Self::default();
        let mut options = Options::from(args, 4);
        while let Some(word) = options.next() {
            if is(word, "REPLACE") {
                wishes.replace = true;
            } else if is(word, "ABSTTL") {
                wishes.absolute = true;
            } else if is(word, "IDLETIME") && wishes.frequency.is_none() {
                let idle_s = integer(options.value()?)?;
                if idle_s < 0 {
                    return Err(Failure::fixed("ERR Invalid IDLETIME value, must be >= 0"));
                }
                wishes.idle_s = Some(idle_s);
            } else if is(word, "FREQ") && wishes.idle_s.is_none() {
                let frequency = integer(options.value()?)?;
                if !(0..=255).contains(&frequency) {
                    return Err(Failure::fixed("ERR Invalid FREQ value, must be >= 0 and <= 255"));
                }
                wishes.frequency = Some(frequency);
            } else {
                return Err(error::SYNTAX);
            }
        }
        Ok(wishes)
    }
}

/// `RESTORE key ttl payload [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]`: replicas get the deadline as an absolute one.
pub fn restore(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let wishes = Wishes::parse(args)?;
    let key = args.get(1);
    let existed = ctx.exists(key);
    if existed && !wishes.replace {
        return Err(Failure::fixed("BUSYKEY Target key name already exists."));
    }
    let ttl = u64::try_from(integer(args.get(2))?)
        .map_err(|_| Failure::fixed("ERR Invalid TTL value, must be >= 0"))?;
    let value = dump::restore(args.get(3), &ctx.settings.limits).map_err(|unfit| match unfit {
        Unfit::Envelope => Failure::fixed("ERR DUMP payload version or checksum are wrong"),
        Unfit::Value => Failure::fixed("ERR Bad data format"),
    })?;
    let at = match (ttl, wishes.absolute) {
        (0, _) => None,
        (ttl, true) => Some(ttl),
        (ttl, false) => Some(ttl.saturating_add(ctx.now_ms)),
    };
    if at.is_some_and(|at| at <= ctx.now_ms) && ctx.expiry == Expiry::Delete {
        if existed && ctx.keyspace.remove(ctx.db, key) {
            ctx.effects.instead(ctx.db, &[b"DEL", key]);
            ctx.notify(Events::GENERIC, "del", key);
        }
        ctx.reply.ok();
        return Ok(());
    }
    store(ctx, key, value, at.map_or(Ttl::Clear, Ttl::At));
    if let Some(found) = ctx.keyspace.get(ctx.db, key) {
        let idle_ms = u64::try_from(wishes.idle_s.unwrap_or(0)).unwrap_or(0).saturating_mul(1000);
        if ctx.settings.usage == Usage::Recency {
            found.set_clock(Usage::Recency.used(0, ctx.now_ms.saturating_sub(idle_ms), 0));
        }
    }
    match at {
        Some(at) if !wishes.absolute => {
            let mut digits = itoa::Buffer::new();
            let mut words: Vec<&[u8]> = args.iter_from(0).collect();
            if let Some(word) = words.get_mut(2) {
                *word = digits.format(at).as_bytes();
            }
            words.push(b"ABSTTL");
            ctx.effects.instead(ctx.db, &words);
        }
        _ => ctx.effects.as_sent(ctx.db),
    }
    ctx.notify(Events::GENERIC, "restore", key);
    ctx.reply.ok();
    Ok(())
}

fn store(ctx: &mut Context<'_>, key: &[u8], value: Restored, ttl: Ttl) {
    match value {
        Restored::Int(number) => ctx.keyspace.set(ctx.db, key, NewValue::Int(number), ttl),
        Restored::Bytes(text) => ctx.keyspace.set(ctx.db, key, NewValue::Bytes(&text), ttl),
        Restored::Collection(collection) => ctx.keyspace.put_collection(ctx.db, key, collection, ttl),
    };
}
