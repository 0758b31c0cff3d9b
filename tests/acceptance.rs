//! What a controller survives: faults C1 to C42, each with a test that has its number in its name. Here are those that
//! stand nowhere else; `grep -rn 'fn c[0-9][0-9]_' src tests` finds them all. The long list is why this file is long: its
//! length is the number of faults.
//!
//! What needs a mount, another user or a network namespace says loudly where it could not be tried.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]
#![expect(clippy::disallowed_methods, reason = "a test of real processes has a deadline")]
#![expect(clippy::disallowed_types, reason = "a test of real servers speaks to them itself")]

mod rig;

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rctl::supervise::state_dir::SetDir;
use rig::{World, nodes_under, redis_is_there, started_under, supervisors_under, wait_until};
use serde_json::Value;

/// A master and replicas of it, up.
fn set(replicas: usize) -> World {
    let world = World::new();
    up(&world, replicas);
    world
}

fn up(world: &World, replicas: usize) {
    world.ok(&["up", "-q", "--replicas", &replicas.to_string(), "--port-base", &world.base.to_string()]);
}

fn file(world: &World, name: &str, text: &str) -> String {
    std::fs::write(world.dir.path().join(name), text).unwrap();
    name.to_owned()
}

/// A program in the world's directory.
fn program(world: &World, name: &str, text: &str) -> String {
    let path = world.dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    format!("./{name}")
}

fn port(world: &World, at: u16) -> String {
    (world.base + at).to_string()
}

fn status(world: &World) -> Value {
    serde_json::from_str(&world.ok(&["status", "--json", "-q"])).unwrap()
}

fn states(world: &World) -> Vec<String> {
    let status = status(world);
    let nodes = status["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["state"].as_str().unwrap().to_owned()).collect()
}

fn signal(pid: u32, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(pid).unwrap()), signal).unwrap();
}

fn kill_supervisor(world: &World) {
    for pid in supervisors_under(world.dir.path()) {
        signal(pid, Signal::SIGKILL);
    }
    wait_until("the supervisor is gone", || supervisors_under(world.dir.path()).is_empty());
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn nothing_is_left(world: &World, after: &str) {
    wait_until(after, || {
        nodes_under(world.dir.path()).is_empty() && supervisors_under(world.dir.path()).is_empty()
    });
}

/// Taken away when it is dropped, whatever the test comes to.
struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

/// Says aloud that something could not be tried.
fn skipped(test: &str, why: &str) {
    eprintln!("SKIPPED {test}: {why}");
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

#[test]
fn c02_down_leaves_no_process_and_no_port() {
    let world = set(2);
    assert_eq!(started_under(world.dir.path()).len(), 3);
    world.ok(&["down", "-q"]);
    assert!(nodes_under(world.dir.path()).is_empty() && supervisors_under(world.dir.path()).is_empty());
    for at in 0..3 {
        assert!(TcpListener::bind(("127.0.0.1", world.base + at)).is_ok(), "port {at} is free");
    }
}

#[test]
fn c03_what_a_crash_left_behind_is_in_nobodys_way() {
    let world = set(1);
    kill_supervisor(&world);
    for pid in nodes_under(world.dir.path()) {
        signal(pid, Signal::SIGKILL);
    }
    wait_until("the nodes are gone", || nodes_under(world.dir.path()).is_empty());
    let dir = SetDir::all(&world.state()).pop().unwrap();
    assert!(dir.socket().exists(), "a socket that nobody listens on");
    up(&world, 1);
    assert_eq!(states(&world), ["writable", "in-sync"]);
}

#[test]
fn c06_of_two_sets_that_race_for_the_same_ports_one_wins_and_the_other_leaves_nothing() {
    for round in 0..5 {
        let (one, other) = (World::new(), World::new());
        let base = one.base.to_string();
        let words = ["up", "-q", "--replicas", "1", "--port-base", &base];
        let start = |world: &World| {
            world.command(&words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        };
        let (mut first, mut second) = (start(&one), start(&other));
        let codes = [first.wait().unwrap().code(), second.wait().unwrap().code()];
        let won = codes.iter().filter(|code| **code == Some(0)).count();
        assert!(won <= 1, "round {round}: {codes:?}");
        for (world, code) in [(&one, codes[0]), (&other, codes[1])] {
            match code {
                Some(0) => assert_eq!(started_under(world.dir.path()).len(), 2, "round {round}"),
                _ => nothing_is_left(world, "the loser left nothing"),
            }
        }
    }
}

#[test]
fn c07_a_node_that_ignores_sigterm_is_killed_in_time() {
    if !redis_is_there("c07") {
        return;
    }
    let world = World::new();
    let engine = program(
        &world,
        "deaf.sh",
        "#!/bin/sh\ntrap '' TERM\nredis-server \"$@\" &\nwhile :; do wait; done\n",
    );
    let base = world.base.to_string();
    world.ok(&["up", "-q", "--direct", "--replicas", "0", "--engine", &engine, "--port-base", &base]);
    let began = Instant::now();
    world.ok(&["down", "-q"]);
    assert!(began.elapsed() < Duration::from_secs(14), "{:?}", began.elapsed());
    assert!(nodes_under(world.dir.path()).is_empty());
    assert!(world.ok(&["events"]).contains("did not end in time; killed"));
}

#[test]
fn c08_a_node_that_dies_again_and_again_leaves_no_zombie() {
    let world = set(1);
    let replica = port(&world, 1);
    let supervisor = supervisors_under(world.dir.path())[0];
    for _ in 0..20 {
        world.ok(&["kill", &replica, "-q"]);
        world.ok(&["start", &replica, "-q"]);
    }
    let stats = rctl::supervise::identity::processes().into_iter().filter_map(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let rest = stat.rsplit_once(')')?.1.trim().to_owned();
        let mut fields = rest.split(' ');
        let state = fields.next()?.to_owned();
        (fields.next()? == supervisor.to_string()).then_some(state)
    });
    let states: Vec<String> = stats.collect();
    assert!(states.len() >= 2 && !states.contains(&"Z".to_owned()), "{states:?}");
}

#[test]
fn c14_a_terminal_that_closes_leaves_a_set_alone() {
    let world = set(1);
    let before = nodes_under(world.dir.path());
    signal(supervisors_under(world.dir.path())[0], Signal::SIGHUP);
    assert_eq!(states(&world), ["writable", "in-sync"]);
    assert_eq!(nodes_under(world.dir.path()), before);
}

#[test]
fn c15_a_full_disk_is_said_and_hurts_no_server() {
    let world = World::new();
    let state = world.state();
    std::fs::create_dir(&state).unwrap();
    let mount = |words: &[&str]| {
        Command::new("mount")
            .args(words)
            .arg(&state)
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|code| code.success())
    };
    if !mount(&["-t", "tmpfs", "-o", "size=512k", "none"]) {
        return skipped("c15", "this user cannot mount a tmpfs");
    }
    let _mounted = Mounted(&state);
    up(&world, 1);
    // What is left of the disk.
    let mut filler = std::fs::File::create(state.join("filler")).unwrap();
    while filler.write_all(&[0; 4096]).is_ok() {}
    let replica = port(&world, 1);
    world.run(&["restart", &replica, "-q"]);
    assert_eq!(world.ok(&["cli", &port(&world, 0), "ping"]).trim(), "PONG", "the master is unharmed");
    drop(filler);
    std::fs::remove_file(state.join("filler")).unwrap();
    world.run(&["start", &replica, "-q"]);
    wait_until("all is well again", || states(&world) == ["writable", "in-sync"]);
    world.ok(&["down", "-q", "--purge"]);
}

#[test]
fn c16_a_state_directory_that_cannot_be_written_starts_nothing() {
    let world = World::new();
    let base = world.base.to_string();
    let words = ["up", "--replicas", "0", "--port-base", &base, "--state-dir", "/proc/nowhere"];
    let output = world.run(&words);
    assert_eq!(output.status.code(), Some(5), "{}", errors(&output));
    assert!(errors(&output).contains("/proc/nowhere"), "{}", errors(&output));
    assert!(TcpListener::bind(("127.0.0.1", world.base)).is_ok());
}

#[test]
fn c18_a_log_that_is_deleted_or_read_slowly_stops_nobody() {
    let world = set(1);
    let dir = SetDir::all(&world.state()).pop().unwrap();
    // A reader that reads nothing.
    let mut slow = world.command(&["logs", "-f"]).stdout(Stdio::piped()).spawn().unwrap();
    std::fs::remove_file(dir.node(world.base).log()).unwrap();
    for at in 0..50 {
        world.ok(&["cli", &port(&world, 0), "set", "name", &at.to_string()]);
    }
    assert_eq!(states(&world), ["writable", "in-sync"]);
    world.ok(&["restart", &port(&world, 1), "-q"]);
    world.ok(&["wait", "ready", "-q"]);
    slow.kill().unwrap();
    slow.wait().unwrap();
}

#[test]
fn c20_too_few_descriptors_are_more_or_are_said_and_leave_nothing() {
    let world = World::new();
    let mut command = Command::new("prlimit");
    command.args(["--nofile=40:40", env!("CARGO_BIN_EXE_rctl")]);
    command.args([
        "up",
        "-q",
        "--replicas",
        "40",
        "--timeout",
        "15s",
        "--port-base",
        &(world.base + 20).to_string(),
    ]);
    command.env("RCTL_STATE_DIR", world.state()).current_dir(world.dir.path()).stdin(Stdio::null());
    let Ok(output) = command.output() else { return skipped("c20", "there is no prlimit") };
    assert!(
        !errors(&output).contains("panicked") && output.status.code() != Some(101),
        "{}",
        errors(&output)
    );
    if output.status.success() {
        assert_eq!(started_under(world.dir.path()).len(), 41);
        return;
    }
    assert_eq!(output.status.code(), Some(5), "{}", errors(&output));
    assert!(errors(&output).contains("196 file descriptors, and 40 are allowed"), "{}", errors(&output));
    nothing_is_left(&world, "what was started was stopped again");
}

#[test]
fn c21_too_few_processes_are_said_and_leave_nothing() {
    if nix::unistd::getuid().is_root() {
        return skipped("c21", "the limit of processes does not hold for root");
    }
    let world = World::new();
    let mut command = Command::new("prlimit");
    command.args([
        "--nproc=1:1",
        env!("CARGO_BIN_EXE_rctl"),
        "up",
        "-q",
        "--port-base",
        &world.base.to_string(),
    ]);
    command.env("RCTL_STATE_DIR", world.state()).stdin(Stdio::null());
    let Ok(output) = command.output() else { return skipped("c21", "there is no prlimit") };
    assert!(!output.status.success() && output.status.code() != Some(101), "{}", errors(&output));
    nothing_is_left(&world, "nothing is left");
}

#[test]
fn c23_a_closed_pipe_is_success() {
    let world = set(1);
    for words in [&["status", "--json"][..], &["logs"], &["info", "master"], &["events"], &["help"]] {
        let mut child = world.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut byte = [0];
        child.stdout.take().unwrap().read_exact(&mut byte).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", errors(&output));
        assert!(!errors(&output).contains("panicked"), "{words:?}");
    }
}

#[test]
fn c24_without_a_terminal_there_is_no_escape_code_and_no_question() {
    let world = set(1);
    for words in [&["status"][..], &["ps"], &["graph"], &["events"], &["promote", &port(&world, 1)]] {
        let output = world.run(words);
        assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b), "{words:?}");
    }
    let coloured =
        world.command(&["status"]).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").output().unwrap();
    assert!(!coloured.stdout.contains(&0x1b));
}

#[test]
fn c25_words_and_paths_that_are_not_utf8_are_told_and_end_nothing() {
    let world = World::new();
    let odd = OsStr::from_bytes(b"/tmp/\xff.toml");
    let output = world.command(&["up"]).arg(odd).output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", errors(&output));
    let output = world.command(&["status", "--topology"]).arg(OsStr::from_bytes(b"\xff")).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", errors(&output));
    let home = world.dir.path().join(OsStr::from_bytes(b"\xffhome"));
    let mut command = world.command(&["status"]);
    let output = command
        .env_remove("RCTL_STATE_DIR")
        .env_remove("XDG_STATE_HOME")
        .env("HOME", &home)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", errors(&output));
}

#[test]
fn c26_names_that_would_do_harm_are_refused_with_their_place() {
    let world = World::new();
    let long = "a".repeat(300);
    for name in ["a;rm -rf x", "../x", "$(id)", "-rf", "\\u001b[2J", &long, "", "all", "6379"] {
        let text = format!("[[node]]\nport = {}\nname = \"{name}\"\n", world.base);
        let output = world.run(&["up", &file(&world, "lab.toml", &text)]);
        assert_eq!(output.status.code(), Some(4), "{name}: {}", errors(&output));
        assert!(
            errors(&output).contains(":3:") && !errors(&output).contains('\u{1b}'),
            "{}",
            errors(&output)
        );
    }
    assert!(!world.state().exists(), "nothing was made");
}

#[test]
fn c27_a_hundred_nodes_come_up_are_seen_and_leave_nothing() {
    let world = World::new();
    let base = 20_000 + u16::try_from(std::process::id() % 50).unwrap() * 110;
    let mut text = format!("[[node]]\nport = {base}\n");
    for at in 1..100 {
        text.push_str(&format!("[[node]]\nport = {}\nreplica-of = {base}\n", base + at));
    }
    let began = Instant::now();
    world.ok(&["up", &file(&world, "hundred.toml", &text), "-q", "--timeout", "60s"]);
    let (is_up, began) = (began.elapsed(), Instant::now());
    let seen = status(&world);
    let (looked, began) = (began.elapsed(), Instant::now());
    assert_eq!((seen["ok"].as_bool(), seen["nodes"].as_array().unwrap().len()), (Some(true), 100));
    let rss = |pid: u32| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = text.lines().find(|line| line.starts_with("VmRSS")).unwrap().to_owned();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let supervisor = rss(supervisors_under(world.dir.path())[0]);
    world.ok(&["down", "-q"]);
    eprintln!("100 nodes: up {is_up:?}, status {looked:?}, down {:?}, rctl {supervisor} kB", began.elapsed());
    assert!(supervisor < 100_000, "{supervisor} kB");
    assert!(nodes_under(world.dir.path()).is_empty());
    // What is too large is refused at once.
    let many: String = (0..1000).map(|at| format!("[[node]]\nport = {}\n", 20_000 + at)).collect();
    let began = Instant::now();
    assert_eq!(world.code(&["check", &file(&world, "thousand.toml", &many)]), 4);
    assert!(began.elapsed() < Duration::from_secs(1));
}

/// Every problem of a file is told at once, before anything is started.
fn refused(world: &World, text: &str, said: &[&str]) {
    let output = world.run(&["up", &file(world, "lab.toml", text)]);
    assert_eq!(output.status.code(), Some(4), "{text}: {}", errors(&output));
    for said in said {
        assert!(errors(&output).contains(said), "{said:?} is missing in {}", errors(&output));
    }
    assert!(!world.state().exists(), "nothing was started");
}

#[test]
fn c28_circles_are_refused_and_drawn() {
    let node = |port: u16, up: u16| format!("[[node]]\nport = {port}\nreplica-of = {up}\n");
    let world = World::new();
    refused(&world, &node(7001, 7001), &["a node cannot be a replica of itself"]);
    refused(&world, &(node(7001, 7002) + &node(7002, 7001)), &["7001 → 7002 → 7001"]);
    let ring: String = (0..5).map(|at| node(7001 + at, 7001 + (at + 1) % 5)).collect();
    refused(&world, &ring, &["7001 → 7002 → 7003 → 7004 → 7005 → 7001"]);
}

#[test]
fn c29_unknown_upstreams_and_names_that_stand_twice_are_told_together() {
    let world = World::new();
    let text =
        "[[node]]\nport = 7001\nname = \"a\"\n[[node]]\nport = 7002\nname = \"a\"\nreplica-of = 7009\n";
    refused(&world, text, &["2 problems", "is already that of node", "no node has port 7009", ":6:", ":7:"]);
    refused(&world, "[[node]]\nport = 7001\nport = 7002\n", &["not TOML", ":3:"]);
}

#[test]
fn c30_ports_that_stand_twice_or_do_not_exist_are_told() {
    let world = World::new();
    refused(
        &world,
        "[[node]]\nport = 7001\n[[node]]\nport = 7001\n",
        &["port 7001 is already that of another"],
    );
    for port in ["0", "65536", "-1", "99999999999999999999"] {
        refused(&world, &format!("[[node]]\nport = {port}\n"), &["2:8"]);
    }
}

#[test]
fn c31_a_privileged_port_is_refused_with_the_reason() {
    refused(&World::new(), "[[node]]\nport = 80\n", &["port 80 is privileged", "port = 6080"]);
}

#[test]
fn c32_names_of_hosts_are_resolved_and_one_that_cannot_be_ends_nothing() {
    let world = set(2);
    let (master, first) = (port(&world, 0), port(&world, 1));
    world.ok(&["replicaof", &first, "localhost", &master, "-q"]);
    assert_eq!(states(&world), ["writable", "in-sync", "in-sync"]);
    world.run(&[
        "replicaof",
        &first,
        "nowhere.invalid",
        &master,
        "-q",
        "--timeout",
        "1s",
        "--allow-data-loss",
    ]);
    let began = Instant::now();
    assert_eq!(states(&world)[1], "link-down");
    assert!(began.elapsed() < Duration::from_secs(1));
    world.ok(&["replicaof", &first, "::1", &master, "-q"]);
    assert_eq!(states(&world), ["writable", "in-sync", "in-sync"]);
    skipped("c32", "a machine without IPv4 needs a network namespace");
}

#[test]
fn c33_a_program_that_is_missing_or_no_program_is_named_and_nothing_else_touched() {
    let world = set(1);
    let before = nodes_under(world.dir.path());
    let text = file(&world, "text.sh", "#!/bin/sh\n");
    for (engine, said) in [("./missing", "is not there"), (&*format!("./{text}"), "is not executable")] {
        let output = world.run(&["add", &port(&world, 5), "--engine", engine]);
        assert_eq!(output.status.code(), Some(5), "{}", errors(&output));
        assert!(errors(&output).contains(said) && errors(&output).contains(engine.trim_start_matches("./")));
    }
    let wrong = program(&world, "wrong.sh", "#!/bin/sh\necho this is no server\nexit 1\n");
    let output = world.run(&["add", &port(&world, 5), "--engine", &wrong]);
    assert_eq!(output.status.code(), Some(5), "{}", errors(&output));
    assert!(errors(&output).contains("this is no server"), "{}", errors(&output));
    assert_eq!(nodes_under(world.dir.path()), before);
}

#[test]
fn c34_up_returns_when_every_link_is_up_however_late_the_master_is() {
    if !redis_is_there("c34") {
        return;
    }
    let world = World::new();
    // The master waits for a sign; the replica is there long before.
    let sign = world.dir.path().join("sign");
    let script = format!(
        "#!/bin/sh\nuntil test -e {}; do sleep 0.02; done\nexec redis-server \"$@\"\n",
        sign.display()
    );
    let engine = program(&world, "late.sh", &script);
    let (master, replica) = (port(&world, 0), port(&world, 1));
    let text = format!(
        "name = \"lab\"\n[[node]]\nport = {master}\nengine = \"{engine}\"\n[[node]]\nport = {replica}\nreplica-of = {master}\n"
    );
    let file = file(&world, "lab.toml", &text);
    let mut child = world.command(&["up", "-q", "--direct", &file]).stdout(Stdio::null()).spawn().unwrap();
    wait_until("the replica answers", || TcpStream::connect(("127.0.0.1", world.base + 1)).is_ok());
    assert!(child.try_wait().unwrap().is_none(), "it returned before the master was there");
    std::fs::write(&sign, "go").unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(states(&world), ["writable", "in-sync"]);
}

#[test]
fn c35_a_node_that_somebody_froze_is_not_called_well() {
    let world = set(1);
    let pid = u32::try_from(status(&world)["nodes"][1]["pid"].as_u64().unwrap()).unwrap();
    signal(pid, Signal::SIGSTOP);
    let began = Instant::now();
    let seen = states(&world);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(matches!(seen[1].as_str(), "paused" | "unresponsive"), "{seen:?}");
    let fix = status(&world)["nodes"][1]["fix"].as_str().unwrap().to_owned();
    world.ok(&fix.split(' ').skip(1).collect::<Vec<_>>());
    wait_until("the printed fix works", || states(&world) == ["writable", "in-sync"]);
}

#[test]
fn c36_verbs_at_random_from_several_shells_leave_a_whole_set() {
    let world = set(2);
    let base = world.base;
    std::thread::scope(|scope| {
        for shell in 0..4_u64 {
            let world = &world;
            scope.spawn(move || {
                let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ (shell + 1));
                for _ in 0..8 {
                    let node = (base + u16::try_from(dice.roll(3)).unwrap()).to_string();
                    let base = base.to_string();
                    let words: &[&str] = match dice.roll(5) {
                        0 => &["up", "-q", "--replicas", "2", "--port-base", &base, "--timeout", "5s"],
                        1 => &["down", "-q"],
                        2 => &["restart", &node, "-q", "--timeout", "5s"],
                        3 => &["promote", &node, "-q", "--timeout", "3s"],
                        _ => &["status", "-q"],
                    };
                    // Whatever it ends with, it does not panic.
                    world.run(words);
                }
            });
        }
    });
    world.ok(&["down", "-q"]);
    nothing_is_left(&world, "down leaves nothing");
    assert!(SetDir::all(&world.state()).pop().unwrap().load().problem.is_none());
}

#[test]
fn c38_a_directory_in_which_a_server_works_gets_no_second_one() {
    let world = set(1);
    let before = nodes_under(world.dir.path());
    kill_supervisor(&world);
    let dir = SetDir::all(&world.state()).pop().unwrap();
    for name in ["state", "state.prev"] {
        let _ = std::fs::remove_file(dir.path().join(name));
    }
    up(&world, 1);
    assert_eq!(nodes_under(world.dir.path()), before, "adopted, not started again");
}

#[test]
fn c39_a_password_is_on_no_command_line() {
    let world = World::new();
    let text = format!(
        "[defaults]\nconfig = {{ requirepass = \"geheim\", masterauth = \"geheim\" }}\n[[node]]\nport = {0}\n[[node]]\nport = {1}\nreplica-of = {0}\n",
        world.base,
        world.base + 1
    );
    world.ok(&["up", "-q", &file(&world, "lab.toml", &text)]);
    assert_eq!(states(&world), ["writable", "in-sync"]);
    for pid in nodes_under(world.dir.path()).into_iter().chain(supervisors_under(world.dir.path())) {
        for name in ["cmdline", "environ"] {
            let bytes = std::fs::read(format!("/proc/{pid}/{name}")).unwrap();
            assert!(!String::from_utf8_lossy(&bytes).contains("geheim"), "{name} of {pid}");
        }
    }
}

#[test]
fn c40_a_failover_that_dies_with_its_supervisor_is_finished_or_undone() {
    for round in 0..6 {
        let world = World::new();
        let base = world.base;
        let text = format!(
            "[[node]]\nport = {base}\n[[node]]\nport = {}\nreplica-of = {base}\n[[node]]\nport = {}\nreplica-of = {base}\n\
             [autofailover]\ndown-after = \"100ms\"\n",
            base + 1,
            base + 2
        );
        world.ok(&["up", "-q", &file(&world, "lab.toml", &text)]);
        let dir = SetDir::all(&world.state()).pop().unwrap();
        let master = u32::try_from(status(&world)["nodes"][0]["pid"].as_u64().unwrap()).unwrap();
        let supervisor = supervisors_under(world.dir.path())[0];
        signal(master, Signal::SIGKILL);
        // Each round is cut off a little further on: at the record, and then after more and more looks.
        let record = dir.path().join("change.json");
        let told = || std::fs::read_to_string(dir.events()).unwrap_or_default().contains("autofailover from");
        wait_until("it has begun", || record.exists() || told());
        for _ in 0..round * 40 {
            std::hint::black_box(record.exists());
        }
        signal(supervisor, Signal::SIGKILL);
        wait_until("the supervisor is gone", || supervisors_under(world.dir.path()).is_empty());
        let whole = || {
            let states = states(&world);
            let writable = states.iter().filter(|state| *state == "writable").count();
            assert!(writable <= 1, "round {round}: {states:?}");
            writable == 1 && states.iter().filter(|state| *state == "in-sync").count() == 1
        };
        wait_until("one master, and its replica", whole);
        wait_until("it is settled", || whole() && !record.exists());
    }
}

#[test]
fn c41_garbage_on_the_control_socket_is_nobodys_end() {
    let world = set(1);
    let dir = SetDir::all(&world.state()).pop().unwrap();
    let _half_open = UnixStream::connect(dir.socket()).unwrap();
    let mut dice = Dice(0x1234_5678_9abc_def1);
    for _ in 0..300 {
        let length = dice.roll(200);
        let bytes: Vec<u8> =
            (0..length).map(|_| u8::try_from(dice.roll(256)).unwrap()).chain([b'\n']).collect();
        // Refused or closed in the middle: both are answers.
        let _ = UnixStream::connect(dir.socket()).unwrap().write_all(&bytes);
    }
    assert_eq!(states(&world), ["writable", "in-sync"]);
}

#[test]
fn c42_purging_removes_what_rctl_made_and_nothing_else() {
    let world = set(1);
    let dir = SetDir::all(&world.state()).pop().unwrap();
    let foreign = [dir.path().join("notes.txt"), world.state().join("notes.txt")];
    foreign.iter().for_each(|path| std::fs::write(path, "mine").unwrap());
    world.ok(&["down", "-q", "--purge"]);
    assert!(foreign.iter().all(|path| Path::exists(path)));
    let left: Vec<_> =
        std::fs::read_dir(dir.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["notes.txt"]);
}
