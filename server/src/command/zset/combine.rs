//! Several sorted sets made into one: ZUNION, ZINTER, ZDIFF, their storing forms, ZINTERCARD. A plain set counts as one whose
//! scores are all 1.

mod input;
mod made;
mod request;

use self::input::{Input, inputs};
use self::made::Made;
use self::request::{Join, Purpose, Wanted, weighted};
use super::store::store;
use super::write_pairs;
use crate::command::context::Context;
use crate::command::error::Failure;
use crate::data::listpack::Item;
use crate::data::zset::Zset;
use crate::resp::Args;

/// `ZUNION numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM|MIN|MAX] [WITHSCORES]`
pub fn zunion(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    show(ctx, args, "zunion", Join::Union)
}

/// `ZINTER numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM|MIN|MAX] [WITHSCORES]`
pub fn zinter(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    show(ctx, args, "zinter", Join::Intersection)
}

/// `ZDIFF numkeys key [key ...] [WITHSCORES]`
pub fn zdiff(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    show(ctx, args, "zdiff", Join::Difference)
}

/// `ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM|MIN|MAX]`
pub fn zunionstore(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    keep(ctx, args, "zunionstore", Join::Union)
}

/// `ZINTERSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM|MIN|MAX]`
pub fn zinterstore(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    keep(ctx, args, "zinterstore", Join::Intersection)
}

/// `ZDIFFSTORE destination numkeys key [key ...]`
pub fn zdiffstore(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    keep(ctx, args, "zdiffstore", Join::Difference)
}

/// `ZINTERCARD numkeys key [key ...] [LIMIT limit]`
pub fn zintercard(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let wanted = Wanted::read(ctx, args, "zintercard", 1, (Join::Intersection, Purpose::Count))?;
    let inputs = inputs(ctx.keyspace, ctx.db, args, &wanted);
    let most = if wanted.limit == 0 { usize::MAX } else { wanted.limit };
    let mut count = 0;
    intersect(&inputs, &wanted, |_, _| {
        count += 1;
        count < most
    });
    ctx.reply.count(count);
    Ok(())
}

fn show(ctx: &mut Context<'_>, args: Args<'_>, name: &str, join: Join) -> Result<(), Failure> {
    let wanted = Wanted::read(ctx, args, name, 1, (join, Purpose::Show))?;
    let made = joined(ctx, args, &wanted);
    let pairs = made.in_order();
    write_pairs(
        ctx.reply,
        pairs.into_iter().map(|(score, member)| (Item::Str(member), score)),
        wanted.scores,
    );
    Ok(())
}

fn keep(ctx: &mut Context<'_>, args: Args<'_>, name: &'static str, join: Join) -> Result<(), Failure> {
    let wanted = Wanted::read(ctx, args, name, 2, (join, Purpose::Store))?;
    let made = joined(ctx, args, &wanted);
    let made = Zset::from_pairs(made.in_order(), &ctx.settings.limits).unwrap_or_default();
    store(ctx, args.get(1), made, name);
    Ok(())
}

fn joined(ctx: &Context<'_>, args: Args<'_>, wanted: &Wanted) -> Made {
    let inputs = inputs(ctx.keyspace, ctx.db, args, wanted);
    let mut made = Made::new(ctx.settings.limits.seed);
    match wanted.join {
        Join::Union => {
            for (input, weight) in &inputs {
                input.each(|member, score| {
                    made.add(member, weighted(score, *weight), wanted.aggregate);
                    true
                });
            }
        }
        Join::Intersection => intersect(&inputs, wanted, |member, score| {
            made.push(member, score);
            true
        }),
        Join::Difference => {
            if let Some(((first, _), others)) = inputs.split_first() {
                first.each(|member, score| {
                    if others.iter().all(|(other, _)| other.score(member).is_none()) {
                        made.push(member, score);
                    }
                    true
                });
            }
        }
    }
    made
}

/// Shows the members that all inputs have, with their scores taken together, as long as `each` wants more. The smallest input
/// comes first.
fn intersect(inputs: &[(Input<'_>, f64)], wanted: &Wanted, mut each: impl FnMut(&[u8], f64) -> bool) {
    let Some(((first, weight), others)) = inputs.split_first() else { return };
    first.each(|member, score| {
        let mut total = weighted(score, *weight);
        for (other, weight) in others {
            let Some(score) = other.score(member) else { return true };
            total = wanted.aggregate.join(total, score * weight);
        }
        each(member, total)
    });
}
