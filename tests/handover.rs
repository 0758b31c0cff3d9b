//! Promotions on server processes, real ones and built-in ones: no acknowledged write is lost while the master lives, the laggard is
//! refused when it does not, and a change that was cut off is taken back or finished.
//!
//! Without `redis-server` on the PATH only the built-in one is tried, unless `RCTL_REQUIRE_REDIS` is set.

#![expect(clippy::disallowed_methods, reason = "a test of real processes has a deadline")]
#![expect(clippy::disallowed_types, reason = "a test of real servers speaks to them itself")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rctl::error::{Exit, Result};
use rctl::handover::carry_out::{Outcome, Patience, Roles, carry_out, send_all};
use rctl::handover::fleet::{Fleet, Place};
use rctl::handover::look::{Known, look};
use rctl::plan::members::{Last, Members};
use rctl::plan::promotion::{Decision, Means, Promotion, Terms, decide};
use rctl::plan::resync::Forecast;
use rctl::plan::settling::{Intent, Settlement, settle};
use rctl::render::console::Console;
use rctl::supervise::journal::Journal;

const PATIENCE: Duration = Duration::from_secs(20);
const WAITS: Patience = Patience {
    handover: Duration::from_secs(8),
    level: Duration::from_secs(2),
    following: Duration::from_secs(15),
};

struct Node {
    child: Child,
    port: u16,
    dir: tempfile::TempDir,
}

impl Node {
    /// Sends one inline command and returns the first line of its reply.
    fn ask(&self, line: &str) -> String {
        ask(self.port, line).unwrap()
    }

    fn info(&self, field: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(b"INFO\r\nQUIT\r\n").unwrap();
        let prefix = format!("{field}:");
        let lines = BufReader::new(stream).lines().map_while(std::result::Result::ok);
        lines
            .filter_map(|line| line.strip_prefix(&prefix).map(|v| v.trim().to_owned()))
            .next()
            .unwrap_or_default()
    }

    fn config_file(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("redis.conf")).unwrap()
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ask(port: u16, line: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{line}\r\n").as_bytes())?;
    let mut reply = String::new();
    BufReader::new(stream).read_line(&mut reply)?;
    Ok(reply.trim_end().to_owned())
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::yield_now();
    }
}

/// What runs the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Redis,
    Builtin,
}

/// Starts one server per entry; the entry is the index of its upstream. Waits until every link is up.
fn set(engine: Engine, upstreams: &[Option<usize>]) -> Option<Vec<Node>> {
    if engine == Engine::Redis
        && Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_err()
    {
        assert!(std::env::var_os("RCTL_REQUIRE_REDIS").is_none(), "redis-server is not installed");
        return None;
    }
    let listeners: Vec<TcpListener> =
        upstreams.iter().map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let ports: Vec<u16> = listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
    drop(listeners);
    let mut nodes = Vec::new();
    for (index, upstream) in upstreams.iter().enumerate() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = format!(
            "port {}\ndir {}\nsave \"\"\nrepl-diskless-sync-delay 0\n",
            ports[index],
            dir.path().display()
        );
        if let Some(upstream) = upstream {
            config.push_str(&format!("replicaof 127.0.0.1 {}\n", ports[*upstream]));
        }
        let path = dir.path().join("redis.conf");
        std::fs::write(&path, config).unwrap();
        let mut command = match engine {
            Engine::Redis => Command::new("redis-server"),
            Engine::Builtin => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_rctl"));
                command.arg("server");
                command
            }
        };
        let child = command.arg(&path).stdout(Stdio::null()).spawn().unwrap();
        let node = Node { child, port: ports[index], dir };
        until("a server listens", || TcpStream::connect(("127.0.0.1", node.port)).is_ok());
        nodes.push(node);
    }
    for (node, upstream) in nodes.iter().zip(upstreams) {
        if let Some(upstream) = upstream {
            until("a link is up", || node.info("master_link_status") == "up");
            let listed = format!("port={},state=online", node.port);
            until("a replica is listed online", || {
                (0..3).any(|n| nodes[*upstream].info(&format!("slave{n}")).contains(&listed))
            });
        }
    }
    Some(nodes)
}

struct NoRoles(Vec<u16>);

impl Roles for NoRoles {
    async fn set_role(&mut self, port: u16, _: &(String, u16)) -> Result<()> {
        self.0.push(port);
        Ok(())
    }
}

/// Everything a promotion needs, over a set of real nodes.
struct Bench {
    console: Console,
    known: Vec<Known>,
    dir: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Bench {
    fn new(nodes: &[Node]) -> Self {
        let known = nodes.iter().map(|node| Known {
            port: node.port,
            host: "127.0.0.1".into(),
            last: Last::default(),
            attached: false,
            frozen: false,
        });
        Self {
            console: Console::new(Box::new(std::io::sink()), Box::new(std::io::sink()), false),
            known: known.collect(),
            dir: tempfile::tempdir().unwrap(),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
        }
    }

    fn fleet(&self) -> Fleet<'_> {
        let place = |known: &Known| (known.port, Place { host: known.host.clone(), auth: None });
        let places: BTreeMap<u16, Place> = self.known.iter().map(place).collect();
        Fleet::new(places, &self.console, true)
    }

    fn members(&self) -> Members {
        self.runtime.block_on(look(&mut self.fleet(), &self.known))
    }

    fn carry_out(&self, promotion: &Promotion) -> Result<Outcome> {
        let intent = Intent {
            what: format!("promote {}", promotion.target),
            target: Some(promotion.target),
            old: promotion.old,
            steps: promotion.steps.clone(),
            begun: 0,
        };
        let journal = Journal::open(self.dir.path()).unwrap();
        self.runtime.block_on(carry_out(&mut self.fleet(), &journal, intent, WAITS, &mut NoRoles(Vec::new())))
    }

    fn decide(&self, target: u16, allow_data_loss: bool, failover: bool) -> Result<Promotion> {
        let mut members = self.members();
        for member in &mut members.0 {
            member.has_failover &= failover;
        }
        match decide(&members, target, Terms { allow_data_loss, pause_ms: 5000 })? {
            Decision::Promote(promotion) => Ok(*promotion),
            Decision::Nothing => panic!("nothing to do"),
        }
    }
}

/// Writes numbers to whichever node takes them until told to stop; how many were acknowledged.
fn writer(ports: Vec<u16>, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<u64> {
    std::thread::spawn(move || {
        let (mut acknowledged, mut at) = (0u64, 0);
        while !stop.load(Ordering::Relaxed) {
            // The number that is written next is the one after the last acknowledged: INCR would hide a loss.
            let line = format!("SET n:{} {}", acknowledged + 1, acknowledged + 1);
            match ask(ports[at], &line) {
                Ok(reply) if reply == "+OK" => acknowledged += 1,
                _ => at = (at + 1) % ports.len(),
            }
        }
        acknowledged
    })
}

fn keys(node: &Node) -> u64 {
    node.ask("DBSIZE").trim_start_matches(':').parse().unwrap_or(0)
}

fn hand_over_under_load(engine: Engine, failover: bool, upstreams: &[Option<usize>], target: usize) {
    let Some(nodes) = set(engine, upstreams) else { return };
    let bench = Bench::new(&nodes);
    let stop = Arc::new(AtomicBool::new(false));
    let load = writer(nodes.iter().map(|node| node.port).collect(), Arc::clone(&stop));
    until("some writes are acknowledged", || keys(&nodes[0]) > 100);
    let promotion = bench.decide(nodes[target].port, false, failover).unwrap();
    assert_eq!(promotion.means == Means::Failover, failover);
    let outcome = bench.carry_out(&promotion).unwrap();
    assert_eq!(outcome, Outcome::default());
    let new = &nodes[target];
    let before = keys(new);
    until("the new master takes writes", || keys(new) > before);
    stop.store(true, Ordering::Relaxed);
    let acknowledged = load.join().unwrap();
    assert!(acknowledged > 100);
    for n in 1..=acknowledged {
        assert_eq!(new.ask(&format!("EXISTS n:{n}")), ":1", "write {n} of {acknowledged} was lost");
    }
    assert_eq!(new.info("role"), "master");
    for moved in &promotion.moves {
        let node = nodes.iter().find(|node| node.port == moved.node).unwrap();
        assert_eq!(node.info("master_port"), new.port.to_string());
        assert!(
            node.config_file().contains(&format!("replicaof 127.0.0.1 {}", new.port)),
            "the role is not on disk"
        );
        assert!(matches!(moved.forecast, Forecast::Partial { .. }), "{moved}");
    }
    assert_eq!(new.info("sync_full"), "0", "the forecast was partial");
    assert!(!new.config_file().contains("\nreplicaof"));
    assert_eq!(Journal::open(bench.dir.path()).unwrap().interrupted().unwrap(), None);
}

#[test]
fn failover_hands_over_under_load_without_losing_a_write() {
    for engine in [Engine::Redis, Engine::Builtin] {
        hand_over_under_load(engine, true, &[None, Some(0), Some(0)], 2);
    }
}

#[test]
fn a_pause_of_writes_hands_over_under_load_without_losing_a_write() {
    for engine in [Engine::Redis, Engine::Builtin] {
        hand_over_under_load(engine, false, &[None, Some(0), Some(0)], 1);
    }
}

#[test]
fn the_end_of_a_chain_can_take_over() {
    for engine in [Engine::Redis, Engine::Builtin] {
        hand_over_under_load(engine, false, &[None, Some(0), Some(1)], 2);
    }
}

#[test]
fn after_the_masters_death_the_laggard_is_refused_and_the_other_takes_over() {
    let Some(mut nodes) = set(Engine::Redis, &[None, Some(0), Some(0)]) else { return };
    let [master, ahead, behind] = &mut nodes[..] else { panic!() };
    // The laggard is kept out by a password that the other replica knows.
    assert_eq!(ahead.ask("CONFIG SET masterauth secret"), "+OK");
    assert_eq!(master.ask("CONFIG SET requirepass secret"), "+OK");
    let mut admin = TcpStream::connect(("127.0.0.1", master.port)).unwrap();
    admin.write_all(b"AUTH secret\r\nCLIENT KILL TYPE replica\r\n").unwrap();
    until("the laggard is out", || behind.info("master_link_status") == "down");
    until("the other is back", || ahead.info("master_link_status") == "up");
    admin.write_all(b"SET only-ahead 1\r\n").unwrap();
    until("the write arrived", || ahead.ask("EXISTS only-ahead") == ":1");
    let gap: u64 = ahead.info("slave_repl_offset").parse::<u64>().unwrap()
        - behind.info("slave_repl_offset").parse::<u64>().unwrap();
    master.kill();
    let (ahead, behind) = (nodes[1].port, nodes[2].port);
    until("the link is seen down", || nodes[1].info("master_link_status") == "down");
    let bench = Bench::new(&nodes);
    let refused = bench.decide(behind, false, true).unwrap_err();
    assert_eq!(refused.exit, Exit::Refused);
    assert_eq!(
        refused.what,
        format!("promoting {behind} would lose {gap} B of acknowledged data that {ahead} has")
    );
    assert_eq!(refused.hints, [format!("rctl promote {ahead}")]);
    let promotion = bench.decide(ahead, false, true).unwrap();
    assert_eq!(promotion.moves.len(), 1);
    assert_eq!(promotion.moves[0].forecast, Forecast::Partial { bytes: gap });
    assert_eq!(bench.carry_out(&promotion).unwrap(), Outcome::default());
    assert_eq!(nodes[2].ask("EXISTS only-ahead"), ":1");
    assert_eq!(nodes[1].info("sync_partial_ok"), "1");
}

fn signal(node: &Node, signal: nix::sys::signal::Signal) {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(node.child.id()).unwrap());
    nix::sys::signal::kill(pid, signal).unwrap();
}

/// A write that gets no answer within a moment: they are paused.
fn writes_pause(port: u16) -> bool {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    stream.write_all(b"SET probe 1\r\n").unwrap();
    stream.read(&mut [0; 16]).is_err()
}

#[test]
fn a_target_that_lags_far_behind_takes_over_only_when_it_has_everything() {
    let Some(nodes) = set(Engine::Redis, &[None, Some(0)]) else { return };
    let bench = Bench::new(&nodes);
    let promotion = bench.decide(nodes[1].port, false, false).unwrap();
    // More than the sockets between the two hold, so that part of it is still at the master when the target wakes.
    signal(&nodes[1], nix::sys::signal::Signal::SIGSTOP);
    let value = "x".repeat(32 << 20);
    let request = format!("*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n${}\r\n{value}", value.len());
    assert_eq!(nodes[0].ask(&request), "+OK");
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| {
            until("writes are paused", || writes_pause(nodes[0].port));
            signal(&nodes[1], nix::sys::signal::Signal::SIGCONT);
        });
        bench.carry_out(&promotion)
    });
    assert_eq!(outcome.unwrap(), Outcome::default());
    assert_eq!(nodes[1].ask("STRLEN big"), format!(":{}", 32 << 20));
    assert_eq!(nodes[1].info("role"), "master");
}

#[test]
fn a_target_that_cannot_catch_up_leaves_the_old_master_writable() {
    let Some(nodes) = set(Engine::Redis, &[None, Some(0)]) else { return };
    let bench = Bench::new(&nodes);
    let promotion = bench.decide(nodes[1].port, false, false).unwrap();
    // Frozen between the decision and the deed.
    signal(&nodes[1], nix::sys::signal::Signal::SIGSTOP);
    assert_eq!(nodes[0].ask("SET a 1"), "+OK");
    let error = bench.carry_out(&promotion).unwrap_err();
    signal(&nodes[1], nix::sys::signal::Signal::SIGCONT);
    assert_eq!(error.exit, Exit::TimedOut, "{error}");
    assert!(error.what.contains("was undone"), "{error}");
    assert_eq!(nodes[0].info("role"), "master");
    assert_eq!(nodes[0].ask("SET b 1"), "+OK", "writes are still paused");
    assert_eq!(nodes[1].info("role"), "slave");
}

#[test]
fn a_change_that_was_cut_off_is_taken_back_before_the_promotion_and_finished_after_it() {
    let Some(nodes) = set(Engine::Redis, &[None, Some(0), Some(0)]) else { return };
    let bench = Bench::new(&nodes);
    let promotion = bench.decide(nodes[1].port, false, false).unwrap();
    let mut intent = Intent {
        what: "promote".into(),
        target: Some(promotion.target),
        old: promotion.old,
        steps: promotion.steps.clone(),
        begun: 0,
    };
    // Killed after the pause.
    assert_eq!(nodes[0].ask("CLIENT PAUSE 600000 WRITE"), "+OK");
    let Settlement::Undo(commands) = settle(&intent, &bench.members()) else { panic!("not undone") };
    assert!(bench.runtime.block_on(send_all(&mut bench.fleet(), &commands)).is_empty());
    assert_eq!(nodes[0].ask("SET a 1"), "+OK");
    // Killed after the new master was promoted and before anybody followed it.
    until("both are level", || nodes[0].info("master_repl_offset") == nodes[1].info("slave_repl_offset"));
    assert_eq!(nodes[1].ask("REPLICAOF NO ONE"), "+OK");
    intent.begun = 2;
    let Settlement::Finish(steps) = settle(&intent, &bench.members()) else { panic!("not finished") };
    let rest = Promotion { steps, ..promotion };
    assert_eq!(bench.carry_out(&rest).unwrap(), Outcome::default());
    for follower in [&nodes[0], &nodes[2]] {
        assert_eq!(follower.info("master_port"), nodes[1].port.to_string());
        assert_eq!(follower.info("master_link_status"), "up");
    }
}
