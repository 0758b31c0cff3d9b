//! Ids and entries: as requests have them and as replies do.

use crate::command::error::Failure;
use crate::data::stream::{Entry, Id};
use crate::resp::Reply;

/// No id, or not one that is allowed here.
pub(super) const INVALID: Failure =
    Failure::fixed("ERR Invalid stream ID specified as stream command argument");

/// Longest text that is looked at, as in Redis.
const LONGEST: usize = 127;

/// An id whose number may be left out, and is zero then.
pub(super) fn id(word: &[u8]) -> Result<Id, Failure> {
    exact(word, 0)
}

/// An id, or `-` or `+` for the least and the greatest.
pub(super) fn bound(word: &[u8], missing: u64) -> Result<Id, Failure> {
    match word {
        b"-" => Ok(Id::MIN),
        b"+" => Ok(Id::MAX),
        word => exact(word, missing),
    }
}

/// Where a walk starts: a [`bound`], which `(` leaves out.
pub(super) fn start(word: &[u8]) -> Result<Id, Failure> {
    match word {
        [b'(', rest @ ..] if !rest.is_empty() => {
            exact(rest, 0)?.next().ok_or(Failure::fixed("ERR invalid start ID for the interval"))
        }
        word => bound(word, 0),
    }
}

/// Where a walk ends: a [`bound`], which `(` leaves out.
pub(super) fn end(word: &[u8]) -> Result<Id, Failure> {
    match word {
        [b'(', rest @ ..] if !rest.is_empty() => {
            exact(rest, u64::MAX)?.prev().ok_or(Failure::fixed("ERR invalid end ID for the interval"))
        }
        word => bound(word, u64::MAX),
    }
}

fn exact(word: &[u8], missing: u64) -> Result<Id, Failure> {
    Id::parse(word, missing).filter(|_| word.len() <= LONGEST).ok_or(INVALID)
}

/// Writes an id.
pub(super) fn write(reply: &mut Reply, id: Id) {
    id.with_text(|text| reply.bulk(text));
}

/// Writes an entry: its id, and names and values in turn.
pub(super) fn write_entry(reply: &mut Reply, entry: Entry<'_>) {
    reply.array(2);
    write(reply, entry.id);
    reply.array(2 * entry.fields.len());
    for (name, value) in entry.fields {
        name.with_text(|text| reply.bulk(text));
        value.with_text(|text| reply.bulk(text));
    }
}

/// Writes an array of what an iterator gives, at most `count` if that is not 0; gives how many.
pub(super) fn write_all<T>(
    reply: &mut Reply,
    items: impl Iterator<Item = T>,
    count: usize,
    mut write: impl FnMut(&mut Reply, T),
) -> usize {
    let (mark, mut written) = (reply.len(), 0);
    for item in items {
        write(reply, item);
        written += 1;
        if written == count {
            break;
        }
    }
    reply.before(mark, |reply| reply.array(written));
    written
}

/// A COUNT as it is read: what is below zero is zero.
pub(super) fn count(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
}
