//! A walk over pairs of a sorted set, up or down.

use std::ops::Range;

use super::page::Page;
use super::{Form, Zset, small};
use crate::data::collection::Kind;
use crate::data::listpack::{Item, Listpack};
use crate::data::tree::{Leaf, Tree};

/// Pairs one after the other; made by [`Zset::walk`]. Starting one is a search, a step is not.
#[derive(Debug, Clone)]
pub struct Walk<'a> {
    place: Place<'a>,
    left: usize,
    down: bool,
}

#[derive(Debug, Clone)]
enum Place<'a> {
    Small {
        pack: &'a Listpack,
        at: Option<usize>,
    },
    /// `at` is the index in the page of the pair with this rank; a page that ends there is left at the next step.
    Large {
        tree: &'a Tree<Page>,
        page: &'a Page,
        at: usize,
        rank: usize,
    },
}

impl<'a> Walk<'a> {
    pub(super) fn new(zset: &'a Zset, ranks: &Range<usize>, down: bool) -> Self {
        let ranks = ranks.start..ranks.end.min(zset.len());
        let left = ranks.len();
        let first = if down { ranks.end.saturating_sub(1) } else { ranks.start };
        let place = match &zset.form {
            Form::Small(pack) => {
                let index = i64::try_from(first.saturating_mul(2)).unwrap_or(i64::MAX);
                Place::Small { pack, at: pack.seek(index) }
            }
            Form::Large(large) => {
                let (page, at) = large.ordered.leaf_by_rank(first);
                Place::Large { tree: &large.ordered, page, at, rank: first }
            }
        };
        Self { place, left, down }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = (Item<'a>, f64);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        match &mut self.place {
            Place::Small { pack, at } => {
                let here = (*at)?;
                let member = pack.at(here)?;
                let score_at = pack.next(here)?;
                let score = pack.at(score_at).and_then(small::score_of)?;
                *at = if self.down {
                    pack.prev(here).and_then(|at| pack.prev(at))
                } else {
                    pack.next(score_at)
                };
                Some((member, score))
            }
            Place::Large { tree, page, at, rank } => {
                if *at >= page.count() {
                    (*page, *at) = tree.leaf_by_rank(*rank);
                }
                let (score, member) = page.pair(*at)?;
                if self.down {
                    *rank = rank.wrapping_sub(1);
                    *at = at.wrapping_sub(1);
                } else {
                    *rank += 1;
                    *at += 1;
                }
                Some((Item::Str(member), score))
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Walk<'_> {}
