//! The lesson, taught from its first step to its last: two masters, one becomes the replica of the other, data appears on
//! both, a replica refuses a write, a third server joins and leaves.
//!
//! It is taught on sets that `rctl up` starts and on servers started by hand in one directory, by the real `redis-cli`
//! and by `rctl cli`: every time the pupil reads the same words. Ports are shown as 6379, 6380 and 6381, ids and
//! offsets by what they have in common: what a pupil compares is whether two ids are one.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

#[expect(dead_code, reason = "shared with other tests")]
mod rig;

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rig::{World, wait_until};

/// What the pupil reads. `6380> words` is what was typed, at which prompt.
const LESSON: &str = r#"
6379> INFO
role:master
connected_slaves:0
master_failover_state:no-failover
master_replid:A
6380> INFO
role:master
connected_slaves:0
master_failover_state:no-failover
master_replid:B
6380> replicaof localhost 6379
OK
6380> INFO
role:slave
master_host:localhost
master_port:6379
master_link_status:up
connected_slaves:0
master_failover_state:no-failover
master_replid:C
6379> INFO
role:master
connected_slaves:1
slave0:port=6380,state=online
master_failover_state:no-failover
master_replid:C
6379> set name leon
OK
6380> keys *
1) "name"
6380> get name
"leon"
6380> set name Darrel
(error) READONLY You can't write against a read only replica.
6381> replicaof localhost 6379
OK
6381> INFO
role:slave
master_host:localhost
master_port:6379
master_link_status:up
connected_slaves:0
master_failover_state:no-failover
master_replid:C
6379> INFO
role:master
connected_slaves:2
slave0:port=6380,state=online
slave1:port=6381,state=online
master_failover_state:no-failover
master_replid:C
6381> get name
"leon"
6381> replicaof no one
OK
6381> INFO
role:master
connected_slaves:0
master_failover_state:no-failover
master_replid:D
6379> INFO
role:master
connected_slaves:1
slave0:port=6380,state=online
master_failover_state:no-failover
master_replid:C
6381> set name Darrel
OK
6379> get name
"leon"
"#;

/// The lines of INFO that the lesson looks at.
const SHOWN: [&str; 8] = [
    "role",
    "master_host",
    "master_port",
    "master_link_status",
    "connected_slaves",
    "slave",
    "master_failover_state",
    "master_replid",
];

/// With what the pupil types.
#[derive(Clone, Copy, PartialEq)]
enum Client {
    RedisCli,
    RctlCli,
}

/// The lesson as it is being taught: servers on ports from `base`, and what was read so far.
struct Classroom<'a> {
    world: &'a World,
    base: u16,
    client: Client,
    ids: Vec<String>,
    read: String,
}

impl Classroom<'_> {
    fn port(&self, shown: u16) -> u16 {
        self.base + (shown - 6379)
    }

    /// What the client prints for `words`, as a terminal would show it.
    fn ask(&self, node: u16, words: &str) -> String {
        let port = self.port(node).to_string();
        let mut command = match self.client {
            Client::RedisCli => {
                let mut command = Command::new("redis-cli");
                command.args(["-p", &port]);
                command
            }
            Client::RctlCli => self.world.command(&["cli", &port]),
        };
        let words = words.split(' ').map(|word| match word {
            "6379" => self.port(6379).to_string(),
            word => word.to_owned(),
        });
        let output = command.arg("--no-raw").args(words).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// One step: typed, read, written down.
    fn step(&mut self, node: u16, words: &str) {
        let reply = self.ask(node, words);
        let shown = if words == "INFO" { self.lines(&reply) } else { reply };
        self.read.push_str(&format!("{node}> {words}\n{}\n", shown.trim_end()));
    }

    fn lines(&mut self, info: &str) -> String {
        let mut lines = Vec::new();
        let section = info.lines().map(str::trim_end).skip_while(|line| *line != "# Replication");
        for line in section.skip(1).take_while(|line| !line.is_empty()) {
            let Some((name, value)) = line.split_once(':') else { continue };
            if !SHOWN.contains(&name.trim_end_matches(|c: char| c.is_ascii_digit()))
                || name.ends_with("replid2")
            {
                continue;
            }
            let value = match name {
                "master_replid" => self.letter(value),
                "master_port" => self.shown(value),
                name if name.starts_with("slave") => {
                    let part =
                        |name: &str| value.split(',').find_map(|part| part.strip_prefix(name)).unwrap();
                    format!("port={},state={}", self.shown(part("port=")), part("state="))
                }
                _ => value.to_owned(),
            };
            lines.push(format!("{name}:{value}"));
        }
        lines.join("\n")
    }

    /// A letter for each id, in the order of their first appearance.
    fn letter(&mut self, id: &str) -> String {
        assert_eq!(id.len(), 40, "{id} is no replication id");
        let index = self.ids.iter().position(|known| known == id).unwrap_or_else(|| {
            self.ids.push(id.to_owned());
            self.ids.len() - 1
        });
        ["A", "B", "C", "D", "E"][index].to_owned()
    }

    fn shown(&self, port: &str) -> String {
        (port.parse::<u16>().unwrap() - self.base + 6379).to_string()
    }

    fn wait_for(&self, node: u16, words: &str, part: &str) {
        wait_until(&format!("{node} says {part}"), || self.ask(node, words).contains(part));
    }

    fn until_attached(&self, replicas: &[u16]) {
        for replica in replicas {
            self.wait_for(*replica, "INFO replication", "master_link_status:up");
            let port = self.port(*replica);
            wait_until(&format!("{replica} is online"), || {
                let info = self.ask(6379, "INFO replication");
                info.lines().any(|line| line.contains(&format!("port={port},state=online")))
            });
        }
    }

    /// The lesson up to where the third server is wanted, and from there on.
    fn teach(&mut self, add_third: impl FnOnce()) {
        self.step(6379, "INFO");
        self.step(6380, "INFO");
        self.step(6380, "replicaof localhost 6379");
        self.until_attached(&[6380]);
        self.step(6380, "INFO");
        self.step(6379, "INFO");
        self.step(6379, "set name leon");
        self.wait_for(6380, "dbsize", "(integer) 1");
        self.step(6380, "keys *");
        self.step(6380, "get name");
        self.step(6380, "set name Darrel");
        add_third();
        self.step(6381, "replicaof localhost 6379");
        self.until_attached(&[6380, 6381]);
        self.step(6381, "INFO");
        self.step(6379, "INFO");
        self.step(6381, "get name");
        self.step(6381, "replicaof no one");
        self.wait_for(6379, "INFO replication", "connected_slaves:1");
        self.step(6381, "INFO");
        self.step(6379, "INFO");
        self.step(6381, "set name Darrel");
        self.step(6379, "get name");
    }
}

fn read_by(world: &World, client: Client, base: u16, add_third: impl FnOnce()) -> String {
    let mut classroom = Classroom { world, base, client, ids: Vec::new(), read: String::new() };
    classroom.teach(add_third);
    classroom.read
}

/// Whether the pupil has this client. Where the real one is missing, that is said, and refused under `RCTL_REQUIRE_REDIS`.
fn at_hand(client: Client) -> bool {
    let there = client == Client::RctlCli
        || Command::new("redis-cli").arg("--version").stdout(Stdio::null()).status().is_ok();
    assert!(there || std::env::var_os("RCTL_REQUIRE_REDIS").is_none(), "redis-cli is required and missing");
    if !there {
        eprintln!("SKIPPED: the lesson was not taught with redis-cli, which is not on the PATH");
    }
    there
}

/// The lesson on a set: `rctl up topologies/two-masters.toml`, and `rctl add` for the third.
fn on_a_set(client: Client, engine: &str) {
    if !at_hand(client) || (engine == "redis" && !rig::redis_is_there("the lesson")) {
        return;
    }
    let world = World::new();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/topologies/two-masters.toml");
    let (base, third) = (world.base.to_string(), (world.base + 2).to_string());
    world.ok(&["up", file, "--port-base", &base, "--engine", engine]);
    let read = read_by(&world, client, world.base, || {
        world.ok(&["add", &third]);
    });
    assert_eq!(read, LESSON.trim_start());
    world.ok(&["down", "--purge"]);
}

/// `rctl server --port N --dbfilename FILE`, as the lesson starts its servers: all in one directory.
struct ByHand {
    child: Child,
    log: PathBuf,
}

impl ByHand {
    fn start(world: &World, port: u16, dbfilename: &str) -> Self {
        let log = world.dir.path().join(format!("{port}.log"));
        let child = world
            .command(&["server", "--port", &port.to_string(), "--dbfilename", dbfilename])
            .stdout(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let server = Self { child, log };
        wait_until(&format!("{port} is ready"), || server.log().contains("Ready to accept connections"));
        server
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Asks it to end, and says whether it ended well.
    fn end(&mut self) -> bool {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
        self.child.wait().unwrap().success()
    }
}

impl Drop for ByHand {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn by_hand(client: Client) {
    if !at_hand(client) {
        return;
    }
    let world = World::new();
    let base = world.base;
    let mut servers =
        vec![ByHand::start(&world, base, "db1.rdb"), ByHand::start(&world, base + 1, "db2.rdb")];
    let mut third = None;
    let read = read_by(&world, client, base, || third = Some(ByHand::start(&world, base + 2, "db3.rdb")));
    servers.extend(third);
    assert_eq!(read, LESSON.trim_start());

    let log = servers[1].log();
    for line in [
        "Before turning into a replica, using my own master parameters to synthesize a cached master"
            .to_owned(),
        format!("Connecting to MASTER localhost:{base}"),
    ] {
        assert!(log.contains(&line), "the replica's log does not say: {line}\n{log}");
    }
    for (server, file) in servers.iter_mut().zip(["db1.rdb", "db2.rdb", "db3.rdb"]) {
        assert!(server.end(), "a server did not end well:\n{}", server.log());
        let saved = std::fs::read(world.dir.path().join(file)).unwrap();
        assert!(saved.starts_with(b"REDIS"), "{file} is no data file");
    }

    // What was learnt is still there: the first server finds its own file among the three.
    let _first = ByHand::start(&world, base, "db1.rdb");
    let classroom = Classroom { world: &world, base, client, ids: Vec::new(), read: String::new() };
    assert_eq!(classroom.ask(6379, "get name"), "\"leon\"\n");
}

#[test]
fn a_set_teaches_the_lesson_to_redis_cli() {
    on_a_set(Client::RedisCli, "builtin");
}

#[test]
fn a_set_teaches_the_lesson_to_rctl_cli() {
    on_a_set(Client::RctlCli, "builtin");
}

#[test]
fn real_servers_teach_the_same_lesson() {
    on_a_set(Client::RctlCli, "redis");
}

#[test]
fn servers_started_by_hand_teach_the_lesson_to_redis_cli() {
    by_hand(Client::RedisCli);
}

#[test]
fn servers_started_by_hand_teach_the_lesson_to_rctl_cli() {
    by_hand(Client::RctlCli);
}
