//! SORT and SORT_RO: the elements of a list, a set or a sorted set in an order, or what other keys hold for them.

use std::cmp::Ordering;
use std::ops::ControlFlow;

use super::args::{Options, integer, is};
use super::context::{Context, Found};
use super::effects::Events;
use super::error::{self, Failure};
use super::strings::with_bytes;
use crate::data::hash::Hash;
use crate::data::list::{Fill, List, Side};
use crate::data::listpack::Item;
use crate::data::{Collection, Kind};
use crate::keyspace::Ttl;
use crate::resp::{Args, double};

/// `SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA] [STORE destination]`
pub fn sort(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    run(ctx, args, true)
}

/// `SORT_RO key`, with all of SORT's options but STORE.
pub fn sort_ro(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    run(ctx, args, false)
}

/// What is wanted.
#[derive(Debug, Default)]
struct Request<'a> {
    by: Option<&'a [u8]>,
    /// BY names no element's key: the order stays.
    unsorted: bool,
    limit: Option<(i64, i64)>,
    gets: Vec<&'a [u8]>,
    descending: bool,
    alpha: bool,
    store: Option<&'a [u8]>,
}

impl<'a> Request<'a> {
    fn parse(args: Args<'a>, may_store: bool) -> Result<Self, Failure> {
        let mut request = Self::default();
        let mut options = Options::from(args, 2);
        while let Some(word) = options.next() {
            if is(word, "ASC") || is(word, "DESC") {
                request.descending = is(word, "DESC");
            } else if is(word, "ALPHA") {
                request.alpha = true;
            } else if is(word, "LIMIT") {
                let (offset, count) = (options.value()?, options.value()?);
                request.limit = Some((integer(offset)?, integer(count)?));
            } else if is(word, "STORE") && may_store {
                request.store = Some(options.value()?);
            } else if is(word, "BY") {
                let pattern = options.value()?;
                request.unsorted |= !pattern.contains(&b'*');
                request.by = Some(pattern);
            } else if is(word, "GET") {
                request.gets.push(options.value()?);
            } else {
                return Err(error::SYNTAX);
            }
        }
        Ok(request)
    }

    /// The part of `len` elements that LIMIT leaves.
    fn part(&self, len: usize) -> std::ops::Range<usize> {
        let Some((offset, count)) = self.limit else { return 0..len };
        let start = usize::try_from(offset.max(0)).unwrap_or(usize::MAX).min(len);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        start..start.saturating_add(count).min(len)
    }
}

/// What elements are ordered by.
#[derive(Debug, Clone, PartialEq)]
enum Weight {
    Number(f64),
    Text(Option<Vec<u8>>),
}

fn run(ctx: &mut Context<'_>, args: Args<'_>, may_store: bool) -> Result<(), Failure> {
    let mut request = Request::parse(args, may_store)?;
    let (mut elements, is_set) = ctx.read(args.get(1), |found, _| elements(found))?;
    if request.unsorted && is_set && request.store.is_some() {
        // The order of a set is nobody's promise, and a replica may have another one.
        (request.unsorted, request.alpha, request.by) = (false, true, None);
    }
    if !request.unsorted {
        elements = sorted(ctx, elements, &request)?;
    } else if request.descending && !is_set {
        elements.reverse();
    }
    let part = request.part(elements.len());
    let chosen = elements.get(part).unwrap_or_default();
    match request.store {
        Some(target) => store(ctx, target, chosen, &request.gets),
        None => {
            ctx.reply.array(chosen.len() * request.gets.len().max(1));
            for element in chosen {
                if request.gets.is_empty() {
                    ctx.reply.bulk(element);
                }
                for pattern in &request.gets {
                    match behind(ctx, pattern, element) {
                        Some(value) => ctx.reply.bulk(&value),
                        None => ctx.reply.null(),
                    }
                }
            }
        }
    }
    Ok(())
}

/// The elements of what was found, in its own order; and whether it is a set, whose order means nothing.
fn elements(found: Option<Found<'_>>) -> Result<(Vec<Vec<u8>>, bool), Failure> {
    let Some(found) = found else { return Ok((Vec::new(), false)) };
    let mut elements = Vec::new();
    let mut note = |item: Item<'_>| elements.push(item.to_vec());
    match found.collection() {
        Some(Collection::List(list)) => list.walk(0, false, |item| {
            note(item);
            ControlFlow::Continue(())
        }),
        Some(Collection::Set(set)) => set.for_each(note),
        Some(Collection::Zset(zset)) => zset.iter().for_each(|(member, _)| note(member)),
        _ => return Err(error::WRONG_TYPE),
    }
    Ok((elements, matches!(found.collection(), Some(Collection::Set(_)))))
}

/// The elements in the order that is wanted.
fn sorted(
    ctx: &mut Context<'_>,
    elements: Vec<Vec<u8>>,
    request: &Request<'_>,
) -> Result<Vec<Vec<u8>>, Failure> {
    let mut weighed = Vec::with_capacity(elements.len());
    for element in elements {
        let weight = match request.by {
            Some(pattern) => weight(behind(ctx, pattern, &element).as_deref(), request.alpha),
            None if request.alpha => Some(Weight::Text(None)),
            None => weight(Some(&element), false),
        };
        let weight = weight.ok_or(Failure::fixed("ERR One or more scores can't be converted into double"))?;
        weighed.push((weight, element));
    }
    let by = request.by.is_some();
    weighed.sort_by(|(one, a), (other, b)| {
        let order = match (one, other) {
            (Weight::Number(one), Weight::Number(other)) => {
                one.partial_cmp(other).unwrap_or(Ordering::Equal).then_with(|| a.cmp(b))
            }
            (Weight::Text(one), Weight::Text(other)) if by => one.cmp(other),
            _ => a.cmp(b),
        };
        if request.descending { order.reverse() } else { order }
    });
    Ok(weighed.into_iter().map(|(_, element)| element).collect())
}

/// What a value weighs; a missing one weighs nothing. `None` for what is no number.
fn weight(value: Option<&[u8]>, alpha: bool) -> Option<Weight> {
    match value {
        value if alpha => Some(Weight::Text(value.map(<[u8]>::to_vec))),
        None | Some([]) => Some(Weight::Number(0.0)),
        Some(text) => double::parse(text).filter(|number| !number.is_nan()).map(Weight::Number),
    }
}

/// What a pattern names for an element: itself for `#`; else the string, or the field behind `->` of the hash, whose key is the
/// pattern with the element in place of its `*`.
fn behind(ctx: &mut Context<'_>, pattern: &[u8], element: &[u8]) -> Option<Vec<u8>> {
    if pattern == b"#" {
        return Some(element.to_vec());
    }
    let star = pattern.iter().position(|byte| *byte == b'*')?;
    let (before, rest) = pattern.split_at(star);
    let rest = rest.get(1..)?;
    // An arrow at the very end has no field behind it, and is part of the key.
    let arrow = rest.windows(2).position(|pair| pair == b"->").filter(|at| at + 2 < rest.len());
    let (after, field) = match arrow {
        Some(at) => (rest.get(..at)?, rest.get(at + 2..)),
        None => (rest, None),
    };
    let key = [before, element, after].concat();
    ctx.read(&key, |found, _| {
        let found = found?;
        match (field, found.collection()) {
            (Some(field), Some(Collection::Hash(hash))) => of_hash(hash, field),
            (None, None) => Some(with_bytes(found.value(), <[u8]>::to_vec)),
            _ => None,
        }
    })
}

fn of_hash(hash: &Hash, field: &[u8]) -> Option<Vec<u8>> {
    hash.get(field).map(Item::to_vec)
}

/// Stores what would have been the reply as a list; a missing value is an empty string.
fn store(ctx: &mut Context<'_>, target: &[u8], chosen: &[Vec<u8>], gets: &[&[u8]]) {
    let mut values = Vec::with_capacity(chosen.len() * gets.len().max(1));
    for element in chosen {
        if gets.is_empty() {
            values.push(element.clone());
        }
        values.extend(gets.iter().map(|pattern| behind(ctx, pattern, element).unwrap_or_default()));
    }
    let count = values.len();
    if count > 0 {
        let mut list = List::default();
        list.push(Side::Right, values.iter().map(Vec::as_slice), Fill::of(ctx.settings.limits.list_node));
        ctx.keyspace.put_collection(ctx.db, target, list.wrap(), Ttl::Clear);
        ctx.effects.as_sent(ctx.db);
        ctx.effects.changed(count as u64 - 1);
        ctx.notify(Events::LIST, "sortstore", target);
    } else if ctx.exists(target) && ctx.keyspace.remove(ctx.db, target) {
        ctx.effects.as_sent(ctx.db);
        ctx.notify(Events::GENERIC, "del", target);
    }
    ctx.reply.count(count);
}
