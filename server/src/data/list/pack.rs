//! What a node and a small list do alike: changes of a listpack by the ranks of its elements.

use std::ops::{ControlFlow, Range};

use super::Side;
use crate::data::listpack::{Item, Listpack, Wanted};

/// An index as a listpack takes it.
pub(super) fn index(at: usize) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

#[inline]
pub(super) fn pop<T>(pack: &mut Listpack, side: Side, look: impl FnOnce(Item<'_>) -> T) -> Option<T> {
    let at = match side {
        Side::Left => pack.start(),
        Side::Right => pack.last()?,
    };
    let popped = look(pack.at(at)?);
    pack.remove(at);
    Some(popped)
}

#[inline]
pub(super) fn walk(
    pack: &Listpack,
    from: usize,
    back: bool,
    each: &mut impl FnMut(Item<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let Some(at) = pack.seek(index(from)) else { return ControlFlow::Continue(()) };
    if back {
        let behind = pack.next(at).unwrap_or(at);
        pack.iter_before(behind).rev().try_for_each(each)
    } else {
        pack.iter_from(at).try_for_each(each)
    }
}

pub(super) fn replace(pack: &mut Listpack, at: usize, text: &[u8]) {
    if let Some(at) = pack.seek(index(at)) {
        pack.replace(at, text);
    }
}

pub(super) fn insert(pack: &mut Listpack, at: usize, text: &[u8]) {
    let at = pack.seek(index(at)).unwrap_or(pack.end());
    pack.insert(at, text);
}

pub(super) fn remove(pack: &mut Listpack, range: Range<usize>) {
    pack.remove_range(index(range.start), range.len());
}

pub(super) fn remove_equal(pack: &mut Listpack, wanted: &Wanted<'_>, most: usize, back: bool) -> usize {
    let mut removed = 0;
    let mut at = if back { pack.last() } else { Some(pack.start()) };
    while removed < most
        && let Some(here) = at
        && let Some(item) = pack.at(here)
    {
        let same = wanted.is(item);
        at = match (back, same) {
            (true, _) => pack.prev(here),
            // What stands behind a removed element comes to its position.
            (false, true) => Some(here),
            (false, false) => pack.next(here),
        };
        if same {
            pack.remove(here);
            removed += 1;
        }
    }
    removed
}
