//! MULTI, EXEC, DISCARD, WATCH.

use crate::command::spec::Flags;
use crate::command::{Command, Control, Failure, Handler};
use crate::data::Now;
use crate::resp::Args;

use super::session::{Multi, Session};
use super::{Node, Sink};

/// The most bytes one transaction may queue before it is refused.
const QUEUE_LIMIT: usize = 1 << 30;

/// Runs at once inside MULTI instead of being queued.
pub(super) fn at_once(command: &Command) -> bool {
    use Control::{Discard, Exec, Multi, Quit, Reset, Watch};
    matches!(command.handler, Handler::Control(Exec | Discard | Multi | Watch | Quit | Reset))
}

impl Node {
    /// Queues a command that passed the gates.
    pub(super) fn queue(&mut self, session: &mut Session, command: &'static Command, args: Args<'_>) {
        let Some(multi) = &mut session.multi else { return };
        let owned = args.to_owned_args();
        multi.size = multi.size.saturating_add(owned.size());
        if multi.size > QUEUE_LIMIT {
            let failure = Failure::fixed("ERR transaction is too large");
            multi.queue.clear();
            self.refuse(session, &failure);
            return;
        }
        multi.writes |= command.flags.has(Flags::WRITE) || command.flags.has(Flags::MAY_REPLICATE);
        multi.queue.push((command, owned));
        let mark = session.reply.len();
        session.reply.simple("QUEUED");
        super::serve::quiet(session, mark);
    }

    pub(super) fn multi(&mut self, session: &mut Session) -> Result<(), Failure> {
        if session.multi.is_some() {
            return Err(Failure::fixed("ERR MULTI calls can not be nested"));
        }
        session.multi = Some(Box::new(Multi::default()));
        session.reply.ok();
        Ok(())
    }

    pub(super) fn discard(&mut self, session: &mut Session) -> Result<(), Failure> {
        if session.multi.take().is_none() {
            return Err(Failure::fixed("ERR DISCARD without MULTI"));
        }
        self.unwatch(session);
        session.reply.ok();
        Ok(())
    }

    pub(super) fn watch(&mut self, session: &mut Session, args: Args<'_>, now: Now) -> Result<(), Failure> {
        if session.multi.is_some() {
            return Err(Failure::fixed("ERR WATCH inside MULTI is not allowed"));
        }
        for key in args.iter_from(1) {
            self.keyspace.watch(session.id, session.db, key, now.wall_ms);
        }
        session.watching = true;
        session.reply.ok();
        Ok(())
    }

    /// Forgets watched keys.
    pub(super) fn unwatch(&mut self, session: &mut Session) {
        if std::mem::take(&mut session.watching) {
            self.keyspace.unwatch(session.id);
        }
    }

    pub(super) fn exec(
        &mut self,
        session: &mut Session,
        now: Now,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        let Some(multi) = session.multi.take() else {
            return Err(Failure::fixed("ERR EXEC without MULTI"));
        };
        let touched = session.watching
            && (self.keyspace.watch_broken(session.id)
                || self.keyspace.watch_expired(session.id, now.wall_ms));
        self.unwatch(session);
        if multi.broken {
            return Err(Failure::fixed("EXECABORT Transaction discarded because of previous errors."));
        }
        if touched {
            session.reply.null_array();
            return Ok(());
        }
        // The server may have become a replica since the commands were queued.
        if multi.writes && self.link.is_some() && self.config.replica_read_only && session.is_client() {
            return Err(Failure::fixed(
                "EXECABORT Transaction discarded because of: You can't write against a read only replica.",
            ));
        }
        session.reply.array(multi.queue.len());
        self.collect();
        for (command, args) in &multi.queue {
            self.run(session, command, args.args(), now, sink);
        }
        self.end_collection(session);
        Ok(())
    }
}
