//! The supervisor under faults, with real processes: what lives is adopted, what is not ours is never touched, and
//! whatever is interrupted leaves all or nothing.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod rig;

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rctl::supervise::state_dir::SetDir;
use rig::{World, nodes_under, redis_is_there, started_under, supervisors_under, wait_until};

fn up(world: &World) -> String {
    let base = world.base.to_string();
    world.ok(&["up", "--engine", "redis", "--replicas", "1", "--port-base", &base, "-q"])
}

fn signal(pid: u32, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(pid).unwrap()), signal).unwrap();
}

fn kill_supervisor(world: &World) {
    let supervisors = supervisors_under(world.dir.path());
    assert_eq!(supervisors.len(), 1);
    signal(supervisors[0], Signal::SIGKILL);
    wait_until("the supervisor is gone", || supervisors_under(world.dir.path()).is_empty());
}

fn set_dir(world: &World) -> SetDir {
    SetDir::all(&world.state()).pop().unwrap()
}

#[test]
fn c01_nodes_outlive_their_supervisor_and_the_next_verb_adopts_them() {
    if !redis_is_there("adoption") {
        return;
    }
    let world = World::new();
    up(&world);
    let before = nodes_under(world.dir.path());
    assert_eq!(started_under(world.dir.path()).len(), 2);
    kill_supervisor(&world);
    assert_eq!(nodes_under(world.dir.path()), before, "the nodes live on");
    assert_eq!(world.code(&["status", "--exit-code", "-q"]), 0);
    up(&world);
    assert_eq!(nodes_under(world.dir.path()), before, "no second server was started");
    // An adopted node is watched: its end is noticed.
    world.ok(&["kill", &world.base.to_string()]);
    world.ok(&["down", "-q"]);
    assert!(nodes_under(world.dir.path()).is_empty() && supervisors_under(world.dir.path()).is_empty());
}

#[test]
fn c17_a_state_that_is_lost_or_damaged_is_rebuilt_from_what_lives() {
    if !redis_is_there("damaged state") {
        return;
    }
    let world = World::new();
    up(&world);
    let before = nodes_under(world.dir.path());
    for damage in ["", "half a stat", "rctl-state 999 0\n{}\n", "\u{0}\u{1}\u{2}"] {
        kill_supervisor(&world);
        for name in ["state", "state.prev"] {
            std::fs::write(set_dir(&world).path().join(name), damage).unwrap();
        }
        let base = world.base.to_string();
        let output = world.run(&["up", "--engine", "redis", "--replicas", "1", "--port-base", &base, "-q"]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{damage:?}: {errors}");
        assert_eq!(nodes_under(world.dir.path()), before, "{damage:?}: adopted, not started again");
    }
}

#[test]
fn c04_a_process_that_only_has_the_number_of_a_node_is_never_touched() {
    if !redis_is_there("reused pid") {
        return;
    }
    let world = World::new();
    up(&world);
    kill_supervisor(&world);
    let mut stranger = Command::new("sleep").arg("999").stdin(Stdio::null()).spawn().unwrap();
    let dir = set_dir(&world);
    let mut state = dir.load().state.unwrap();
    for pid in nodes_under(world.dir.path()) {
        signal(pid, Signal::SIGKILL);
    }
    wait_until("the nodes are gone", || nodes_under(world.dir.path()).is_empty());
    for record in &mut state.nodes {
        if let Some(identity) = &mut record.identity {
            identity.pid = stranger.id();
        }
    }
    dir.store(&state).unwrap();
    world.ok(&["down", "-q"]);
    up(&world);
    world.ok(&["down", "-q"]);
    assert!(stranger.try_wait().unwrap().is_none(), "the stranger was ended");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn c12_a_second_supervisor_is_refused_and_does_not_hurt_the_first() {
    if !redis_is_there("second supervisor") {
        return;
    }
    let world = World::new();
    up(&world);
    let dir = set_dir(&world);
    assert_eq!(world.code(&["supervise", dir.path().to_str().unwrap()]), 5);
    assert_eq!(world.code(&["status", "--exit-code", "-q"]), 0);
    // Nor do those who connect and say nothing, or garbage.
    let _silent = UnixStream::connect(dir.socket()).unwrap();
    std::io::Write::write_all(&mut UnixStream::connect(dir.socket()).unwrap(), b"\xff\x00{]\n").unwrap();
    assert_eq!(world.code(&["status", "--exit-code", "-q"]), 0);
    let mode = std::fs::metadata(dir.socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn c11_many_invocations_at_once_leave_one_whole_set() {
    if !redis_is_there("concurrency") {
        return;
    }
    let world = World::new();
    let base = world.base.to_string();
    let replica = (world.base + 1).to_string();
    let lines: [&[&str]; 3] = [
        &["up", "--engine", "redis", "--replicas", "1", "--port-base", &base, "-q"],
        &["status", "-q"],
        &["restart", &replica, "-q"],
    ];
    let started: Vec<_> = (0..12)
        .map(|at| world.command(lines[at % 3]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
        .collect();
    for child in started {
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code().is_some_and(|code| code != 101), "{errors}");
    }
    up(&world);
    assert_eq!(started_under(world.dir.path()).len(), 2);
    assert_eq!(supervisors_under(world.dir.path()).len(), 1);
    assert!(set_dir(&world).load().problem.is_none());
}

#[test]
fn c13_an_interrupted_up_leaves_all_or_nothing() {
    if !redis_is_there("interruption") {
        return;
    }
    let world = World::new();
    let base = world.base.to_string();
    for round in 0..8 {
        let args = ["up", "--engine", "redis", "--replicas", "1", "--port-base", &base, "-q"];
        let mut child = world.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Each round is cut off a little further on: when the supervisor, a node, or a whole set is there.
        wait_until("there is something to interrupt", || {
            let supervised = !supervisors_under(world.dir.path()).is_empty();
            let reached = nodes_under(world.dir.path()).len() >= round % 3;
            (supervised && reached) || child.try_wait().unwrap().is_some()
        });
        let sent = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP][round % 3];
        let _ = kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), sent);
        let status = child.wait().unwrap();
        let nodes = nodes_under(world.dir.path()).len();
        match status.success() {
            true => assert_eq!(nodes, 2, "round {round}"),
            false => assert_eq!((nodes, supervisors_under(world.dir.path()).len()), (0, 0), "round {round}"),
        }
        world.ok(&["down", "-q"]);
    }
}

#[test]
fn a_program_that_ends_at_once_is_told_with_its_last_words() {
    let world = World::new();
    let script = world.dir.path().join("server.sh");
    std::fs::write(&script, "#!/bin/sh\necho out of luck\nexit 3\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let base = world.base.to_string();
    let output = world.run(&["up", "--engine", "./server.sh", "--replicas", "1", "--port-base", &base, "-q"]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(5), "{errors}");
    assert!(errors.contains("exit code 3") && errors.contains("out of luck"), "{errors}");
    assert!(nodes_under(world.dir.path()).is_empty() && supervisors_under(world.dir.path()).is_empty());
}

#[test]
fn a_foreground_set_ends_with_its_terminal_and_can_leave_nothing() {
    if !redis_is_there("foreground") {
        return;
    }
    let world = World::new();
    let base = world.base.to_string();
    let args = ["up", "--engine", "redis", "--replicas", "1", "--port-base", &base, "--foreground", "--rm"];
    let mut child = world.command(&args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(said.into_iter().any(|line| line == "Ctrl-C stops the set"));
    assert_eq!(world.code(&["status", "--exit-code", "-q"]), 0);
    signal(child.id(), Signal::SIGINT);
    assert!(child.wait().unwrap().success());
    assert!(nodes_under(world.dir.path()).is_empty());
    assert!(SetDir::all(&world.state()).is_empty(), "--rm leaves nothing");
}

#[test]
fn c39_a_node_inherits_no_descriptor_and_little_of_the_environment() {
    if !redis_is_there("descriptors") {
        return;
    }
    let world = World::new();
    let base = world.base.to_string();
    let args = ["up", "--engine", "redis", "--replicas", "1", "--port-base", &base, "-q"];
    assert!(world.command(&args).env("SECRET", "x").stdout(Stdio::null()).status().unwrap().success());
    for pid in nodes_under(world.dir.path()) {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
        assert!(!String::from_utf8_lossy(&environment).contains("SECRET"));
        let files = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
        let links = files.filter_map(|file| std::fs::read_link(file.path()).ok());
        let foreign: Vec<_> =
            links.filter(|link| link.ends_with("lock") || link.ends_with("supervisor.log")).collect();
        assert!(foreign.is_empty(), "{foreign:?}");
    }
}
