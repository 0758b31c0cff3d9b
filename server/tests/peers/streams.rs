//! What a node does with a master's stream, byte by byte: with a master made by hand.

use std::io::Write as _;
use std::time::Duration;

use crate::client::{Client, eventually};
use crate::node::{Brand, Node};
use crate::rogue::{Master, ONE_KEY, full_resync, history};

#[test]
fn a_master_that_never_stops_talking_leaves_clients_their_turn() {
    let node = Node::start(Brand::Ours, &[]).unwrap();
    let master = Master::new();
    master.invite(&node);
    let mut guest = master.meet();
    guest.say(&full_resync(&history('a'), 0, ONE_KEY));
    let mut stream = guest.client.stream.try_clone().unwrap();
    let talker = std::thread::spawn(move || {
        let burst = b"*3\r\n$3\r\nSET\r\n$5\r\nother\r\n$3\r\n123\r\n".repeat(4000);
        while stream.write_all(&burst).is_ok() {}
    });
    node.linked();
    let mut client = node.client();
    client.patience(Duration::from_secs(10));
    for _ in 0..20 {
        assert_eq!(client.ask("PING").unwrap(), "PONG");
    }
    guest.client.stream.shutdown(std::net::Shutdown::Both).unwrap();
    talker.join().unwrap();
}

#[test]
fn bytes_of_a_new_history_never_flow_under_the_old_id() {
    let node = Node::start(Brand::Ours, &[]).unwrap();
    let master = Master::new();
    master.invite(&node);
    let mut guest = master.meet();
    guest.say(&full_resync(&history('a'), 0, ONE_KEY));
    node.linked();
    for round in 0..20 {
        let mut below = Client::connect(node.port).unwrap();
        below.stream.write_all(b"PSYNC ? -1\r\n").unwrap();
        let listed = eventually(|| (node.info("connected_slaves") == "1").then_some(()));
        assert!(listed.is_some());
        drop(guest);
        guest = master.meet();
        let id = history(if round % 2 == 0 { 'b' } else { 'a' });
        guest.say(format!("+CONTINUE {id}\r\n*3\r\n$3\r\nSET\r\n$4\r\nlate\r\n$1\r\n1\r\n").as_bytes());
        let mut all = Vec::new();
        std::io::Read::read_to_end(&mut below.stream, &mut all).unwrap();
        let all = String::from_utf8_lossy(&all);
        assert!(all.starts_with("+FULLRESYNC") && !all.contains("late\r\n$1\r\n"), "{all}");
        node.linked();
        node.must("DEL late", "READONLY You can't write against a read only replica.");
    }
}
