//! Draws of members and walks over them: ZRANDMEMBER, ZSCAN.

use super::write_pairs;
use crate::command::args::is;
use crate::command::context::Context;
use crate::command::draw::{self, Draw};
use crate::command::error::{self, Failure};
use crate::command::scan_elements::elements;
use crate::command::sets::write_text;
use crate::data::listpack::Item;
use crate::data::{Kind, zset::Zset};
use crate::resp::double::Printed;
use crate::resp::{Args, Reply};

/// The largest count, negative or not, of pairs: their texts must be countable too.
const MOST_PAIRS: usize = (i64::MAX / 2).cast_unsigned() as usize;

/// `ZRANDMEMBER key [count [WITHSCORES]]`
pub fn zrandmember(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (wanted, scores) = read(args)?;
    let (mut rng, most) = (ctx.rng.clone(), ctx.settings.max_string);
    let result = ctx.view(args.get(1), |found: Option<&Zset>, reply| {
        match (found, wanted) {
            (None, None) => reply.null(),
            (None, Some(_)) => reply.array(0),
            (Some(zset), None) => write_at(reply, zset, draw::one(&mut rng, zset.len()), false),
            (Some(zset), Some(Draw::Distinct(count))) => {
                let ranks = draw::distinct(&mut rng, count, zset.len());
                write_ranks(reply, zset, &ranks, scores);
            }
            (Some(zset), Some(Draw::Repeated(count))) => {
                let begin = |reply: &mut Reply| begin(reply, count, scores);
                return draw::repeated(&mut rng, reply, (count, zset.len(), most), begin, |reply, rank| {
                    write_at(reply, zset, rank, scores);
                });
            }
        }
        Ok(())
    })?;
    *ctx.rng = rng;
    result
}

/// How many are wanted, one if nothing is said, and whether with their scores.
fn read(args: Args<'_>) -> Result<(Option<Draw>, bool), Failure> {
    if args.len() == 2 {
        return Ok((None, false));
    }
    let wanted = Draw::read(args.get(2))?;
    let scores = match args.len() {
        3 => false,
        4 if is(args.get(3), "WITHSCORES") => true,
        _ => return Err(error::SYNTAX),
    };
    let (Draw::Distinct(count) | Draw::Repeated(count)) = wanted;
    if scores && count > MOST_PAIRS {
        return Err(error::OUT_OF_RANGE);
    }
    Ok((Some(wanted), scores))
}

/// Begins an array of `count` members or pairs. In RESP3 a pair is an array, in RESP2 two elements.
fn begin(reply: &mut Reply, count: usize, scores: bool) {
    reply.array(if scores && !reply.resp3() { count.saturating_mul(2) } else { count });
}

fn write_at(reply: &mut Reply, zset: &Zset, rank: usize, scores: bool) {
    let Some((member, score)) = zset.at(rank) else { return reply.null() };
    if scores && reply.resp3() {
        reply.array(2);
    }
    write_text(reply, member);
    if scores {
        reply.double(score);
    }
}

/// Writes the members, or pairs, of ascending ranks.
fn write_ranks(reply: &mut Reply, zset: &Zset, ranks: &[usize], scores: bool) {
    if ranks.len() == zset.len() {
        return write_pairs(reply, zset.iter(), scores);
    }
    begin(reply, ranks.len(), scores);
    ranks.iter().for_each(|&rank| write_at(reply, zset, rank, scores));
}

/// `ZSCAN key cursor [MATCH pattern] [COUNT count]`
pub fn zscan(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    elements(ctx, args, |zset: &Zset, step, shown| {
        // Redis shows what a small one stores, and prints the scores of a large one with more digits than elsewhere.
        let print = if zset.as_listpack().is_some() { Printed::new } else { Printed::seventeen };
        zset.scan(step.cursor, step.count, |member, score| {
            if member.with_text(|text| step.takes(text)) {
                shown.push(member);
                shown.push(Item::Str(print(score).as_bytes()));
            }
        })
    })
}
