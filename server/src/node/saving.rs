//! Snapshots to the data file, and the end of the process, which may need one.

use crate::command::{Failure, error};
use crate::data::Now;
use crate::keyspace::SnapshotId;
use crate::persist::encode::{Header, Writer};
use crate::resp::Args;

use super::session::{Hold, Session};
use super::{ConnId, Level, Node, SaveStep, Signal, Sink};

const IN_PROGRESS: Failure = Failure::fixed("ERR Background save already in progress");

/// Saves, done and under way.
#[derive(Debug, Default)]
pub(super) struct Saving {
    snapshot: Option<SnapshotId>,
    /// Changes when the running save began.
    dirty_before: u64,
    started_ms: u64,
    /// A client waits for it, or the process's end does.
    waiting: Vec<ConnId>,
    /// Another one was asked for meanwhile.
    scheduled: bool,
    /// Bytes are being written; the snapshot itself may be complete.
    pub(super) running: bool,
    /// Unix time of the last good save, in seconds.
    pub(super) last_s: u64,
    /// The last one failed.
    pub(super) failed: bool,
    /// How long the last one took, in seconds; `None` before the first.
    pub(super) took_s: Option<u64>,
    tried_ms: u64,
}

impl Saving {
    /// Nothing was saved yet; saves count from `now_s`, Unix time in seconds.
    pub(super) fn new(now_s: u64) -> Self {
        Self { last_s: now_s, ..Self::default() }
    }
}

/// A shutdown under way.
#[derive(Debug)]
pub(super) struct Shutdown {
    save: Option<bool>,
    force: bool,
    /// Monotonic millisecond at which waiting for replicas ends.
    pub(super) deadline_ms: u64,
    clients: Vec<ConnId>,
    saving: bool,
}

impl Node {
    fn begin_save(&mut self, urgent: bool, now: Now, sink: &mut dyn Sink) -> Result<(), Failure> {
        if self.saving.running {
            return Err(IN_PROGRESS);
        }
        let header = Header {
            version: u32::from(self.config.repl_rdb_floor),
            aux: self.replication_aux(now),
            checksum: self.config.rdbchecksum,
            compress: self.config.rdbcompression,
            exact: true,
        };
        let snapshot = self.keyspace.begin_snapshot(Box::new(Writer::new(header)));
        let snapshot =
            snapshot.ok_or(Failure::fixed("ERR Too many snapshots are being taken, try again later"))?;
        self.saving.snapshot = Some(snapshot);
        self.saving.running = true;
        self.saving.dirty_before = self.dirty;
        self.saving.started_ms = now.mono_ms();
        self.saving.tried_ms = now.mono_ms();
        sink.save(urgent);
        Ok(())
    }

    /// Appends up to about `budget` bytes of the running save to `out`.
    pub fn save_chunk(&mut self, budget: usize, out: &mut Vec<u8>) -> SaveStep {
        let Some(snapshot) = self.saving.snapshot else { return SaveStep::Idle };
        let complete = self.keyspace.drive_snapshot(snapshot, budget);
        self.keyspace.take_snapshot_bytes(snapshot, out);
        if !complete {
            return SaveStep::More;
        }
        self.saving.snapshot = None;
        if let Some(mut capture) = self.keyspace.end_snapshot(snapshot)
            && let Some(writer) = capture.as_any().downcast_mut::<Writer>()
        {
            writer.finish();
            writer.take(out);
        }
        SaveStep::Last
    }

    /// The save ended: the size of the file, or a sentence saying what failed.
    pub fn save_done(&mut self, result: &Result<u64, String>, now: Now, sink: &mut dyn Sink) {
        if let Some(snapshot) = self.saving.snapshot.take() {
            self.keyspace.end_snapshot(snapshot);
        }
        self.saving.running = false;
        self.saving.took_s = Some(now.mono_ms().saturating_sub(self.saving.started_ms) / 1000);
        self.saving.failed = result.is_err();
        match result {
            Ok(_) => {
                self.dirty = self.dirty.saturating_sub(self.saving.dirty_before);
                self.saving.last_s = now.wall_ms / 1000;
                self.note(sink, Level::Notice, format_args!("DB saved on disk"));
            }
            Err(why) => self.note(sink, Level::Warning, format_args!("Failed saving the DB: {why}")),
        }
        for conn in std::mem::take(&mut self.saving.waiting) {
            if let Some(session) = self.sessions.get_mut(conn) {
                match result {
                    Ok(_) => session.reply.ok(),
                    Err(why) => session.reply.error(&format!("ERR {why}")),
                }
                self.hand_back(conn, sink);
            }
        }
        if self.stopping.as_ref().is_some_and(|stopping| stopping.saving) {
            self.saved_for_exit(result.is_ok(), now, sink);
        } else if std::mem::take(&mut self.saving.scheduled) {
            let _ = self.begin_save(false, now, sink);
        }
        self.settle(now, sink);
    }

    /// `SAVE`: the client, and everybody else, waits.
    pub(super) fn save(
        &mut self,
        session: &mut Session,
        now: Now,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        self.begin_save(true, now, sink)?;
        session.hold = Some(Hold::Save);
        self.saving.waiting.push(session.conn);
        Ok(())
    }

    /// `BGSAVE [SCHEDULE]`.
    pub(super) fn bgsave(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        now: Now,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        let schedule = match args.len() {
            1 => false,
            2 if args.get(1).eq_ignore_ascii_case(b"schedule") => true,
            _ => return Err(error::SYNTAX),
        };
        if self.saving.running && schedule {
            self.saving.scheduled = true;
            session.reply.simple("Background saving scheduled");
            return Ok(());
        }
        self.begin_save(false, now, sink)?;
        self.note(sink, Level::Notice, format_args!("Background saving started"));
        session.reply.simple("Background saving started");
        Ok(())
    }

    /// `save` points: after enough changes in enough time. A failed save is tried again after five seconds.
    pub(super) fn tick_saves(&mut self, now: Now, sink: &mut dyn Sink) {
        if self.saving.running || self.dirty == 0 || self.loading.is_some() {
            return;
        }
        if self.saving.failed && now.mono_ms().saturating_sub(self.saving.tried_ms) < 5000 {
            return;
        }
        let elapsed_s = (now.wall_ms / 1000).saturating_sub(self.saving.last_s);
        let due =
            self.config.save.0.iter().find(|point| self.dirty >= point.changes && elapsed_s > point.seconds);
        if let Some(point) = due {
            let (changes, seconds) = (point.changes, point.seconds);
            self.note(sink, Level::Notice, format_args!("{changes} changes in {seconds} seconds. Saving..."));
            let _ = self.begin_save(false, now, sink);
        }
    }

    /// `SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]`.
    pub(super) fn shutdown(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        now: Now,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        let (mut save, mut at_once, mut force, mut abort) = (None, false, false, false);
        for word in args.iter_from(1) {
            match word.to_ascii_lowercase().as_slice() {
                b"save" if save != Some(false) => save = Some(true),
                b"nosave" if save != Some(true) => save = Some(false),
                b"now" => at_once = true,
                b"force" => force = true,
                b"abort" => abort = true,
                _ => return Err(error::SYNTAX),
            }
        }
        if abort {
            if args.len() > 2 {
                return Err(error::SYNTAX);
            }
            if self.stopping.is_none() {
                return Err(Failure::fixed("ERR No shutdown in progress."));
            }
            self.abort_shutdown("aborted by a client", now, sink);
            session.reply.ok();
            return Ok(());
        }
        self.note(sink, Level::Warning, format_args!("User requested shutdown..."));
        session.hold = Some(Hold::Shutdown);
        self.begin_shutdown(Some(session.conn), save, at_once, force, now, sink);
        Ok(())
    }

    /// The operating system asked for something.
    pub fn signal(&mut self, signal: Signal, now: Now, sink: &mut dyn Sink) {
        let name = match signal {
            Signal::Terminate => "SIGTERM",
            Signal::Interrupt => "SIGINT",
        };
        if self.stopping.is_some() && signal == Signal::Interrupt {
            self.note(sink, Level::Warning, format_args!("You insist... exiting now."));
            sink.exit(1);
            return;
        }
        self.note(sink, Level::Warning, format_args!("Received {name} scheduling shutdown..."));
        let words = match signal {
            Signal::Terminate => self.config.shutdown_on_sigterm.clone(),
            Signal::Interrupt => self.config.shutdown_on_sigint.clone(),
        };
        let has = |word: &str| words.split(' ').any(|w| w == word);
        let save = if has("save") {
            Some(true)
        } else if has("nosave") {
            Some(false)
        } else {
            None
        };
        self.begin_shutdown(None, save, has("now"), has("force"), now, sink);
        self.settle(now, sink);
    }

    fn begin_shutdown(
        &mut self,
        client: Option<ConnId>,
        save: Option<bool>,
        at_once: bool,
        force: bool,
        now: Now,
        sink: &mut dyn Sink,
    ) {
        if let Some(stopping) = &mut self.stopping {
            stopping.clients.extend(client);
            return;
        }
        let timeout_ms = u64::from(self.config.shutdown_timeout) * 1000;
        let deadline_ms = now.mono_ms().saturating_add(timeout_ms);
        self.stopping =
            Some(Shutdown { save, force, deadline_ms, clients: client.into_iter().collect(), saving: false });
        let behind = self.replicas_behind();
        if at_once || timeout_ms == 0 || behind == 0 || self.link.is_some() {
            self.replicas_had_their_time(now, sink);
            return;
        }
        self.note(
            sink,
            Level::Notice,
            format_args!("{behind} replicas are behind: waiting for replicas before shutting down."),
        );
        self.pauses.shutdown = true;
        self.refresh_expiry();
        // Asked for now, and the pause is in force only for what comes later.
        self.want_ack = true;
    }

    fn replicas_behind(&self) -> usize {
        let offset = self.stream.offset();
        let feeds = self.feeds.iter().filter_map(|&conn| self.sessions.get(conn)?.feed());
        feeds.filter(|feed| !feed.legacy && feed.acked < offset).count()
    }

    /// Goes on once all replicas have everything, or their time is over.
    pub(super) fn check_shutdown(&mut self, now: Now, sink: &mut dyn Sink) {
        let Some(stopping) = &self.stopping else { return };
        if self.pauses.shutdown
            && !stopping.saving
            && (self.shutdown_settled() || stopping.deadline_ms <= now.mono_ms())
        {
            self.replicas_had_their_time(now, sink);
        }
    }

    /// The GETACK itself moved the offset: who acknowledged all but it has all data.
    fn shutdown_settled(&self) -> bool {
        const GETACK_BYTES: u64 = 37;
        let offset = self.stream.offset();
        let feeds = self.feeds.iter().filter_map(|&conn| self.sessions.get(conn)?.feed());
        feeds
            .filter(|feed| !feed.legacy)
            .all(|feed| feed.acked.saturating_add(GETACK_BYTES) >= offset && feed.online())
    }

    fn replicas_had_their_time(&mut self, now: Now, sink: &mut dyn Sink) {
        let offset = self.stream.offset();
        let mut in_sync = 0;
        for conn in self.feeds.clone() {
            let Some(feed) = self.sessions.get(conn).and_then(|session| session.feed()) else { continue };
            if feed.acked.saturating_add(37) >= offset {
                in_sync += 1;
                continue;
            }
            let (name, lag, state) = (feed.name(), feed.lag_s(now.mono_ms()), feed.state_word());
            let behind = offset.saturating_sub(feed.acked);
            self.note(
                sink,
                Level::Notice,
                format_args!(
                    "Lagging replica {name} reported offset {behind} behind master, lag={lag}, state={state}."
                ),
            );
        }
        if !self.feeds.is_empty() {
            let all = self.feeds.len();
            self.note(
                sink,
                Level::Notice,
                format_args!("{in_sync} of {all} replicas are in sync when shutting down."),
            );
        }
        let Some(stopping) = &mut self.stopping else { return };
        let wants_file = stopping.save.unwrap_or(!self.config.save.0.is_empty());
        stopping.saving = wants_file;
        if !wants_file {
            self.leave(sink);
            return;
        }
        self.note(sink, Level::Notice, format_args!("Saving the final RDB snapshot before exiting."));
        if self.saving.running {
            // What is being written is older than what we hold now: begin again.
            if let Some(snapshot) = self.saving.snapshot.take() {
                self.keyspace.end_snapshot(snapshot);
            }
            self.saving.running = false;
            sink.save_abandoned();
        }
        if self.begin_save(true, now, sink).is_err() {
            self.saved_for_exit(false, now, sink);
        }
    }

    fn saved_for_exit(&mut self, good: bool, now: Now, sink: &mut dyn Sink) {
        if good || self.stopping.as_ref().is_some_and(|stopping| stopping.force) {
            self.leave(sink);
        } else {
            self.note(sink, Level::Warning, format_args!("Error trying to save the DB, can't exit."));
            self.abort_shutdown("the DB could not be saved", now, sink);
        }
    }

    fn leave(&mut self, sink: &mut dyn Sink) {
        self.note(sink, Level::Warning, format_args!("Redis is now ready to exit, bye bye..."));
        sink.exit(0);
    }

    fn abort_shutdown(&mut self, why: &str, now: Now, sink: &mut dyn Sink) {
        let Some(stopping) = self.stopping.take() else { return };
        self.note(sink, Level::Warning, format_args!("Shutdown manually aborted: {why}"));
        self.pauses.shutdown = false;
        for conn in stopping.clients {
            if let Some(session) = self.sessions.get_mut(conn) {
                session.reply.error("ERR Errors trying to SHUTDOWN. Check logs.");
                self.hand_back(conn, sink);
            }
        }
        self.resume_paused(now, sink);
    }
}
