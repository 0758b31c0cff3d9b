//! Elements found by their hash, against a sorted map.

use std::collections::BTreeMap;

use super::page::{Page, Stored};
use super::{Bulk, Hashed, Leaf};
use crate::data::Rng;

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// A text of a length that is mostly short and now and then too long for a page.
fn text(rng: &mut Rng, number: u64) -> Vec<u8> {
    let mut text = number.to_string().into_bytes();
    let more = match rng.below(20) {
        0 => 240 + rng.below(30),
        1 => 1000 + rng.below(1000),
        _ => rng.below(12),
    };
    text.resize(text.len() + usize::try_from(more).unwrap(), b'.');
    text
}

/// The same number always gives the same field.
fn field(number: u64) -> Vec<u8> {
    text(&mut Rng::new(number), number)
}

fn assert_is<const PAIRS: bool>(hashed: &Hashed<PAIRS>, model: &Model) {
    assert_eq!(hashed.len(), model.len());
    let mut met = Model::new();
    let mut rank = 0;
    while rank < hashed.len() {
        rank =
            hashed.walk(rank, 7, |field, value| assert_eq!(met.insert(field.to_vec(), value.to_vec()), None));
    }
    assert_eq!(&met, model);
    for (field, value) in model {
        assert_eq!(hashed.get(field), Some(&**value));
    }
    if model.is_empty() {
        return;
    }
    let pages: usize = hashed.tree.leaves().map(Leaf::bytes).sum();
    assert_eq!(pages + size_of_val(hashed), hashed.bytes());
}

/// Random changes, with copies held in between that must stay what they were.
fn play<const PAIRS: bool>(seed: u64) {
    let mut rng = Rng::new(seed);
    let (mut hashed, mut model, mut held) = (Hashed::<PAIRS>::new(seed), Model::new(), Vec::new());
    for step in 0..6000 {
        let number = rng.below(2000);
        let field = field(number);
        let value = if PAIRS { text(&mut rng, number) } else { Vec::new() };
        hashed.look_ahead(&[&field, b"", &value]);
        assert_eq!(hashed.contains(&field), model.contains_key(&field));
        // Growing, then shrinking to almost nothing, then growing again.
        if rng.below(10) < if step / 2000 == 1 { 1 } else { 7 } {
            assert_eq!(hashed.store(&field, &value), model.insert(field, value).is_none());
        } else if rng.below(4) == 0 && !model.is_empty() {
            let rank = usize::try_from(rng.below(hashed.len() as u64)).unwrap();
            let at = hashed.at(rank).map(|(field, _)| field.to_vec());
            let taken = hashed.take(rank, |field, _| field.to_vec());
            assert_eq!(at, taken);
            assert!(model.remove(&taken.unwrap()).is_some());
        } else {
            assert_eq!(hashed.remove(&field), model.remove(&field).is_some());
        }
        if step % 1000 == 500 {
            held.push((hashed.clone(), model.clone()));
        }
        if step % 400 == 399 {
            assert_is(&hashed, &model);
        }
    }
    for (hashed, model) in held {
        assert_is(&hashed, &model);
    }
}

#[test]
fn it_holds_what_a_sorted_map_holds_whatever_was_done() {
    for seed in 0..4 {
        play::<true>(seed);
        play::<false>(seed);
    }
}

#[test]
fn elements_of_equal_hash_stay_in_one_page_and_are_all_found() {
    let mut page = Page::<true>::default();
    let numbers = 0..6000_u32;
    for number in numbers.clone() {
        let text = format!("element {number}");
        assert_eq!(page.store(7, text.as_bytes(), b"value"), Stored::New);
        assert!(!page.is_overfull());
    }
    // More bytes than offsets of 16 bits reach.
    assert!(page.bytes() > 1 << 16);
    assert_eq!(page.store(7, b"element 5", b"other"), Stored::Replaced);
    assert_eq!(page.store(9, b"another hash", b""), Stored::New);
    assert!(page.is_overfull());
    let behind = page.split();
    assert_eq!((page.count(), behind.count()), (6000, 1));
    for number in numbers {
        let text = format!("element {number}");
        let index = page.find(7, text.as_bytes()).unwrap();
        let value: &[u8] = if number == 5 { b"other" } else { b"value" };
        assert_eq!(page.at(index), (text.as_bytes(), value));
        page.remove(index);
    }
    assert_eq!(page.count(), 0);
    assert!(page.absorb(&behind) && page.find(9, b"another hash") == Some(0));
}

#[test]
fn a_walk_by_cursors_meets_whatever_stays_and_ends() {
    for seed in 0..10 {
        let mut rng = Rng::new(seed);
        let mut hashed = Hashed::<false>::new(seed);
        let stays: Vec<Vec<u8>> =
            (0..1500_u64).map(|number| format!("stays {number}").into_bytes()).collect();
        stays.iter().for_each(|field| assert!(hashed.store(field, b"")));
        let (mut met, mut cursor, mut calls) = (Vec::new(), 0, 0);
        loop {
            cursor = hashed.scan(cursor, 10, |field, _| met.push(field.to_vec()));
            calls += 1;
            if cursor == 0 {
                break;
            }
            for _ in 0..rng.below(60) {
                let other = rng.below(5000).to_string();
                if rng.below(3) > 0 {
                    hashed.store(other.as_bytes(), b"")
                } else {
                    hashed.remove(other.as_bytes())
                };
            }
        }
        met.retain(|field| field.starts_with(b"stays"));
        met.sort();
        let mut wanted = stays.clone();
        wanted.sort();
        assert_eq!(met, wanted);
        assert!(calls < 2000);
    }
}

#[test]
fn a_cursor_from_nowhere_ends_the_walk_or_goes_on_from_there() {
    let mut hashed = Hashed::<false>::new(1);
    (0..1000_u64).for_each(|number| assert!(hashed.store(number.to_string().as_bytes(), b"")));
    assert_eq!(hashed.scan(u64::MAX, 10, |_, _| unreachable!("nothing is there")), 0);
    let mut met = 0;
    assert_eq!(hashed.scan(1 << 31, usize::MAX, |_, _| met += 1), 0);
    assert!((300..700).contains(&met));
    assert_eq!(Hashed::<true>::new(1).scan(5, 10, |_, _| unreachable!("nothing is there")), 0);
}

#[test]
fn pages_are_filled_and_short_elements_cost_few_bytes() {
    let mut hashed = Hashed::<false>::new(3);
    for number in 0..100_000_u64 {
        hashed.store(format!("member:{number}").as_bytes(), b"");
    }
    // Twelve bytes of text, one of length, six of the slot, and what pages leave unused.
    let each = hashed.bytes() / hashed.len();
    assert!(each <= 23, "{each} bytes");
    while hashed.len() > 100 {
        hashed.take(0, |_, _| ());
    }
    assert!(hashed.bytes() < 8 * 1024, "{} bytes", hashed.bytes());
}

#[test]
fn a_large_one_is_freed_in_slices() {
    let mut hashed = Hashed::<true>::new(3);
    (0..10_000_u64).for_each(|number| assert!(hashed.store(number.to_string().as_bytes(), b"v")));
    let mut freed = 0;
    while let some @ 1.. = hashed.dismantle(100) {
        assert!(some < 400);
        freed += some;
    }
    assert_eq!((freed, hashed.len()), (10_000, 0));
}

#[test]
fn what_comes_in_bulk_is_what_comes_one_by_one() {
    // Nothing, a page, many pages, more than are gathered at once.
    for size in [0, 1, 100, 5000, 150_000_u64] {
        let mut bulk = Bulk::<true>::new(9);
        let mut model = Model::new();
        for number in 0..size {
            let (field, value) = (
                if size < 10_000 { field(number) } else { number.to_string().into_bytes() },
                number.to_string().into_bytes(),
            );
            bulk.push(&field, &value);
            model.insert(field, value);
        }
        let mut hashed = bulk.finish().unwrap();
        assert_is(&hashed, &model);
        assert!(hashed.tree.leaves().all(|page| !page.is_overfull()));
        assert!(hashed.store(b"one more", b"") && hashed.remove(b"one more"));
    }
}

#[test]
fn a_field_that_comes_twice_in_bulk_is_noticed_near_and_far() {
    for distance in [1, 100, 70_000_u64] {
        let mut bulk = Bulk::<false>::new(9);
        (0..100_000_u64).for_each(|number| bulk.push(number.to_string().as_bytes(), b""));
        bulk.push((100_000 - distance).to_string().as_bytes(), b"");
        assert!(bulk.finish().is_none());
    }
}
