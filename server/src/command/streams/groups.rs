//! XGROUP and XACK.

use std::borrow::Cow;

use super::super::args::{Options, integer, is};
use super::super::context::Context;
use super::super::effects::Events;
use super::super::error::{self, Failure};
use super::ids;
use crate::data::stream::{Group, Id, Log, Stream};
use crate::resp::Args;

/// `XGROUP CREATE key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]`
pub fn create(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let options = Given::parse(args, true)?;
    let (key, name) = (args.get(2), args.get(3));
    let there = ctx.look(key, |found: Option<&Stream>, _| found.is_some())?;
    if !there && !options.make {
        return Err(NO_KEY);
    }
    if args.len() > 8 {
        return Err(error::unknown_or_wrong(args.get(1), "xgroup"));
    }
    let last = Start::parse(args.get(4), ids::id)?;
    let added = ctx.edit_or_new(key, |stream: &mut Stream, _| {
        let (groups, log) = stream.groups_mut();
        // No WATCH is broken unless the key is new.
        (groups.add(name, Group::new(last.id(log), options.read)), false)
    })?;
    if !added.result {
        return Err(Failure::fixed("BUSYGROUP Consumer Group name already exists"));
    }
    ctx.reply.ok();
    done(ctx, "xgroup-create", key);
    Ok(())
}

/// `XGROUP SETID key group <id | $> [ENTRIESREAD entries-read]`
pub fn set_id(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let options = Given::parse(args, false)?;
    let (key, name) = (args.get(2), args.get(3));
    must_have(ctx, key, name)?;
    if args.len() > 7 {
        return Err(error::unknown_or_wrong(args.get(1), "xgroup"));
    }
    let last = Start::parse(args.get(4), |word| ids::bound(word, 0))?;
    change(ctx, key, name, |group, log| {
        (group.last, group.read) = (last.id(log), options.read);
    })?;
    ctx.reply.ok();
    done(ctx, "xgroup-setid", key);
    Ok(())
}

/// `XGROUP DESTROY key group`
pub fn destroy(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let key = args.get(2);
    let edited = ctx.edit(key, |stream: &mut Stream, reply| {
        let gone = stream.groups_mut().0.remove(args.get(3));
        reply.int(i64::from(gone));
        // Those who wait for new entries of the group are to hear that it is gone.
        (gone, gone)
    })?;
    if edited.ok_or(NO_KEY)?.result {
        done(ctx, "xgroup-destroy", key);
    }
    Ok(())
}

/// `XGROUP CREATECONSUMER key group consumer`
pub fn create_consumer(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (key, name) = (args.get(2), args.get(3));
    must_have(ctx, key, name)?;
    let now_ms = i64::try_from(ctx.now_ms).unwrap_or(i64::MAX);
    let added = change(ctx, key, name, |group, _| group.add(args.get(4), now_ms, None).is_some())?;
    ctx.reply.int(i64::from(added == Some(true)));
    if added == Some(true) {
        done(ctx, "xgroup-createconsumer", key);
    }
    Ok(())
}

/// `XGROUP DELCONSUMER key group consumer`
pub fn del_consumer(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (key, name) = (args.get(2), args.get(3));
    must_have(ctx, key, name)?;
    let removed = change(ctx, key, name, |group, _| group.remove(args.get(4)))?.flatten();
    ctx.reply.count(removed.unwrap_or(0));
    if removed.is_some() {
        done(ctx, "xgroup-delconsumer", key);
    }
    Ok(())
}

/// `XACK key group id [id ...]`
pub fn xack(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (key, name) = (args.get(1), args.get(2));
    if !has_group(ctx, key, name)? {
        ctx.reply.int(0);
        return Ok(());
    }
    let done = args.iter_from(3).map(ids::id).collect::<Result<Vec<_>, _>>()?;
    let acknowledged =
        change(ctx, key, name, |group, _| done.iter().filter(|id| group.acknowledge(**id)).count())?;
    let acknowledged = acknowledged.unwrap_or(0);
    ctx.reply.count(acknowledged);
    if acknowledged > 0 {
        super::sent(ctx, acknowledged);
    }
    Ok(())
}

/// Whether there is such a group.
pub(super) fn has_group(ctx: &mut Context<'_>, key: &[u8], name: &[u8]) -> Result<bool, Failure> {
    ctx.look(key, |found: Option<&Stream>, _| found.is_some_and(|stream| stream.groups().get(name).is_some()))
}

/// Changes a group; `None` when there is none. It breaks no WATCH.
pub(super) fn change<R>(
    ctx: &mut Context<'_>,
    key: &[u8],
    name: &[u8],
    change: impl FnOnce(&mut Group, &Log) -> R,
) -> Result<Option<R>, Failure> {
    let edited = ctx.edit(key, |stream: &mut Stream, _| {
        let (groups, log) = stream.groups_mut();
        (groups.edit(name, |group| change(group, log)), false)
    })?;
    Ok(edited.and_then(|edited| edited.result))
}

/// A text made of pieces, which may be a client's words.
pub(super) fn worded(pieces: &[&[u8]]) -> Failure {
    Failure(Cow::Owned(pieces.concat()))
}

/// The group is there.
fn must_have(ctx: &mut Context<'_>, key: &[u8], name: &[u8]) -> Result<(), Failure> {
    let found =
        ctx.look(key, |found: Option<&Stream>, _| found.map(|stream| stream.groups().get(name).is_some()))?;
    match found {
        None => Err(NO_KEY),
        Some(true) => Ok(()),
        Some(false) => Err(no_such_group(key, name)),
    }
}

/// The stream has no such group.
pub(super) fn no_such_group(key: &[u8], name: &[u8]) -> Failure {
    worded(&[b"NOGROUP No such consumer group '", name, b"' for key name '", key, b"'"])
}

/// There is no such stream, or it has no such group.
pub(super) fn no_key_or_group(key: &[u8], name: &[u8]) -> Failure {
    worded(&[b"NOGROUP No such key '", key, b"' or consumer group '", name, b"'"])
}

fn done(ctx: &mut Context<'_>, event: &'static str, key: &[u8]) {
    ctx.notify(Events::STREAM, event, key);
    super::sent(ctx, 1);
}

/// Where a group begins to read.
#[derive(Debug, Clone, Copy)]
enum Start {
    /// `$`: behind what is there.
    Here,
    After(Id),
}

impl Start {
    fn parse(word: &[u8], id: impl Fn(&[u8]) -> Result<Id, Failure>) -> Result<Self, Failure> {
        if word == b"$" { Ok(Self::Here) } else { id(word).map(Self::After) }
    }

    fn id(self, log: &Log) -> Id {
        match self {
            Self::Here => log.last(),
            Self::After(id) => id,
        }
    }
}

/// Options of CREATE and SETID.
#[derive(Debug, Default)]
struct Given {
    make: bool,
    read: Option<u64>,
}

impl Given {
    fn parse(args: Args<'_>, creates: bool) -> Result<Self, Failure> {
        let mut given = Self::default();
        let wrong = || error::unknown_or_wrong(args.get(1), "xgroup");
        let mut options = Options::from(args, 5);
        while let Some(word) = options.next() {
            if creates && is(word, "MKSTREAM") {
                given.make = true;
            } else if is(word, "ENTRIESREAD") {
                let number = integer(options.value().map_err(|_| wrong())?)?;
                if number < -1 {
                    return Err(Failure::fixed("ERR value for ENTRIESREAD must be positive or -1"));
                }
                given.read = u64::try_from(number).ok();
            } else {
                return Err(wrong());
            }
        }
        Ok(given)
    }
}

const NO_KEY: Failure = Failure::fixed(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM \
     option to create an empty stream automatically.",
);
