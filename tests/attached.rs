//! A server that somebody else started: seen, followed, promoted and re-pointed, never started or stopped.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]
#![expect(clippy::disallowed_types, reason = "a test of real servers speaks to them itself")]

#[expect(dead_code, reason = "shared with other tests")]
mod rig;

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use rig::{World, nodes_under, wait_until};
use serde_json::Value;

/// A redis-server that rctl knows nothing of. It ends with the test.
struct Stranger(Child);

impl Stranger {
    fn on(world: &World, port: u16) -> Self {
        let dir = world.dir.path().join(format!("elsewhere-{port}"));
        std::fs::create_dir(&dir).unwrap();
        let conf = dir.join("redis.conf");
        std::fs::write(
            &conf,
            format!("port {port}\nbind 127.0.0.1\nsave \"\"\nrepl-diskless-sync-delay 0\n"),
        )
        .unwrap();
        let mut command = Command::new("redis-server");
        let child = command.arg(&conf).current_dir(&dir).stdout(Stdio::null()).spawn().unwrap();
        wait_until("it listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self(child)
    }

    fn lives(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn status(world: &World) -> Value {
    serde_json::from_str(&world.ok(&["status", "--json", "-q"])).unwrap()
}

fn states(world: &World) -> Vec<String> {
    let status = status(world);
    let nodes = status["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["state"].as_str().unwrap().to_owned()).collect()
}

fn port(world: &World, at: u16) -> String {
    (world.base + at).to_string()
}

#[test]
fn an_attached_master_is_followed_succeeded_and_never_stopped() {
    if !rig::redis_is_there("an attached master") {
        return;
    }
    let world = World::new();
    let (master, first, second) = (port(&world, 0), port(&world, 1), port(&world, 2));
    let mut stranger = Stranger::on(&world, world.base);
    world.ok(&["cli", &master, "set", "name", "leon"]);
    let file = format!(
        "name = \"lab\"\n[[node]]\nport = {master}\nattach = true\n[[node]]\nport = {first}\nreplica-of = {master}\n\
         [[node]]\nport = {second}\nreplica-of = {master}\n"
    );
    std::fs::write(world.dir.path().join("lab.toml"), file).unwrap();
    assert!(world.ok(&["check", "lab.toml"]).contains("is valid"));
    world.ok(&["up", "lab.toml", "-q"]);
    assert_eq!(states(&world), ["writable", "in-sync", "in-sync"]);
    assert_eq!(
        (&status(&world)["nodes"][0]["attached"], &status(&world)["nodes"][1]["attached"]),
        (&true.into(), &false.into())
    );
    wait_until("what it held is there", || world.ok(&["cli", &second, "get", "name"]).trim() == "leon");
    // Whoever started it stops it.
    for verb in ["stop", "restart", "kill", "pause", "resume", "start"] {
        let output = world.run(&[verb, &master]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(7), "{verb}: {errors}");
        assert!(errors.contains("whoever started it"), "{verb}: {errors}");
    }
    // It hands over like any other, and follows then.
    world.ok(&["promote", &first, "-q"]);
    assert_eq!(states(&world), ["in-sync", "writable", "in-sync"]);
    world.ok(&["cli", &first, "set", "name", "darrel"]);
    wait_until("the stream goes the other way", || {
        world.ok(&["cli", &master, "get", "name"]).trim() == "darrel"
    });
    world.ok(&["promote", &master, "-q"]);
    assert_eq!(states(&world), ["writable", "in-sync", "in-sync"]);
    // All of ours end; it does not.
    world.ok(&["restart", "all", "-q"]);
    wait_until("ours are back", || states(&world) == ["writable", "in-sync", "in-sync"]);
    world.ok(&["down", "-q"]);
    assert!(stranger.lives() && world.ok(&["cli", &master, "ping"]).trim() == "PONG");
}

#[test]
fn an_attached_replica_is_pointed_at_nobody_unasked() {
    if !rig::redis_is_there("an attached replica") {
        return;
    }
    let world = World::new();
    let (master, replica) = (port(&world, 0), port(&world, 1));
    let mut stranger = Stranger::on(&world, world.base + 1);
    world.ok(&["cli", &replica, "set", "mine", "precious"]);
    let file = format!(
        "name = \"lab\"\n[[node]]\nport = {master}\n[[node]]\nport = {replica}\nreplica-of = {master}\nattach = true\n"
    );
    std::fs::write(world.dir.path().join("lab.toml"), file).unwrap();
    let errors = String::from_utf8(world.run(&["up", "lab.toml"]).stderr).unwrap();
    assert!(errors.contains(&format!("rctl replicaof {replica} {master}")), "{errors}");
    assert_eq!(states(&world), ["writable", "writable"]);
    // What it holds is nowhere else: that has to be said aloud.
    assert_eq!(world.code(&["replicaof", &replica, &master]), 7);
    world.ok(&["replicaof", &replica, &master, "--allow-data-loss", "-q"]);
    wait_until("it follows", || states(&world) == ["writable", "in-sync"]);
    // It goes, and comes back: seen as it is, with something to type.
    stranger.0.kill().unwrap();
    wait_until("its end is seen", || states(&world)[1] == "unresponsive");
    let fix = status(&world)["nodes"][1]["fix"].clone();
    assert_eq!(fix, format!("rctl cli 127.0.0.1:{replica} ping"));
    world.ok(&["down", "-q"]);
    assert!(nodes_under(world.dir.path()).iter().all(|pid| *pid == stranger.0.id()));
}

#[test]
fn autofailover_succeeds_an_attached_master_that_went_away() {
    if !rig::redis_is_there("autofailover from an attached master") {
        return;
    }
    let world = World::new();
    let (master, replica) = (port(&world, 0), port(&world, 1));
    let mut stranger = Stranger::on(&world, world.base);
    let file = format!(
        "name = \"lab\"\n[[node]]\nport = {master}\nattach = true\n[[node]]\nport = {replica}\nreplica-of = {master}\n\
         [autofailover]\ndown-after = \"300ms\"\n"
    );
    std::fs::write(world.dir.path().join("lab.toml"), file).unwrap();
    world.ok(&["up", "lab.toml", "-q"]);
    stranger.0.kill().unwrap();
    stranger.0.wait().unwrap();
    wait_until("the replica takes over", || states(&world) == ["unresponsive", "writable"]);
}
