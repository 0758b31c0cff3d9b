//! How long nobody could write: a master is killed, and the supervisor puts another in its place.
//!
//! `RCTL_ROUNDS` asks for more rounds than the few that a test needs.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]
#![expect(clippy::disallowed_methods, reason = "it measures how long nobody could write")]
#![expect(clippy::disallowed_types, reason = "a test of real servers speaks to them itself")]

#[expect(dead_code, reason = "shared with other tests")]
mod rig;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rig::{World, wait_until};

/// The promise: with `down-after = 500ms`, writable again within this time at the median.
const LIMIT: Duration = Duration::from_secs(1);

fn ask(port: u16, line: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_millis(1_200))).ok()?;
    stream.write_all(format!("{line}\r\n").as_bytes()).ok()?;
    let mut reply = String::new();
    // A line for each command at least.
    while reply.matches("\r\n").count() <= line.matches("\r\n").count() {
        let mut bytes = [0; 256];
        let count = stream.read(&mut bytes).ok().filter(|count| *count > 0)?;
        reply.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    Some(reply)
}

fn status(world: &World) -> serde_json::Value {
    serde_json::from_str(&world.ok(&["status", "--json"])).unwrap()
}

/// The master that takes writes, and its process.
fn master(world: &World) -> (u16, i32) {
    let status = status(world);
    let node = status["nodes"].as_array().unwrap().iter().find(|node| node["state"] == "writable").unwrap();
    let number = |field: &str| node[field].as_i64().unwrap();
    (u16::try_from(number("port")).unwrap(), i32::try_from(number("pid")).unwrap())
}

fn writable_again_in_time(engine: &str) {
    if engine == "redis" && !rig::redis_is_there("autofailover") {
        return;
    }
    let rounds: usize = std::env::var("RCTL_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    let world = World::new();
    let base = world.base;
    let file = format!(
        "name = \"lab\"\n[defaults]\nengine = \"{engine}\"\n[[node]]\nport = {base}\n[[node]]\nport = {}\nreplica-of = {base}\n\
         [[node]]\nport = {}\nreplica-of = {base}\n[autofailover]\ndown-after = \"500ms\"\n",
        base + 1,
        base + 2
    );
    std::fs::write(world.dir.path().join("lab.toml"), file).unwrap();
    world.ok(&["up", "lab.toml", "-q"]);
    let mut outages = Vec::new();
    for round in 0..rounds {
        let (old, pid) = master(&world);
        // On one connection: WAIT waits for the writes of its own.
        let confirmed = || ask(old, &format!("SET round {round}\r\nWAIT 2 1000"));
        wait_until("a write is confirmed by both", || confirmed().is_some_and(|reply| reply.contains(":2")));
        let began = Instant::now();
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        let others: Vec<u16> = (base..base + 3).filter(|port| *port != old).collect();
        wait_until("another node takes writes", || {
            others.iter().any(|port| ask(*port, "SET after kill").as_deref() == Some("+OK\r\n"))
        });
        outages.push(began.elapsed());
        let kept = others.iter().filter_map(|port| ask(*port, "GET round"));
        assert!(
            kept.into_iter().any(|reply| reply.contains(&round.to_string())),
            "a confirmed write is there"
        );
        world.ok(&["start", "down", "-q"]);
        world.ok(&["wait", "ready", &format!("{old}=replica"), "-q"]);
    }
    outages.sort();
    let median = outages[outages.len() / 2];
    eprintln!(
        "{engine}: writable again after {median:?} at the median of {rounds}, {:?} at worst",
        outages.last()
    );
    assert!(median <= LIMIT, "{engine}: {outages:?}");
}

#[test]
fn the_builtin_set_is_writable_again_in_time() {
    writable_again_in_time("builtin");
}

#[test]
fn the_redis_set_is_writable_again_in_time() {
    writable_again_in_time("redis");
}
