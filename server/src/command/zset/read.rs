//! What is known of members: ZCARD, ZSCORE, ZMSCORE, ZRANK, ZREVRANK, ZCOUNT, ZLEXCOUNT.

use super::bounds::{Bounds, read_members, read_scores};
use crate::command::args::is;
use crate::command::context::Context;
use crate::command::error::{self, Failure};
use crate::data::{Kind, zset::Zset};
use crate::resp::{Args, Reply};

/// `ZCARD key`
pub fn zcard(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.view(args.get(1), |found: Option<&Zset>, reply| reply.count(found.map_or(0, Kind::len)))
}

/// `ZSCORE key member`
pub fn zscore(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.view(args.get(1), |found: Option<&Zset>, reply| write_score(reply, found, args.get(2)))
}

/// `ZMSCORE key member [member ...]`
pub fn zmscore(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.view(args.get(1), |found: Option<&Zset>, reply| {
        reply.array(args.len() - 2);
        args.iter_from(2).for_each(|member| write_score(reply, found, member));
    })
}

fn write_score(reply: &mut Reply, zset: Option<&Zset>, member: &[u8]) {
    match zset.and_then(|zset| zset.score(member)) {
        Some(score) => reply.double(score),
        None => reply.null(),
    }
}

/// `ZRANK key member [WITHSCORE]`
pub fn zrank(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    rank(ctx, args, "zrank", false)
}

/// `ZREVRANK key member [WITHSCORE]`
pub fn zrevrank(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    rank(ctx, args, "zrevrank", true)
}

fn rank(ctx: &mut Context<'_>, args: Args<'_>, name: &str, from_end: bool) -> Result<(), Failure> {
    let with_score = args.len() > 3;
    if args.len() > 4 {
        return Err(error::wrong_arity(name));
    }
    if with_score && !is(args.get(3), "WITHSCORE") {
        return Err(error::SYNTAX);
    }
    ctx.view(args.get(1), |found: Option<&Zset>, reply| {
        let place = found.and_then(|zset| {
            let (rank, score) = zset.rank(args.get(2))?;
            Some((if from_end { zset.len() - 1 - rank } else { rank }, score))
        });
        match place {
            Some((rank, score)) if with_score => {
                reply.array(2);
                reply.count(rank);
                reply.double(score);
            }
            Some((rank, _)) => reply.count(rank),
            None if with_score => reply.null_array(),
            None => reply.null(),
        }
    })
}

/// `ZCOUNT key min max`
pub fn zcount(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    count(ctx, args, read_scores(args.get(2), args.get(3))?)
}

/// `ZLEXCOUNT key min max`
pub fn zlexcount(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    count(ctx, args, read_members(args.get(2), args.get(3))?)
}

fn count(ctx: &mut Context<'_>, args: Args<'_>, bounds: Bounds<'_>) -> Result<(), Failure> {
    ctx.view(args.get(1), |found: Option<&Zset>, reply| {
        reply.count(found.map_or(0, |zset| bounds.ranks(zset).len()));
    })
}
