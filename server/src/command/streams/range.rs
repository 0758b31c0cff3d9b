//! XRANGE and XREVRANGE.

use super::super::args::{Options, integer, is};
use super::super::context::Context;
use super::super::error::{self, Failure};
use super::ids;
use crate::data::stream::Stream;
use crate::resp::Args;

/// `XRANGE key start end [COUNT count]`
pub fn xrange(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    range(ctx, args, false)
}

/// `XREVRANGE key end start [COUNT count]`
pub fn xrevrange(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    range(ctx, args, true)
}

fn range(ctx: &mut Context<'_>, args: Args<'_>, backwards: bool) -> Result<(), Failure> {
    let (start, end) = if backwards { (3, 2) } else { (2, 3) };
    let (from, to) = (ids::start(args.get(start))?, ids::end(args.get(end))?);
    let mut count = None;
    let mut options = Options::from(args, 4);
    while let Some(word) = options.next() {
        if !is(word, "COUNT") {
            return Err(error::SYNTAX);
        }
        count = Some(ids::count(integer(options.value()?)?));
    }
    ctx.view(args.get(1), |found: Option<&Stream>, reply| match (found, count) {
        (None, _) => reply.array(0),
        (Some(_), Some(0)) => reply.null_array(),
        (Some(stream), count) => {
            let (log, count) = (stream.log(), count.unwrap_or(0));
            if backwards {
                ids::write_all(reply, log.reverse(from, to), count, ids::write_entry);
            } else {
                ids::write_all(reply, log.range(from, to), count, ids::write_entry);
            }
        }
    })
}
