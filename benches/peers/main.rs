//! Our server and redis-server side by side: processor time per operation, start, link-up, idle memory, and the full sync of
//! keys of every type.
//!
//! `just bench` or `cargo bench --bench peers -- [--rounds N] [--keys N]`. Needs redis-server and redis-benchmark on the PATH, and
//! Linux, whose `/proc` tells the processor time of a process to the nanosecond.
//!
//! On a machine that does other things too, rates drift by a third from run to run; the time that a server spends per
//! operation drifts far less, and the ratio of two servers measured in turn least of all. So that ratio is what is
//! printed, as the median of the rounds, beside each server's own median.

#![expect(clippy::disallowed_methods, reason = "a test of real processes has a deadline")]
#![expect(clippy::disallowed_types, reason = "a test of real servers speaks to them itself")]
#![expect(clippy::print_stdout, reason = "a bench is read on a terminal")]

mod mixed;
mod server;

use std::error::Error;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use server::{Server, ask};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What is measured: a name, and the program with the words that come before redis-server's own.
const PEERS: [(&str, &[&str]); 2] =
    [("rctl", &[env!("CARGO_BIN_EXE_rctl"), "server"]), ("redis", &["redis-server"])];

/// Requests in one packet, and how many of them make a measurement of about a second.
const PIPELINES: [(u32, u64); 3] = [(1, 60_000), (16, 400_000), (64, 800_000)];

/// The types, at pipeline 16: a name, requests, and what redis-benchmark is told.
const TYPES: [(&str, u64, &[&str]); 10] = [
    ("INCR", 400_000, &["-t", "incr"]),
    ("MSET of 10", 100_000, &["-t", "mset"]),
    ("LPUSH", 400_000, &["-t", "lpush"]),
    ("LRANGE of 100", 50_000, &["LRANGE", "mylist", "0", "99"]),
    ("SADD", 400_000, &["SADD", "set:big", "member:__rand_int__"]),
    ("HSET", 400_000, &["HSET", "hash:big", "field:__rand_int__", "value"]),
    ("HSET of small ones", 400_000, &["HSET", "hash:__rand_int__", "field", "value"]),
    ("ZADD", 300_000, &["ZADD", "zset:big", "__rand_int__", "member:__rand_int__"]),
    ("ZRANGE of 10", 200_000, &["ZRANGE", "zset:big", "1000", "1009"]),
    ("XADD", 300_000, &["XADD", "stream", "*", "field", "value"]),
];

const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if !words.iter().any(|word| word == "--bench") {
        // Somebody runs all targets as tests; there is nothing here that could fail.
        return Ok(());
    }
    let after = |name: &str| words.iter().skip_while(|word| *word != name).nth(1);
    let rounds: usize = after("--rounds").map_or(Ok(5), |number| number.parse())?;
    for program in ["redis-server", "redis-benchmark"] {
        if Command::new(program).arg("--version").stdout(Stdio::null()).status().is_err() {
            return Err(
                format!("{program} is not on the PATH: apt-get install redis-server redis-tools").into()
            );
        }
    }
    println!("{:<26}{:>12}{:>12}{:>9}", "", PEERS[0].0, PEERS[1].0, "ratio");
    let keys: u32 = after("--keys").map_or(Ok(1_000_000), |number| number.parse())?;
    operations(rounds)?;
    compare("start to PONG, ms", rounds * 2, 1e6, started)?;
    compare("idle memory, MB", rounds, 1e6, |which| Server::start(which)?.resident())?;
    // redis-server waits five seconds for company before a first snapshot, so this row is short of rounds.
    compare("REPLICAOF to link up, ms", rounds.min(3), 1e6, linked)?;
    mixed::full_syncs(rounds.min(3), keys)
}

/// Processor time per operation, all pipelines, both operations, the servers in turn.
fn operations(rounds: usize) -> Outcome<()> {
    let servers = [Server::start(0)?, Server::start(1)?];
    let cost = |title: &str, pipeline: u32, requests: u64, words: &[&str]| {
        compare(&format!("{title} -P {pipeline}, us"), rounds, 1e3 * requests as f64, |which| {
            let before = servers[which].processor_ns()?;
            load(servers[which].port, pipeline, requests, words)?;
            Ok(servers[which].processor_ns()?.saturating_sub(before))
        })
    };
    for (pipeline, requests) in PIPELINES {
        for operation in ["set", "get"] {
            cost(&operation.to_uppercase(), pipeline, requests, &["-t", operation])?;
        }
    }
    for (title, requests, words) in TYPES {
        cost(title, 16, requests, words)?;
    }
    Ok(())
}

/// Measures both in turn, the first one alternating, and prints their medians (in `unit`) and the median ratio.
fn compare(
    title: &str,
    rounds: usize,
    unit: f64,
    mut measure: impl FnMut(usize) -> Outcome<u64>,
) -> Outcome<()> {
    let mut figures = [Vec::new(), Vec::new()];
    let mut ratios = Vec::new();
    for round in 0..rounds.max(1) {
        let mut pair = [0.0; 2];
        for which in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
            pair[which] = measure(which)? as f64 / unit;
            figures[which].push(pair[which]);
        }
        ratios.push(pair[0] / pair[1]);
    }
    let [ours, theirs] = figures.map(median);
    let ratio = median(ratios);
    let digits = if ratio < 0.01 { 5 } else { 2 };
    println!("{title:<26}{ours:>12.2}{theirs:>12.2}{ratio:>9.digits$}");
    Ok(())
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

fn load(port: u16, pipeline: u32, requests: u64, words: &[&str]) -> Outcome<()> {
    let done = Command::new("redis-benchmark")
        .args(["-p", &port.to_string(), "-n", &requests.to_string()])
        .args(["-P", &pipeline.to_string(), "-r", "100000", "-q"])
        .args(words)
        .stdout(Stdio::null())
        .status()?;
    if done.success() { Ok(()) } else { Err("redis-benchmark failed".into()) }
}

/// Nanoseconds from before the start to the first PONG.
fn started(which: usize) -> Outcome<u64> {
    Ok(Server::start(which)?.start_ns)
}

/// Nanoseconds from REPLICAOF on an empty server to its link being up.
fn linked(which: usize) -> Outcome<u64> {
    let (master, replica) = (Server::start(which)?, Server::start(which)?);
    let mut line = replica.connect()?;
    let begun = Instant::now();
    ask(&mut line, &format!("REPLICAOF 127.0.0.1 {}", master.port))?;
    while !ask(&mut line, "INFO replication")?.contains("master_link_status:up") {
        if begun.elapsed() > PATIENCE {
            return Err(format!("{} did not link up", PEERS[which].0).into());
        }
    }
    Ok(u64::try_from(begun.elapsed().as_nanos())?)
}
