//! What an outside observer may see of a node without asking it over a connection: for the simulation's checks.
//!
//! Only looking; nothing here changes anything.

use std::ops::Range;

use crate::keyspace::Keyspace;
use crate::replication::{FullReason, History};

use super::{ConnId, Node};

/// One attached replica, seen from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedView {
    /// Its connection.
    pub conn: ConnId,
    /// Position up to which the stream was given to it.
    pub sent: u64,
    /// Highest position it acknowledged.
    pub acked: u64,
    /// It reads the stream.
    pub online: bool,
    /// It waits for a snapshot to begin.
    pub waiting: bool,
    /// It is being closed.
    pub closing: bool,
}

impl Node {
    /// Which history the data belongs to.
    #[must_use]
    pub fn history(&self) -> History {
        self.stream.history
    }

    /// Position in that history.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.stream.offset()
    }

    /// The stream positions kept; `None` while nothing is counted, as nobody could read it.
    #[must_use]
    pub fn kept(&self) -> Option<Range<u64>> {
        self.stream.kept()
    }

    /// Stream bytes from `position` to the end of a piece; empty when there are none.
    #[must_use]
    pub fn stream_at(&self, position: u64) -> &[u8] {
        self.stream.backlog().map_or(&[], |backlog| backlog.read(position))
    }

    /// It follows another: the port, and whether the stream comes in.
    #[must_use]
    pub fn upstream(&self) -> Option<(u16, bool)> {
        self.link.as_ref().map(|link| (link.port, link.up()))
    }

    /// Its master is worth less than what it holds: it waits for a person.
    #[must_use]
    pub fn holds_out(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.held.is_some())
    }

    /// Stream bytes that were given up for a new master's.
    #[must_use]
    pub fn lost_bytes(&self) -> u64 {
        self.stats.lost_bytes
    }

    /// A coordinated handover is under way.
    #[must_use]
    pub fn hands_over(&self) -> bool {
        self.failing_over()
    }

    /// Those who follow it.
    pub fn attached(&self) -> impl Iterator<Item = FeedView> {
        self.feeds.iter().filter_map(|&conn| {
            let session = self.sessions.get(conn)?;
            let feed = session.feed()?;
            let online = feed.online();
            let waiting = feed.waiting();
            Some(FeedView {
                conn,
                waiting,
                sent: feed.sent,
                acked: feed.acked,
                online,
                closing: session.closing,
            })
        })
    }

    /// All data.
    #[must_use]
    pub fn keyspace(&self) -> &Keyspace {
        &self.keyspace
    }

    /// Why a replica was last given a full resync.
    #[must_use]
    pub fn last_full_reason(&self) -> Option<&FullReason> {
        self.stats.last_full.as_ref()
    }
}
