//! WAIT: a client blocks until enough replicas acknowledged its last write.

use crate::command::Failure;
use crate::data::Now;
use crate::mutant::{Mutant, made};
use crate::resp::Args;
use crate::resp::number::parse_i64;

use super::session::{Hold, Session};
use super::{ConnId, Node, Sink};

impl Node {
    /// `WAIT numreplicas timeout`.
    pub(super) fn wait(&mut self, session: &mut Session, args: Args<'_>, now: Now) -> Result<(), Failure> {
        if self.link.is_some() {
            return Err(Failure::fixed(
                "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is configured to be writable (which is not the default) writes to replicas are just local and are not propagated.",
            ));
        }
        let replicas = parse_i64(args.get(1)).ok_or(crate::command::error::NOT_AN_INTEGER)?;
        let timeout =
            parse_i64(args.get(2)).ok_or(Failure::fixed("ERR timeout is not an integer or out of range"))?;
        let timeout = u64::try_from(timeout).map_err(|_| Failure::fixed("ERR timeout is negative"))?;
        let end = now.mono_ms().checked_add(timeout).filter(|end| *end < i64::MAX as u64);
        let end = end.ok_or(Failure::fixed("ERR timeout is out of range"))?;
        let replicas = u64::try_from(replicas).unwrap_or(0);
        let offset = session.last_write;
        let reached = self.acknowledged(offset);
        // Inside a transaction nothing may block: the answer is the count now.
        if reached >= replicas || self.collecting.is_some() {
            session.reply.int(i64::try_from(reached).unwrap_or(i64::MAX));
            return Ok(());
        }
        let deadline_ms = (timeout > 0).then_some(end);
        session.hold = Some(Hold::Wait { replicas, offset, deadline_ms });
        self.waiting.push(session.conn);
        self.want_ack = true;
        Ok(())
    }

    /// How many connected replicas hold everything up to `offset`.
    pub(super) fn acknowledged(&self, offset: u64) -> u64 {
        self.count_replicas(|feed| {
            let counts = feed.answered || (made(Mutant::WaitCountsSyncing) && feed.online());
            counts && feed.acked >= offset
        })
    }

    /// Ends waits that are satisfied, or whose time is over.
    pub(super) fn check_waits(&mut self, now: Now, sink: &mut dyn Sink) {
        if self.waiting.is_empty() {
            return;
        }
        for conn in self.waiting.clone() {
            let Some(Hold::Wait { replicas, offset, deadline_ms }) =
                self.sessions.get(conn).and_then(|s| s.hold)
            else {
                self.waiting.retain(|other| *other != conn);
                continue;
            };
            let over = deadline_ms.is_some_and(|end| end <= now.mono_ms());
            if over || self.acknowledged(offset) >= replicas {
                self.end_wait(conn, Ok(()), sink);
            }
        }
    }

    /// Ends one wait: with the count of now, or with an error.
    pub(super) fn end_wait(&mut self, conn: ConnId, result: Result<(), Failure>, sink: &mut dyn Sink) {
        self.waiting.retain(|other| *other != conn);
        let Some(Hold::Wait { offset, .. }) = self.sessions.get(conn).and_then(|s| s.hold) else { return };
        let reached = self.acknowledged(offset);
        let Some(session) = self.sessions.get_mut(conn) else { return };
        match result {
            Ok(()) => session.reply.int(i64::try_from(reached).unwrap_or(i64::MAX)),
            Err(failure) => session.reply.error_bytes(failure.bytes()),
        }
        self.hand_back(conn, sink);
    }

    /// When the first wait runs out, in monotonic milliseconds.
    pub(super) fn next_wait_ms(&self) -> Option<u64> {
        let holds = self.waiting.iter().filter_map(|&conn| self.sessions.get(conn)?.hold);
        let ends = holds.filter_map(|hold| match hold {
            Hold::Wait { deadline_ms, .. } => deadline_ms,
            _ => None,
        });
        ends.min()
    }
}
