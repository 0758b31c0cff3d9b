//! We are the replica: what we say to a master, how we take its answers, and what we hold when it fails.

use super::{MASTER_PORT, PEER, Talk, snapshot};

const ID: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const OTHER: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// Words as they go over the wire.
fn request(words: &[&str]) -> String {
    let words = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len()));
    format!("*{}\r\n{}", words.len(), words.collect::<String>())
}

/// A node that follows the test, greeted up to its question: what it asked.
fn greeted(talk: &mut Talk) -> String {
    assert_eq!(talk.text(PEER), request(&["PING"]));
    talk.say(PEER, "+PONG\r\n");
    let rest = talk.text(PEER);
    let lines = rest.matches("REPLCONF").count() + rest.matches("AUTH").count();
    // With data at stake it looks at its master first; one that says nothing of itself is no reason to hold back.
    let looks = rest.matches("$4\r\nINFO").count();
    talk.say(PEER, &("+OK\r\n".repeat(lines) + &"$0\r\n\r\n".repeat(looks)));
    talk.text(PEER)
}

fn following(config: &str) -> Talk {
    let mut talk = Talk::with(config);
    talk.world.stand_in(MASTER_PORT, PEER);
    assert_eq!(talk.client(&format!("REPLICAOF 127.0.0.1 {MASTER_PORT}")), "+OK\r\n");
    talk
}

/// It follows, and took a snapshot of one key at `offset`.
fn synced(config: &str, offset: u64) -> Talk {
    let mut talk = following(config);
    greeted(&mut talk);
    full(&mut talk, offset);
    talk
}

fn full(talk: &mut Talk, offset: u64) {
    let body = snapshot("k", "v");
    talk.say(PEER, &format!("+FULLRESYNC {ID} {offset}\r\n${}\r\n", body.len()));
    talk.world.send(PEER, &body);
    talk.world.settle();
    assert_eq!(talk.text(PEER), request(&["REPLCONF", "ACK", &offset.to_string()]), "at once");
}

#[test]
fn it_waits_for_the_first_answer_and_then_says_the_rest_in_one_piece() {
    let mut talk = following(
        "masterauth secret\nmasteruser bob\nreplica-announce-ip 10.1.2.3\nreplica-announce-port 4242\n",
    );
    assert_eq!(talk.text(PEER), request(&["PING"]));
    talk.say(PEER, "-NOAUTH Authentication required.\r\n");
    let want = [
        request(&["AUTH", "bob", "secret"]),
        request(&["REPLCONF", "listening-port", "4242"]),
        request(&["REPLCONF", "ip-address", "10.1.2.3"]),
        request(&["REPLCONF", "capa", "eof", "capa", "psync2"]),
        request(&["REPLCONF", "version", "8.0.0"]),
    ];
    assert_eq!(talk.text(PEER), want.concat());
    // Redis 7.0 does not know the version; nothing of that is critical.
    talk.say(PEER, "+OK\r\n-ERR no\r\n-ERR no\r\n-ERR no\r\n");
    assert_eq!(talk.text(PEER), "");
    talk.say(PEER, "-ERR Unrecognized REPLCONF option: version\r\n");
    assert!(talk.text(PEER).starts_with("*3\r\n$5\r\nPSYNC\r\n"));
}

#[test]
fn a_first_answer_that_is_an_error_of_another_kind_ends_the_attempt() {
    for line in ["-LOADING wait", "-BUSY script", "-MASTERDOWN stale", "$3\r\nfoo"] {
        let mut talk = following("");
        talk.heard(PEER);
        talk.say(PEER, &format!("{line}\r\n"));
        assert!(talk.closed(PEER), "{line}");
        talk.advance(1000);
        assert_eq!(talk.text(PEER), request(&["PING"]), "it is tried again within a second");
    }
}

#[test]
fn a_line_of_the_handshake_is_waited_for_five_seconds() {
    let mut talk = following("");
    talk.heard(PEER);
    talk.advance(4900);
    assert!(!talk.closed(PEER));
    talk.advance(1200);
    assert!(talk.world.take_log(1).iter().any(|line| line.contains("Timeout connecting to the MASTER")));
}

#[test]
fn a_refusal_that_passes_costs_nothing_it_holds() {
    for refusal in ["-NOMASTERLINK Can't SYNC while not connected with my master", "-LOADING not yet"] {
        let mut talk = synced("", 1000);
        talk.world.hang_up(PEER);
        talk.world.settle();
        for _ in 0..3 {
            assert_eq!(greeted(&mut talk), request(&["PSYNC", ID, "1001"]), "{refusal}");
            talk.say(PEER, &format!("{refusal}\r\n"));
            talk.advance(1100);
        }
        assert_eq!(talk.client("GET k"), "$1\r\nv\r\n");
        assert_eq!(talk.info("slave_repl_offset"), "1000");
    }
}

#[test]
fn a_master_that_does_not_know_psync_is_asked_by_sync() {
    let mut talk = following("");
    greeted(&mut talk);
    talk.say(PEER, "-ERR unknown command 'PSYNC'\r\n");
    assert_eq!(talk.text(PEER), request(&["SYNC"]));
    let body = snapshot("k", "v");
    talk.say(PEER, &format!("${}\r\n", body.len()));
    talk.world.send(PEER, &body);
    talk.world.settle();
    assert_eq!(talk.client("GET k"), "$1\r\nv\r\n");
    assert_eq!(talk.info("master_link_status"), "up");
}

#[test]
fn newlines_before_a_snapshot_count_for_nothing_and_keep_the_link() {
    let mut talk = following("repl-timeout 5\n");
    greeted(&mut talk);
    for _ in 0..8 {
        talk.advance(1000);
        talk.say(PEER, "\n");
    }
    talk.say(PEER, &format!("+FULLRESYNC {ID} 1000\r\n"));
    for _ in 0..8 {
        talk.advance(1000);
        talk.say(PEER, "\n");
    }
    talk.heard(PEER);
    let body = snapshot("k", "v");
    talk.say(PEER, &format!("${}\r\n", body.len()));
    talk.world.send(PEER, &body);
    talk.world.settle();
    assert_eq!(talk.info("slave_repl_offset"), "1000");
}

#[test]
fn a_replica_says_it_lives_while_a_snapshot_comes_in() {
    let mut talk = following("");
    greeted(&mut talk);
    talk.say(PEER, &format!("+FULLRESYNC {ID} 0\r\n$1000\r\nREDIS0009"));
    talk.advance(3500);
    let text = talk.text(PEER);
    assert!((3..=4).contains(&text.len()) && text.bytes().all(|byte| byte == b'\n'), "{text:?}");
}

#[test]
fn an_acknowledgement_counts_all_but_the_question_for_it() {
    let mut talk = synced("", 1000);
    let write = request(&["SELECT", "0"]) + &request(&["SET", "a", "1"]);
    let question = request(&["REPLCONF", "GETACK", "*"]);
    talk.say(PEER, &format!("{write}{question}"));
    let before = 1000 + write.len();
    let acknowledged = |offset: usize| request(&["REPLCONF", "ACK", &offset.to_string()]);
    // WAIT counts on the first; the second spares whoever waits for all of it a second.
    assert_eq!(talk.text(PEER), acknowledged(before) + &acknowledged(before + question.len()));
    talk.advance(1000);
    assert_eq!(talk.text(PEER), acknowledged(before + question.len()));
}

#[test]
fn nothing_else_is_ever_said_to_a_master() {
    let mut talk = synced("", 0);
    talk.say(
        PEER,
        &[
            request(&["PING"]),
            request(&["SELECT", "3"]),
            request(&["GET", "k"]),
            request(&["INCR", "k"]),
            request(&["NOSUCH", "command"]),
            request(&["SET", "only"]),
        ]
        .concat(),
    );
    assert_eq!(talk.text(PEER), "");
    assert_eq!(talk.info("master_link_status"), "up");
    assert!(talk.world.take_log(1).iter().any(|line| line.contains("CRITICAL")));
}

#[test]
fn a_master_commands_data_and_nothing_else() {
    let mut talk = synced("", 0);
    talk.say(
        PEER,
        &[
            request(&["CONFIG", "SET", "maxclients", "7"]),
            request(&["MIGRATE", "127.0.0.1", "6009", "k", "0", "60000"]),
            request(&["CLIENT", "PAUSE", "60000"]),
            request(&["MULTI"]),
            request(&["CONFIG", "SET", "maxclients", "8"]),
            request(&["EXEC"]),
            request(&["SET", "after", "1"]),
        ]
        .concat(),
    );
    assert!(talk.client("CONFIG GET maxclients").ends_with("$5\r\n10000\r\n"));
    assert_eq!(talk.client("EXISTS k after"), ":2\r\n", "the key stays, and the stream is read on");
    assert_eq!(talk.info("master_link_status"), "up");
}

#[test]
fn an_offset_does_not_move_inside_a_transaction_and_half_of_one_is_forgotten() {
    let mut talk = synced("", 1000);
    let first = request(&["SELECT", "0"]) + &request(&["SET", "a", "1"]);
    let half = request(&["MULTI"]) + &request(&["SET", "a", "2"]);
    talk.say(PEER, &format!("{first}{half}"));
    assert_eq!(talk.info("slave_repl_offset"), (1000 + first.len()).to_string());
    assert_eq!(talk.info("slave_read_repl_offset"), (1000 + first.len() + half.len()).to_string());
    assert_eq!(talk.client("GET a"), "$1\r\n1\r\n");
    talk.world.hang_up(PEER);
    talk.world.settle();
    let next = (1001 + first.len()).to_string();
    assert_eq!(greeted(&mut talk), request(&["PSYNC", ID, &next]), "from the MULTI on");
    talk.say(PEER, &format!("+CONTINUE\r\n{half}{}", request(&["EXEC"])));
    assert_eq!(talk.client("GET a"), "$1\r\n2\r\n");
    assert_eq!(talk.info("master_replid"), ID);
}

#[test]
fn a_continuation_under_another_id_is_adopted_and_the_old_one_kept() {
    let mut talk = synced("", 1000);
    talk.attach("below");
    talk.heard("below");
    talk.world.hang_up(PEER);
    talk.world.settle();
    greeted(&mut talk);
    assert!(!talk.closed("below"), "as long as nothing is decided those below stay");
    talk.say(PEER, &format!("+CONTINUE {OTHER}\r\n"));
    assert_eq!(talk.info("master_replid"), OTHER);
    assert_eq!(talk.info("master_replid2"), ID);
    assert_eq!(talk.info("second_repl_offset"), "1001");
    assert!(talk.closed("below"), "they have to learn of it");
}

#[test]
fn a_snapshot_that_fails_leaves_those_below_alone() {
    let mut talk = synced("", 1000);
    talk.attach("below");
    talk.world.hang_up(PEER);
    talk.world.settle();
    greeted(&mut talk);
    talk.say(PEER, &format!("+FULLRESYNC {OTHER} 5\r\n$100\r\nREDIS0009"));
    talk.world.hang_up(PEER);
    talk.world.settle();
    assert!(!talk.closed("below"));
    assert_eq!(talk.info("master_replid"), ID);
    assert_eq!(talk.client("GET k"), "$1\r\nv\r\n");
    // One that is complete takes the place of all of it.
    talk.advance(1000);
    greeted(&mut talk);
    let body = snapshot("k", "w");
    talk.say(PEER, &format!("+FULLRESYNC {OTHER} 5\r\n${}\r\n", body.len()));
    talk.world.send(PEER, &body);
    talk.world.settle();
    assert!(talk.closed("below"));
    assert_eq!(talk.client("GET k"), "$1\r\nw\r\n");
    assert_eq!(talk.info("repl_backlog_first_byte_offset"), "6", "a new backlog begins behind the cut");
}

#[test]
fn a_write_pause_holds_the_masters_stream_too() {
    let mut talk = synced("", 1000);
    talk.client("CLIENT PAUSE 10000 WRITE");
    let write = request(&["SELECT", "0"]) + &request(&["SET", "a", "1"]);
    talk.say(PEER, &write);
    assert_eq!(talk.info("slave_repl_offset"), "1000");
    assert_eq!(talk.info("slave_read_repl_offset"), (1000 + write.len()).to_string());
    talk.client("CLIENT UNPAUSE");
    assert_eq!(talk.info("slave_repl_offset"), (1000 + write.len()).to_string());
    assert_eq!(talk.client("GET a"), "$1\r\n1\r\n");
}

#[test]
fn what_is_unknown_in_a_snapshot_is_told_in_the_log() {
    let mut talk = following("");
    greeted(&mut talk);
    // A function library (opcode 0xF5): there is no use for it here.
    let mut body = b"REDIS0010\xf5\x03abc\xfe\x00\x00\x01k\x01v\xff".to_vec();
    body.extend_from_slice(&[0; 8]);
    talk.say(PEER, &format!("+FULLRESYNC {ID} 0\r\n${}\r\n", body.len()));
    talk.world.send(PEER, &body);
    talk.world.settle();
    assert_eq!(talk.client("GET k"), "$1\r\nv\r\n");
    let log = talk.world.take_log(1);
    assert!(log.iter().any(|line| line.contains("function")), "{log:#?}");
}
