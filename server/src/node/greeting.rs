//! A replica greets its master and asks for the stream: each line of the handshake, and what follows from it.
//!
//! The handshake is data ([`Step`]); what a line means is decided in [`crate::replication::link`].

use std::collections::VecDeque;

use crate::data::Now;
use crate::mutant::{Mutant, made};
use crate::replication::ReplId;
use crate::replication::link::{State, Step, Verdict, verdict};
use crate::resp::reply::encode_request;

use super::session::Session;
use super::{Level, Node, Sink};

/// The longest line a master may send in the handshake, in bytes.
const LINE_LIMIT: usize = 64 << 10;

/// What we announce as our version: it lets Valkey choose a snapshot format we can read.
const ANNOUNCED_VERSION: &[u8] = b"8.0.0";

impl Node {
    /// One line of the handshake; `None` while it is not complete.
    pub(super) fn line(
        &mut self,
        session: &mut Session,
        rest: &[u8],
        now: Now,
        sink: &mut dyn Sink,
    ) -> Option<usize> {
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
            // Two sections instead of all: figures of the process cost the master calls into its system.
            for section in [&b"keyspace"[..], b"replication"] {
                encode_request(&mut bytes, &[b"INFO", section]);
                steps.push_back(Step::Survey);
            }
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
            Verdict::Full { id, .. }
                if self.link.as_ref().is_some_and(|link| link.surveyed.is_some_and(|seen| seen != id)) =>
            {
                let why = "the master's history changed since it was looked at: looking again";
                self.give_up(session, why, now, sink);
            }
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
}
