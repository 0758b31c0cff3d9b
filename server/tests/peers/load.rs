//! Writes without end: what a busy application sends, seeded, in pipelines, to several databases.

#![expect(clippy::disallowed_methods, reason = "a test of real processes has a deadline")]

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rctl_server::resp::value::Value;

use crate::client::{Client, encode, eventually, text};
use crate::node::Node;

/// A small generator of numbers: the same seed gives the same writes.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// One of a list.
    pub(crate) fn pick<T: Clone>(&mut self, list: &[T]) -> T {
        let at = self.below(list.len() as u64);
        list.get(usize::try_from(at).unwrap()).unwrap().clone()
    }
}

/// The seed of the rounds: `RCTL_SEED`, or the one that always runs.
pub(crate) fn seed(usual: u64) -> u64 {
    std::env::var("RCTL_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// A thread that writes until it is told to end.
pub(crate) struct Load {
    state: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    port: AtomicU16,
    replies: AtomicU64,
}

impl Load {
    /// Begins to write to `node`.
    pub(crate) fn on(node: &Node, seed: u64) -> Self {
        let state = Arc::new(Shared::default());
        state.port.store(node.port, Ordering::Relaxed);
        let shared = Arc::clone(&state);
        let thread = std::thread::spawn(move || run(&shared, seed));
        Self { state, thread: Some(thread) }
    }

    /// Goes on at another node.
    pub(crate) fn move_to(&self, node: &Node) {
        self.state.port.store(node.port, Ordering::Relaxed);
    }

    /// Waits until so many more writes were answered.
    pub(crate) fn wait(&self, count: u64) {
        let goal = self.replies() + count;
        let reached = eventually(|| (self.replies() >= goal).then_some(()));
        assert!(reached.is_some(), "the load stands at {} of {goal} answers", self.replies());
    }

    /// Writes that were answered so far.
    pub(crate) fn replies(&self) -> u64 {
        self.state.replies.load(Ordering::Relaxed)
    }

    /// Ends it; how many writes were answered.
    pub(crate) fn end(mut self) -> u64 {
        self.state.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            assert!(thread.join().is_ok(), "the load failed");
        }
        self.replies()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(shared: &Shared, seed: u64) {
    let mut dice = Dice::new(seed);
    while !shared.stop.load(Ordering::Relaxed) {
        let port = shared.port.load(Ordering::Relaxed);
        let Ok(mut client) = Client::connect(port) else {
            // The node is down; its test knows when it comes back.
            std::thread::sleep(Duration::from_millis(3));
            continue;
        };
        client.patience(Duration::from_secs(5));
        while !shared.stop.load(Ordering::Relaxed) && shared.port.load(Ordering::Relaxed) == port {
            let mut bytes = Vec::new();
            let count = (0..=dice.below(60)).map(|_| write(&mut dice, &mut bytes)).sum::<u64>();
            if client.stream.write_all(&bytes).is_err() {
                break;
            }
            if (0..count).any(|_| !answered(&mut client)) {
                break;
            }
            shared.replies.fetch_add(count, Ordering::Relaxed);
            // An application thinks between two pipelines; a debug build is to keep up with it.
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// False when the connection is gone. Errors that a changing set gives are answers too; others are bugs.
fn answered(client: &mut Client) -> bool {
    match client.reply() {
        Err(_) => false,
        Ok(Value::Error(why)) => {
            let known = [
                "READONLY",
                "LOADING",
                "MASTERDOWN",
                "NOREPLICAS",
                "UNBLOCKED",
                "ERR no such key",
                "ERR value is not an integer",
                "EXECABORT",
                "ERR source and destination",
                "ERR increment or decrement",
            ];
            assert!(known.iter().any(|start| why.starts_with(start)), "a write was refused: {why}");
            true
        }
        Ok(_) => true,
    }
}

/// Appends a write, or a transaction; how many replies it brings.
fn write(dice: &mut Dice, out: &mut Vec<u8>) -> u64 {
    match dice.below(40) {
        0 => {
            let db = dice.below(4).to_string();
            encode(out, &[b"SELECT", db.as_bytes()]);
            1
        }
        1 | 2 => {
            encode(out, &[b"MULTI"]);
            let count = dice.below(6);
            (0..count).for_each(|_| single(dice, out));
            encode(out, &[b"EXEC"]);
            count + 2
        }
        _ => {
            single(dice, out);
            1
        }
    }
}

/// Appends one write of strings.
fn single(dice: &mut Dice, out: &mut Vec<u8>) {
    let key = format!("key:{}", dice.below(800));
    let other = format!("key:{}", dice.below(800));
    let counter = format!("count:{}", dice.below(40));
    let number = dice.below(1 << 40).to_string();
    let value = value(dice);
    let ms = (20 + dice.below(400)).to_string();
    let far = (100_000 + dice.below(900_000)).to_string();
    let (key, other, counter, number) =
        (key.as_bytes(), other.as_bytes(), counter.as_bytes(), number.as_bytes());
    let (ms, far) = (ms.as_bytes(), far.as_bytes());
    match dice.below(30) {
        0 => encode(out, &[b"SET", key, &value, b"PX", ms]),
        1 => encode(out, &[b"SETEX", key, far, &value]),
        2 => encode(out, &[b"PSETEX", key, ms, &value]),
        3 => encode(out, &[b"EXPIRE", key, far]),
        4 => encode(out, &[b"PEXPIRE", key, ms]),
        5 => encode(out, &[b"PERSIST", key]),
        6 => encode(out, &[b"INCRBY", counter, number]),
        7 => encode(out, &[b"DECR", counter]),
        8 => encode(out, &[b"INCRBYFLOAT", b"sum", b"0.25"]),
        9 => encode(out, &[b"APPEND", key, b"+tail"]),
        10 => encode(out, &[b"SETRANGE", key, b"7", &value]),
        11 => encode(out, &[b"DEL", key, other]),
        12 => encode(out, &[b"UNLINK", key]),
        13 => encode(out, &[b"GETSET", key, &value]),
        14 => encode(out, &[b"GETDEL", key]),
        15 => encode(out, &[b"GETEX", key, b"PX", ms]),
        16 => encode(out, &[b"MSET", key, &value, other, number]),
        17 => encode(out, &[b"RENAME", key, other]),
        18 => encode(out, &[b"COPY", key, other, b"REPLACE"]),
        19 => encode(out, &[b"MOVE", key, b"5"]),
        20 => encode(out, &[b"SETNX", key, &value]),
        21 => encode(out, &[b"SET", key, &value, b"KEEPTTL"]),
        22 => encode(out, &[b"SET", key, number, b"GET"]),
        23 if dice.below(200) == 0 => encode(out, &[b"FLUSHDB"]),
        24 if dice.below(50) == 0 => encode(out, &[b"SWAPDB", b"1", b"2"]),
        _ => encode(out, &[b"SET", key, &value]),
    }
}

/// Short ones, numbers, binary ones, some that compress and some that are long.
fn value(dice: &mut Dice) -> Vec<u8> {
    match dice.below(12) {
        0 => dice.next().to_string().into_bytes(),
        1 => b"\r\n$5\r\n\x00\xff*3".to_vec(),
        2 => vec![b'a'; usize::try_from(dice.below(3000)).unwrap()],
        3 => (0..dice.below(200)).flat_map(|_| dice.next().to_le_bytes()).collect(),
        4 => Vec::new(),
        _ => format!("value-{}", dice.next()).into_bytes(),
    }
}

/// Fills a node with `count` keys in three databases, some of which expire long after the test.
pub(crate) fn fill(node: &Node, count: u32) {
    let mut client = node.client();
    let mut bytes = Vec::new();
    let mut replies = 0;
    for db in ["0", "3", "15"] {
        encode(&mut bytes, &[b"SELECT", db.as_bytes()]);
        replies += 1;
        for n in 0..count {
            let key = format!("base:{db}:{n}");
            let value = format!("{n}").repeat(usize::try_from(n % 40).unwrap());
            if n % 3 == 0 {
                encode(&mut bytes, &[b"SET", key.as_bytes(), value.as_bytes(), b"EX", b"5000"]);
            } else {
                encode(&mut bytes, &[b"SET", key.as_bytes(), value.as_bytes()]);
            }
            replies += 1;
        }
    }
    client.stream.write_all(&bytes).unwrap();
    for _ in 0..replies {
        assert_eq!(text(&client.reply().unwrap()), "OK");
    }
}
