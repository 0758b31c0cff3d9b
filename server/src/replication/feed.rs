//! One attached replica as its master sees it: who it said it is, what it was given, what it acknowledged.

use super::history::FullReason;
use crate::keyspace::SnapshotId;

/// What a replica says of itself before `PSYNC` (`REPLCONF …`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Introduction {
    /// `listening-port`; 0 when it never said.
    pub port: u16,
    /// `ip-address`, when it announces another than it connects from.
    pub ip: Option<String>,
    /// `capa eof`: it can take a snapshot whose end is a marker.
    pub eof: bool,
    /// `capa psync2`: it understands a new id in `+CONTINUE`.
    pub psync2: bool,
    /// `version x.y.z`: Valkey 8 and later, and our own kind. Decides which snapshot format it may be given.
    pub version: Option<(u32, u32, u32)>,
    /// `rdb-only 1`: wants the snapshot and no stream (`redis-cli --rdb`).
    pub rdb_only: bool,
    /// `rdb-filter-only`, whatever it names: wants no keys (`redis-cli --replica`).
    pub without_keys: bool,
}

impl Introduction {
    /// The newest version of the RDB format that the peer is known to read: 9 when it never said its own version.
    #[must_use]
    pub fn rdb_version(&self) -> u32 {
        match self.version {
            Some((8.., _, _) | (7, 2.., _)) => 11,
            Some((7, _, _)) => 10,
            _ => 9,
        }
    }

    /// Reads `x.y.z`.
    #[must_use]
    pub fn parse_version(text: &[u8]) -> Option<(u32, u32, u32)> {
        let mut parts = str::from_utf8(text).ok()?.splitn(3, '.').map(|part| part.parse().ok());
        Some((parts.next()??, parts.next()??, parts.next()??))
    }
}

/// Where a feed is.
#[derive(Debug)]
pub enum State {
    /// It needs a snapshot and none could be begun yet.
    Waiting,
    /// A snapshot is being collected first, because the peer wants to know its length.
    Collecting {
        /// The snapshot.
        snapshot: SnapshotId,
        /// What of it is captured so far.
        bytes: Vec<u8>,
    },
    /// The snapshot is on its way.
    Sending {
        /// The snapshot, until its last byte is captured.
        snapshot: Option<SnapshotId>,
        /// The mark at its end; a snapshot of known length has none.
        mark: Option<[u8; 40]>,
    },
    /// The snapshot is out. Nothing may follow the mark before the first acknowledgement, as a loading replica
    /// searches the mark at the end of each read.
    AwaitingAck,
    /// It reads the stream.
    Online,
}

/// One attached replica.
#[derive(Debug)]
pub struct Feed {
    /// What it said of itself.
    pub intro: Introduction,
    /// The address it connects from, without the port.
    pub ip: String,
    /// Where it is.
    pub state: State,
    /// Position up to which the stream was given to its connection.
    pub sent: u64,
    /// Where the stream ended when it joined. What it had missed by then does not count against its output limit: it is
    /// kept anyway, and a replica cut for it would come back for the same bytes at once, for ever.
    pub joined: u64,
    /// Highest position it acknowledged; 0 before the first acknowledgement.
    pub acked: u64,
    /// It has said what it holds, by an acknowledgement or by where it asked to continue. Until then it may still be
    /// loading the snapshot, whatever its state is called.
    pub answered: bool,
    /// When it last acknowledged or sent a newline, in monotonic milliseconds.
    pub heard_ms: u64,
    /// It came by `SYNC`: it never acknowledges and is exempt from timeouts.
    pub legacy: bool,
    /// When it attached, in monotonic milliseconds.
    pub since_ms: u64,
    /// A snapshot slowed down on purpose (`rdb-key-save-delay`) goes on at this monotonic millisecond.
    pub paced_ms: u64,
    /// When its connection last took bytes of a snapshot, in monotonic milliseconds.
    pub moved_ms: u64,
    /// Why it had to take a snapshot; `None` when it went on from what it held.
    pub why_full: Option<FullReason>,
    /// Bytes of the snapshot it was given so far.
    pub snapshot_bytes: u64,
    /// Since when it has been over the soft output limit, in monotonic milliseconds.
    pub over_soft_since: Option<u64>,
}

impl Feed {
    /// A replica that has just asked, at position `from`.
    #[must_use]
    pub fn new(intro: Introduction, ip: String, state: State, from: u64, now_ms: u64) -> Self {
        let online = matches!(state, State::Online);
        Self {
            intro,
            ip,
            state,
            sent: from,
            joined: from,
            acked: if online { from } else { 0 },
            answered: online,
            heard_ms: now_ms,
            legacy: false,
            since_ms: now_ms,
            paced_ms: 0,
            moved_ms: now_ms,
            why_full: None,
            snapshot_bytes: 0,
            over_soft_since: None,
        }
    }

    /// Bytes of a stream that ends at `offset` which count against its output limit.
    #[must_use]
    pub fn lag_bytes(&self, offset: u64) -> u64 {
        if self.waiting() { 0 } else { offset.saturating_sub(self.sent.max(self.joined)) }
    }

    /// Address as INFO shows it.
    #[must_use]
    pub fn shown_ip(&self) -> &str {
        self.intro.ip.as_deref().unwrap_or(&self.ip)
    }

    /// `ip:port` as log lines show it.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}:{}", self.shown_ip(), self.intro.port)
    }

    /// The word INFO uses.
    #[must_use]
    pub fn state_word(&self) -> &'static str {
        match self.state {
            State::Waiting | State::Collecting { .. } => "wait_bgsave",
            State::Sending { .. } => "send_bulk",
            State::AwaitingAck | State::Online => "online",
        }
    }

    /// It waits for a snapshot to begin: whatever the stream holds now, it will not need it.
    #[must_use]
    pub fn waiting(&self) -> bool {
        matches!(self.state, State::Waiting)
    }

    /// Listed in ROLE and counted as a good replica.
    #[must_use]
    pub fn online(&self) -> bool {
        matches!(self.state, State::AwaitingAck | State::Online)
    }

    /// Seconds since it was last heard, as INFO's `lag`; 0 while it takes a snapshot.
    #[must_use]
    pub fn lag_s(&self, now_ms: u64) -> u64 {
        if self.online() { now_ms.saturating_sub(self.heard_ms) / 1000 } else { 0 }
    }

    /// It acknowledged `position`. Acknowledgements only ever rise; a claim beyond what it was given is cut down
    /// to that. True when this opened the stream to it.
    pub fn acknowledged(&mut self, position: u64, now_ms: u64) -> bool {
        self.heard_ms = now_ms;
        let opened = matches!(self.state, State::AwaitingAck);
        if opened {
            self.state = State::Online;
        }
        if self.online() {
            self.acked = self.acked.max(position.min(self.sent));
            self.answered = true;
        }
        opened
    }

    /// The live snapshot it reads, if any; to be ended when the feed goes.
    #[must_use]
    pub fn snapshot(&self) -> Option<SnapshotId> {
        match &self.state {
            State::Collecting { snapshot, .. } => Some(*snapshot),
            State::Sending { snapshot, .. } => *snapshot,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acknowledgements_only_rise_and_never_pass_what_was_sent() {
        let mut feed = Feed::new(Introduction::default(), "::1".into(), State::AwaitingAck, 100, 0);
        assert_eq!((feed.acked, feed.answered), (0, false), "no acknowledgement yet");
        assert!(feed.acknowledged(100, 5));
        assert!(feed.answered);
        feed.sent = 150;
        assert!(!feed.acknowledged(140, 6));
        feed.acknowledged(120, 7);
        assert_eq!(feed.acked, 140);
        feed.acknowledged(9999, 8);
        assert_eq!(feed.acked, 150);
        assert_eq!(feed.lag_s(2010), 2);
    }

    #[test]
    fn versions_are_three_numbers() {
        assert_eq!(Introduction::parse_version(b"8.0.1"), Some((8, 0, 1)));
        assert_eq!(Introduction::parse_version(b"8.0"), None);
        assert_eq!(Introduction::parse_version(b"8.0.x"), None);
    }
}
