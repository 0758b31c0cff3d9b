//! Draws of members and walks over them: ZRANDMEMBER, ZSCAN.

use super::write_pairs;
use crate::command::context::Context;
use crate::command::draw::{self, Drawn};
use crate::command::error::Failure;
use crate::command::scan_elements::elements;
use crate::command::sets::write_text;
use crate::data::listpack::Item;
use crate::data::{Kind, zset::Zset};
use crate::resp::double::Printed;
use crate::resp::{Args, Reply};

/// `ZRANDMEMBER key [count [WITHSCORES]]`
pub fn zrandmember(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    draw::pairs::<Zset>(ctx, args)
}

impl Drawn for Zset {
    const PAIRED: &'static str = "WITHSCORES";

    fn write_at(&self, reply: &mut Reply, rank: usize, pairs: bool) {
        let Some((member, score)) = self.at(rank) else { return reply.null() };
        if pairs && reply.resp3() {
            reply.array(2);
        }
        write_text(reply, member);
        if pairs {
            reply.double(score);
        }
    }

    fn write_ranks(&self, reply: &mut Reply, ranks: &[usize], pairs: bool) {
        if ranks.len() == self.len() {
            return write_pairs(reply, self.iter(), pairs);
        }
        draw::begin_pairs(reply, ranks.len(), pairs);
        ranks.iter().for_each(|&rank| self.write_at(reply, rank, pairs));
    }
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
