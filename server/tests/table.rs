//! Tests over the command table: its two halves agree with each other, and it agrees with a real redis-server.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[expect(
    dead_code,
    clippy::panic,
    reason = "each driver uses its part of the rig; a test fails by panicking"
)]
mod rig;

use rctl_server::command::context::{Context, Expiry, Settings};
use rctl_server::command::spec::{Begin, Find, KeySpec, NOT_KEY};
use rctl_server::command::synopsis::{Part, Sequence, arguments, parse, type_of};
use rctl_server::command::{Command, Effects, Flags, Handler, TABLE, catalog};
use rctl_server::data::Rng;
use rctl_server::keyspace::Keyspace;
use rctl_server::resp::request::OwnedArgs;
use rctl_server::resp::{Reply, Value, value};
use rig::real::Real;
use rig::session::{Rig, Wait};
use std::collections::BTreeSet;

/// Every row, containers and subcommands alike.
fn rows() -> impl Iterator<Item = &'static Command> {
    TABLE.iter().flat_map(|command| std::iter::once(command).chain(command.subcommands))
}

#[test]
fn the_arity_of_a_row_is_what_its_synopsis_says() {
    // QUIT takes anything and looks at none of it; a container is counted with the word of its subcommand.
    let oddities = ["quit", "command"];
    for command in rows().filter(|command| !oddities.contains(&command.name)) {
        if matches!(command.handler, Handler::Container) {
            assert_eq!(command.arity, -2, "{}", command.name);
            continue;
        }
        let words = command.name.split('|').count();
        let (least, more) = arguments(&parse(command.synopsis));
        let counted = i16::try_from(least + words).unwrap();
        // What takes either of two shapes, of which one repeats, cannot be shorter than one word of it.
        let counted = if command.name == "client|kill" { counted + 1 } else { counted };
        assert_eq!(command.arity, if more { -counted } else { counted }, "{}", command.name);
    }
}

#[test]
fn names_are_unique_and_sorted_within_their_group() {
    for group in TABLE.chunk_by(|a, b| a.group == b.group) {
        assert!(group.is_sorted_by(|a, b| a.name < b.name), "group {}", group[0].group);
    }
    let groups: Vec<&str> = TABLE.chunk_by(|a, b| a.group == b.group).map(|group| group[0].group).collect();
    assert_eq!(
        groups.iter().collect::<BTreeSet<_>>().len(),
        groups.len(),
        "a group in two places: {groups:?}"
    );
    for command in TABLE {
        assert!(command.subcommands.is_sorted_by(|a, b| a.name < b.name), "{}", command.name);
        for sub in command.subcommands {
            assert_eq!(sub.name.split_once('|').map(|(container, _)| container), Some(command.name));
            assert_eq!(sub.group, command.group, "{}", sub.name);
        }
    }
    let names: BTreeSet<&str> = rows().map(|command| command.name).collect();
    assert_eq!(names.len(), rows().count());
    assert!(rows().all(|command| command.name == command.name.to_ascii_lowercase()));
}

#[test]
fn a_row_reads_or_writes_and_never_both() {
    for command in rows() {
        let (reads, writes) = (command.flags.has(Flags::READONLY), command.flags.has(Flags::WRITE));
        assert!(!(reads && writes), "{}", command.name);
        assert!(
            writes || !command.flags.has(Flags::DENYOOM),
            "{} needs memory but does not write",
            command.name
        );
        let kinds = command.keys.iter().filter_map(|spec| spec.access.split(' ').next());
        let kinds = kinds.filter(|kind| *kind != NOT_KEY);
        for kind in kinds {
            assert!(["RO", "RW", "OW", "RM"].contains(&kind), "{}: {kind}", command.name);
            // PFCOUNT may store what it counted, and is a reading command nevertheless.
            // What a script does to its keys is not known before it runs.
            let unknown = command.group == "scripting";
            let may = writes || unknown || command.flags.has(Flags::MAY_REPLICATE);
            assert!(may || kind == "RO", "{} changes a key but does not write", command.name);
        }
    }
}

#[test]
fn keys_are_where_the_synopsis_says() {
    // Keys behind a number or a word depend on the request: the transcripts of `COMMAND GETKEYS` show them.
    let plain = |spec: &KeySpec| matches!((spec.begin, spec.find), (Begin::Index(_), Find::Range { .. }));
    for command in rows().filter(|command| command.keys.iter().all(plain)) {
        let words = command.name.split('|').count();
        let mut wanted = BTreeSet::new();
        let sequence = parse(command.synopsis);
        for (index, part) in sequence.parts.iter().enumerate() {
            match part {
                Part::Value(name) if type_of(name).1 == "key" => {
                    wanted.insert(index + words);
                }
                Part::Optional(choices) => {
                    let keyed = |choice: &Sequence| {
                        choice
                            .parts
                            .iter()
                            .any(|part| matches!(part, Part::Value(name) if type_of(name).1 == "key"))
                    };
                    let repeated =
                        command.keys.iter().any(|spec| matches!(spec.find, Find::Range { last: ..0, .. }));
                    assert_eq!(choices.iter().any(keyed), repeated && keyed(&choices[0]), "{}", command.name);
                }
                _ => {}
            }
        }
        let shortest = usize::from(command.arity.unsigned_abs());
        let args = OwnedArgs::from_slices(&vec!["x"; shortest]);
        let found: BTreeSet<usize> = rctl_server::command::keys_of(command, args.args()).collect();
        assert_eq!(found, wanted, "{}", command.name);
    }
}

#[test]
fn every_row_says_what_it_is_for() {
    for command in rows() {
        assert!(!command.summary.is_empty() && !command.summary.ends_with('.'), "{}", command.name);
        assert!(command.since.split('.').count() == 3, "{}", command.name);
        assert!(!command.complexity.is_empty() && !command.group.is_empty(), "{}", command.name);
        assert_eq!(
            matches!(command.handler, Handler::Container),
            command.synopsis.is_empty() && !command.subcommands.is_empty() && command.name != "command",
            "{}",
            command.name
        );
    }
}

/// Rows that speak to a replica, to an observer or to the process: the stories of replication and the tests over real sockets
/// exercise them.
const ELSEWHERE: &[&str] = &["monitor", "psync", "replconf", "shutdown", "sync"];

#[test]
fn every_row_is_exercised_by_a_transcript() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/commands");
    let mut met = BTreeSet::new();
    for file in std::fs::read_dir(dir).expect("the transcripts") {
        let text = std::fs::read_to_string(file.expect("a file").path()).expect("text");
        for line in text.lines().filter(|line| !line.starts_with([' ', '#', '='])) {
            let words: Vec<&str> = line.trim_start_matches("raw \"").split([' ', '\\']).collect();
            let count = words.len().min(2);
            met.extend(
                rctl_server::command::resolve(OwnedArgs::from_slices(&words[..count]).args())
                    .map(|row| row.name),
            );
        }
    }
    let containers = |row: &&Command| !matches!(row.handler, Handler::Container);
    let missing: Vec<&str> = rows()
        .filter(containers)
        .map(|row| row.name)
        .filter(|name| !met.contains(name) && !ELSEWHERE.contains(name))
        .collect();
    assert_eq!(missing, Vec::<&str>::new(), "no transcript in tests/commands has a request of this name");
}

/// Rows of ours that redis-server 7.0 does not have, and why we have them.
const OURS: &[(&str, &str)] = &[
    ("client|no-touch", "clients of Redis 7.2 ask for it"),
    ("client|setinfo", "clients of Redis 7.2 introduce themselves with it"),
    ("debug|", "there, the words behind DEBUG are arguments"),
    ("host:", "there, it is caught before the table is looked at"),
    ("waitaof", "new in 7.2"),
    ("post", "there, it is caught before the table is looked at"),
    ("zrank", "Redis 7.2 takes WITHSCORE"),
    ("zrevrank", "Redis 7.2 takes WITHSCORE"),
];

#[test]
fn rows_are_what_a_real_redis_server_reports() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let Some(mut real) = Real::start::<&str>(dir.path(), &[]) else { return };
    let mut compared = 0;
    for command in rows() {
        if OURS
            .iter()
            .any(|(name, _)| command.name == *name || name.ends_with('|') && command.name.starts_with(name))
        {
            continue;
        }
        let ours = normal(reported(command.name), command.name);
        let theirs = normal(asked(&mut real, command.name), command.name);
        assert_eq!(ours, theirs, "{}", command.name);
        compared += 1;
    }
    assert!(compared > 100, "only {compared} rows were compared");
}

/// COMMAND INFO of one name, by our handler.
fn reported(name: &str) -> Value {
    let (mut keyspace, mut rng) = (Keyspace::new(1, 0), Rng::new(0));
    let (mut reply, mut effects) = (Reply::default(), Effects::default());
    let mut context = Context {
        keyspace: &mut keyspace,
        db: 0,
        now_ms: 0,
        expiry: Expiry::Delete,
        rng: &mut rng,
        reply: &mut reply,
        effects: &mut effects,
        settings: &Settings::default(),
        touches: true,
    };
    let args = OwnedArgs::from_slices(&["COMMAND", "INFO", name]);
    catalog::info(&mut context, args.args()).expect("COMMAND INFO does not fail");
    read(reply.bytes())
}

/// COMMAND INFO of one name, by a real server.
fn asked(real: &mut Real, name: &str) -> Value {
    real.send("a", format!("COMMAND INFO {name}\r\n").as_bytes());
    let mut bytes = Vec::new();
    loop {
        bytes.extend(real.take("a", Wait::Long).0);
        if value::decode(&bytes).expect("a reply").is_some() {
            return read(&bytes);
        }
    }
}

fn read(bytes: &[u8]) -> Value {
    value::decode(bytes).expect("a reply").expect("a whole reply").0
}

/// A row in a form that can be compared: what is a set is sorted, notes in prose and subcommands are left out; the latter are
/// rows of their own.
fn normal(reply: Value, name: &str) -> Vec<String> {
    let Value::Array(mut rows) = reply else { panic!("{name}: {reply:?}") };
    let Some(Value::Array(fields)) = rows.pop() else { panic!("{name} is no command there") };
    let mut lines = Vec::new();
    for field in fields.iter().take(9) {
        match field {
            Value::Array(items) => {
                let mut items: Vec<String> = items.iter().map(without_notes).collect();
                items.sort();
                lines.push(items.join(", "));
            }
            other => lines.push(format!("{other:?}")),
        }
    }
    lines
}

fn without_notes(value: &Value) -> String {
    match value {
        Value::Array(items) => match items.as_slice() {
            [Value::Bulk(word), _, rest @ ..] if word == b"notes" => format!("{rest:?}"),
            items => format!("{items:?}"),
        },
        other => format!("{other:?}"),
    }
}
