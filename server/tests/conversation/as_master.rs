//! We are the master: what a replica may ask, what it is answered, and when the stream begins.

use super::{PEER, Talk, cut_line};
use rctl_server::node::{Birth, Config, Node};
use rctl_server::sim::World;

#[test]
fn an_introduction_may_come_in_one_piece_and_gets_one_line_for_each_command() {
    let mut talk = Talk::with("");
    talk.say(
        PEER,
        "PING\r\nREPLCONF listening-port 7001\r\nREPLCONF ip-address 10.0.0.1\r\nREPLCONF capa eof capa psync2 capa dual-channel \
         capa unheard-of\r\nREPLCONF version 8.0.0\r\nREPLCONF shoe-size 43\r\nREPLCONF capa\r\n",
    );
    assert_eq!(
        talk.text(PEER),
        "+PONG\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n-ERR Unrecognized REPLCONF option: shoe-size\r\n-ERR syntax error\r\n"
    );
}

#[test]
fn nothing_follows_the_mark_of_a_snapshot_before_the_first_acknowledgement() {
    let mut talk = Talk::with("");
    talk.client("SET a 1");
    talk.ask(PEER, "REPLCONF capa eof capa psync2", "PSYNC ? -1");
    let bytes = talk.heard(PEER);
    let (answer, rest) = cut_line(&bytes);
    assert!(answer.starts_with("+FULLRESYNC ") && answer.ends_with(" 0"), "{answer}");
    let (header, body) = cut_line(rest);
    let mark = header.strip_prefix("$EOF:").expect("the streamed form");
    assert_eq!(mark.len(), 40);
    assert!(body.starts_with(b"REDIS0009") && body.ends_with(mark.as_bytes()));
    talk.client("SET b 2");
    talk.advance(15_000);
    assert_eq!(talk.text(PEER), "", "not even a ping");
    assert!(talk.info("slave0").contains("state=online,offset=0"));
    talk.say(PEER, "REPLCONF ACK 0\r\n");
    let stream = talk.text(PEER);
    let begin = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n2\r\n";
    assert!(stream.starts_with(begin), "{stream}");
    assert!(stream.ends_with("*1\r\n$4\r\nping\r\n"), "{stream}");
}

#[test]
fn who_does_not_know_marks_is_told_the_length_and_reads_the_stream_at_once() {
    for config in ["", "repl-diskless-sync no\n"] {
        let mut talk = Talk::with(config);
        let capa = if config.is_empty() { "capa psync2" } else { "capa eof" };
        talk.ask(PEER, &format!("REPLCONF {capa}"), "PSYNC ? -1");
        let bytes = talk.heard(PEER);
        let (_, rest) = cut_line(&bytes);
        let (header, body) = cut_line(rest);
        let length: usize = header.strip_prefix('$').and_then(|n| n.parse().ok()).expect("a length");
        assert_eq!(body.len(), length, "no end of line follows the snapshot");
        talk.client("SET b 2");
        assert!(talk.text(PEER).starts_with("*2\r\n$6\r\nSELECT"));
    }
}

#[test]
fn sync_gets_a_length_no_line_and_no_timeout() {
    let mut talk = Talk::with("repl-timeout 5\n");
    talk.say(PEER, "SYNC\r\n");
    let bytes = talk.heard(PEER);
    assert!(bytes.starts_with(b"$"), "no line before the snapshot");
    talk.advance(30_000);
    assert!(!talk.closed(PEER), "it never acknowledges");
    assert!(talk.info("slave0").contains("state=online"));
}

#[test]
fn who_wants_only_the_snapshot_is_closed_behind_it() {
    let mut talk = Talk::with("");
    talk.ask(PEER, "REPLCONF rdb-only 1 capa eof", "PSYNC ? -1");
    talk.world.settle();
    let (bytes, closed) = talk.world.take(PEER);
    assert!(closed && bytes.len() > 100);
}

#[test]
fn a_snapshot_without_keys_is_for_those_who_know_marks() {
    let mut talk = Talk::with("");
    talk.client("SET secret 1");
    talk.ask(PEER, "REPLCONF rdb-filter-only functions", "SYNC");
    assert_eq!(talk.text(PEER), "-ERR Filtered replica requires EOF capability\r\n");
    talk.ask(PEER, "REPLCONF capa eof", "SYNC");
    let bytes = talk.heard(PEER);
    assert!(!bytes.windows(6).any(|window| window == b"secret"));
    assert!(bytes.windows(5).any(|window| window == b"$EOF:"));
    talk.say("other", "REPLCONF rdb-filter-only keys\r\n");
    assert_eq!(talk.text("other"), "-ERR Unsupported rdb-filter-only option: keys\r\n");
}

#[test]
fn a_continuation_names_the_history_to_those_who_understand_it() {
    let mut talk = Talk::with("");
    let (id, _) = talk.attach(PEER);
    talk.client("SET a 1");
    for (name, capa, want) in [
        ("old", "capa eof", "+CONTINUE\r\n".to_owned()),
        ("new", "capa psync2", format!("+CONTINUE {id}\r\n")),
    ] {
        talk.say(name, &format!("REPLCONF {capa}\r\n"));
        talk.heard(name);
        // Upper case is the same id, and the wire counts from one.
        talk.say(name, &format!("PSYNC {} 1\r\n", id.to_uppercase()));
        let text = talk.text(name);
        assert!(text.starts_with(&format!("{want}*2\r\n$6\r\nSELECT")), "{text}");
    }
}

#[test]
fn at_the_upper_end_of_the_backlog_nothing_is_sent_and_beyond_it_everything() {
    let mut talk = Talk::with("");
    let (id, _) = talk.attach(PEER);
    talk.client("SET a 1");
    let end: u64 = talk.info("master_repl_offset").parse().expect("a number");
    talk.say("at the end", "REPLCONF capa psync2\r\n");
    talk.heard("at the end");
    talk.say("at the end", &format!("PSYNC {id} {}\r\n", end + 1));
    assert_eq!(talk.text("at the end"), format!("+CONTINUE {id}\r\n"));
    talk.say("beyond", &format!("PSYNC {id} {}\r\n", end + 2));
    assert!(talk.text("beyond").starts_with("+FULLRESYNC "));
    assert_eq!(
        talk.info("last_full_sync_reason"),
        format!("it is 1 bytes ahead of us ({}, we are at {end})", end + 1)
    );
}

#[test]
fn a_position_that_is_no_number_is_an_error_at_once() {
    let mut talk = Talk::with("");
    talk.say(PEER, "PSYNC ? x\r\n");
    assert_eq!(talk.text(PEER), "-ERR value is not an integer or out of range\r\n");
    assert_eq!(talk.info("connected_slaves"), "0");
    assert_eq!(talk.info("sync_full"), "0");
}

#[test]
fn who_has_unread_answers_cannot_become_a_replica() {
    let mut talk = Talk::with("");
    talk.say(PEER, "PING\r\nPSYNC ? -1\r\n");
    assert_eq!(talk.text(PEER), "+PONG\r\n-ERR SYNC and PSYNC are invalid with pending output\r\n");
}

#[test]
fn a_replica_that_waits_for_its_snapshot_is_given_a_newline_each_second() {
    let mut talk = Talk::with("repl-diskless-sync-delay 5\n");
    talk.say(PEER, "REPLCONF capa eof\r\n");
    talk.heard(PEER);
    talk.say(PEER, "PSYNC ? -1\r\n");
    assert_eq!(talk.text(PEER), "");
    assert!(talk.info("slave0").contains("state=wait_bgsave"));
    talk.advance(4500);
    let text = talk.text(PEER);
    assert!(text.bytes().all(|byte| byte == b'\n') && (4..=5).contains(&text.len()), "{text:?}");
    talk.advance(1000);
    let bytes = talk.heard(PEER);
    let start = bytes.iter().position(|&byte| byte != b'\n').expect("the snapshot begins");
    assert!(bytes[start..].starts_with(b"+FULLRESYNC "));
    talk.advance(5000);
    assert_eq!(talk.text(PEER), "", "none behind the snapshot: it would be counted");
}

#[test]
fn enough_waiting_replicas_end_the_delay() {
    let mut talk = Talk::with("repl-diskless-sync-delay 60\nrepl-diskless-sync-max-replicas 2\n");
    for name in ["one", "two"] {
        assert!(talk.text("one").is_empty());
        talk.say(name, "REPLCONF capa eof\r\n");
        talk.heard(name);
        talk.say(name, "PSYNC ? -1\r\n");
    }
    for name in ["one", "two"] {
        assert!(talk.text(name).starts_with("+FULLRESYNC "), "{name}");
    }
}

#[test]
fn a_bare_newline_from_a_replica_keeps_it_and_silence_does_not() {
    let mut talk = Talk::with("repl-timeout 5\n");
    talk.attach(PEER);
    for _ in 0..12 {
        talk.advance(1000);
        talk.say(PEER, "\n");
    }
    assert!(!talk.closed(PEER));
    talk.advance(7000);
    assert!(talk.closed(PEER));
}

#[test]
fn a_replica_gets_no_answers_and_its_acknowledgements_only_rise() {
    let mut talk = Talk::with("");
    talk.attach(PEER);
    talk.client("SET a 1");
    talk.heard(PEER);
    talk.say(PEER, "PING\r\nGET a\r\nREPLCONF ACK 50 FACK 50\r\nREPLCONF ACK 20\r\nPSYNC ? -1\r\n");
    assert_eq!(talk.text(PEER), "");
    assert!(talk.info("slave0").contains("offset=50,"));
    talk.say(PEER, "REPLCONF ACK 99999999\r\n");
    let end = talk.info("master_repl_offset");
    assert!(talk.info("slave0").contains(&format!("offset={end},")), "not more than it was given");
}

#[test]
fn wait_asks_in_the_stream_once_for_all_who_wait() {
    let mut talk = Talk::with("");
    talk.attach(PEER);
    talk.say("first", "SET a 1\r\nWAIT 1 0\r\n");
    let stream = talk.text(PEER);
    let question = "*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n";
    assert!(stream.ends_with(question), "{stream}");
    assert_eq!(stream.matches("GETACK").count(), 1);
    assert_eq!(talk.text("first"), "+OK\r\n");
    // The answer does not count the question itself, and need not.
    talk.say(PEER, &format!("REPLCONF ACK {}\r\n", stream.len() - question.len()));
    assert_eq!(talk.text("first"), ":1\r\n");
}

#[test]
fn packets_to_replicas_may_be_gathered_where_that_is_asked_for() {
    for (config, gathered) in [("", 0), ("repl-disable-tcp-nodelay yes\n", 2)] {
        let mut talk = Talk::with(config);
        let (id, _) = talk.attach(PEER);
        talk.say("again", &format!("PSYNC {id} 1\r\n"));
        assert_eq!(talk.world.host(1).map(|host| host.asked.coalesced), Some(gathered), "{config}");
    }
}

#[test]
fn while_it_loads_it_says_so_to_a_replica_that_asks() {
    // The world's nodes load in one go, so this one is driven by hand.
    let mut world = rctl_server::sim::asked::Asked::default();
    let now = World::empty().now();
    let config = Config::from_text(b"port 7001\n", &mut |_| Err(String::new())).expect("a configuration");
    let mut node = Node::new(config, Birth::default(), now);
    node.load_begin(1000, now, &mut world);
    let conn = rctl_server::node::ConnId { slot: 0, generation: 1 };
    node.accept(conn, rctl_server::node::Peer { local: true, ..Default::default() }, now, &mut world);
    node.receive(conn, b"PING\r\nREPLCONF capa eof\r\nPSYNC ? -1\r\nGET a\r\n", now, &mut world);
    let mut out = Vec::new();
    node.drain(conn, now, &mut world, &mut |slices| {
        slices.iter().for_each(|slice| out.extend_from_slice(slice));
        slices.iter().map(|slice| slice.len()).sum()
    });
    let loading = "-LOADING Redis is loading the dataset in memory\r\n";
    assert_eq!(String::from_utf8_lossy(&out), format!("{loading}+OK\r\n{loading}{loading}"));
}
