//! A listpack against a plain vector of texts, its bytes against Redis', and broken bytes against the door.

use super::*;
use crate::data::Rng;

/// Lengths on both sides of every change of encoding, of the head and of the tail.
const LENGTHS: [u64; 14] = [0, 1, 5, 20, 63, 64, 125, 126, 127, 128, 200, 4095, 4096, 16_400];
/// Integers on both sides of every change of encoding.
const EDGES: [i64; 12] =
    [0, 127, 128, 4095, 4096, 0x7fff, 0x8000, 0x7f_ffff, 0x80_0000, 0x7fff_ffff, 0x8000_0000, i64::MAX];

fn text(rng: &mut Rng) -> Vec<u8> {
    let pick = |rng: &mut Rng, len: usize| usize::try_from(rng.below(len as u64)).unwrap();
    match rng.below(5) {
        0 => (rng.draw().cast_signed() >> rng.below(64)).to_string().into_bytes(),
        1 => EDGES[pick(rng, EDGES.len())].to_string().into_bytes(),
        2 => (-EDGES[pick(rng, EDGES.len())] - i64::from(rng.below(2) == 0)).to_string().into_bytes(),
        3 => [&b"0012"[..], b"-0", b"-", b"+5", b"99999999999999999999"][pick(rng, 5)].to_vec(),
        _ => {
            // Long ones are rare, so that most rows have many elements.
            let most = if rng.below(20) == 0 { LENGTHS.len() } else { 7 };
            let len = usize::try_from(LENGTHS[pick(rng, most)]).unwrap();
            vec![b'a' + u8::try_from(rng.below(3)).unwrap(); len]
        }
    }
}

fn texts(pack: &Listpack) -> Vec<Vec<u8>> {
    pack.iter().map(Item::to_vec).collect()
}

/// Everything that can be asked agrees with the model, and the bytes pass the door.
fn agree(pack: &Listpack, model: &[Vec<u8>]) {
    assert_eq!(texts(pack), model);
    assert_eq!(pack.len(), model.len());
    assert_eq!(pack.is_empty(), model.is_empty());
    let backward: Vec<_> = pack.iter().rev().map(Item::to_vec).collect();
    assert!(backward.iter().eq(model.iter().rev()));
    assert_eq!(Listpack::from_bytes(pack.as_bytes().to_vec()).as_ref(), Ok(pack));
    let len = i64::try_from(model.len()).unwrap();
    for index in [0, 1, len / 2, len - 1, len, -1, -2, -len / 2, -len, -len - 1, i64::MIN, i64::MAX] {
        let at = if index < 0 { len.checked_add(index) } else { Some(index) };
        let want = at.and_then(|at| model.get(usize::try_from(at).ok()?));
        assert_eq!(pack.get(index).map(Item::to_vec).as_ref(), want, "index {index} of {len}");
    }
}

#[test]
fn a_listpack_behaves_as_a_vector_of_texts() {
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let (mut pack, mut model) = (Listpack::new(), Vec::<Vec<u8>>::new());
        for _ in 0..150 {
            let new = text(&mut rng);
            let index = usize::try_from(rng.below(model.len() as u64 + 1)).unwrap();
            let at = pack.seek(i64::try_from(index).unwrap()).unwrap_or(pack.end());
            match rng.below(10) {
                0 | 1 => (pack.push_back(&new), model.push(new)).1,
                2 | 3 => (pack.push_front(&new), model.insert(0, new)).1,
                4 | 5 => (pack.insert(at, &new), model.insert(index, new)).1,
                6 if index < model.len() => {
                    pack.replace(at, &new);
                    model[index] = new;
                }
                7 if index < model.len() => {
                    pack.remove(at);
                    model.remove(index);
                }
                8 => {
                    let count = usize::try_from(rng.below(4)).unwrap();
                    let to = (index + count).min(model.len());
                    assert_eq!(pack.remove_range(i64::try_from(index).unwrap(), count), to - index);
                    model.drain(index..to);
                }
                9 => {
                    let other = pack.split_off(at);
                    agree(&pack, &model[..index]);
                    agree(&other, &model[index..]);
                    pack.append(&other);
                }
                _ => {}
            }
            agree(&pack, &model);
        }
    }
}

#[test]
fn find_gives_the_first_match_at_the_stride() {
    let mut rng = Rng::new(5);
    for _ in 0..300 {
        let model: Vec<_> = (0..rng.below(20)).map(|_| rng.below(6).to_string().into_bytes()).collect();
        let mut pack = Listpack::new();
        for text in &model {
            pack.push_back(text);
        }
        for skip in 0..3 {
            let wanted = rng.below(6).to_string().into_bytes();
            let index = model.iter().step_by(skip + 1).position(|text| *text == wanted);
            let want = index.and_then(|index| pack.seek(i64::try_from(index * (skip + 1)).unwrap()));
            assert_eq!(pack.find(pack.start(), &wanted, skip), want);
        }
    }
}

#[test]
fn the_bytes_are_those_of_redis() {
    let mut pack = Listpack::new();
    assert_eq!(pack.as_bytes(), b"\x07\0\0\0\0\0\xff");
    for text in ["hello", "5", "-1", "1000", "70000", "", "05"] {
        pack.push_back(text.as_bytes());
    }
    let entries = [
        &b"\x85hello\x06"[..],
        b"\x05\x01",
        b"\xdf\xff\x02",
        b"\xc3\xe8\x02",
        b"\xf2\x70\x11\x01\x04",
        b"\x80\x01",
        b"\x8205\x03",
    ];
    let want = [&b"\x21\0\0\0\x07\0"[..], &entries.concat(), b"\xff"].concat();
    assert_eq!(pack.as_bytes(), want);
    let long = vec![b'x'; 200];
    let mut pack = Listpack::new();
    pack.push_back(&long);
    assert_eq!(pack.as_bytes(), [&b"\xd3\0\0\0\x01\0\xe0\xc8"[..], &long, b"\x01\xca\xff"].concat());
}

#[test]
fn more_elements_than_are_counted_are_walked() {
    let mut pack = Listpack::new();
    for _ in 0..70_000 {
        pack.push_back(b"7");
    }
    assert_eq!((pack.len(), &pack.as_bytes()[4..6]), (70_000, &b"\xff\xff"[..]));
    assert!(pack.get(69_999).is_some() && pack.get(70_000).is_none());
    assert!(pack.get(-70_000).is_some() && pack.get(-70_001).is_none());
    let other = pack.split_off(pack.seek(10).unwrap());
    assert_eq!((pack.len(), other.len()), (10, 69_990));
    assert_eq!(Listpack::from_bytes(pack.as_bytes().to_vec()), Ok(pack.clone()));
    pack.append(&other);
    assert_eq!(pack.len(), 70_000);
}

#[test]
fn no_byte_of_a_listpack_can_change_without_being_noticed_or_read() {
    let mut rng = Rng::new(9);
    for _ in 0..40 {
        let mut pack = Listpack::new();
        for _ in 0..rng.below(12) {
            pack.push_back(&text(&mut rng));
        }
        for cut in 0..pack.bytes_len().min(300) {
            assert!(Listpack::from_bytes(pack.as_bytes()[..cut].to_vec()).is_err());
        }
        for _ in 0..300 {
            let mut bytes = pack.as_bytes().to_vec();
            let at = usize::try_from(rng.below(bytes.len() as u64)).unwrap();
            bytes[at] = u8::try_from(rng.below(256)).unwrap();
            // What passes is whole: it can be walked from both sides, and nothing in it is out of reach.
            if let Ok(read) = Listpack::from_bytes(bytes) {
                assert_eq!(read.iter().count(), read.iter().rev().count());
                assert_eq!(read.iter().count(), read.len());
            }
        }
    }
}

#[test]
fn a_row_that_shrinks_gives_memory_back() {
    let mut pack = Listpack::new();
    for _ in 0..1000 {
        pack.push_back(b"some text");
    }
    let full = pack.memory();
    assert!(full <= pack.bytes_len() * 5 / 4);
    pack.remove_range(10, 990);
    assert!(pack.memory() < full / 20, "{} of {full}", pack.memory());
    assert!(!pack.fits(1 << 30) && pack.fits(1 << 20));
}

#[test]
fn a_queue_keeps_its_elements_and_wastes_little() {
    let mut rng = Rng::new(11);
    // Which end grows and which shrinks, for a while each.
    for _ in 0..60 {
        let (mut pack, mut model) = (Listpack::new(), Vec::<Vec<u8>>::new());
        for _ in 0..12 {
            let (front_in, front_out, growth) = (rng.below(2) == 0, rng.below(2) == 0, rng.below(5));
            for _ in 0..rng.below(120) {
                let new = text(&mut rng);
                if rng.below(5) < growth {
                    if front_in {
                        pack.push_front(&new);
                        model.insert(0, new);
                    } else {
                        pack.push_back(&new);
                        model.push(new);
                    }
                } else if !model.is_empty() {
                    let index = if front_out { 0 } else { model.len() - 1 };
                    let at = pack.seek(i64::try_from(index).unwrap()).unwrap();
                    assert_eq!(pack.at(at).map(Item::to_vec), Some(model.remove(index)));
                    pack.remove(at);
                }
                assert!(pack.memory() <= pack.bytes_len() * 2 + 64, "{} {}", pack.memory(), pack.bytes_len());
            }
            agree(&pack, &model);
            assert_eq!(pack.clone(), pack);
        }
    }
}
