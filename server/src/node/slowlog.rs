//! SLOWLOG: the requests that took longest to run, the latest first.
//!
//! An entry is bounded, whatever was asked: at most 32 arguments of about 128 bytes. Passwords are never in it.

use std::collections::VecDeque;

use crate::command::{Failure, error};
use crate::resp::number::parse_i64;
use crate::resp::{Args, Reply};

use super::Node;
use super::session::Session;

/// Arguments of a request that are kept, the last of them standing for the rest.
const MOST_ARGS: usize = 32;
/// Bytes of an argument that are kept.
const MOST_BYTES: usize = 128;
/// What SLOWLOG GET answers when no count is asked.
const USUAL: usize = 10;
/// What stands for a secret.
const REDACTED: &[u8] = b"(redacted)";

/// One slow request.
#[derive(Debug)]
struct Entry {
    id: i64,
    /// When it ended, Unix seconds.
    at_s: u64,
    took_us: u64,
    args: Vec<Vec<u8>>,
    peer: String,
    name: String,
}

/// The log, the latest entry first.
#[derive(Debug, Default)]
pub(super) struct SlowLog {
    entries: VecDeque<Entry>,
    ids: i64,
}

impl SlowLog {
    /// Notes a request that ended at that second and took so many microseconds; keeps `most` entries.
    #[cold]
    pub(super) fn note(&mut self, session: &Session, args: Args<'_>, (at_s, took_us): (u64, u64), most: u64) {
        if most == 0 {
            return;
        }
        self.entries.push_front(Entry {
            id: self.ids,
            at_s,
            took_us,
            args: kept(args),
            peer: session.peer.addr.clone(),
            name: session.name.clone(),
        });
        self.ids += 1;
        self.entries.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    }

    fn write(&self, count: usize, reply: &mut Reply) {
        let shown = count.min(self.entries.len());
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        reply.array(shown);
        for entry in self.entries.iter().take(shown) {
            reply.array(6);
            reply.int(entry.id);
            reply.int(number(entry.at_s));
            reply.int(number(entry.took_us));
            reply.array(entry.args.len());
            for arg in &entry.args {
                reply.bulk(arg);
            }
            reply.bulk(entry.peer.as_bytes());
            reply.bulk(entry.name.as_bytes());
        }
    }
}

impl Node {
    /// `SLOWLOG GET [count]`, `SLOWLOG LEN`, `SLOWLOG RESET`
    pub(super) fn slowlog(&mut self, session: &mut Session, args: Args<'_>) -> Result<(), Failure> {
        match args.get(1).to_ascii_lowercase().as_slice() {
            b"get" => {
                let count = match args.len() {
                    ..=2 => USUAL,
                    3 => match parse_i64(args.get(2)) {
                        Some(-1) => usize::MAX,
                        Some(count) if count >= 0 => usize::try_from(count).unwrap_or(usize::MAX),
                        _ => {
                            return Err(Failure::fixed("ERR count should be greater than or equal to -1"));
                        }
                    },
                    _ => return Err(error::SYNTAX),
                };
                self.slow_log.write(count, &mut session.reply);
            }
            b"len" => session.reply.int(i64::try_from(self.slow_log.entries.len()).unwrap_or(i64::MAX)),
            b"reset" => {
                self.slow_log.entries.clear();
                session.reply.ok();
            }
            _ => return Err(error::SYNTAX),
        }
        Ok(())
    }
}

/// The arguments as they are kept: cut short, without secrets.
fn kept(args: Args<'_>) -> Vec<Vec<u8>> {
    let shown = args.len().min(MOST_ARGS);
    let whole = if shown < args.len() { shown - 1 } else { shown };
    let mut out: Vec<Vec<u8>> = (0..whole)
        .map(|index| match args.get(index) {
            _ if is_secret(args, index) => REDACTED.to_vec(),
            arg => match arg.get(..MOST_BYTES).filter(|_| arg.len() > MOST_BYTES) {
                Some(head) => {
                    let more = format!("... ({} more bytes)", arg.len() - MOST_BYTES);
                    [head, more.as_bytes()].concat()
                }
                None => arg.to_vec(),
            },
        })
        .collect();
    if whole < shown {
        out.push(format!("... ({} more arguments)", args.len() - whole).into_bytes());
    }
    out
}

/// Whether argument `index` is a password, or the name that goes with one.
fn is_secret(args: Args<'_>, index: usize) -> bool {
    let is = |at: usize, word: &str| args.get(at).eq_ignore_ascii_case(word.as_bytes());
    let follows = |distance: usize, word: &str| index > distance && is(index - distance, word);
    if is(0, "auth") {
        index > 0
    } else if is(0, "hello") {
        follows(1, "auth") || follows(2, "auth")
    } else if is(0, "migrate") {
        // Keys come last, and may have such names: hiding one more does no harm.
        follows(1, "auth") || follows(1, "auth2") || follows(2, "auth2")
    } else if is(0, "config") && is(1, "set") {
        const SECRETS: [&str; 6] = [
            "masterauth",
            "primaryauth",
            "masteruser",
            "requirepass",
            "tls-key-file-pass",
            "tls-client-key-file-pass",
        ];
        index > 2 && index % 2 == 1 && SECRETS.iter().any(|name| is(index - 1, name))
    } else {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::request::OwnedArgs;

    fn shown(words: &[&str]) -> Vec<String> {
        let owned = OwnedArgs::from_slices(words);
        kept(owned.args()).iter().map(|arg| String::from_utf8_lossy(arg).into_owned()).collect()
    }

    #[test]
    fn an_entry_is_bounded_whatever_was_asked() {
        let long = "x".repeat(130);
        assert_eq!(shown(&["set", "k", &long])[2], format!("{}... (2 more bytes)", "x".repeat(128)));
        assert_eq!(shown(&["set", &long[..128]])[1], long[..128]);
        assert_eq!(shown(&["a"; 32]).len(), 32);
        let many = shown(&["a"; 40]);
        assert_eq!((many.len(), many[30].as_str(), many[31].as_str()), (32, "a", "... (9 more arguments)"));
    }

    #[test]
    fn no_entry_holds_a_password() {
        for words in [
            &["AUTH", "hunter2"][..],
            &["auth", "hunter2", "hunter2"],
            &["HELLO", "3", "AUTH", "hunter2", "hunter2", "SETNAME", "n"],
            &["CONFIG", "SET", "hz", "10", "RequirePass", "hunter2", "masterauth", "hunter2"],
            &["MIGRATE", "h", "1", "k", "0", "5", "AUTH", "hunter2"],
            &["MIGRATE", "h", "1", "k", "0", "5", "AUTH2", "hunter2", "hunter2"],
        ] {
            let shown = shown(words);
            assert!(!shown.iter().any(|arg| arg == "hunter2"), "{shown:?}");
            assert!(shown.iter().any(|arg| arg == "(redacted)"));
        }
        assert_eq!(shown(&["CONFIG", "SET", "hz", "10"]), ["CONFIG", "SET", "hz", "10"]);
    }
}
