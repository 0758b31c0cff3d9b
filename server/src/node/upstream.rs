//! The replica's side of replication: dial, greet, ask, receive, follow.
//!
//! What lines mean is [`crate::replication::link`]'s business; here are the connection, the timers and the data.
//! Old data is kept and served until the new snapshot is complete and verified.

use std::collections::VecDeque;

use crate::data::Now;
use crate::mutant::{Mutant, made};
use crate::replication::Link;
use crate::replication::ReplId;
use crate::replication::link::{State, Step, Verdict, verdict};
use crate::resp::Parser;
use crate::resp::reply::encode_request;

use super::session::{Kind, Session};
use super::{ConnId, Level, Node, Peer, Sink};

/// The longest line a master may send in the handshake, in bytes.
const LINE_LIMIT: usize = 64 << 10;

/// What we announce as our version: it lets Valkey choose a snapshot format we can read.
const ANNOUNCED_VERSION: &[u8] = b"8.0.0";

/// Each line of the handshake must come within this, in milliseconds (Redis' `repl-syncio-timeout`).
const LINE_TIMEOUT_MS: u64 = 5000;

/// Ids of our own that we remember, to know those who follow us.
const DRAWN_MOST: usize = 32;

impl Node {
    /// Begins to follow `host:port`; the connection is dialed at once.
    pub(super) fn follow(&mut self, host: String, port: u16, now: Now, sink: &mut dyn Sink) {
        let was_master = self.link.is_none();
        self.drop_link(sink);
        self.config.replicaof.0 = Some((host.clone(), port));
        self.link = Some(Box::new(Link { was_master, ..Link::new(host, port, now.mono_ms()) }));
        self.snapshots_failed = 0;
        self.became_replica(now, sink);
        if was_master {
            self.note(
                sink,
                Level::Notice,
                format_args!(
                    "Before turning into a replica, using my own master parameters to synthesize a cached master: I may be \
                     able to synchronize with the new master with just a partial transfer."
                ),
            );
        }
        self.dial(now, sink);
    }

    /// Called before a running master turns into a replica: the id it lives under it drew itself. (One that starts as a
    /// replica may have its id from a file.)
    pub(super) fn remember_own_id(&mut self) {
        if self.link.is_none() {
            self.drawn.truncate(DRAWN_MOST - 1);
            self.drawn.push_front(self.stream.history.id);
        }
    }

    fn dial(&mut self, now: Now, sink: &mut dyn Sink) {
        self.tickets += 1;
        let ticket = self.tickets;
        let Some(link) = &mut self.link else { return };
        link.state = State::Dialing { ticket };
        link.heard_ms = now.mono_ms();
        let (host, port) = (link.host.clone(), link.port);
        self.note(sink, Level::Notice, format_args!("Connecting to MASTER {host}:{port}"));
        sink.dial(ticket, &host, port);
    }

    /// What became of a [`Sink::dial`]: the new connection, or a sentence saying why not.
    pub fn dialed(
        &mut self,
        ticket: u64,
        result: Result<(ConnId, Peer), String>,
        now: Now,
        sink: &mut dyn Sink,
    ) {
        let wanted = self
            .link
            .as_ref()
            .is_some_and(|link| matches!(link.state, State::Dialing { ticket: t } if t == ticket));
        match result {
            Ok((conn, peer)) if wanted => {
                let id = self.next_client_id();
                let mut session = Box::new(Session::new(conn, peer, Kind::Upstream, id, now.mono_ms()));
                session.reply.raw(b"*1\r\n$4\r\nPING\r\n");
                self.link_conn = Some(conn);
                if let Some(link) = &mut self.link {
                    link.state = State::Greeting { expected: VecDeque::from([Step::Ping]) };
                    link.heard_ms = now.mono_ms();
                }
                self.note(sink, Level::Notice, format_args!("MASTER <-> REPLICA sync started"));
                self.put_back(session, sink);
            }
            Ok((conn, _)) => sink.close(conn, false),
            Err(why) if wanted => self.break_link(&why, now, sink),
            Err(_) => {}
        }
        self.settle(now, sink);
    }

    /// An attempt or a link ended; the next attempt is planned. What we hold stays.
    pub(super) fn break_link(&mut self, why: &str, now: Now, sink: &mut dyn Sink) {
        let failed = self.snapshots_failed;
        let Some(link) = &mut self.link else { return };
        let was_up = link.up();
        link.failures = if was_up { link.hasty(now.mono_ms()) } else { link.failures.saturating_add(1) };
        let pause = link.pause_ms(failed);
        link.last_error = Some(why.to_owned());
        link.state = State::Resting { until_ms: now.mono_ms().saturating_add(pause) };
        if was_up {
            link.down_since_ms = Some(now.mono_ms());
        }
        self.incoming = None;
        let level = if was_up { Level::Notice } else { Level::Warning };
        self.note(sink, level, format_args!("{why}"));
        if was_up {
            self.note(sink, Level::Notice, format_args!("Caching the disconnected master state."));
        }
        if let Some(conn) = self.link_conn.take() {
            sink.close(conn, false);
            if let Some(session) = self.sessions.get_mut(conn) {
                session.closing = true;
            }
        }
        self.failover_attempt_failed(why, now, sink);
    }

    /// The connection to the master is gone.
    pub(super) fn link_lost(&mut self, conn: ConnId, now: Now, sink: &mut dyn Sink) {
        if self.link_conn == Some(conn) {
            self.link_conn = None;
            let why = match self.link.as_ref().map(|link| link.up()) {
                Some(true) => "Connection with master lost.",
                _ => "the master closed the connection during synchronization",
            };
            self.break_link(why, now, sink);
            self.tick_link(now, sink);
        }
    }

    /// Forgets the link; the connection is closed.
    pub(super) fn drop_link(&mut self, sink: &mut dyn Sink) {
        self.link = None;
        self.incoming = None;
        if let Some(conn) = self.link_conn.take() {
            self.kill(conn, sink);
        }
    }

    /// Bytes of the master.
    pub(super) fn master_input(
        &mut self,
        session: &mut Session,
        bytes: &[u8],
        now: Now,
        sink: &mut dyn Sink,
    ) {
        if session.closing || self.link_conn != Some(session.conn) {
            return;
        }
        if let Some(link) = &mut self.link {
            link.heard_ms = now.mono_ms();
        }
        let mut held = std::mem::take(&mut session.pending);
        if held.is_empty() && session.hold.is_none() {
            let used = self.link_input(session, bytes, now, sink);
            held.extend_from_slice(bytes.get(used..).unwrap_or_default());
        } else {
            held.extend_from_slice(bytes);
            if session.hold.is_none() {
                let used = self.link_input(session, &held, now, sink);
                held.drain(..used.min(held.len()));
            }
        }
        if held.is_empty() && held.capacity() > 1 << 20 {
            held = Vec::new();
        }
        if session.hold.is_some() && held.len() > 1 << 20 {
            sink.reading(session.conn, false);
        }
        session.pending = held;
    }

    /// Takes what the state of the link can take; gives how many bytes that were.
    fn link_input(&mut self, session: &mut Session, buf: &[u8], now: Now, sink: &mut dyn Sink) -> usize {
        let mut at = 0;
        loop {
            let rest = buf.get(at..).unwrap_or_default();
            let Some(link) = self.link.as_mut().filter(|_| !session.closing) else { return buf.len() };
            if rest.is_empty() {
                return at;
            }
            let used = match &mut link.state {
                State::Greeting { .. } | State::Asked { .. } => self.line(session, rest, now, sink),
                State::Receiving(_) => self.receive_snapshot(session, rest, now, sink),
                State::Streaming => return at + self.apply(session, rest, now, sink),
                State::Resting { .. } | State::Dialing { .. } | State::Moving => return buf.len(),
            };
            match used {
                Some(used) => at += used,
                None => return at,
            }
        }
    }

    /// One line of the handshake; `None` while it is not complete.
    fn line(&mut self, session: &mut Session, rest: &[u8], now: Now, sink: &mut dyn Sink) -> Option<usize> {
        if let Some(State::Greeting { expected }) = self.link.as_ref().map(|link| &link.state)
            && expected.front() == Some(&Step::Survey)
        {
            return self.surveyed(session, rest, now, sink);
        }
        let Some(end) = memchr::memchr(b'\n', rest) else {
            if rest.len() > LINE_LIMIT {
                self.give_up(session, "the master sent an endless line", now, sink);
                return Some(rest.len());
            }
            return None;
        };
        let line = rest.get(..end).unwrap_or_default().trim_ascii_end();
        let state = self.link.as_mut().map(|link| std::mem::take(&mut link.state));
        match state {
            Some(State::Greeting { expected }) => self.greeted(session, expected, line, now, sink),
            Some(State::Asked { partial }) => self.answered(session, partial, line, now, sink),
            Some(other) => self.set_link_state(other),
            None => {}
        }
        Some(end + 1)
    }

    pub(super) fn set_link_state(&mut self, state: State) {
        if let Some(link) = &mut self.link {
            link.state = state;
        }
    }

    pub(super) fn give_up(&mut self, session: &mut Session, why: &str, now: Now, sink: &mut dyn Sink) {
        session.closing = true;
        self.break_link(why, now, sink);
    }

    fn greeted(
        &mut self,
        session: &mut Session,
        mut expected: VecDeque<Step>,
        line: &[u8],
        now: Now,
        sink: &mut dyn Sink,
    ) {
        let Some(step) = expected.pop_front() else { return };
        match step.answered(line) {
            Err(why) => return self.give_up(session, &why, now, sink),
            Ok(Some(notice)) => self.note(sink, Level::Notice, format_args!("{notice}")),
            Ok(None) => {}
        }
        if step == Step::Ping {
            self.note(
                sink,
                Level::Notice,
                format_args!("Master replied to PING, replication can continue..."),
            );
            expected = self.introduce(session);
        }
        self.greet_on(session, expected, sink);
    }

    /// Waits for the next answer, or asks when there is none outstanding.
    pub(super) fn greet_on(&mut self, session: &mut Session, expected: VecDeque<Step>, sink: &mut dyn Sink) {
        if expected.is_empty() {
            self.ask(session, sink);
        } else {
            self.set_link_state(State::Greeting { expected });
        }
    }

    /// Writes the rest of the handshake back to back.
    fn introduce(&self, session: &mut Session) -> VecDeque<Step> {
        let mut steps = VecDeque::new();
        let mut bytes = Vec::new();
        let config = &self.config;
        if config.masterauth.is_set() {
            let password = config.masterauth.0.as_bytes();
            if config.masteruser.is_empty() {
                encode_request(&mut bytes, &[b"AUTH", password]);
            } else {
                encode_request(&mut bytes, &[b"AUTH", config.masteruser.as_bytes(), password]);
            }
            steps.push_back(Step::Auth);
        }
        let port = if config.replica_announce_port != 0 { config.replica_announce_port } else { config.port };
        encode_request(&mut bytes, &[b"REPLCONF", &b"listening-port"[..], port.to_string().as_bytes()]);
        steps.push_back(Step::Port);
        if !config.replica_announce_ip.is_empty() {
            encode_request(
                &mut bytes,
                &[b"REPLCONF", &b"ip-address"[..], config.replica_announce_ip.as_bytes()],
            );
            steps.push_back(Step::Address);
        }
        encode_request(&mut bytes, &[&b"REPLCONF"[..], b"capa", b"eof", b"capa", b"psync2"]);
        steps.push_back(Step::Capabilities);
        encode_request(&mut bytes, &[&b"REPLCONF"[..], b"version", ANNOUNCED_VERSION]);
        steps.push_back(Step::Version);
        if self.data_is_at_stake() {
            encode_request(&mut bytes, &[b"INFO"]);
            steps.push_back(Step::Survey);
        }
        session.reply.raw(&bytes);
        steps
    }

    /// Sends `PSYNC`.
    fn ask(&mut self, session: &mut Session, sink: &mut dyn Sink) {
        let offset = self.stream.offset();
        let id = self.stream.history.id;
        let Some(link) = &mut self.link else { return };
        let partial = link.resumable;
        let failover = link.failover;
        link.state = State::Asked { partial };
        let mut bytes = Vec::new();
        if partial {
            // The wire names the next byte wanted, counted from one.
            let next = (offset + 1).to_string();
            let mut words = vec![&b"PSYNC"[..], id.as_str().as_bytes(), next.as_bytes()];
            if failover {
                words.push(b"FAILOVER");
            }
            encode_request(&mut bytes, &words);
            self.note(
                sink,
                Level::Notice,
                format_args!("Trying a partial resynchronization (request {id}:{next})."),
            );
        } else {
            encode_request(&mut bytes, &[&b"PSYNC"[..], b"?", b"-1"]);
            self.note(
                sink,
                Level::Notice,
                format_args!("Partial resynchronization not possible (no cached master)"),
            );
        }
        session.reply.raw(&bytes);
    }

    fn answered(&mut self, session: &mut Session, partial: bool, line: &[u8], now: Now, sink: &mut dyn Sink) {
        let verdict = verdict(line, partial);
        if self.answers_from_below(&verdict) {
            let why = "the master follows us, by whatever links: it has to be promoted first";
            return self.give_up(session, why, now, sink);
        }
        match verdict {
            Verdict::Wait => self.set_link_state(State::Asked { partial }),
            Verdict::Full { id, offset } => {
                self.note(sink, Level::Notice, format_args!("Full resync from master: {id}:{offset}"));
                if partial {
                    self.note(
                        sink,
                        Level::Notice,
                        format_args!("Discarding previously cached master state."),
                    );
                }
                self.expect_snapshot(Some(id), offset, now);
                self.failover_accepted(now, sink);
            }
            Verdict::Continue { id } => self.continued(session, id, now, sink),
            Verdict::Transient(text) => {
                let why = format!("Master is currently unable to PSYNC but should be in the future: {text}");
                self.give_up(session, &why, now, sink);
            }
            Verdict::Unsupported(text) => {
                self.note(
                    sink,
                    Level::Notice,
                    format_args!("Master does not support PSYNC or is in error state (reply: {text})"),
                );
                if self.failing_over() {
                    return self.give_up(
                        session,
                        &format!("the failover's target refused: {text}"),
                        now,
                        sink,
                    );
                }
                self.note(sink, Level::Notice, format_args!("Retrying with SYNC..."));
                session.reply.raw(b"*1\r\n$4\r\nSYNC\r\n");
                self.expect_snapshot(None, 0, now);
            }
            Verdict::Nonsense(why) => self.give_up(session, &why, now, sink),
        }
    }

    /// It lives under an id that we drew ourselves: it follows us, or what is left of those who did, and following it
    /// would close a ring without a master. One that is promoted has an id of its own.
    fn answers_from_below(&self, verdict: &Verdict) -> bool {
        let theirs = match verdict {
            Verdict::Full { id, .. } => *id,
            Verdict::Continue { id } => id.unwrap_or(self.stream.history.id),
            _ => return false,
        };
        self.drawn.contains(&theirs)
    }

    /// The stream goes on from where we asked.
    fn continued(&mut self, session: &mut Session, id: Option<ReplId>, now: Now, sink: &mut dyn Sink) {
        self.note(sink, Level::Notice, format_args!("Successful partial resynchronization with master."));
        if let Some(id) = id.filter(|id| *id != self.stream.history.id) {
            if !made(Mutant::ContinueIdIgnored) {
                self.stream.history.renamed(id, self.stream.offset());
            }
            self.note(sink, Level::Notice, format_args!("Master replication ID changed to {id}"));
            // They hold the old id and learn of the new one by asking again.
            if !made(Mutant::FeedsKeptAtRename) {
                self.drop_feeds(sink);
            }
        }
        session.db = self.stream.selected().unwrap_or(0);
        if let Some(link) = &mut self.link {
            link.full_ms = None;
        }
        self.link_is_up(session, now);
        self.note(
            sink,
            Level::Notice,
            format_args!("MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization."),
        );
        self.failover_accepted(now, sink);
    }

    pub(super) fn link_is_up(&mut self, session: &mut Session, now: Now) {
        self.stream.open();
        session.parser = Parser::default();
        session.multi = None;
        session.open_bytes.clear();
        if let Some(link) = &mut self.link {
            link.state = State::Streaming;
            link.failures = 0;
            link.last_error = None;
            link.down_since_ms = None;
            link.resumable = true;
            link.told = false;
            link.was_master = false;
            link.held = None;
        }
        self.acknowledge(session, now);
    }

    /// Tells the master up to where we have applied its stream.
    pub(super) fn acknowledge(&mut self, session: &mut Session, now: Now) {
        let received = if made(Mutant::AckCountsUnapplied) { session.open_bytes.len() } else { 0 };
        let offset = self.stream.offset() + received as u64;
        acknowledge_at(session, offset);
        if let Some(link) = &mut self.link {
            link.acked_ms = now.mono_ms();
        }
    }

    /// Timers of the link: the next attempt, acknowledgements, keepalives, timeouts.
    pub(super) fn tick_link(&mut self, now: Now, sink: &mut dyn Sink) {
        let now_ms = now.mono_ms();
        let timeout_ms = u64::from(self.config.repl_timeout) * 1000;
        let Some(link) = &self.link else { return };
        let silent_ms = now_ms.saturating_sub(link.heard_ms);
        let ack_due = now_ms.saturating_sub(link.acked_ms) >= 1000;
        match &link.state {
            State::Resting { until_ms } if *until_ms <= now_ms => self.dial(now, sink),
            State::Resting { .. } | State::Moving => {}
            State::Dialing { .. } | State::Greeting { .. } if silent_ms > LINE_TIMEOUT_MS.min(timeout_ms) => {
                self.break_link("Timeout connecting to the MASTER...", now, sink);
            }
            State::Dialing { .. } | State::Greeting { .. } => {}
            State::Asked { .. } | State::Receiving(_) if silent_ms > timeout_ms => {
                self.break_link(
                    "Timeout receiving bulk data from MASTER... If the problem persists try to set the 'repl-timeout' parameter in redis.conf to a larger value.",
                    now,
                    sink,
                );
            }
            State::Streaming if silent_ms > timeout_ms => {
                self.break_link("MASTER timeout: no data nor PING received...", now, sink);
            }
            State::Receiving(_) if ack_due => self.say_alive(now, sink),
            State::Asked { .. } | State::Receiving(_) => {}
            State::Streaming if ack_due => {
                if let Some(mut session) = self.link_conn.and_then(|conn| self.sessions.take(conn)) {
                    self.acknowledge(&mut session, now);
                    self.put_back(session, sink);
                }
            }
            State::Streaming => {}
        }
    }

    /// A bare newline upstream while a snapshot comes in: it refreshes the master's timer and counts as nothing.
    fn say_alive(&mut self, now: Now, sink: &mut dyn Sink) {
        if let Some(link) = &mut self.link {
            link.acked_ms = now.mono_ms();
        }
        if let Some(mut session) = self.link_conn.and_then(|conn| self.sessions.take(conn)) {
            session.reply.raw(b"\n");
            self.put_back(session, sink);
        }
    }
}

/// `REPLCONF ACK` of an offset.
pub(super) fn acknowledge_at(session: &mut Session, offset: u64) {
    let mut bytes = Vec::with_capacity(48);
    encode_request(&mut bytes, &[&b"REPLCONF"[..], b"ACK", offset.to_string().as_bytes()]);
    session.reply.raw(&bytes);
}
