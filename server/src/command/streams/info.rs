//! XINFO STREAM, GROUPS and CONSUMERS.

use super::super::context::Context;
use super::super::error::{self, Failure};
use super::info_full::Full;
use super::{groups, ids};
use crate::data::stream::{Group, Id, Log, Stream};
use crate::resp::{Args, Reply};

/// `XINFO STREAM key [FULL [COUNT count]]`
pub fn stream(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.view(args.get(2), |found: Option<&Stream>, reply| {
        let stream = found.ok_or(error::NO_SUCH_KEY)?;
        if let Some(full) = Full::parse(args)? {
            reply.map(9);
            measures(stream.log(), reply);
            full.write(stream, reply);
            return Ok(());
        }
        let log = stream.log();
        reply.map(10);
        measures(log, reply);
        named(reply, "groups", |reply| reply.count(stream.groups().len()));
        for (name, entry) in [
            ("first-entry", log.range(Id::MIN, Id::MAX).next()),
            ("last-entry", log.reverse(Id::MIN, Id::MAX).next()),
        ] {
            named(reply, name, |reply| match entry {
                Some(entry) => ids::write_entry(reply, entry),
                None => reply.null(),
            });
        }
        Ok(())
    })?
}

/// `XINFO GROUPS key`
pub fn groups(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.view(args.get(2), |found: Option<&Stream>, reply| {
        let stream = found.ok_or(error::NO_SUCH_KEY)?;
        reply.array(stream.groups().len());
        for (name, group) in stream.groups().iter() {
            reply.map(6);
            named(reply, "name", |reply| reply.bulk(name));
            named(reply, "consumers", |reply| reply.count(group.consumer_count()));
            named(reply, "pending", |reply| reply.count(group.pending_len()));
            progress(stream.log(), group, reply);
        }
        Ok(())
    })?
}

/// `XINFO CONSUMERS key group`
pub fn consumers(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (key, name) = (args.get(2), args.get(3));
    let now_ms = i64::try_from(ctx.now_ms).unwrap_or(i64::MAX);
    ctx.view(key, |found: Option<&Stream>, reply| {
        let stream = found.ok_or(error::NO_SUCH_KEY)?;
        let group = stream.groups().get(name).ok_or_else(|| groups::no_such_group(key, name))?;
        reply.array(group.consumer_count());
        for (_, consumer) in group.consumers() {
            let idle = now_ms.saturating_sub(consumer.seen_ms).max(0);
            let inactive = consumer.active_ms.map_or(-1, |active| now_ms.saturating_sub(active));
            reply.map(4);
            named(reply, "name", |reply| reply.bulk(consumer.name()));
            named(reply, "pending", |reply| reply.count(consumer.pending()));
            named(reply, "idle", |reply| reply.int(idle));
            named(reply, "inactive", |reply| reply.int(inactive));
        }
        Ok(())
    })?
}

/// A name of a map, and what `write` writes.
pub(super) fn named(reply: &mut Reply, name: &str, write: impl FnOnce(&mut Reply)) {
    reply.bulk(name.as_bytes());
    write(reply);
}

/// The first seven pairs of XINFO STREAM.
fn measures(log: &Log, reply: &mut Reply) {
    named(reply, "length", |reply| reply.count(log.len()));
    named(reply, "radix-tree-keys", |reply| reply.count(log.node_count()));
    // There is no radix tree here; the least one that has as many keys.
    named(reply, "radix-tree-nodes", |reply| reply.count(log.node_count() + 1));
    named(reply, "last-generated-id", |reply| ids::write(reply, log.last()));
    named(reply, "max-deleted-entry-id", |reply| ids::write(reply, log.max_deleted()));
    named(reply, "entries-added", |reply| reply.int(log.added().cast_signed()));
    named(reply, "recorded-first-entry-id", |reply| ids::write(reply, log.first()));
}

/// How far a group has read: three pairs.
pub(super) fn progress(log: &Log, group: &Group, reply: &mut Reply) {
    named(reply, "last-delivered-id", |reply| ids::write(reply, group.last));
    named(reply, "entries-read", |reply| maybe(reply, group.read.map(u64::cast_signed)));
    named(reply, "lag", |reply| maybe(reply, lag(log, group)));
}

fn maybe(reply: &mut Reply, number: Option<i64>) {
    match number {
        Some(number) => reply.int(number),
        None => reply.null(),
    }
}

/// How many entries the group has still to read; none where that cannot be told.
fn lag(log: &Log, group: &Group) -> Option<i64> {
    if log.added() == 0 {
        return Some(0);
    }
    let read = match group.read {
        Some(read) if !log.has_gaps_from(group.last) => read,
        _ => log.distance(group.last)?,
    };
    Some(log.added().wrapping_sub(read).cast_signed())
}
