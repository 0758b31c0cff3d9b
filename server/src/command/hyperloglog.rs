//! HyperLogLogs: PFADD, PFCOUNT, PFMERGE, and what tools ask of them.

use super::args::is;
use super::context::{Context, Expiry, Found};
use super::effects::Events;
use super::error::Failure;
use crate::data::hyperloglog::{self, Corrupted, Encoding, REGISTERS, Sketch, Union};
use crate::keyspace::{NewValue, Ttl, ValueRef};
use crate::resp::Args;

const NOT_ONE: Failure = Failure::fixed("WRONGTYPE Key is not a valid HyperLogLog string value.");

impl From<Corrupted> for Failure {
    fn from(_: Corrupted) -> Self {
        Self::fixed("INVALIDOBJ Corrupted HLL object detected")
    }
}

/// `PFADD key [element ...]`
pub fn pfadd(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let key = args.get(1);
    let most = ctx.settings.limits.hll_sparse;
    let old = ctx.find_string(key, |found, _| sketch(found))??;
    let mut updates = u64::from(old.is_none());
    let mut sketch = old.unwrap_or_default();
    for element in args.iter_from(2) {
        updates += u64::from(sketch.add(element, most)?);
    }
    if updates > 0 {
        sketch.mark_stale();
        store(ctx, key, &sketch);
        ctx.effects.as_sent(ctx.db);
        ctx.effects.changed(updates - 1);
        ctx.notify(Events::STRING, "pfadd", key);
    }
    ctx.reply.int(i64::from(updates > 0));
    Ok(())
}

/// `PFCOUNT key [key ...]`: the count of one key is remembered in it, and replicas are told to do the same. A client of a replica
/// leaves its data alone.
pub fn pfcount(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    if args.len() > 2 {
        let mut all = Union::default();
        for key in args.iter_from(1) {
            if let Some(sketch) = ctx.read_string(key, |found, _| sketch(found))?? {
                all.take(&sketch)?;
            }
        }
        ctx.reply.int(all.count().cast_signed());
        return Ok(());
    }
    let key = args.get(1);
    let Some(mut sketch) = ctx.read_string(key, |found, _| sketch(found))?? else {
        ctx.reply.int(0);
        return Ok(());
    };
    let count = match sketch.cached() {
        Some(count) => count,
        None => {
            let count = sketch.count()?;
            if ctx.expiry != Expiry::Hide {
                sketch.remember(count);
                store(ctx, key, &sketch);
                ctx.effects.as_sent(ctx.db);
            }
            count
        }
    };
    ctx.reply.int(count.cast_signed());
    Ok(())
}

/// `PFMERGE destination [source ...]`: dense when any of them is.
pub fn pfmerge(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let most = ctx.settings.limits.hll_sparse;
    let (mut all, mut dense, mut target) = (Union::default(), false, None);
    for (index, key) in args.iter_from(1).enumerate() {
        let Some(sketch) = ctx.read_string(key, |found, _| sketch(found))?? else { continue };
        all.take(&sketch)?;
        dense |= sketch.encoding() == Encoding::Dense;
        if index == 0 {
            target = Some(sketch);
        }
    }
    let key = args.get(1);
    let mut sketch = target.unwrap_or_default();
    if dense {
        sketch.make_dense()?;
    }
    for (index, run) in all.set_registers() {
        sketch.raise(index, run, most)?;
    }
    sketch.mark_stale();
    store(ctx, key, &sketch);
    ctx.effects.as_sent(ctx.db);
    ctx.notify(Events::STRING, "pfadd", key);
    ctx.reply.ok();
    Ok(())
}

/// `PFDEBUG GETREG | DECODE | ENCODING | TODENSE key`
pub fn pfdebug(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (word, key) = (args.get(1), args.get(2));
    let found = ctx.find_string(key, |found, _| sketch(found))??;
    let Some(mut sketch) = found else {
        return Err(Failure::fixed("ERR The specified key does not exist"));
    };
    let known = ["GETREG", "DECODE", "ENCODING", "TODENSE"];
    if !known.iter().any(|known| is(word, known)) {
        return Err(quoting("ERR Unknown PFDEBUG subcommand '", word, "'"));
    }
    if args.len() != 3 {
        return Err(quoting("ERR Wrong number of arguments for the '", word, "' subcommand"));
    }
    let sparse = sketch.encoding() == Encoding::Sparse;
    if is(word, "ENCODING") {
        ctx.reply.simple(if sparse { "sparse" } else { "dense" });
        return Ok(());
    }
    if is(word, "DECODE") {
        if !sparse {
            return Err(Failure::fixed("ERR HLL encoding is not sparse"));
        }
        ctx.reply.bulk(sketch.spelled_runs()?.as_bytes());
        return Ok(());
    }
    if sparse {
        sketch.make_dense()?;
        store(ctx, key, &sketch);
        ctx.effects.as_sent(ctx.db);
    }
    if is(word, "TODENSE") {
        ctx.reply.int(i64::from(sparse));
        return Ok(());
    }
    let mut registers = vec![0u8; REGISTERS];
    for (index, run) in sketch.set_registers() {
        if let Some(register) = registers.get_mut(index) {
            *register = run;
        }
    }
    ctx.reply.array(registers.len());
    registers.into_iter().for_each(|run| ctx.reply.int(i64::from(run)));
    Ok(())
}

/// `PFSELFTEST`
pub fn pfselftest(ctx: &mut Context<'_>, _args: Args<'_>) -> Result<(), Failure> {
    if !hyperloglog::self_test() {
        return Err(Failure::fixed(
            "ERR TESTFAILED sketches of the same elements differ, or are too far off",
        ));
    }
    ctx.reply.ok();
    Ok(())
}

/// What was found as a sketch. A string that is stored as an integer is none.
fn sketch(found: Option<Found<'_>>) -> Result<Option<Sketch>, Failure> {
    match found.map(Found::value) {
        None => Ok(None),
        Some(ValueRef::Bytes(bytes)) => Sketch::from_bytes(bytes).map(Some).ok_or(NOT_ONE),
        Some(_) => Err(NOT_ONE),
    }
}

/// Stores a sketch; a deadline stays.
fn store(ctx: &mut Context<'_>, key: &[u8], sketch: &Sketch) {
    ctx.keyspace.set(ctx.db, key, NewValue::Raw(sketch.as_bytes()), Ttl::Keep);
}

fn quoting(before: &'static str, word: &[u8], behind: &'static str) -> Failure {
    Failure([before.as_bytes(), word, behind.as_bytes()].concat().into())
}
