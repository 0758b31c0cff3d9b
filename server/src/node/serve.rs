//! From bytes to replies: parse a batch, look ahead, then find, gate, queue or run each request in order.

use crate::command::lookup;
use crate::command::spec::Flags;
use crate::command::{Command, Context, Control, Failure, Handler};
use crate::data::Now;
use crate::resp::{Args, Batch, Parser};

use super::pauses::Scope;
use super::session::{Hold, Kind, ReplyMode, Session};
use super::{Node, Sink};

/// Requests parsed and looked ahead at together.
const BATCH: usize = 64;

/// What became of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Served {
    /// It was consumed.
    Done,
    /// A pause holds it back: it was not consumed.
    Held,
}

impl Node {
    /// Bytes of a client or a replica. What cannot be served yet stays in `session.pending`.
    pub(super) fn client_input(
        &mut self,
        session: &mut Session,
        bytes: &[u8],
        now: Now,
        sink: &mut dyn Sink,
    ) {
        if session.closing {
            return;
        }
        let mut held = std::mem::take(&mut session.pending);
        if held.is_empty() {
            let used = if session.hold.is_none() { self.requests(session, bytes, now, sink) } else { 0 };
            held.extend_from_slice(bytes.get(used..).unwrap_or_default());
        } else {
            held.extend_from_slice(bytes);
            if session.hold.is_none() {
                let used = self.requests(session, &held, now, sink);
                held.drain(..used.min(held.len()));
            }
        }
        if held.is_empty() {
            if held.capacity() > 64 << 10 {
                held = Vec::new();
            }
        } else if held.len() as u64 > self.config.client_query_buffer_limit {
            self.stats.query_limit_closes += 1;
            self.note(
                sink,
                super::Level::Warning,
                format_args!("closing client {} that reached max query buffer length", session.peer.addr),
            );
            session.closing = true;
            sink.close(session.conn, false);
        } else if session.hold.is_some() {
            // Bounded: a client that is not served is not read either.
            sink.reading(session.conn, false);
        }
        session.pending = held;
    }

    /// Serves requests from `buf` until it holds none that can be served, and says how many bytes they took.
    fn requests(&mut self, session: &mut Session, buf: &[u8], now: Now, sink: &mut dyn Sink) -> usize {
        let mut batch = std::mem::take(&mut self.batch);
        let mut at = 0;
        while session.serves() {
            batch.clear();
            let rest = buf.get(at..).unwrap_or_default();
            let authenticated = session.authenticated;
            let parsed = session.parser.parse(rest, &session.limits(), BATCH, &mut batch);
            if batch.len() > 1 {
                self.look_ahead(session.db, &batch, rest);
            }
            let (served, end) = self.batch(session, &batch, rest, now, sink);
            if served < batch.len() || !session.serves() {
                // The rest of the batch is given back and will be parsed again.
                session.parser = Parser::default();
                at += end;
                break;
            }
            match parsed {
                Ok(used) => {
                    at += used;
                    if batch.len() < BATCH {
                        break;
                    }
                }
                // The request behind an AUTH was judged by the limits before it.
                Err(_) if session.authenticated != authenticated => {
                    session.parser = Parser::default();
                    at += end;
                }
                Err(breach) => {
                    self.stats.protocol_errors += 1;
                    session.reply.error(&breach.0);
                    session.closing = true;
                    sink.close(session.conn, true);
                    at = buf.len();
                }
            }
        }
        self.batch = batch;
        at
    }

    /// Serves the requests of a batch; gives how many were served and where the last of them ended.
    fn batch(
        &mut self,
        session: &mut Session,
        batch: &Batch,
        buf: &[u8],
        now: Now,
        sink: &mut dyn Sink,
    ) -> (usize, usize) {
        let mut end = 0;
        for index in 0..batch.len() {
            if self.request(session, batch.args(buf, index), now, sink) == Served::Held {
                return (index, end);
            }
            end = batch.end_of(index);
            if !session.serves() {
                return (index + 1, end);
            }
        }
        (batch.len(), end)
    }

    /// Fetches what the batch will touch: buckets first, then the entries, so that cache misses overlap.
    pub(super) fn look_ahead(&self, db: usize, batch: &Batch, buf: &[u8]) {
        let mut hashes = [0u64; BATCH];
        for (index, hash) in hashes.iter_mut().enumerate().take(batch.len()) {
            *hash = self.keyspace.hash(batch.args(buf, index).get(1));
            self.keyspace.prefetch_bucket(db, *hash);
        }
        for hash in hashes.iter().take(batch.len()) {
            self.keyspace.prefetch_entry(db, *hash);
        }
    }

    /// One request: find, gate, queue or run.
    fn request(&mut self, session: &mut Session, args: Args<'_>, now: Now, sink: &mut dyn Sink) -> Served {
        if args.is_empty() {
            // A bare newline keeps a replica's timer fresh while it loads.
            if let Some(feed) = session.feed_mut() {
                feed.heard_ms = now.mono_ms();
            }
            return Served::Done;
        }
        if let Kind::Replica(_) = session.kind {
            self.replica_input(session, args, now, sink);
            return Served::Done;
        }
        let command = match lookup::find(args) {
            Ok(command) => command,
            Err(failure) => {
                self.refuse(session, &failure);
                return Served::Done;
            }
        };
        session.last_command = command.name;
        if let Err(failure) = self.gates(session, command, now) {
            self.stats.calls.of(command).rejected += 1;
            self.refuse(session, &failure);
            return Served::Done;
        }
        if self.pauses.any() && self.held_back(session, command, now) {
            session.hold = Some(Hold::Paused);
            return Served::Held;
        }
        self.stats.commands += 1;
        session.commands += 1;
        if session.multi.is_some() && !super::transaction::at_once(command) {
            self.queue(session, command, args);
            return Served::Done;
        }
        if !self.monitors.is_empty() && !command.flags.has(Flags::SKIP_MONITOR) {
            self.show_monitors(session, args, now, sink);
        }
        self.run(session, command, args, now, sink);
        Served::Done
    }

    /// Answers with an error; inside MULTI the transaction is spoilt.
    pub(super) fn refuse(&mut self, session: &mut Session, failure: &Failure) {
        self.stats.errors += 1;
        self.stats.calls.error(failure.bytes());
        if let Some(multi) = &mut session.multi {
            multi.broken = true;
        }
        let mark = session.reply.len();
        session.reply.error_bytes(failure.bytes());
        quiet(session, mark);
    }

    /// A command ran and failed: its error is the whole reply.
    #[cold]
    fn failed(&mut self, session: &mut Session, command: &'static Command, mark: usize, failure: &Failure) {
        self.stats.errors += 1;
        self.stats.calls.error(failure.bytes());
        self.stats.calls.of(command).failed += 1;
        session.reply.truncate(mark);
        session.reply.error_bytes(failure.bytes());
    }

    /// Whether a pause in force holds this request back.
    fn held_back(&self, session: &Session, command: &Command, now: Now) -> bool {
        match self.pauses.scope(now.mono_ms()) {
            None => false,
            Some(_) if !session.is_client() => false,
            // EXEC and its like are judged by what is queued; the queue itself may grow.
            Some(_)
                if session.multi.is_some() && !matches!(command.handler, Handler::Control(Control::Exec)) =>
            {
                false
            }
            Some(Scope::All) => !matches!(command.handler, Handler::Control(Control::ClientUnpause)),
            Some(Scope::Writes) => {
                let queued = matches!(command.handler, Handler::Control(Control::Exec))
                    && session.multi.as_ref().is_some_and(|multi| multi.writes);
                queued || command.flags.has(Flags::WRITE) || command.flags.has(Flags::MAY_REPLICATE)
            }
        }
    }

    /// Runs a command that passed all gates: its reply, then its effects.
    pub(super) fn run(
        &mut self,
        session: &mut Session,
        command: &'static Command,
        args: Args<'_>,
        now: Now,
        sink: &mut dyn Sink,
    ) {
        let mark = session.reply.len();
        self.stats.calls.of(command).run += 1;
        let reads = matches!(command.handler, Handler::Data(_)) && !command.flags.has(Flags::WRITE);
        let outer = self.mid_change;
        self.mid_change |= !reads;
        match command.handler {
            Handler::Data(handler) => {
                let mut context = Context {
                    keyspace: &mut self.keyspace,
                    db: session.db,
                    now_ms: now.wall_ms,
                    expiry: self.expiry,
                    rng: &mut self.rng,
                    reply: &mut session.reply,
                    effects: &mut self.effects,
                    settings: &self.settings,
                };
                let result = handler(&mut context, args);
                if let Err(failure) = result {
                    self.failed(session, command, mark, &failure);
                }
                if !self.effects.is_empty() {
                    self.propagate(session, command, args);
                }
            }
            Handler::Control(control) => {
                if let Err(failure) = self.control(session, control, args, now, sink) {
                    self.failed(session, command, mark, &failure);
                }
            }
            Handler::Container => {}
        }
        self.mid_change = outer;
        if session.mode != ReplyMode::On {
            quiet(session, mark);
        }
    }
}

/// CLIENT REPLY: drops what was written after `mark`, if replies are off.
pub(super) fn quiet(session: &mut Session, mark: usize) {
    match session.mode {
        ReplyMode::On => {}
        ReplyMode::Off => session.reply.truncate(mark),
        ReplyMode::SkipNext => session.mode = ReplyMode::Skipping,
        ReplyMode::Skipping => {
            session.reply.truncate(mark);
            session.mode = ReplyMode::On;
        }
    }
}
