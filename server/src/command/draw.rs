//! Draws of elements by their rank: what SPOP, SRANDMEMBER and HRANDFIELD have in common.

use hashbrown::HashSet;

use super::args::is;
use super::context::Context;
use super::error::{self, Failure};
use super::lists::countable;
use crate::data::{Kind, Rng};
use crate::resp::{Args, Reply};

/// What a number of elements to draw means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Draw {
    /// So many, each at most once.
    Distinct(usize),
    /// So many, each drawn from all: the number was negative.
    Repeated(usize),
}

impl Draw {
    /// Reads the number.
    ///
    /// # Errors
    /// It is no integer that has a negative.
    pub(super) fn read(word: &[u8]) -> Result<Self, Failure> {
        let number = countable(word)?;
        let count = usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
        Ok(if number < 0 { Self::Repeated(count) } else { Self::Distinct(count) })
    }
}

/// A rank below `len`, which is not zero.
pub(super) fn one(rng: &mut Rng, len: usize) -> usize {
    usize::try_from(rng.below(u64::try_from(len).unwrap_or(u64::MAX))).unwrap_or(0)
}

/// `count` different ranks below `len`, ascending, every choice being equally likely; all of them when `count` is not below `len`.
pub(super) fn distinct(rng: &mut Rng, count: usize, len: usize) -> Vec<usize> {
    if count >= len {
        return (0..len).collect();
    }
    let mut ranks = Vec::with_capacity(count);
    if is_dense(count, len) {
        // Each rank is taken with the chance that is left: ranks wanted over ranks to come.
        for rank in 0..len {
            if one(rng, len - rank) < count - ranks.len() {
                ranks.push(rank);
            }
        }
        return ranks;
    }
    // Floyd: the draw from one rank more either is new or makes room for that rank. Bentley, "Programming Pearls" (1987).
    let mut taken = HashSet::with_capacity(count);
    for top in len - count..len {
        let drawn = one(rng, top + 1);
        let rank = if taken.insert(drawn) { drawn } else { top };
        taken.insert(rank);
        ranks.push(rank);
    }
    ranks.sort_unstable();
    ranks
}

/// Whether one walk over all elements costs less than so many look-ups.
pub(super) fn is_dense(count: usize, len: usize) -> bool {
    count >= len / 4
}

/// Writes `count` draws with repetition from `len` elements: `begin` writes what stands before them, `write` the element of a rank.
///
/// # Errors
/// The reply would be longer than `most` bytes. A count is a few bytes long and could ask for any number of them.
pub(super) fn repeated(
    rng: &mut Rng,
    reply: &mut Reply,
    (count, len, most): (usize, usize, usize),
    begin: impl FnOnce(&mut Reply),
    mut write: impl FnMut(&mut Reply, usize),
) -> Result<(), Failure> {
    // An empty element is written as this.
    if count.saturating_mul(b"$0\r\n\r\n".len()) > most {
        return Err(error::OUT_OF_RANGE);
    }
    let start = reply.len();
    begin(reply);
    for _ in 0..count {
        write(reply, one(rng, len));
        if reply.len() - start > most {
            return Err(error::OUT_OF_RANGE);
        }
    }
    Ok(())
}

/// The largest count, negative or not, of pairs: their texts must be countable too.
const MOST_PAIRS: usize = (i64::MAX / 2).cast_unsigned() as usize;

/// A collection of pairs that is drawn from: fields and values, members and scores.
pub(super) trait Drawn: Kind {
    /// The word that asks for pairs.
    const PAIRED: &'static str;

    /// Writes what has this rank; a null if nothing has.
    fn write_at(&self, reply: &mut Reply, rank: usize, pairs: bool);
    /// Writes what has these ranks, which ascend, as an array.
    fn write_ranks(&self, reply: &mut Reply, ranks: &[usize], pairs: bool);
}

/// `HRANDFIELD key [count [WITHVALUES]]`, and ZRANDMEMBER.
///
/// # Errors
/// A count that is none or too large, a word that is not [`Drawn::PAIRED`], a key that holds something else.
pub(super) fn pairs<K: Drawn>(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (wanted, pairs) = read_pairs(args, K::PAIRED)?;
    let (mut rng, most) = (ctx.rng.clone(), ctx.settings.max_string);
    let result = ctx.view(args.get(1), |found: Option<&K>, reply| {
        match (found, wanted) {
            (None, None) => reply.null(),
            (None, Some(_)) => reply.array(0),
            (Some(found), None) => found.write_at(reply, one(&mut rng, found.len()), false),
            (Some(found), Some(Draw::Distinct(count))) => {
                let ranks = distinct(&mut rng, count, found.len());
                found.write_ranks(reply, &ranks, pairs);
            }
            (Some(found), Some(Draw::Repeated(count))) => {
                let begin = |reply: &mut Reply| begin_pairs(reply, count, pairs);
                return repeated(&mut rng, reply, (count, found.len(), most), begin, |reply, rank| {
                    found.write_at(reply, rank, pairs);
                });
            }
        }
        Ok(())
    })?;
    *ctx.rng = rng;
    result
}

/// How many are wanted, one if nothing is said, and whether as pairs.
fn read_pairs(args: Args<'_>, paired: &str) -> Result<(Option<Draw>, bool), Failure> {
    if args.len() == 2 {
        return Ok((None, false));
    }
    let wanted = Draw::read(args.get(2))?;
    let pairs = match args.len() {
        3 => false,
        4 if is(args.get(3), paired) => true,
        _ => return Err(error::SYNTAX),
    };
    let (Draw::Distinct(count) | Draw::Repeated(count)) = wanted;
    if pairs && count > MOST_PAIRS {
        return Err(error::OUT_OF_RANGE);
    }
    Ok((Some(wanted), pairs))
}

/// Begins an array of `count` elements or pairs. In RESP3 a pair is an array, in RESP2 two elements.
pub(super) fn begin_pairs(reply: &mut Reply, count: usize, pairs: bool) {
    reply.array(if pairs && !reply.resp3() { count.saturating_mul(2) } else { count });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_is_of_different_ranks_and_each_is_drawn_equally_often() {
        let mut rng = Rng::new(5);
        for (count, len) in [(0, 5), (1, 5), (3, 5), (5, 5), (9, 5), (3, 100), (1, 1), (24, 100), (25, 100)] {
            let mut drawn = vec![0_u32; len];
            for _ in 0..2000 {
                let ranks = distinct(&mut rng, count, len);
                assert_eq!(ranks.len(), count.min(len));
                assert!(ranks.is_sorted_by(|one, next| one < next));
                ranks.into_iter().for_each(|rank| drawn[rank] += 1);
            }
            let fair = 2000.0 * count.min(len) as f64 / len as f64;
            // Five standard deviations of a binomial.
            let most = 5.0 * (fair * (1.0 - fair / 2000.0)).max(0.0).sqrt() + 0.5;
            assert!(
                drawn.iter().all(|&times| (f64::from(times) - fair).abs() <= most),
                "{count} of {len}: {drawn:?}"
            );
        }
    }

    #[test]
    fn a_reply_that_would_be_too_long_is_refused_before_it_is_written() {
        let mut rng = Rng::new(5);
        let mut reply = Reply::default();
        let whole =
            repeated(&mut rng, &mut reply, (3, 9, 100), |reply| reply.array(3), |reply, _| reply.bulk(b"x"));
        assert_eq!((whole, reply.bytes()), (Ok(()), &b"*3\r\n$1\r\nx\r\n$1\r\nx\r\n$1\r\nx\r\n"[..]));
        let mut reply = Reply::default();
        let refused = repeated(
            &mut rng,
            &mut reply,
            (usize::MAX, 9, 1 << 20),
            |_| (),
            |_, _| unreachable!("nothing is drawn"),
        );
        assert_eq!(refused, Err(error::OUT_OF_RANGE));
        let refused =
            repeated(&mut rng, &mut reply, (10, 9, 100), |_| (), |reply, _| reply.bulk(&[b'x'; 50]));
        assert_eq!(refused, Err(error::OUT_OF_RANGE));
    }
}
