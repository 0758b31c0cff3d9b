//! Laws of collections across the format: what is written is read back, in every version, however it is sliced and cut; what is
//! damaged is refused, and never a panic.

mod made;

use self::made::{hash, keyspace, limits, list, set, stream, zset};
use super::decode::{Decoder, Load, Progress};
use super::encode::{Header, Writer};
use super::read::Damage;
use crate::data::hash::Hash;
use crate::data::list::{Fill, List, Side};
use crate::data::set::Set;
use crate::data::stream::{Id, Stream};
use crate::data::zset::Zset;
use crate::data::{Collection, Kind, Limits, Rng};
use crate::keyspace::{EntryRef, Keyspace, NewValue, Ttl};

/// A keyspace that is filled from a file.
#[derive(Debug)]
struct Filled(Keyspace);

impl Load for Filled {
    fn begin(&mut self, _version: u16) -> Result<(), String> {
        Ok(())
    }

    fn aux(&mut self, _name: &[u8], _value: &[u8]) {}

    fn select(&mut self, _db: u64) -> Result<(), String> {
        Ok(())
    }

    fn resize(&mut self, _keys: u64, _expires: u64) {}

    fn string(&mut self, key: &[u8], value: NewValue<'_>, expire: Option<u64>) -> Result<(), String> {
        self.0.set(0, key, value, expire.map_or(Ttl::Clear, Ttl::At));
        Ok(())
    }

    fn collection(&mut self, key: &[u8], collection: Collection, expire: Option<u64>) -> Result<(), String> {
        self.0.put_collection(0, key, collection, expire.map_or(Ttl::Clear, Ttl::At));
        Ok(())
    }

    fn limits(&self) -> Limits {
        limits()
    }

    fn skipped(&mut self, _what: &str) {}

    fn end(&mut self, _checked: bool) {}
}

fn load(file: &[u8], pieces: usize) -> Result<Keyspace, Damage> {
    let (mut decoder, mut filled) = (Decoder::new(), Filled(Keyspace::new(1, 9)));
    for piece in file.chunks(pieces) {
        decoder.feed(piece, &mut filled)?;
    }
    decoder.finish()?;
    Ok(filled.0)
}

/// A snapshot in slices of `budget` bytes; `between` is called after each.
fn snapshot(
    keyspace: &mut Keyspace,
    header: Header,
    budget: usize,
    mut between: impl FnMut(&mut Keyspace, usize),
) -> Vec<u8> {
    let id = keyspace.begin_snapshot(Box::new(Writer::new(header))).expect("a first snapshot");
    let mut file = Vec::new();
    loop {
        let before = file.len();
        let complete = keyspace.drive_snapshot(id, budget);
        keyspace.take_snapshot_bytes(id, &mut file);
        // A bucket of small ones, or a node of a list with its one long element, is not parted.
        assert!(file.len() - before <= 4 * budget + 200_000, "{} bytes in a slice", file.len() - before);
        if complete {
            break;
        }
        between(keyspace, file.len());
    }
    let mut capture = keyspace.end_snapshot(id).expect("it was live");
    capture.as_any().downcast_mut::<Writer>().expect("our writer").finish();
    capture.take(&mut file);
    file
}

#[test]
fn every_collection_is_read_back_in_every_version_however_it_is_cut() {
    let mut original = keyspace(1);
    let digest = original.exact_digest();
    for version in [9, 10, 11] {
        for (compress, pieces) in [(false, 1 << 20), (true, 1000), (version == 9, 7)] {
            let header = Header { version, compress, ..Header::default() };
            let file = snapshot(&mut original, header, 4096, |_, _| {});
            let loaded = load(&file, pieces).expect("our own file");
            assert_eq!(loaded.exact_digest(), digest, "version {version}, pieces of {pieces}");
            assert_eq!(loaded.len(0), original.len(0));
            original.for_each(0, &mut |entry| {
                let twin = loaded.get(0, entry.key()).expect("the same keys");
                assert_eq!(twin.encoding(), entry.encoding(), "{}", entry.key().escape_ascii());
            });
        }
    }
}

#[test]
fn what_is_known_of_a_stream_survives_where_the_form_has_it() {
    for (version, exact) in [(11, false), (10, false), (9, true)] {
        let mut original = keyspace(2);
        let header = Header { version, exact, ..Header::default() };
        let file = snapshot(&mut original, header, 512, |_, _| {});
        let loaded = load(&file, 100).expect("our own file");
        for len in [1, 2, 5, 8, 9, 40, 700, 3000usize] {
            let key = (0..2)
                .map(|less| format!("5 {}", len - less))
                .find(|key| original.get(0, key.as_bytes()).is_some());
            let key = key.unwrap_or_else(|| format!("5 {len}"));
            let both = [&original, &loaded].map(|keyspace| {
                let collection =
                    keyspace.get(0, key.as_bytes()).and_then(EntryRef::collection).expect("a stream");
                let stream = Stream::of(collection).expect("a stream");
                let mut facts = format!(
                    "{:?} {:?} {} {:?}",
                    stream.log().last(),
                    stream.log().first(),
                    stream.log().added(),
                    stream.log().max_deleted()
                );
                for (name, group) in stream.groups().iter() {
                    facts += &format!(" {name:?} {:?} {:?}", group.last, group.read);
                    for (owner, consumer) in group.consumers() {
                        let active = if version == 11 { consumer.active_ms } else { None };
                        facts += &format!(" {:?} {} {active:?}", consumer.name(), consumer.seen_ms);
                        facts += &format!(
                            " {:?}",
                            group
                                .pending_of(owner, Id::MIN)
                                .map(|pending| (pending.id, pending.delivered_ms, pending.deliveries))
                                .collect::<Vec<_>>()
                        );
                    }
                }
                facts
            });
            assert_eq!(both[0], both[1], "{key} in version {version}");
        }
    }
}

#[test]
fn a_large_collection_is_as_it_was_at_the_cut_while_it_is_written_to() {
    let mut original = keyspace(3);
    let digest = original.exact_digest();
    let mut round = 0u64;
    let file = snapshot(&mut original, Header::default(), 2000, |keyspace, _| {
        round += 1;
        let added = format!("added {round}").into_bytes();
        keyspace.edit_collection(0, b"0 3000", |_, list| {
            let list = list.and_then(List::of_mut).expect("a list");
            list.push(Side::Left, std::iter::once(&added[..]), Fill::of(-1));
            list.pop(Side::Right, Fill::of(-1), |_| ());
            ((), true)
        });
        keyspace.edit_collection(0, b"2 3000", |_, set| {
            (set.and_then(Set::of_mut).expect("a set").add(&added, &limits()), true)
        });
        keyspace.edit_collection(0, b"3 3000", |_, hash| {
            (hash.and_then(Hash::of_mut).expect("a hash").set(&added, b"x", &limits()), true)
        });
        keyspace.edit_collection(0, b"4 3000", |_, zset| {
            (zset.and_then(Zset::of_mut).expect("a sorted set").insert(&added, 3.0, &limits()), true)
        });
        if round == 40 {
            keyspace.remove(0, b"3 3000");
            keyspace.remove(0, b"2 700");
        }
    });
    assert!(round > 50, "{round} slices");
    assert_ne!(original.exact_digest(), digest);
    assert_eq!(load(&file, 999).expect("our own file").exact_digest(), digest);
}

/// Collections small enough to damage at every byte.
fn small_file(version: u32) -> Vec<u8> {
    let mut rng = Rng::new(4);
    let mut writer = Writer::new(Header { version, ..Header::default() });
    let made = [
        list(&mut rng, 4),
        set(&mut rng, 4, true),
        set(&mut rng, 4, false),
        hash(&mut rng, 3),
        zset(&mut rng, 4),
        stream(&mut rng, 5),
    ];
    let larger = [list(&mut rng, 60), set(&mut rng, 20, false), hash(&mut rng, 20), zset(&mut rng, 20)];
    for (at, collection) in made.iter().chain(&larger).enumerate() {
        writer.collection(0, format!("key {at}").as_bytes(), collection, None);
    }
    let mut file = Vec::new();
    writer.finish();
    writer.take(&mut file);
    file
}

#[test]
fn a_flipped_bit_is_refused_by_the_checksum_and_without_it_is_never_a_panic() {
    for version in [9, 11] {
        let file = small_file(version);
        let sum = file.len() - 8;
        for at in 0..sum {
            for bit in [at % 8, (at * 5 + 3) % 8] {
                let mut bad = file.clone();
                bad[at] ^= 1 << bit;
                if at % 8 == bit {
                    assert!(load(&bad, file.len()).is_err(), "byte {at} bit {bit} went unnoticed");
                }
                bad[sum..].fill(0);
                let _ = load(&bad, file.len());
            }
        }
    }
}

#[test]
fn a_file_that_ends_within_a_collection_is_truncated() {
    let file = small_file(9);
    for cut in 9..file.len() {
        let damage = load(&file[..cut], file.len()).expect_err("half a file");
        assert_eq!(damage.why, super::Why::Truncated, "cut at {cut}");
    }
}

#[test]
fn a_claimed_number_of_elements_allocates_nothing() {
    for kind in [1u8, 2, 4, 5, 14, 18, 15] {
        let (mut decoder, mut filled) = (Decoder::new(), Filled(Keyspace::new(1, 9)));
        let start = [&b"REDIS0011"[..], &[kind, 1, b'k', 0x81], &u64::MAX.to_be_bytes()].concat();
        assert_eq!(decoder.feed(&start, &mut filled), Ok(Progress::More));
        assert_eq!(decoder.held(), 0);
    }
}

#[test]
fn elements_that_occur_twice_or_are_no_numbers_are_refused() {
    let nan = [&b"\x05\x01k\x01\x01a"[..], &f64::NAN.to_le_bytes()].concat();
    let zset = [&b"\x05\x01k\x02\x01a"[..], &1f64.to_le_bytes(), b"\x01a", &2f64.to_le_bytes()].concat();
    for (body, why) in [
        (&b"\x02\x01k\x02\x01a\x01a"[..], "a set has a member twice"),
        (b"\x04\x01k\x02\x01a\x011\x01a\x012", "a hash has a field twice"),
        (&zset, "a sorted set has a member twice"),
        (&nan, "a member of a sorted set has no number as its score"),
        (b"\x03\x01k\x01\x01a\xfd", "a member of a sorted set has no number as its score"),
        (b"\x03\x01k\x01\x01a\x03abc", "the score of a member of a sorted set is no number"),
        (b"\x12\x01k\x01\x03\x01a", "a node of a list is of a form that nobody knows"),
        (b"\x0f\x01k\x01\x03abc\x00", "the key of a node of a stream is no id"),
    ] {
        let file = [b"REDIS0011", body, b"\xff\0\0\0\0\0\0\0\0"].concat();
        assert_eq!(load(&file, 99).map(|_| ()).map_err(|damage| damage.why.to_string()), Err(why.to_owned()));
    }
}

#[test]
fn scores_as_text_are_read() {
    let file = b"REDIS0002\x03\x01k\x04\x01a\x031.5\x01b\xfe\x01c\xff\x01d\x06-1e100\xff";
    let loaded = load(file, 3).expect("an old file");
    let zset = loaded.get(0, b"k").and_then(EntryRef::collection).and_then(Zset::of).expect("a sorted set");
    let scores: Vec<f64> = zset.iter().map(|(_, score)| score).collect();
    assert_eq!(scores, [f64::NEG_INFINITY, -1e100, 1.5, f64::INFINITY]);
}
