//! From a request to its reply: find, gate, queue or run.

use crate::command::effects::Events;
use crate::command::lookup;
use crate::command::spec::Flags;
use crate::command::{Command, Context, Control, Failure, Handler};
use crate::data::Now;
use crate::resp::Args;

use super::pauses::Scope;
use super::session::{Hold, Kind, ReplyMode, Session};
use super::{Node, Sink};

/// What became of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Served {
    /// It was consumed.
    Done,
    /// A pause holds it back: it was not consumed.
    Held,
}

impl Node {
    /// One request: find, gate, queue or run.
    pub(super) fn request(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        now: Now,
        sink: &mut dyn Sink,
    ) -> Served {
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
        if self.limited
            && let Err(failure) = self.within_memory(session, command, now, sink)
        {
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
        if self.keyspace.has_ready() {
            self.serve_ready(now, sink);
        }
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
    pub(super) fn failed(
        &mut self,
        session: &mut Session,
        command: &'static Command,
        mark: usize,
        failure: &Failure,
    ) {
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
        let began = self.watch_begin(command, args, sink);
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
                    touches: !session.no_touch,
                };
                let result = handler(&mut context, args);
                if let Err(failure) = result {
                    self.failed(session, command, mark, &failure);
                }
                if !self.effects.is_quiet() {
                    self.outcome(session, command, args, mark, now, sink);
                }
            }
            Handler::Control(control) => {
                if let Err(failure) = self.control(session, control, args, now, sink) {
                    self.failed(session, command, mark, &failure);
                }
                if self.settings.notify != Events::NONE {
                    self.publish_events(now, sink);
                }
            }
            Handler::Container => {}
        }
        self.mid_change = outer;
        let written = session.reply.len().saturating_sub(mark);
        self.watch_end(session, (command, args), (began, written), now, sink);
        if session.mode != ReplyMode::On && session.parked.is_none() {
            quiet(session, mark);
        }
        if self.tracking.any() {
            self.track(session, command, args, now, sink);
        }
        if !self.late.is_empty() && self.collecting.is_none() {
            self.flush_late(session);
        }
    }

    /// What a data command came to beside its reply: events, effects, waiting.
    #[inline]
    fn outcome(
        &mut self,
        session: &mut Session,
        command: &'static Command,
        args: Args<'_>,
        mark: usize,
        now: Now,
        sink: &mut dyn Sink,
    ) {
        let wish = self.effects.take_wish();
        if self.settings.notify != Events::NONE {
            self.publish_events(now, sink);
        }
        if !self.effects.is_empty() {
            self.propagate(session, command, args);
        }
        if let Some(waiting) = wish
            && session.is_client()
            && self.collecting.is_none()
        {
            session.reply.truncate(mark);
            self.park(session, command, args, waiting, now);
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
