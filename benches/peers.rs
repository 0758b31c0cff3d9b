//! Our server and redis-server side by side: processor time per operation, start, link-up, idle memory.
//!
//! `just bench` or `cargo bench --bench peers -- [--rounds N]`. Needs redis-server and redis-benchmark on the PATH, and
//! Linux, whose `/proc` tells the processor time of a process to the nanosecond.
//!
//! On a machine that does other things too, rates drift by a third from run to run; the time that a server spends per
//! operation drifts far less, and the ratio of two servers measured in turn least of all. So that ratio is what is
//! printed, as the median of the rounds, beside each server's own median.

#![expect(clippy::disallowed_methods, reason = "a test of real processes has a deadline")]
#![expect(clippy::disallowed_types, reason = "a test of real servers speaks to them itself")]
#![expect(clippy::print_stdout, reason = "a bench is read on a terminal")]

use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What is measured: a name, and the program with the words that come before redis-server's own.
const PEERS: [(&str, &[&str]); 2] =
    [("rctl", &[env!("CARGO_BIN_EXE_rctl"), "server"]), ("redis", &["redis-server"])];

/// Requests in one packet, and how many of them make a measurement of about a second.
const PIPELINES: [(u32, u64); 3] = [(1, 60_000), (16, 400_000), (64, 800_000)];

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
    operations(rounds)?;
    compare("start to PONG, ms", rounds * 2, 1e6, started)?;
    compare("idle memory, MB", rounds, 1e6, |which| Server::start(which)?.resident())?;
    // redis-server waits five seconds for company before a first snapshot, so this row is short of rounds.
    compare("REPLICAOF to link up, ms", rounds.min(3), 1e6, linked)
}

/// Processor time per operation, all pipelines, both operations, the servers in turn.
fn operations(rounds: usize) -> Outcome<()> {
    let servers = [Server::start(0)?, Server::start(1)?];
    for (pipeline, requests) in PIPELINES {
        for operation in ["set", "get"] {
            let title = format!("{} -P {pipeline}, us", operation.to_uppercase());
            compare(&title, rounds, 1e3 * requests as f64, |which| {
                let before = servers[which].processor_ns()?;
                load(servers[which].port, operation, pipeline, requests)?;
                Ok(servers[which].processor_ns()?.saturating_sub(before))
            })?;
        }
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

fn load(port: u16, operation: &str, pipeline: u32, requests: u64) -> Outcome<()> {
    let done = Command::new("redis-benchmark")
        .args(["-p", &port.to_string(), "-t", operation, "-n", &requests.to_string()])
        .args(["-P", &pipeline.to_string(), "-r", "100000", "-q"])
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
    let mut line = TcpStream::connect(("127.0.0.1", replica.port))?;
    line.set_nodelay(true)?;
    let begun = Instant::now();
    ask(&mut line, &format!("REPLICAOF 127.0.0.1 {}", master.port))?;
    while !ask(&mut line, "INFO replication")?.contains("master_link_status:up") {
        if begun.elapsed() > PATIENCE {
            return Err(format!("{} did not link up", PEERS[which].0).into());
        }
    }
    Ok(u64::try_from(begun.elapsed().as_nanos())?)
}

/// One inline request on an open connection; the reply as it arrived.
fn ask(line: &mut TcpStream, request: &str) -> Outcome<String> {
    line.write_all(format!("{request}\r\n").as_bytes())?;
    let mut reply = Vec::new();
    let mut buffer = [0; 16 << 10];
    loop {
        let count = line.read(&mut buffer)?;
        reply.extend_from_slice(&buffer[..count]);
        if count == 0 || is_whole(&reply) {
            return Ok(String::from_utf8_lossy(&reply).into_owned());
        }
    }
}

/// A bulk reply has come with all the bytes it announced; any other is one line.
fn is_whole(reply: &[u8]) -> bool {
    let Some(end) = reply.windows(2).position(|pair| pair == b"\r\n") else { return false };
    let announced =
        reply.strip_prefix(b"$").and_then(|rest| std::str::from_utf8(&rest[..end - 1]).ok()?.parse().ok());
    announced.is_none_or(|length: usize| reply.len() >= end + 2 + length + 2)
}

/// A server on a port and in a directory of its own; ends with this value.
struct Server {
    child: Child,
    port: u16,
    start_ns: u64,
    _dir: tempfile::TempDir,
}

impl Server {
    /// Starts one and waits for its PONG.
    fn start(which: usize) -> Outcome<Self> {
        let (name, words) = PEERS[which];
        let dir = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let begun = Instant::now();
        let child = Command::new(words[0])
            .args(&words[1..])
            .args(["--port", &port.to_string(), "--save", ""])
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .spawn()?;
        let mut server = Self { child, port, start_ns: 0, _dir: dir };
        while !server.answers() {
            if begun.elapsed() > PATIENCE || server.child.try_wait()?.is_some() {
                return Err(format!("{name} does not come up on port {port}").into());
            }
            std::thread::yield_now();
        }
        server.start_ns = u64::try_from(begun.elapsed().as_nanos())?;
        Ok(server)
    }

    fn answers(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port))
            .ok()
            .and_then(|mut line| ask(&mut line, "PING").ok())
            .is_some_and(|reply| reply.starts_with("+PONG"))
    }

    /// Time on a processor so far, all threads, nanoseconds.
    fn processor_ns(&self) -> Outcome<u64> {
        let mut sum = 0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
            sum += text.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
        Ok(sum)
    }

    /// Resident memory, bytes.
    fn resident(&self) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? << 10)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
