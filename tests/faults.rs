//! Truth under faults: `status` names the state, no victim is ever called in sync, and the fix it prints works. On
//! built-in nodes, and on redis-server behind its proxy.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

#[expect(dead_code, reason = "shared with other tests")]
mod rig;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rig::{World, nodes_under, started_under, supervisors_under, wait_until};
use serde_json::Value;

/// A chain of a master, its replica and that one's replica, in sync.
fn chain(engine: &str) -> World {
    let world = World::new();
    let base = world.base;
    let file = format!(
        "name = \"lab\"\n[defaults]\nengine = \"{engine}\"\n[[node]]\nport = {base}\n[[node]]\nport = {}\nreplica-of = {base}\n\
         [[node]]\nport = {}\nreplica-of = {}\n",
        base + 1,
        base + 2,
        base + 1
    );
    std::fs::write(world.dir.path().join("set.toml"), file).unwrap();
    world.ok(&["up", "set.toml", "-q"]);
    world
}

fn engines(test: &str) -> Vec<&'static str> {
    if rig::redis_is_there(test) { vec!["builtin", "redis"] } else { vec!["builtin"] }
}

fn status(world: &World) -> Value {
    serde_json::from_str(&world.ok(&["status", "--json", "-q"])).unwrap()
}

/// The states of all nodes, in the order of their ports.
fn states(world: &World) -> Vec<String> {
    let status = status(world);
    status["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["state"].as_str().unwrap().to_owned())
        .collect()
}

fn port(world: &World, at: u16) -> String {
    (world.base + at).to_string()
}

fn signal(pid: u32, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(pid).unwrap()), signal).unwrap();
}

#[test]
fn a_cut_parent_makes_its_child_stale_and_the_printed_fix_works() {
    for engine in engines("a cut parent") {
        for silent in [&[][..], &["--silent"]] {
            let world = chain(engine);
            let middle = port(&world, 1);
            world.ok(&[&["cut", &middle, "-q"], silent].concat());
            // At once, and it stays so: no victim is ever called in sync.
            assert_eq!(states(&world), ["writable", "cut", "stale"], "{engine} {silent:?}");
            world.ok(&["cli", &port(&world, 0), "set", "name", "leon"]);
            assert_eq!(states(&world), ["writable", "cut", "stale"], "{engine} {silent:?}");
            let seen = status(&world);
            assert_eq!(seen["faults"][0]["is"], if silent.is_empty() { "cut" } else { "stall" });
            let fix = seen["nodes"][1]["fix"].as_str().unwrap().to_owned();
            world.ok(&fix.split(' ').skip(1).collect::<Vec<_>>());
            wait_until("all are in sync", || states(&world) == ["writable", "in-sync", "in-sync"]);
            wait_until("the write is there", || {
                world.ok(&["cli", &port(&world, 2), "get", "name"]).trim() == "leon"
            });
        }
    }
}

#[test]
fn faults_outlive_their_supervisor_and_every_restart() {
    for engine in engines("faults that stay") {
        let world = chain(engine);
        let middle = port(&world, 1);
        world.ok(&["cut", &middle, "-q"]);
        for pid in supervisors_under(world.dir.path()) {
            signal(pid, Signal::SIGKILL);
        }
        wait_until("the supervisor is gone", || supervisors_under(world.dir.path()).is_empty());
        assert_eq!(states(&world), ["writable", "cut", "stale"], "{engine}");
        for at in [1, 0] {
            world.ok(&["restart", &port(&world, at), "--allow-data-loss", "-q"]);
            let seen = states(&world);
            assert!(
                seen[1] != "in-sync" && seen[2] != "in-sync",
                "{engine}: {seen:?} after the restart of {at}"
            );
        }
        wait_until("the middle is known to be cut", || states(&world)[1] == "cut");
        world.ok(&["heal", "-q"]);
        wait_until("all are in sync", || states(&world) == ["writable", "in-sync", "in-sync"]);
    }
}

#[test]
fn a_frozen_node_that_misses_a_fault_learns_of_it_when_it_goes_on() {
    let world = chain("builtin");
    let (master, middle) = (port(&world, 0), port(&world, 1));
    world.ok(&["pause", &master, "-q"]);
    world.ok(&["cut", &middle, "-q"]);
    assert_eq!(status(&world)["faults"][0]["pending"][0], u64::from(world.base));
    world.ok(&["resume", &master, "-q"]);
    wait_until("everybody was told", || {
        status(&world)["faults"][0]["pending"].as_array().unwrap().is_empty()
    });
    wait_until("the link is down", || {
        status(&world)["nodes"][1]["link"] == "down" && states(&world)[1] == "cut"
    });
}

#[test]
fn a_proxy_and_its_server_end_as_one_whoever_of_them_is_killed() {
    if !rig::redis_is_there("a proxy and its server") {
        return;
    }
    let world = chain("redis");
    let leaders = started_under(world.dir.path());
    assert_eq!((leaders.len(), nodes_under(world.dir.path()).len()), (3, 6));
    let last = port(&world, 2);
    let seen = status(&world);
    let proxy = u32::try_from(seen["nodes"][2]["pid"].as_u64().unwrap()).unwrap();
    let server: u32 = seen["nodes"][2]["info"]["process_id"].as_str().unwrap().parse().unwrap();
    assert!(proxy != server && leaders.contains(&proxy));
    signal(server, Signal::SIGKILL);
    wait_until("it is known to have crashed", || states(&world)[2] == "crashed");
    assert!(status(&world)["nodes"][2]["reason"].as_str().unwrap().contains("SIGKILL"));
    world.ok(&["start", &last, "-q"]);
    let seen = status(&world);
    let proxy = u32::try_from(seen["nodes"][2]["pid"].as_u64().unwrap()).unwrap();
    signal(proxy, Signal::SIGKILL);
    wait_until("it is known to have crashed", || states(&world)[2] == "crashed");
    wait_until("its server went with it", || nodes_under(world.dir.path()).len() == 4);
    world.ok(&["start", &last, "-q"]);
    wait_until("all are in sync", || states(&world) == ["writable", "in-sync", "in-sync"]);
    world.ok(&["down", "-q"]);
    assert!(nodes_under(world.dir.path()).is_empty());
}

#[test]
fn a_partition_that_is_healed_shows_who_diverged() {
    for engine in engines("split brain") {
        let world = chain(engine);
        let (old, new) = (port(&world, 0), port(&world, 1));
        world.ok(&["partition", &old, "-q"]);
        world.ok(&["replicaof", &new, "no", "one", "-q", "--allow-data-loss"]);
        world.ok(&["cli", &old, "set", "k", "old"]);
        world.ok(&["cli", &new, "set", "k", "new"]);
        wait_until("one of the two diverged", || {
            let seen = states(&world);
            seen.iter().filter(|state| *state == "diverged").count() == 1 && seen[1] == "writable"
        });
        world.ok(&["heal", "all", "-q"]);
        assert!(status(&world)["faults"].as_array().unwrap().is_empty());
    }
}
