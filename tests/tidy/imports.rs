//! Imports run one way, and what decides touches nothing.
//!
//! A crate's `lib.rs` lists its rooms from the bottom up; a room names only itself and rooms that stand above it in that
//! list. Doing is confined to named places: below the server's shell, and in the controller's deciding parts, there is
//! no clock, socket, file, thread, environment or entropy, and no crate that has them.

use crate::none;
use crate::source::{Source, read, sources};

/// The controller's pure parts: rooms, and files of the supervising room.
const DECIDES: [&str; 13] = [
    "src/topology/check.rs",
    "src/topology/directives.rs",
    "src/topology/file.rs",
    "src/topology/links.rs",
    "src/topology/problem.rs",
    "src/plan/",
    "src/status/",
    "src/watch/",
    "src/supervise/supervisor.rs",
    "src/supervise/unit.rs",
    "src/supervise/guard.rs",
    "src/supervise/event.rs",
    "src/supervise/facts.rs",
];

/// What reaches outside. A name of an address (`IpAddr`) does not.
const OUTSIDE: [&str; 21] = [
    "std::net::Tcp",
    "std::net::Udp",
    "std::net::{",
    "std::fs",
    "std::env",
    "std::thread",
    "std::process",
    "std::os",
    "Instant",
    "SystemTime",
    "UNIX_EPOCH",
    "RandomState",
    "getrandom",
    "rand::",
    "tokio::",
    "mio::",
    "socket2::",
    "nix::sys",
    "nix::unistd",
    "rustix::",
    "signal_hook::",
];

/// Crates with system calls in them, which the server's core may not name at all.
const SYSTEM_CRATES: [&str; 4] = ["libc::", "nix::", "tz::", "mimalloc::"];

/// The rooms of a crate, bottom first, as its `lib.rs` lists them.
fn rooms(lib: &str) -> Vec<String> {
    let name = |line: &str| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned());
    lib.lines().filter_map(name).collect()
}

/// The room a file belongs to: `src/node/info.rs` and `src/node.rs` are both `node`.
fn room_of<'a>(path: &'a str, root: &str) -> Option<&'a str> {
    let inside = path.strip_prefix(root)?;
    inside.split('/').next().map(|first| first.trim_end_matches(".rs"))
}

/// The first names that follow `crate::` in a piece of code; `crate::{a, b::c}` names a and b.
fn named(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in code.split("crate::").skip(1) {
        let Some(group) = part.strip_prefix('{') else {
            found.push(word(part));
            continue;
        };
        let (mut depth, mut start) = (0, true);
        for (at, byte) in group.bytes().enumerate() {
            match byte {
                b'{' => depth += 1,
                b'}' if depth == 0 => break,
                b'}' => depth -= 1,
                b',' if depth == 0 => start = true,
                byte if start && byte.is_ascii_alphabetic() => {
                    found.push(word(&group[at..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    found
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

/// Every import that runs upwards, in the files of one crate.
fn upward(root: &str, rooms: &[String], sources: &[Source]) -> Vec<String> {
    let place = |name: &str| rooms.iter().position(|room| room == name);
    let mut problems = Vec::new();
    for source in sources {
        let Some(own) = room_of(&source.path, root).and_then(place) else { continue };
        // Joined, so that a group of imports over several lines is seen whole; a line is found again by its text.
        let code: Vec<&str> = source.code(true).map(|(_, code)| code).collect();
        for name in named(&code.join("\n")) {
            if place(&name).is_some_and(|other| other > own) {
                problems.push(format!(
                    "{}: names crate::{name}, which stands above {}; move the shared part down",
                    source.path, rooms[own]
                ));
            }
        }
    }
    problems
}

/// Every place where code that decides reaches outside.
fn reaching(source: &Source, banned: &[&str]) -> Vec<String> {
    let whole = |code: &str, name: &str| {
        code.match_indices(name).any(|(at, _)| {
            let before = code[..at].chars().next_back();
            !before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == '"')
        })
    };
    let code = source.code(false);
    code.flat_map(|(line, code)| banned.iter().map(move |name| (line, code, *name)))
        .filter(|(_, code, name)| whole(code, name))
        .map(|(line, _, name)| {
            format!(
                "{}:{line}: {name} below what does things; take it as an argument or ask the sink",
                source.path
            )
        })
        .collect()
}

fn server() -> Vec<Source> {
    sources(&["server/src"], &[".rs"])
}

#[test]
fn imports_run_one_way_in_the_server() {
    let rooms = rooms(&read("server/src/lib.rs"));
    assert_eq!(rooms.last().map(String::as_str), Some("shell"), "the shell is the top room");
    none("imports run one way", &upward("server/src/", &rooms, &server()));
}

#[test]
fn imports_run_one_way_in_the_controller() {
    let rooms = rooms(&read("src/lib.rs"));
    assert_eq!(rooms.first().map(String::as_str), Some("error"), "errors are the bottom room");
    none("imports run one way", &upward("src/", &rooms, &sources(&["src"], &[".rs"])));
}

#[test]
fn the_server_knows_nothing_of_the_controller() {
    let problems: Vec<String> = server()
        .iter()
        .flat_map(|source| source.code(true).map(move |(line, code)| (source, line, code)))
        .filter(|(_, _, code)| code.contains("rctl::"))
        .map(|(source, line, _)| format!("{}:{line}: names the controller", source.path))
        .collect();
    none("the server stands alone", &problems);
}

#[test]
fn nothing_below_the_shell_reaches_outside() {
    let banned: Vec<&str> = OUTSIDE.iter().chain(&SYSTEM_CRATES).copied().collect();
    let below = |path: &str| !path.starts_with("server/src/shell/") && path != "server/src/main.rs";
    let problems: Vec<String> =
        server().iter().filter(|source| below(&source.path)).flat_map(|s| reaching(s, &banned)).collect();
    none("the server's core is pure", &problems);
}

#[test]
fn what_decides_in_the_controller_reaches_nothing() {
    let sources = sources(&DECIDES, &[".rs"]);
    for place in DECIDES {
        assert!(
            sources.iter().any(|source| source.path.starts_with(place)),
            "{place} is gone: correct the list"
        );
    }
    let problems: Vec<String> = sources.iter().flat_map(|source| reaching(source, &OUTSIDE)).collect();
    none("deciding is pure", &problems);
}

#[test]
fn the_laws_see_what_breaks_them() {
    let sample = |text: &str| Source { path: "src/data/x.rs".into(), text: text.into() };
    let rooms: Vec<String> = ["data", "node"].map(String::from).into();
    let broken = |text: &str| upward("src/", &rooms, &[sample(text)]).len();
    assert_eq!(broken("use crate::node::Node;"), 1);
    assert_eq!(broken("use crate::{\n    data::A,\n    node::{self, Node},\n};"), 1);
    assert_eq!(broken("use crate::data::A; // as crate::node says"), 0);
    assert_eq!(reaching(&sample("let at = Instant::now();"), &OUTSIDE).len(), 1);
    assert_eq!(reaching(&sample("use std::net::IpAddr;"), &OUTSIDE).len(), 0);
    assert_eq!(reaching(&sample("/// No std::fs here.\n#[cfg(test)]\nuse std::fs;"), &OUTSIDE).len(), 0);
}
