//! Hashes, drawn from: HRANDFIELD.

use super::args::is;
use super::context::Context;
use super::draw::{self, Draw};
use super::error::{self, Failure};
use super::sets::write_text;
use crate::data::Kind;
use crate::data::hash::Hash;
use crate::data::listpack::Item;
use crate::resp::{Args, Reply};

/// The largest count, negative or not, of pairs: their texts must be countable too.
const MOST_PAIRS: usize = (i64::MAX / 2).cast_unsigned() as usize;

/// `HRANDFIELD key [count [WITHVALUES]]`
pub fn hrandfield(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (wanted, pairs) = read(args)?;
    let (mut rng, most) = (ctx.rng.clone(), ctx.settings.max_string);
    let result = ctx.view(args.get(1), |found: Option<&Hash>, reply| {
        match (found, wanted) {
            (None, None) => reply.null(),
            (None, Some(_)) => reply.array(0),
            (Some(hash), None) => write_at(reply, hash, draw::one(&mut rng, hash.len()), false),
            (Some(hash), Some(Draw::Distinct(count))) => {
                let ranks = draw::distinct(&mut rng, count, hash.len());
                write_ranks(reply, hash, &ranks, pairs);
            }
            (Some(hash), Some(Draw::Repeated(count))) => {
                let begin = |reply: &mut Reply| begin(reply, count, pairs);
                return draw::repeated(&mut rng, reply, (count, hash.len(), most), begin, |reply, rank| {
                    write_at(reply, hash, rank, pairs);
                });
            }
        }
        Ok(())
    })?;
    *ctx.rng = rng;
    result
}

/// How many are wanted, one if nothing is said, and whether with their values.
fn read(args: Args<'_>) -> Result<(Option<Draw>, bool), Failure> {
    if args.len() == 2 {
        return Ok((None, false));
    }
    let wanted = Draw::read(args.get(2))?;
    let pairs = match args.len() {
        3 => false,
        4 if is(args.get(3), "WITHVALUES") => true,
        _ => return Err(error::SYNTAX),
    };
    let (Draw::Distinct(count) | Draw::Repeated(count)) = wanted;
    if pairs && count > MOST_PAIRS {
        return Err(error::OUT_OF_RANGE);
    }
    Ok((Some(wanted), pairs))
}

/// Begins an array of `count` fields or pairs. In RESP3 a pair is an array, in RESP2 two elements.
fn begin(reply: &mut Reply, count: usize, pairs: bool) {
    reply.array(if pairs && !reply.resp3() { count.saturating_mul(2) } else { count });
}

fn write_at(reply: &mut Reply, hash: &Hash, rank: usize, pairs: bool) {
    match hash.at(rank) {
        Some((field, value)) => write_one(reply, field, value, pairs),
        None => reply.null(),
    }
}

fn write_one(reply: &mut Reply, field: Item<'_>, value: Item<'_>, pairs: bool) {
    if pairs && reply.resp3() {
        reply.array(2);
    }
    write_text(reply, field);
    if pairs {
        write_text(reply, value);
    }
}

/// Writes the fields, or pairs, of ascending ranks.
fn write_ranks(reply: &mut Reply, hash: &Hash, ranks: &[usize], pairs: bool) {
    begin(reply, ranks.len(), pairs);
    if !draw::is_dense(ranks.len(), hash.len()) {
        ranks.iter().for_each(|&rank| write_at(reply, hash, rank, pairs));
        return;
    }
    let (mut wanted, mut rank) = (ranks.iter().peekable(), 0);
    hash.for_each(|field, value| {
        if wanted.next_if_eq(&&rank).is_some() {
            write_one(reply, field, value, pairs);
        }
        rank += 1;
    });
}
