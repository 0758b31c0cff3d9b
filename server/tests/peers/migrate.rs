//! MIGRATE: keys of every type between built-in and real servers.

use std::io::Write as _;

use crate::client::{encode, text};
use crate::node::{Brand, Node};

use Brand::{Ours, Redis70};

/// MIGRATE between brands, both ways: every type arrives whole, with its deadline, and leaves where it was.
fn moves_keys(from: Brand, to: Brand) {
    let (Some(from), Some(to)) = (Node::start(from, &[]), Node::start(to, &[])) else { return };
    for line in [
        "SET s text",
        "SET t later EX 5000",
        "RPUSH l a b c 17",
        "SADD i 1 2 3",
        "SADD m one two",
        "HSET h f v g 12",
        "ZADD z 1.5 one 2 two",
        "XADD x 1-1 f v",
        "SET stays here",
    ] {
        from.ask(line);
    }
    let keys = "s t l i m h z x";
    let digests = |node: &Node| node.ask(&format!("DEBUG DIGEST-VALUE {keys}"));
    let before = digests(&from);
    let host = format!("127.0.0.1 {}", to.port);
    from.must(&format!("MIGRATE {host} none 0 5000"), "NOKEY");
    let mut client = from.client();
    let all = |more: &str| {
        let mut words = format!("MIGRATE {host} \u{1} 0 5000 {more}KEYS {keys}");
        words.truncate(words.trim_end().len());
        words
    };
    let mut ask = |line: &str| {
        let words: Vec<Vec<u8>> = line
            .split(' ')
            .map(|word| if word == "\u{1}" { Vec::new() } else { word.as_bytes().to_vec() })
            .collect();
        let mut bytes = Vec::new();
        encode(&mut bytes, &words.iter().map(Vec::as_slice).collect::<Vec<_>>());
        client.stream.write_all(&bytes).unwrap();
        text(&client.reply().unwrap())
    };
    assert_eq!(ask(&all("COPY ")), "OK");
    assert_eq!((digests(&from), digests(&to)), (before.clone(), before.clone()));
    let busy = ask(&all(""));
    assert!(busy.contains("BUSYKEY"), "{busy}");
    assert_eq!(digests(&from), before, "what did not arrive stays");
    assert_eq!(ask(&all("REPLACE ")), "OK");
    assert_eq!(digests(&to), before);
    from.must("DBSIZE", "1");
    assert!(to.ask("TTL t").parse::<i64>().unwrap() > 4000);
    to.must("SET one back", "OK");
    let gone = ask("MIGRATE 127.0.0.1 1 stays 0 300");
    assert!(gone.starts_with("IOERR"), "{gone}");
    from.must("GET stays", "here");
}

#[test]
fn keys_move_to_and_from_a_real_server() {
    moves_keys(Ours, Redis70);
    moves_keys(Redis70, Ours);
    moves_keys(Ours, Ours);
}
