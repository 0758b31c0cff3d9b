//! XREAD, and how it and XREADGROUP are read.

use super::super::args::{integer, is};
use super::super::context::Context;
use super::super::error::{self, Failure};
use super::super::waiting::{Waiting, timeout_millis};
use super::ids;
use crate::data::stream::{Id, Stream};
use crate::resp::Args;

/// A request to read streams.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    args: Args<'a>,
    /// Most entries of each stream; 0 for any number.
    pub(super) count: usize,
    /// How long to wait in milliseconds, if at all; `Some(None)` is for ever.
    block: Option<Option<u64>>,
    /// The group and the consumer.
    pub(super) group: Option<(&'a [u8], &'a [u8])>,
    /// What is delivered is not pending.
    pub(super) no_ack: bool,
    /// The argument with the first key.
    first: usize,
    /// How many streams.
    pub(super) streams: usize,
}

impl<'a> Request<'a> {
    /// Reads the request; `grouped` for XREADGROUP.
    pub(super) fn parse(args: Args<'a>, grouped: bool, now_ms: u64) -> Result<Self, Failure> {
        let mut request =
            Self { args, count: 0, block: None, group: None, no_ack: false, first: 0, streams: 0 };
        let mut at = 1;
        while at < args.len() && request.first == 0 {
            let (word, more) = (args.get(at), args.len() - 1 - at);
            if is(word, "BLOCK") && more > 0 {
                at += 1;
                request.block = Some(timeout_millis(args.get(at), now_ms)?);
            } else if is(word, "COUNT") && more > 0 {
                at += 1;
                request.count = ids::count(integer(args.get(at))?);
            } else if is(word, "STREAMS") && more > 0 {
                request.first = at + 1;
                request.streams = more / 2;
                if more % 2 != 0 {
                    return Err(unbalanced(grouped));
                }
            } else if is(word, "GROUP") && more >= 2 {
                if !grouped {
                    return Err(only_in_groups("GROUP"));
                }
                request.group = Some((args.get(at + 1), args.get(at + 2)));
                at += 2;
            } else if is(word, "NOACK") {
                if !grouped {
                    return Err(only_in_groups("NOACK"));
                }
                request.no_ack = true;
            } else {
                return Err(error::SYNTAX);
            }
            at += 1;
        }
        if request.first == 0 {
            return Err(error::SYNTAX);
        }
        if grouped && request.group.is_none() {
            return Err(Failure::fixed("ERR Missing GROUP option for XREADGROUP"));
        }
        Ok(request)
    }

    /// The key of a stream.
    pub(super) fn key(&self, stream: usize) -> &'a [u8] {
        self.args.get(self.first + stream)
    }

    /// What stands for an id of a stream.
    pub(super) fn id(&self, stream: usize) -> &'a [u8] {
        self.args.get(self.first + self.streams + stream)
    }

    /// Ends the reply in which `served` streams stand behind `mark`; waits if there are none, where the request says so.
    /// `meant` are the ids that the request meant by `$`.
    pub(super) fn end(&self, ctx: &mut Context<'_>, mark: usize, served: usize, meant: &[Id]) {
        if served > 0 {
            ctx.reply.before(mark, |reply| match reply.resp3() {
                true => reply.map(served),
                false => reply.array(served),
            });
            return;
        }
        ctx.reply.null_array();
        let Some(timeout_ms) = self.block else { return };
        let keys = (0..self.streams).map(|stream| self.key(stream));
        let mut waiting = Waiting::on::<Stream>(keys, timeout_ms);
        for (stream, id) in meant.iter().enumerate() {
            if self.id(stream) == b"$" {
                let place = self.first + self.streams + stream;
                waiting.reworded.push((place, id.with_text(|text| text.into())));
            }
        }
        ctx.block(if self.group.is_some() { waiting.or_gone() } else { waiting });
    }
}

/// `XREAD [COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]`
pub fn xread(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let request = Request::parse(args, false, ctx.now_ms)?;
    let mut after = Vec::new();
    for stream in 0..request.streams {
        let last = ctx.view(request.key(stream), |found: Option<&Stream>, _| {
            found.map_or(Id::MIN, |stream| stream.log().last())
        })?;
        after.push(match request.id(stream) {
            b"$" => last,
            b">" => return Err(ONLY_GROUPS_READ_ON),
            word => ids::id(word)?,
        });
    }
    let (mark, mut served) = (ctx.reply.len(), 0);
    for (stream, &after) in after.iter().enumerate() {
        let key = request.key(stream);
        let some = ctx.find(key, |found, reply| {
            let log = found.and_then(|found| <Stream as crate::data::Kind>::of(found.collection()?))?.log();
            let from = after.next().filter(|_| log.has_after(after))?;
            if !reply.resp3() {
                reply.array(2);
            }
            reply.bulk(key);
            ids::write_all(reply, log.range(from, Id::MAX), request.count, ids::write_entry);
            Some(())
        });
        served += usize::from(some.is_some());
    }
    request.end(ctx, mark, served, &after);
    Ok(())
}

fn unbalanced(grouped: bool) -> Failure {
    let (name, sign) = if grouped { ("xreadgroup", '>') } else { ("xread", '$') };
    Failure::worded(format!(
        "ERR Unbalanced '{name}' list of streams: for each stream key an ID or '{sign}' must be specified."
    ))
}

fn only_in_groups(option: &str) -> Failure {
    Failure::worded(format!(
        "ERR The {option} option is only supported by XREADGROUP. You called XREAD instead."
    ))
}

const ONLY_GROUPS_READ_ON: Failure = Failure::fixed(
    "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
);
