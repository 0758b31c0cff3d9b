//! XPENDING.

use super::super::args::{integer, is};
use super::super::context::Context;
use super::super::error::{self, Failure};
use super::{groups, ids};
use crate::data::stream::{Group, Id, Pending, Stream};
use crate::resp::{Args, Reply};

/// `XPENDING key group [[IDLE min-idle-time] start end count [consumer]]`
pub fn xpending(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    if args.len() != 3 && !(6..=9).contains(&args.len()) {
        return Err(error::SYNTAX);
    }
    let wanted = if args.len() == 3 { None } else { Some(Wanted::parse(args)?) };
    let (key, name) = (args.get(1), args.get(2));
    let now_ms = i64::try_from(ctx.now_ms).unwrap_or(i64::MAX);
    ctx.view(key, |found: Option<&Stream>, reply| {
        let group = found.and_then(|stream| stream.groups().get(name));
        let group = group.ok_or_else(|| groups::no_key_or_group(key, name))?;
        match &wanted {
            None => summary(group, reply),
            Some(wanted) => wanted.list(group, now_ms, reply),
        }
        Ok(())
    })?
}

/// How much is pending, from where to where, and for whom.
fn summary(group: &Group, reply: &mut Reply) {
    reply.array(4);
    reply.count(group.pending_len());
    let Some((first, last)) = group.pending_ends() else {
        reply.null();
        reply.null();
        reply.null_array();
        return;
    };
    ids::write(reply, first);
    ids::write(reply, last);
    let busy = group.consumers().filter(|(_, consumer)| consumer.pending() > 0);
    ids::write_all(reply, busy, 0, |reply, (_, consumer)| {
        reply.array(2);
        reply.bulk(consumer.name());
        reply.bulk(itoa::Buffer::new().format(consumer.pending()).as_bytes());
    });
}

/// Which pending entries are listed.
struct Wanted<'a> {
    from: Id,
    to: Id,
    count: usize,
    min_idle_ms: i64,
    consumer: Option<&'a [u8]>,
}

impl<'a> Wanted<'a> {
    fn parse(args: Args<'a>) -> Result<Self, Failure> {
        let (mut at, mut min_idle_ms) = (3, 0);
        if is(args.get(3), "IDLE") {
            min_idle_ms = integer(args.get(4))?;
            if args.len() < 8 {
                return Err(error::SYNTAX);
            }
            at = 5;
        }
        let count = ids::count(integer(args.get(at + 2))?);
        let (from, to) = (ids::start(args.get(at))?, ids::end(args.get(at + 1))?);
        let consumer = (at + 3 < args.len()).then(|| args.get(at + 3));
        Ok(Self { from, to, count, min_idle_ms, consumer })
    }

    fn list(&self, group: &Group, now_ms: i64, reply: &mut Reply) {
        let owner = self.consumer.map(|name| group.find(name));
        if self.count == 0 || owner == Some(None) {
            reply.array(0);
            return;
        }
        let (all, own) = match owner.flatten() {
            Some(owner) => (None, Some(group.pending_of(owner, self.from))),
            None => (Some(group.pending_from(self.from)), None),
        };
        let pending = all.into_iter().flatten().chain(own.into_iter().flatten());
        let idle = |pending: &Pending| now_ms.saturating_sub(pending.delivered_ms);
        let wanted = pending
            .take_while(|pending| pending.id <= self.to)
            .filter(|pending| self.min_idle_ms == 0 || idle(pending) >= self.min_idle_ms);
        ids::write_all(reply, wanted, self.count, |reply, pending| {
            reply.array(4);
            ids::write(reply, pending.id);
            reply.bulk(group.name_of(pending.owner));
            reply.int(idle(&pending).max(0));
            reply.int(pending.deliveries.cast_signed());
        });
    }
}
