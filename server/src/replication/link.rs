//! A replica's link to its master: the handshake as data, and the states it passes.
//!
//! ```text
//! Resting ─▶ Dialing ─▶ Greeting ─▶ Asked ─┬─▶ Receiving ─▶ Streaming
//!    ▲                                      └──────────────▶ Streaming
//!    └──────────────── any failure, any timeout ◀──────────────┘
//! ```
//!
//! The handshake is a list of [`Step`]s: what to send, and which answers end the attempt. Redis and Valkey wait
//! for the answer to `PING`, then write the rest back to back; so do we, and a foreign master may answer in any
//! pieces. Bytes and connections are the node's; this room decides what lines mean.

use std::collections::VecDeque;

use super::history::ReplId;
use super::transfer::Transfer;

/// Where the link is.
#[derive(Debug, Default)]
pub enum State {
    /// Not connected; the next attempt is at this monotonic millisecond.
    Resting {
        /// When to dial.
        until_ms: u64,
    },
    /// Waiting for the connection.
    Dialing {
        /// Names the attempt.
        ticket: u64,
    },
    /// Connected; these answers are outstanding.
    Greeting {
        /// In the order sent.
        expected: VecDeque<Step>,
    },
    /// `PSYNC` is out.
    Asked {
        /// It asked to continue: only then may the master say so.
        partial: bool,
    },
    /// A snapshot is coming in; it replaces the data when it is complete and verified.
    Receiving(Box<Receiving>),
    /// The stream is coming in.
    Streaming,
    /// Between two states, inside one input.
    #[default]
    Moving,
}

/// A full resync under way.
#[derive(Debug)]
pub struct Receiving {
    /// The history the snapshot belongs to; `None` from a master that only knows `SYNC`.
    pub id: Option<ReplId>,
    /// The cut it stands for.
    pub offset: u64,
    /// Framing progress.
    pub transfer: Transfer,
    /// When it began, in monotonic milliseconds.
    pub since_ms: u64,
}

/// One exchange of the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// `PING`.
    Ping,
    /// `AUTH`.
    Auth,
    /// `REPLCONF listening-port`.
    Port,
    /// `REPLCONF ip-address`.
    Address,
    /// `REPLCONF capa eof capa psync2`.
    Capabilities,
    /// `REPLCONF version`.
    Version,
    /// `INFO`: asked only when data is at stake; its answer is a value, not a line.
    Survey,
}

impl Step {
    /// What the answer `line` means for the attempt.
    ///
    /// # Errors
    /// It ends the attempt, with this sentence. The tolerated errors are Redis' own list: a refused `PING` is fine when
    /// it only asks for a password, refused `REPLCONF`s are fine, a refused `AUTH` never is.
    pub fn answered(self, line: &[u8]) -> Result<Option<String>, String> {
        let text = || String::from_utf8_lossy(line.get(1..).unwrap_or_default()).into_owned();
        let refused = line.first() != Some(&b'+');
        match self {
            _ if !refused => Ok(None),
            Self::Ping => {
                let tolerated: [&[u8]; 3] = [b"-NOAUTH", b"-NOPERM", b"-ERR operation not permitted"];
                if tolerated.iter().any(|start| line.starts_with(start)) {
                    Ok(None)
                } else {
                    Err(format!("error reply to PING from master: '{}'", text()))
                }
            }
            Self::Auth => Err(format!("unable to AUTH to master: {}", text())),
            Self::Port | Self::Address | Self::Capabilities | Self::Version | Self::Survey => {
                Ok(Some(format!("(non critical) master does not understand {}: {}", self.name(), text())))
            }
        }
    }

    /// The command, as log lines name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ping => "PING",
            Self::Auth => "AUTH",
            Self::Port => "REPLCONF listening-port",
            Self::Address => "REPLCONF ip-address",
            Self::Capabilities => "REPLCONF capa",
            Self::Version => "REPLCONF version",
            Self::Survey => "INFO",
        }
    }
}

/// What the master said to `PSYNC`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// An empty line: it still prepares.
    Wait,
    /// A snapshot follows.
    Full {
        /// The history.
        id: ReplId,
        /// The cut.
        offset: u64,
    },
    /// The stream follows from where we asked.
    Continue {
        /// The history's new id, when it said one.
        id: Option<ReplId>,
    },
    /// It cannot serve now; what we hold stays good. Try again soon.
    Transient(String),
    /// It does not know `PSYNC`.
    Unsupported(String),
    /// It answered what nobody asked for; close and try again.
    Nonsense(String),
}

/// Reads the answer to `PSYNC`. `partial` says whether we asked to continue: a `+CONTINUE` to a replica that asked
/// for a full resync is refused (it ends Redis and Valkey by a signal).
#[must_use]
pub fn verdict(line: &[u8], partial: bool) -> Verdict {
    let text = String::from_utf8_lossy(line).into_owned();
    let mut words = line.split(|&b| b == b' ').filter(|word| !word.is_empty());
    match words.next() {
        None => Verdict::Wait,
        Some(b"+FULLRESYNC") => {
            let id = words.next().and_then(ReplId::parse);
            let offset =
                words.next().and_then(crate::resp::number::parse_i64).and_then(|n| u64::try_from(n).ok());
            match (id, offset, words.next()) {
                // An offset near the top would let later additions wrap; no real stream is that long.
                (Some(id), Some(offset), None) if offset < 1 << 62 => Verdict::Full { id, offset },
                _ => Verdict::Nonsense(format!("a full resync without a usable id and offset: '{text}'")),
            }
        }
        Some(b"+CONTINUE") if !partial => {
            Verdict::Nonsense("the master continues though a full resync was asked for".into())
        }
        Some(b"+CONTINUE") => match words.next() {
            None => Verdict::Continue { id: None },
            Some(word) => match ReplId::parse(word) {
                Some(id) => Verdict::Continue { id: Some(id) },
                None => Verdict::Nonsense(format!("a continuation with a bad id: '{text}'")),
            },
        },
        Some(b"-NOMASTERLINK" | b"-LOADING") => Verdict::Transient(text),
        Some(word) if word.starts_with(b"-") => Verdict::Unsupported(text),
        Some(_) => Verdict::Nonsense(format!("an unexpected reply to PSYNC: '{text}'")),
    }
}

/// The link to one master.
#[derive(Debug)]
pub struct Link {
    /// As configured: a name or an address.
    pub host: String,
    /// As configured.
    pub port: u16,
    /// Where it is.
    pub state: State,
    /// When the last byte came in, in monotonic milliseconds.
    pub heard_ms: u64,
    /// When an acknowledgement was last sent, in monotonic milliseconds.
    pub acked_ms: u64,
    /// Since when the link has been down, in monotonic milliseconds; `None` before it was ever up.
    pub down_since_ms: Option<u64>,
    /// What we hold can be continued from (it has a known history).
    pub resumable: bool,
    /// When the last full resync was complete, in monotonic milliseconds; `None` after a continuation.
    pub full_ms: Option<u64>,
    /// Full resyncs in a row whose link was lost within a second.
    pub hasty_fulls: u32,
    /// Attempts that failed in a row, for the pause before the next.
    pub failures: u32,
    /// Why the last attempt or link ended.
    pub last_error: Option<String>,
    /// A command told us to follow this master, whatever it holds; over once the link was up.
    pub told: bool,
    /// Why our data is not given up for this master, while it is not.
    pub held: Option<String>,
    /// We were a master until now: what we hold beyond the new master is lost.
    pub was_master: bool,
    /// Answers to INFO on this connection, until the last has come.
    pub survey_text: Vec<u8>,
    /// The history that the master named in its INFO on this connection, when it will not draw another for us: a snapshot
    /// of any other is not what was judged.
    pub surveyed: Option<ReplId>,
    /// Up to where what we hold is shared with the master that was looked at on this connection: what follows is lost
    /// with a full resync.
    pub shared: Option<u64>,
    /// The file in which what would be lost is kept.
    pub tail_kept: Option<String>,
    /// Ask with the word FAILOVER: the target is to promote itself.
    pub failover: bool,
}

impl Link {
    /// A link that dials at once.
    #[must_use]
    pub fn new(host: String, port: u16, now_ms: u64) -> Self {
        Self {
            host,
            port,
            state: State::Resting { until_ms: now_ms },
            heard_ms: now_ms,
            acked_ms: 0,
            down_since_ms: None,
            resumable: true,
            full_ms: None,
            hasty_fulls: 0,
            failures: 0,
            last_error: None,
            told: false,
            held: None,
            was_master: false,
            survey_text: Vec::new(),
            surveyed: None,
            shared: None,
            tail_kept: None,
            failover: false,
        }
    }

    /// The stream is coming in.
    #[must_use]
    pub fn up(&self) -> bool {
        matches!(self.state, State::Streaming)
    }

    /// ROLE's word for the state.
    #[must_use]
    pub fn role_word(&self) -> &'static str {
        match self.state {
            State::Resting { .. } | State::Moving => "connect",
            State::Dialing { .. } => "connecting",
            State::Greeting { .. } | State::Asked { .. } => "handshake",
            State::Receiving(_) => "sync",
            State::Streaming => "connected",
        }
    }

    /// A link that was up is lost: as how many failed attempts that counts. Two full resyncs in haste are what building
    /// a chain takes; more of them are two histories that chase each other around a ring, as fast as the network goes.
    pub fn hasty(&mut self, now_ms: u64) -> u32 {
        let hasty = self.full_ms.take().is_some_and(|at| now_ms.saturating_sub(at) < 1000);
        self.hasty_fulls = if hasty { self.hasty_fulls.saturating_add(1) } else { 0 };
        self.hasty_fulls.saturating_sub(2)
    }

    /// How long to wait before the next attempt, in milliseconds: at once after a lost link, then 20 ms growing
    /// to a second (nodes of a set start together, and a replica may be there before its master), and to a minute while snapshots keep failing (a master whose format we cannot read).
    #[must_use]
    pub fn pause_ms(&self, snapshots_failed: u32) -> u64 {
        let connect = match self.failures {
            0 => 0,
            n => (10u64 << n.min(7)).min(1000),
        };
        let snapshot = match snapshots_failed {
            0 => 0,
            n => (1000u64 << n.min(6)).min(60_000),
        };
        connect.max(snapshot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answers_to_psync() {
        let hex = "a".repeat(40);
        let id = ReplId::parse(hex.as_bytes()).unwrap();
        for (line, partial, want) in [
            (String::new(), true, Verdict::Wait),
            (format!("+FULLRESYNC {hex} 0"), true, Verdict::Full { id, offset: 0 }),
            (format!("+CONTINUE {hex}"), true, Verdict::Continue { id: Some(id) }),
            ("+CONTINUE".into(), true, Verdict::Continue { id: None }),
            ("-NOMASTERLINK no".into(), true, Verdict::Transient("-NOMASTERLINK no".into())),
            ("-ERR unknown".into(), true, Verdict::Unsupported("-ERR unknown".into())),
        ] {
            assert_eq!(verdict(line.as_bytes(), partial), want, "{line}");
        }
        for (line, partial) in [
            (format!("+FULLRESYNC {hex} -5"), true),
            (format!("+FULLRESYNC {hex} 9223372036854775807"), true),
            ("+FULLRESYNC short 0".into(), true),
            (format!("+CONTINUE {hex}"), false),
            ("+CONTINUE short".into(), true),
            ("+OK".into(), true),
        ] {
            assert!(matches!(verdict(line.as_bytes(), partial), Verdict::Nonsense(_)), "{line}");
        }
    }

    #[test]
    fn a_refused_replconf_is_tolerated_a_refused_password_is_not() {
        assert_eq!(Step::Ping.answered(b"+PONG"), Ok(None));
        assert_eq!(Step::Ping.answered(b"-NOAUTH Authentication required."), Ok(None));
        assert!(Step::Ping.answered(b"-LOADING").is_err());
        assert!(Step::Auth.answered(b"-WRONGPASS").is_err());
        assert!(matches!(Step::Version.answered(b"-ERR Unrecognized"), Ok(Some(_))));
    }

    #[test]
    fn attempts_come_at_once_then_pause_longer() {
        let mut link = Link::new("a".into(), 1, 0);
        assert_eq!(link.pause_ms(0), 0);
        link.failures = 1;
        assert_eq!(link.pause_ms(0), 20);
        link.failures = 9;
        assert_eq!(link.pause_ms(0), 1000);
        assert_eq!(link.pause_ms(3), 8000);
        assert_eq!(link.pause_ms(30), 60_000);
    }

    #[test]
    fn full_resyncs_that_chase_each_other_slow_down() {
        let mut link = Link::new("a".into(), 1, 0);
        let mut lost = |full_ms, now_ms| {
            link.full_ms = full_ms;
            link.hasty(now_ms)
        };
        assert_eq!(
            [lost(Some(0), 5), lost(Some(5), 10), lost(Some(10), 20), lost(Some(20), 30)],
            [0, 0, 1, 2]
        );
        assert_eq!(lost(None, 31), 0, "a continuation in between");
        assert_eq!([lost(Some(40), 50), lost(Some(60), 1060)], [0, 0], "a link that lasted");
    }
}
