//! Sets against a sorted set, and the rules by which one form becomes the next.

use std::collections::BTreeSet;

use super::*;
use crate::data::Rng;

fn small() -> Limits {
    Limits { set_ints: 8, set_entries: 6, set_value: 10, ..Limits::default() }
}

fn members(set: &Set) -> BTreeSet<Vec<u8>> {
    let mut found = BTreeSet::new();
    set.for_each(|member| assert!(found.insert(member.to_vec())));
    found
}

fn set_of(texts: &[&str], limits: &Limits) -> Set {
    let mut set = Set::default();
    texts.iter().for_each(|text| assert!(set.add(text.as_bytes(), limits)));
    set
}

#[test]
fn a_set_holds_what_a_sorted_set_holds_in_every_form() {
    for (seed, span) in [(1, 5), (2, 30), (3, 800)] {
        for only_numbers in [true, false] {
            let mut rng = Rng::new(seed);
            let (mut set, mut model) = (Set::default(), BTreeSet::new());
            for _ in 0..4000 {
                let number = rng.below(span);
                let text = if only_numbers || number.is_multiple_of(2) {
                    number.to_string()
                } else {
                    format!("m{number}")
                };
                let member = text.into_bytes();
                match rng.below(8) {
                    0 | 1 => assert_eq!(set.remove(&member), model.remove(&member)),
                    2 if !model.is_empty() => {
                        let index = usize::try_from(rng.below(model.len() as u64)).unwrap();
                        let at = set.at(index).map(Item::to_vec);
                        let taken = set.take(index, <[u8]>::to_vec).unwrap();
                        assert_eq!(at.as_ref(), Some(&taken));
                        assert!(model.remove(&taken));
                    }
                    _ => assert_eq!(set.add(&member, &small()), model.insert(member.clone())),
                }
                assert_eq!((set.contains(&member), set.len()), (model.contains(&member), model.len()));
            }
            assert_eq!(members(&set), model);
            assert_eq!(set.at(model.len()), None);
            assert_eq!(set.take(model.len(), |_| ()), None);
            let mut walked = BTreeSet::new();
            let mut at = 0;
            while at < set.len() {
                at = set.walk(at, 3, |member| assert!(walked.insert(member.to_vec())));
            }
            assert_eq!(walked, model);
            let mut scanned = BTreeSet::new();
            assert_eq!(set.scan(0, usize::MAX, |member| assert!(scanned.insert(member.to_vec()))), 0);
            assert_eq!(scanned, model);
        }
    }
}

#[test]
fn integers_are_an_intset_until_they_are_too_many() {
    let mut set = set_of(&["1", "2", "3", "4", "5", "6", "7", "-8"], &small());
    assert_eq!(set.encoding(), "intset");
    assert!(!set.add(b"-8", &small()) && set.encoding() == "intset");
    assert!(set.add(b"9", &small()));
    assert_eq!((set.encoding(), set.len()), ("hashtable", 9));
}

#[test]
fn an_intset_becomes_a_listpack_with_a_text_if_that_fits() {
    let mut set = set_of(&["1", "2", "3"], &small());
    assert!(set.add(b"01", &small()));
    assert_eq!((set.encoding(), set.len()), ("listpack", 4));
    assert!(set.contains(b"1") && set.contains(b"01") && !set.contains(b"001"));
    let too_many = set_of(&["1", "2", "3", "4", "5", "6", "x"], &small());
    assert_eq!(too_many.encoding(), "hashtable");
    let long_text = set_of(&["1", "elevenbytes"], &small());
    assert_eq!(long_text.encoding(), "hashtable");
    let long_number = set_of(&["-1234567890", "x"], &small());
    assert_eq!(long_number.encoding(), "hashtable");
}

#[test]
fn a_listpack_becomes_large_by_number_or_length_and_stays_it() {
    let mut set = set_of(&["a", "b", "c", "d", "e", "f"], &small());
    assert_eq!(set.encoding(), "listpack");
    assert!(set.add(b"g", &small()) && set.encoding() == "hashtable");
    (b'a'..=b'f').for_each(|letter| assert!(set.remove(&[letter])));
    assert_eq!((set.encoding(), set.len()), ("hashtable", 1));
    assert_eq!(set_of(&["a", "0123456789"], &small()).encoding(), "listpack");
    assert_eq!(set_of(&["a", "01234567891"], &small()).encoding(), "hashtable");
}

#[test]
fn how_many_are_to_come_decides_beforehand() {
    for (first, count, encoding) in [
        ("1", 8, "intset"),
        ("1", 9, "hashtable"),
        ("a", 6, "listpack"),
        ("a", 7, "hashtable"),
        ("a", 1, "listpack"),
    ] {
        let mut set = Set::default();
        set.expect(first.as_bytes(), count, &small());
        assert_eq!(set.encoding(), encoding, "{first} {count}");
    }
    let mut ints = set_of(&["1"], &small());
    ints.expect(b"x", 8, &small());
    assert_eq!(ints.encoding(), "intset");
    ints.expect(b"x", 9, &small());
    assert_eq!((ints.encoding(), ints.contains(b"1")), ("hashtable", true));
}

#[test]
fn rows_of_a_snapshot_are_taken_over_as_they_are() {
    let ints = set_of(&["5", "3"], &small()).as_intset().cloned().unwrap();
    assert_eq!(Set::from_intset(ints.clone(), &small()).as_intset(), Some(&ints));
    let few = Limits { set_ints: 1, set_entries: 1, ..small() };
    assert_eq!(Set::from_intset(ints, &few).encoding(), "hashtable");
    let row = set_of(&["a", "3"], &small()).as_listpack().cloned().unwrap();
    assert_eq!(Set::from_listpack(row.clone(), &small()).unwrap().as_listpack(), Some(&row));
    assert_eq!(Set::from_listpack(row.clone(), &few).unwrap().encoding(), "hashtable");
    let mut twice = row;
    twice.push_back_item(Item::Str(b"3"));
    assert!(Set::from_listpack(twice, &small()).is_err());
    assert!(Set::from_listpack(Listpack::new(), &small()).is_err());
    assert_eq!((Set::is_large_from(8, &small()), Set::is_large_from(9, &small())), (false, true));
}

#[test]
fn a_set_that_lost_most_of_its_members_may_be_made_anew() {
    let mut set = Set::default();
    (0..100).for_each(|number: u32| assert!(set.add(number.to_string().as_bytes(), &small())));
    (7..100).for_each(|number: u32| assert!(set.remove(number.to_string().as_bytes())));
    set.rebuild(&small());
    assert_eq!((set.encoding(), set.len()), ("hashtable", 7));
    assert!(set.remove(b"6"));
    set.rebuild(&small());
    assert_eq!((set.encoding(), set.len()), ("listpack", 6));
}

#[test]
fn a_set_takes_little_room_in_its_key() {
    assert!(size_of::<Set>() <= 32);
}
