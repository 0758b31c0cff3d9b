//! Real Sentinels over a set: started by its file, shown, believed, never fought, and stopped with it.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

#[expect(dead_code, reason = "shared with other tests")]
mod rig;

use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rig::{World, nodes_under, supervisors_under, wait_until};
use serde_json::Value;

/// Is redis-sentinel there. Where it is not, that is said.
fn sentinel_is_there(test: &str) -> bool {
    let there = Command::new("redis-sentinel").arg("--version").stdout(Stdio::null()).status().is_ok();
    assert!(
        there || std::env::var_os("RCTL_REQUIRE_REDIS").is_none(),
        "redis-sentinel is required and missing"
    );
    if !there {
        eprintln!("SKIPPED {test}: redis-sentinel is not on the PATH");
    }
    there
}

/// A master, two replicas and three Sentinels, ready.
fn set(engine: &str) -> World {
    let world = World::new();
    let base = world.base;
    let file = format!(
        "name = \"lab\"\n[defaults]\nengine = \"{engine}\"\n[[node]]\nport = {base}\n[[node]]\nport = {}\nreplica-of = {base}\n\
         [[node]]\nport = {}\nreplica-of = {base}\n[sentinel]\nport = {}\ndown-after = \"500ms\"\n",
        base + 1,
        base + 2,
        base + 5
    );
    std::fs::write(world.dir.path().join("lab.toml"), file).unwrap();
    world.ok(&["up", "lab.toml", "-q"]);
    world
}

fn status(world: &World) -> Value {
    serde_json::from_str(&world.ok(&["status", "--json", "-q"])).unwrap()
}

fn states(status: &Value, of: &str) -> Vec<String> {
    status[of].as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap().to_owned()).collect()
}

fn pid_of(status: &Value, of: &str, at: usize) -> Pid {
    Pid::from_raw(i32::try_from(status[of][at]["pid"].as_i64().unwrap()).unwrap())
}

#[test]
fn sentinels_promote_when_the_master_is_killed_and_status_tells_the_truth() {
    for engine in ["builtin", "redis"] {
        if !sentinel_is_there("sentinels promote") {
            return;
        }
        let world = set(engine);
        let before = status(&world);
        assert_eq!(before["ok"], true, "{engine}: {before}");
        assert_eq!(states(&before, "sentinels"), ["watching", "watching", "watching"]);
        // Ready means that they agree already: a master may die now.
        for sentinel in before["sentinels"].as_array().unwrap() {
            let master = &sentinel["masters"][0];
            assert_eq!((&master["replicas"], &master["others"]), (&2.into(), &2.into()), "{engine}");
        }
        kill(pid_of(&before, "nodes", 0), Signal::SIGKILL).unwrap();
        wait_until("the Sentinels have put another in its place", || {
            states(&status(&world), "nodes").iter().any(|state| state == "writable")
        });
        wait_until("the other replica follows it", || {
            let mut states = states(&status(&world), "nodes");
            states.sort();
            states == ["crashed", "in-sync", "writable"]
        });
        wait_until("all of them have heard of it", || {
            let seen = status(&world);
            let masters = seen["sentinels"].as_array().unwrap().iter().map(|one| &one["masters"][0]["port"]);
            masters.into_iter().all(|port| port.as_u64().is_some_and(|port| port != u64::from(world.base)))
        });
        let after = status(&world);
        let notes = after["notes"].to_string();
        assert!(
            notes.contains("Sentinels made") && notes.contains("not as in lab.toml"),
            "{engine}: {notes}"
        );
        let shown = world.ok(&["status"]);
        assert!(shown.contains("SENTINEL") && shown.contains("note: Sentinels made"), "{shown}");
        world.ok(&["down", "-q"]);
        assert!(nodes_under(world.dir.path()).is_empty(), "{engine}: Sentinels go down with their set");
    }
}

#[test]
fn rctl_never_promotes_behind_the_back_of_sentinels_and_says_what_to_type() {
    if !sentinel_is_there("behind their back") {
        return;
    }
    let world = set("builtin");
    let replica = (world.base + 1).to_string();
    for words in [&["promote", &replica][..], &["switchover"], &["failover"], &["autofailover", "on"]] {
        let output = world.run(words);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(7), "{words:?}: {errors}");
    }
    let errors = String::from_utf8(world.run(&["promote", &replica]).stderr).unwrap();
    let typed = errors.lines().find_map(|line| line.trim().strip_prefix("try: rctl cli ")).unwrap();
    world.ok(&[&["cli"], &typed.split(' ').collect::<Vec<_>>()[..]].concat());
    wait_until("they have done it", || {
        let seen = status(&world);
        let nodes = seen["nodes"].as_array().unwrap();
        nodes.iter().any(|node| node["state"] == "writable" && node["port"] != u64::from(world.base))
    });
}

#[test]
fn sentinels_are_watched_adopted_and_started_again_with_what_they_know() {
    if !sentinel_is_there("sentinels adopted") {
        return;
    }
    let world = set("builtin");
    let before = status(&world);
    let victim = (world.base + 5).to_string();
    kill(pid_of(&before, "sentinels", 0), Signal::SIGKILL).unwrap();
    wait_until("its end is seen", || states(&status(&world), "sentinels")[0] == "crashed");
    let seen = status(&world);
    assert_eq!(
        (&seen["ok"], &seen["sentinels"][0]["fix"]),
        (&false.into(), &format!("rctl start {victim}").into())
    );
    world.ok(&["start", &victim, "-q"]);
    wait_until("it watches", || status(&world)["ok"] == true);
    // Another supervisor finds them.
    for pid in supervisors_under(world.dir.path()) {
        kill(Pid::from_raw(i32::try_from(pid).unwrap()), Signal::SIGKILL).unwrap();
    }
    wait_until("the supervisor is gone", || supervisors_under(world.dir.path()).is_empty());
    let lives = nodes_under(world.dir.path());
    wait_until("all of them are adopted", || {
        states(&status(&world), "sentinels") == ["watching", "watching", "watching"]
    });
    assert_eq!(nodes_under(world.dir.path()), lives, "none was started twice");
    let listed: Value = serde_json::from_str(&world.ok(&["ps", "--json"])).unwrap();
    assert_eq!(listed["sets"][0]["sentinels_up"], 3);
    world.ok(&["stop", "sentinels", "-q"]);
    assert_eq!(states(&status(&world), "sentinels"), ["stopped", "stopped", "stopped"]);
    // Nobody watches now: the change is ours again.
    world.ok(&["promote", &(world.base + 1).to_string(), "-q"]);
}
