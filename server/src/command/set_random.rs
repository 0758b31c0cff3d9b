//! Sets, drawn from: SPOP and SRANDMEMBER. Replicas see which members went.

use super::args::positive;
use super::context::Context;
use super::draw::{self, Draw};
use super::effects::Events;
use super::error::{self, Failure};
use super::sets::{lessened, write_set, write_text};
use crate::data::Kind;
use crate::data::set::Set;
use crate::resp::request::OwnedArgs;
use crate::resp::{Args, Reply};

/// Members of one SREM that replicas see in the place of an SPOP of many.
const BATCH: usize = 1024;
/// A set is made anew when fewer than one in so many of its members stay.
const MOST_GONE: usize = 5;

/// `SPOP key [count]`
pub fn spop(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    match args.len() {
        2 => pop_one(ctx, args.get(1)),
        3 => pop_many(ctx, args.get(1), positive(args.get(2), error::NOT_POSITIVE)?),
        _ => Err(error::SYNTAX),
    }
}

fn pop_one(ctx: &mut Context<'_>, key: &[u8]) -> Result<(), Failure> {
    let mut rng = ctx.rng.clone();
    let edited = ctx.edit(key, |set: &mut Set, reply| {
        let rank = draw::one(&mut rng, set.len());
        let member = set.take(rank, |member| {
            reply.bulk(member);
            member.to_vec()
        });
        (member, true)
    })?;
    *ctx.rng = rng;
    let Some((edited, member)) = edited.and_then(|mut edited| edited.result.take().map(|it| (edited, it)))
    else {
        ctx.reply.null();
        return Ok(());
    };
    lessened(ctx, "spop", key, edited.emptied);
    ctx.effects.instead(ctx.db, &[b"SREM", key, &member]);
    Ok(())
}

fn pop_many(ctx: &mut Context<'_>, key: &[u8], count: usize) -> Result<(), Failure> {
    let len = ctx.look(key, |found: Option<&Set>, _| found.map_or(0, Set::len))?;
    if count == 0 || len == 0 {
        ctx.reply.set(0);
        return Ok(());
    }
    if count >= len {
        return pop_all(ctx, key, len);
    }
    let ranks = draw::distinct(ctx.rng, count, len);
    let limits = &ctx.settings.limits;
    let mut popped = OwnedArgs::default();
    ctx.edit(key, |set: &mut Set, reply| {
        reply.set(count);
        // The highest first, so that the others keep theirs.
        for rank in ranks.into_iter().rev() {
            set.take(rank, |member| {
                reply.bulk(member);
                popped.push(member);
            });
        }
        if (len - count).saturating_mul(MOST_GONE) <= count {
            set.rebuild(limits);
        }
        ((), true)
    })?;
    ctx.notify(Events::SET, "spop", key);
    let members: Vec<&[u8]> = popped.args().iter_from(0).collect();
    let batches = members.chunks(BATCH);
    ctx.effects.changed(u64::try_from(count - batches.len()).unwrap_or(0));
    for batch in batches {
        ctx.effects.instead(ctx.db, &[&[b"SREM", key][..], batch].concat());
    }
    Ok(())
}

/// Gives the whole set, which is then gone.
fn pop_all(ctx: &mut Context<'_>, key: &[u8], len: usize) -> Result<(), Failure> {
    ctx.look(key, |found: Option<&Set>, reply| match found {
        Some(set) => write_set(reply, set),
        None => reply.set(0),
    })?;
    ctx.keyspace.remove(ctx.db, key);
    lessened(ctx, "spop", key, true);
    let verb: &[u8] = if ctx.settings.lazy_server_del { b"UNLINK" } else { b"DEL" };
    ctx.effects.instead(ctx.db, &[verb, key]);
    ctx.effects.changed(u64::try_from(len - 1).unwrap_or(0));
    Ok(())
}

/// `SRANDMEMBER key [count]`
pub fn srandmember(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let wanted = match args.len() {
        2 => None,
        3 => Some(Draw::read(args.get(2))?),
        _ => return Err(error::SYNTAX),
    };
    let (mut rng, most) = (ctx.rng.clone(), ctx.settings.max_string);
    let result = ctx.view(args.get(1), |found: Option<&Set>, reply| {
        match (found, wanted) {
            (None, None) => reply.null(),
            (None, Some(_)) => reply.array(0),
            (Some(set), None) => write_at(reply, set, draw::one(&mut rng, set.len())),
            (Some(set), Some(Draw::Distinct(count))) => {
                let ranks = draw::distinct(&mut rng, count, set.len());
                write_ranks(reply, set, &ranks);
            }
            (Some(set), Some(Draw::Repeated(count))) => {
                let begin = |reply: &mut Reply| reply.array(count);
                return draw::repeated(&mut rng, reply, (count, set.len(), most), begin, |reply, rank| {
                    write_at(reply, set, rank);
                });
            }
        }
        Ok(())
    })?;
    *ctx.rng = rng;
    result
}

fn write_at(reply: &mut Reply, set: &Set, rank: usize) {
    match set.at(rank) {
        Some(member) => write_text(reply, member),
        None => reply.null(),
    }
}

/// Writes the members of ascending ranks.
fn write_ranks(reply: &mut Reply, set: &Set, ranks: &[usize]) {
    reply.array(ranks.len());
    if !draw::is_dense(ranks.len(), set.len()) {
        ranks.iter().for_each(|&rank| write_at(reply, set, rank));
        return;
    }
    let (mut wanted, mut rank) = (ranks.iter().peekable(), 0);
    set.for_each(|member| {
        if wanted.next_if_eq(&&rank).is_some() {
            write_text(reply, member);
        }
        rank += 1;
    });
}
