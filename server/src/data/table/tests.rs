//! The table against a naive model: the same operations on both, the same answers, and true counts.

use super::{Block, EntryRef, Position, Table};
use crate::data::Rng;
use crate::data::value::{NewValue, Ttl, ValueRef};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<u64>)>;

/// Miri runs some hundred times slower.
const CASES: u32 = if cfg!(miri) { 3 } else { 64 };
const OPS: usize = if cfg!(miri) { 80 } else { 1500 };
/// Keys that operations choose from; natively enough to split and merge.
const SPAN: u16 = if cfg!(miri) { 40 } else { 600 };
const MANY: usize = if cfg!(miri) { 900 } else { 20_000 };

#[derive(Debug, Clone)]
enum Op {
    Set(u16, Vec<u8>, Ttl),
    SetInt(u16, i64),
    Remove(u16),
    Expire(u16, Option<u64>),
    Splice(u16, Option<usize>, Vec<u8>),
    Rename(u16, u16),
    /// Removes a run of keys, so that segments merge.
    RemoveMany(u16, u16),
    SetMany(u16, u16),
}

/// For results that a test does not look at.
fn ignore<T>(_: T) {}

fn text(value: ValueRef<'_>) -> Vec<u8> {
    match value {
        ValueRef::Int(number) => number.to_string().into_bytes(),
        ValueRef::Bytes(bytes) => bytes.to_vec(),
        ValueRef::Collection(_) => panic!("only strings are stored here"),
    }
}

/// Keys of several lengths, so that key lengths take one and two bytes.
fn key(number: u16) -> Vec<u8> {
    let mut key = format!("key:{number}").into_bytes();
    if number.is_multiple_of(17) {
        key.resize(120 + usize::from(number % 20), b'x');
    }
    key
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    // Around the limits: length in one or two bytes, inline or shared.
    let len = prop_oneof![8 => 0..100usize, 2 => 120..140usize, 1 => 16_370..16_400usize];
    (len, any::<u8>()).prop_map(|(len, byte)| vec![byte; len])
}

fn op() -> impl Strategy<Value = Op> {
    let ttl = prop_oneof![Just(Ttl::Clear), Just(Ttl::Keep), (1..1000u64).prop_map(Ttl::At)];
    let number = 0..SPAN;
    prop_oneof![
        12 => (number.clone(), value(), ttl).prop_map(|(k, v, t)| Op::Set(k, v, t)),
        3 => (number.clone(), any::<i64>()).prop_map(|(k, n)| Op::SetInt(k, n)),
        6 => number.clone().prop_map(Op::Remove),
        4 => (number.clone(), prop::option::of(1..1000u64)).prop_map(|(k, t)| Op::Expire(k, t)),
        6 => (number.clone(), prop::option::of(0..200usize), value()).prop_map(|(k, o, v)| Op::Splice(k, o, v)),
        2 => (number.clone(), number.clone()).prop_map(|(a, b)| Op::Rename(a, b)),
        1 => (number.clone(), 0..SPAN).prop_map(|(a, n)| Op::RemoveMany(a, n)),
        1 => (number, 0..SPAN).prop_map(|(a, n)| Op::SetMany(a, n)),
    ]
}

fn set(table: &mut Table, key: &[u8], value: NewValue<'_>, ttl: Ttl) -> bool {
    table.set(table.hash(key), key, value, ttl).0
}

fn remove(table: &mut Table, key: &[u8]) -> Option<Block> {
    let hash = table.hash(key);
    let block = table.remove(hash, key);
    if block.is_some() {
        table.shrink(hash, &mut |_, _, _| {});
    }
    block
}

fn apply(table: &mut Table, model: &mut Model, op: Op) {
    match op {
        Op::Set(k, v, ttl) => {
            let k = key(k);
            let old = model.get(&k).and_then(|(_, deadline)| *deadline);
            let deadline = match ttl {
                Ttl::Clear => None,
                Ttl::Keep => old,
                Ttl::At(at) => Some(at),
            };
            let replaced = set(table, &k, NewValue::Bytes(&v), ttl);
            assert_eq!(replaced, model.insert(k, (v, deadline)).is_some());
        }
        Op::SetInt(k, n) => {
            let k = key(k);
            let replaced = set(table, &k, NewValue::Int(n), Ttl::Clear);
            assert_eq!(replaced, model.insert(k, (n.to_string().into_bytes(), None)).is_some());
        }
        Op::Remove(k) => {
            let k = key(k);
            let removed = remove(table, &k).map(|block| text(block.entry().value()));
            assert_eq!(removed, model.remove(&k).map(|(v, _)| v));
        }
        Op::Expire(k, deadline) => {
            let k = key(k);
            let hash = table.hash(&k);
            let found = table.set_expire(hash, &k, deadline);
            assert_eq!(found, model.get_mut(&k).map(|entry| entry.1 = deadline).is_some());
        }
        Op::Splice(k, offset, bytes) => {
            let k = key(k);
            let hash = table.hash(&k);
            let len = table.splice(hash, &k, offset, &bytes);
            let expected = model.get_mut(&k).map(|(v, _)| {
                let at = offset.unwrap_or(v.len());
                if v.len() < at + bytes.len() {
                    v.resize(at + bytes.len(), 0);
                }
                v[at..at + bytes.len()].copy_from_slice(&bytes);
                v.len()
            });
            assert_eq!(len, expected);
        }
        Op::Rename(from, to) => {
            let (from, to) = (key(from), key(to));
            if from != to
                && let Some(block) = remove(table, &from)
            {
                let hash = table.hash(&to);
                let replaced = table.insert(hash, block.copy_as(&to)).is_some();
                let entry = model.remove(&from).expect("the model has what the table has");
                assert_eq!(replaced, model.insert(to, entry).is_some());
            }
        }
        Op::RemoveMany(from, count) => {
            (from..from + count).for_each(|k| apply(table, model, Op::Remove(k)));
        }
        Op::SetMany(from, count) => {
            (from..from + count).for_each(|k| apply(table, model, Op::Set(k, b"many".to_vec(), Ttl::Keep)));
        }
    }
}

/// Everything that can be read of the table agrees with the model.
fn check(table: &Table, model: &Model) {
    let mut seen = Model::new();
    let mut bytes = 0;
    table.for_each(&mut |entry| {
        bytes += entry.footprint();
        let was = seen.insert(entry.key().to_vec(), (text(entry.value()), entry.expire()));
        assert!(was.is_none(), "a key is met once");
    });
    assert_eq!(&seen, model);
    assert_eq!(table.len(), model.len());
    assert_eq!(table.deadlines(), model.values().filter(|(_, deadline)| deadline.is_some()).count());
    assert_eq!(table.bytes, bytes, "bytes of entries are counted truly");
    for (k, (v, deadline)) in model {
        let entry = table.get(table.hash(k), k).expect("a key of the model is found");
        assert_eq!((text(entry.value()), entry.expire()), (v.clone(), *deadline));
    }
    let keys: usize = table.segments.iter().map(|segment| segment.keys).sum();
    let deadlines: usize = table.segments.iter().map(|segment| segment.deadlines).sum();
    assert_eq!((keys, deadlines), (table.len(), table.deadlines()), "segments count their keys");
    assert_eq!(scan_all(table, 3), model.keys().cloned().collect());
    assert_eq!(expired_all(table, 500, 7), {
        let past = model.iter().filter(|(_, (_, deadline))| deadline.is_some_and(|at| at <= 500));
        past.map(|(k, _)| k.clone()).collect()
    });
}

fn scan_all(table: &Table, buckets: usize) -> BTreeSet<Vec<u8>> {
    let (mut seen, mut cursor) = (BTreeSet::new(), 0);
    loop {
        cursor = table.scan(cursor, buckets, &mut |entry| ignore(seen.insert(entry.key().to_vec())));
        assert!(cursor < 1 << 48, "a cursor fits a double");
        if cursor == 0 {
            return seen;
        }
    }
}

fn expired_all(table: &Table, now: u64, budget: usize) -> BTreeSet<Vec<u8>> {
    let (mut seen, mut position) = (BTreeSet::new(), Position::default());
    loop {
        let stats = table.expired(&mut position, now, budget, &mut |key| ignore(seen.insert(key.to_vec())));
        assert!(stats.steps <= budget, "a walk keeps to its budget");
        if stats.wrapped {
            return seen;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_table_answers_like_a_map(ops in prop::collection::vec(op(), 0..OPS), seed: u64) {
        let (mut table, mut model) = (Table::new(seed), Model::new());
        let half = ops.len() / 2;
        for (number, op) in ops.into_iter().enumerate() {
            apply(&mut table, &mut model, op);
            if number == half {
                check(&table, &model);
            }
        }
        check(&table, &model);
        // Taking everything out gives everything back.
        for k in model.keys() {
            prop_assert!(remove(&mut table, k).is_some());
        }
        prop_assert_eq!((table.len(), table.memory(), table.children), (0, 0, 0));
    }

    #[test]
    fn a_scan_meets_every_key_that_stays(ops in prop::collection::vec(op(), 0..OPS / 4), seed: u64, buckets in 1..5usize) {
        let mut table = Table::new(seed);
        let mut model = Model::new();
        apply(&mut table, &mut model, Op::SetMany(0, SPAN));
        let mut stayed: BTreeSet<Vec<u8>> = model.keys().cloned().collect();
        let (mut seen, mut cursor) = (BTreeSet::new(), 0);
        for op in ops {
            apply(&mut table, &mut model, op);
            stayed.retain(|k| model.contains_key(k));
            cursor = table.scan(cursor, buckets, &mut |entry| ignore(seen.insert(entry.key().to_vec())));
            if cursor == 0 {
                prop_assert!(stayed.is_subset(&seen), "a whole scan missed a key");
                stayed = model.keys().cloned().collect();
                seen.clear();
            }
        }
    }
}

#[test]
fn growing_and_shrinking_keeps_every_key_and_gives_memory_back() {
    let mut table = Table::new(7);
    assert_eq!(table.memory(), 0, "an empty table owns nothing");
    let name = |n: usize| format!("k{n}").into_bytes();
    for n in 0..MANY {
        set(&mut table, &name(n), NewValue::Int(n as i64), Ttl::Clear);
    }
    let full = table.memory();
    for n in 0..MANY {
        let k = name(n);
        assert_eq!(table.get(table.hash(&k), &k).map(EntryRef::value), Some(ValueRef::Int(n as i64)));
    }
    for n in MANY / 20..MANY {
        assert!(remove(&mut table, &name(n)).is_some());
    }
    assert!(table.memory() < full / 4, "{} of {full} bytes stay for a twentieth of the keys", table.memory());
    for n in 0..MANY / 20 {
        assert!(remove(&mut table, &name(n)).is_some());
    }
    assert_eq!(table.memory(), 0);
}

#[test]
fn a_presized_table_does_not_split() {
    let mut table = Table::new(1);
    table.reserve(MANY);
    let segments = table.segments.len();
    for n in 0..MANY {
        set(&mut table, &n.to_be_bytes(), NewValue::Bytes(b"v"), Ttl::Clear);
    }
    assert_eq!(table.segments.len(), segments);
    assert_eq!(table.len(), MANY);
}

#[test]
#[cfg_attr(miri, ignore = "looks at a million hashes")]
fn clustering_hashes_chain_and_do_not_blow_up_the_directory() {
    let mut table = Table::new(1);
    let clustered: Vec<[u8; 4]> =
        (0..1_000_000u32).map(u32::to_be_bytes).filter(|k| table.hash(k) >> 54 == 0b10_1100_1110).collect();
    for k in &clustered {
        set(&mut table, k, NewValue::Bytes(b"v"), Ttl::Clear);
    }
    assert!(table.directory.len() <= 32 * table.segments.len(), "{table:?}");
    assert!(clustered.len() > 800 && clustered.iter().all(|k| table.get(table.hash(k), k).is_some()));
}

#[test]
fn a_value_of_the_same_size_class_is_stored_in_place() {
    let mut table = Table::new(1);
    set(&mut table, b"key", NewValue::Bytes(b"one"), Ttl::At(5));
    let address = |table: &Table| table.get(table.hash(b"key"), b"key").map(|entry| entry.key().as_ptr());
    let before = address(&table);
    set(&mut table, b"key", NewValue::Bytes(b"two and more"), Ttl::Clear);
    assert_eq!(address(&table), before);
    set(&mut table, b"key", NewValue::Int(7), Ttl::At(6));
    assert_eq!(address(&table), before);
}

#[test]
fn a_write_copies_a_long_string_only_while_it_is_shared() {
    let long = vec![b'a'; 20_000];
    let mut table = Table::new(1);
    let hash = table.hash(b"key");
    set(&mut table, b"key", NewValue::Bytes(&long), Ttl::Clear);
    let shared = table.get(hash, b"key").and_then(EntryRef::shared).expect("a long string is shared");
    table.splice(hash, b"key", Some(0), b"b");
    assert_eq!(*shared, long, "whoever shares it sees no change");
    let start = |table: &Table| match table.get(hash, b"key").map(EntryRef::value) {
        Some(ValueRef::Bytes(text)) => text[..2].to_vec(),
        other => panic!("{other:?}"),
    };
    assert_eq!(start(&table), b"ba");
    let pointer = |table: &Table| match table.get(hash, b"key").map(EntryRef::value) {
        Some(ValueRef::Bytes(text)) => text.as_ptr(),
        other => panic!("{other:?}"),
    };
    let own = pointer(&table);
    table.splice(hash, b"key", Some(1), b"b");
    assert_eq!(pointer(&table), own, "the only holder writes in place");
    assert_eq!(start(&table), b"bb");
}

#[test]
fn encodings_follow_redis() {
    let mut table = Table::new(1);
    let hash = table.hash(b"k");
    let mut of = |value: NewValue<'_>| {
        table.set(hash, b"k", value, Ttl::Clear);
        table.get(hash, b"k").map(EntryRef::encoding)
    };
    assert_eq!(of(NewValue::Int(5)), Some("int"));
    assert_eq!(of(NewValue::Bytes(&[b'x'; 44])), Some("embstr"));
    assert_eq!(of(NewValue::Bytes(&[b'x'; 45])), Some("raw"));
    assert_eq!(of(NewValue::Raw(b"x")), Some("raw"));
    table.set(hash, b"k", NewValue::Int(5), Ttl::Clear);
    table.splice(hash, b"k", None, b"6");
    let entry = table.get(hash, b"k").expect("present");
    assert_eq!((entry.encoding(), entry.value()), ("raw", ValueRef::Bytes(b"56")));
}

#[test]
fn the_access_clock_survives_changes() {
    let mut table = Table::new(1);
    let hash = table.hash(b"k");
    set(&mut table, b"k", NewValue::Bytes(b"v"), Ttl::Clear);
    table.get(hash, b"k").expect("present").set_clock(0x00ab_cdef);
    set(&mut table, b"k", NewValue::Bytes(&[b'x'; 500]), Ttl::At(9));
    table.set_expire(hash, b"k", None);
    table.splice(hash, b"k", None, &[b'x'; 20_000]);
    assert_eq!(table.get(hash, b"k").map(EntryRef::clock), Some(0x00ab_cdef));
}

#[test]
fn random_keys_are_drawn_about_evenly() {
    let mut rng = Rng::new(3);
    assert!(Table::new(1).random(&mut rng).is_none());
    let (keys, draws) = if cfg!(miri) { (3, 60) } else { (1000, 100_000) };
    let mut table = Table::new(1);
    for n in 0..keys {
        set(&mut table, format!("{n}").as_bytes(), NewValue::Int(n), Ttl::Clear);
    }
    let mut drawn = BTreeMap::new();
    for _ in 0..draws {
        let entry = table.random(&mut rng).expect("a table with keys gives one");
        *drawn.entry(entry.key().to_vec()).or_insert(0) += 1;
    }
    let even = draws / keys as i32;
    assert_eq!(drawn.len(), keys as usize, "every key is drawn");
    assert!(drawn.values().all(|&n| n > even / 3 && n < even * 3), "{drawn:?}");
}

#[test]
fn a_ruin_is_freed_in_slices() {
    let mut table = Table::new(1);
    for n in 0..MANY {
        set(&mut table, &n.to_be_bytes(), NewValue::Bytes(b"value"), Ttl::Clear);
    }
    let mut ruin = table.ruin();
    let mut before = ruin.memory();
    let mut slices = 0;
    while ruin.reclaim(100) > 0 {
        assert!(ruin.memory() < before, "each slice frees something");
        before = ruin.memory();
        slices += 1;
    }
    assert!(slices > 1);
    assert_eq!(ruin.memory(), 0);
}
