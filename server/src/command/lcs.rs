//! LCS: what two strings have in common.

use super::args::{Options, integer, is};
use super::context::{Context, Found};
use super::error::{self, Failure};
use super::strings::with_bytes;
use crate::data::lcs::{Lcs, Shared};
use crate::resp::{Args, Reply};

/// `LCS key1 key2 [LEN] [IDX] [MINMATCHLEN len] [WITHMATCHLEN]`; a missing key is an empty string.
pub fn lcs(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let shape = Shape::parse(args)?;
    let copy = |found: Option<Found<'_>>, _: &mut Reply| {
        found.map_or_else(Vec::new, |found| with_bytes(found.value(), <[u8]>::to_vec))
    };
    let both = ctx.read_string(args.get(1), copy).and_then(|a| Ok((a, ctx.read_string(args.get(2), copy)?)));
    let (a, b) = both.map_err(|_| Failure::fixed("ERR The specified keys must contain string values"))?;
    if Lcs::cost(a.len(), b.len()).is_none_or(|cost| cost > ctx.settings.max_string) {
        return Err(error::LCS_TOO_BIG);
    }
    let lcs = Lcs::of(&a, &b);
    let reply = &mut *ctx.reply;
    if shape.length {
        reply.count(lcs.length());
        return Ok(());
    }
    let (text, stretches) = lcs.trace();
    if shape.positions {
        write_positions(reply, &stretches, &shape, lcs.length());
    } else {
        reply.bulk(&text);
    }
    Ok(())
}

/// What is asked for.
#[derive(Debug, Clone, Copy, Default)]
struct Shape {
    length: bool,
    positions: bool,
    shortest: usize,
    with_lengths: bool,
}

impl Shape {
    fn parse(args: Args<'_>) -> Result<Self, Failure> {
        let mut shape = Self::default();
        let mut options = Options::from(args, 3);
        while let Some(word) = options.next() {
            if is(word, "IDX") {
                shape.positions = true;
            } else if is(word, "LEN") {
                shape.length = true;
            } else if is(word, "WITHMATCHLEN") {
                shape.with_lengths = true;
            } else if is(word, "MINMATCHLEN") {
                // A negative length is no restriction.
                shape.shortest = usize::try_from(integer(options.value()?)?).unwrap_or(0);
            } else {
                return Err(error::SYNTAX);
            }
        }
        if shape.length && shape.positions {
            return Err(Failure::fixed("ERR If you want both the length and indexes, please just use IDX."));
        }
        Ok(shape)
    }
}

fn write_positions(reply: &mut Reply, stretches: &[Shared], shape: &Shape, length: usize) {
    let size = |shared: &Shared| shared.a.1 - shared.a.0 + 1;
    let shown = || stretches.iter().filter(|shared| size(shared) >= shape.shortest);
    reply.map(2);
    reply.bulk(b"matches");
    reply.array(shown().count());
    for shared in shown() {
        reply.array(if shape.with_lengths { 3 } else { 2 });
        for (first, last) in [shared.a, shared.b] {
            reply.array(2);
            reply.count(first);
            reply.count(last);
        }
        if shape.with_lengths {
            reply.count(size(shared));
        }
    }
    reply.bulk(b"len");
    reply.count(length);
}
