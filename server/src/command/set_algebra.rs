//! Sets, taken together: intersections, unions and differences, given or stored.

use hashbrown::HashSet;

use super::args::{Options, integer, is, positive};
use super::context::Context;
use super::effects::Events;
use super::error::{self, Failure};
use super::gathered::Gathered;
use super::sets::write_set;
use crate::data::listpack::Item;
use crate::data::set::Set;
use crate::data::{Kind, Limits};
use crate::keyspace::{Keyspace, Ttl};
use crate::resp::Args;

/// Members looked at between two looks at whether there are enough.
const STRIDE: usize = 64;

/// `SINTER key [key ...]`
pub fn sinter(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let keys = present(ctx, args.iter_from(1))?;
    let mut common = Gathered::new(ctx.reply);
    intersect(&sets(ctx.keyspace, ctx.db, &keys), usize::MAX, |member| common.push(member));
    common.write_set(ctx.reply);
    Ok(())
}

/// `SINTERSTORE destination key [key ...]`
pub fn sinterstore(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let keys = present(ctx, args.iter_from(2))?;
    let (mut common, limits) = (Set::default(), &ctx.settings.limits);
    intersect(&sets(ctx.keyspace, ctx.db, &keys), usize::MAX, |member| {
        member.with_text(|text| common.add(text, limits));
    });
    store(ctx, "sinterstore", args.get(1), common)
}

/// `SINTERCARD numkeys key [key ...] [LIMIT limit]`
pub fn sintercard(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    const TOO_FEW: Failure = Failure::fixed("ERR numkeys should be greater than 0");
    const TOO_MANY: Failure = Failure::fixed("ERR Number of keys can't be greater than number of args");
    let numkeys = integer(args.get(1)).ok().and_then(|number| usize::try_from(number).ok());
    let numkeys = numkeys.filter(|&number| number > 0).ok_or(TOO_FEW)?;
    if numkeys > args.len() - 2 {
        return Err(TOO_MANY);
    }
    let mut limit = 0;
    let mut options = Options::from(args, 2 + numkeys);
    while let Some(word) = options.next() {
        if !is(word, "LIMIT") {
            return Err(error::SYNTAX);
        }
        limit = positive(options.value()?, Failure::fixed("ERR LIMIT can't be negative"))?;
    }
    let keys = present(ctx, args.iter_from(2).take(numkeys))?;
    let mut common = 0;
    let most = if limit == 0 { usize::MAX } else { limit };
    intersect(&sets(ctx.keyspace, ctx.db, &keys), most, |_| common += 1);
    ctx.reply.count(common.min(most));
    Ok(())
}

/// `SUNION key [key ...]`
pub fn sunion(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let keys = present(ctx, args.iter_from(1))?;
    let all = unite(&sets(ctx.keyspace, ctx.db, &keys), &ctx.settings.limits);
    write_set(ctx.reply, &all);
    Ok(())
}

/// `SUNIONSTORE destination key [key ...]`
pub fn sunionstore(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let keys = present(ctx, args.iter_from(2))?;
    let all = unite(&sets(ctx.keyspace, ctx.db, &keys), &ctx.settings.limits);
    store(ctx, "sunionstore", args.get(1), all)
}

/// `SDIFF key [key ...]`
pub fn sdiff(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let left = difference(ctx, args.get(1), args.iter_from(2))?;
    write_set(ctx.reply, &left);
    Ok(())
}

/// `SDIFFSTORE destination key [key ...]`
pub fn sdiffstore(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let left = difference(ctx, args.get(2), args.iter_from(3))?;
    store(ctx, "sdiffstore", args.get(1), left)
}

/// The keys among these, each once, that hold a set; `None` stands for one that is not there.
fn present<'a>(
    ctx: &mut Context<'_>,
    keys: impl Iterator<Item = &'a [u8]>,
) -> Result<Vec<Option<&'a [u8]>>, Failure> {
    let mut met = HashSet::new();
    let mut present = Vec::new();
    for key in keys.filter(|key| met.insert(*key)) {
        let found = ctx.view(key, |found: Option<&Set>, _| found.is_some())?;
        present.push(found.then_some(key));
    }
    Ok(present)
}

/// The sets of these keys.
fn sets<'k>(keyspace: &'k Keyspace, db: usize, keys: &[Option<&[u8]>]) -> Vec<Option<&'k Set>> {
    let set = |key: &[u8]| keyspace.get(db, key)?.collection().and_then(Set::of);
    keys.iter().map(|key| key.and_then(set)).collect()
}

/// Shows the members that all sets have in common, or about `most` of them.
fn intersect(sets: &[Option<&Set>], most: usize, mut each: impl FnMut(Item<'_>)) {
    // Nothing is in common with a set that is not there.
    let Some(mut sets) = sets.iter().copied().collect::<Option<Vec<&Set>>>() else { return };
    sets.sort_by_key(|set| set.len());
    let Some((least, others)) = sets.split_first() else { return };
    let (mut at, mut found) = (0, 0);
    while at < least.len() && found < most {
        at = least.walk(at, STRIDE, |member| {
            if member.with_text(|text| others.iter().all(|set| set.contains(text))) {
                found += 1;
                each(member);
            }
        });
    }
}

/// The members of all sets.
fn unite(sets: &[Option<&Set>], limits: &Limits) -> Set {
    let largest = sets.iter().enumerate().max_by_key(|(_, set)| set.map_or(0, Set::len));
    let Some((first, Some(largest))) = largest else { return Set::default() };
    let mut all = largest.anew(limits);
    for (_, set) in sets.iter().enumerate().filter(|(index, _)| *index != first) {
        if let Some(set) = set {
            set.for_each(|member| {
                member.with_text(|text| all.add(text, limits));
            });
        }
    }
    all
}

/// The members of the first set that are in none of the others.
fn difference<'a>(
    ctx: &mut Context<'_>,
    first: &'a [u8],
    others: impl Iterator<Item = &'a [u8]> + Clone,
) -> Result<Set, Failure> {
    let itself = others.clone().any(|key| key == first);
    let keys = present(ctx, std::iter::once(first).chain(others))?;
    let sets = sets(ctx.keyspace, ctx.db, &keys);
    let Some((&Some(first), others)) = sets.split_first() else { return Ok(Set::default()) };
    if itself {
        return Ok(Set::default());
    }
    let limits = &ctx.settings.limits;
    let others: Vec<&Set> = others.iter().copied().flatten().collect();
    let size: usize = others.iter().map(|set| set.len()).sum::<usize>() + first.len();
    // Either every member is looked for in the others, which ends early for some, or all the others' are removed.
    if first.len().saturating_mul(others.len() + 1) / 2 <= size {
        let mut left = Set::default();
        first.for_each(|member| {
            member.with_text(|text| {
                if !others.iter().any(|set| set.contains(text)) {
                    left.add(text, limits);
                }
            });
        });
        return Ok(left);
    }
    let mut left = first.anew(limits);
    for set in others {
        set.for_each(|member| {
            member.with_text(|text| left.remove(text));
        });
    }
    Ok(left)
}

/// Stores a result and replies with its size; an empty one deletes the key.
fn store(ctx: &mut Context<'_>, event: &'static str, key: &[u8], set: Set) -> Result<(), Failure> {
    let len = set.len();
    if len > 0 {
        ctx.keyspace.put_collection(ctx.db, key, set.wrap(), Ttl::Clear);
        ctx.notify(Events::SET, event, key);
        ctx.effects.as_sent(ctx.db);
    } else if ctx.exists(key) && ctx.keyspace.remove(ctx.db, key) {
        ctx.notify(Events::GENERIC, "del", key);
        ctx.effects.as_sent(ctx.db);
    }
    ctx.reply.count(len);
    Ok(())
}
