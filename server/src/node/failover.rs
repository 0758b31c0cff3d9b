//! The coordinated handover: pause, equal offsets, swap, and back to where we were if anything fails.

use crate::command::{Failure, error};
use crate::data::Now;
use crate::mutant::{Mutant, made};
use crate::replication::ReplId;
use crate::resp::Args;
use crate::resp::number::parse_i64;

use super::session::Session;
use super::{Level, Node, Sink};

/// Where a failover is.
#[derive(Debug)]
pub(super) struct Failover {
    /// The named target; `None` takes the first replica that has everything.
    target: Option<(String, u16)>,
    /// Monotonic millisecond at which waiting ends.
    deadline_ms: Option<u64>,
    /// At the deadline go ahead although the target is behind.
    force: bool,
    /// We are the target's replica now and wait for its answer.
    swapping: bool,
    /// The deadline passed and it was forced: the target may lack some of our data.
    behind: bool,
}

impl Node {
    /// A failover is under way.
    pub(super) fn failing_over(&self) -> bool {
        self.failover.is_some()
    }

    /// INFO's word.
    pub(super) fn failover_word(&self) -> &'static str {
        match &self.failover {
            None => "no-failover",
            Some(failover) if failover.swapping => "failover-in-progress",
            Some(_) => "waiting-for-sync",
        }
    }

    /// `FAILOVER [TO host port [FORCE]] [ABORT] [TIMEOUT ms]`.
    pub(super) fn failover(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        now: Now,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        let (mut target, mut force, mut timeout, mut at) = (None, false, None, 1);
        while at < args.len() {
            match args.get(at).to_ascii_lowercase().as_slice() {
                b"abort" if args.len() == 2 => {
                    if self.failover.is_none() {
                        return Err(Failure::fixed("ERR No failover in progress."));
                    }
                    self.abort_failover("Failover manually aborted", now, sink);
                    session.reply.ok();
                    return Ok(());
                }
                b"to" if at + 2 < args.len() && target.is_none() => {
                    let port = parse_i64(args.get(at + 2)).ok_or(error::NOT_AN_INTEGER)?;
                    let port = u16::try_from(port)
                        .map_err(|_| Failure::fixed("ERR FAILOVER target port is out of range"))?;
                    target = Some((super::feeds::plain_text(args.get(at + 1)), port));
                    at += 3;
                }
                b"timeout" if at + 1 < args.len() && timeout.is_none() => {
                    let ms = parse_i64(args.get(at + 1)).ok_or(error::NOT_AN_INTEGER)?;
                    if ms <= 0 {
                        return Err(Failure::fixed("ERR FAILOVER timeout must be greater than 0"));
                    }
                    timeout = u64::try_from(ms).ok();
                    at += 2;
                }
                b"force" if !force => {
                    force = true;
                    at += 1;
                }
                _ => return Err(error::SYNTAX),
            }
        }
        self.may_fail_over(target.as_ref(), force, timeout)?;
        self.note(
            sink,
            Level::Notice,
            format_args!(
                "FAILOVER requested to {}.",
                target.as_ref().map_or("any replica".to_owned(), |(host, port)| format!("{host}:{port}"))
            ),
        );
        let deadline_ms = timeout.map(|ms| now.mono_ms().saturating_add(ms));
        self.failover = Some(Failover { target, deadline_ms, force, swapping: false, behind: false });
        self.pauses.failover = true;
        self.refresh_expiry();
        self.want_ack = true;
        session.reply.ok();
        self.acks_changed = true;
        Ok(())
    }

    fn may_fail_over(
        &self,
        target: Option<&(String, u16)>,
        force: bool,
        timeout: Option<u64>,
    ) -> Result<(), Failure> {
        if self.failover.is_some() {
            return Err(Failure::fixed("ERR FAILOVER already in progress."));
        }
        if self.link.is_some() {
            return Err(Failure::fixed("ERR FAILOVER is not valid when server is a replica."));
        }
        if self.feeds.is_empty() {
            return Err(Failure::fixed("ERR FAILOVER requires connected replicas."));
        }
        if force && (timeout.is_none() || target.is_none()) {
            return Err(Failure::fixed(
                "ERR FAILOVER with force option requires both a timeout and target HOST and IP.",
            ));
        }
        if let Some((host, port)) = target {
            let feeds = self.feeds.iter().filter_map(|&conn| self.sessions.get(conn)?.feed());
            let mut named = feeds.filter(|feed| feed.intro.port == *port && feed.shown_ip() == host);
            match named.next() {
                None => return Err(Failure::fixed("ERR FAILOVER target HOST and PORT is not a replica.")),
                Some(feed) if !feed.online() => {
                    return Err(Failure::fixed("ERR FAILOVER target replica is not online."));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Goes on if the target has everything, or if its time is over.
    pub(super) fn check_failover(&mut self, now: Now, sink: &mut dyn Sink) {
        let Some(failover) = &self.failover else { return };
        let over = failover.deadline_ms.is_some_and(|end| end <= now.mono_ms());
        if failover.swapping {
            if over && !failover.force {
                self.abort_failover("Failover target did not answer in time", now, sink);
            }
            return;
        }
        let offset = self.stream.offset();
        let feeds = self.feeds.iter().filter_map(|&conn| self.sessions.get(conn)?.feed());
        let caught_up = feeds
            .filter(|feed| feed.online() && (feed.acked == offset || made(Mutant::HandoverEarly)))
            .find_map(|feed| {
                let address = (feed.shown_ip().to_owned(), feed.intro.port);
                failover.target.as_ref().is_none_or(|target| *target == address).then_some(address)
            });
        match (caught_up, over) {
            (Some(target), _) => self.swap(target, now, sink),
            (None, true) if failover.force => {
                self.note(
                    sink,
                    Level::Notice,
                    format_args!("Failover target time out exceeded, failing over. The replica is behind."),
                );
                let target = failover.target.clone();
                if let Some(failover) = &mut self.failover {
                    failover.behind = true;
                }
                if let Some(target) = target {
                    self.swap(target, now, sink);
                }
            }
            (None, true) => self.abort_failover("Replica never caught up before timeout", now, sink),
            (None, false) => {}
        }
    }

    /// A handover is under way to a target that has all our data: not one forced upon a replica that is behind.
    pub(super) fn handing_over_whole(&self) -> bool {
        self.failover.as_ref().is_some_and(|failover| failover.swapping && !failover.behind)
    }

    /// Becomes the target's replica and asks it to promote itself.
    fn swap(&mut self, (host, port): (String, u16), now: Now, sink: &mut dyn Sink) {
        self.note(
            sink,
            Level::Notice,
            format_args!("Failover target is {host}:{port}, it has all our data: handing over"),
        );
        if let Some(failover) = &mut self.failover {
            failover.swapping = true;
        }
        self.remember_own_id();
        self.follow(host, port, now, sink);
        if let Some(link) = &mut self.link {
            link.failover = true;
            link.told = true;
        }
    }

    /// The target promoted itself and serves us.
    pub(super) fn failover_accepted(&mut self, now: Now, sink: &mut dyn Sink) {
        if self.failover.take_if(|failover| failover.swapping).is_some() {
            self.end_failover_pause(now, sink);
            if let Some(link) = &mut self.link {
                link.failover = false;
            }
            self.note(
                sink,
                Level::Notice,
                format_args!("Failover finished: we are a replica of the target now"),
            );
        }
    }

    /// The target refused or could not be reached: we stay the master. With FORCE we keep trying.
    pub(super) fn failover_attempt_failed(&mut self, why: &str, now: Now, sink: &mut dyn Sink) {
        if self.failover.as_ref().is_some_and(|failover| failover.swapping) {
            let why = format!("Failover target rejected us or was not reached: {why}");
            self.abort_failover(&why, now, sink);
        }
    }

    fn abort_failover(&mut self, why: &str, now: Now, sink: &mut dyn Sink) {
        let Some(failover) = self.failover.take() else { return };
        self.note(sink, Level::Notice, format_args!("Failover aborted: {why}"));
        if failover.swapping {
            // Nothing was written since: we are the same master with the same history, and no replica has to move.
            self.drop_link(sink);
            self.config.replicaof.0 = None;
            self.refresh_calm();
        }
        self.end_failover_pause(now, sink);
    }

    fn end_failover_pause(&mut self, now: Now, sink: &mut dyn Sink) {
        self.pauses.failover = false;
        self.resume_paused(now, sink);
    }

    /// `PSYNC … FAILOVER`: our master hands over to us.
    pub(super) fn failover_requested(
        &mut self,
        id: Option<ReplId>,
        now: Now,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        let shown = id.map_or("?".to_owned(), |id| id.to_string());
        self.note(sink, Level::Notice, format_args!("Failover request received for replid {shown}."));
        if self.link.is_none() {
            return Err(Failure::fixed("ERR PSYNC FAILOVER can't be sent to a master."));
        }
        if id != Some(self.stream.history.id) {
            return Err(Failure::fixed("ERR PSYNC FAILOVER replid must match my replid."));
        }
        self.promote(now, sink);
        self.note(
            sink,
            Level::Notice,
            format_args!("MASTER MODE enabled (failover request from the old master)"),
        );
        Ok(())
    }

    /// When a failover's waiting ends, in monotonic milliseconds. One that was forced waits no longer.
    pub(super) fn failover_deadline_ms(&self) -> Option<u64> {
        let failover = self.failover.as_ref()?;
        failover.deadline_ms.filter(|_| !(failover.swapping && failover.force))
    }
}
