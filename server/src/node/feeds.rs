//! The master's side of replication: `PSYNC`, snapshots on their way, acknowledgements.

use crate::command::{Failure, error};
use crate::data::Now;
use crate::mutant::{Mutant, made};
use crate::persist::encode::{Header, Writer};
use crate::replication::feed::{Introduction, State};
use crate::replication::history::Asked;
use crate::replication::{Feed, FullReason, History, ReplId};
use crate::resp::Args;
use crate::resp::number::{parse_i64, parse_u64};

use super::session::{Kind, Session};
use super::{ConnId, Level, Node, Sink};

impl Node {
    /// `PSYNC replid offset [FAILOVER]`.
    pub(super) fn psync(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        now: Now,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        let id = ReplId::parse(args.get(1));
        if args.len() > 3 && args.get(3).eq_ignore_ascii_case(b"failover") {
            self.failover_requested(id, now, sink)?;
        }
        self.may_sync(session)?;
        let offset = parse_i64(args.get(2)).ok_or(error::NOT_AN_INTEGER)?;
        let intro = session.intro.as_deref().cloned().unwrap_or_default();
        let name =
            format!("{}:{}", intro.ip.clone().unwrap_or_else(|| ip_of(&session.peer.addr)), intro.port);
        self.note(sink, Level::Notice, format_args!("Replica {name} asks for synchronization"));
        let asked = Asked { id, position: offset.saturating_sub(1) };
        match self.stream.history.continue_from(asked, self.stream.kept()) {
            Ok(at) => self.continue_feed(session, intro, at, now, sink),
            Err(reason) => {
                if reason != FullReason::FirstContact {
                    self.stats.sync_partial_err += 1;
                }
                self.note(sink, Level::Notice, format_args!("Full resync for replica {name}: {reason}"));
                self.stats.last_full = Some(reason);
                self.attach(session, intro, reason, now, sink);
            }
        }
        Ok(())
    }

    /// `SYNC`: a peer that knows no `PSYNC`, or a tool. It never acknowledges.
    pub(super) fn sync(
        &mut self,
        session: &mut Session,
        now: Now,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        self.may_sync(session)?;
        let intro = session.intro.as_deref().cloned().unwrap_or_default();
        self.note(
            sink,
            Level::Notice,
            format_args!("Replica {} asks for synchronization (SYNC)", session.peer.addr),
        );
        self.attach(session, intro, FullReason::NoHistory, now, sink);
        Ok(())
    }

    /// Whether this connection may become a feed now.
    fn may_sync(&self, session: &Session) -> Result<(), Failure> {
        if self.failing_over() {
            return Err(Failure::fixed("NOMASTERLINK Can't SYNC while failing over"));
        }
        if self.link.as_ref().is_some_and(|link| !link.up()) {
            return Err(Failure::fixed("NOMASTERLINK Can't SYNC while not connected with my master"));
        }
        if self.is_our_master(session) {
            return Err(Failure::fixed("NOMASTERLINK Can't SYNC my own master: it has to be promoted first"));
        }
        if session.unsent() > 0 {
            return Err(Failure::fixed("ERR SYNC and PSYNC are invalid with pending output"));
        }
        if session.intro.as_deref().is_some_and(|intro| intro.without_keys && !intro.eof) {
            return Err(Failure::fixed("ERR Filtered replica requires EOF capability"));
        }
        Ok(())
    }

    /// The one who asks is the one we follow: two that follow each other would be a ring without a master.
    fn is_our_master(&self, session: &Session) -> bool {
        let (Some(link), Some(intro)) = (&self.link, &session.intro) else { return false };
        if made(Mutant::RingServed) {
            return false;
        }
        let Some(master) = self.link_conn.and_then(|conn| self.sessions.get(conn)) else { return false };
        let asks = intro.ip.clone().unwrap_or_else(|| ip_of(&session.peer.addr));
        intro.port == link.port && (asks == ip_of(&master.peer.addr) || asks == link.host)
    }

    fn continue_feed(
        &mut self,
        session: &mut Session,
        intro: Introduction,
        at: u64,
        now: Now,
        sink: &mut dyn Sink,
    ) {
        self.stats.sync_partial_ok += 1;
        let missing = self.stream.offset() - at;
        if intro.psync2 {
            session.reply.simple(&format!("CONTINUE {}", self.stream.history.id));
        } else {
            session.reply.simple("CONTINUE");
        }
        let mut feed = Feed::new(intro, ip_of(&session.peer.addr), State::Online, at, now.mono_ms());
        feed.joined = self.stream.offset();
        self.note(
            sink,
            Level::Notice,
            format_args!(
                "Partial resynchronization request from {} accepted. Sending {missing} bytes of backlog starting from offset {}.",
                feed.name(),
                at + 1
            ),
        );
        self.become_feed(session, feed, sink);
    }

    /// Makes a connection a feed that needs a snapshot.
    fn attach(
        &mut self,
        session: &mut Session,
        intro: Introduction,
        reason: FullReason,
        now: Now,
        sink: &mut dyn Sink,
    ) {
        self.stats.sync_full += 1;
        if !self.stream.active() {
            if self.link.is_none() {
                // Nothing was counted while nobody listened: the stream that starts now is a new one.
                self.stream.history = History::fresh(&mut self.rng);
                self.stream.forget_selected();
            }
            self.stream.open();
            self.note(
                sink,
                Level::Notice,
                format_args!(
                    "Replication backlog created, my new replication ID is '{}'",
                    self.stream.history.id
                ),
            );
        }
        let mut feed =
            Feed::new(intro, ip_of(&session.peer.addr), State::Waiting, self.stream.offset(), now.mono_ms());
        feed.legacy = reason == FullReason::NoHistory;
        feed.why_full = Some(reason);
        self.become_feed(session, feed, sink);
        if self.config.repl_diskless_sync_delay == 0 {
            self.begin_snapshot(session, now, sink);
        } else if self.enough_waiting() {
            self.begin_snapshot(session, now, sink);
            for conn in self.feeds.clone() {
                if let Some(mut other) = self.sessions.take(conn) {
                    self.begin_waiting(&mut other, now, sink);
                    self.put_back(other, sink);
                }
            }
        } else {
            let seconds = self.config.repl_diskless_sync_delay;
            self.note(
                sink,
                Level::Notice,
                format_args!("Delay next snapshot for replication by {seconds} seconds"),
            );
        }
    }

    /// `repl-diskless-sync-max-replicas` ends the delay early; the one being served is not in the table.
    fn enough_waiting(&self) -> bool {
        let most = usize::try_from(self.config.repl_diskless_sync_max_replicas).unwrap_or(usize::MAX);
        let feeds = self.feeds.iter().filter_map(|&conn| self.sessions.get(conn)?.feed());
        most > 0 && feeds.filter(|feed| matches!(feed.state, State::Waiting)).count() + 1 >= most
    }

    fn begin_waiting(&mut self, session: &mut Session, now: Now, sink: &mut dyn Sink) {
        if session.feed().is_some_and(|feed| matches!(feed.state, State::Waiting)) {
            self.begin_snapshot(session, now, sink);
        }
    }

    fn become_feed(&mut self, session: &mut Session, feed: Feed, sink: &mut dyn Sink) {
        self.unwatch(session);
        if self.config.repl_disable_tcp_nodelay {
            sink.coalesce(session.conn);
        }
        session.kind = Kind::Replica(Box::new(feed));
        self.feeds.push(session.conn);
        // It may have to be told of bytes that were there before it came.
        self.announced_offset = u64::MAX;
    }

    /// Fixes the cut for a waiting feed and says so, if a snapshot can be begun now.
    pub(super) fn begin_snapshot(&mut self, session: &mut Session, now: Now, sink: &mut dyn Sink) {
        let Some(feed) = session.feed() else { return };
        let (legacy, without_keys) = (feed.legacy, feed.intro.without_keys);
        let eof = feed.intro.eof && (self.config.repl_diskless_sync || without_keys);
        let name = feed.name();
        let cut = self.stream.offset();
        let header = Header {
            // Version 9 unless the peer said more of itself, or the floor was raised: a peer that does not know a version
            // empties itself and retries for ever (redis#13007, redis#994).
            version: feed.intro.rdb_version().max(u32::from(self.config.repl_rdb_floor)),
            aux: self.replication_aux(now),
            checksum: false,
            compress: false,
            exact: false,
        };
        let mut writer = Writer::new(header);
        let mut nothing = Vec::new();
        let snapshot = if without_keys {
            writer.finish();
            writer.take(&mut nothing);
            None
        } else {
            let Some(snapshot) = self.keyspace.begin_snapshot(Box::new(writer)) else { return };
            Some(snapshot)
        };
        if self.link.is_none() {
            self.stream.forget_selected();
        }
        if !legacy {
            session.reply.simple(&format!("FULLRESYNC {} {cut}", self.stream.history.id));
        }
        let state = if eof {
            let mut mark = [b'0'; 40];
            for (slot, digit) in mark.iter_mut().zip(self.rng.hex40().bytes()) {
                *slot = digit;
            }
            session.reply.raw(b"$EOF:");
            session.reply.raw(&mark);
            session.reply.raw(b"\r\n");
            if without_keys {
                session.reply.raw(&nothing);
                session.reply.raw(&mark);
            }
            State::Sending { snapshot, mark: Some(mark) }
        } else {
            let Some(snapshot) = snapshot else { return };
            State::Collecting { snapshot, bytes: Vec::new() }
        };
        let Some(feed) = session.feed_mut() else { return };
        feed.state = state;
        feed.sent = cut;
        feed.joined = cut;
        feed.heard_ms = now.mono_ms();
        feed.moved_ms = now.mono_ms();
        self.note(
            sink,
            Level::Notice,
            format_args!("Starting snapshot for replica {name} at offset {cut}, target: replica socket"),
        );
    }

    /// What a replica says after its `PSYNC`: acknowledgements. Everything else is read and dropped.
    pub(super) fn replica_input(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        now: Now,
        sink: &mut dyn Sink,
    ) {
        if !args.get(0).eq_ignore_ascii_case(b"replconf") || !args.get(1).eq_ignore_ascii_case(b"ack") {
            return;
        }
        let Some(position) = parse_u64(args.get(2)) else { return };
        let Some(feed) = session.feed_mut() else { return };
        let opened = feed.acknowledged(position, now.mono_ms());
        let name = feed.name();
        if opened {
            self.note(sink, Level::Notice, format_args!("Synchronization with replica {name} succeeded"));
            self.announced_offset = u64::MAX;
        }
        self.acks_changed = true;
    }

    /// A replica's connection is gone.
    pub(super) fn feed_gone(&mut self, conn: ConnId, feed: &Feed, now: Now, sink: &mut dyn Sink) {
        self.feeds.retain(|other| *other != conn);
        if let Some(snapshot) = feed.snapshot() {
            self.keyspace.end_snapshot(snapshot);
        }
        self.note(sink, Level::Notice, format_args!("Connection with replica {} lost.", feed.name()));
        if self.feeds.is_empty() {
            self.no_feeds_since_ms = Some(now.mono_ms());
        }
        // It may have been the one that held the stream back.
        self.trim();
        self.acks_changed = true;
    }

    /// Replicas that are online and were heard within `min-replicas-max-lag`.
    pub(super) fn good_replicas(&self, now: Now) -> u64 {
        let lag = u64::from(self.config.min_replicas_max_lag);
        self.count_replicas(|feed| feed.online() && feed.lag_s(now.mono_ms()) <= lag)
    }

    /// How many replicas are so. One that came back while its old connection still seems open is one, not two: it is
    /// known by the address it announces.
    pub(super) fn count_replicas(&self, so: impl Fn(&Feed) -> bool) -> u64 {
        let feeds =
            || self.feeds.iter().filter_map(|&conn| self.sessions.get(conn)?.feed()).filter(|feed| so(feed));
        let same = |a: &Feed, b: &Feed| {
            !made(Mutant::WaitCountsTwice)
                && a.intro.port != 0
                && a.intro.port == b.intro.port
                && a.shown_ip() == b.shown_ip()
        };
        let first = |(at, feed): &(usize, &Feed)| !feeds().take(*at).any(|before| same(before, feed));
        feeds().enumerate().filter(first).count() as u64
    }

    /// Drops every replica: they come back and learn of a new history.
    pub(super) fn drop_feeds(&mut self, sink: &mut dyn Sink) {
        for conn in self.feeds.clone() {
            self.kill(conn, sink);
        }
    }

    /// Once a second or at a finer tick: keepalives, waiting snapshots, limits and timeouts of all feeds.
    pub(super) fn tick_feeds(&mut self, now: Now, sink: &mut dyn Sink) {
        let now_ms = now.mono_ms();
        if self.feeds.is_empty() {
            self.expire_backlog(now_ms, sink);
            return;
        }
        let second = now_ms / 1000 != self.feeds_second;
        self.feeds_second = now_ms / 1000;
        let period = u64::from(self.config.repl_ping_replica_period).saturating_mul(1000);
        if self.link.is_none() && now_ms.saturating_sub(self.pinged_ms) >= period && !self.pauses.any() {
            self.pinged_ms = now_ms;
            if self.stream.active() {
                self.stream.append_plain(&[b"ping"]);
            }
        }
        for conn in self.feeds.clone() {
            if let Some(mut session) = self.sessions.take(conn) {
                self.tick_feed(&mut session, second, now, sink);
                let paced = self.config.rdb_key_save_delay > 0;
                let going_out = session.feed().is_some_and(|feed| feed.snapshot().is_some());
                self.put_back(session, sink);
                self.judge_feed(conn, now, sink);
                if paced && going_out {
                    self.offer(conn, now, sink);
                }
            }
        }
    }

    fn tick_feed(&mut self, session: &mut Session, second: bool, now: Now, sink: &mut dyn Sink) {
        let now_ms = now.mono_ms();
        let Some(feed) = session.feed() else { return };
        match &feed.state {
            State::Waiting | State::Collecting { .. } => {
                let delay = u64::from(self.config.repl_diskless_sync_delay) * 1000;
                let due =
                    matches!(feed.state, State::Waiting) && now_ms.saturating_sub(feed.since_ms) >= delay;
                if second {
                    session.reply.raw(b"\n");
                }
                if due {
                    self.begin_snapshot(session, now, sink);
                }
            }
            State::Sending { .. } | State::AwaitingAck | State::Online => {}
        }
    }

    /// `repl-backlog-ttl`: a master whom nobody follows for that long forgets its stream.
    fn expire_backlog(&mut self, now_ms: u64, sink: &mut dyn Sink) {
        let ttl_ms = u64::from(self.config.repl_backlog_ttl) * 1000;
        let alone = self.no_feeds_since_ms.is_some_and(|since| now_ms.saturating_sub(since) > ttl_ms);
        if ttl_ms > 0 && alone && self.link.is_none() && self.stream.active() {
            self.stream.close();
            self.stream.history = History::fresh(&mut self.rng);
            self.no_feeds_since_ms = None;
            let seconds = self.config.repl_backlog_ttl;
            self.note(
                sink,
                Level::Notice,
                format_args!("Replication backlog freed after {seconds} seconds without connected replicas."),
            );
        }
    }

    /// Fields that stand in a snapshot's head: they let a restarted server continue where it was.
    pub(super) fn replication_aux(&self, now: Now) -> Vec<(String, String)> {
        let mut aux = vec![
            ("redis-ver".to_owned(), super::config::REDIS_VERSION.to_owned()),
            ("redis-bits".to_owned(), "64".to_owned()),
            ("ctime".to_owned(), (now.wall_ms / 1000).to_string()),
            ("used-mem".to_owned(), self.keyspace.memory().to_string()),
        ];
        if self.stream.active() {
            aux.push(("repl-stream-db".to_owned(), self.stream.selected().unwrap_or(0).to_string()));
            aux.push(("repl-id".to_owned(), self.stream.history.id.to_string()));
            aux.push(("repl-offset".to_owned(), self.stream.offset().to_string()));
        }
        aux.push(("aof-base".to_owned(), "0".to_owned()));
        aux
    }
}

/// The address without its port.
pub(super) fn ip_of(addr: &str) -> String {
    let ip = addr.rsplit_once(':').map_or(addr, |(ip, _)| ip);
    ip.trim_start_matches('[').trim_end_matches(']').to_owned()
}

/// Bytes of a peer, fit for a log line.
pub(super) fn plain_text(bytes: &[u8]) -> String {
    bytes.iter().map(|&b| if (b' '..=b'~').contains(&b) { b as char } else { '?' }).collect()
}
