//! Walks over the keys of a database. They show no expired key and delete none: that is left to commands that name a key, and
//! to the search for expired keys in the background.

use super::args::{Options, integer, is};
use super::context::{Context, Expiry, Found, type_name};
use super::error::{self, Failure};
use crate::data::glob;
use crate::resp::{Args, Reply};

/// `KEYS pattern`
pub fn keys(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let filter = Filter { pattern: Some(args.get(1)), type_name: None, alive_at: alive_at(ctx) };
    let mut shown = Shown::new(ctx.reply);
    ctx.keyspace.for_each(ctx.db, &mut |entry| shown.show_if(&filter, entry));
    shown.write(ctx.reply);
    Ok(())
}

/// `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`
pub fn scan(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let mut cursor = cursor_of(args.get(1)).ok_or(Failure::fixed("ERR invalid cursor"))?;
    let mut filter = Filter { pattern: None, type_name: None, alive_at: alive_at(ctx) };
    let mut count = 10;
    let mut options = Options::from(args, 2);
    while let Some(word) = options.next() {
        if is(word, "COUNT") {
            count = integer(options.value()?)?;
            if count < 1 {
                return Err(error::SYNTAX);
            }
        } else if is(word, "MATCH") {
            filter.pattern = Some(options.value()?);
        } else if is(word, "TYPE") {
            filter.type_name = Some(options.value()?);
        } else {
            return Err(error::SYNTAX);
        }
    }
    let mut met: i64 = 0;
    let mut shown = Shown::new(ctx.reply);
    loop {
        cursor = ctx.keyspace.scan(ctx.db, cursor, 1, &mut |entry| {
            met += 1;
            shown.show_if(&filter, entry);
        });
        if cursor == 0 || met >= count {
            break;
        }
    }
    ctx.reply.array(2);
    ctx.reply.bulk(itoa::Buffer::new().format(cursor).as_bytes());
    shown.write(ctx.reply);
    Ok(())
}

/// `RANDOMKEY`
pub fn randomkey(ctx: &mut Context<'_>, _: Args<'_>) -> Result<(), Failure> {
    // Expired keys that may not be deleted could be all there is: the search gives up in the end.
    for _ in 0..100 {
        let Some(key) = ctx.keyspace.random(ctx.db, ctx.rng).map(|entry| entry.key().to_vec()) else { break };
        if ctx.exists(&key) {
            ctx.reply.bulk(&key);
            return Ok(());
        }
    }
    ctx.reply.null();
    Ok(())
}

/// Keys whose deadline is at or before this are not shown; none for the master's stream, to which every key is alive.
fn alive_at(ctx: &Context<'_>) -> Option<u64> {
    (ctx.expiry != Expiry::Ignore).then_some(ctx.now_ms)
}

/// A cursor as C's `strtoul` reads it: a sign and zeros in front are allowed, a negative one wraps, and nothing is zero.
pub(super) fn cursor_of(word: &[u8]) -> Option<u64> {
    if word.is_empty() {
        return Some(0);
    }
    let (negative, digits) = match word {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: u64 = str::from_utf8(digits).ok()?.parse().ok()?;
    Some(if negative { number.wrapping_neg() } else { number })
}

/// Which keys are shown.
#[derive(Debug, Clone, Copy)]
struct Filter<'a> {
    pattern: Option<&'a [u8]>,
    type_name: Option<&'a [u8]>,
    alive_at: Option<u64>,
}

impl Filter<'_> {
    fn takes(&self, entry: Found<'_>) -> bool {
        let dead = entry.expire().is_some_and(|at| self.alive_at.is_some_and(|now| at <= now));
        !dead
            && self
                .pattern
                .is_none_or(|pattern| pattern == b"*" || glob::matches(pattern, entry.key(), false))
            && self.type_name.is_none_or(|name| is(name, type_name(entry)))
    }
}

/// An array of keys whose length is known only at its end.
struct Shown {
    keys: Reply,
    count: usize,
}

impl Shown {
    fn new(reply: &Reply) -> Self {
        Self { keys: Reply::new(Vec::new(), reply.resp3()), count: 0 }
    }

    fn show_if(&mut self, filter: &Filter<'_>, entry: Found<'_>) {
        if filter.takes(entry) {
            self.count += 1;
            self.keys.bulk(entry.key());
        }
    }

    fn write(self, reply: &mut Reply) {
        reply.array(self.count);
        reply.raw(self.keys.bytes());
    }
}
