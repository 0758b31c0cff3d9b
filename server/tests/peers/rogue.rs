//! Peers made of bytes: a master and a replica that say whatever a test wants.

#![expect(clippy::disallowed_methods, reason = "a test of real processes has a deadline")]
#![expect(clippy::disallowed_types, reason = "a test of real servers speaks to them itself")]

use std::io::Write as _;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::client::{Client, PATIENCE, text};
use crate::node::Node;
use crate::ports::free_port;

/// A master's listener.
pub(crate) struct Master {
    listener: TcpListener,
    pub(crate) port: u16,
}

/// One link of a replica, after its `PSYNC`.
pub(crate) struct Guest {
    pub(crate) client: Client,
}

impl Master {
    pub(crate) fn new() -> Self {
        let port = free_port();
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self { listener, port }
    }

    /// The next connection.
    pub(crate) fn accept(&self) -> Client {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false).unwrap();
                    return Client::over(stream);
                }
                Err(error) => assert!(Instant::now() < end, "nobody connects: {error}"),
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// Turns a node to this master; it dials anew even if it was here before.
    pub(crate) fn invite(&self, node: &Node) {
        let answer = node.ask(&format!("REPLICAOF 127.0.0.1 {}", self.port));
        assert!(answer.starts_with("OK"), "{answer}");
    }

    /// The next connection, taken through the handshake up to its `PSYNC`.
    pub(crate) fn meet(&self) -> Guest {
        let mut client = self.accept();
        loop {
            let words = text(&client.reply().unwrap());
            let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
            match words.first().map(String::as_str) {
                Some("PING") => client.stream.write_all(b"+PONG\r\n").unwrap(),
                Some("PSYNC") => return Guest { client },
                _ => client.stream.write_all(b"+OK\r\n").unwrap(),
            }
        }
    }
}

impl Guest {
    /// Sends bytes; a guest that has left does not mind.
    pub(crate) fn say(&mut self, bytes: &[u8]) {
        let _ = self.client.stream.write_all(bytes);
    }
}

/// A snapshot of one key, without a checksum: the least that every server takes.
pub(crate) const ONE_KEY: &[u8] =
    b"REDIS0009\xfe\x00\x00\x03key\x05value\xff\x00\x00\x00\x00\x00\x00\x00\x00";

/// A history's name.
pub(crate) fn history(letter: char) -> String {
    letter.to_string().repeat(40)
}

/// The announcement of a full resync and a snapshot by its length.
pub(crate) fn full_resync(id: &str, offset: u64, snapshot: &[u8]) -> Vec<u8> {
    let mut bytes = format!("+FULLRESYNC {id} {offset}\r\n${}\r\n", snapshot.len()).into_bytes();
    bytes.extend_from_slice(snapshot);
    bytes
}
