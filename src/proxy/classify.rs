//! Whose connection it is, by its first commands.
//!
//! PING, AUTH, HELLO and REPLCONF without a port say nothing and are passed on at once, since their replies are waited
//! for. A connection that only sends those stays undecided, and fast. Arguments are never shown to anybody.

use rctl_server::resp::{Args, Batch, Limits, Parser};

/// The most that is held of a command that has not come whole.
const HOLD: usize = 4 << 10;

/// Whose connection it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Nobody knows yet.
    Undecided,
    /// A client's.
    Client,
    /// The replication link of the node on this port.
    Link(u16),
    /// Somebody who breaks links.
    Admin,
}

/// What has come from a connection and was not passed on.
#[derive(Debug, Default)]
pub(super) struct Classifier {
    held: Vec<u8>,
}

impl Classifier {
    /// Bytes came: whose connection it is now, and how many of the held bytes are to be passed on before that holds.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> (Class, Vec<u8>) {
        self.held.extend_from_slice(bytes);
        // No Redis command begins so; TLS does.
        if self.held.first().is_some_and(|byte| *byte < 0x20 && !matches!(byte, b'\r' | b'\n')) {
            return (Class::Client, Vec::new());
        }
        let mut passed = 0;
        let mut class = Class::Undecided;
        loop {
            let rest = self.held.get(passed..).unwrap_or_default();
            let mut batch = Batch::default();
            match Parser::default().parse(rest, &Limits::OPEN, 1, &mut batch) {
                Ok(_) if batch.is_empty() => break,
                Ok(_) => {}
                // The server will say what is wrong with it.
                Err(_) => class = Class::Client,
            }
            if class == Class::Undecided {
                class = decide(batch.args(rest, 0));
            }
            if class != Class::Undecided {
                break;
            }
            passed += batch.end_of(0).max(1);
        }
        let rest = self.held.split_off(passed.min(self.held.len()));
        let before = std::mem::replace(&mut self.held, rest);
        if class == Class::Undecided && self.held.len() > HOLD {
            class = Class::Client;
        }
        (class, before)
    }

    /// What is held, once it is known whose it is.
    pub(super) fn into_held(self) -> Vec<u8> {
        self.held
    }
}

fn decide(args: Args<'_>) -> Class {
    let is = |at: usize, word: &str| at < args.len() && args.get(at).eq_ignore_ascii_case(word.as_bytes());
    if args.is_empty() || is(0, "PING") || is(0, "AUTH") || is(0, "HELLO") {
        return Class::Undecided;
    }
    if is(0, "DEBUG") && is(1, "LINK") {
        return Class::Admin;
    }
    if !is(0, "REPLCONF") {
        return Class::Client;
    }
    let port = (1..args.len()).step_by(2).find(|at| is(*at, "listening-port"));
    let Some(at) = port.filter(|at| at + 1 < args.len()) else { return Class::Undecided };
    let number = std::str::from_utf8(args.get(at + 1)).ok().and_then(|text| text.parse().ok());
    number.map_or(Class::Client, Class::Link)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds bytes in pieces: whose it is, what was passed on before, what is held.
    fn fed(bytes: &[u8], piece: usize) -> (Class, Vec<u8>, Vec<u8>) {
        let mut classifier = Classifier::default();
        let mut passed = Vec::new();
        let mut class = Class::Undecided;
        let mut pieces = bytes.chunks(piece);
        for piece in pieces.by_ref() {
            let (now, before) = classifier.feed(piece);
            passed.extend(before);
            class = now;
            if class != Class::Undecided {
                break;
            }
        }
        (class, passed, classifier.into_held())
    }

    const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";
    const PORT: &[u8] = b"*3\r\n$8\r\nREPLCONF\r\n$14\r\nlistening-port\r\n$4\r\n6381\r\n";

    #[test]
    fn a_replica_is_known_by_its_port_and_nothing_of_it_is_passed_on_before() {
        let hello = [
            PING,
            b"*2\r\n$4\r\nAUTH\r\n$1\r\nx\r\n",
            b"*3\r\n$8\r\nreplconf\r\n$4\r\ncapa\r\n$3\r\neof\r\n",
        ]
        .concat();
        let all = [hello.as_slice(), PORT].concat();
        for piece in [1, 3, 7, all.len()] {
            let (class, passed, held) = fed(&all, piece);
            assert_eq!(class, Class::Link(6381), "in pieces of {piece}");
            assert_eq!((passed.as_slice(), held.as_slice()), (hello.as_slice(), PORT));
        }
        let both =
            b"*5\r\n$8\r\nREPLCONF\r\n$4\r\ncapa\r\n$3\r\neof\r\n$14\r\nlistening-port\r\n$4\r\n6381\r\n";
        assert_eq!(fed(both, 4).0, Class::Link(6381), "all pairs are looked at");
    }

    #[test]
    fn everything_else_is_a_client_and_loses_no_byte() {
        let long = [b"*2\r\n$3\r\nGET\r\n$5000\r\n".as_slice(), &[b'x'; 4500]].concat();
        for bytes in [
            b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n".as_slice(),
            b"GET k\r\n",
            b"PING\r\nGET k\r\n",
            b"*1\r\n$4\r\nSYNC\r\n",
            b"*x\r\n",
            b"\x16\x03\x01",
            b"*3\r\n$8\r\nREPLCONF\r\n$14\r\nlistening-port\r\n$1\r\nx\r\n",
            &long,
        ] {
            for piece in [1, 5, bytes.len()] {
                let (class, passed, held) = fed(bytes, piece);
                assert_eq!(class, Class::Client, "{:?}", String::from_utf8_lossy(bytes));
                let seen = [passed, held].concat();
                assert!(bytes.starts_with(&seen), "bytes were changed");
            }
        }
    }

    #[test]
    fn one_that_only_pings_stays_undecided_and_is_passed_on_at_once() {
        let (class, passed, held) = fed(&PING.repeat(50), 9);
        assert_eq!((class, passed, held), (Class::Undecided, PING.repeat(50), Vec::new()));
        assert_eq!(fed(b"DEBUG LINK 6380 cut\r\n", 4).0, Class::Admin);
        assert_eq!(fed(b"DEBUG SLEEP 1\r\n", 4).0, Class::Client);
    }
}
