//! Masters that mean harm, or are broken: three hundred seeded handshakes of each kind, against us as replica.
//!
//! After each kind the process lives, has the data it had, has not grown, and takes a good master's data.

use std::io::Write as _;

use crate::client::encode;
use crate::compare::assert_equal;
use crate::load::{Dice, fill, seed};
use crate::node::{Brand, Node};
use crate::rogue::{GROWTH, Guest, Master, ONE_KEY, ROUNDS, SHORT, full_resync, history, memory, noise};

/// What a rogue master says after a `PSYNC`.
type Villainy = fn(&mut Guest, &mut Dice, &[u8]);

/// A node with data, and two rogue masters it is turned to in turn: each time it dials at once. What it says of the most
/// frequent harm is in `told`: nothing is proved by bytes that never arrived.
fn as_replica(name: &str, told: &str, villainy: Villainy) {
    let node = Node::start(Brand::Ours, &[]).unwrap();
    fill(&node, 100);
    node.must("SAVE", "OK");
    let snapshot = std::fs::read(node.dir().join("dump.rdb")).unwrap();
    node.must("SET witness here", "OK");
    let before = node.ask("DEBUG DIGEST");
    let masters = [Master::new(), Master::new()];
    let seed = seed(41);
    eprintln!("RCTL_SEED={seed}");
    let mut dice = Dice::new(seed);
    // The first rounds make room that all others use.
    let mut room = 0;
    for round in 0..ROUNDS {
        let master = if round % 2 == 0 { &masters[0] } else { &masters[1] };
        master.invite(&node);
        let mut guest = master.meet();
        villainy(&mut guest, &mut dice, &snapshot);
        drop(guest);
        assert_eq!(node.ask("GET witness"), "here", "{name}: round {round}");
        if round == 20 {
            room = memory(&node);
        }
    }
    assert_eq!(node.ask("DEBUG DIGEST"), before, "{name}");
    let times = node.log().matches(told).count();
    assert!(times > 50, "{name}: {told:?} was said {times} times");
    let grown = memory(&node).saturating_sub(room);
    assert!(grown < GROWTH, "{name}: grew by {grown} kB");
    recovers(&node);
}

/// A good master is followed as if nothing had been.
fn recovers(node: &Node) {
    let brand = if Brand::Redis70.program().is_some() { Brand::Redis70 } else { Brand::Ours };
    let good = Node::start(brand, &[]).unwrap();
    fill(&good, 50);
    node.follow(&good);
    assert_equal(&[&good, node]);
    assert_eq!(good.count("sync_full"), 1);
}

/// The snapshot's bytes in one of the two framings, behind a good announcement.
fn framed(dice: &mut Dice, snapshot: &[u8]) -> Vec<u8> {
    let id = history(dice.pick(&['a', 'b', 'c']));
    if dice.below(2) == 0 {
        return full_resync(&id, dice.below(1000), snapshot);
    }
    let mark = "m".repeat(40);
    let mut bytes = format!("+FULLRESYNC {id} 7\r\n$EOF:{mark}\r\n").into_bytes();
    bytes.extend_from_slice(snapshot);
    bytes.extend_from_slice(mark.as_bytes());
    bytes
}

#[test]
fn a_master_that_babbles_changes_nothing() {
    as_replica("noise", "an unexpected reply to PSYNC", |guest, dice, _| {
        let mut bytes = noise(dice, 200);
        // A word that happens to be an answer is an answer.
        bytes.insert(0, b'?');
        guest.say(&bytes);
    });
}

#[test]
fn a_master_that_answers_wrongly_changes_nothing() {
    as_replica("answers", "without a usable id and offset", |guest, dice, _| {
        let id = history('d');
        let lines = [
            format!("+FULLRESYNC {id} -1\r\n$5\r\nREDIS"),
            format!("+FULLRESYNC {id} -9223372036854775808\r\n"),
            format!("+FULLRESYNC {id} 9223372036854775807\r\n"),
            format!("+FULLRESYNC {id} 18446744073709551616\r\n"),
            format!("+FULLRESYNC {} 0\r\n", &id[1..]),
            format!("+FULLRESYNC {id}{id} 0\r\n"),
            "+FULLRESYNC\r\n".to_owned(),
            format!("+FULLRESYNC {id}\r\n"),
            format!("+FULLRESYNC {id} 0 0 0\r\n"),
            "+FULLRESYNC zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz 0\r\n".to_owned(),
            "+CONTINUE short\r\n".to_owned(),
            format!("+CONTINUE {id}{id}\r\n"),
            "+CONTINUEX\r\n".to_owned(),
            "+DUALCHANNELSYNC\r\n".to_owned(),
            format!("+FULLRESYNC {id} 0\r\n-ERR no\r\n"),
            format!("+FULLRESYNC {id} 0\r\n$-1\r\n"),
            format!("+FULLRESYNC {id} 0\r\n$EOF:short\r\n"),
            format!("+FULLRESYNC {id} 0\r\n$EOF:\r\n"),
            format!("+FULLRESYNC {id} 0\r\n*3\r\n"),
            "-NOMASTERLINK not now\r\n".to_owned(),
            "-LOADING later\r\n".to_owned(),
            "$5\r\nhello\r\n".to_owned(),
            "-ERR what is that\r\n-ERR nor that\r\n".to_owned(),
        ];
        let line = dice.pick(&lines);
        guest.say(line.as_bytes());
        if dice.below(2) == 0 {
            guest.say(&noise(dice, 60));
        }
    });
}

#[test]
fn a_master_that_babbles_from_the_first_word_changes_nothing() {
    let node = Node::start(Brand::Ours, &[]).unwrap();
    node.must("SET witness here", "OK");
    let masters = [Master::new(), Master::new()];
    let mut dice = Dice::new(seed(43));
    for round in 0..ROUNDS {
        let master = if round % 2 == 0 { &masters[0] } else { &masters[1] };
        master.invite(&node);
        let mut client = master.accept();
        if dice.below(2) == 0 {
            let _ = client.stream.write_all(b"+PONG\r\n+OK\r\n");
        }
        let _ = client.stream.write_all(&noise(&mut dice, 200));
        drop(client);
        assert_eq!(node.ask("GET witness"), "here", "round {round}");
    }
    recovers(&node);
}

#[test]
fn a_snapshot_cut_off_changes_nothing() {
    as_replica("cuts", "closed the connection during synchronization", |guest, dice, snapshot| {
        let bytes = framed(dice, snapshot);
        let end = dice.below(bytes.len() as u64 - 1);
        guest.say(&bytes[..usize::try_from(end).unwrap()]);
    });
}

#[test]
fn a_snapshot_with_a_flipped_bit_changes_nothing() {
    as_replica("flips", "wrong checksum", |guest, dice, snapshot| {
        let mut damaged = snapshot.to_vec();
        let at = usize::try_from(dice.below(damaged.len() as u64)).unwrap();
        damaged[at] ^= 1 << dice.below(8);
        guest.say(&framed(dice, &damaged));
        assert!(guest.leaves(SHORT), "byte {at} of {}", damaged.len());
    });
}

#[test]
fn a_snapshot_of_unreadable_types_changes_nothing() {
    as_replica("types", "the old data is kept", |guest, dice, _| {
        // Without a checksum, so that it is the type that is refused.
        let mut bytes = b"REDIS0009\xfe\x00".to_vec();
        bytes.push(u8::try_from(22 + dice.below(220)).unwrap());
        bytes.extend_from_slice(b"\x03key");
        bytes.extend(noise(dice, 80));
        bytes.push(0xff);
        bytes.extend_from_slice(&[0; 8]);
        guest.say(&framed(dice, &bytes));
    });
}

#[test]
fn a_snapshot_of_a_version_nobody_knows_changes_nothing() {
    as_replica("versions", "the old data is kept", |guest, dice, snapshot| {
        let mut later = snapshot.to_vec();
        let version = format!("{:04}", 80 + dice.below(9000));
        later[5..9].copy_from_slice(version.as_bytes());
        if dice.below(3) == 0 {
            later[..5].copy_from_slice(b"VALKE");
        }
        guest.say(&framed(dice, &later));
        assert!(guest.leaves(SHORT));
    });
}

#[test]
fn huge_lengths_cost_no_memory() {
    as_replica("lengths", "the old data is kept", |guest, dice, _| {
        let id = history('e');
        let lengths = [
            "9223372036854775807",
            "18446744073709551615",
            "99999999999999999999",
            "4611686018427387904",
            "1099511627776",
        ];
        if dice.below(2) == 0 {
            guest.say(format!("+FULLRESYNC {id} 0\r\n${}\r\nREDIS0009", dice.pick(&lengths)).as_bytes());
            guest.say(&noise(dice, 100));
            return;
        }
        let inner: [&[u8]; 7] = [
            b"\x00\x81\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x00\x81\x7f\xff\xff\xff\xff\xff\xff\xff",
            b"\x00\x80\xff\xff\xff\xffkey",
            b"\x00\x03key\xc3\x0a\x81\x00\x00\x00\xff\xff\xff\xff\xff",
            b"\x01\x03key\x81\x7f\xff\xff\xff\xff\xff\xff\xff",
            b"\xfb\x81\x7f\xff\xff\xff\xff\xff\xff\xff\x81\x7f\xff\xff\xff\xff\xff\xff\xff",
            b"\xfa\x81\x00\x00\x00\xff\xff\xff\xff\xff",
        ];
        let mut bytes = b"REDIS0009\xfe\x00".to_vec();
        bytes.extend_from_slice(dice.pick(&inner));
        bytes.extend(noise(dice, 100));
        guest.say(&framed(dice, &bytes));
    });
}

#[test]
fn endless_lines_cost_no_memory() {
    as_replica("lines", "too long", |guest, dice, _| {
        if dice.below(2) == 0 {
            guest.say(format!("+FULLRESYNC {} 0\r\n", history('f')).as_bytes());
        }
        let byte = dice.pick(b"+-$ax");
        for _ in 0..32 {
            guest.say(&[byte; 8192]);
        }
        assert!(guest.leaves(SHORT));
    });
}

#[test]
fn a_continuation_that_was_not_asked_for_is_refused() {
    let node = Node::start(Brand::Ours, &[]).unwrap();
    node.must("SET witness here", "OK");
    let masters = [Master::new(), Master::new()];
    for round in 0..ROUNDS {
        let master = if round % 2 == 0 { &masters[0] } else { &masters[1] };
        master.invite(&node);
        // Nonsense in the stream leaves nothing to continue from.
        let mut guest = master.meet();
        guest.say(format!("+CONTINUE {}\r\nnonsense\r\n", history('b')).as_bytes());
        assert!(guest.leaves(SHORT));
        let mut guest = master.meet();
        assert_eq!(guest.asked, ["PSYNC", "?", "-1"]);
        guest.say(format!("+CONTINUE {}\r\n", history('1')).as_bytes());
        guest.say(b"*3\r\n$3\r\nSET\r\n$7\r\nwitness\r\n$4\r\ngone\r\n");
        assert!(guest.leaves(SHORT));
        assert_eq!(node.ask("GET witness"), "here", "round {round}");
    }
    recovers(&node);
}

#[test]
fn garbage_in_the_stream_ends_the_link_only() {
    as_replica("stream", "Protocol error from the master", |guest, dice, _| {
        guest.say(format!("+CONTINUE {}\r\n", history(dice.pick(&['a', 'b', 'c']))).as_bytes());
        let pieces: [&[u8]; 12] = [
            b"inline garbage\r\n",
            b"*1\r\n$-5\r\n",
            b"*-7\r\n",
            b"*2147483648\r\n",
            b"*1\r\n$99999999999\r\n",
            b"*2\r\n$3\r\nGET\r\n:1\r\n",
            b"*1\r\n$7\r\nUNKNOWN\r\n",
            b"*1\r\n$3\r\nSET\r\n",
            b"*2\r\n$4\r\nEXEC\r\n$1\r\nx\r\n",
            b"*1\r\n$5\r\nMULTI\r\n*1\r\n$5\r\nMULTI\r\n*1\r\n$7\r\nDISCARD\r\n",
            b"*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n",
            b"*2\r\n$6\r\nSELECT\r\n$20\r\n99999999999999999999\r\n",
        ];
        for _ in 0..=dice.below(4) {
            guest.say(dice.pick(&pieces));
        }
        guest.say(&noise(dice, 60));
    });
}

#[test]
fn a_transaction_without_end_is_bounded() {
    let node = Node::start(Brand::Ours, &["--client-query-buffer-limit", "8mb"]).unwrap();
    let master = Master::new();
    master.invite(&node);
    let mut guest = master.meet();
    guest.say(&full_resync(&history('a'), 0, ONE_KEY));
    node.linked();
    let before = memory(&node);
    guest.say(b"*1\r\n$5\r\nMULTI\r\n");
    let mut command = Vec::new();
    encode(&mut command, &[b"SET", b"key", &[b'x'; 100_000]]);
    for _ in 0..2000 {
        guest.say(&command);
    }
    assert!(guest.leaves(SHORT), "two hundred megabytes are taken for one transaction");
    let grown = memory(&node).saturating_sub(before);
    assert!(grown < 100 << 10, "grew by {grown} kB");
    node.must("GET key", "value");
}
