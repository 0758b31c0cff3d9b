//! The main table's figures: inserting, reading with and without prefetch, bytes per key, a snapshot.
//!
//! `cargo bench -p rctl-server --bench table [-- KEYS]`. Times are processor time, of reads the best of three; memory is resident memory of the
//! process, so each shape runs in a process of its own.

#![expect(clippy::disallowed_methods, reason = "a test of real processes has a deadline")]
#![expect(clippy::print_stdout, reason = "a bench is read on a terminal")]

use rctl_server::data::Rng;
use rctl_server::keyspace::{Capture, EntryRef, Keyspace, NewValue, SnapshotId, Ttl, ValueRef};
use std::any::Any;
use std::hint::black_box;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const READS: usize = 2_000_000;
const BATCH: usize = 16;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.as_slice() {
        [shape, value, keys] if shape == "shape" => {
            let parsed = value.parse().ok().zip(keys.parse().ok());
            if let Some((value, keys)) = parsed {
                shape_of(value, keys);
            }
        }
        rest => {
            let keys = rest.first().map_or("1000000", String::as_str);
            println!("{keys} keys of 16 bytes");
            for value in ["3", "16", "64", "100"] {
                let Ok(this) = std::env::current_exe() else { return };
                let run = std::process::Command::new(this).args(["shape", value, keys]).status();
                if run.is_err() {
                    println!("value of {value} bytes: could not run");
                }
            }
        }
    }
}

/// Measures one shape of value.
fn shape_of(value: usize, count: usize) {
    let keys: Vec<[u8; 16]> = (0..count).map(key).collect();
    let mut rng = Rng::new(1);
    let order: Vec<u32> = (0..READS).map(|_| rng.below(count as u64) as u32).collect();
    let value_bytes = vec![b'x'; value];
    let before = resident();
    let mut keyspace = Keyspace::new(16, 7);
    let cold = time(|| fill(&mut keyspace, &keys, &value_bytes));
    let per_key = resident().saturating_sub(before) as f64 / count as f64;
    let counted = keyspace.memory() as f64 / count as f64;
    let best = |run: &mut dyn FnMut() -> Duration| (0..3).map(|_| run()).min().unwrap_or_default();
    let plain = best(&mut || time(|| read(&keyspace, &keys, &order)));
    let batched = best(&mut || time(|| read_batched(&keyspace, &keys, &order)));
    let overwrite = best(&mut || time(|| overwrite(&mut keyspace, &keys, &order, &value_bytes)));
    let (snapshot, slice) = snapshot(&mut keyspace);
    let warm = time(|| {
        keyspace.flush(None, false);
        keyspace.reserve(0, count);
        fill(&mut keyspace, &keys, &value_bytes);
    });
    let ns = |time: Duration, count: usize| time.as_nanos() as f64 / count as f64;
    println!(
        "value {value:3} B: resident {per_key:5.1} B/key, counted {counted:5.1} | insert {:3.0} ns, presized and \
         warm with flush {:3.0} | get {:3.0}, prefetched {:3.0}, set prefetched {:3.0} ns | snapshot {:.0} ms, \
         a slice {:.0} µs (median)",
        ns(cold, count),
        ns(warm, count),
        ns(plain, READS),
        ns(batched, READS),
        ns(overwrite, READS),
        snapshot.as_secs_f64() * 1e3,
        slice.as_secs_f64() * 1e6,
    );
}

fn fill(keyspace: &mut Keyspace, keys: &[[u8; 16]], value: &[u8]) {
    for key in keys {
        keyspace.set(0, key, NewValue::Bytes(value), Ttl::Clear);
    }
}

fn read(keyspace: &Keyspace, keys: &[[u8; 16]], order: &[u32]) {
    for &at in order {
        consume(keyspace.get(0, &keys[at as usize]));
    }
}

fn read_batched(keyspace: &Keyspace, keys: &[[u8; 16]], order: &[u32]) {
    for batch in order.chunks(BATCH) {
        prefetch(keyspace, keys, batch);
        for &at in batch {
            consume(keyspace.get(0, &keys[at as usize]));
        }
    }
}

fn overwrite(keyspace: &mut Keyspace, keys: &[[u8; 16]], order: &[u32], value: &[u8]) {
    for batch in order.chunks(BATCH) {
        prefetch(keyspace, keys, batch);
        for &at in batch {
            keyspace.set(0, &keys[at as usize], NewValue::Bytes(value), Ttl::Clear);
        }
    }
}

fn prefetch(keyspace: &Keyspace, keys: &[[u8; 16]], batch: &[u32]) {
    let mut hashes = [0; BATCH];
    for (hash, &at) in hashes.iter_mut().zip(batch) {
        *hash = keyspace.hash(&keys[at as usize]);
        keyspace.prefetch_bucket(0, *hash);
    }
    for &hash in hashes.iter().take(batch.len()) {
        keyspace.prefetch_entry(0, hash);
    }
}

/// A whole snapshot in slices of 64 KiB: processor time, and what a slice takes by the clock, at the median.
fn snapshot(keyspace: &mut Keyspace) -> (Duration, Duration) {
    let start = on_processor();
    let Some(id) = keyspace.begin_snapshot(Box::new(Copying::default())) else { return Default::default() };
    let (mut slices, mut out, mut done) = (Vec::new(), Vec::new(), false);
    while !done {
        let slice = Instant::now();
        done = drive(keyspace, id, &mut out);
        slices.push(slice.elapsed());
    }
    keyspace.end_snapshot(id);
    slices.sort_unstable();
    (on_processor().saturating_sub(start), slices[slices.len() / 2])
}

fn drive(keyspace: &mut Keyspace, id: SnapshotId, out: &mut Vec<u8>) -> bool {
    let done = keyspace.drive_snapshot(id, 64 * 1024);
    out.clear();
    keyspace.take_snapshot_bytes(id, out);
    done
}

/// Copies keys and values, as the cheapest encoding would.
#[derive(Debug, Default)]
struct Copying(Vec<u8>);

impl Capture for Copying {
    fn begin_db(&mut self, _: usize, _: usize, _: usize) {}
    fn entry(&mut self, _: usize, entry: EntryRef<'_>) {
        self.0.extend_from_slice(entry.key());
        match entry.value() {
            ValueRef::Int(number) => self.0.extend_from_slice(&number.to_le_bytes()),
            ValueRef::Bytes(text) => self.0.extend_from_slice(text),
            ValueRef::Collection(_) => {}
        }
    }
    fn buffered(&self) -> usize {
        self.0.len()
    }
    fn take(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.0);
    }
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

fn consume(entry: Option<EntryRef<'_>>) {
    match entry.map(EntryRef::value) {
        Some(ValueRef::Bytes(text)) => _ = black_box(text.last().copied()),
        other => _ = black_box(other),
    }
}

fn key(number: usize) -> [u8; 16] {
    let mut key = *b"key:000000000000";
    let digits = number.to_string();
    key[16 - digits.len()..].copy_from_slice(digits.as_bytes());
    key
}

/// Time on the processor, so that a busy machine matters less.
fn time(run: impl FnOnce()) -> Duration {
    let start = on_processor();
    run();
    on_processor().saturating_sub(start)
}

/// This process' time on the processor; wall time where there is no /proc.
fn on_processor() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let schedstat = std::fs::read_to_string("/proc/self/schedstat").ok();
    let nanoseconds = schedstat.and_then(|text| text.split_whitespace().next()?.parse().ok());
    nanoseconds.map_or_else(|| START.get_or_init(Instant::now).elapsed(), Duration::from_nanos)
}

/// Resident bytes of this process; 0 where there is no /proc.
fn resident() -> usize {
    let Ok(text) = std::fs::read_to_string("/proc/self/statm") else { return 0 };
    text.split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse::<usize>().ok())
        .map_or(0, |pages| pages * 4096)
}
