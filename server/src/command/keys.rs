//! Keys as such, whatever they hold: deleting, renaming, copying, moving, and what is known about them; whole databases.

use super::args::{Options, database, is};
use super::context::{Context, Found, type_name};
use super::effects::Events;
use super::error::{self, Failure};
use crate::data::Usage;
use crate::resp::Args;
use crate::resp::number::parse_i64;

/// `DEL key [key ...]`
pub fn del(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    delete(ctx, args)
}

/// `UNLINK key [key ...]`
pub fn unlink(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    delete(ctx, args)
}

fn delete(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let mut deleted: u32 = 0;
    for key in args.iter_from(1) {
        // An expired key goes as expired, and does not count.
        if ctx.exists(key) && ctx.keyspace.remove(ctx.db, key) {
            deleted += 1;
            ctx.notify(Events::GENERIC, "del", key);
        }
    }
    if let Some(further) = deleted.checked_sub(1) {
        ctx.effects.as_sent(ctx.db);
        ctx.effects.changed(u64::from(further));
    }
    ctx.reply.int(i64::from(deleted));
    Ok(())
}

/// `EXISTS key [key ...]`: a key named twice counts twice.
pub fn exists(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let found = args.iter_from(1).filter(|key| ctx.glance(key, |found, _| found.is_some())).count();
    ctx.reply.count(found);
    Ok(())
}

/// `TOUCH key [key ...]`: counts as a use even where reading does not.
pub fn touch(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.touches = true;
    let found = args.iter_from(1).filter(|key| ctx.read(key, |found, _| found.is_some())).count();
    ctx.reply.count(found);
    Ok(())
}

/// `TYPE key`
pub fn type_of(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let name = ctx.glance(args.get(1), |found, _| found.map_or("none", type_name));
    ctx.reply.simple(name);
    Ok(())
}

/// `RENAME key newkey`
pub fn rename(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (from, to) = (args.get(1), args.get(2));
    if !ctx.exists(from) {
        return Err(error::NO_SUCH_KEY);
    }
    if from != to {
        give_name(ctx, from, to);
    }
    ctx.reply.ok();
    Ok(())
}

/// `RENAMENX key newkey`
pub fn renamenx(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (from, to) = (args.get(1), args.get(2));
    if !ctx.exists(from) {
        return Err(error::NO_SUCH_KEY);
    }
    let free = from != to && !ctx.exists(to);
    if free {
        give_name(ctx, from, to);
    }
    ctx.reply.int(i64::from(free));
    Ok(())
}

/// Gives a key another name; whatever has it is replaced.
fn give_name(ctx: &mut Context<'_>, from: &[u8], to: &[u8]) {
    // An expired one goes as expired, not as replaced.
    ctx.drop_if_listened(to);
    ctx.keyspace.rename(ctx.db, from, to);
    ctx.effects.as_sent(ctx.db);
    ctx.notify(Events::GENERIC, "rename_from", from);
    ctx.notify(Events::GENERIC, "rename_to", to);
}

/// `COPY source destination [DB destination-db] [REPLACE]`
pub fn copy(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (from, to) = (args.get(1), args.get(2));
    let (mut db, mut replace) = (ctx.db, false);
    let mut options = Options::from(args, 3);
    while let Some(word) = options.next() {
        if is(word, "REPLACE") {
            replace = true;
        } else if is(word, "DB") {
            db = database(options.value()?, ctx.keyspace.databases())?;
        } else {
            return Err(error::SYNTAX);
        }
    }
    if db == ctx.db && from == to {
        return Err(error::SAME_OBJECT);
    }
    let copied = ctx.exists(from) && (!ctx.exists_in(db, to) || replace);
    if copied {
        ctx.keyspace.copy(ctx.db, from, db, to);
        ctx.effects.as_sent(ctx.db);
        ctx.notify_in(Events::GENERIC, "copy_to", db, to);
    }
    ctx.reply.int(i64::from(copied));
    Ok(())
}

/// `MOVE key db`
pub fn move_key(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let key = args.get(1);
    let db = database(args.get(2), ctx.keyspace.databases())?;
    if db == ctx.db {
        return Err(error::SAME_OBJECT);
    }
    let moved = ctx.exists(key) && !ctx.exists_in(db, key);
    if moved {
        ctx.keyspace.move_key(ctx.db, key, db);
        ctx.effects.as_sent(ctx.db);
        ctx.notify(Events::GENERIC, "move_from", key);
        ctx.notify_in(Events::GENERIC, "move_to", db, key);
    }
    ctx.reply.int(i64::from(moved));
    Ok(())
}

/// `OBJECT ENCODING key`
pub fn object_encoding(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    match ctx.peek(args.get(2), |found| found.map(Found::encoding)) {
        Some(encoding) => ctx.reply.bulk(encoding.as_bytes()),
        None => ctx.reply.null(),
    }
    Ok(())
}

/// `OBJECT REFCOUNT key`: no value is shared here.
pub fn object_refcount(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    known_of(ctx, args, |ctx| {
        ctx.reply.int(1);
        Ok(())
    })
}

/// `OBJECT IDLETIME key`: seconds since the key was last used. Without `maxmemory` writing notes no time; for a key that was
/// not read since it was written, the time then counts from the first question.
pub fn object_idletime(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    if ctx.settings.usage != Usage::Recency {
        return known_of(ctx, args, |_| Err(error::NO_LRU));
    }
    let now_ms = ctx.now_ms;
    let idle = ctx.peek(args.get(2), |found| {
        found.map(|found| {
            if found.clock() == 0 {
                found.set_clock(Usage::Recency.used(0, now_ms, 0));
            }
            Usage::idle_s(found.clock(), now_ms)
        })
    });
    match idle {
        Some(seconds) => ctx.reply.int(i64::from(seconds)),
        None => ctx.reply.null(),
    }
    Ok(())
}

/// `OBJECT FREQ key`: how often the key is used, 0 to 255, under a policy that counts it.
pub fn object_freq(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (usage, now_ms) = (ctx.settings.usage, ctx.now_ms);
    if usage == Usage::Recency {
        return known_of(ctx, args, |_| Err(error::NO_LFU));
    }
    match ctx.peek(args.get(2), |found| found.map(|found| usage.frequency(found.clock(), now_ms))) {
        Some(frequency) => ctx.reply.int(i64::from(frequency)),
        None => ctx.reply.null(),
    }
    Ok(())
}

fn known_of(
    ctx: &mut Context<'_>,
    args: Args<'_>,
    tell: impl FnOnce(&mut Context<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if ctx.peek(args.get(2), |found| found.is_some()) {
        return tell(ctx);
    }
    ctx.reply.null();
    Ok(())
}

/// `DBSIZE`
pub fn dbsize(ctx: &mut Context<'_>, _: Args<'_>) -> Result<(), Failure> {
    ctx.reply.count(ctx.keyspace.len(ctx.db));
    Ok(())
}

/// `FLUSHDB [ASYNC | SYNC]`: propagated even when there was nothing to delete.
pub fn flushdb(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let lazy = flush_option(ctx, args)?;
    let count = ctx.keyspace.flush(Some(ctx.db), lazy);
    flushed(ctx, count);
    Ok(())
}

/// `FLUSHALL [ASYNC | SYNC]`: propagated even when there was nothing to delete.
pub fn flushall(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let lazy = flush_option(ctx, args)?;
    let count = ctx.keyspace.flush(None, lazy);
    flushed(ctx, count);
    Ok(())
}

/// Whether memory is given back in slices.
fn flush_option(ctx: &Context<'_>, args: Args<'_>) -> Result<bool, Failure> {
    match args.len() {
        1 => Ok(ctx.settings.lazy_user_flush),
        2 if is(args.get(1), "ASYNC") => Ok(true),
        2 if is(args.get(1), "SYNC") => Ok(false),
        _ => Err(error::SYNTAX),
    }
}

fn flushed(ctx: &mut Context<'_>, count: usize) {
    ctx.effects.as_sent(ctx.db);
    ctx.effects.changed(u64::try_from(count).unwrap_or(u64::MAX));
    ctx.reply.ok();
}

/// `SWAPDB index1 index2`
pub fn swapdb(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let index = |word, failure| {
        parse_i64(word).filter(|&number| i32::try_from(number).is_ok()).ok_or(Failure::fixed(failure))
    };
    let a = index(args.get(1), "ERR invalid first DB index")?;
    let b = index(args.get(2), "ERR invalid second DB index")?;
    let databases = ctx.keyspace.databases();
    let known = |number| usize::try_from(number).ok().filter(|&number| number < databases);
    let (Some(a), Some(b)) = (known(a), known(b)) else { return Err(error::DB_OUT_OF_RANGE) };
    ctx.keyspace.swap(a, b);
    ctx.effects.as_sent(ctx.db);
    ctx.reply.ok();
    Ok(())
}
