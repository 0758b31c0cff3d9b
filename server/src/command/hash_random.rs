//! Hashes, drawn from: HRANDFIELD.

use super::context::Context;
use super::draw::{self, Drawn};
use super::error::Failure;
use super::sets::write_text;
use crate::data::Kind;
use crate::data::hash::Hash;
use crate::data::listpack::Item;
use crate::resp::{Args, Reply};

/// `HRANDFIELD key [count [WITHVALUES]]`
pub fn hrandfield(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    draw::pairs::<Hash>(ctx, args)
}

impl Drawn for Hash {
    const PAIRED: &'static str = "WITHVALUES";

    fn write_at(&self, reply: &mut Reply, rank: usize, pairs: bool) {
        match self.at(rank) {
            Some((field, value)) => write_one(reply, field, value, pairs),
            None => reply.null(),
        }
    }

    fn write_ranks(&self, reply: &mut Reply, ranks: &[usize], pairs: bool) {
        draw::begin_pairs(reply, ranks.len(), pairs);
        if !draw::is_dense(ranks.len(), self.len()) {
            ranks.iter().for_each(|&rank| self.write_at(reply, rank, pairs));
            return;
        }
        let (mut wanted, mut rank) = (ranks.iter().peekable(), 0);
        self.for_each(|field, value| {
            if wanted.next_if_eq(&&rank).is_some() {
                write_one(reply, field, value, pairs);
            }
            rank += 1;
        });
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
