//! `rctl promote` and `rctl replicaof` as a person types them, on sets that `rctl up` started: of the built-in server,
//! and of real redis-servers.
//!
//! Without `redis-server` on the PATH only the built-in one is tried, unless `RCTL_REQUIRE_REDIS` is set.

#![expect(clippy::disallowed_methods, reason = "a test of real processes has a deadline")]
#![expect(clippy::disallowed_types, reason = "a test of real servers speaks to them itself")]
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

/// A master and its replicas, in a state directory of their own; gone with the test.
struct Lab {
    dir: tempfile::TempDir,
    ports: Vec<u16>,
}

/// What a run of rctl gave.
struct Ran {
    out: String,
    err: String,
    code: Option<i32>,
}

impl Lab {
    /// Starts a set; each entry is the index of the node's upstream.
    fn up(engine: &str, upstreams: &[Option<usize>]) -> Self {
        let held: Vec<TcpListener> =
            upstreams.iter().map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports: Vec<u16> = held.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        drop(held);
        let mut file = format!("name = \"lab\"\n[defaults]\nengine = \"{engine}\"\n");
        for (port, upstream) in ports.iter().zip(upstreams) {
            file.push_str(&format!("[[node]]\nport = {port}\n"));
            if let Some(upstream) = upstream {
                file.push_str(&format!("replica-of = {}\n", ports[*upstream]));
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lab.toml");
        std::fs::write(&path, file).unwrap();
        let lab = Self { dir, ports };
        let up = lab.rctl(&["up", path.to_str().unwrap()]);
        assert_eq!(up.code, Some(0), "{}", up.err);
        lab
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rctl"));
        command.args(args).env("RCTL_STATE_DIR", self.dir.path().join("state")).env_remove("RCTL_TOPOLOGY");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs rctl; `%N` in an argument is the port of node N.
    fn rctl(&self, args: &[&str]) -> Ran {
        let args: Vec<String> = args.iter().map(|arg| self.with_ports(arg)).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let output = self.command(&args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { out: text(output.stdout), err: text(output.stderr), code: output.status.code() }
    }

    fn with_ports(&self, text: &str) -> String {
        let replace =
            |text: String, (n, port): (usize, &u16)| text.replace(&format!("%{n}"), &port.to_string());
        self.ports.iter().enumerate().fold(text.to_owned(), replace)
    }

    fn ask(&self, node: usize, line: &str) -> String {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.ports[node])) else {
            return String::new();
        };
        stream.write_all(format!("{line}\r\n").as_bytes()).unwrap();
        let mut reply = String::new();
        BufReader::new(stream).read_line(&mut reply).unwrap();
        reply.trim_end().to_owned()
    }

    fn info(&self, node: usize, field: &str) -> String {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.ports[node])) else {
            return String::new();
        };
        stream.write_all(b"INFO\r\nQUIT\r\n").unwrap();
        let prefix = format!("{field}:");
        let lines = BufReader::new(stream).lines().map_while(Result::ok);
        let found =
            lines.filter_map(|line| line.strip_prefix(&prefix).map(|value| value.trim().to_owned())).next();
        found.unwrap_or_default()
    }

    /// Whom a node follows, and is its link up.
    fn follows(&self, node: usize, upstream: usize) -> bool {
        self.info(node, "master_port") == self.ports[upstream].to_string()
            && self.info(node, "master_link_status") == "up"
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.command(&["down", "--purge"]).output();
    }
}

fn engines() -> Vec<&'static str> {
    let installed = Command::new("redis-server")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|s| s.success());
    assert!(installed || std::env::var_os("RCTL_REQUIRE_REDIS").is_none(), "redis-server is not installed");
    if installed { vec!["builtin", "redis"] } else { vec!["builtin"] }
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_promotion_moves_everybody_and_a_restart_keeps_the_roles() {
    for engine in engines() {
        let lab = Lab::up(engine, &[None, Some(0), Some(0)]);
        assert_eq!(lab.ask(0, "SET name leon"), "+OK");
        let dry = lab.rctl(&["promote", "%2", "-n"]);
        assert_eq!(dry.code, Some(0), "{}", dry.err);
        let want = "%0> FAILOVER TO 127.0.0.1 %2 TIMEOUT 5000\n# wait until %0 has handed over\n\
                %1> REPLICAOF 127.0.0.1 %2\n%2> CONFIG REWRITE\n%0> CONFIG REWRITE\n%1> CONFIG REWRITE\n\
                # wait until %0 follows %2\n# wait until %1 follows %2\n";
        assert_eq!(dry.out, lab.with_ports(want));
        assert_eq!(lab.info(0, "role"), "master", "a dry run sends nothing");

        let shown = lab.rctl(&["promote", "%2", "--show-commands"]);
        assert_eq!(shown.code, Some(0), "{}", shown.err);
        assert!(shown.err.contains(&lab.with_ports("%1> REPLICAOF 127.0.0.1 %2\nOK\n")), "{}", shown.err);
        assert!(lab.follows(0, 2) && lab.follows(1, 2));
        assert_eq!(lab.info(2, "role"), "master");
        assert_eq!(lab.ask(2, "GET name"), "$4");
        assert!(shown.out.contains("in sync"), "{}", shown.out);

        let again = lab.rctl(&["promote", "%2"]);
        assert_eq!(again.code, Some(0));
        assert!(again.err.contains("is the master already"), "{}", again.err);

        assert_eq!(lab.rctl(&["restart", "%0"]).code, Some(0));
        until("the old master follows again", || lab.follows(0, 2));
    }
}

#[test]
fn a_dead_master_comes_back_as_a_replica_of_its_successor() {
    for engine in engines() {
        let lab = Lab::up(engine, &[None, Some(0), Some(0)]);
        assert_eq!(lab.ask(0, "SET name leon"), "+OK");
        until("both have the write", || {
            lab.ask(1, "EXISTS name") == ":1" && lab.ask(2, "EXISTS name") == ":1"
        });
        assert_eq!(lab.rctl(&["kill", "%0"]).code, Some(0));
        let promoted = lab.rctl(&["promote", "%1"]);
        assert_eq!(promoted.code, Some(0), "{}", promoted.err);
        assert!(lab.follows(2, 1));
        assert_eq!(lab.rctl(&["start", "%0"]).code, Some(0));
        until("the old master follows its successor", || lab.follows(0, 1));
        assert_eq!(lab.ask(0, "EXISTS name"), ":1");
    }
}

#[test]
fn a_node_that_does_not_follow_makes_the_promotion_incomplete() {
    for engine in engines() {
        let lab = Lab::up(engine, &[None, Some(0), Some(0)]);
        // A password that the new master does not have keeps this one out.
        assert_eq!(lab.ask(1, "CONFIG SET masterauth wrong"), "+OK");
        let ran = lab.rctl(&["promote", "%2", "--timeout", "1s"]);
        assert_eq!(ran.code, Some(8), "{}", ran.err);
        assert!(
            ran.err.contains(&lab.with_ports("promote %2 is incomplete\n  %1 does not follow %2 yet")),
            "{}",
            ran.err
        );
        assert_eq!(lab.info(2, "role"), "master");
        assert!(lab.follows(0, 2));
    }
}

#[test]
fn c40_an_rctl_that_is_killed_in_the_middle_is_finished_by_the_next() {
    for engine in engines() {
        let lab = Lab::up(engine, &[None, Some(0), Some(0)]);
        assert_eq!(lab.ask(1, "CONFIG SET masterauth wrong"), "+OK");
        let target = lab.ports[2].to_string();
        let mut child = lab.command(&["promote", &target]).spawn().unwrap();
        until("the new master is there", || lab.info(2, "role") == "master");
        let busy = lab.rctl(&["promote", "%0"]);
        assert_eq!(busy.code, Some(5), "{}", busy.err);
        assert!(busy.err.contains("another rctl is changing this set"), "{}", busy.err);
        child.kill().unwrap();
        child.wait().unwrap();
        // What kept it waiting is gone.
        assert_eq!(lab.ask(1, "CONFIG SET masterauth \"\""), "+OK");
        let status = lab.rctl(&["status"]);
        assert!(
            status.err.contains(&format!("cut off in the middle of promote {target}: finishing it")),
            "{}",
            status.err
        );
        assert!(lab.follows(0, 2) && lab.follows(1, 2));
        assert!(!lab.rctl(&["status"]).err.contains("cut off"), "it is settled once");
    }
}

#[test]
fn replicaof_moves_one_node_and_protects_the_only_copy() {
    for engine in engines() {
        let lab = Lab::up(engine, &[None, Some(0), Some(0)]);
        let chained = lab.rctl(&["replicaof", "%2", "%1"]);
        assert_eq!(chained.code, Some(0), "{}", chained.err);
        assert!(chained.err.contains("partial resync of 0 B"), "{}", chained.err);
        assert!(lab.follows(2, 1) && lab.follows(1, 0));
        assert_eq!(lab.info(0, "sync_full"), "2", "the forecast was partial");

        let circle = lab.rctl(&["replicaof", "%0", "%2"]);
        assert_eq!(circle.code, Some(7));
        assert!(circle.err.contains(&lab.with_ports("in a circle: %0 → %2 → %1 → %0")), "{}", circle.err);

        assert_eq!(lab.rctl(&["replicaof", "%2", "no", "one"]).code, Some(0));
        assert_eq!(lab.info(2, "role"), "master");
        assert_eq!(lab.ask(2, "SET alone 1"), "+OK");
        let refused = lab.rctl(&["replicaof", "%2", "%0"]);
        assert_eq!(refused.code, Some(7), "{}", refused.err);
        assert!(refused.err.contains("and no other node has them"), "{}", refused.err);
        assert_eq!(lab.ask(2, "EXISTS alone"), ":1");
        assert_eq!(lab.rctl(&["replicaof", "%2", "localhost", "%0", "--allow-data-loss"]).code, Some(0));
        assert!(lab.follows(2, 0));
        assert_eq!(lab.ask(2, "EXISTS alone"), ":0");
    }
}

#[test]
fn the_prompt_finds_nodes_by_role() {
    for engine in engines() {
        let lab = Lab::up(engine, &[None, Some(0)]);
        let ran = lab.rctl(&["cli", "master", "set", "name", "leon"]);
        assert_eq!((ran.out.as_str(), ran.code), ("OK\n", Some(0)), "{}", ran.err);
        let ran = lab.rctl(&["cli", "nobody", "ping"]);
        assert_eq!(ran.code, Some(2));
        assert!(ran.err.contains("has no node \"nobody\""), "{}", ran.err);
    }
}
