//! Status screens: what nodes and their supervisor say in, the screen out. Each `tests/status/*.txt` holds cases:
//!
//! ```text
//! === the law the case defends
//! width=80                                  also: ascii, wide, colour, json
//! 6379 id=d8154a0a offset=1050 lists=6380:online:0
//! 6380 wants=6379 follows=6379 id=d8154a0a offset=1050
//! ----
//! the screen
//! ```
//!
//! A line is a node: its port, then what is known of it (see `look` in `rig/round.rs`). The moment is always 12:09:02, a million
//! seconds into the epoch. `UPDATE=1 cargo test --test status` writes the screens anew.

#![expect(clippy::disallowed_methods, reason = "a test of real processes has a deadline")]
#![expect(clippy::disallowed_types, reason = "a test of real servers speaks to them itself")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rctl::render::Painter;
use rctl::render::status::{Columns, next, status};
use rctl::status::{Round, StatusReport, judge};
use rctl::topology::{NodeSpec, Topology};

#[path = "rig/round.rs"]
mod round;

use round::{NOW_MS, look, spec};

#[test]
fn sets_are_shown_as_the_transcripts_say() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut cases = 0;
    let mut paths: Vec<_> =
        std::fs::read_dir("tests/status").unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut out = String::new();
        for case in text.strip_prefix("=== ").unwrap().split("\n=== ") {
            let (law, body) = case.split_once('\n').unwrap();
            let (given, _) = body.split_once("----\n").unwrap_or_else(|| panic!("{law}: no ---- line"));
            cases += 1;
            let _ = write!(out, "=== {law}\n{given}----\n{}\n", screen(given));
        }
        if update {
            std::fs::write(&path, out).unwrap();
        } else {
            assert!(out == text, "{} differs; now:\n{out}", path.display());
        }
    }
    assert!(cases >= 12, "only {cases} cases were found");
}

/// No width wraps, panics or hides the state of a node.
#[test]
fn every_width_shows_every_node_and_its_state() {
    let text = std::fs::read_to_string("tests/status/screens.txt").unwrap();
    let case = text.split("=== ").find(|case| case.starts_with("everything broken")).unwrap();
    let given = case.split_once('\n').unwrap().1.split_once("----").unwrap().0;
    for width in [1, 20, 30, 40, 59, 60, 79, 80, 119, 120, 200] {
        let out = screen(&given.replace("width=80", &format!("width={width}")));
        let table: Vec<&str> = out.split("\n\n").nth(1).unwrap().lines().collect();
        assert_eq!(table.len(), 1 + 8, "width {width}");
        assert!(table.iter().all(|line| line.chars().count() <= width), "width {width}:\n{out}");
        if width >= 40 {
            for word in ["writable", "sync 42%", "cut", "stale", "paused", "crashed", "diverged"] {
                assert!(table.iter().any(|line| line.contains(word)), "{word} at width {width}:\n{out}");
            }
        }
    }
}

/// Three real servers, nobody supervising: what they say is what is shown, and a dead master is seen from its chain.
#[tokio::test]
async fn real_servers_are_judged_by_what_they_say() {
    if Command::new("redis-server").arg("--version").output().is_err() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let ports: Vec<u16> = free_ports::<3>().to_vec();
    let node = |index: usize, upstream: Option<usize>| {
        let wants = upstream.map(|upstream| ports[upstream].to_string());
        spec(ports[index], &wants.iter().map(|port| ("wants", port.as_str())).collect())
    };
    let nodes = vec![node(0, None), node(1, Some(0)), node(2, Some(1))];
    let mut servers: Vec<Server> = nodes.iter().map(|node| Server::start(node, home.path())).collect();
    let topology = Topology { name: "lab".into(), nodes, ..Topology::default() };
    let up = until(&topology, |report| report.ok).await;
    let words: Vec<&str> = up.nodes.iter().map(|node| node.state.word()).collect();
    assert_eq!(words, ["writable", "in-sync", "in-sync"]);
    assert!(up.nodes.iter().all(|node| node.replid == up.nodes[0].replid && node.keys == Some(0)));
    assert_eq!(up.nodes[2].upstream, Some(ports[1]));
    servers.remove(0);
    let down = until(&topology, |report| report.nodes[1].state.word() == "link-down").await;
    let words: Vec<&str> = down.nodes.iter().map(|node| node.state.word()).collect();
    assert_eq!(words, ["stopped", "link-down", "stale"]);
    let fixes: Vec<&str> = down.problems.iter().map(|problem| problem.fix.as_str()).collect();
    assert_eq!(fixes, vec![format!("rctl start {}", ports[0]); 3]);
}

/// Looks again and again until the report is as wanted.
async fn until(topology: &Topology, wanted: impl Fn(&StatusReport) -> bool) -> StatusReport {
    let began = Instant::now();
    loop {
        let report = rctl::commands::look::report(topology, None).await;
        if wanted(&report) {
            return report;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{report:#?}");
        tokio::task::yield_now().await;
    }
}

/// A redis-server that ends with the test.
struct Server(Child);

impl Server {
    fn start(node: &NodeSpec, home: &Path) -> Self {
        let mut command = Command::new("redis-server");
        command.args(["--save", "", "--repl-diskless-sync-delay", "0", "--port", &node.port.to_string()]);
        command.args(["--dbfilename", &format!("{}.rdb", node.port)]).arg("--dir").arg(home);
        if let Some(upstream) = node.replica_of {
            command.args(["--replicaof", "127.0.0.1", &upstream.to_string()]);
        }
        Self(command.stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_ports<const N: usize>() -> [u16; N] {
    let held: [std::net::TcpListener; N] =
        std::array::from_fn(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}

fn screen(given: &str) -> String {
    let mut painter = Painter::plain();
    let mut columns = Columns::Fitting;
    let mut json = false;
    let mut topology = Topology { name: "lab".into(), ..Topology::default() };
    let mut looks = Vec::new();
    for line in given.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let Some(port) = words.first().and_then(|word| word.parse::<u16>().ok()) {
            let known: BTreeMap<&str, &str> =
                words.iter().skip(1).map(|word| word.split_once('=').unwrap_or((word, ""))).collect();
            topology.nodes.push(spec(port, &known));
            looks.push(look(port, &known));
            continue;
        }
        for word in words {
            match word.split_once('=').unwrap_or((word, "")) {
                ("width", width) => painter.width = width.parse().unwrap(),
                ("ascii", _) => painter.ascii = true,
                ("colour", _) => painter.colour = true,
                ("wide", _) => columns = Columns::All,
                ("json", _) => json = true,
                other => panic!("{other:?}"),
            }
        }
    }
    let report = judge(&Round { topology: &topology, now_ms: NOW_MS, looks, own_ops_per_s: 0 });
    assert_eq!(report.ok, report.problems.is_empty() && report.nodes.iter().all(|node| node.state.is_well()));
    if json {
        let mut value = serde_json::to_value(&report).unwrap();
        for node in value["nodes"].as_array_mut().unwrap() {
            node["info"] = serde_json::json!({});
        }
        return serde_json::to_string_pretty(&value).unwrap() + "\n";
    }
    let mut out = status(&report, "12:09:02", columns, &painter);
    if let Some(next) = next(&report, &painter) {
        let _ = writeln!(out, "{next}");
    }
    out.replace('\u{1b}', "<ESC>")
}
