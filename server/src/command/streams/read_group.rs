//! XREADGROUP: new entries become pending for the consumer; what is pending already is read again from an id on.

use super::super::context::Context;
use super::super::error::Failure;
use super::ids;
use super::read::Request;
use super::told::Told;
use crate::data::stream::{Group, Id, Log, Owner, Pending, Stream};
use crate::resp::{Args, Reply};

/// `XREADGROUP GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key ...] id [id ...]`
pub fn xreadgroup(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let request = Request::parse(args, true, ctx.now_ms)?;
    let Some((group, consumer)) = request.group else { return Ok(()) };
    let mut after = Vec::new();
    for stream in 0..request.streams {
        let key = request.key(stream);
        let there = ctx.view(key, |found: Option<&Stream>, _| {
            found.is_some_and(|stream| stream.groups().get(group).is_some())
        })?;
        if !there {
            return Err(no_group(key, group));
        }
        after.push(match request.id(stream) {
            b"$" => return Err(MEANINGLESS),
            b">" => None,
            word => Some(ids::id(word)?).filter(|id| *id != Id::MAX),
        });
    }
    let (mark, mut served) = (ctx.reply.len(), 0);
    let now_ms = i64::try_from(ctx.now_ms).unwrap_or(i64::MAX);
    for (stream, after) in after.into_iter().enumerate() {
        let key = request.key(stream);
        let edited = ctx.edit(key, |stream: &mut Stream, reply| {
            let (groups, log) = stream.groups_mut();
            let outcome = groups.edit(group, |group| {
                let mut told = Told::default();
                let owner = join(group, consumer, now_ms, &mut told)?;
                let mut reading = Reading { log, group, owner, now_ms, count: request.count };
                let some = after.is_some() || log.has_after(reading.group.last);
                if some {
                    if !reply.resp3() {
                        reply.array(2);
                    }
                    reply.bulk(key);
                    match after {
                        Some(after) => reading.again(after, reply),
                        None => reading.on(request.no_ack, reply, &mut told),
                    }
                }
                Some((some, told))
            });
            (outcome.flatten(), false)
        })?;
        if let Some((some, told)) = edited.and_then(|edited| edited.result) {
            served += usize::from(some);
            told.tell(ctx, key, group, consumer);
        }
    }
    request.end(ctx, mark, served, &[]);
    Ok(())
}

/// The consumer of this name, made if it is new, that has asked for something now.
pub(super) fn join(group: &mut Group, name: &[u8], now_ms: i64, told: &mut Told) -> Option<Owner> {
    match group.find(name) {
        Some(owner) => {
            group.note(owner, now_ms, false);
            Some(owner)
        }
        None => {
            told.created = true;
            group.add(name, now_ms, None)
        }
    }
}

/// A consumer that reads.
struct Reading<'a> {
    log: &'a Log,
    group: &'a mut Group,
    owner: Owner,
    now_ms: i64,
    count: usize,
}

impl Reading<'_> {
    /// Gives it what the group has not read.
    fn on(&mut self, no_ack: bool, reply: &mut Reply, told: &mut Told) {
        let Some(from) = self.group.last.next() else { return };
        let (log, group) = (self.log, &mut *self.group);
        ids::write_all(reply, log.range(from, Id::MAX), self.count, |reply, entry| {
            let id = entry.id;
            group.read = match group.read {
                Some(read) if !log.has_gaps_from(id) => read.checked_add(1),
                read if log.added() == 0 => read,
                _ => log.distance(id),
            };
            group.last = id;
            ids::write_entry(reply, entry);
            if !no_ack {
                let pending = Pending { id, delivered_ms: self.now_ms, deliveries: 1, owner: self.owner };
                group.assign(pending);
                told.claimed(pending, group);
            }
        });
        if !no_ack {
            self.group.note(self.owner, self.now_ms, true);
        }
        told.moved = Some((self.group.last, self.group.read));
    }

    /// Gives it again what is pending for it behind an id.
    fn again(&mut self, after: Id, reply: &mut Reply) {
        let from = after.next().unwrap_or(Id::MAX);
        let most = if self.count == 0 { usize::MAX } else { self.count };
        let pending: Vec<Pending> = self.group.pending_of(self.owner, from).take(most).collect();
        reply.array(pending.len());
        for pending in pending {
            let Some(entry) = self.log.range(pending.id, pending.id).next() else {
                reply.array(2);
                ids::write(reply, pending.id);
                reply.null_array();
                continue;
            };
            ids::write_entry(reply, entry);
            let deliveries = pending.deliveries.saturating_add(1);
            self.group.assign(Pending { delivered_ms: self.now_ms, deliveries, ..pending });
        }
    }
}

fn no_group(key: &[u8], group: &[u8]) -> Failure {
    super::groups::worded(&[
        b"NOGROUP No such key '",
        key,
        b"' or consumer group '",
        group,
        b"' in XREADGROUP with GROUP option",
    ])
}

const MEANINGLESS: Failure = Failure::fixed(
    "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by \
     specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.",
);
