//! Sorted sets: members, each with a score, in order of score and then of member.
//!
//! A small one is one listpack, as Redis has it. A large one is two trees of pages: in order (found by score, by member among
//! equal scores, by rank) and by the hash of the member. Everything is logarithmic, and a clone of a large one shares its pages.
//!
//! - Scores are never NaN. Both zeros are equal; a large one keeps the sign of a zero, a small one does not.
//! - It becomes large when its limits are passed, and small again only through [`Zset::shrink`].
//!
//! For those who write snapshots: [`Zset::as_listpack`], or [`Zset::walk`] over a clone, a range of ranks at a time. For those who
//! read them: [`Zset::from_listpack`], [`Zset::from_pairs`] for all at once in any order, or [`Zset::insert`] for one after the other.

mod index;
mod large;
mod members;
mod page;
mod small;
mod walk;

#[cfg(test)]
mod tests;

use std::ops::Range;

use self::large::Large;
pub use self::page::order;
pub use self::walk::Walk;
use super::collection::{Kind, variant};
use super::limits::Limits;
use super::listpack::{Item, Listpack};
use super::packed::Malformed;

/// See the top of the file.
#[derive(Debug, Clone, Default)]
pub struct Zset {
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    Small(Listpack),
    Large(Box<Large>),
}

impl Default for Form {
    fn default() -> Self {
        Self::Small(Listpack::new())
    }
}

impl Zset {
    /// A sorted set of these pairs, in whatever order they come; none if a member occurs twice. Faster than inserting them.
    #[must_use]
    pub fn from_pairs(mut pairs: Vec<(f64, &[u8])>, limits: &Limits) -> Option<Self> {
        let before = |a: &(f64, &[u8]), b: &(f64, &[u8])| order(a.0, a.1, b.0, b.1);
        if !pairs.is_sorted_by(|a, b| before(a, b).is_le()) {
            pairs.sort_unstable_by(before);
        }
        let small = pairs.len() <= limits.zset_entries
            && pairs.iter().all(|(_, member)| member.len() <= limits.zset_value);
        if !small {
            return Large::build(&pairs, limits.seed)
                .map(|large| Self { form: Form::Large(Box::new(large)) });
        }
        let mut made = Self::default();
        let unique = pairs.iter().all(|(score, member)| made.insert(member, *score, limits));
        unique.then_some(made)
    }

    /// Takes a listpack from outside that is whole ([`Listpack::from_bytes`]).
    ///
    /// # Errors
    /// It is no row of pairs in order, or a member occurs twice.
    pub fn from_listpack(pack: Listpack, limits: &Limits) -> Result<Self, Malformed> {
        small::verify(&pack)?;
        let large = pack.len() / 2 > limits.zset_entries || small::longest(&pack) > limits.zset_value;
        let mut made = Self { form: Form::Small(pack) };
        if large {
            made.grow(limits);
        }
        Ok(made)
    }

    /// The listpack of a small one.
    #[must_use]
    pub fn as_listpack(&self) -> Option<&Listpack> {
        match &self.form {
            Form::Small(pack) => Some(pack),
            Form::Large(_) => None,
        }
    }

    /// The score of a member.
    #[must_use]
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        match &self.form {
            Form::Small(pack) => small::find(pack, member).map(|at| small::score_at(pack, at)),
            Form::Large(large) => large.score(member),
        }
    }

    /// The rank of a member, from 0, and its score.
    #[must_use]
    pub fn rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        let score = self.score(member)?;
        let rank = match &self.form {
            Form::Small(_) => self.count_before(|other, text| order(other, text, score, member).is_lt()),
            Form::Large(large) => large.rank(score, member),
        };
        Some((rank, score))
    }

    /// How many pairs, from the first on, satisfy a predicate on score and member, which must be true for smaller ones and false
    /// for larger ones.
    #[must_use]
    pub fn count_before(&self, before: impl Fn(f64, &[u8]) -> bool) -> usize {
        match &self.form {
            Form::Small(pack) => small::bound(pack, before).1,
            Form::Large(large) => large.rank_of(before),
        }
    }

    /// The pairs with these ranks, from the last to the first if `down`.
    #[must_use]
    pub fn walk(&self, ranks: Range<usize>, down: bool) -> Walk<'_> {
        Walk::new(self, &ranks, down)
    }

    /// All pairs in order.
    #[must_use]
    pub fn iter(&self) -> Walk<'_> {
        self.walk(0..self.len(), false)
    }

    /// The pair with a rank.
    #[must_use]
    pub fn at(&self, rank: usize) -> Option<(Item<'_>, f64)> {
        self.walk(rank..rank.saturating_add(1), false).next()
    }

    /// Shows `decide` the score of a member (none if it is not there) and gives it the one that `decide` wants; none leaves it as
    /// it is. Gives the old and the new score. The new one must not be NaN.
    pub fn update(
        &mut self,
        member: &[u8],
        limits: &Limits,
        decide: impl FnOnce(Option<f64>) -> Option<f64>,
    ) -> (Option<f64>, Option<f64>) {
        match &mut self.form {
            Form::Large(large) => large.update(member, decide),
            Form::Small(pack) => {
                let full = member.len() > limits.zset_value
                    || pack.len() / 2 >= limits.zset_entries
                    || !pack.fits(member.len());
                if !full {
                    return small::update(pack, member, decide);
                }
                let old = small::find(pack, member).map(|at| small::score_at(pack, at));
                let new = decide(old);
                match (old, new) {
                    (_, None) => {}
                    (Some(_), Some(_)) => drop(small::update(pack, member, |_| new)),
                    (None, Some(new)) => {
                        self.grow(limits);
                        self.insert(member, new, limits);
                    }
                }
                (old, new)
            }
        }
    }

    /// Gives a member a score; true if the member is new.
    pub fn insert(&mut self, member: &[u8], score: f64, limits: &Limits) -> bool {
        self.update(member, limits, |_| Some(score)).0.is_none()
    }

    /// Removes a member; gives its score.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        match &mut self.form {
            Form::Large(large) => large.remove(member),
            Form::Small(pack) => {
                let at = small::find(pack, member)?;
                let score = small::score_at(pack, at);
                pack.remove_at(at, 2);
                Some(score)
            }
        }
    }

    /// Removes the pairs with these ranks.
    pub fn remove_ranks(&mut self, ranks: Range<usize>) {
        match &mut self.form {
            Form::Large(large) => large.remove_ranks(ranks),
            Form::Small(pack) => {
                let index = i64::try_from(ranks.start.saturating_mul(2)).unwrap_or(i64::MAX);
                pack.remove_range(index, ranks.len().saturating_mul(2));
            }
        }
    }

    /// Shows some pairs, about `count`, and gives the cursor to go on with; 0 begins, and 0 is given at the end. Who goes through
    /// all cursors meets each member that was there all the time. A small one is shown whole.
    pub fn scan(&self, cursor: u64, count: usize, mut each: impl FnMut(Item<'_>, f64)) -> u64 {
        match &self.form {
            Form::Large(large) => large.scan(cursor, count, |member, score| each(Item::Str(member), score)),
            Form::Small(_) => {
                self.iter().for_each(|(member, score)| each(member, score));
                0
            }
        }
    }

    /// Fetches what finding these members will read, and what giving them these scores will, if there are any: step by step for all,
    /// so that the processor waits for memory once for many and not for each. What is small needs none of this.
    pub fn look_ahead(&self, members: &[&[u8]], scores: &[&[u8]]) {
        if let Form::Large(large) = &self.form {
            large.look_ahead(members, scores);
        }
    }

    /// Makes it large, whatever its size.
    pub fn grow(&mut self, limits: &Limits) {
        if let Form::Small(_) = self.form {
            let mut large = Large::new(limits.seed);
            for (member, score) in self.iter() {
                member.with_text(|text| large.update(text, |_| Some(score)));
            }
            self.form = Form::Large(Box::new(large));
        }
    }

    /// Makes it small if its limits allow that: what Redis does with results it stores.
    pub fn shrink(&mut self, limits: &Limits) {
        if let Form::Large(_) = self.form
            && self.len() <= limits.zset_entries
            && self.iter().all(|(member, _)| member.text_len() <= limits.zset_value)
        {
            let mut made = Self::default();
            for (member, score) in self.iter() {
                member.with_text(|text| made.insert(text, score, limits));
            }
            *self = made;
        }
    }
}

impl Kind for Zset {
    const NAME: &'static str = "zset";
    const NUMBER: u32 = 3;

    fn len(&self) -> usize {
        match &self.form {
            Form::Small(pack) => pack.len() / 2,
            Form::Large(large) => large.ordered.len(),
        }
    }

    fn memory(&self) -> usize {
        match &self.form {
            Form::Small(pack) => pack.memory(),
            Form::Large(large) => large.memory(),
        }
    }

    fn encoding(&self) -> &'static str {
        match &self.form {
            Form::Small(_) => "listpack",
            Form::Large(_) => "skiplist",
        }
    }

    fn dismantle(&mut self, budget: usize) -> usize {
        match &mut self.form {
            Form::Large(large) => large.dismantle(budget),
            Form::Small(pack) => {
                let len = pack.len() / 2;
                pack.clear();
                len
            }
        }
    }

    variant!(Zset);
}
