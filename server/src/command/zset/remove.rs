//! Members that go: ZREM, ZREMRANGEBYRANK, ZREMRANGEBYSCORE, ZREMRANGEBYLEX.

use super::bounds::{Bounds, read_members, read_ranks, read_scores};
use crate::command::context::Context;
use crate::command::effects::Events;
use crate::command::error::Failure;
use crate::data::{Kind, zset::Zset};
use crate::resp::Args;

/// `ZREM key member [member ...]`
pub fn zrem(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    remove(ctx, args, "zrem", |zset| {
        let mut removed = 0;
        for member in args.iter_from(2) {
            removed += usize::from(zset.remove(member).is_some());
            if zset.is_empty() {
                break;
            }
        }
        removed
    })
}

/// `ZREMRANGEBYRANK key start stop`
pub fn zremrangebyrank(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    remove_range(ctx, args, "zremrangebyrank", read_ranks(args.get(2), args.get(3))?)
}

/// `ZREMRANGEBYSCORE key min max`
pub fn zremrangebyscore(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    remove_range(ctx, args, "zremrangebyscore", read_scores(args.get(2), args.get(3))?)
}

/// `ZREMRANGEBYLEX key min max`
pub fn zremrangebylex(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    remove_range(ctx, args, "zremrangebylex", read_members(args.get(2), args.get(3))?)
}

fn remove_range(
    ctx: &mut Context<'_>,
    args: Args<'_>,
    event: &'static str,
    bounds: Bounds<'_>,
) -> Result<(), Failure> {
    remove(ctx, args, event, |zset| {
        let ranks = bounds.ranks(zset);
        let removed = ranks.len();
        if removed > 0 {
            zset.remove_ranks(ranks);
        }
        removed
    })
}

/// Lets `take` remove members and say how many, and answers with that.
fn remove(
    ctx: &mut Context<'_>,
    args: Args<'_>,
    event: &'static str,
    take: impl FnOnce(&mut Zset) -> usize,
) -> Result<(), Failure> {
    let key = args.get(1);
    let edited = ctx.edit(key, |zset: &mut Zset, _| {
        let removed = take(zset);
        (removed, removed > 0)
    })?;
    let removed = edited.map_or(0, |edited| edited.result);
    if let Some(further) = removed.checked_sub(1) {
        ctx.notify(Events::ZSET, event, key);
        if edited.is_some_and(|edited| edited.emptied) {
            ctx.notify(Events::GENERIC, "del", key);
        }
        ctx.effects.as_sent(ctx.db);
        ctx.effects.changed(u64::try_from(further).unwrap_or(u64::MAX));
    }
    ctx.reply.count(removed);
    Ok(())
}
