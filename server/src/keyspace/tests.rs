//! The keyspace's promises: a snapshot is the keyspace at its cut, watches hear of every change, digests tell data
//! sets apart.

use super::{Capture, EntryRef, Keyspace, NewValue, SnapshotId, Ttl, ValueRef};
use crate::data::Rng;
use proptest::prelude::*;
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};

const DBS: usize = 3;

/// (database, key) → (value, deadline).
type Model = BTreeMap<(usize, Vec<u8>), (Vec<u8>, Option<u64>)>;

/// Collects what a snapshot captures.
#[derive(Debug, Default)]
struct Collected {
    announced: BTreeMap<usize, (usize, usize)>,
    entries: Model,
    twice: bool,
}

impl Capture for Collected {
    fn begin_db(&mut self, db: usize, keys: usize, expires: usize) {
        self.announced.insert(db, (keys, expires));
    }
    fn entry(&mut self, db: usize, entry: EntryRef<'_>) {
        let item = (text(entry.value()), entry.expire());
        self.twice |= self.entries.insert((db, entry.key().to_vec()), item).is_some();
    }
    fn buffered(&self) -> usize {
        0
    }
    fn take(&mut self, _out: &mut Vec<u8>) {}
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
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

fn model_of(keys: &Keyspace) -> Model {
    let mut model = Model::new();
    for db in 0..keys.databases() {
        keys.for_each(db, &mut |entry| {
            model.insert((db, entry.key().to_vec()), (text(entry.value()), entry.expire()));
        });
    }
    model
}

fn name(number: u64) -> Vec<u8> {
    format!("key:{number}").into_bytes()
}

/// One random change to a keyspace of up to `span` keys a database.
fn change(keys: &mut Keyspace, rng: &mut Rng, span: u64) {
    let (db, other) = (rng.below(DBS as u64) as usize, rng.below(DBS as u64) as usize);
    let (a, b) = (name(rng.below(span)), name(rng.below(span)));
    let long = vec![b'l'; 16_000 + rng.below(1000) as usize];
    match rng.below(200) {
        0 => ignore(keys.flush(Some(db), rng.below(2) == 0)),
        1 => ignore(keys.flush(None, true)),
        2..=5 => keys.swap(db, other),
        6..=7 => keys.reserve(db, rng.below(2000) as usize),
        8..=19 => ignore(keys.rename(db, &a, &b)),
        20..=29 => ignore(keys.copy(db, &a, other, &b)),
        30..=39 => ignore(keys.move_key(db, &a, other)),
        40..=59 => ignore(keys.append(db, &a, b"tail")),
        60..=64 => ignore(keys.append(db, &a, &long)),
        65..=79 => ignore(keys.set_range(db, &a, rng.below(50) as usize, b"middle")),
        80..=99 => ignore(keys.set_expire(db, &a, (rng.below(2) == 0).then(|| rng.draw() >> 20))),
        100..=129 => ignore(keys.remove(db, &a)),
        130 => (0..span).for_each(|n| ignore(keys.remove(db, &name(n)))),
        131..=134 => {
            (0..span).for_each(|n| ignore(keys.set(db, &name(n), NewValue::Bytes(b"filled"), Ttl::Keep)));
        }
        135..=140 => ignore(keys.set(db, &a, NewValue::Bytes(&long), Ttl::Clear)),
        141 => ignore(keys.reclaim(10)),
        142 => {
            let mut loaded = Keyspace::new(DBS, rng.draw());
            (0..span / 2).for_each(|n| ignore(loaded.set(db, &name(n), NewValue::Int(1), Ttl::At(n))));
            // Its tables have seen a snapshot of their own.
            loaded.begin_snapshot(Box::new(Collected::default()));
            keys.replace_with(loaded);
        }
        _ => ignore(keys.set(db, &a, NewValue::Bytes(&b), Ttl::At(rng.draw() >> 20))),
    }
}

/// Ends a snapshot after driving it to the end and compares it with what the keyspace was.
fn finish(keys: &mut Keyspace, id: SnapshotId, at_cut: &Model) {
    while !keys.drive_snapshot(id, 500) {}
    let mut capture = keys.end_snapshot(id).expect("a live snapshot ends once");
    let got = capture.as_any().downcast_ref::<Collected>().expect("the capture that began it");
    assert!(!got.twice, "an entry is captured once");
    assert_eq!(&got.entries, at_cut, "a snapshot is the keyspace at its cut");
    let mut announced = BTreeMap::new();
    for ((db, _), (_, deadline)) in at_cut {
        let counts: &mut (usize, usize) = announced.entry(*db).or_default();
        counts.0 += 1;
        counts.1 += usize::from(deadline.is_some());
    }
    assert_eq!(got.announced, announced, "databases are announced as they were at the cut");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_snapshot_is_the_keyspace_at_its_cut(seed: u64, span in 1..2000u64, budget in 1..5000usize) {
        let (mut keys, mut rng) = (Keyspace::new(DBS, seed), Rng::new(seed));
        let mut live: Vec<(SnapshotId, Model)> = Vec::new();
        for _ in 0..250 {
            if rng.below(12) == 0 && let Some(id) = keys.begin_snapshot(Box::new(Collected::default())) {
                live.push((id, model_of(&keys)));
            }
            for _ in 0..rng.below(20) {
                change(&mut keys, &mut rng, span);
            }
            if let Some((id, _)) = live.get(rng.below(4) as usize) {
                keys.drive_snapshot(*id, budget);
            }
            if !live.is_empty() && rng.below(20) == 0 {
                let (id, at_cut) = live.swap_remove(rng.below(live.len() as u64) as usize);
                if rng.below(3) == 0 {
                    prop_assert!(keys.end_snapshot(id).is_some(), "abandoned");
                } else {
                    finish(&mut keys, id, &at_cut);
                }
                prop_assert!(keys.end_snapshot(id).is_none());
                prop_assert!(keys.drive_snapshot(id, 1), "an ended snapshot has nothing left to do");
            }
        }
        for (id, at_cut) in live {
            finish(&mut keys, id, &at_cut);
        }
        while keys.reclaim(1000) {}
        keys.flush(None, false);
        prop_assert_eq!(keys.memory(), 0, "nothing is left behind");
    }
}

fn filled(count: u64) -> Keyspace {
    let mut keys = Keyspace::new(DBS, 1);
    for n in 0..count {
        keys.set(0, &name(n), NewValue::Bytes(b"value"), Ttl::Clear);
    }
    keys
}

#[test]
fn four_snapshots_live_at_once() {
    let mut keys = filled(100);
    let ids: Vec<_> = (0..4).map_while(|_| keys.begin_snapshot(Box::new(Collected::default()))).collect();
    assert_eq!(ids.len(), 4);
    assert!(keys.begin_snapshot(Box::new(Collected::default())).is_none());
    keys.end_snapshot(ids[1]);
    assert!(keys.begin_snapshot(Box::new(Collected::default())).is_some());
}

#[test]
fn a_loaded_data_set_is_captured_whatever_snapshots_it_has_seen() {
    let mut loaded = filled(1000);
    loaded.begin_snapshot(Box::new(Collected::default()));
    for n in 0..1000 {
        loaded.append(0, &name(n), b"captured by that snapshot");
    }
    let mut keys = Keyspace::new(DBS, 2);
    keys.replace_with(loaded);
    let at_cut = model_of(&keys);
    let id = keys.begin_snapshot(Box::new(Collected::default())).expect("a free slot");
    finish(&mut keys, id, &at_cut);
}

#[test]
fn a_slice_of_a_snapshot_keeps_to_its_budget() {
    let mut keys = filled(50_000);
    let id = keys.begin_snapshot(Box::new(Collected::default())).expect("a free slot");
    let mut slices = 0;
    while !keys.drive_snapshot(id, 10_000) {
        slices += 1;
    }
    // About 20 bytes an entry and 13 of its share of the bucket.
    assert!((100..400).contains(&slices), "{slices} slices");
}

#[test]
fn strings_are_stored_as_redis_stores_them() {
    let mut keys = Keyspace::default();
    let mut encoding = |value: &[u8]| {
        keys.set(0, b"k", NewValue::Bytes(value), Ttl::Clear);
        keys.get(0, b"k").map(EntryRef::encoding)
    };
    assert_eq!(encoding(b"-9223372036854775808"), Some("int"));
    assert_eq!(encoding(b"9223372036854775808"), Some("embstr"));
    assert_eq!(encoding(b"007"), Some("embstr"));
    assert_eq!(keys.append(0, b"new", b"12"), 2);
    assert_eq!(keys.get(0, b"new").map(EntryRef::value), Some(ValueRef::Int(12)));
    assert_eq!(keys.append(0, b"new", b"3"), 3);
    assert_eq!(keys.get(0, b"new").map(EntryRef::encoding), Some("raw"));
    assert_eq!(keys.set_range(0, b"gap", 3, b"x"), 4);
    assert_eq!(keys.get(0, b"gap").map(EntryRef::value), Some(ValueRef::Bytes(b"\0\0\0x")));
    assert_eq!(keys.set_range(0, b"none", 3, b""), 0);
    assert_eq!(keys.get(0, b"none").map(EntryRef::value), None);
}

#[test]
fn deadlines_follow_the_value() {
    let mut keys = Keyspace::default();
    let deadline = |keys: &Keyspace, db, key: &[u8]| keys.get(db, key).and_then(EntryRef::expire);
    keys.set(0, b"a", NewValue::Bytes(b"1"), Ttl::At(50));
    keys.append(0, b"a", b"2");
    assert_eq!(deadline(&keys, 0, b"a"), Some(50));
    keys.set(0, b"a", NewValue::Bytes(b"3"), Ttl::Keep);
    assert_eq!(deadline(&keys, 0, b"a"), Some(50));
    keys.set(0, b"b", NewValue::Bytes(b"x"), Ttl::At(7));
    assert!(keys.rename(0, b"a", b"b") && keys.copy(0, b"b", 1, b"c") && keys.move_key(1, b"c", 2));
    assert_eq!((deadline(&keys, 0, b"b"), deadline(&keys, 2, b"c")), (Some(50), Some(50)));
    assert_eq!((keys.expires(0), keys.expires(1), keys.expires(2)), (1, 0, 1));
    assert!(!keys.move_key(0, b"b", 99) && !keys.rename(0, b"gone", b"b"));
    keys.set(0, b"b", NewValue::Bytes(b"x"), Ttl::Clear);
    assert_eq!((deadline(&keys, 0, b"b"), keys.expires(0)), (None, 0));
}

#[test]
fn active_expiry_finds_every_key_past_its_deadline_in_all_databases() {
    let mut keys = Keyspace::new(DBS, 4);
    let mut past = BTreeSet::new();
    for n in 0..5000 {
        let db = (n % 2) as usize * 2;
        keys.set(db, &name(n), NewValue::Int(1), if n % 3 == 0 { Ttl::Clear } else { Ttl::At(n) });
        if n % 3 != 0 && n <= 2500 {
            past.insert((db, name(n)));
        }
    }
    let mut found = BTreeSet::new();
    loop {
        let stats = keys.expired(2500, 10, &mut |db, key| ignore(found.insert((db, key.to_vec()))));
        assert!(stats.steps <= 10);
        if stats.wrapped {
            break;
        }
    }
    assert_eq!(found, past);
    assert!(Keyspace::default().expired(1, 1000, &mut |_, _| ()).wrapped, "empty databases end the walk");
}

#[test]
fn long_values_are_freed_later_and_counted_until_then() {
    let mut keys = Keyspace::default();
    keys.set(0, b"k", NewValue::Bytes(&vec![b'x'; 1 << 20]), Ttl::Clear);
    assert!(keys.remove(0, b"k"));
    assert!(keys.memory() >= 1 << 20);
    assert!(!keys.reclaim(1));
    assert_eq!(keys.memory(), 0);
}

/// What a watch of `key` in database 0 by client 1 says after `change`.
fn broken_by(now: u64, key: &[u8], change: impl FnOnce(&mut Keyspace)) -> bool {
    let mut keys = filled(3);
    keys.set(0, b"old", NewValue::Bytes(b"v"), Ttl::At(100));
    keys.set(1, b"there", NewValue::Bytes(b"v"), Ttl::Clear);
    keys.watch(1, 0, key, now);
    keys.watch(2, 0, b"unrelated", now);
    change(&mut keys);
    assert!(!keys.watch_broken(2));
    keys.watch_broken(1)
}

#[test]
fn a_watch_breaks_when_its_key_changes_and_only_then() {
    let key = b"key:1".as_slice();
    assert!(!broken_by(0, key, |keys| ignore(keys.set(0, b"key:2", NewValue::Int(1), Ttl::Clear))));
    assert!(!broken_by(0, key, |keys| ignore(keys.set(1, key, NewValue::Int(1), Ttl::Clear))));
    assert!(!broken_by(0, b"gone", |keys| ignore(keys.remove(0, b"gone"))));
    assert!(broken_by(0, b"gone", |keys| ignore(keys.append(0, b"gone", b"x"))));
    assert!(broken_by(0, key, |keys| ignore(keys.set(0, key, NewValue::Bytes(b"value"), Ttl::Clear))));
    assert!(broken_by(0, key, |keys| ignore(keys.remove(0, key))));
    assert!(broken_by(0, key, |keys| ignore(keys.set_expire(0, key, Some(1)))));
    assert!(broken_by(0, key, |keys| ignore(keys.set_range(0, key, 1, b"x"))));
    assert!(broken_by(0, key, |keys| ignore(keys.rename(0, key, b"key:2"))));
    assert!(broken_by(0, key, |keys| ignore(keys.rename(0, b"key:2", key))));
    assert!(broken_by(0, key, |keys| ignore(keys.copy(0, b"key:2", 0, key))));
    assert!(!broken_by(0, key, |keys| ignore(keys.copy(0, key, 0, b"key:2"))));
    assert!(broken_by(0, key, |keys| ignore(keys.move_key(0, key, 1))));
    assert!(broken_by(0, b"there", |keys| ignore(keys.move_key(1, b"there", 0))));
    assert!(broken_by(0, key, |keys| keys.replace_with(Keyspace::default())));
    assert!(!broken_by(0, key, |keys| {
        keys.remove(0, key);
        keys.unwatch(1);
    }));
}

#[test]
fn a_watch_breaks_when_a_flush_or_swap_takes_or_brings_its_key() {
    assert!(broken_by(0, b"key:1", |keys| ignore(keys.flush(None, true))));
    assert!(broken_by(0, b"key:1", |keys| ignore(keys.flush(Some(0), false))));
    assert!(!broken_by(0, b"key:1", |keys| ignore(keys.flush(Some(1), false))));
    assert!(!broken_by(0, b"gone", |keys| ignore(keys.flush(None, false))));
    assert!(broken_by(0, b"key:1", |keys| keys.swap(0, 1)));
    assert!(broken_by(0, b"there", |keys| keys.swap(1, 0)));
    assert!(!broken_by(0, b"gone", |keys| keys.swap(0, 1)));
    assert!(!broken_by(0, b"key:1", |keys| keys.swap(0, 0)));
}

#[test]
fn a_key_expired_when_it_was_watched_may_be_deleted_but_not_replaced() {
    let key = b"old".as_slice();
    assert!(broken_by(99, key, |keys| ignore(keys.remove(0, key))));
    assert!(!broken_by(100, key, |keys| ignore(keys.remove(0, key))));
    assert!(!broken_by(100, key, |keys| ignore(keys.flush(None, true))));
    assert!(broken_by(100, key, |keys| {
        keys.remove(0, key);
        keys.set(0, key, NewValue::Int(1), Ttl::Clear);
    }));
    let mut keys = Keyspace::default();
    keys.set(0, key, NewValue::Int(1), Ttl::At(100));
    keys.watch(1, 0, key, 50);
    keys.watch(2, 0, key, 100);
    assert_eq!((keys.watch_expired(1, 99), keys.watch_expired(1, 100)), (false, true));
    assert!(!keys.watch_expired(2, 200), "it was expired from the start");
}

#[test]
fn the_digest_is_that_of_redis() {
    let hex = |digest: [u8; 20]| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut keys = Keyspace::default();
    assert_eq!(hex(keys.digest()), "0".repeat(40));
    keys.set(0, b"a", NewValue::Bytes(b"1"), Ttl::Clear);
    assert_eq!(hex(keys.digest()), REDIS_ONE_KEY);
    keys.set(0, b"b", NewValue::Bytes(b"hello"), Ttl::At(u64::MAX));
    keys.set(3, b"c", NewValue::Bytes(b""), Ttl::Clear);
    assert_eq!(hex(keys.digest()), REDIS_THREE_KEYS);
}

/// What redis-server 7.0.15 answers to DEBUG DIGEST after `SET a 1`.
const REDIS_ONE_KEY: &str = "943d800368fb9c0e951138f1bc0e313ac769d91f";
/// And after `SET b hello EX 1000` and `SET c ""` in database 3.
const REDIS_THREE_KEYS: &str = "02edc4d943d58c97441444b0c65037f3241811f7";

#[test]
fn digests_tell_data_sets_apart_but_not_their_history() {
    let (mut one, mut two) = (Keyspace::new(DBS, 1), Keyspace::new(DBS, 2));
    for n in 0..1000 {
        one.set(0, &name(n), NewValue::Bytes(b"7"), Ttl::At(n));
        two.set(0, &name(999 - n), NewValue::Int(7), Ttl::At(999 - n));
    }
    assert_eq!((one.digest(), one.exact_digest()), (two.digest(), two.exact_digest()));
    two.set_expire(0, &name(5), Some(6));
    assert_eq!(one.digest(), two.digest(), "as in Redis, when a deadline is does not count");
    assert_ne!(one.exact_digest(), two.exact_digest());
    two.set_expire(0, &name(5), None);
    assert_ne!(one.digest(), two.digest());
    two.set_expire(0, &name(5), Some(5));
    two.append(0, &name(5), b"x");
    assert_ne!(one.digest(), two.digest());
}
