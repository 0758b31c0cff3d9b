//! Peers made of bytes: a master and a replica that say whatever a test wants.

#![expect(clippy::disallowed_methods, reason = "a test of real processes has a deadline")]
#![expect(clippy::disallowed_types, reason = "a test of real servers speaks to them itself")]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::client::{Client, PATIENCE, text};
use crate::load::Dice;
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
    /// The words of its `PSYNC`.
    pub(crate) asked: Vec<String>,
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
            // A link of an earlier round may have been made and given up meanwhile.
            let Ok(words) = client.reply() else {
                client = self.accept();
                continue;
            };
            let words = text(&words);
            let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
            match words.first().map(String::as_str) {
                Some("PING") => drop(client.stream.write_all(b"+PONG\r\n")),
                Some("PSYNC") => return Guest { client, asked: words },
                _ => drop(client.stream.write_all(b"+OK\r\n")),
            }
        }
    }
}

impl Guest {
    /// Sends bytes; a guest that has left does not mind.
    pub(crate) fn say(&mut self, bytes: &[u8]) {
        let _ = self.client.stream.write_all(bytes);
    }

    /// Waits until the guest hangs up; false when it stays for so long.
    pub(crate) fn leaves(&mut self, patience: Duration) -> bool {
        hangs_up(&mut self.client.stream, patience)
    }
}

/// Reads until the other side closes; false when it does not in time.
pub(crate) fn hangs_up(stream: &mut TcpStream, patience: Duration) -> bool {
    let end = Instant::now() + patience;
    let mut bytes = vec![0; 1 << 16];
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    while Instant::now() < end {
        match stream.read(&mut bytes) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => match error.kind() {
                std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => {}
                _ => return true,
            },
        }
    }
    false
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

/// Handshakes of each kind.
pub(crate) const ROUNDS: u64 = 300;

/// The most a node may grow over all rounds of a kind, in kilobytes; debug builds and allocators keep some.
pub(crate) const GROWTH: u64 = 48 << 10;

/// A guest that neither leaves nor is answered is let go after this.
pub(crate) const SHORT: Duration = Duration::from_secs(20);

/// The largest resident size so far, in kilobytes.
pub(crate) fn memory(node: &Node) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Random bytes, some of which look like the protocol.
pub(crate) fn noise(dice: &mut Dice, most: u64) -> Vec<u8> {
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
