//! One connection as the node sees it.

use std::collections::BTreeSet;

use crate::command::Command;
use crate::replication::Feed;
use crate::replication::feed::Introduction;
use crate::resp::request::OwnedArgs;
use crate::resp::{Limits, Parser, Reply};

use super::blocked::Parked;
use super::pubsub::Reach;
use super::sink::{ConnId, Peer};

/// What a connection is to us.
#[derive(Debug)]
pub(super) enum Kind {
    /// A client.
    Client,
    /// A replica of ours, from its `PSYNC` on.
    Replica(Box<Feed>),
    /// Our master.
    Upstream,
    /// Where MIGRATE brings keys.
    Courier,
}

/// Why a client's requests are not served now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// `WAIT`: until `replicas` acknowledged `offset`, or until `deadline_ms` (monotonic; `None` is for ever).
    Wait { replicas: u64, offset: u64, deadline_ms: Option<u64> },
    /// A request waits for keys: [`Session::parked`].
    Blocked,
    /// Held back by a pause; its next request was not consumed.
    Paused,
    /// `SAVE` or `SHUTDOWN` under way; the reply comes when it is done.
    Save,
    /// `SHUTDOWN` waiting for replicas.
    Shutdown,
    /// `MIGRATE` until its keys are there.
    Migrate,
}

/// `CLIENT REPLY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ReplyMode {
    /// Replies are sent.
    #[default]
    On,
    /// No replies until `ON`.
    Off,
    /// The next command's reply is dropped.
    SkipNext,
    /// This command's reply is dropped.
    Skipping,
}

/// A transaction being queued.
#[derive(Debug, Default)]
pub(super) struct Multi {
    /// Commands in order.
    pub(super) queue: Vec<(&'static Command, OwnedArgs)>,
    /// A command was refused: `EXEC` will abort.
    pub(super) broken: bool,
    /// Some queued command writes.
    pub(super) writes: bool,
    /// Bytes held.
    pub(super) size: usize,
}

/// Channels and patterns of one client.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    /// Channel names.
    pub(super) channels: BTreeSet<Vec<u8>>,
    /// Glob patterns.
    pub(super) patterns: BTreeSet<Vec<u8>>,
    /// Names of shard channels.
    pub(super) shards: BTreeSet<Vec<u8>>,
}

impl Subscriptions {
    pub(super) fn of(&mut self, reach: Reach) -> &mut BTreeSet<Vec<u8>> {
        match reach {
            Reach::Channel => &mut self.channels,
            Reach::Pattern => &mut self.patterns,
            Reach::Shard => &mut self.shards,
        }
    }
}

/// One connection.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) conn: ConnId,
    pub(super) peer: Peer,
    pub(super) kind: Kind,
    /// The client's id, as CLIENT ID says it.
    pub(super) id: u64,
    pub(super) created_ms: u64,
    pub(super) active_ms: u64,
    pub(super) name: String,
    pub(super) lib_name: String,
    pub(super) lib_ver: String,
    pub(super) last_command: &'static str,
    pub(super) db: usize,
    pub(super) authenticated: bool,
    pub(super) parser: Parser,
    /// Input that is not consumed yet.
    pub(super) pending: Vec<u8>,
    /// Unsent output starts at `sent`.
    pub(super) reply: Reply,
    pub(super) sent: usize,
    /// The sink was told of output in this turn.
    pub(super) announced: bool,
    /// Serve no further request; close once the output is out.
    pub(super) closing: bool,
    pub(super) hold: Option<Hold>,
    /// The request that waits for keys.
    pub(super) parked: Option<Box<Parked>>,
    pub(super) mode: ReplyMode,
    pub(super) multi: Option<Box<Multi>>,
    pub(super) watching: bool,
    /// It is told of changed keys.
    pub(super) tracking: bool,
    pub(super) subscriptions: Option<Box<Subscriptions>>,
    pub(super) monitor: bool,
    pub(super) intro: Option<Box<Introduction>>,
    /// Stream offset behind this client's last write, for WAIT.
    pub(super) last_write: u64,
    /// It wrote something, counted in a stream or not.
    pub(super) wrote: bool,
    /// Bytes of the transaction that the master's stream has opened and not closed.
    pub(super) open_bytes: Vec<u8>,
    /// `CLIENT NO-EVICT`: it is not closed to make room for others.
    pub(super) no_evict: bool,
    /// `CLIENT NO-TOUCH`: what it reads does not count as used.
    pub(super) no_touch: bool,
    pub(super) commands: u64,
    /// What it adds to the weight of all clients.
    pub(super) weight: usize,
}

impl Session {
    pub(super) fn new(conn: ConnId, peer: Peer, kind: Kind, id: u64, now_ms: u64) -> Self {
        Self {
            conn,
            peer,
            kind,
            id,
            created_ms: now_ms,
            active_ms: now_ms,
            name: String::new(),
            lib_name: String::new(),
            lib_ver: String::new(),
            last_command: "NULL",
            db: 0,
            authenticated: true,
            parser: Parser::default(),
            pending: Vec::new(),
            reply: Reply::default(),
            sent: 0,
            announced: false,
            closing: false,
            hold: None,
            parked: None,
            mode: ReplyMode::On,
            multi: None,
            watching: false,
            tracking: false,
            subscriptions: None,
            monitor: false,
            intro: None,
            last_write: 0,
            wrote: false,
            open_bytes: Vec::new(),
            no_evict: false,
            no_touch: false,
            commands: 0,
            weight: 0,
        }
    }

    pub(super) fn limits(&self) -> Limits {
        if self.authenticated { Limits::OPEN } else { Limits::BEFORE_AUTH }
    }

    /// Its next request may be served now.
    #[inline]
    pub(super) fn serves(&self) -> bool {
        !self.closing && self.hold.is_none()
    }

    /// Bytes it takes: what came and was not served, what is to go out, what it queued.
    pub(super) fn memory(&self) -> usize {
        let queued = self.multi.as_ref().map_or(0, |multi| multi.size);
        size_of::<Self>() + self.pending.capacity() + self.reply.len() + queued + self.open_bytes.capacity()
    }

    /// What counts against the limit for all clients.
    pub(super) fn counted(&self) -> usize {
        if self.is_client() && !self.closing { self.memory() } else { 0 }
    }

    pub(super) fn unsent(&self) -> usize {
        self.reply.len() - self.sent.min(self.reply.len())
    }

    pub(super) fn feed(&self) -> Option<&Feed> {
        match &self.kind {
            Kind::Replica(feed) => Some(feed),
            _ => None,
        }
    }

    pub(super) fn feed_mut(&mut self) -> Option<&mut Feed> {
        match &mut self.kind {
            Kind::Replica(feed) => Some(feed),
            _ => None,
        }
    }

    /// It waits for replicas or for keys.
    pub(super) fn waits(&self) -> bool {
        matches!(self.hold, Some(Hold::Wait { .. } | Hold::Blocked))
    }

    pub(super) fn is_client(&self) -> bool {
        matches!(self.kind, Kind::Client)
    }

    /// Subscribed to something.
    pub(super) fn subscribed(&self) -> bool {
        self.subscriptions
            .as_ref()
            .is_some_and(|s| ![&s.channels, &s.patterns, &s.shards].iter().all(|names| names.is_empty()))
    }

    /// How many channels and patterns it is subscribed to, or how many shard channels.
    pub(super) fn subscription_count(&self, shards: bool) -> usize {
        let all = self.subscriptions.as_ref();
        all.map_or(0, |s| if shards { s.shards.len() } else { s.channels.len() + s.patterns.len() })
    }
}
