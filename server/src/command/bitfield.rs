//! Strings as rows of integers of any width: BITFIELD and BITFIELD_RO.

use super::args::{Options, integer, is};
use super::bitmap::{BAD_OFFSET, checked_offset};
use super::context::Context;
use super::effects::Events;
use super::error::{self, Failure};
use super::strings::with_bytes;
use crate::data::bits::{Field, Overflow};
use crate::resp::Args;
use crate::resp::number::parse_i64;

const BAD_TYPE: Failure = Failure::fixed(
    "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
);

/// `BITFIELD key [GET type offset | [OVERFLOW WRAP | SAT | FAIL] SET type offset value | INCRBY type offset increment ...]`
pub fn bitfield(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    run(ctx, args.get(1), &parse(ctx, args)?)
}

/// `BITFIELD_RO key [GET type offset ...]`
pub fn bitfield_ro(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let steps = parse(ctx, args)?;
    if steps.iter().any(|step| step.change.is_some()) {
        return Err(Failure::fixed("ERR BITFIELD_RO only supports the GET subcommand"));
    }
    run(ctx, args.get(1), &steps)
}

/// One thing to do.
#[derive(Debug, Clone, Copy)]
struct Step {
    field: Field,
    offset: u64,
    /// `None` to read only.
    change: Option<(Change, Overflow)>,
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Set(i64),
    Add(i64),
}

fn parse(ctx: &Context<'_>, args: Args<'_>) -> Result<Vec<Step>, Failure> {
    let mut steps = Vec::new();
    let mut overflow = Overflow::Wrap;
    let mut options = Options::from(args, 2);
    while let Some(word) = options.next() {
        if is(word, "OVERFLOW") {
            overflow = overflow_of(options.value()?)?;
            continue;
        }
        let makes: Option<fn(i64) -> Change> = if is(word, "GET") {
            None
        } else if is(word, "SET") {
            Some(Change::Set)
        } else if is(word, "INCRBY") {
            Some(Change::Add)
        } else {
            return Err(error::SYNTAX);
        };
        // All of its words must be there before any of them is looked at.
        let (kind, place) = (options.value()?, options.value()?);
        let number = if makes.is_some() { Some(options.value()?) } else { None };
        let field = field_of(kind)?;
        let offset = offset_of(ctx, place, field)?;
        let change = match (makes, number) {
            (Some(make), Some(number)) => Some((make(integer(number)?), overflow)),
            _ => None,
        };
        steps.push(Step { field, offset, change });
    }
    Ok(steps)
}

fn overflow_of(word: &[u8]) -> Result<Overflow, Failure> {
    let names = [("WRAP", Overflow::Wrap), ("SAT", Overflow::Saturate), ("FAIL", Overflow::Fail)];
    let found = names.into_iter().find(|(name, _)| is(word, name));
    found.map(|(_, overflow)| overflow).ok_or(Failure::fixed("ERR Invalid OVERFLOW type specified"))
}

/// `i1` to `i64`, `u1` to `u63`.
fn field_of(word: &[u8]) -> Result<Field, Failure> {
    let (signed, digits) = match word {
        [b'i', digits @ ..] => (true, digits),
        [b'u', digits @ ..] => (false, digits),
        _ => return Err(BAD_TYPE),
    };
    let bits = parse_i64(digits).and_then(|bits| u32::try_from(bits).ok());
    let bits = bits.filter(|bits| (1..=if signed { 64 } else { 63 }).contains(bits)).ok_or(BAD_TYPE)?;
    Ok(Field { signed, bits })
}

/// The number of a bit, or `#` and the number of a field of this width.
fn offset_of(ctx: &Context<'_>, word: &[u8], field: Field) -> Result<u64, Failure> {
    let number = match word {
        [b'#', digits @ ..] => parse_i64(digits).and_then(|index| index.checked_mul(i64::from(field.bits))),
        digits => parse_i64(digits),
    };
    checked_offset(ctx, number)
}

/// Does all steps on a copy of the string's part that they touch; what changed is written back in one piece.
fn run(ctx: &mut Context<'_>, key: &[u8], steps: &[Step]) -> Result<(), Failure> {
    let end = |step: &Step| (step.offset + u64::from(step.field.bits)).div_ceil(8);
    let writes = steps.iter().filter(|step| step.change.is_some());
    let Some(needed) = writes.map(end).max() else { return read(ctx, key, steps) };
    let needed = usize::try_from(needed).map_err(|_| BAD_OFFSET)?;
    let from = steps.iter().map(|step| step.offset / 8).min().unwrap_or(0);
    let to = steps.iter().map(end).max().unwrap_or(0);
    let (from, to) =
        (usize::try_from(from).map_err(|_| BAD_OFFSET)?, usize::try_from(to).map_err(|_| BAD_OFFSET)?);
    // What is copied is no longer than what the string has or is about to have.
    let (mut part, old_len) = ctx.find_string(key, |found, _| {
        found.map_or((Vec::new(), None), |found| {
            with_bytes(found.value(), |bytes| {
                let part = bytes.get(from..to.min(bytes.len())).unwrap_or_default();
                (part.to_vec(), Some(bytes.len()))
            })
        })
    })?;
    let grows = old_len.is_none_or(|len| len < needed);
    if grows {
        part.resize(needed.saturating_sub(from).max(part.len()), 0);
    }
    ctx.reply.array(steps.len());
    let mut changes = 0u64;
    for step in steps {
        let at = step.offset - from as u64 * 8;
        let old = step.field.read(&part, at);
        let (new, shown) = match step.change {
            None => (None, Some(old)),
            Some((Change::Set(value), overflow)) => {
                let new = step.field.sum(value, 0, overflow);
                (new, new.map(|_| old))
            }
            Some((Change::Add(more), overflow)) => {
                let new = step.field.sum(old, more, overflow);
                (new, new)
            }
        };
        match shown {
            Some(number) => ctx.reply.int(number),
            None => ctx.reply.null(),
        }
        if let Some(new) = new {
            step.field.write(&mut part, at, new);
            changes += u64::from(grows || new != old);
        }
    }
    if grows || changes > 0 {
        ctx.keyspace.set_range(ctx.db, key, from, &part);
        ctx.effects.as_sent(ctx.db);
        ctx.effects.changed(changes.saturating_sub(1));
        ctx.notify(Events::STRING, "setbit", key);
    }
    Ok(())
}

/// Steps that only read.
fn read(ctx: &mut Context<'_>, key: &[u8], steps: &[Step]) -> Result<(), Failure> {
    ctx.read_string(key, |found, reply| {
        reply.array(steps.len());
        for step in steps {
            let value = found
                .map_or(0, |found| with_bytes(found.value(), |bytes| step.field.read(bytes, step.offset)));
            reply.int(value);
        }
    })
}
