//! A drill can see loss, and sees none where there is none: against real processes.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

#[expect(dead_code, reason = "shared with other tests")]
mod rig;

use rig::World;
use serde_json::Value;

/// What a drill found out, and its exit code.
fn drill(world: &World, args: &[&str]) -> (Value, i32) {
    let args: Vec<&str> = ["drill", "--json", "-q"].iter().chain(args).copied().collect();
    let output = world.run(&args);
    let errors = String::from_utf8_lossy(&output.stderr);
    let answer: serde_json::Result<Value> = serde_json::from_slice(&output.stdout);
    assert!(answer.is_ok(), "{args:?}: {errors}");
    let answer = answer.unwrap();
    (answer["drills"].clone(), output.status.code().unwrap())
}

fn number(drill: &Value, field: &str) -> u64 {
    drill[field].as_u64().unwrap()
}

fn up(world: &World) {
    world.ok(&["up", "--replicas", "2", "--port-base", &world.base.to_string(), "-q"]);
}

#[test]
fn the_worst_replica_loses_what_wait_had_confirmed_and_the_best_one_does_not() {
    let world = World::new();
    up(&world);
    let (drills, code) = drill(&world, &["--pick", "best", "--delay", "60ms"]);
    assert_eq!(code, 12, "acknowledged writes on a late link die with their master: {drills}");
    assert!(number(&drills[0], "lost") > 0, "{drills}");
    assert!(number(&drills[0], "confirmed") > 0 && number(&drills[0], "confirmed_lost") == 0, "{drills}");
    assert_eq!(
        number(&drills[0], "survived") + number(&drills[0], "lost"),
        number(&drills[0], "acknowledged"),
        "{drills}"
    );

    let (drills, code) = drill(&world, &["--pick", "worst", "--delay", "60ms", "--clients", "40"]);
    assert_eq!(code, 12);
    assert!(number(&drills[0], "lost") > 0 && number(&drills[0], "confirmed_lost") > 0, "{drills}");
    assert!(world.ok(&["faults", "-q"]).starts_with("no faults"), "a drill leaves links as they were");
}

#[test]
fn a_plain_kill_on_one_machine_loses_nothing() {
    let world = World::new();
    up(&world);
    let (drills, code) = drill(&world, &["--delay", "0s", "--for", "300ms"]);
    assert_eq!((code, number(&drills[0], "lost")), (0, 0), "{drills}");
    assert!(number(&drills[0], "acknowledged") > 0 && number(&drills[0], "outage_ms") > 0, "{drills}");
}

#[test]
fn the_same_drill_runs_on_a_set_of_its_own_for_each_engine() {
    if !rig::redis_is_there("the_same_drill_runs_on_a_set_of_its_own_for_each_engine") {
        return;
    }
    let world = World::new();
    let (drills, code) = drill(&world, &["--engines", "builtin,redis,/nowhere/at-all", "--for", "300ms"]);
    assert!(code == 12 || code == 0, "{drills}");
    for (at, engine) in ["builtin", "redis"].iter().enumerate() {
        assert_eq!(drills[at]["engine"], *engine);
        assert!(drills[at]["problem"].is_null() && number(&drills[at], "confirmed_lost") == 0, "{drills}");
    }
    assert!(drills[2]["problem"].as_str().unwrap().contains("is not there"), "{drills}");
    assert!(rig::nodes_under(world.dir.path()).is_empty());
}
