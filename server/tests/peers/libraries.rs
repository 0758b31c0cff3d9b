//! Client libraries from the registries do to built-in nodes what applications do: redis-py, node-redis and ioredis as
//! programs of their own (`libraries/`), the `redis` crate here. Each also finds its master by real sentinels, loses it,
//! and goes on with the next.
//!
//! `RCTL_CLIENTS` names the directory that `.ci/clients` made; a library that is not there is said loudly.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use redis::{Commands as _, ConnectionLike as _, RedisResult};

use crate::client::eventually;
use crate::node::{Brand, Node, not_tested};
use crate::sentinels::Watched;

use Brand::Ours;

/// How a library's program is run; `None`, loudly, when the library is not here.
fn program(name: &str) -> Option<Command> {
    let hint = "set RCTL_CLIENTS=$(.ci/clients target/clients)";
    let Some(clients) = std::env::var_os("RCTL_CLIENTS").map(PathBuf::from) else {
        not_tested(name, hint);
        return None;
    };
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/peers/libraries").join(name);
    if name.ends_with(".py") {
        if !clients.join("python/redis").exists() {
            not_tested(name, hint);
            return None;
        }
        let mut command = Command::new("python3");
        command.arg("-B").arg(source).env("PYTHONPATH", clients.join("python"));
        return Some(command);
    }
    if !clients.join("node/node_modules/ioredis").exists() {
        not_tested(name, hint);
        return None;
    }
    // Modules are looked for beside the program, so it has to be beside them.
    let beside = clients.join("node").join(name);
    std::fs::copy(source, &beside).unwrap();
    let mut command = Command::new("node");
    command.arg(beside);
    Some(command)
}

fn does_everything(name: &str) {
    let Some(mut command) = program(name) else { return };
    let Some(node) = Node::start(Ours, &[]) else { return };
    let ran = command.arg(node.port.to_string()).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{name}\n{out}\n{err}");
}

#[test]
fn redis_py_does_everything() {
    does_everything("redis_py.py");
}

#[test]
fn node_redis_and_ioredis_do_everything() {
    does_everything("node_redis.mjs");
}

#[test]
fn libraries_find_the_next_master_by_sentinel() {
    let programs: Vec<Command> = ["redis_py.py", "node_redis.mjs"].into_iter().filter_map(program).collect();
    let Some(mut watched) = Watched::start(&[(Ours, "100"), (Ours, "10"), (Ours, "100")]) else { return };
    let sentinels: Vec<String> = watched.sentinels.iter().map(|node| node.port.to_string()).collect();
    let mut running: Vec<Child> = programs
        .into_iter()
        .map(|mut command| {
            command.arg(watched.nodes[0].port.to_string()).args(&sentinels);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut outs: Vec<_> =
        running.iter_mut().map(|child| BufReader::new(child.stdout.take().unwrap()).lines()).collect();
    let wrote = |lines: &mut std::io::Lines<_>| -> String {
        let line = lines.next().and_then(Result::ok).unwrap_or_default();
        line.strip_prefix("written to ").unwrap_or_else(|| panic!("it said {line:?}")).to_owned()
    };
    for out in &mut outs {
        assert_eq!(wrote(out), watched.nodes[0].port.to_string());
    }
    let urls: Vec<String> = sentinels.iter().map(|port| format!("redis://127.0.0.1:{port}/")).collect();
    let mut crate_client = redis::sentinel::SentinelClient::build(
        urls,
        "set".to_owned(),
        None,
        redis::sentinel::SentinelServerType::Master,
    )
    .unwrap();
    crate_client.get_connection().unwrap().set::<_, _, ()>("crate", "before").unwrap();
    watched.nodes[0].kill();
    for child in &mut running {
        child.stdin.take().unwrap().write_all(b"killed\n").unwrap();
    }
    let next = watched.nodes[1].port.to_string();
    for (out, child) in outs.iter_mut().zip(&mut running) {
        assert_eq!(wrote(out), next);
        assert!(child.wait().unwrap().success());
    }
    let written = eventually(|| {
        let mut connection = crate_client.get_connection().ok()?;
        connection.set::<_, _, ()>("crate", "after").ok()
    });
    assert!(written.is_some(), "the redis crate does not find the next master");
    watched.nodes[1].must("GET crate", "after");
}

#[test]
fn the_redis_crate_does_everything() {
    let Some(node) = Node::start(Ours, &[]) else { return };
    for protocol in ["", "?protocol=resp3"] {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}/{protocol}", node.port)).unwrap();
        let mut db = client.get_connection().unwrap();
        assert!(db.check_connection());
        redis::cmd("FLUSHALL").exec(&mut db).unwrap();
        strings_and_pipelines(&mut db);
        collections(&mut db);
        messages(&client, &mut db);
        streams(&mut db);
        blocking(&client, &mut db, &node);
    }
}

fn strings_and_pipelines(db: &mut redis::Connection) {
    db.set_ex::<_, _, ()>("k", "v", 100).unwrap();
    assert_eq!(db.get::<_, String>("k").unwrap(), "v");
    let mut pipe = redis::pipe();
    for n in 0..5000 {
        pipe.set(format!("p:{n}"), n).ignore();
    }
    pipe.cmd("DBSIZE");
    assert_eq!(pipe.query::<(usize,)>(db).unwrap(), (5001,));
    let sum: (i64,) = redis::transaction(db, &["n"], |db, pipe| {
        let old: Option<i64> = db.get("n")?;
        pipe.set("n", old.unwrap_or(0) + 7).ignore().cmd("GET").arg("n").query(db)
    })
    .unwrap();
    assert_eq!(sum, (7,));
    let wrong: RedisResult<i64> = db.lpush("k", "x");
    assert_eq!(wrong.unwrap_err().code(), Some("WRONGTYPE"));
}

fn collections(db: &mut redis::Connection) {
    let _: () = db.rpush("l", (0..100).collect::<Vec<_>>()).unwrap();
    let tail: Vec<i64> = db.lrange("l", -2, -1).unwrap();
    assert_eq!(tail, [98, 99]);
    let _: () = db.hset_multiple("h", &[("a", 1), ("b", 2)]).unwrap();
    let map: std::collections::BTreeMap<String, i64> = db.hgetall("h").unwrap();
    assert_eq!(map.into_iter().collect::<Vec<_>>(), [("a".to_owned(), 1), ("b".to_owned(), 2)]);
    let _: () = db.zadd_multiple("z", &[(1.5, "one"), (3.0, "three")]).unwrap();
    let ranked: Vec<(String, f64)> = db.zrange_withscores("z", 0, -1).unwrap();
    assert_eq!(ranked, [("one".to_owned(), 1.5), ("three".to_owned(), 3.0)]);
    let mut members: Vec<String> = db.scan_match::<_, String>("[hlz]").unwrap().map(Result::unwrap).collect();
    members.sort();
    assert_eq!(members, ["h", "l", "z"]);
}

fn messages(client: &redis::Client, db: &mut redis::Connection) {
    let mut listener = client.get_connection().unwrap();
    let mut listener = listener.as_pubsub();
    listener.subscribe("news").unwrap();
    let heard: i64 = db.publish("news", "hello").unwrap();
    assert_eq!(heard, 1);
    assert_eq!(listener.get_message().unwrap().get_payload::<String>().unwrap(), "hello");
}

fn streams(db: &mut redis::Connection) {
    use redis::streams::{StreamRangeReply, StreamReadReply};
    let id: String = db.xadd("log", "*", &[("n", 1)]).unwrap();
    let all: StreamRangeReply = db.xrange_all("log").unwrap();
    assert_eq!(all.ids.first().unwrap().id, id);
    let read: StreamReadReply = db.xread(&["log"], &["0"]).unwrap();
    assert_eq!(read.keys.first().unwrap().key, "log");
}

fn blocking(client: &redis::Client, db: &mut redis::Connection, node: &Node) {
    let mut other = client.get_connection().unwrap();
    let waiter = std::thread::spawn(move || other.blpop::<_, (String, String)>("queue", 20.0).unwrap());
    node.wait_info("blocked_clients", "1");
    let _: () = db.rpush("queue", "job").unwrap();
    assert_eq!(waiter.join().unwrap(), ("queue".to_owned(), "job".to_owned()));
}
