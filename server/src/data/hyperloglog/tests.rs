//! Sketches against a plain table of registers, and strings that are none.

use super::*;
use crate::data::Rng;
use proptest::prelude::*;

/// Every register of a sketch.
fn registers(sketch: &Sketch) -> Vec<u8> {
    let mut all = vec![0; REGISTERS];
    for (index, run) in sketch.set_registers() {
        assert!(all[index] == 0 && run > 0);
        all[index] = run;
    }
    all
}

#[test]
fn a_sketch_is_the_largest_run_of_each_register_however_it_is_stored() {
    let mut rng = Rng::new(3);
    for most in [0, 40, 200, 3000, 20_000] {
        let (mut sketch, mut naive) = (Sketch::new(), vec![0u8; REGISTERS]);
        for step in 0..6000 {
            // Close together, so that runs are split and joined, and now and then anywhere.
            let near = rng.below(4) > 0;
            let index = usize::try_from(rng.below(if near { 40 } else { REGISTERS as u64 })).unwrap_or(0);
            let run = u8::try_from(1 + rng.below(if step < 5000 { 4 } else { 50 })).unwrap_or(1);
            let changed = sketch.raise(index, run, most);
            assert_eq!(changed, Ok(naive[index] < run));
            naive[index] = run.max(naive[index]);
            if step % 100 == 0 {
                assert_eq!(registers(&sketch), naive);
                assert_eq!(sketch.check(), Ok(()));
                assert_eq!(Sketch::from_bytes(sketch.as_bytes()).as_ref(), Some(&sketch));
            }
        }
        assert_eq!(sketch.encoding(), Encoding::Dense);
        assert_eq!(registers(&sketch), naive);
    }
}

#[test]
fn a_count_is_remembered_until_a_register_changes() {
    let mut sketch = Sketch::new();
    assert_eq!(sketch.cached(), Some(0));
    assert_eq!(sketch.add(b"a", 3000), Ok(true));
    assert_eq!(sketch.cached(), None);
    assert_eq!(sketch.count(), Ok(1));
    sketch.remember(1);
    assert_eq!(sketch.cached(), Some(1));
    assert_eq!(sketch.add(b"a", 3000), Ok(false));
    assert_eq!(sketch.cached(), Some(1));
}

#[test]
fn a_union_counts_what_is_in_any_sketch_once() {
    let (mut one, mut other) = (Sketch::new(), Sketch::new());
    assert_eq!(other.make_dense(), Ok(()));
    for number in 0..1000u32 {
        assert!(one.add(&number.to_le_bytes(), 3000).is_ok());
        assert!(other.add(&(number + 500).to_le_bytes(), 3000).is_ok());
    }
    let mut both = Union::default();
    assert_eq!((both.take(&one), both.take(&other)), (Ok(()), Ok(())));
    assert!(both.count().abs_diff(1500) < 60, "{}", both.count());
}

#[test]
fn sketches_pass_their_own_test() {
    assert!(self_test());
}

#[test]
fn runs_that_cover_too_much_or_too_little_are_refused() {
    let with = |runs: &[u8]| {
        Sketch::from_bytes(&[&b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\0"[..], runs].concat())
            .map(|sketch| sketch.check())
    };
    assert_eq!(with(b"\x7f\xff"), Some(Ok(())));
    for runs in
        [&b""[..], b"\x7f", b"\x7f\xfe", b"\x7f\xff\x00", b"\x7f\xff\x7f\xff", b"\x7f\xff\x7f", b"\x80"]
    {
        assert_eq!(with(runs), Some(Err(Corrupted)), "{runs:?}");
    }
    assert_eq!(with(&[0x7f; 100_000]), Some(Err(Corrupted)));
}

#[test]
fn what_has_another_head_is_no_sketch() {
    for bytes in [
        &b""[..],
        b"HYLL",
        b"HYLL\x02\0\0\0\0\0\0\0\0\0\0\0\x7f\xff",
        b"hyll\x01\0\0\0\0\0\0\0\0\0\0\0\x7f\xff",
    ] {
        assert_eq!(Sketch::from_bytes(bytes), None);
    }
    let mut dense = Sketch::new();
    assert_eq!(dense.make_dense(), Ok(()));
    let whole = dense.as_bytes();
    assert!(Sketch::from_bytes(whole).is_some());
    assert_eq!(Sketch::from_bytes(&whole[..whole.len() - 1]), None);
    assert_eq!(Sketch::from_bytes(&[whole, b"\0"].concat()), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_bytes_stand_behind_the_head_nothing_breaks(runs in proptest::collection::vec(any::<u8>(), 0..600), index in 0..REGISTERS, fill in any::<bool>()) {
        let mut bytes = b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\0".to_vec();
        // Now and then as many zeros as are missing, so that it is a sketch.
        if fill {
            let covered: usize = runs.iter().map(|byte| if *byte < 0x80 { 1 + usize::from(byte % 64) } else { 1 + usize::from(byte % 4) }).sum();
            bytes.extend(runs.iter().map(|byte| if *byte < 0x80 { byte % 64 } else { *byte }));
            sparse::push_zeros(&mut bytes, REGISTERS.saturating_sub(covered));
        } else {
            bytes.extend(runs);
        }
        let mut sketch = Sketch::from_bytes(&bytes).unwrap_or_default();
        let whole = sketch.check().is_ok();
        let mut wanted = vec![0; REGISTERS];
        if whole {
            wanted = registers(&sketch);
            wanted[index] = wanted[index].max(5);
        }
        let raised = sketch.raise(index, 5, 400);
        prop_assert!(raised.is_ok() || !whole);
        prop_assert_eq!(sketch.check().is_ok(), whole);
        if whole {
            prop_assert_eq!(registers(&sketch), wanted);
            prop_assert!(sketch.count().is_ok() && sketch.spelled_runs().is_ok() || sketch.encoding() == Encoding::Dense);
        }
        prop_assert_eq!(sketch.make_dense().is_ok(), whole);
    }
}
