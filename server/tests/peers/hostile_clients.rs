//! Replicas and clients that mean harm, or are broken: three hundred seeded connections of each kind, against us as
//! master and as server.
//!
//! After each kind the process lives, has the data it had, has not grown, and feeds a good replica.

use std::io::Write as _;

use crate::client::{Client, eventually};
use crate::compare::assert_equal;
use crate::load::{Dice, fill, seed};
use crate::node::{Brand, Node};
use crate::rogue::{GROWTH, ROUNDS, SHORT, hangs_up, memory, noise};

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
