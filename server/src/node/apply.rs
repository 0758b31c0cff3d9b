//! Applying the master's stream: the same parser and the same dispatch as for clients, with gates off and replies
//! dropped, and every byte counted exactly.
//!
//! Bytes join our own stream, verbatim, only once they are applied. Inside MULTI that is at its EXEC: an offset never
//! points into a transaction, so a link that breaks in the middle asks for the MULTI again.

use crate::command::context::Expiry;
use crate::command::lookup;
use crate::command::{Command, Control, Handler};
use crate::data::Now;
use crate::mutant::{Mutant, made};
use crate::resp::{Args, Limits, Parser};

use super::session::{Hold, Multi, Session};
use super::upstream::acknowledge_at;
use super::{Level, Node, Sink};

/// Commands parsed and looked ahead at together.
const BATCH: usize = 64;

/// Said of a stream that is not the protocol.
const UNREADABLE: &str = "Protocol error from the master's stream: asking for a full resync";

/// What one command of the stream came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Applied {
    /// Done; its bytes may join our stream.
    Yes,
    /// It belongs to a transaction that is open.
    Inside,
    /// It closed the transaction, which was applied.
    Closed,
    /// The master wants to know how far we are.
    AckWanted,
    /// The stream is not what it should be.
    Desync,
}

impl Node {
    /// Applies whole commands from `buf`; gives how many bytes they took.
    pub(super) fn apply(
        &mut self,
        session: &mut Session,
        buf: &[u8],
        now: Now,
        sink: &mut dyn Sink,
    ) -> usize {
        if self.pauses.any() && self.pauses.scope(now.mono_ms()).is_some() {
            // A paused replica stops applying; what arrives waits.
            session.hold = Some(Hold::Paused);
            return 0;
        }
        let mut batch = std::mem::take(&mut self.batch);
        let expiry = std::mem::replace(&mut self.expiry, Expiry::Ignore);
        let mark = session.reply.len();
        let (mut acks, mut at) = (Vec::new(), 0);
        while !session.closing {
            batch.clear();
            let rest = buf.get(at..).unwrap_or_default();
            let parsed = session.parser.parse(rest, &Limits::OPEN, BATCH, &mut batch);
            self.look_ahead(session.db, &batch, rest);
            let mut counted = 0;
            self.watch_start(batch.len(), sink);
            for index in 0..batch.len() {
                let start = if index == 0 { 0 } else { batch.end_of(index - 1) };
                let end = batch.end_of(index);
                let piece = |from: usize, to: usize| rest.get(from..to).unwrap_or_default();
                match self.apply_one(session, batch.args(rest, index), now, sink) {
                    Applied::Yes => {}
                    Applied::Inside if made(Mutant::OffsetInsideMulti) => {}
                    Applied::Inside => {
                        self.stream.mirror(piece(counted, start));
                        counted = end;
                        if !self.hold_back(session, piece(start, end), now, sink) {
                            break;
                        }
                    }
                    Applied::Closed => {
                        session.open_bytes.extend_from_slice(piece(start, end));
                        self.stream.mirror(&session.open_bytes);
                        session.open_bytes.clear();
                        counted = end;
                    }
                    Applied::AckWanted => {
                        // The answer does not count the question's own bytes; WAIT relies on it.
                        self.stream.mirror(piece(counted, start));
                        acks.push(self.stream.offset());
                        counted = start;
                    }
                    Applied::Desync => {
                        self.desync(session, UNREADABLE, now, sink);
                        break;
                    }
                }
            }
            self.watch_stop(sink);
            let end = batch.len().checked_sub(1).map_or(0, |last| batch.end_of(last));
            self.stream.mirror(rest.get(counted..end).unwrap_or_default());
            match parsed {
                Ok(used) => {
                    at += used;
                    if batch.len() < BATCH {
                        break;
                    }
                }
                Err(_) => self.desync(session, UNREADABLE, now, sink),
            }
        }
        self.batch = batch;
        self.expiry = expiry;
        // Replies to the stream are never sent.
        session.reply.truncate(mark);
        self.stats.repl_in += at as u64;
        if !acks.is_empty() {
            for offset in acks {
                acknowledge_at(session, offset);
            }
            // Whoever asked waits for all we have: the question's own bytes are told too, not a second later.
            self.acknowledge(session, now);
        }
        at
    }

    /// Keeps bytes of an open transaction back from our own stream; false when there are too many of them.
    fn hold_back(&mut self, session: &mut Session, bytes: &[u8], now: Now, sink: &mut dyn Sink) -> bool {
        session.open_bytes.extend_from_slice(bytes);
        let within = session.open_bytes.len() as u64 <= self.config.client_query_buffer_limit;
        if !within {
            // A snapshot brings what it does; holding it would let a master fill this machine.
            let why = "A transaction in the master's stream is larger than client-query-buffer-limit: asking for a full resync";
            self.desync(session, why, now, sink);
        }
        within
    }

    fn apply_one(&mut self, session: &mut Session, args: Args<'_>, now: Now, sink: &mut dyn Sink) -> Applied {
        if args.is_empty() {
            return Applied::Yes;
        }
        if args.raw().is_empty() {
            return Applied::Desync;
        }
        self.stats.commands += 1;
        let found = lookup::find(args);
        let control = match &found {
            Ok(Command { handler: Handler::Control(control), .. }) => Some(*control),
            _ => None,
        };
        match control {
            Some(Control::Multi) => {
                session.multi = Some(Box::new(Multi::default()));
                return Applied::Inside;
            }
            Some(Control::Exec) if session.multi.is_some() => {
                let queue = session.multi.take().map(|multi| multi.queue).unwrap_or_default();
                for (command, args) in &queue {
                    self.apply_command(session, command, args.args(), now, sink);
                }
                return Applied::Closed;
            }
            Some(Control::Replconf)
                if args.get(1).eq_ignore_ascii_case(b"getack") && session.multi.is_none() =>
            {
                return Applied::AckWanted;
            }
            _ => {}
        }
        match found {
            Ok(command) => match &mut session.multi {
                Some(multi) => {
                    multi.queue.push((command, args.to_owned_args()));
                    Applied::Inside
                }
                None => {
                    self.apply_command(session, command, args, now, sink);
                    Applied::Yes
                }
            },
            Err(failure) => {
                self.diverged(&String::from_utf8_lossy(failure.bytes()), "an unknown command", sink);
                if session.multi.is_some() { Applied::Inside } else { Applied::Yes }
            }
        }
    }

    fn apply_command(
        &mut self,
        session: &mut Session,
        command: &'static Command,
        args: Args<'_>,
        now: Now,
        sink: &mut dyn Sink,
    ) {
        // Of what is not data, masters send these. The rest speaks about a connection or asks for the server itself: a
        // master that sends it must not have our configuration changed, or our keys brought elsewhere (MIGRATE).
        let sent = match command.handler {
            Handler::Control(control) => {
                matches!(control, Control::Select | Control::Publish | Control::SPublish)
            }
            Handler::Data(_) | Handler::Container => true,
        };
        if !sent {
            return;
        }
        let mark = session.reply.len();
        let errors = self.stats.errors;
        let db = session.db;
        self.run(session, command, args, now, sink);
        if session.db != db {
            self.stream.set_selected(session.db);
        }
        if self.stats.errors != errors {
            self.stats.errors = errors;
            let answer = session.reply.bytes().get(mark..).unwrap_or_default();
            let answer = String::from_utf8_lossy(answer).trim().to_owned();
            self.diverged(&answer, command.name, sink);
        }
        if session.reply.len() - mark > 1 << 16 {
            session.reply.truncate(mark);
        }
    }

    /// A command of the master failed here: our data is not the master's any more.
    fn diverged(&mut self, answer: &str, command: &str, sink: &mut dyn Sink) {
        self.stats.unexpected_errors += 1;
        self.note(
            sink,
            Level::Warning,
            format_args!(
                "== CRITICAL == This replica is sending an error to its master: '{answer}' after processing the command '{command}'"
            ),
        );
    }

    /// The stream cannot be read any further from here: only a full resync helps.
    fn desync(&mut self, session: &mut Session, why: &str, now: Now, sink: &mut dyn Sink) {
        session.closing = true;
        session.parser = Parser::default();
        if let Some(link) = &mut self.link {
            link.resumable = false;
        }
        session.multi = None;
        session.open_bytes = Vec::new();
        self.break_link(why, now, sink);
    }
}
