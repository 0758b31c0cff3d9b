//! Sorted sets against a plain sorted vector, small and large.

use super::Zset;
use crate::data::listpack::{Item, Listpack};
use crate::data::{Kind, Limits, Rng};

/// The model: pairs in order.
type Pairs = Vec<(f64, Vec<u8>)>;

fn small_limits(entries: usize) -> Limits {
    Limits { zset_entries: entries, zset_value: 64, seed: 7, ..Limits::default() }
}

fn pick(rng: &mut Rng, below: usize) -> usize {
    usize::try_from(rng.below(below as u64)).unwrap()
}

fn score(rng: &mut Rng) -> f64 {
    match rng.below(6) {
        0 => f64::INFINITY,
        1 => f64::NEG_INFINITY,
        2 => 0.25 * (rng.below(5) as f64),
        3 => -(rng.below(1 << 40) as f64),
        _ => rng.below(8) as f64,
    }
}

fn member(rng: &mut Rng, names: u64) -> Vec<u8> {
    let name = rng.below(names);
    // Numbers, texts, and now and then one that fills a page.
    match name % 7 {
        0 => name.to_string().into_bytes(),
        1 if name % 49 == 1 => vec![b'x'; 3000 + usize::try_from(name).unwrap()],
        _ => format!("member:{name:06}").into_bytes(),
    }
}

fn sort(model: &mut Pairs) {
    model.sort_by(|a, b| a.0.partial_cmp(&b.0).unwrap().then_with(|| a.1.cmp(&b.1)));
}

fn pairs(zset: &Zset) -> Pairs {
    zset.iter().map(|(member, score)| (score, member.to_vec())).collect()
}

/// Everything that can be asked agrees with the model.
fn agree(zset: &Zset, model: &Pairs, rng: &mut Rng) {
    assert_eq!(zset.len(), model.len());
    assert_eq!(&pairs(zset), model);
    for _ in 0..8 {
        let (from, to) = (pick(rng, model.len() + 2), pick(rng, model.len() + 2));
        let down: Pairs = zset.walk(from..to, true).map(|(member, score)| (score, member.to_vec())).collect();
        let want: Pairs = model.iter().take(to).skip(from).rev().cloned().collect();
        assert_eq!(down, want, "{from}..{to}");
        let bound = score(rng);
        assert_eq!(
            zset.count_before(|score, _| score < bound),
            model.iter().filter(|pair| pair.0 < bound).count()
        );
        assert_eq!(
            zset.count_before(|score, _| score <= bound),
            model.iter().filter(|pair| pair.0 <= bound).count()
        );
        if let Some((rank, (score, member))) = model.iter().enumerate().nth(from) {
            assert_eq!(zset.rank(member), Some((rank, *score)));
            assert_eq!(zset.score(member), Some(*score));
            assert!(zset.at(rank).is_some_and(|(found, _)| found.is(member)));
        }
    }
    assert_eq!(zset.score(b"never there"), None);
    let mut scanned = Pairs::new();
    let mut cursor = 0;
    loop {
        cursor = zset.scan(cursor, 7, |member, score| scanned.push((score, member.to_vec())));
        if cursor == 0 {
            break;
        }
    }
    sort(&mut scanned);
    assert_eq!(&scanned, model);
}

fn change(zset: &mut Zset, model: &mut Pairs, rng: &mut Rng, limits: &Limits, growing: bool) {
    let member = member(rng, 2000);
    let known = model.iter().position(|pair| pair.1 == member);
    match rng.below(if growing { 5 } else { 12 }) {
        0..4 => {
            let score = score(rng);
            assert_eq!(zset.insert(&member, score, limits), known.is_none());
            match known {
                Some(at) => model[at].0 = score,
                None => model.push((score, member)),
            }
            sort(model);
        }
        4..10 => {
            let want = known.map(|at| model.remove(at).0);
            assert_eq!(zset.remove(&member), want);
        }
        _ => {
            let from = pick(rng, model.len() + 1);
            let to = (from + pick(rng, 4)).min(model.len());
            zset.remove_ranks(from..to);
            model.drain(from..to);
        }
    }
}

#[test]
fn a_sorted_set_is_a_sorted_vector_of_pairs() {
    for (seed, entries, steps) in [(1, 128, 400), (2, 0, 3000), (3, 0, 3000), (4, 30, 1500), (5, 2000, 1000)]
    {
        let mut rng = Rng::new(seed);
        let limits = small_limits(entries);
        let (mut zset, mut model) = (Zset::default(), Pairs::new());
        let mut held = Vec::new();
        for step in 0..steps {
            change(&mut zset, &mut model, &mut rng, &limits, step < steps / 2);
            if step % 97 == 0 {
                agree(&zset, &model, &mut rng);
            }
            if step % 500 == 250 {
                held.push((zset.clone(), model.clone()));
            }
        }
        agree(&zset, &model, &mut rng);
        for (zset, model) in held {
            agree(&zset, &model, &mut rng);
            let refs: Vec<_> = model.iter().rev().map(|pair| (pair.0, &pair.1[..])).collect();
            agree(&Zset::from_pairs(refs, &limits).unwrap(), &model, &mut rng);
        }
        let mut freed = 0;
        while let some @ 1.. = zset.dismantle(100) {
            freed += some;
        }
        assert!(freed >= model.len());
    }
}

#[test]
fn a_set_becomes_large_when_a_limit_is_passed_and_small_only_when_asked() {
    let limits = small_limits(3);
    let mut zset = Zset::default();
    for name in ["a", "b", "c"] {
        zset.insert(name.as_bytes(), 1.0, &limits);
    }
    assert!(!zset.insert(b"c", 2.0, &limits));
    assert_eq!(zset.encoding(), "listpack");
    zset.insert(b"d", 1.0, &limits);
    assert_eq!(zset.encoding(), "skiplist");
    zset.remove(b"d");
    assert_eq!(zset.encoding(), "skiplist");
    zset.shrink(&limits);
    assert_eq!(zset.encoding(), "listpack");
    zset.insert(&[b'x'; 65], 1.0, &limits);
    assert_eq!(zset.encoding(), "skiplist");
    zset.shrink(&limits);
    assert_eq!(zset.encoding(), "skiplist");
}

#[test]
fn small_ones_have_the_bytes_of_redis() {
    let limits = Limits::default();
    let mut zset = Zset::default();
    for (member, score) in [("b", 2.5), ("a", 3.0), ("c", f64::NEG_INFINITY), ("7", 1e300)] {
        zset.insert(member.as_bytes(), score, &limits);
    }
    let items: Vec<_> = zset.as_listpack().unwrap().iter().collect();
    let want = [
        Item::Str(b"c"),
        Item::Str(b"-inf"),
        Item::Str(b"b"),
        Item::Str(b"2.5"),
        Item::Str(b"a"),
        Item::Int(3),
        Item::Int(7),
        Item::Str(b"1e+300"),
    ];
    assert_eq!(items, want);
}

#[test]
fn a_listpack_from_outside_is_taken_only_if_it_is_a_sorted_set() {
    let pack = |texts: &[&str]| {
        let mut pack = Listpack::new();
        texts.iter().for_each(|text| pack.push_back(text.as_bytes()));
        pack
    };
    let limits = Limits::default();
    for good in [&[][..], &["a", "1"], &["a", "1", "b", "1", "a2", "1.5"], &["x", "-inf", "a", "inf"]] {
        assert!(Zset::from_listpack(pack(good), &limits).is_ok(), "{good:?}");
    }
    for bad in [
        &["a"][..],
        &["a", "x"],
        &["a", "nan"],
        &["a", "2", "b", "1"],
        &["b", "1", "a", "1"],
        &["a", "1", "a", "1"],
        &["a", "1", "a", "2"],
    ] {
        assert!(Zset::from_listpack(pack(bad), &limits).is_err(), "{bad:?}");
    }
    let few = small_limits(1);
    assert_eq!(Zset::from_listpack(pack(&["a", "1", "b", "2"]), &few).unwrap().encoding(), "skiplist");
    assert!(Zset::from_pairs(vec![(1.0, b"a"), (2.0, b"a")], &limits).is_none());
    assert!(Zset::from_pairs(vec![(1.0, b"a"), (2.0, b"a")], &few).is_none());
}

#[test]
fn a_member_that_keeps_its_place_and_one_that_moves_end_where_they_belong() {
    let limits = small_limits(0);
    let mut zset = Zset::default();
    let mut model = Pairs::new();
    for number in 0..5000u32 {
        let name = format!("m{number}");
        zset.insert(name.as_bytes(), f64::from(number * 2), &limits);
        model.push((f64::from(number * 2), name.into_bytes()));
    }
    let mut rng = Rng::new(4);
    for _ in 0..5000 {
        let at = pick(&mut rng, model.len());
        let by = [1.0, -1.0, 0.0, 1000.0, -1000.0][pick(&mut rng, 5)];
        model[at].0 += by;
        zset.update(&model[at].1, &limits, |old| old.map(|old| old + by));
        sort(&mut model);
    }
    agree(&zset, &model, &mut rng);
}
