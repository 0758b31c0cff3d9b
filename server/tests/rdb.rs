//! RDB files across the border: what a real redis-server wrote is read here, what is written here is accepted there.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

#[expect(
    dead_code,
    clippy::panic,
    reason = "each driver uses its part of the rig; a test fails by panicking"
)]
mod rig;

use rctl_server::data::Collection;
use rctl_server::keyspace::{NewValue, ValueRef};
use rctl_server::persist::{Decoder, Header, Load, Origin, Progress, Writer};
use rctl_server::resp::{Value, reply::encode_request, value};
use rig::real::{REDIS_SERVER, Real};
use rig::session::{Rig, Wait};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A deadline that no test lives to see.
const LATER: u64 = 4_000_000_000_000;

/// Database and key to value and deadline.
type Data = BTreeMap<(u64, Vec<u8>), (Vec<u8>, Option<u64>)>;

/// One of every form a string can be stored in.
fn data() -> Data {
    let mut data = Data::new();
    let mut put = |db, key: &[u8], value: Vec<u8>, at| data.insert((db, key.to_vec()), (value, at));
    for n in ["0", "-1", "127", "-129", "32768", "-70000", "2147483648", "9223372036854775807", "007", "+1"] {
        put(0, format!("number {n}").as_bytes(), n.into(), None);
        put(0, n.as_bytes(), n.into(), Some(LATER));
    }
    put(0, b"", b"".to_vec(), None);
    put(0, b"bytes \x00\xFF\r\n", (0..=255).collect(), None);
    put(0, &b"long key ".repeat(20), b"long value ".repeat(3000), Some(LATER + 1));
    put(0, b"noise", (0..20_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect(), None);
    put(9, b"elsewhere", b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".to_vec(), None);
    data
}

#[derive(Debug, Default)]
struct Loaded {
    aux: BTreeMap<Vec<u8>, Vec<u8>>,
    db: u64,
    data: Data,
    sizes: BTreeMap<u64, (u64, u64)>,
    checked: Option<bool>,
}

impl Load for Loaded {
    fn begin(&mut self, _version: u16) -> Result<(), String> {
        Ok(())
    }

    fn aux(&mut self, name: &[u8], value: &[u8]) {
        self.aux.insert(name.to_vec(), value.to_vec());
    }

    fn select(&mut self, db: u64) -> Result<(), String> {
        self.db = db;
        Ok(())
    }

    fn resize(&mut self, keys: u64, expires: u64) {
        self.sizes.insert(self.db, (keys, expires));
    }

    fn string(&mut self, key: &[u8], value: NewValue<'_>, expire: Option<u64>) -> Result<(), String> {
        let value = match value {
            NewValue::Int(n) => n.to_string().into_bytes(),
            NewValue::Bytes(bytes) | NewValue::Raw(bytes) => bytes.to_vec(),
        };
        self.data.insert((self.db, key.to_vec()), (value, expire));
        Ok(())
    }

    fn collection(&mut self, key: &[u8], collection: Collection, _expire: Option<u64>) -> Result<(), String> {
        Err(format!("{} holds {}", key.escape_ascii(), collection.type_name()))
    }

    fn skipped(&mut self, _what: &str) {}

    fn end(&mut self, checked: bool) {
        self.checked = Some(checked);
    }
}

/// Reads a file as it would come off a socket.
fn read(file: &[u8]) -> Loaded {
    let (mut decoder, mut loaded) = (Decoder::new(), Loaded::default());
    let mut done = None;
    for piece in file.chunks(1460) {
        match decoder.feed(piece, &mut loaded).expect("a good file") {
            Progress::More => assert_eq!(done, None),
            Progress::Done { consumed } => done = Some(consumed == piece.len()),
        }
    }
    decoder.finish().expect("a whole file");
    assert_eq!(done, Some(true), "nothing may be left over");
    loaded
}

fn write(compress: bool, checksum: bool) -> Vec<u8> {
    let history = Some(("0123456789abcdef0123456789abcdef01234567", 1234, 9));
    let origin = Origin { ctime_s: 1_700_000_000, used_memory: 1 << 20, history };
    let mut writer = Writer::new(Header { aux: origin.aux(), compress, checksum, ..Header::default() });
    let data = data();
    let all = data.len() - 1;
    writer.resize(0, all, data.values().filter(|(_, at)| at.is_some()).count());
    for ((db, key), (value, at)) in &data {
        let db = usize::try_from(*db).expect("a small number");
        writer.string(db, key, ValueRef::Bytes(value), *at);
        // As a snapshot does that writes a bucket of another database before its first change.
        writer.string(5, key, ValueRef::Int(1), None);
    }
    let mut file = Vec::new();
    writer.finish();
    writer.take(&mut file);
    file
}

/// Sends commands one by one; their replies.
fn ask(real: &mut Real, commands: &[&[&[u8]]]) -> Vec<Value> {
    let mut replies = Vec::new();
    for command in commands {
        let mut bytes = Vec::new();
        encode_request(&mut bytes, command);
        real.send("a", &bytes);
        let mut pending = Vec::new();
        let reply = loop {
            let (more, closed) = real.take("a", Wait::Long);
            pending.extend(more);
            if let Some((reply, _)) = value::decode(&pending).expect("a reply") {
                break reply;
            }
            assert!(!closed, "closed in the middle of a reply");
        };
        replies.push(reply);
    }
    replies
}

#[test]
fn a_file_that_a_real_server_saved_is_read_whole() {
    for compression in ["yes", "no"] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let Some(mut real) = Real::start(dir.path(), &["--rdbcompression", compression]) else { return };
        for ((db, key), (value, at)) in &data() {
            let mut set: Vec<&[u8]> = vec![b"SET", key, value];
            let at = at.map(|at| at.to_string());
            if let Some(at) = &at {
                set.extend([&b"PXAT"[..], at.as_bytes()]);
            }
            let replies = ask(&mut real, &[&[b"SELECT", db.to_string().as_bytes()], &set]);
            assert_eq!(replies, [Value::Simple("OK".into()), Value::Simple("OK".into())]);
        }
        let library = b"#!lua name=lib\nredis.register_function('f', function() return 1 end)";
        ask(&mut real, &[&[b"FUNCTION", b"LOAD", library]]);
        assert_eq!(ask(&mut real, &[&[b"SAVE"]]), [Value::Simple("OK".into())]);

        let loaded = read(&fs::read(dir.path().join("dump.rdb")).expect("the saved file"));
        assert_eq!(loaded.data, data());
        assert_eq!(loaded.checked, Some(true));
        assert_eq!(loaded.aux.get(&b"redis-bits"[..]), Some(&b"64".to_vec()));
        let expires = data().values().filter(|(_, at)| at.is_some()).count() as u64;
        assert_eq!(loaded.sizes.get(&0), Some(&(data().len() as u64 - 1, expires)));
    }
}

#[test]
fn a_real_server_finds_our_file_good_and_loads_every_key() {
    for (compress, checksum) in [(false, true), (true, true), (true, false)] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("dump.rdb");
        fs::write(&path, write(compress, checksum)).expect("the file");
        if !checked(&path) {
            return;
        }
        let Some(mut real) = Real::start::<&str>(dir.path(), &[]) else { return };
        for ((db, key), (value, at)) in &data() {
            let db = db.to_string();
            let commands: [&[&[u8]]; 3] =
                [&[b"SELECT", db.as_bytes()], &[b"GET", key], &[b"PEXPIRETIME", key]];
            let replies = ask(&mut real, &commands);
            let at = at.map_or(-1, |at| i64::try_from(at).expect("a time"));
            let want = [Value::Simple("OK".into()), Value::Bulk(value.clone()), Value::Int(at)];
            assert_eq!(replies, want, "{}", key.escape_ascii());
        }
        let sizes = ask(&mut real, &[&[b"SELECT", b"0"], &[b"DBSIZE"], &[b"SELECT", b"5"], &[b"DBSIZE"]]);
        let count = i64::try_from(data().len()).expect("a few");
        assert_eq!([&sizes[1], &sizes[3]], [&Value::Int(count - 1), &Value::Int(count)]);
    }
}

/// What redis-check-rdb says of the file; false, loudly, when it is not installed.
fn checked(path: &Path) -> bool {
    let program = Path::new(REDIS_SERVER).with_file_name("redis-check-rdb");
    if !program.exists() {
        eprintln!(
            "NOT TESTED: {} is missing; install redis-tools to have our files checked",
            program.display()
        );
        return false;
    }
    let output = Command::new(&program).arg(path).output().expect("redis-check-rdb runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("RDB looks OK"), "{text}");
    true
}
