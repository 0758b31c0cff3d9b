//! The replication conversation, word by word: one node of ours, and a peer that says what a test wants it to.
//!
//! `as_master.rs` holds the rules of the one who is asked, `as_replica.rs` those of the one who asks. What whole sets of
//! nodes do stands in `tests/replication/`, what real servers do with us in `tests/peers/`.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod as_master;
mod as_replica;

use rctl_server::sim::World;

/// One node, and a peer with a connection to it.
struct Talk {
    world: World,
}

/// The name of the peer.
const PEER: &str = "peer";
/// Where a master made by the test listens.
const MASTER_PORT: u16 = 6001;

impl Talk {
    /// A node with these lines in its configuration.
    fn with(config: &str) -> Self {
        Self { world: World::new(1, config, false) }
    }

    /// The peer says this on a connection of that name, which is made when it is not there.
    fn say(&mut self, name: &str, text: &str) {
        if !self.world.connected(name) {
            self.world.connect(name, 1);
        }
        self.world.send(name, text.as_bytes());
        self.world.settle();
    }

    /// The peer introduces itself, is answered, and asks.
    fn ask(&mut self, name: &str, introduction: &str, question: &str) {
        self.say(name, &format!("{introduction}\r\n"));
        assert_eq!(self.text(name), "+OK\r\n");
        self.say(name, &format!("{question}\r\n"));
    }

    /// What the node said to it since.
    fn heard(&mut self, name: &str) -> Vec<u8> {
        self.world.take(name).0
    }

    /// The same as text.
    fn text(&mut self, name: &str) -> String {
        String::from_utf8_lossy(&self.heard(name)).into_owned()
    }

    /// A client of the node says a line and is answered.
    fn client(&mut self, line: &str) -> String {
        self.say("client", &format!("{line}\r\n"));
        self.text("client")
    }

    /// One field of INFO.
    fn info(&mut self, field: &str) -> String {
        let text = self.client("INFO");
        let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        line.unwrap_or_else(|| panic!("no field {field}")).to_owned()
    }

    /// Whether the node closed that connection.
    fn closed(&mut self, name: &str) -> bool {
        self.world.settle();
        self.world.take(name).1
    }

    fn advance(&mut self, ms: u64) {
        self.world.advance(ms);
    }

    /// The peer introduces itself, asks for everything, and takes the snapshot: the id and the cut it was told.
    fn attach(&mut self, name: &str) -> (String, u64) {
        self.ask(name, "REPLCONF listening-port 7777 capa eof capa psync2", "PSYNC ? -1");
        let bytes = self.heard(name);
        let (line, rest) = cut_line(&bytes);
        let mut words = line.strip_prefix("+FULLRESYNC ").expect("a full resync").split(' ');
        let id = words.next().expect("an id").to_owned();
        let cut = words.next().and_then(|cut| cut.parse().ok()).expect("a cut");
        let (header, body) = cut_line(rest);
        let mark = header.strip_prefix("$EOF:").expect("a mark");
        assert!(body.ends_with(mark.as_bytes()), "nothing follows the mark");
        self.say(name, &format!("REPLCONF ACK {cut}\r\n"));
        (id, cut)
    }
}

/// The first line without its end, and what follows.
fn cut_line(bytes: &[u8]) -> (String, &[u8]) {
    let end = bytes.iter().position(|&byte| byte == b'\n').expect("a line");
    let line = String::from_utf8_lossy(&bytes[..end]).trim_end().to_owned();
    (line, &bytes[end + 1..])
}

/// The smallest snapshot there is: one key in database 0, without a checksum.
fn snapshot(key: &str, value: &str) -> Vec<u8> {
    let mut bytes = b"REDIS0009\xfe\x00\x00".to_vec();
    for text in [key, value] {
        bytes.push(u8::try_from(text.len()).expect("a short text"));
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes.extend_from_slice(b"\xff\0\0\0\0\0\0\0\0");
    bytes
}
