//! XINFO STREAM key FULL: entries, groups, and what is pending in them.

use super::super::args::{integer, is};
use super::super::error::{self, Failure};
use super::ids;
use super::info::{named, progress};
use crate::data::stream::{Group, Id, Pending, Stream};
use crate::resp::{Args, Reply};

/// How much of everything is shown.
pub(super) struct Full {
    /// Most entries of a list; 0 for all.
    count: usize,
}

impl Full {
    /// Reads what stands behind the key; none when there is nothing.
    pub(super) fn parse(args: Args<'_>) -> Result<Option<Self>, Failure> {
        let wrong = || error::unknown_or_wrong(args.get(1), "xinfo");
        match args.len() {
            3 => Ok(None),
            4 if is(args.get(3), "FULL") => Ok(Some(Self { count: 10 })),
            6 if is(args.get(3), "FULL") && is(args.get(4), "COUNT") => {
                let count = integer(args.get(5))?;
                Ok(Some(Self { count: usize::try_from(count).unwrap_or(10) }))
            }
            _ => Err(wrong()),
        }
    }

    /// Writes the last two pairs.
    pub(super) fn write(&self, stream: &Stream, reply: &mut Reply) {
        named(reply, "entries", |reply| {
            ids::write_all(reply, stream.log().range(Id::MIN, Id::MAX), self.count, ids::write_entry);
        });
        named(reply, "groups", |reply| reply.array(stream.groups().len()));
        for (name, group) in stream.groups().iter() {
            reply.map(7);
            named(reply, "name", |reply| reply.bulk(name));
            progress(stream.log(), group, reply);
            named(reply, "pel-count", |reply| reply.count(group.pending_len()));
            named(reply, "pending", |reply| {
                ids::write_all(reply, group.pending_from(Id::MIN), self.count, |reply, pending| {
                    reply.array(4);
                    ids::write(reply, pending.id);
                    reply.bulk(group.name_of(pending.owner));
                    delivery(reply, &pending);
                });
            });
            self.consumers(group, reply);
        }
    }

    fn consumers(&self, group: &Group, reply: &mut Reply) {
        named(reply, "consumers", |reply| reply.array(group.consumer_count()));
        for (owner, consumer) in group.consumers() {
            reply.map(5);
            named(reply, "name", |reply| reply.bulk(consumer.name()));
            named(reply, "seen-time", |reply| reply.int(consumer.seen_ms));
            named(reply, "active-time", |reply| reply.int(consumer.active_ms.unwrap_or(-1)));
            named(reply, "pel-count", |reply| reply.count(consumer.pending()));
            named(reply, "pending", |reply| {
                ids::write_all(reply, group.pending_of(owner, Id::MIN), self.count, |reply, pending| {
                    reply.array(3);
                    ids::write(reply, pending.id);
                    delivery(reply, &pending);
                });
            });
        }
    }
}

fn delivery(reply: &mut Reply, pending: &Pending) {
    reply.int(pending.delivered_ms);
    reply.int(pending.deliveries.cast_signed());
}
