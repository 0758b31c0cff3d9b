//! The one door from what commands did to the stream that replicas read.

use crate::command::effects::Effect;
use crate::command::spec::Flags;
use crate::command::{Command, Effects};
use crate::data::Now;
use crate::mutant::{Mutant, made};
use crate::resp::Args;
use crate::resp::reply::encode_request;

use super::session::Session;
use super::{ConnId, Level, Node, Sink};

/// Effects of an EXEC, until it is known whether they need brackets.
#[derive(Debug, Default)]
pub(super) struct Collected {
    bytes: Vec<u8>,
    effects: Vec<(usize, usize, usize)>,
}

impl Collected {
    fn push(&mut self, db: usize, command: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(command);
        self.effects.push((db, start, self.bytes.len()));
    }
}

impl Node {
    /// Puts the effects of a client's command into the stream, in order. More than one effect of a writing
    /// command is wrapped in MULTI/EXEC; victims of expiry that a reading command met are not.
    #[inline]
    pub(super) fn propagate(&mut self, session: &mut Session, command: &Command, args: Args<'_>) {
        let effects = std::mem::take(&mut self.effects);
        self.dirty += effects.changes();
        session.wrote = true;
        if self.stream.active() && self.link.is_none() {
            if self.collecting.is_none() && effects.list().len() == 1 {
                for &effect in effects.list() {
                    self.append(&effects, effect, args);
                }
            } else {
                self.propagate_many(&effects, command, args);
            }
            session.last_write = self.stream.offset();
        }
        self.effects = effects;
        self.effects.clear();
    }

    #[inline]
    fn append(&mut self, effects: &Effects, effect: Effect, args: Args<'_>) {
        match effect {
            Effect::AsSent { db } if !args.raw().is_empty() => self.stream.append(db, args.raw()),
            Effect::AsSent { db } => {
                let bytes = encoded(args);
                self.stream.append(db, &bytes);
            }
            Effect::Encoded { db, .. } => self.stream.append(db, effects.bytes(effect)),
        }
    }

    fn propagate_many(&mut self, effects: &Effects, command: &Command, args: Args<'_>) {
        if let Some(collected) = &mut self.collecting {
            for &effect in effects.list() {
                match effect {
                    Effect::AsSent { db } if !args.raw().is_empty() => collected.push(db, args.raw()),
                    Effect::AsSent { db } => collected.push(db, &encoded(args)),
                    Effect::Encoded { db, .. } => collected.push(db, effects.bytes(effect)),
                }
            }
            return;
        }
        let bracket = command.flags.has(Flags::WRITE);
        if bracket {
            self.stream.append_plain(&[b"MULTI"]);
        }
        for &effect in effects.list() {
            self.append(effects, effect, args);
        }
        if bracket {
            self.stream.append_plain(&[b"EXEC"]);
        }
    }

    /// From here on effects are collected, to become one transaction.
    pub(super) fn collect(&mut self) {
        self.collecting = Some(Collected::default());
    }

    /// Ends the collection: what was done goes into the stream, in brackets if it is more than one thing.
    pub(super) fn end_collection(&mut self, session: &mut Session) {
        let Some(collected) = self.collecting.take() else { return };
        if collected.effects.is_empty() || !self.stream.active() {
            return;
        }
        let bracket = collected.effects.len() > 1 && !made(Mutant::TransactionUnwrapped);
        if bracket {
            self.stream.append_plain(&[b"MULTI"]);
        }
        for (db, start, end) in collected.effects {
            self.stream.append(db, collected.bytes.get(start..end).unwrap_or_default());
        }
        if bracket {
            self.stream.append_plain(&[b"EXEC"]);
        }
        session.last_write = self.stream.offset();
    }

    /// An effect that no data command made (PUBLISH, a served client).
    pub(super) fn propagate_plain(&mut self, session: &mut Session, db: usize, command: &[&[u8]]) {
        if !self.stream.active() || self.link.is_some() {
            return;
        }
        let mut bytes = Vec::new();
        encode_request(&mut bytes, command);
        match &mut self.collecting {
            Some(collected) => collected.push(db, &bytes),
            None => self.stream.append(db, &bytes),
        }
        session.last_write = self.stream.offset();
    }

    /// Ends an input: what the stream gained goes to the feeds, what was asked of them is asked once, and what
    /// nobody needs any more is freed.
    pub(super) fn settle(&mut self, now: Now, sink: &mut dyn Sink) {
        if std::mem::take(&mut self.acks_changed) {
            self.check_waits(now, sink);
            self.check_failover(now, sink);
            self.check_shutdown(now, sink);
        }
        if self.keyspace.has_ready() {
            self.serve_ready(now, sink);
        }
        self.serve_resumed(now, sink);
        if self.tracking.any() {
            self.settle_tracking(now, sink);
        }
        if !self.late.is_empty() {
            self.flush_all_late(now, sink);
        }
        if self.want_ack {
            self.want_ack = false;
            if self.link.is_none() && !self.feeds.is_empty() && self.stream.active() {
                self.stream.append_plain(&[b"REPLCONF", b"GETACK", b"*"]);
            }
        }
        let offset = self.stream.offset();
        if offset != self.announced_offset {
            self.announced_offset = offset;
            if self.marks.reached(offset, now.mono_ms()) {
                let needed = self.slowest_acknowledged();
                self.marks.thin(needed);
            }
            for index in 0..self.feeds.len() {
                if let Some(&conn) = self.feeds.get(index) {
                    self.judge_lag(conn, offset, now, sink);
                    self.offer(conn, now, sink);
                }
            }
            self.trim();
        }
        if self.sessions.weight() > 0 {
            self.thin_crowd(now, sink);
        }
    }

    /// Tells the shell that a connection has output, once a turn.
    pub(super) fn offer(&mut self, conn: ConnId, _now: Now, sink: &mut dyn Sink) {
        if let Some(session) = self.sessions.get_mut(conn)
            && !session.announced
        {
            session.announced = true;
            sink.output_ready(conn);
        }
    }

    /// Frees stream bytes that neither the backlog's size nor the slowest replica needs.
    pub(super) fn trim(&mut self) {
        if self.stream.kept().is_none_or(|kept| kept.end - kept.start <= self.config.repl_backlog_size) {
            return;
        }
        // Who is being closed reads no more of it.
        let reading = |conn| self.sessions.get(conn).filter(|session: &&Session| !session.closing);
        let feeds = self.feeds.iter().filter_map(|&conn| reading(conn)?.feed());
        let needed = feeds.filter(|feed| !feed.waiting()).map(|feed| feed.sent).min().unwrap_or(u64::MAX);
        self.stream.trim(if made(Mutant::TrimPastSlowest) { u64::MAX } else { needed });
    }

    /// One line for the log, spoken as what we are.
    pub(super) fn note(&self, sink: &mut dyn Sink, level: Level, text: std::fmt::Arguments<'_>) {
        if sink.logs(level) {
            let voice = if self.link.is_some() { super::Voice::Replica } else { super::Voice::Master };
            sink.log(level, voice, text);
        }
    }
}

/// An inline or queued request as an array.
fn encoded(args: Args<'_>) -> Vec<u8> {
    let words: Vec<&[u8]> = args.iter_from(0).collect();
    let mut bytes = Vec::new();
    encode_request(&mut bytes, &words);
    bytes
}
