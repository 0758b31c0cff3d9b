//! Hashes against a sorted map, and the rules by which a small one becomes large.

use std::collections::BTreeMap;

use super::*;
use crate::data::Rng;

fn small() -> Limits {
    Limits { hash_entries: 6, hash_value: 10, ..Limits::default() }
}

fn pairs(hash: &Hash) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut found = BTreeMap::new();
    hash.for_each(|field, value| assert_eq!(found.insert(field.to_vec(), value.to_vec()), None));
    found
}

#[test]
fn a_hash_holds_what_a_sorted_map_holds_in_every_form() {
    for (seed, span) in [(1, 5), (2, 30), (3, 800)] {
        let mut rng = Rng::new(seed);
        let (mut hash, mut model) = (Hash::default(), BTreeMap::new());
        for _ in 0..5000 {
            let field = rng.below(span).to_string().into_bytes();
            let value = rng.below(1000).to_string().into_bytes();
            if rng.below(3) == 0 {
                assert_eq!(hash.remove(&field), model.remove(&field).is_some());
            } else {
                assert_eq!(hash.set(&field, &value, &small()), model.insert(field.clone(), value).is_none());
            }
            assert_eq!(hash.get(&field).map(Item::to_vec).as_ref(), model.get(&field));
            assert_eq!(hash.len(), model.len());
        }
        assert_eq!(pairs(&hash), model);
        let mut walked = BTreeMap::new();
        let mut at = 0;
        while at < hash.len() {
            let (field, value) = hash.at(at).map(|(field, value)| (field.to_vec(), value.to_vec())).unwrap();
            assert_eq!(model.get(&field), Some(&value));
            at = hash.walk(at, 3, |field, value| drop(walked.insert(field.to_vec(), value.to_vec())));
        }
        assert_eq!(walked, model);
        assert_eq!(hash.at(model.len()), None);
        let mut scanned = BTreeMap::new();
        assert_eq!(
            hash.scan(0, usize::MAX, |field, value| drop(scanned.insert(field.to_vec(), value.to_vec()))),
            0
        );
        assert_eq!(scanned, model);
    }
}

#[test]
fn a_listpack_becomes_large_by_number_or_length_and_stays_it() {
    let mut hash = Hash::default();
    for field in [b"a", b"b", b"c", b"d", b"e", b"f"] {
        assert!(hash.set(field, b"1", &small()));
    }
    assert!(!hash.set(b"f", b"0123456789", &small()));
    assert_eq!(hash.encoding(), "listpack");
    assert!(hash.set(b"g", b"1", &small()) && hash.encoding() == "hashtable");
    (b'a'..=b'f').for_each(|letter| assert!(hash.remove(&[letter])));
    assert_eq!((hash.encoding(), hash.len()), ("hashtable", 1));
    for (field, value) in [("a", "01234567890"), ("01234567890", "a")] {
        let mut hash = Hash::default();
        hash.set(field.as_bytes(), value.as_bytes(), &small());
        assert_eq!(hash.encoding(), "hashtable");
    }
}

#[test]
fn what_is_to_come_decides_beforehand() {
    let expecting = |texts: &[&'static str]| {
        let mut hash = Hash::default();
        hash.expect(texts.iter().map(|text| text.as_bytes()), &small());
        hash.encoding()
    };
    assert_eq!(expecting(&["a"; 12]), "listpack");
    assert_eq!(expecting(&["a"; 14]), "hashtable");
    assert_eq!(expecting(&["a", "01234567890"]), "hashtable");
}

#[test]
fn rows_of_a_snapshot_are_taken_over_as_they_are() {
    let mut hash = Hash::default();
    hash.set(b"a", b"1", &small());
    hash.set(b"b", b"1", &small());
    let row = hash.as_listpack().cloned().unwrap();
    assert_eq!(Hash::from_listpack(row.clone(), &small()).unwrap().as_listpack(), Some(&row));
    let few = Limits { hash_entries: 1, ..small() };
    assert_eq!(pairs(&Hash::from_listpack(row.clone(), &few).unwrap()), pairs(&hash));
    let mut odd = row.clone();
    odd.push_back(b"c");
    assert!(Hash::from_listpack(odd.clone(), &small()).is_err());
    odd.replace(odd.last().unwrap(), b"a");
    odd.push_back(b"2");
    assert!(Hash::from_listpack(odd, &small()).is_err());
    assert!(Hash::from_listpack(Listpack::new(), &small()).is_err());
    assert_eq!((Hash::is_large_from(6, &small()), Hash::is_large_from(7, &small())), (false, true));
}

#[test]
fn a_hash_takes_little_room_in_its_key() {
    assert!(size_of::<Hash>() <= 24);
}
