//! Lists, changed in the middle: LSET, LINSERT, LREM, LTRIM.

use super::args::{integer, is};
use super::context::Context;
use super::effects::Events;
use super::error::{self, Failure};
use super::lists::{as_sent, countable, fill, shortened, span};
use crate::data::Kind;
use crate::data::list::List;
use crate::resp::Args;

/// LSET past either end.
const NO_SUCH_INDEX: Failure = Failure::fixed("ERR index out of range");

/// `LSET key index element`
pub fn lset(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (key, fill) = (args.get(1), fill(ctx));
    let edited = ctx.edit(key, |list: &mut List, _| {
        let set = integer(args.get(2))
            .and_then(|index| if list.set(index, args.get(3), fill) { Ok(()) } else { Err(NO_SUCH_INDEX) });
        let changed = set.is_ok();
        (set, changed)
    })?;
    edited.ok_or(error::NO_SUCH_KEY)?.result?;
    ctx.notify(Events::LIST, "lset", key);
    ctx.effects.as_sent(ctx.db);
    ctx.reply.ok();
    Ok(())
}

/// `LINSERT key BEFORE|AFTER pivot element`
pub fn linsert(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let behind = match args.get(2) {
        word if is(word, "BEFORE") => 0,
        word if is(word, "AFTER") => 1,
        _ => return Err(error::SYNTAX),
    };
    let (key, pivot, text, fill) = (args.get(1), args.get(3), args.get(4), fill(ctx));
    let edited = ctx.edit(key, |list: &mut List, reply| {
        list.grow(std::iter::once(text), fill);
        let Some(at) = list.position(pivot) else {
            reply.int(-1);
            return ((), false);
        };
        list.insert(at + behind, text, fill);
        reply.count(list.len());
        ((), true)
    })?;
    match edited {
        Some(edited) if edited.changed => {
            ctx.notify(Events::LIST, "linsert", key);
            ctx.effects.as_sent(ctx.db);
        }
        Some(_) => {}
        None => ctx.reply.int(0),
    }
    Ok(())
}

/// `LREM key count element`: a negative count begins at the tail, 0 means all.
pub fn lrem(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let count = countable(args.get(2))?;
    let most = match usize::try_from(count.unsigned_abs()) {
        Ok(0) | Err(_) => usize::MAX,
        Ok(most) => most,
    };
    let (key, fill) = (args.get(1), fill(ctx));
    let edited = ctx.edit(key, |list: &mut List, _| {
        let removed = list.remove_equal(args.get(3), most, count < 0, fill);
        (removed, removed > 0)
    })?;
    let (removed, emptied) = edited.map_or((0, false), |edited| (edited.result, edited.emptied));
    if removed > 0 {
        shortened(ctx, "lrem", key, emptied);
    }
    as_sent(ctx, removed);
    ctx.reply.count(removed);
    Ok(())
}

/// `LTRIM key start stop`: keeps this range.
pub fn ltrim(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (start, stop) = (integer(args.get(2))?, integer(args.get(3))?);
    let (key, fill) = (args.get(1), fill(ctx));
    let edited = ctx.edit(key, |list: &mut List, _| {
        let len = list.len();
        let kept = span(start, stop, len);
        list.remove(kept.end..len, fill);
        list.remove(0..kept.start, fill);
        // Who watches the key hears of it even if nothing was cut off, as in Redis.
        (len - kept.len(), true)
    })?;
    if let Some(edited) = edited {
        shortened(ctx, "ltrim", key, edited.emptied);
        as_sent(ctx, edited.result);
    }
    ctx.reply.ok();
    Ok(())
}
