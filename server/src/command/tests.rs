//! What transcripts cannot show: how a command sees expired keys on a replica and in the master's stream, and what it counts.

mod sets;

use super::context::{Context, Expiry, Settings};
use super::effects::Effect;
use super::{Effects, Handler, find};
use crate::data::Rng;
use crate::keyspace::Keyspace;
use crate::resp::Reply;
use crate::resp::request::OwnedArgs;

/// Data commands without a server around them.
struct Bench {
    keyspace: Keyspace,
    now_ms: u64,
    expiry: Expiry,
    rng: Rng,
    effects: Effects,
    settings: Settings,
}

impl Bench {
    fn new() -> Self {
        Self {
            keyspace: Keyspace::new(16, 1),
            now_ms: 1_000_000,
            expiry: Expiry::Delete,
            rng: Rng::new(1),
            effects: Effects::default(),
            settings: Settings::default(),
        }
    }

    /// Runs a command typed with single spaces; gives its reply with CRLF as `~`.
    fn run(&mut self, line: &str) -> String {
        let args = OwnedArgs::from_slices(&line.split(' ').collect::<Vec<_>>());
        let args = args.args();
        let mut reply = Reply::default();
        self.effects.clear();
        let mut ctx = Context {
            keyspace: &mut self.keyspace,
            db: 0,
            now_ms: self.now_ms,
            expiry: self.expiry,
            rng: &mut self.rng,
            reply: &mut reply,
            effects: &mut self.effects,
            settings: &self.settings,
            touches: true,
        };
        let Handler::Data(handler) = find(args).unwrap().handler else { panic!("{line} is no data command") };
        if let Err(failure) = handler(&mut ctx, args) {
            reply.truncate(0);
            reply.error_bytes(failure.bytes());
        }
        String::from_utf8(reply.into_inner()).unwrap().replace("\r\n", "~")
    }

    /// The effects of the last command: `sent`, or the encoded command with CRLF as `~`.
    fn effects(&self) -> Vec<String> {
        let shown = |effect: &Effect| match effect {
            Effect::AsSent { .. } => "sent".to_owned(),
            encoded => String::from_utf8_lossy(self.effects.bytes(*encoded)).replace("\r\n", "~"),
        };
        self.effects.list().iter().map(shown).collect()
    }

    /// With `a` past its deadline and `b` alive.
    fn expired(expiry: Expiry) -> Self {
        let mut bench = Self::new();
        bench.run("SET a 1 PX 10");
        bench.run("SET b 2");
        bench.now_ms += 10;
        bench.expiry = expiry;
        bench
    }
}

#[test]
fn a_replica_hides_an_expired_key_and_never_deletes_it() {
    for (line, reply) in [
        ("GET a", "$-1~"),
        ("MGET a b", "*2~$-1~$1~2~"),
        ("EXISTS a b", ":1~"),
        ("STRLEN a", ":0~"),
        ("TTL a", ":-2~"),
        ("PEXPIRETIME a", ":-2~"),
        ("TYPE a", "+none~"),
        ("OBJECT ENCODING a", "$-1~"),
        ("KEYS *", "*1~$1~b~"),
        ("SCAN 0", "*2~$1~0~*1~$1~b~"),
        ("RANDOMKEY", "$1~b~"),
        ("DBSIZE", ":2~"),
        ("GETEX a PERSIST", "$-1~"),
        ("PERSIST a", ":0~"),
        ("DEL a", ":0~"),
        ("RENAME a c", "-ERR no such key~"),
    ] {
        let mut bench = Bench::expired(Expiry::Hide);
        assert_eq!(bench.run(line), reply, "{line}");
        assert!(bench.effects.is_empty(), "{line}: {:?}", bench.effects());
        assert_eq!(bench.keyspace.len(0), 2, "{line}");
    }
}

#[test]
fn when_every_key_is_expired_and_may_not_be_deleted_randomkey_gives_up() {
    let mut bench = Bench::expired(Expiry::Hide);
    bench.keyspace.remove(0, b"b");
    assert_eq!(bench.run("RANDOMKEY"), "$-1~");
    bench.expiry = Expiry::Delete;
    assert_eq!(bench.run("RANDOMKEY"), "$-1~");
    assert_eq!(bench.keyspace.len(0), 0);
}

#[test]
fn to_the_masters_stream_an_expired_key_is_alive() {
    for (line, reply, effect) in [
        ("INCR a", ":2~", "sent"),
        ("APPEND a x", ":2~", "sent"),
        ("PERSIST a", ":1~", "sent"),
        ("RENAME a c", "+OK~", "sent"),
        ("SETRANGE a 1 x", ":2~", "sent"),
        ("PEXPIREAT a 5", ":1~", "sent"),
        ("DEL a", ":1~", "sent"),
    ] {
        let mut bench = Bench::expired(Expiry::Ignore);
        assert_eq!(bench.run(line), reply, "{line}");
        assert_eq!(bench.effects(), [effect], "{line}");
    }
    let mut bench = Bench::expired(Expiry::Ignore);
    bench.run("PEXPIREAT b 5");
    assert_eq!(bench.keyspace.len(0), 2, "only the master deletes");
    assert_eq!(bench.run("KEYS *").matches('$').count(), 2);
}

#[test]
fn the_verb_for_expired_keys_is_a_setting() {
    let mut bench = Bench::expired(Expiry::Delete);
    bench.settings.lazy_expire = false;
    bench.run("GET a");
    assert_eq!(bench.effects(), ["*2~$3~DEL~$1~a~"]);
    bench.run("EXPIRE b -1");
    assert_eq!(bench.effects(), ["*2~$3~DEL~$1~b~"]);
}

#[test]
fn changes_hits_misses_and_victims_are_counted() {
    let mut bench = Bench::expired(Expiry::Delete);
    bench.run("MSET c 1 d 2 e 3");
    assert_eq!(bench.effects.changes(), 3);
    bench.run("DEL c d missing");
    assert_eq!((bench.effects.changes(), bench.effects().len()), (2, 1));
    bench.run("FLUSHALL");
    assert!(bench.effects.changes() >= 3);
    bench.run("GET missing");
    assert_eq!(bench.effects.changes(), 0);
    let mut bench = Bench::expired(Expiry::Delete);
    bench.run("MGET a b missing");
    bench.run("INCR b");
    assert_eq!((bench.effects.hits, bench.effects.misses, bench.effects.victims), (1, 2, 1));
}

#[test]
fn a_string_may_not_grow_past_the_setting() {
    let mut bench = Bench::new();
    bench.settings.max_string = 8;
    let refused = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)~";
    bench.run("SET a 12345678");
    assert_eq!(bench.run("APPEND a 9"), refused);
    assert_eq!(bench.run("SETRANGE a 8 9"), refused);
    assert_eq!(bench.run("SETRANGE a 7 9"), ":8~");
    bench.run("SET b 12345678");
    let too_big = "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len~";
    assert_eq!(bench.run("LCS a b"), too_big);
}

#[test]
fn a_read_marks_a_key_as_used() {
    let mut bench = Bench::new();
    bench.run("SET a 1");
    assert_eq!(bench.run("OBJECT IDLETIME a"), ":0~");
    bench.now_ms += 30_000;
    assert_eq!(bench.run("OBJECT IDLETIME a"), ":30~");
    bench.run("TOUCH a");
    bench.now_ms += 1000;
    assert_eq!(bench.run("OBJECT IDLETIME a"), ":1~");
}

#[test]
fn a_scan_in_small_steps_meets_every_key() {
    let mut bench = Bench::new();
    let mut wanted: Vec<String> = (0..500).map(|n| format!("key:{n}")).collect();
    for key in &wanted {
        bench.run(&format!("SET {key} 1"));
    }
    let (mut cursor, mut met, mut calls) = ("0".to_owned(), Vec::new(), 0);
    loop {
        let reply = bench.run(&format!("SCAN {cursor} COUNT 7"));
        let mut words = reply.split('~').filter(|word| !word.is_empty() && !word.starts_with(['*', '$']));
        cursor = words.next().unwrap().to_owned();
        met.extend(words.map(str::to_owned));
        calls += 1;
        if cursor == "0" {
            break;
        }
    }
    assert!(calls > 20, "{calls} calls are not small steps");
    met.sort();
    met.dedup();
    wanted.sort();
    assert_eq!(met, wanted);
}
