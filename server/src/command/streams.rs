//! Streams: their length, deletions, and XSETID. Adding, reading and consumer groups have files of their own.
//!
//! A stream stays when its last entry goes. What only concerns a group breaks no WATCH, as in Redis.

pub mod add;
pub mod autoclaim;
pub mod claim;
pub mod groups;
mod ids;
pub mod info;
pub mod info_full;
pub mod pending;
pub mod range;
pub mod read;
pub mod read_group;
mod told;

use super::args::{Options, integer, is};
use super::context::{Context, Expiry};
use super::effects::Events;
use super::error::{self, Failure};
use crate::data::Kind;
use crate::data::stream::{Id, Stream};
use crate::resp::Args;

/// `XLEN key`
pub fn xlen(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.view(args.get(1), |found: Option<&Stream>, reply| reply.count(found.map_or(0, Kind::len)))
}

/// `XDEL key id [id ...]`
pub fn xdel(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let key = args.get(1);
    let there = ctx.look(key, |found: Option<&Stream>, _| found.is_some())?;
    // The ids are not looked at when there is no stream.
    if !there {
        ctx.reply.int(0);
        return Ok(());
    }
    let wanted = args.iter_from(2).map(ids::id).collect::<Result<Vec<_>, _>>()?;
    let edited = ctx.edit(key, |stream: &mut Stream, reply| {
        let deleted = wanted.iter().filter(|id| stream.log_mut().delete(**id)).count();
        reply.count(deleted);
        (deleted, deleted > 0)
    })?;
    let deleted = edited.map_or(0, |edited| edited.result);
    if deleted > 0 {
        ctx.notify(Events::STREAM, "xdel", key);
        sent(ctx, deleted);
    }
    Ok(())
}

/// `XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]`
pub fn xsetid(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let last = ids::id(args.get(2))?;
    let (mut added, mut max_deleted) = (None, None);
    let mut options = Options::from(args, 3);
    while let Some(word) = options.next() {
        if is(word, "ENTRIESADDED") {
            let number = integer(options.value()?)?;
            let refused = Failure::fixed("ERR entries_added must be positive");
            added = Some(u64::try_from(number).map_err(|_| refused)?);
        } else if is(word, "MAXDELETEDID") {
            let id = ids::id(options.value()?)?;
            if last < id {
                return Err(TOO_SMALL_FOR_GIVEN);
            }
            max_deleted = Some(id).filter(|id| *id != Id::MIN);
        } else {
            return Err(error::SYNTAX);
        }
    }
    // A master of version 7.0 looks at nothing but the entries.
    let obeys = ctx.expiry == Expiry::Ignore;
    let edited = ctx.edit(args.get(1), |stream: &mut Stream, _| {
        let log = stream.log_mut();
        let refused = if last < log.max_deleted() && !obeys {
            Some(TOO_SMALL_FOR_CURRENT)
        } else if log.top().is_some_and(|top| last < top) {
            Some(TOO_SMALL_FOR_TOP)
        } else if added.is_some_and(|added| (log.len() as u64) > added) {
            Some(TOO_FEW_ADDED)
        } else {
            log.set_last(last, added, max_deleted);
            None
        };
        (refused, false)
    })?;
    match edited.ok_or(error::NO_SUCH_KEY)?.result {
        Some(refused) => Err(refused),
        None => {
            ctx.reply.ok();
            ctx.notify(Events::STREAM, "xsetid", args.get(1));
            sent(ctx, 1);
            Ok(())
        }
    }
}

const TOO_SMALL_FOR_GIVEN: Failure =
    Failure::fixed("ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
const TOO_SMALL_FOR_CURRENT: Failure =
    Failure::fixed("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id");
const TOO_SMALL_FOR_TOP: Failure =
    Failure::fixed("ERR The ID specified in XSETID is smaller than the target stream top item");
const TOO_FEW_ADDED: Failure =
    Failure::fixed("ERR The entries_added specified in XSETID is smaller than the target stream length");

/// The request itself is the effect, and so many things changed.
fn sent(ctx: &mut Context<'_>, changes: usize) {
    ctx.effects.as_sent(ctx.db);
    ctx.effects.changed(changes.saturating_sub(1) as u64);
}
