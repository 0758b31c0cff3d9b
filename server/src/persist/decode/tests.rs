//! Laws of the decoder: whatever the cuts, the same; whatever the bytes, no panic and no wrong data.

use super::*;
use crate::keyspace::{Keyspace, Ttl, ValueRef};
use crate::persist::encode::{Header, Origin, Writer};
use proptest::collection::vec;
use proptest::prelude::*;

/// Database, key, value, deadline.
type Key<D> = (D, Vec<u8>, Vec<u8>, Option<u64>);

/// Writes down what it is told.
#[derive(Debug, Default, PartialEq, Eq, Clone)]
struct Loaded {
    version: u16,
    aux: Vec<(String, String)>,
    db: u64,
    keys: Vec<Key<u64>>,
    resized: Vec<(u64, u64, u64)>,
    skipped: Vec<String>,
    ended: Option<bool>,
}

impl Load for Loaded {
    fn begin(&mut self, version: u16) -> Result<(), String> {
        self.version = version;
        Ok(())
    }

    fn aux(&mut self, name: &[u8], value: &[u8]) {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        self.aux.push((text(name), text(value)));
    }

    fn select(&mut self, db: u64) -> Result<(), String> {
        self.db = db;
        if db < 16 { Ok(()) } else { Err(format!("there is no database {db}")) }
    }

    fn resize(&mut self, keys: u64, expires: u64) {
        self.resized.push((self.db, keys, expires));
    }

    fn string(&mut self, key: &[u8], value: NewValue<'_>, expire: Option<u64>) -> Result<(), String> {
        let value = match value {
            NewValue::Int(n) => n.to_string().into_bytes(),
            NewValue::Bytes(bytes) | NewValue::Raw(bytes) => bytes.to_vec(),
        };
        self.keys.push((self.db, key.to_vec(), value, expire));
        Ok(())
    }

    fn collection(&mut self, key: &[u8], collection: Collection, expire: Option<u64>) -> Result<(), String> {
        self.keys.push((self.db, key.to_vec(), format!("{collection:?}").into_bytes(), expire));
        Ok(())
    }

    fn skipped(&mut self, what: &str) {
        self.skipped.push(what.to_owned());
    }

    fn end(&mut self, checked: bool) {
        self.ended = Some(checked);
    }
}

/// Feeds `file` in pieces of `size` bytes.
fn load_in_pieces(file: &[u8], size: usize) -> Result<Loaded, Damage> {
    let mut decoder = Decoder::new();
    let mut loaded = Loaded::default();
    for piece in file.chunks(size) {
        decoder.feed(piece, &mut loaded)?;
    }
    decoder.finish()?;
    Ok(loaded)
}

fn load(file: &[u8]) -> Result<Loaded, Damage> {
    load_in_pieces(file, file.len().max(1))
}

/// A file with one of everything we write.
fn small_file() -> Vec<u8> {
    let origin = Origin { ctime_s: 1, used_memory: 2, history: Some(("e1b2", 77, 3)) };
    let mut writer = Writer::new(Header { aux: origin.aux(), compress: true, ..Header::default() });
    writer.resize(0, 4, 1);
    writer.string(0, b"a", ValueRef::Bytes(b"1"), Some(2_000_000_000_000));
    writer.string(0, b"12345", ValueRef::Int(-70_000), None);
    writer.string(3, &b"key".repeat(30), ValueRef::Bytes(&b"value ".repeat(40)), None);
    writer.string(0, b"", ValueRef::Bytes(b"\x00\xFF\r\n"), None);
    let mut file = Vec::new();
    writer.finish();
    writer.take(&mut file);
    file
}

/// `body` between a header of `version` and an end without checksum.
fn file(version: u16, body: &[u8]) -> Vec<u8> {
    let mut file = format!("REDIS{version:04}").into_bytes();
    file.extend_from_slice(body);
    file.push(opcode::END);
    if version >= 5 {
        file.extend([0; 8]);
    }
    file
}

#[test]
fn a_file_is_the_same_however_it_is_cut() {
    let file = small_file();
    let whole = load(&file).expect("our own file");
    assert_eq!(whole.keys.len(), 4);
    assert_eq!(whole.keys[2], (3, b"key".repeat(30), b"value ".repeat(40), None));
    assert!(whole.aux.contains(&("repl-offset".to_owned(), "77".to_owned())));
    assert_eq!(whole.ended, Some(true));
    for size in 1..file.len() {
        assert_eq!(load_in_pieces(&file, size).as_ref(), Ok(&whole), "pieces of {size}");
    }
}

#[test]
fn what_lies_behind_the_end_is_left_alone() {
    let mut bytes = small_file();
    let len = bytes.len();
    bytes.extend_from_slice(b"*1\r\n$4\r\nPING\r\n");
    for cut in 0..len {
        let (mut decoder, mut loaded) = (Decoder::new(), Loaded::default());
        assert_eq!(decoder.feed(&bytes[..cut], &mut loaded), Ok(Progress::More));
        let done = decoder.feed(&bytes[cut..], &mut loaded);
        assert_eq!(done, Ok(Progress::Done { consumed: len - cut }), "cut at {cut}");
        assert_eq!(decoder.feed(b"more", &mut loaded), Ok(Progress::Done { consumed: 0 }));
    }
}

#[test]
fn a_file_that_ends_early_is_found_at_every_cut() {
    let file = small_file();
    for cut in 0..file.len() {
        let damage = load(&file[..cut]).expect_err("half a file");
        assert_eq!(damage, Damage { at: cut as u64, why: Why::Truncated }, "cut at {cut}");
    }
}

#[test]
fn every_flipped_byte_is_found() {
    let file = small_file();
    for at in 0..file.len() {
        for bit in 0..8 {
            let mut bad = file.clone();
            bad[at] ^= 1 << bit;
            assert!(load(&bad).is_err(), "byte {at} bit {bit} went unnoticed");
        }
    }
}

#[test]
fn the_header_is_judged_before_anything_is_touched() {
    for (head, text) in [
        (&b"REDIS0013\xFE"[..], "RDB version 13, but this server reads versions 1 to 12, at byte 0"),
        (b"REDIS0000\xFE", "RDB version 0, but this server reads versions 1 to 12, at byte 0"),
        (
            b"VALKEY080\xFE",
            "an RDB file in the form of Valkey 9 (VALKEY080), which this server does not read, at byte 0",
        ),
        (b"<html>\r\n<body", "no RDB file: it begins with \"<html>\\r\\n<\", at byte 0"),
    ] {
        let (mut decoder, mut loaded) = (Decoder::new(), Loaded::default());
        let damage = decoder.feed(head, &mut loaded).expect_err("not ours");
        assert_eq!(damage.to_string(), text);
        assert_eq!(loaded, Loaded::default());
        assert_eq!(decoder.feed(b"REDIS0009", &mut loaded), Err(damage));
    }
}

#[test]
fn hints_and_unknown_facts_are_skipped() {
    for version in 5..=12 {
        let mut body = b"\xFA\x03new\xC0\x07".to_vec(); // an unknown fact whose value is a number
        body.extend(b"\xF4\x01\x02\x03"); // slots
        body.extend(b"\xF7\x81\x00\x00\x00\x00\x00\x00\x00\x05\x02\x02"); // data of a module
        body.extend(b"\x02\x07\x01\x08\x03abcd\x04abcdefgh\x05\x02xy\x05\xC0\x01\x00");
        body.extend(b"\xF5\x05#!lua"); // functions
        body.extend(b"\xFE\x02\xFD\x00\x94\x35\x77\xF8\x40\x99\xF9\x05\x00\x01k\x01v"); // a key with all hints
        let loaded = load(&file(version, &body)).expect("a file of foreign hints");
        assert_eq!(loaded.version, version);
        assert_eq!(loaded.keys, [(2, b"k".to_vec(), b"v".to_vec(), Some(2_000_000_000_000))]);
        assert_eq!(loaded.aux, [("new".to_owned(), "7".to_owned())]);
        assert_eq!(loaded.skipped.len(), 2);
        assert_eq!(loaded.ended, Some(false));
    }
}

#[test]
fn versions_without_a_checksum_end_at_the_end_mark() {
    for version in 1..=4 {
        let loaded = load(&file(version, b"\xFE\x02\x00\x01k\x01v")).expect("an old file");
        assert_eq!(loaded.keys, [(2, b"k".to_vec(), b"v".to_vec(), None)]);
        assert_eq!(loaded.ended, Some(false));
        let later = load(&file(version, b"\xFA\x01a\x01b")).map_err(|damage| damage.why);
        assert_eq!(later, Err(Why::Breach("an opcode that its version does not have")));
    }
}

#[test]
fn a_type_we_cannot_hold_is_refused_by_name() {
    let fields = "a hash whose fields have deadlines";
    let kinds = [
        (6, "a value of a module"),
        (7, "a value of a module"),
        (22, fields),
        (23, fields),
        (24, fields),
        (25, fields),
    ];
    for (kind, what) in kinds {
        let damage = load(&file(11, &[kind, 1, b'x', 0])).expect_err("a type of a later day");
        let text = format!("key 'x' holds {what}, which this server cannot hold yet, at byte 9");
        assert_eq!(damage.to_string(), text);
    }
    assert_eq!(load(&file(11, b"\x63\x01x\x00")).map_err(|damage| damage.why), Err(Why::UnknownType(99)));
    let refused = load(&file(9, b"\xFE\x10")).map_err(|damage| damage.to_string());
    assert_eq!(refused, Err("there is no database 16, at byte 9".to_owned()));
}

#[test]
fn a_claimed_length_allocates_nothing() {
    for body in [
        &b"\x00\x80\x1F\xFF\xFF\xFFk"[..],
        b"\x00\x01k\x80\x1F\xFF\xFF\xFFv",
        b"\x00\x01k\xC3\x80\x1F\xFF\xFF\xFF\x80\x1F\xFF\xFF\xFFv",
    ] {
        let (mut decoder, mut loaded) = (Decoder::new(), Loaded::default());
        let start = [b"REDIS0009", body].concat();
        assert_eq!(decoder.feed(&start, &mut loaded), Ok(Progress::More));
        assert!(decoder.held.capacity() < 100, "{} bytes", decoder.held.capacity());
    }
    let too_long = load(&file(9, b"\x00\x81\x00\x00\x00\x01\x00\x00\x00\x00"));
    assert_eq!(too_long.map_err(|damage| damage.why), Err(Why::TooLong(1 << 32)));
    // A few compressed bytes that claim a large string are refused without making it.
    let claims = load(&file(9, b"\x00\x01k\xC3\x02\x80\x1F\xFF\xFF\xFF\x00v"));
    assert_eq!(claims.map_err(|damage| damage.why), Err(Why::Packing));
}

/// A keyspace that is filled from a file.
impl Load for Keyspace {
    fn begin(&mut self, _version: u16) -> Result<(), String> {
        Ok(())
    }

    fn aux(&mut self, _name: &[u8], _value: &[u8]) {}

    fn select(&mut self, _db: u64) -> Result<(), String> {
        Ok(())
    }

    fn resize(&mut self, _keys: u64, _expires: u64) {}

    fn string(&mut self, key: &[u8], value: NewValue<'_>, expire: Option<u64>) -> Result<(), String> {
        self.set(0, key, value, expire.map_or(Ttl::Clear, Ttl::At));
        Ok(())
    }

    fn collection(&mut self, key: &[u8], collection: Collection, expire: Option<u64>) -> Result<(), String> {
        self.put_collection(0, key, collection, expire.map_or(Ttl::Clear, Ttl::At));
        Ok(())
    }

    fn skipped(&mut self, _what: &str) {}

    fn end(&mut self, _checked: bool) {}
}

#[test]
fn a_snapshot_is_the_keyspace_at_its_cut_while_writes_go_on() {
    let mut keyspace = Keyspace::new(1, 7);
    let key = |n: usize| format!("key {n}").into_bytes();
    for n in 0..2000 {
        let ttl = if n % 3 == 0 { Ttl::At(2_000_000_000_000 + n as u64) } else { Ttl::Clear };
        // Short, numeric and long values: each is stored in another way.
        let value = [b"v".repeat(n % 50), n.to_string().into_bytes(), b"long".repeat(10_000)];
        let which = if n % 100 == 0 { 2 } else { n % 2 };
        keyspace.set(0, &key(n), NewValue::Bytes(&value[which]), ttl);
    }
    let digest = keyspace.exact_digest();
    let snapshot =
        keyspace.begin_snapshot(Box::new(Writer::new(Header::default()))).expect("a first snapshot");
    let mut file = Vec::new();
    let mut round = 0;
    while !keyspace.drive_snapshot(snapshot, 1000) {
        for n in (round..2000).step_by(37) {
            match n % 4 {
                0 => drop(keyspace.remove(0, &key(n))),
                1 => drop(keyspace.set(0, &key(n + 10_000), NewValue::Int(1), Ttl::Clear)),
                2 => drop(keyspace.append(0, &key(n), b"more")),
                _ => drop(keyspace.set_expire(0, &key(n), Some(5))),
            }
        }
        round += 1;
        keyspace.take_snapshot_bytes(snapshot, &mut file);
    }
    let mut capture = keyspace.end_snapshot(snapshot).expect("it was live");
    capture.as_any().downcast_mut::<Writer>().expect("our writer").finish();
    capture.take(&mut file);
    assert_ne!(keyspace.exact_digest(), digest);

    let mut loaded = Keyspace::new(1, 8);
    let mut decoder = Decoder::new();
    let done = decoder.feed(&file, &mut loaded);
    assert_eq!(done, Ok(Progress::Done { consumed: file.len() }));
    assert_eq!(loaded.exact_digest(), digest);
}

/// The keys of a random file, with values that are short, numeric or repetitive.
fn entries() -> impl Strategy<Value = Vec<Key<usize>>> {
    let text = prop_oneof![
        vec(any::<u8>(), 0..40),
        any::<i64>().prop_map(|n| n.to_string().into_bytes()),
        (-70_000i64..70_000).prop_map(|n| n.to_string().into_bytes()),
        (vec(0u8..4, 1..20), 1usize..200).prop_map(|(bytes, times)| bytes.repeat(times)),
    ];
    vec((0usize..16, text.clone(), text, proptest::option::of(any::<u32>().prop_map(u64::from))), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_back(
        entries in entries(),
        compress in any::<bool>(),
        checksum in any::<bool>(),
        size in 1usize..200,
    ) {
        let mut writer = Writer::new(Header { compress, checksum, ..Header::default() });
        let mut file = Vec::new();
        for (db, key, value, expire) in &entries {
            writer.string(*db, key, ValueRef::Bytes(value), *expire);
            if key.len() % 3 == 0 {
                writer.take(&mut file);
            }
        }
        writer.finish();
    writer.take(&mut file);
        let loaded = load_in_pieces(&file, size).expect("our own file");
        let want: Vec<_> = entries.into_iter().map(|(db, k, v, at)| (db as u64, k, v, at)).collect();
        prop_assert_eq!(loaded.keys, want);
        prop_assert_eq!(loaded.ended, Some(checksum));
    }

    #[test]
    fn no_bytes_make_it_panic_or_hold_more_than_it_was_given(body in vec(any::<u8>(), 0..200), size in 1usize..50) {
        let file = [b"REDIS0012".to_vec(), body].concat();
        let (mut decoder, mut loaded) = (Decoder::new(), Loaded::default());
        for piece in file.chunks(size) {
            if decoder.feed(piece, &mut loaded).is_err() {
                break;
            }
            prop_assert!(decoder.held() <= file.len());
        }
    }

    #[test]
    fn a_damaged_file_with_the_checksum_off_is_never_a_panic(at in 9usize..400, byte in any::<u8>()) {
        let mut bad = small_file();
        let len = bad.len();
        bad[len - 8..].fill(0);
        if at < len - 8 {
            bad[at] = byte;
        }
        let _ = load(&bad);
    }
}
