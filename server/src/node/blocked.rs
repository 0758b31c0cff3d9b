//! Clients that wait for keys: the request is kept and run again when one of its keys holds a value of the right type, as
//! Redis does since 7.2.
//!
//! A ticket is the place in the queue of every key that a request waits for. It is kept when the request runs again and still
//! finds nothing, so that nobody loses its place to a change that was none of its business. Whoever is served is served
//! between two requests of others, after the effects of the one that made it possible; what it sent behind the request
//! comes at the end of the input.

use std::collections::{BTreeMap, BTreeSet};

use crate::command::waiting::Waiting;
use crate::command::{Command, Failure};
use crate::data::Now;
use crate::keyspace::EntryRef;
use crate::resp::Args;
use crate::resp::request::OwnedArgs;

use super::session::{Hold, Session};
use super::{ConnId, Node, Sink};

/// A request that waits.
#[derive(Debug)]
pub(super) struct Parked {
    command: &'static Command,
    args: OwnedArgs,
    waiting: Box<Waiting>,
    db: usize,
    ticket: u64,
    /// Monotonic millisecond at which it gives up.
    deadline_ms: Option<u64>,
}

/// Who waits for keys.
#[derive(Debug, Default)]
pub(super) struct Blocked {
    /// Tickets given so far.
    tickets: u64,
    clients: BTreeMap<u64, ConnId>,
    /// Deadlines, the first one first.
    ends: BTreeSet<(u64, u64)>,
    /// Keys whose going away ends somebody's waiting, and how often each is waited for so.
    until_gone: BTreeMap<(usize, Box<[u8]>), usize>,
    /// Ticket and deadline of the request that is being run again.
    again: Option<(u64, Option<u64>)>,
    /// Ready keys are being served.
    serving: bool,
}

impl Blocked {
    /// How many clients wait until some time.
    pub(super) fn with_deadline(&self) -> usize {
        self.ends.len()
    }

    /// How many keys end somebody's waiting by going away.
    pub(super) fn keys_until_gone(&self) -> usize {
        self.until_gone.len()
    }

    /// Serving was cut off in the middle.
    pub(super) fn interrupted(&mut self) {
        (self.serving, self.again) = (false, None);
    }

    /// When the first one gives up, in monotonic milliseconds.
    pub(super) fn next_end_ms(&self) -> Option<u64> {
        self.ends.first().map(|(end, _)| *end)
    }
}

impl Node {
    /// Keeps a request that found nothing until one of its keys is there.
    pub(super) fn park(
        &mut self,
        session: &mut Session,
        command: &'static Command,
        args: Args<'_>,
        waiting: Box<Waiting>,
        now: Now,
    ) {
        let fresh = || waiting.timeout_ms.map(|timeout| now.mono_ms().saturating_add(timeout));
        let (ticket, deadline_ms) = match self.blocked.again.take() {
            Some(kept) => kept,
            None => {
                self.blocked.tickets += 1;
                (self.blocked.tickets, fresh())
            }
        };
        for key in &waiting.keys {
            self.keyspace.wait_for(ticket, session.db, key);
            if waiting.until_gone {
                *self.blocked.until_gone.entry((session.db, key.clone())).or_default() += 1;
            }
        }
        self.blocked.clients.insert(ticket, session.conn);
        self.blocked.ends.extend(deadline_ms.map(|end| (end, ticket)));
        // It counts as run once it is answered.
        self.stats.calls.of(command).run -= 1;
        session.hold = Some(Hold::Blocked);
        let args = waiting.request(args);
        let parked = Parked { command, args, waiting, db: session.db, ticket, deadline_ms };
        session.parked = Some(Box::new(parked));
    }

    /// Takes a waiting request out of every queue.
    pub(super) fn unpark(&mut self, session: &mut Session) -> Option<Box<Parked>> {
        let parked = session.parked.take()?;
        session.hold = None;
        for key in &parked.waiting.keys {
            self.keyspace.stop_waiting(parked.ticket, parked.db, key);
            if parked.waiting.until_gone {
                let name = (parked.db, key.clone());
                if let Some(count) = self.blocked.until_gone.get_mut(&name) {
                    *count -= 1;
                    if *count == 0 {
                        self.blocked.until_gone.remove(&name);
                    }
                }
            }
        }
        self.blocked.clients.remove(&parked.ticket);
        if let Some(end) = parked.deadline_ms {
            self.blocked.ends.remove(&(end, parked.ticket));
        }
        Some(parked)
    }

    /// Serves those who wait for keys that changed, in the order in which the keys did, and of each in the order in which
    /// they came. What one of them does may make another one ready. Nobody is served during a pause, or in the middle of
    /// a transaction.
    pub(super) fn serve_ready(&mut self, now: Now, sink: &mut dyn Sink) {
        let paused = self.pauses.any() && self.pauses.scope(now.mono_ms()).is_some();
        if paused || self.collecting.is_some() || std::mem::replace(&mut self.blocked.serving, true) {
            return;
        }
        while let Some((db, key)) = self.keyspace.take_ready() {
            // Who comes to wait from here on has seen the change.
            let last = self.blocked.tickets;
            let mut ticket = 0;
            while let Some(next) =
                self.keyspace.next_waiter(db, &key, ticket).filter(|ticket| *ticket <= last)
            {
                ticket = next;
                let kind = self.keyspace.get(db, &key).map(kind_of);
                if kind.is_none() && !self.blocked.until_gone.contains_key(&(db, key.clone())) {
                    break;
                }
                if let Some(&conn) = self.blocked.clients.get(&ticket) {
                    self.try_again(conn, kind, now, sink);
                }
            }
        }
        self.blocked.serving = false;
    }

    /// Runs a waiting request again, if what its key holds now (a type, or nothing) is a reason to.
    fn try_again(&mut self, conn: ConnId, kind: Option<u32>, now: Now, sink: &mut dyn Sink) {
        let waits = self.sessions.get(conn).filter(|session| !session.closing);
        let Some(parked) = waits.and_then(|session| session.parked.as_ref()) else { return };
        if kind != Some(parked.waiting.kind) && !parked.waiting.until_gone {
            return;
        }
        let Some(mut session) = self.sessions.take(conn) else { return };
        if let Some(parked) = self.unpark(&mut session) {
            match self.gates(&session, parked.command, now) {
                Err(failure) => {
                    self.stats.calls.of(parked.command).rejected += 1;
                    self.refuse(&mut session, &failure);
                }
                Ok(()) => {
                    self.blocked.again = Some((parked.ticket, parked.deadline_ms));
                    self.run(&mut session, parked.command, parked.args.args(), now, sink);
                    self.blocked.again = None;
                }
            }
            if session.parked.is_none() {
                self.released(&session, sink);
            }
        }
        self.put_back(session, sink);
    }

    /// Ends the waiting of a client: with nothing, as if its time were over, or with an error. False if it does not wait.
    pub(super) fn end_block(
        &mut self,
        conn: ConnId,
        result: Result<(), &Failure>,
        sink: &mut dyn Sink,
    ) -> bool {
        let Some(mut session) = self.sessions.take(conn) else { return false };
        let parked = self.unpark(&mut session);
        if let Some(parked) = &parked {
            let mark = session.reply.len();
            self.stats.calls.of(parked.command).run += 1;
            match result {
                Ok(()) => session.reply.null_array(),
                Err(failure) => self.failed(&mut session, parked.command, mark, failure),
            }
            super::serve::quiet(&mut session, mark);
            self.released(&session, sink);
        }
        self.put_back(session, sink);
        parked.is_some()
    }

    /// What it sent behind its request is served at the end of this input.
    fn released(&mut self, session: &Session, sink: &mut dyn Sink) {
        sink.reading(session.conn, true);
        self.resumed.push(session.conn);
    }

    /// Ends the waiting of those whose time is over.
    pub(super) fn check_blocked(&mut self, now: Now, sink: &mut dyn Sink) {
        while let Some(&(end, ticket)) = self.blocked.ends.first().filter(|(end, _)| *end <= now.mono_ms()) {
            let conn = self.blocked.clients.get(&ticket).copied();
            if !conn.is_some_and(|conn| self.end_block(conn, Ok(()), sink)) {
                self.blocked.ends.remove(&(end, ticket));
            }
        }
    }
}

/// The type of what a key holds.
fn kind_of(entry: EntryRef<'_>) -> u32 {
    entry.collection().map_or(0, crate::data::Collection::type_number)
}
