//! Strings as bitmaps: SETBIT, GETBIT, BITCOUNT, BITPOS, BITOP.

use super::args::{integer, is};
use super::context::Context;
use super::effects::Events;
use super::error::{self, Failure};
use super::strings::with_bytes;
use crate::data::bits::{self, Join};
use crate::keyspace::{NewValue, Ttl};
use crate::resp::Args;
use crate::resp::number::parse_i64;

pub(super) const BAD_OFFSET: Failure = Failure::fixed("ERR bit offset is not an integer or out of range");
const BAD_BIT: Failure = Failure::fixed("ERR bit is not an integer or out of range");

/// `SETBIT key offset value`: a bit that has its value already is no change, unless the string had to grow.
pub fn setbit(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let key = args.get(1);
    let offset = offset(ctx, args.get(2))?;
    let value = match parse_i64(args.get(3)) {
        Some(0) => false,
        Some(1) => true,
        _ => return Err(BAD_BIT),
    };
    let at = usize::try_from(offset / 8).map_err(|_| BAD_OFFSET)?;
    let old = ctx.find_string(key, |found, _| {
        let byte = found.and_then(|found| with_bytes(found.value(), |bytes| bytes.get(at).copied()));
        byte.ok_or(0u8)
    })?;
    let byte = old.unwrap_or(0);
    let was = byte & bits::mask(offset) != 0;
    if old.is_err() || was != value {
        let byte = if value { byte | bits::mask(offset) } else { byte & !bits::mask(offset) };
        ctx.keyspace.set_range(ctx.db, key, at, &[byte]);
        ctx.effects.as_sent(ctx.db);
        ctx.notify(Events::STRING, "setbit", key);
    }
    ctx.reply.int(i64::from(was));
    Ok(())
}

/// `GETBIT key offset`
pub fn getbit(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let offset = offset(ctx, args.get(2))?;
    ctx.read_string(args.get(1), |found, reply| {
        let set = found.is_some_and(|found| with_bytes(found.value(), |bytes| bits::bit(bytes, offset)));
        reply.int(i64::from(set));
    })
}

/// `BITCOUNT key [start end [BYTE | BIT]]`: as in Redis 7, the range is looked at only when the key exists.
pub fn bitcount(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.read_string(args.get(1), |found, reply| {
        let Some(found) = found else {
            reply.int(0);
            return Ok(());
        };
        let range = match args.len() {
            2 => Range { start: 0, end: Some(-1), unit: Unit::Byte },
            4 | 5 => {
                let (start, end) = (integer(args.get(2))?, integer(args.get(3))?);
                Range { start, end: Some(end), unit: Unit::of(args, 4)? }
            }
            _ => return Err(error::SYNTAX),
        };
        let counted = with_bytes(found.value(), |bytes| match range.bits(bytes.len()) {
            Some((first, last)) if !range.is_backward() => bits::count(bytes, first, last),
            _ => 0,
        });
        reply.int(counted.cast_signed());
        Ok(())
    })?
}

/// `BITPOS key bit [start [end [BYTE | BIT]]]`: -1 when there is none. Without an end, the zeros behind the string count
/// too. As in Redis 7, the range is looked at only when the key exists.
pub fn bitpos(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let wanted = match integer(args.get(2))? {
        0 => false,
        1 => true,
        _ => return Err(Failure::fixed("ERR The bit argument must be 1 or 0.")),
    };
    ctx.read_string(args.get(1), |found, reply| {
        let Some(found) = found else {
            reply.int(if wanted { -1 } else { 0 });
            return Ok(());
        };
        if args.len() > 6 {
            return Err(error::SYNTAX);
        }
        let start = if args.len() > 3 { integer(args.get(3))? } else { 0 };
        let unit = Unit::of(args, 5)?;
        let end = if args.len() > 4 { Some(integer(args.get(4))?) } else { None };
        let range = Range { start, end, unit };
        reply.int(with_bytes(found.value(), |bytes| {
            let Some((first, last)) = range.bits(bytes.len()) else { return -1 };
            match bits::find(bytes, wanted, first, last) {
                Some(at) => at.cast_signed(),
                None if !wanted && end.is_none() => (bytes.len() as u64 * 8).cast_signed(),
                None => -1,
            }
        }));
        Ok(())
    })?
}

/// `BITOP AND | OR | XOR | NOT destination key [key ...]`: gives the length of the result; an empty one deletes the destination.
pub fn bitop(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let word = args.get(1);
    let joins = [("AND", Join::And), ("OR", Join::Or), ("XOR", Join::Xor)];
    let how = joins.into_iter().find(|(name, _)| is(word, name)).map(|(_, how)| how);
    if how.is_none() && !is(word, "NOT") {
        return Err(error::SYNTAX);
    }
    if how.is_none() && args.len() != 4 {
        return Err(Failure::fixed("ERR BITOP NOT must be called with a single source key."));
    }
    let mut sum = Vec::new();
    for (index, key) in args.iter_from(3).enumerate() {
        ctx.read_string(key, |found, _| match (found, how) {
            (Some(found), Some(how)) if index > 0 => {
                with_bytes(found.value(), |bytes| bits::join(how, &mut sum, bytes));
            }
            (Some(found), _) => with_bytes(found.value(), |bytes| sum.extend_from_slice(bytes)),
            (None, Some(Join::And)) => sum.fill(0),
            (None, _) => {}
        })?;
    }
    if how.is_none() {
        sum.iter_mut().for_each(|byte| *byte = !*byte);
    }
    let target = args.get(2);
    if !sum.is_empty() {
        ctx.keyspace.set(ctx.db, target, NewValue::Raw(&sum), Ttl::Clear);
        ctx.effects.as_sent(ctx.db);
        ctx.notify(Events::STRING, "set", target);
    } else if ctx.exists(target) && ctx.keyspace.remove(ctx.db, target) {
        ctx.effects.as_sent(ctx.db);
        ctx.notify(Events::GENERIC, "del", target);
    }
    ctx.reply.count(sum.len());
    Ok(())
}

/// The number of a bit, whose byte a string may have.
fn offset(ctx: &Context<'_>, word: &[u8]) -> Result<u64, Failure> {
    checked_offset(ctx, parse_i64(word))
}

/// As [`offset`], of a number that was read.
pub(super) fn checked_offset(ctx: &Context<'_>, number: Option<i64>) -> Result<u64, Failure> {
    let offset = number.and_then(|number| u64::try_from(number).ok()).ok_or(BAD_OFFSET)?;
    if offset / 8 >= ctx.settings.max_string as u64 { Err(BAD_OFFSET) } else { Ok(offset) }
}

/// What the positions of a range count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Byte,
    Bit,
}

impl Unit {
    /// The one that argument `at` names; bytes when there is no such argument.
    fn of(args: Args<'_>, at: usize) -> Result<Self, Failure> {
        if args.len() <= at || is(args.get(at), "BYTE") {
            Ok(Self::Byte)
        } else if is(args.get(at), "BIT") {
            Ok(Self::Bit)
        } else {
            Err(error::SYNTAX)
        }
    }
}

/// A part of a string as a client names it; negative positions count from the end, which belongs to the range.
#[derive(Debug, Clone, Copy)]
struct Range {
    start: i64,
    end: Option<i64>,
    unit: Unit,
}

impl Range {
    /// Both counted from the end, and the wrong way round: nothing, although both may lie before the string's start.
    fn is_backward(self) -> bool {
        self.end.is_some_and(|end| self.start < 0 && end < 0 && self.start > end)
    }

    /// The first and the last bit of the range in a string of `len` bytes; none when it is empty.
    fn bits(self, len: usize) -> Option<(u64, u64)> {
        let scale = if self.unit == Unit::Bit { 8 } else { 1 };
        let total = i64::try_from(len).ok()?.checked_mul(scale)?;
        let position = |at: i64| if at < 0 { total.saturating_add(at).max(0) } else { at };
        let (start, end) = (position(self.start), position(self.end.unwrap_or(-1)).min(total - 1));
        if start > end {
            return None;
        }
        let (start, end) = (u64::try_from(start).ok()?, u64::try_from(end).ok()?);
        Some(if self.unit == Unit::Bit { (start, end) } else { (start * 8, end * 8 + 7) })
    }
}
