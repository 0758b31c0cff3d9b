//! Every reason to refuse a client's command, one function each, in the order Redis asks them.

use crate::command::spec::Flags;
use crate::command::{Command, Control, Failure, Handler};
use crate::data::Now;

use super::Node;
use super::session::{Kind, Session};

const NO_AUTH: Failure = Failure::fixed("NOAUTH Authentication required.");
const READONLY: Failure = Failure::fixed("READONLY You can't write against a read only replica.");
const MASTER_DOWN: Failure =
    Failure::fixed("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.");
const LOADING: Failure = Failure::fixed("LOADING Redis is loading the dataset in memory");
const NO_REPLICAS: Failure = Failure::fixed("NOREPLICAS Not enough good replicas to write.");

impl Node {
    /// Why this client may not run this command now, if there is a reason.
    #[inline]
    pub(super) fn gates(&self, session: &Session, command: &Command, now: Now) -> Result<(), Failure> {
        // The common case in one comparison each: a quiet server and an ordinary client.
        if self.calm && session.authenticated && session.subscriptions.is_none() && session.multi.is_none() {
            return Ok(());
        }
        self.all_gates(session, command, now)
    }

    fn all_gates(&self, session: &Session, command: &Command, now: Now) -> Result<(), Failure> {
        if let Kind::Upstream = session.kind {
            return Ok(());
        }
        not_authenticated(session, command)?;
        self.too_few_replicas(command, now)?;
        self.read_only_replica(command)?;
        subscriber(session, command)?;
        self.stale(command)?;
        self.still_loading(command)?;
        not_in_multi(session, command)
    }

    /// `min-replicas-to-write`.
    fn too_few_replicas(&self, command: &Command, now: Now) -> Result<(), Failure> {
        let wanted = self.config.min_replicas_to_write;
        if wanted > 0
            && self.config.min_replicas_max_lag > 0
            && self.link.is_none()
            && command.flags.has(Flags::WRITE)
            && self.good_replicas(now) < u64::from(wanted)
        {
            return Err(NO_REPLICAS);
        }
        Ok(())
    }

    /// `replica-read-only`.
    fn read_only_replica(&self, command: &Command) -> Result<(), Failure> {
        if self.link.is_some() && self.config.replica_read_only && command.flags.has(Flags::WRITE) {
            return Err(READONLY);
        }
        Ok(())
    }

    /// `replica-serve-stale-data no` and the link is not up.
    fn stale(&self, command: &Command) -> Result<(), Failure> {
        // A replica that asks is told by its own command that it is too early: any other error would make it give up what
        // it holds.
        if matches!(command.handler, Handler::Control(Control::Psync | Control::Sync)) {
            return Ok(());
        }
        let down = self.link.as_ref().is_some_and(|link| !link.up());
        if down && !self.config.replica_serve_stale_data && !command.flags.has(Flags::STALE) {
            return Err(MASTER_DOWN);
        }
        Ok(())
    }

    /// Loading at start.
    fn still_loading(&self, command: &Command) -> Result<(), Failure> {
        if self.loading.is_some() && !command.flags.has(Flags::LOADING) {
            return Err(LOADING);
        }
        Ok(())
    }

    /// Recomputes whether gates other than the client's own can refuse anything.
    pub(super) fn refresh_calm(&mut self) {
        self.refresh_limited();
        self.calm = self.loading.is_none() && self.link.is_none() && self.config.min_replicas_to_write == 0;
    }
}

fn not_authenticated(session: &Session, command: &Command) -> Result<(), Failure> {
    if session.authenticated || command.flags.has(Flags::NO_AUTH) { Ok(()) } else { Err(NO_AUTH) }
}

/// RESP2 has no way to tell a message from a reply.
fn subscriber(session: &Session, command: &Command) -> Result<(), Failure> {
    use Control::{
        PSubscribe, PUnsubscribe, Ping, Quit, Reset, SSubscribe, SUnsubscribe, Subscribe, Unsubscribe,
    };
    if session.reply.resp3() || !session.subscribed() {
        return Ok(());
    }
    match command.handler {
        Handler::Control(
            Ping | Quit | Reset | Subscribe | Unsubscribe | PSubscribe | PUnsubscribe | SSubscribe
            | SUnsubscribe,
        ) => Ok(()),
        _ => Err(Failure::worded(format!(
            "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
            command.name
        ))),
    }
}

fn not_in_multi(session: &Session, command: &Command) -> Result<(), Failure> {
    if session.multi.is_some() && command.flags.has(Flags::NO_MULTI) {
        return Err(Failure::fixed("ERR Command not allowed inside a transaction"));
    }
    Ok(())
}
