//! The tools that people have: redis-cli in its three streaming modes, redis-check-rdb, redis-benchmark; and data files
//! carried from one brand to another.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Output, Stdio};

use crate::load::{Load, fill};
use crate::node::{Brand, Node, missing, tool};

use Brand::{Ours, Redis62, Redis70};

/// One of Debian's tools, told of a node's port; `None` when this machine has none.
fn with_port(name: &str, node: &Node) -> Option<Command> {
    let Some(program) = tool(name) else {
        missing(name, "install redis-tools");
        return None;
    };
    let mut command = Command::new(program);
    command.args(["-p", &node.port.to_string()]).current_dir(node.dir()).stdin(Stdio::null());
    Some(command)
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// redis-check-rdb finds nothing wrong with a file of the node's directory.
fn check(node: &Node, file: &str) {
    let Some(program) = tool("redis-check-rdb") else {
        return missing("redis-check-rdb", "install redis-server");
    };
    let output = Command::new(program).arg(file).current_dir(node.dir()).output().unwrap();
    let said = text(&output);
    assert!(output.status.success() && said.contains("RDB looks OK!"), "{said}");
}

#[test]
fn redis_cli_as_a_replica_prints_the_stream() {
    let node = Node::start(Ours, &[]).unwrap();
    fill(&node, 50);
    let Some(mut command) = with_port("redis-cli", &node) else { return };
    let mut child = command.arg("--replica").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    node.wait_info("connected_slaves", "1");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    // The first acknowledgement lets the stream flow, so only what comes now is printed.
    node.must("SET greeting hello", "OK");
    let mut seen = Vec::new();
    while !seen.contains(&"\"SET\",\"greeting\",\"hello\"".to_owned()) {
        let line = lines.next();
        assert!(line.is_some(), "{seen:#?}");
        seen.extend(line);
    }
    child.kill().unwrap();
    let said = text(&child.wait_with_output().unwrap());
    assert!(!said.contains("error") && !seen.iter().any(|line| line.contains("base:")), "{said}{seen:#?}");
    node.wait_info("connected_slaves", "0");
}

#[test]
fn redis_cli_fetches_a_snapshot_that_is_in_order() {
    let node = Node::start(Ours, &[]).unwrap();
    fill(&node, 500);
    let Some(mut command) = with_port("redis-cli", &node) else { return };
    let load = Load::on(&node, 21);
    load.wait(200);
    let output = command.args(["--rdb", "fetched.rdb"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    load.end();
    check(&node, "fetched.rdb");
    let Some(mut command) = with_port("redis-cli", &node) else { return };
    let output = command.args(["--functions-rdb", "functions.rdb"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    check(&node, "functions.rdb");
    node.wait_info("connected_slaves", "0");
}

#[test]
fn redis_cli_pipes_many_commands_in() {
    let node = Node::start(Ours, &[]).unwrap();
    let Some(mut command) = with_port("redis-cli", &node) else { return };
    let mut child = command.arg("--pipe").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    for n in 0..20_000 {
        write!(pipe, "SET piped:{n} {n}\r\n").unwrap();
    }
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    assert!(text(&output).contains("errors: 0, replies: 20000"), "{}", text(&output));
    node.must("DBSIZE", "20000");
}

#[test]
fn redis_benchmark_runs_clean() {
    let node = Node::start(Ours, &[]).unwrap();
    for options in [
        "-t ping_inline,ping_mbulk,set,get,incr,mset -n 5000 -q",
        "-t set,get,incr,mset -n 20000 -P 16 -r 1000 -d 100 -q",
        "-t set,get -n 5000 -c 200 -d 5000 -q",
        "-n 5000 -q setex key:__rand_int__ 100 value",
    ] {
        let Some(mut command) = with_port("redis-benchmark", &node) else { return };
        let output = command.args(options.split(' ')).output().unwrap();
        let said = text(&output);
        assert!(output.status.success() && said.contains("requests per second"), "{options}: {said}");
        assert!(!said.contains("ERR") && !said.contains("Error"), "{options}: {said}");
    }
    node.assert_no_complaint();
}

/// A file that one brand saved is loaded by another, which then holds the same data.
fn carried(from: Brand, to: Brand) {
    let (Some(one), Some(mut other)) = (Node::start(from, &[]), Node::start(to, &[])) else { return };
    fill(&one, 300);
    for (key, value) in [("empty", ""), ("number", "-9223372036854775808"), ("lines", "a\r\n\0b")] {
        one.must(&format!("SET {key} {value}"), "OK");
    }
    for size in [1, 63, 64, 16_383, 16_384, 1_000_000] {
        one.must(&format!("SET size:{size} {}", "x".repeat(size)), "OK");
    }
    one.must("DEBUG SET-ACTIVE-EXPIRE 0", "OK");
    one.must("SET short lived PX 1", "OK");
    one.must("SAVE", "OK");
    // Expired or not, it goes.
    let _ = one.ask("DEL short");
    check(&one, "dump.rdb");
    other.kill();
    std::fs::copy(one.dir().join("dump.rdb"), other.dir().join("dump.rdb")).unwrap();
    other.spawn();
    other.must("EXISTS short", "0");
    other.must("GET base:0:1", "1");
    assert_eq!(other.ask("DEBUG DIGEST"), one.ask("DEBUG DIGEST"), "{from:?} to {to:?}");
}

#[test]
fn our_files_are_loaded_by_redis() {
    carried(Ours, Redis70);
    carried(Ours, Redis62);
}

#[test]
fn files_of_redis_are_loaded_by_us() {
    carried(Redis70, Ours);
    carried(Redis62, Ours);
}
