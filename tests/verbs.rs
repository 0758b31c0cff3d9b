//! Transcripts of whole verbs: a command line, and what a person gets back.
//!
//! ```text
//! engine: each             played twice: with built-in nodes, and with redis-server where that is installed
//! > FILE                   the lines up to `<` are written to a file
//! $ status -q              rctl is run with these words
//! a line of stdout
//! ! a line of stderr
//! = 7                      the exit code, where it is not 0
//! % SET 6379 key value     a Redis command to a node
//! % hold 6380              a stranger listens on a port, until the end of the transcript
//! ```
//!
//! Ports are written as 6379 to 6388 and moved to free ones. `[..]` is any text, `...` any number of lines.

#![expect(clippy::disallowed_types, reason = "a test of real servers speaks to them itself")]
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

#[expect(dead_code, reason = "shared with other tests")]
mod rig;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use rig::World;

#[test]
fn without_a_set() {
    play("without-a-set", include_str!("verbs/without-a-set.txt"), "builtin");
}

#[test]
fn the_life_of_nodes_builtin() {
    play("life", include_str!("verbs/life.txt"), "builtin");
}

#[test]
fn the_life_of_nodes_redis() {
    play("life", include_str!("verbs/life.txt"), "redis");
}

#[test]
fn c10_the_guard_builtin() {
    play("guard", include_str!("verbs/guard.txt"), "builtin");
}

#[test]
fn c10_the_guard_redis() {
    play("guard", include_str!("verbs/guard.txt"), "redis");
}

#[test]
fn c37_growing_and_converging_builtin() {
    play("converge", include_str!("verbs/converge.txt"), "builtin");
}

#[test]
fn c37_growing_and_converging_redis() {
    play("converge", include_str!("verbs/converge.txt"), "redis");
}

#[test]
fn c05_a_port_that_is_taken_builtin() {
    play("clash", include_str!("verbs/clash.txt"), "builtin");
}

#[test]
fn c05_a_port_that_is_taken_redis() {
    play("clash", include_str!("verbs/clash.txt"), "redis");
}

#[test]
fn the_mastership_passes_on_builtin() {
    play("succession", include_str!("verbs/succession.txt"), "builtin");
}

#[test]
fn the_mastership_passes_on_redis() {
    play("succession", include_str!("verbs/succession.txt"), "redis");
}

#[test]
fn waiting_for_a_condition_builtin() {
    play("wait", include_str!("verbs/wait.txt"), "builtin");
}

#[test]
fn waiting_for_a_condition_redis() {
    play("wait", include_str!("verbs/wait.txt"), "redis");
}

#[test]
fn plans_and_addresses_builtin() {
    play("plan", include_str!("verbs/plan.txt"), "builtin");
}

#[test]
fn plans_and_addresses_redis() {
    play("plan", include_str!("verbs/plan.txt"), "redis");
}

#[test]
fn a_file_to_begin_with() {
    play("init", include_str!("verbs/init.txt"), "builtin");
}

#[test]
fn a_set_for_one_command() {
    play("exec", include_str!("verbs/exec.txt"), "builtin");
}

#[test]
fn links_are_broken_and_healed_builtin() {
    play("faults", include_str!("verbs/faults.txt"), "builtin");
}

#[test]
fn looking_at_a_set_builtin() {
    play("see", include_str!("verbs/see.txt"), "builtin");
}

#[test]
fn do_nodes_hold_the_same_builtin() {
    play("verify", include_str!("verbs/verify.txt"), "builtin");
}

#[test]
fn looking_at_a_set_redis() {
    play("see", include_str!("verbs/see.txt"), "redis");
}

#[test]
fn do_nodes_hold_the_same_redis() {
    play("verify", include_str!("verbs/verify.txt"), "redis");
}

#[test]
fn links_are_broken_and_healed_redis() {
    play("faults", include_str!("verbs/faults.txt"), "redis");
}

#[test]
fn without_proxies_links_stay_whole_redis() {
    play("direct", include_str!("verbs/direct.txt"), "redis");
}

#[test]
fn writes_are_numbered_and_drilled() {
    play("load", include_str!("verbs/load.txt"), "builtin");
}

#[test]
fn a_master_that_stays_away_builtin() {
    play("autofailover", include_str!("verbs/autofailover.txt"), "builtin");
}

#[test]
fn a_master_that_stays_away_redis() {
    play("autofailover", include_str!("verbs/autofailover.txt"), "redis");
}

#[test]
fn a_set_without_rctl() {
    play("export", include_str!("verbs/export.txt"), "builtin");
}

fn play(name: &str, text: &str, engine: &str) {
    if engine == "redis" && !rig::redis_is_there(name) {
        return;
    }
    let text = text.replace("ENGINE", engine);
    let world = World::new();
    let mut strangers = Vec::new();
    let mut last = None;
    let mut lines = text.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        let moved = out(&world, line);
        if let Some(file) = line.strip_prefix("> ") {
            let mut content = String::new();
            for (_, line) in lines.by_ref().take_while(|(_, line)| *line != "<") {
                content.push_str(&out(&world, line));
                content.push('\n');
            }
            std::fs::write(world.dir.path().join(file), content).unwrap();
        } else if let Some(command) = moved.strip_prefix("$ ") {
            let is_step = |line: &str| ["$ ", "% ", "> ", "# "].iter().any(|mark| line.starts_with(mark));
            let mut wanted = Vec::new();
            while let Some((_, line)) = lines.next_if(|(_, line)| !is_step(line)) {
                wanted.push(line.to_owned());
            }
            while wanted.last().is_some_and(String::is_empty) {
                wanted.pop();
            }
            let got = run(&world, command);
            let what = format!("{name}.txt:{}: $ {command}\n--- got\n{}", number + 1, got.join("\n"));
            assert!(fits(&wanted, &got), "{what}\n--- wanted\n{}", wanted.join("\n"));
        } else if let Some(port) = moved.strip_prefix("% hold ") {
            strangers.push(TcpListener::bind(("127.0.0.1", port.parse().unwrap())).unwrap());
        } else if let Some(command) = moved.strip_prefix("% ") {
            last = Some(send(command, last.take()));
        }
    }
}

/// Everything that came out, as a transcript has it.
fn run(world: &World, command: &str) -> Vec<String> {
    let args: Vec<&str> = command.split(' ').collect();
    let output = world.run(&args);
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!stdout.contains('\x1b') && !stderr.contains('\x1b'), "escape codes without a terminal");
    let mut lines: Vec<String> = stdout.lines().map(str::to_owned).collect();
    lines.extend(stderr.lines().map(|line| format!("! {line}")));
    match output.status.code() {
        Some(0) => {}
        code => lines.push(format!("= {}", code.unwrap_or(-1))),
    }
    lines.iter().map(|line| back(world, line)).collect()
}

/// Ports as written to ports as they are.
fn out(world: &World, line: &str) -> String {
    (0..10).fold(line.to_owned(), |line, at| {
        line.replace(&(6379 + at).to_string(), &(world.base + at).to_string())
    })
}

/// Ports as they are to ports as written; the test's own directory has no name.
fn back(world: &World, line: &str) -> String {
    let line = line.replace(world.dir.path().to_str().unwrap(), "[DIR]");
    (0..10).fold(line, |line, at| line.replace(&(world.base + at).to_string(), &(6379 + at).to_string()))
}

fn fits(wanted: &[String], got: &[String]) -> bool {
    match wanted.split_first() {
        None => got.is_empty(),
        Some((first, rest)) if first == "..." => (0..=got.len()).any(|skip| fits(rest, &got[skip..])),
        Some((first, rest)) => {
            got.split_first().is_some_and(|(line, more)| same(first, line) && fits(rest, more))
        }
    }
}

/// `[..]` is any text.
fn same(wanted: &str, got: &str) -> bool {
    let mut parts = wanted.trim_end().split("[..]");
    let Some(mut rest) = got.trim_end().strip_prefix(parts.next().unwrap()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// `SET 6379 key value`: the words without the port go to the node on it, and no error may come back. WAIT goes over the
/// connection of the write before it: it waits for that one's writes only.
fn send(command: &str, last: Option<(u16, TcpStream)>) -> (u16, TcpStream) {
    let words: Vec<&str> = command.split(' ').collect();
    let port: u16 = words[1].parse().unwrap();
    let mut stream = match last {
        Some((same, stream)) if words[0] == "WAIT" && same == port => stream,
        _ => TcpStream::connect(("127.0.0.1", port)).unwrap(),
    };
    let line = [&words[..1], &words[2..]].concat().join(" ");
    stream.write_all(format!("{line}\r\n").as_bytes()).unwrap();
    let mut reply = [0; 64];
    let count = loop {
        match stream.read(&mut reply) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            other => break other.unwrap(),
        }
    };
    assert!(count > 0 && reply[0] != b'-', "{command}: {}", String::from_utf8_lossy(&reply[..count]));
    (port, stream)
}

#[test]
fn the_wildcards_mean_what_they_say() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(fits(&lines("a\n...\nz"), &lines("a\nb\nc\nz")) && fits(&lines("a\n...\nz"), &lines("a\nz")));
    assert!(!fits(&lines("a"), &lines("a\nb")) && !fits(&lines("a\nb"), &lines("a")));
    assert!(same("x [..] z", "x y z") && !same("x [..] z", "x y") && !same("x", "xy"));
}
