//! The tree against a plain sorted vector.

use super::{Leaf, Tree};
use crate::data::Rng;

/// A page of numbers, small so that trees are deep.
#[derive(Debug, Clone, Default, PartialEq)]
struct Page<K = u64>(Vec<K>);

impl<K: Copy + Default + std::fmt::Debug> Leaf for Page<K> {
    type Key = K;

    fn count(&self) -> usize {
        self.0.len()
    }

    fn bytes(&self) -> usize {
        self.0.len() * size_of::<K>()
    }

    fn key(&self) -> K {
        self.0[0]
    }

    fn is_overfull(&self) -> bool {
        self.0.len() > 4
    }

    fn split(&mut self) -> Self {
        Self(self.0.split_off(self.0.len() / 2))
    }

    fn is_underfull(&self) -> bool {
        self.0.len() < 2
    }

    fn absorb(&mut self, next: &Self) -> bool {
        let fits = self.0.len() + next.0.len() <= 3;
        if fits {
            self.0.extend_from_slice(&next.0);
        }
        fits
    }
}

fn insert(tree: &mut Tree<Page>, number: u64) {
    tree.edit_by_key(
        |key| *key <= number,
        |page| {
            if let Err(at) = page.0.binary_search(&number) {
                page.0.insert(at, number);
            }
        },
    );
}

fn remove(tree: &mut Tree<Page>, number: u64) {
    tree.edit_by_key(|key| *key <= number, |page| page.0.retain(|&other| other != number));
}

fn numbers(tree: &Tree<Page>) -> Vec<u64> {
    tree.leaves().flat_map(|page| page.0.clone()).collect()
}

fn assert_is(tree: &Tree<Page>, model: &[u64]) {
    assert_eq!(numbers(tree), model);
    assert_eq!((tree.len(), tree.bytes() - size_of::<Tree<Page>>()), (model.len(), model.len() * 8));
    for (rank, number) in model.iter().enumerate() {
        let (page, at) = tree.leaf_by_rank(rank);
        assert_eq!(page.0[at], *number);
        let (page, before) = tree.leaf_by_key(|key| key <= number);
        assert_eq!(before + page.0.iter().position(|other| other == number).unwrap(), rank);
    }
}

#[test]
fn it_holds_what_a_sorted_vector_holds_whatever_was_done() {
    for seed in 0..20 {
        let mut rng = Rng::new(seed);
        let (mut tree, mut model) = (Tree::<Page>::default(), Vec::new());
        let mut held = Vec::new();
        for step in 0..3000 {
            let number = rng.below(600);
            // Growing, then shrinking, then growing again.
            if rng.below(10) < if step / 1000 == 1 { 2 } else { 7 } {
                insert(&mut tree, number);
                if let Err(at) = model.binary_search(&number) {
                    model.insert(at, number);
                }
            } else {
                remove(&mut tree, number);
                model.retain(|&other| other != number);
            }
            if step % 500 == 250 {
                held.push((tree.clone(), model.clone()));
            }
            if step % 100 == 99 {
                assert_is(&tree, &model);
            }
        }
        for (tree, model) in held {
            assert_is(&tree, &model);
        }
    }
}

#[test]
fn ranges_of_ranks_go_and_the_rest_stays() {
    for (start, end) in [(0, 0), (0, 1000), (0, 999), (1, 1000), (500, 510), (3, 997), (990, 2000)] {
        let mut tree = Tree::<Page>::default();
        (0..1000).for_each(|number| insert(&mut tree, number));
        tree.remove_ranks(start..end, |page, range| drop(page.0.drain(range)));
        let left: Vec<u64> = (0..1000).filter(|n| !(start..end).contains(&(*n as usize))).collect();
        assert_is(&tree, &left);
    }
}

#[test]
fn an_edit_that_leaves_many_pages_worth_is_split_into_as_many() {
    let mut tree = Tree::from_leaf(Page(vec![0, 10_000]));
    tree.edit_by_rank(1, |page, at| drop(page.0.splice(at..at, 1..10_000)));
    assert_is(&tree, &(0..=10_000).collect::<Vec<_>>());
    assert!(tree.leaves().all(|page| page.0.len() <= 4));
    let mut left = tree.len();
    while let Some(page) = tree.pop_leaf() {
        left -= page.0.len();
        assert_eq!(tree.len(), left);
    }
    assert!(tree.is_empty() && numbers(&tree).is_empty());
    insert(&mut tree, 5);
    assert_is(&tree, &[5]);
}

#[test]
fn a_tree_of_whole_pages_is_as_one_that_grew() {
    for pages in [0, 1, 2, 63, 64, 65, 129, 5000] {
        let leaves = (0..pages).map(|page| Page(vec![page * 2, page * 2 + 1])).collect();
        let mut tree = Tree::<Page>::from_leaves(leaves);
        let mut model: Vec<u64> = (0..pages * 2).collect();
        assert_is(&tree, &model);
        remove(&mut tree, 1);
        insert(&mut tree, 100_000);
        model.retain(|&number| number != 1);
        model.push(100_000);
        assert_is(&tree, &model);
    }
}

#[test]
fn a_guessed_way_down_ends_where_a_search_does_however_keys_are_spread() {
    let spreads: [fn(u32) -> u32; 4] = [
        |step| step.wrapping_mul(0x9e37_79b1),
        |step| step * step,
        |step| 1 << (step % 32),
        |step| u32::MAX - step,
    ];
    for spread in spreads {
        let mut tree = Tree::<Page<u32>>::default();
        for step in 0..1000 {
            let hash = spread(step);
            tree.edit_by_hash(hash, |page| match page.0.binary_search(&hash) {
                Ok(_) => {}
                Err(at) => page.0.insert(at, hash),
            });
        }
        let asked: Vec<u32> =
            (0..64).map(|step| spread(step * 15).wrapping_add(step % 3)).chain([0, u32::MAX]).collect();
        let together: [Option<&Page<u32>>; 70] = tree.leaves_by_hash(&asked);
        for (&hash, found) in asked.iter().zip(together) {
            let wanted = tree.leaf_by_key(|key| *key <= hash).0;
            assert!(std::ptr::eq(tree.leaf_by_hash(hash), wanted));
            assert!(found.is_some_and(|found| std::ptr::eq(found, wanted)));
        }
    }
}
