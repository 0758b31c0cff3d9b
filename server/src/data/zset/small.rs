//! A sorted set of few members: a listpack of member, score, member, score, in order, byte for byte as Redis has it.

use std::cmp::Ordering;

use crate::data::listpack::{Item, Listpack};
use crate::data::packed::Malformed;
use crate::resp::double::{self, Printed};

/// The score that an element is.
#[inline]
pub(super) fn score_of(item: Item<'_>) -> Option<f64> {
    match item {
        #[expect(clippy::cast_precision_loss, reason = "Redis takes it for a double too")]
        Item::Int(number) => Some(number as f64),
        Item::Str(text) => double::parse(text),
    }
}

/// The score of the member at a position.
#[inline]
pub(super) fn score_at(pack: &Listpack, at: usize) -> f64 {
    pack.next(at).and_then(|at| pack.at(at)).and_then(score_of).unwrap_or(0.0)
}

/// The position of a member.
pub(super) fn find(pack: &Listpack, member: &[u8]) -> Option<usize> {
    pack.find(pack.start(), member, 1)
}

/// See [`super::Zset::update`].
pub(super) fn update(
    pack: &mut Listpack,
    member: &[u8],
    decide: impl FnOnce(Option<f64>) -> Option<f64>,
) -> (Option<f64>, Option<f64>) {
    let at = find(pack, member);
    let old = at.map(|at| score_at(pack, at));
    let new = decide(old);
    if let Some(new) = new {
        if let Some(at) = at {
            pack.remove_at(at, 2);
        }
        insert(pack, member, new);
    }
    (old, new)
}

fn insert(pack: &mut Listpack, member: &[u8], score: f64) {
    let at = bound(pack, |other, text| super::page::order(other, text, score, member).is_lt()).0;
    let text;
    let item = match double::whole(score + 0.0) {
        Some(whole) => Item::Int(whole),
        None => {
            text = Printed::new(score);
            Item::Str(text.as_bytes())
        }
    };
    pack.insert_item(at, item);
    pack.insert(at, member);
}

/// The position of the first pair that does not satisfy a predicate, and how many do.
pub(super) fn bound(pack: &Listpack, before: impl Fn(f64, &[u8]) -> bool) -> (usize, usize) {
    let (mut at, mut rank) = (pack.start(), 0);
    while let Some(member) = pack.at(at) {
        if !member.with_text(|text| before(score_at(pack, at), text)) {
            break;
        }
        at = pack.next(at).and_then(|at| pack.next(at)).unwrap_or(pack.end());
        rank += 1;
    }
    (at, rank)
}

/// The longest member.
pub(super) fn longest(pack: &Listpack) -> usize {
    pack.iter().step_by(2).map(Item::text_len).max().unwrap_or(0)
}

/// Looks whether a whole listpack is a sorted set: pairs in order, scores that are numbers, no member twice.
pub(super) fn verify(pack: &Listpack) -> Result<(), Malformed> {
    let mut items = pack.iter();
    let mut members = Vec::new();
    let mut last: Option<(f64, Vec<u8>)> = None;
    while let Some(member) = items.next() {
        let score =
            items.next().and_then(score_of).ok_or(Malformed("a member of a sorted set has no score"))?;
        let pair = (score, member.to_vec());
        let ordered =
            last.is_none_or(|last| super::page::order(last.0, &last.1, pair.0, &pair.1) == Ordering::Less);
        if !ordered {
            return Err(Malformed("a sorted set is not in order"));
        }
        members.push(pair.1.clone());
        last = Some(pair);
    }
    members.sort_unstable();
    if members.windows(2).any(|pair| pair.first() == pair.get(1)) {
        return Err(Malformed("a member of a sorted set occurs twice"));
    }
    Ok(())
}
