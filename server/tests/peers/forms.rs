//! Every type in every form across the border: in files and in full resyncs, each way, digest by digest.

use std::io::Write as _;

use rctl_server::resp::value::Value;

use crate::client::{Client, encode, text};
use crate::compare::assert_same;
use crate::node::{Brand, Node};

use Brand::{Ours, Redis62, Redis70};

/// Words made of a number.
fn words(count: u32, word: impl Fn(u32) -> String) -> String {
    (0..count).map(word).collect::<Vec<_>>().join(" ")
}

/// Gives a node each type in each of its forms. What this build has no commands for is left out on it.
fn furnish(node: &Node) {
    let long = "L".repeat(9000);
    for (count, name) in [(1, "one"), (5, "few"), (100, "some"), (600, "many"), (5000, "most")] {
        for line in [
            format!("RPUSH list:{name} {}", words(count, |n| format!("element-{}", n * 37))),
            format!(
                "RPUSH numbers:{name} {}",
                words(count, |n| (i64::from(n) * 1_234_567 - 5000).to_string())
            ),
            format!("SADD ints:{name} {}", words(count, |n| (u64::from(n) * 70_000 * 70_000).to_string())),
            format!("SADD set:{name} {}", words(count, |n| format!("member-{n}"))),
            format!("HSET hash:{name} {}", words(count, |n| format!("field-{n} value-{}", n * n))),
            format!("ZADD zset:{name} {}", words(count, |n| format!("{}.5 member-{n}", n % 50))),
            format!("ZADD whole:{name} {}", words(count, |n| format!("{n} {n}"))),
        ] {
            let reply = node.ask(&line);
            assert!(reply.parse::<u32>().is_ok_and(|added| added == count), "{node:?}: {reply}");
        }
    }
    for line in [
        format!("RPUSH plain a {long} b {long}{long}"),
        "RPUSH repeats ".to_owned() + "the same and ".repeat(3000).trim_end(),
        "SADD mixed 1 2 three".to_owned(),
        format!("SADD wide x {long}"),
        format!("HSET wide:hash x {long} y 12"),
        // Scores that Redis 7.0 and 7.2 print alike: DEBUG DIGEST mixes their text.
        "ZADD ends -inf low inf high 0 zero -0.25 minus 1e20 huge 3.0000000000000004 near".to_owned(),
        format!("ZADD wide:zset 1 {long}"),
        "PFADD sketch a b c d e f".to_owned(),
        "SETBIT bits 100000 1".to_owned(),
        "PEXPIRE list:few 100000000".to_owned(),
        "PEXPIRE hash:many 100000000".to_owned(),
    ] {
        let reply = node.ask(&line);
        assert!(reply.parse::<u32>().is_ok(), "{node:?}: {line:.40}: {reply}");
    }
    if node.ask("COMMAND INFO xadd").contains("xadd") {
        for n in 1..=350 {
            node.must(&format!("XADD stream {n}-1 name value-{n} other {}", n * 3), &format!("{n}-1"));
        }
        node.must("XADD stream 351-7 different 1 fields 2 here 3", "351-7");
        node.must("XDEL stream 5-1 100-1 351-7", "3");
        node.must("XGROUP CREATE stream group 0", "OK");
        node.must("XGROUP CREATE stream idle $", "OK");
        node.ask("XREADGROUP GROUP group alice COUNT 20 STREAMS stream >");
        node.ask("XREADGROUP GROUP group bob COUNT 200 STREAMS stream >");
        node.must("XACK stream group 2-1 3-1", "2");
        node.must("XGROUP CREATE empty group $ MKSTREAM", "OK");
    }
}

/// A furnished node's file is loaded by another brand.
fn carried(from: Brand, to: Brand, options: &[&str]) {
    let (Some(one), Some(mut other)) = (Node::start(from, options), Node::start(to, &[])) else { return };
    furnish(&one);
    if to == Redis62 {
        // A stream that lost entries stands in our own files in the form of 7.0, which knows how many there were.
        one.ask("DEL stream");
    }
    one.must("SAVE", "OK");
    other.kill();
    std::fs::copy(one.dir().join("dump.rdb"), other.dir().join("dump.rdb")).unwrap();
    other.spawn();
    assert_eq!(other.ask("DBSIZE"), one.ask("DBSIZE"), "{from:?} to {to:?}");
    assert_eq!(other.ask("DEBUG DIGEST"), one.ask("DEBUG DIGEST"), "{from:?} to {to:?}");
    let same_names = (from, to) == (Ours, Redis70) || (from, to) == (Redis70, Ours);
    for key in ["ints:few", "ints:most", "hash:some", "hash:most", "zset:few", "zset:most"]
        .iter()
        .filter(|_| same_names)
    {
        let ask = format!("OBJECT ENCODING {key}");
        assert_eq!(other.ask(&ask), one.ask(&ask), "{key}");
    }
}

#[test]
fn our_files_of_every_type_are_loaded_by_redis() {
    carried(Ours, Redis70, &[]);
    carried(Ours, Redis70, &["--rdbcompression", "no"]);
    carried(Ours, Redis70, &["--repl-rdb-floor", "10"]);
    carried(Ours, Redis62, &[]);
}

#[test]
fn files_of_redis_with_every_type_are_loaded_by_us() {
    carried(Redis70, Ours, &[]);
    carried(Redis70, Ours, &["--rdbcompression", "no"]);
    carried(Redis62, Ours, &[]);
    carried(Ours, Ours, &[]);
}

/// The first is furnished, and each of the others follows the one before.
fn resynced(brands: &[Brand], options: &[&str]) {
    let Some(nodes) = brands
        .iter()
        .map(|&brand| Node::start(brand, if brand == Ours { options } else { &[] }))
        .collect::<Option<Vec<_>>>()
    else {
        return;
    };
    let nodes: Vec<&Node> = nodes.iter().collect();
    furnish(nodes[0]);
    for pair in nodes.windows(2) {
        pair[1].follow(pair[0]);
        pair[1].linked();
    }
    nodes[0].must("SET written afterwards", "OK");
    assert_same(&nodes);
}

#[test]
fn a_full_resync_of_every_type_is_equal_at_both_ends() {
    resynced(&[Ours, Ours], &[]);
    resynced(&[Ours, Redis70, Ours], &[]);
    resynced(&[Redis70, Ours, Redis70], &[]);
    resynced(&[Ours, Redis70], &["--repl-rdb-floor", "10"]);
    resynced(&[Ours, Redis62], &[]);
    resynced(&[Redis62, Ours], &[]);
}

#[test]
fn a_reload_changes_nothing() {
    let Some(ours) = Node::start(Ours, &["--enable-debug-command", "yes"]) else { return };
    furnish(&ours);
    let before = ours.ask("DEBUG DIGEST");
    ours.must("DEBUG RELOAD", "OK");
    assert_eq!(ours.ask("DEBUG DIGEST"), before);
}

/// Every value of a furnished node is dumped there and restored on another.
fn exchanged(from: Brand, to: Brand) {
    let (Some(one), Some(other)) = (Node::start(from, &[]), Node::start(to, &[])) else { return };
    furnish(&one);
    let (mut source, mut target) = (one.client(), other.client());
    let ask = |client: &mut Client, words: &[&[u8]]| {
        let mut bytes = Vec::new();
        encode(&mut bytes, words);
        client.stream.write_all(&bytes).unwrap();
        client.reply().unwrap()
    };
    let Value::Array(keys) = ask(&mut source, &[b"KEYS", b"*"]) else { panic!("no keys") };
    assert!(keys.len() > 40);
    for key in keys {
        let Value::Bulk(key) = key else { panic!("{key:?}") };
        let Value::Bulk(payload) = ask(&mut source, &[b"DUMP", &key]) else { panic!("nothing dumped") };
        ask(&mut source, &[b"PERSIST", &key]);
        let said = ask(&mut target, &[b"RESTORE", &key, b"0", &payload]);
        assert_eq!(text(&said), "OK", "{from:?} to {to:?}: {}", key.escape_ascii());
        let digest: [&[u8]; 3] = [b"DEBUG", b"DIGEST-VALUE", &key];
        assert_eq!(ask(&mut target, &digest), ask(&mut source, &digest), "{}", key.escape_ascii());
    }
}

#[test]
fn what_one_dumps_the_other_restores() {
    exchanged(Ours, Redis70);
    exchanged(Redis70, Ours);
    exchanged(Redis62, Ours);
    exchanged(Ours, Ours);
}
