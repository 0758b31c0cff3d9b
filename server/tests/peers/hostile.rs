//! Peers that mean harm, or are broken: three hundred seeded handshakes of each kind, against us as replica, as master
//! and as server.
//!
//! After each kind the process lives, has the data it had, has not grown, and takes a good master's data.

use std::io::Write as _;
use std::time::Duration;

use crate::client::{Client, encode, eventually};
use crate::compare::assert_equal;
use crate::load::{Dice, fill, seed};
use crate::node::{Brand, Node};
use crate::rogue::{Guest, Master, full_resync, hangs_up, history};

/// Handshakes of each kind.
const ROUNDS: u64 = 300;

/// The most a node may grow over all rounds of a kind, in kilobytes; debug builds and allocators keep some.
const GROWTH: u64 = 48 << 10;

/// A guest that neither leaves nor is answered is let go after this.
const SHORT: Duration = Duration::from_secs(20);

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

/// The largest resident size so far, in kilobytes.
fn memory(node: &Node) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Random bytes, some of which look like the protocol.
fn noise(dice: &mut Dice, most: u64) -> Vec<u8> {
    let words: [&[u8]; 16] = [
        b"\r\n",
        b"\n",
        b"$",
        b"*",
        b"+",
        b"-",
        b":",
        b"$-1\r\n",
        b"*3\r\n",
        b"$3\r\n",
        b"GET",
        b"\0",
        b"99999999999",
        b"EOF:",
        b"FULLRESYNC ",
        b"CONTINUE",
    ];
    let mut bytes = Vec::new();
    for _ in 0..dice.below(most) {
        if dice.below(3) == 0 {
            bytes.extend_from_slice(dice.pick(&words));
        } else {
            bytes.push(u8::try_from(dice.below(256)).unwrap());
        }
    }
    bytes
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
    guest.say(&full_resync(&history('a'), 0, crate::rogue::ONE_KEY));
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

/// What a rogue replica or client sends.
type Attack = fn(&mut Client, &mut Dice);

fn as_server(name: &str, attack: Attack) {
    let node = Node::start(Brand::Ours, &[]).unwrap();
    fill(&node, 100);
    node.must("SET witness here", "OK");
    let before = node.ask("DEBUG DIGEST");
    let seed = seed(51);
    eprintln!("RCTL_SEED={seed}");
    let mut dice = Dice::new(seed);
    let mut room = 0;
    for round in 0..ROUNDS {
        let mut client = node.client();
        attack(&mut client, &mut dice);
        if dice.below(2) == 0 {
            client.stream.set_nonblocking(true).unwrap();
            let _ = std::io::Read::read(&mut client.stream, &mut [0; 4096]);
        }
        drop(client);
        if round % 10 == 0 {
            assert_eq!(node.ask("GET witness"), "here", "{name}: round {round}");
        }
        if round == 20 {
            room = memory(&node);
        }
    }
    assert_eq!(node.ask("DEBUG DIGEST"), before, "{name}");
    node.wait_info("connected_clients", "1");
    node.wait_info("connected_slaves", "0");
    let grown = memory(&node).saturating_sub(room);
    assert!(grown < GROWTH, "{name}: grew by {grown} kB");
    let good = Node::start(Brand::Ours, &[]).unwrap();
    good.follow(&node);
    assert_equal(&[&node, &good]);
}

/// Bytes to a server that may have hung up already.
fn throw(client: &mut Client, bytes: &[u8]) {
    let _ = client.stream.write_all(bytes);
}

#[test]
fn a_rogue_replica_harms_nobody() {
    as_server("replica", |client, dice| {
        let introductions: [&[u8]; 14] = [
            b"REPLCONF listening-port -1\r\n",
            b"REPLCONF listening-port 99999999999999999999\r\n",
            b"REPLCONF listening-port\r\n",
            b"REPLCONF capa eof capa psync2 capa\r\n",
            b"REPLCONF capa eof capa psync2 capa capa\r\n",
            b"REPLCONF version 99999999999.0.0\r\n",
            b"REPLCONF version ...\r\n",
            b"REPLCONF ack 99999999999999999999\r\n",
            b"REPLCONF ack -1\r\n",
            b"REPLCONF rdb-only 1\r\n",
            b"REPLCONF rdb-filter-only \"\"\r\n",
            b"REPLCONF rdb-filter-only \"functions nonsense\"\r\n",
            b"REPLCONF getack *\r\n",
            b"REPLCONF\r\n",
        ];
        let askings: [&[u8]; 12] = [
            b"PSYNC ? -1\r\n",
            b"PSYNC ? -9223372036854775808\r\n",
            b"PSYNC ? 9223372036854775807\r\n",
            b"PSYNC aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 1\r\n",
            b"PSYNC aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa one\r\n",
            b"PSYNC aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 1 FAILOVER\r\n",
            b"PSYNC ? -1 FAILOVER\r\n",
            b"PSYNC\r\n",
            b"SYNC\r\n",
            b"SYNC\r\nSYNC\r\nPSYNC ? -1\r\n",
            b"MULTI\r\nPSYNC ? -1\r\nEXEC\r\n",
            b"SUBSCRIBE x\r\nPSYNC ? -1\r\n",
        ];
        for _ in 0..dice.below(4) {
            throw(client, dice.pick(&introductions));
        }
        throw(client, dice.pick(&askings));
        let afterwards: [&[u8]; 8] = [
            b"REPLCONF ACK 99999999999999999999\r\n",
            b"REPLCONF ACK 9223372036854775807\r\n",
            b"REPLCONF ACK -5\r\n",
            b"\n\n\n\n\n",
            b"SET witness gone\r\n",
            b"*1\r\n$8\r\nFLUSHALL\r\n",
            b"QUIT\r\n",
            b"RESET\r\n",
        ];
        // What would be a write by a client is none by a replica; a client does not send these.
        if client_is_replica(client) {
            for _ in 0..dice.below(5) {
                throw(client, dice.pick(&afterwards));
            }
        }
        throw(client, &noise(dice, 60));
    });
}

/// Whether the server took the connection for a replica: waits for the first line.
fn client_is_replica(client: &Client) -> bool {
    let mut bytes = [0; 4096];
    let seen = eventually(|| match client.stream.peek(&mut bytes) {
        Ok(count) => Some(count),
        Err(_) => Some(0),
    });
    let count = seen.unwrap_or(0);
    String::from_utf8_lossy(&bytes[..count]).contains("FULLRESYNC")
}

#[test]
fn a_rogue_client_harms_nobody() {
    as_server("client", |client, dice| {
        let starts: [&[u8]; 18] = [
            b"*1000000000\r\n",
            b"*-1\r\n",
            b"*9223372036854775807\r\n",
            b"*3\r\n$-1\r\n",
            b"*3\r\n$9223372036854775807\r\n",
            b"*3\r\n$536870912\r\nxxxx",
            b"*1048576\r\n$1\r\nx\r\n",
            b"GET \"unbalanced\r\n",
            b"GET 'a'b\r\n",
            b"HELLO 3 AUTH a\r\n",
            b"HELLO 99\r\n",
            b"MULTI\r\nWATCH x\r\nMULTI\r\nEXEC\r\nDISCARD\r\n",
            b"SUBSCRIBE a b c\r\nGET x\r\nPSUBSCRIBE [\r\n",
            b"CLIENT REPLY SKIP\r\nCLIENT KILL ID 0\r\nCLIENT SETNAME \"a b\"\r\n",
            b"SETRANGE big 536870912 x\r\nSETRANGE big -1 x\r\nSETBIT\r\n",
            b"SCAN 18446744073709551616 COUNT 99999999999 MATCH [[[[\r\n",
            b"CONFIG SET port 99999\r\nCONFIG SET a b c\r\nCONFIG GET [\r\n",
            b"DEBUG SLEEP nan\r\nDEBUG SLEEP -1\r\nWAIT -1 -1\r\nOBJECT HELP\r\n",
        ];
        throw(client, dice.pick(&starts));
        throw(client, &noise(dice, 200));
    });
}

#[test]
fn endless_requests_are_ended() {
    let node = Node::start(Brand::Ours, &[]).unwrap();
    let before = memory(&node);
    for line in [&b"GET "[..], b"", b"*2\r\n$3\r\nGET\r\n$", b"*"] {
        let mut client = node.client();
        throw(&mut client, line);
        for _ in 0..64 {
            throw(&mut client, &[b'7'; 8192]);
        }
        assert!(hangs_up(&mut client.stream, SHORT), "{}", String::from_utf8_lossy(line));
    }
    assert!(memory(&node) - before < GROWTH);
    node.must("PING", "PONG");
}
