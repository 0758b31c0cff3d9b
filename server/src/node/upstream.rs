//! The replica's side of replication: the connection to the master, its timers, and where its bytes go.
//!
//! What lines mean is [`crate::replication::link`]'s business; the handshake is `greeting`, the snapshot `receiving`, the stream `apply`.
//! Old data is kept and served until the new snapshot is complete and verified.

use std::collections::VecDeque;

use crate::data::Now;
use crate::mutant::{Mutant, made};
use crate::replication::Link;
use crate::replication::link::{State, Step};
use crate::resp::Parser;
use crate::resp::reply::encode_request;

use super::session::{Kind, Session};
use super::{ConnId, Level, Node, Peer, Sink};

/// Each line of the handshake must come within this, in milliseconds (Redis' `repl-syncio-timeout`).
const LINE_TIMEOUT_MS: u64 = 5000;

/// Ids of our own that we remember, to know those who follow us.
const DRAWN_MOST: usize = 32;

impl Node {
    /// Begins to follow `host:port`; the connection is dialed at once.
    pub(super) fn follow(&mut self, host: String, port: u16, now: Now, sink: &mut dyn Sink) {
        let was_master = self.link.is_none();
        // A master that is told another address before it ever reached the first still holds a master's writes.
        let never_up = self.link.as_ref().is_some_and(|link| link.was_master);
        self.drop_link(sink);
        self.config.replicaof.0 = Some((host.clone(), port));
        let link = Link::new(host, port, now.mono_ms());
        self.link = Some(Box::new(Link { was_master: was_master || never_up, ..link }));
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
        (link.surveyed, link.shared) = (None, None);
        link.survey_text.clear();
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
        if self.courier_dialed(ticket, &result, now, sink) {
            return self.settle(now, sink);
        }
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

    pub(super) fn set_link_state(&mut self, state: State) {
        if let Some(link) = &mut self.link {
            link.state = state;
        }
    }

    pub(super) fn give_up(&mut self, session: &mut Session, why: &str, now: Now, sink: &mut dyn Sink) {
        session.closing = true;
        self.break_link(why, now, sink);
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
