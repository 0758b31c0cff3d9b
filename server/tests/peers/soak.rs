//! Random requests of every command and type, with deadlines and in transactions: replicated from and to real servers with
//! cut links, and answered side by side with a real server.

use std::collections::BTreeSet;
use std::io::Write as _;

use rctl_server::command::{Flags, TABLE};
use rctl_server::resp::value::Value;

use crate::client::{Client, encode};
use crate::compare::assert_same;
use crate::load::{Dice, seed};
use crate::node::{Brand, Node};

use Brand::{Ours, Redis70};

/// Requests in each soak of CI; `RCTL_SOAK` asks for more.
const REQUESTS: u64 = 6000;

/// Writing commands that the list leaves out, and why.
const LEFT_OUT: [(&str, &str); 6] = [
    ("flushall", "would leave nothing to compare; the load of the cuts has it"),
    ("flushdb", "as FLUSHALL"),
    ("swapdb", "the load of the cuts has it"),
    ("restore", "needs the payload of a DUMP; the stories of RDB forms have it"),
    ("migrate", "needs a second server"),
    ("georadius_ro", "no writing command"),
];

/// How replies are compared; see the head of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compared {
    Equal,
    Unordered,
    Newer,
    Never,
}

/// One line of the list.
#[derive(Debug, Clone)]
struct Operation {
    compared: Compared,
    template: &'static str,
}

fn operations() -> Vec<Operation> {
    let known = |template: &str| {
        let name = template.split([' ', '<', '[']).next().unwrap_or_default();
        rctl_server::command::lookup(name.as_bytes()).is_some()
    };
    let lines = include_str!("soak/operations.txt").lines();
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#') && known(line.get(2..).unwrap_or_default()))
        .map(|line| {
            let (mark, template) = line.split_once(' ').unwrap();
            let compared = match mark {
                "=" => Compared::Equal,
                "~" => Compared::Unordered,
                "8" => Compared::Newer,
                "?" => Compared::Never,
                other => panic!("{other}: {line}"),
            };
            assert!(known(template), "no such command: {line}");
            Operation { compared, template }
        })
        .collect()
}

#[test]
fn the_list_has_every_writing_command() {
    let listed: BTreeSet<String> = operations()
        .iter()
        .map(|operation| operation.template.split(' ').next().unwrap_or_default().to_ascii_lowercase())
        .collect();
    let missing: Vec<&str> = TABLE
        .iter()
        .filter(|command| command.flags.has(Flags::WRITE) && command.subcommands.is_empty())
        .map(|command| command.name)
        .filter(|name| !listed.contains(*name) && !LEFT_OUT.iter().any(|(left, _)| left == name))
        .collect();
    assert_eq!(missing, [""; 0], "give each a line in operations.txt");
}

/// The words of one request.
fn request(template: &str, dice: &mut Dice) -> Vec<Vec<u8>> {
    let mut text = Vec::new();
    expand(template, dice, &mut text);
    text.split(|&byte| byte == b' ').filter(|word| !word.is_empty()).map(unescape).collect()
}

/// Spaces within a value are written as a byte that no value has.
const SPACE: u8 = 0x1f;

fn unescape(word: &[u8]) -> Vec<u8> {
    if word == b"''" {
        return Vec::new();
    }
    word.iter().map(|&byte| if byte == SPACE { b' ' } else { byte }).collect()
}

/// Writes a template with its choices made; a letter behind a backslash stands for itself.
fn expand(template: &str, dice: &mut Dice, out: &mut Vec<u8>) {
    let mut rest = template;
    while let Some(first) = rest.chars().next() {
        if first == '\\' {
            out.extend(rest.as_bytes().get(1));
            rest = rest.get(2..).unwrap();
            continue;
        }
        if !"[<({".contains(first) {
            out.push(u8::try_from(first).unwrap());
            rest = rest.get(1..).unwrap();
            continue;
        }
        let end = group_end(rest);
        let inner = rest.get(1..end).unwrap();
        match first {
            '[' => {
                let most = if dice.below(20) == 0 { 200 } else { 4 };
                for _ in 0..=dice.below(most) {
                    expand(inner, dice, out);
                    out.push(b' ');
                }
            }
            '<' if dice.below(2) == 0 => expand(inner, dice, out),
            '<' => {}
            '(' => expand(dice.pick(&choices(inner)), dice, out),
            _ => out.extend(value(inner, dice)),
        }
        rest = rest.get(end + 1..).unwrap();
    }
}

/// Where the group at the start of `text` ends.
fn group_end(text: &str) -> usize {
    let mut depth = 0;
    let mut escaped = false;
    let end = text.bytes().position(|letter| {
        if !std::mem::replace(&mut escaped, letter == b'\\') {
            depth += i32::from(b"[<({".contains(&letter)) - i32::from(b"]>)}".contains(&letter));
        }
        depth == 0
    });
    end.unwrap_or_else(|| panic!("an open group: {text}"))
}

/// The alternatives of a choice, at its own depth.
fn choices(inner: &str) -> Vec<&str> {
    let mut depth = 0;
    let mut escaped = false;
    let split = |letter: char| {
        if !std::mem::replace(&mut escaped, letter == '\\') {
            depth += i32::from("[<({".contains(letter)) - i32::from("]>)}".contains(letter));
        }
        letter == '|' && depth == 0
    };
    inner.split(split).collect()
}

const KEYS: [&str; 10] = ["string", "num", "bits", "hll", "list", "set", "hash", "zset", "geo", "stream"];

fn value(name: &str, dice: &mut Dice) -> Vec<u8> {
    let number =
        |low: i64, high: i64, dice: &mut Dice| low + dice.below((high - low).unsigned_abs()).cast_signed();
    let text = match name {
        "v" => return content(dice),
        "any" => {
            let kind = dice.pick(&KEYS);
            format!("{kind}:{}", dice.below(6))
        }
        // A key of another type, now and then: that is refused, and changes nothing.
        kind if KEYS.contains(&kind) && dice.below(40) == 0 => {
            format!("{}:{}", dice.pick(&KEYS), dice.below(6))
        }
        kind if KEYS.contains(&kind) => format!("{kind}:{}", dice.below(6)),
        // Ranges by name mean something only where all scores are equal: nothing else touches these keys.
        "lex" => format!("lex:{}", dice.below(3)),
        "m" => format!("{}{}", dice.pick(&["a", "b", "member-", ""]), dice.below(300)),
        "f" => {
            let fields = if dice.below(3) == 0 { 1000 } else { 20 };
            format!("field{}", dice.below(fields))
        }
        "n" => number(-12, 20, dice).to_string(),
        "i" => number(-1_000_000, 1_000_000, dice).to_string(),
        "d" => dice.pick(&["0", "1.5", "-2.25", "1e3", "3.0", "0.125", "17", "-7", "12345678.5"]).to_owned(),
        "min" => dice.pick(&["-inf", "(1", "-5", "0", "2.5"]).to_owned(),
        "max" => dice.pick(&["+inf", "(10", "5", "1000", "2.5"]).to_owned(),
        "pos" => number(0, 40, dice).to_string(),
        "bit" => number(0, 5000, dice).to_string(),
        "count" => number(1, 6, dice).to_string(),
        "far" => number(100_000, 200_000, dice).to_string(),
        "at" => number(4_000_000_000, 4_100_000_000, dice).to_string(),
        "lon" => format!("{}.{}", number(-170, 170, dice), number(0, 99999, dice)),
        "lat" => format!("{}.{}", number(-80, 80, dice), number(0, 99999, dice)),
        "id" => format!("{}-{}", number(1, 60, dice), number(0, 4, dice)),
        "big" => number(50, 90, dice).to_string(),
        "grp" => format!("group{}", dice.below(2)),
        "who" => format!("who{}", dice.below(3)),
        other => panic!("no such value: {other}"),
    };
    text.into_bytes()
}

/// Short and long, numbers and bytes of any kind.
fn content(dice: &mut Dice) -> Vec<u8> {
    match dice.below(14) {
        0 => dice.below(1 << 40).to_string().into_bytes(),
        1 => b"''".to_vec(),
        2 => vec![b'x'; usize::try_from(dice.below(2500)).unwrap()],
        3 => {
            let bytes = (0..=dice.below(20)).flat_map(|_| dice.next().to_le_bytes());
            bytes.map(|byte| if byte == b' ' || byte == SPACE { SPACE } else { byte }).collect()
        }
        4 => format!("-{}", dice.below(70_000)).into_bytes(),
        5 if dice.below(30) == 0 => vec![b'L'; 20_000],
        _ => format!("v{}", dice.below(60)).into_bytes(),
    }
}

/// How many requests a soak sends.
fn requests() -> u64 {
    std::env::var("RCTL_SOAK").ok().and_then(|text| text.parse().ok()).unwrap_or(REQUESTS)
}

/// A pipeline of requests, some of them transactions; the template behind each reply.
fn pipeline(operations: &[Operation], dice: &mut Dice, out: &mut Vec<u8>) -> Vec<Option<Operation>> {
    let mut replies = Vec::new();
    for _ in 0..50 {
        let more = if dice.below(20) == 0 { dice.below(5) } else { 0 };
        if more > 0 {
            encode(out, &[b"MULTI"]);
            replies.push(None);
        }
        for _ in 0..=more {
            let operation = dice.pick(operations);
            let words = request(operation.template, dice);
            encode(out, &words.iter().map(Vec::as_slice).collect::<Vec<_>>());
            replies.push(Some(operation));
        }
        if more > 0 {
            encode(out, &[b"EXEC"]);
            replies.push(None);
        }
    }
    replies
}

/// Sends pipelines to `node` until enough requests were sent, and cuts the links of its replicas now and then.
fn soak(node: &Node, dice: &mut Dice) {
    let operations = operations();
    let mut client = node.client();
    let mut sent = 0;
    while sent < requests() {
        let mut bytes = Vec::new();
        let replies = pipeline(&operations, dice, &mut bytes);
        client.stream.write_all(&bytes).unwrap();
        for operation in &replies {
            let reply = client.reply().unwrap();
            if let Value::Error(why) = &reply {
                assert!(!why.contains("unknown command"), "{why}: {operation:?}");
            }
        }
        sent += replies.len() as u64;
        if dice.below(12) == 0 {
            node.ask("CLIENT KILL TYPE replica");
        }
    }
}

/// All hold the same, and nobody complained of what it was sent.
fn hold_the_same(nodes: &[&Node]) {
    assert_same(nodes);
    nodes.iter().for_each(|node| node.assert_no_complaint());
}

#[test]
fn replicas_of_ours_follow_every_command_through_cut_links() {
    let mut dice = Dice::new(seed(41));
    let nodes = [Ours, Redis70, Ours, Redis70].map(|brand| Node::start(brand, &[]));
    let [Some(master), Some(real), Some(ours), Some(below)] = nodes else { return };
    real.follow(&master);
    ours.follow(&master);
    below.follow(&ours);
    soak(&master, &mut dice);
    hold_the_same(&[&master, &real, &ours, &below]);
}

#[test]
fn ours_follows_every_command_of_a_real_master_through_cut_links() {
    let mut dice = Dice::new(seed(42));
    let nodes = [Redis70, Ours, Redis70, Ours].map(|brand| Node::start(brand, &[]));
    let [Some(master), Some(ours), Some(below), Some(last)] = nodes else { return };
    ours.follow(&master);
    below.follow(&ours);
    last.follow(&below);
    soak(&master, &mut dice);
    hold_the_same(&[&master, &ours, &below, &last]);
}

#[test]
fn ours_answers_as_a_real_server_does() {
    let mut dice = Dice::new(seed(43));
    let [Some(ours), Some(real)] = [Ours, Redis70].map(|brand| Node::start(brand, &[])) else { return };
    let same: Vec<Operation> = operations()
        .into_iter()
        .filter(|operation| matches!(operation.compared, Compared::Equal | Compared::Unordered))
        .collect();
    let mut clients = [ours.client(), real.client()];
    let mut sent = 0;
    while sent < requests() {
        let mut bytes = Vec::new();
        let replies = pipeline(&same, &mut dice, &mut bytes);
        let [one, two] = clients.each_mut().map(|client| answers(client, &bytes, replies.len()));
        let mut queued = Vec::new();
        for (at, operation) in replies.iter().enumerate() {
            let (one, two) = (&one[at], &two[at]);
            let context = || format!("request {} of this pipeline, {operation:?}", at + 1);
            match operation {
                Some(operation) if is_queued(two) => queued.push(operation.compared),
                Some(operation) => assert_eq!(
                    ordered(one, operation.compared),
                    ordered(two, operation.compared),
                    "{}",
                    context()
                ),
                None => compare_transaction(one, two, &std::mem::take(&mut queued)),
            }
        }
        sent += replies.len() as u64;
    }
    assert_eq!(ours.ask("DEBUG DIGEST"), real.ask("DEBUG DIGEST"));
}

fn answers(client: &mut Client, bytes: &[u8], count: usize) -> Vec<Value> {
    client.stream.write_all(bytes).unwrap();
    (0..count).map(|_| client.reply().unwrap()).collect()
}

fn is_queued(reply: &Value) -> bool {
    matches!(reply, Value::Simple(text) if text == "QUEUED")
}

/// The replies of an EXEC, one by one; what stands before and behind a transaction is equal anyway.
fn compare_transaction(one: &Value, two: &Value, queued: &[Compared]) {
    let (Value::Array(ones), Value::Array(twos)) = (one, two) else {
        assert_eq!(one, two);
        return;
    };
    assert_eq!((ones.len(), twos.len()), (queued.len(), queued.len()), "{one:?} and {two:?}");
    for ((one, two), compared) in ones.iter().zip(twos).zip(queued) {
        assert_eq!(ordered(one, *compared), ordered(two, *compared));
    }
}

/// A reply, sorted if its order means nothing.
fn ordered(reply: &Value, compared: Compared) -> Value {
    match reply {
        Value::Array(items) if compared == Compared::Unordered => {
            let mut items = items.clone();
            items.sort_by_key(|item| format!("{item:?}"));
            Value::Array(items)
        }
        other => other.clone(),
    }
}
