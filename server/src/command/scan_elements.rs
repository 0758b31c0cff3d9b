//! Walks over the elements of one key: SSCAN, HSCAN.
//!
//! A small collection is given whole, whatever COUNT says; of a large one, COUNT elements are looked at a call.

use super::args::{Options, integer, is};
use super::context::Context;
use super::error::{self, Failure};
use super::gathered::Gathered;
use super::scan::cursor_of;
use crate::data::hash::Hash;
use crate::data::set::Set;
use crate::data::{Kind, glob};
use crate::resp::Args;

/// `SSCAN key cursor [MATCH pattern] [COUNT count]`
pub fn sscan(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    elements(ctx, args, |set: &Set, step, shown| {
        set.scan(step.cursor, step.count, |member| {
            if member.with_text(|text| step.takes(text)) {
                shown.push(member);
            }
        })
    })
}

/// `HSCAN key cursor [MATCH pattern] [COUNT count]`
pub fn hscan(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    elements(ctx, args, |hash: &Hash, step, shown| {
        hash.scan(step.cursor, step.count, |field, value| {
            if field.with_text(|text| step.takes(text)) {
                shown.push(field);
                shown.push(value);
            }
        })
    })
}

/// What one call of a walk was asked for.
pub(super) struct Step<'a> {
    /// Where to go on; 0 starts.
    pub(super) cursor: u64,
    /// About how many elements to look at.
    pub(super) count: usize,
    pattern: Option<&'a [u8]>,
}

impl<'a> Step<'a> {
    fn read(cursor: u64, args: Args<'a>) -> Result<Self, Failure> {
        let mut step = Self { cursor, count: 10, pattern: None };
        let mut options = Options::from(args, 3);
        while let Some(word) = options.next() {
            if is(word, "COUNT") {
                let count = integer(options.value()?)?;
                if count < 1 {
                    return Err(error::SYNTAX);
                }
                step.count = usize::try_from(count).unwrap_or(usize::MAX);
            } else if is(word, "MATCH") {
                step.pattern = Some(options.value()?).filter(|pattern| *pattern != b"*");
            } else {
                return Err(error::SYNTAX);
            }
        }
        Ok(step)
    }

    /// Whether an element of this name is shown.
    pub(super) fn takes(&self, name: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, name, false))
    }
}

/// Runs one call of a walk over a key's elements: `walk` shows some and gives the next cursor. Options are read only for a key that is
/// there, as Redis does.
pub(super) fn elements<K: Kind>(
    ctx: &mut Context<'_>,
    args: Args<'_>,
    walk: impl FnOnce(&K, &Step<'_>, &mut Gathered) -> u64,
) -> Result<(), Failure> {
    let cursor = cursor_of(args.get(2)).ok_or(Failure::fixed("ERR invalid cursor"))?;
    ctx.view(args.get(1), |found: Option<&K>, reply| {
        let mut shown = Gathered::new(reply);
        let next = match found {
            Some(found) => walk(found, &Step::read(cursor, args)?, &mut shown),
            None => 0,
        };
        reply.array(2);
        reply.bulk(itoa::Buffer::new().format(next).as_bytes());
        shown.write_array(reply);
        Ok(())
    })?
}
