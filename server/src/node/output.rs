//! What goes out: a connection's own buffer first, then, for a replica, its snapshot, then the stream at its cursor.
//!
//! The shell pulls. So what is unsent is known in one place, and a peer that does not read costs no more than its
//! own buffer and the stream it holds back.

use crate::data::Now;
use crate::mutant::{Mutant, made};
use crate::persist::encode::Writer;
use crate::replication::feed::State;

use super::session::{Kind, Session};
use super::{ConnId, Drained, Level, Node, Sink};

/// Snapshot bytes made at a time, and the most one connection may take in a turn: making them costs about a
/// millisecond for each megabyte, and everybody else waits meanwhile.
const SLICE: usize = 64 << 10;
const SNAPSHOT_TURN: usize = 256 << 10;
/// Stream bytes one connection may take in a turn.
const TURN: usize = 1 << 20;
/// Pieces of the stream handed to one write.
const PIECES: usize = 16;

impl Node {
    /// Sends what is unsent on `conn`: `write` is given slices in order and says how many bytes it took.
    pub fn drain(
        &mut self,
        conn: ConnId,
        now: Now,
        sink: &mut dyn Sink,
        write: &mut dyn FnMut(&[&[u8]]) -> usize,
    ) -> Drained {
        let Some(mut session) = self.sessions.take(conn) else { return Drained::Empty };
        session.announced = false;
        let drained = match session.kind {
            // A replica that is being closed gets no more of the stream: it may belong to another history by now.
            Kind::Replica(_) if !session.closing || made(Mutant::ClosingFeedReads) => {
                self.drain_feed(&mut session, now, sink, write)
            }
            _ => self.drain_own(&mut session, write),
        };
        // While it is drained nobody writes to it: a new announcement is not needed.
        self.sessions.insert(session);
        self.trim();
        drained
    }

    /// The connection's own buffer.
    fn drain_own(&mut self, session: &mut Session, write: &mut dyn FnMut(&[&[u8]]) -> usize) -> Drained {
        while session.unsent() > 0 {
            let unsent = session.reply.bytes().get(session.sent..).unwrap_or_default();
            let taken = write(&[unsent]).min(unsent.len());
            self.stats.net_out += taken as u64;
            if taken == 0 {
                return Drained::Blocked;
            }
            session.sent += taken;
        }
        session.sent = 0;
        session.reply.reuse(SLICE);
        Drained::Empty
    }

    fn drain_feed(
        &mut self,
        session: &mut Session,
        now: Now,
        sink: &mut dyn Sink,
        write: &mut dyn FnMut(&[&[u8]]) -> usize,
    ) -> Drained {
        let mut budget = SNAPSHOT_TURN;
        loop {
            let before = self.stats.net_out;
            let drained = self.drain_own(session, write);
            if let Some(feed) = session.feed_mut().filter(|_| self.stats.net_out > before) {
                feed.moved_ms = now.mono_ms();
            }
            if drained == Drained::Blocked {
                return Drained::Blocked;
            }
            let Some(feed) = session.feed() else { return Drained::Empty };
            match feed.state {
                State::Waiting | State::AwaitingAck => return Drained::Empty,
                State::Online => return self.drain_stream(session, write),
                State::Collecting { .. } | State::Sending { .. } => {}
            }
            if budget == 0 {
                return Drained::Again;
            }
            budget = budget.saturating_sub(SLICE);
            let Some(slice) = self.paced_slice(session, now) else { return Drained::Empty };
            self.next_slice(session, slice, now, sink);
        }
    }

    /// How many bytes of the snapshot to make now. `rdb-key-save-delay` (microseconds for a key) lets tests look at a
    /// snapshot while it goes out: then it is a bucket at a time, and `None` until the next one is due.
    fn paced_slice(&self, session: &mut Session, now: Now) -> Option<usize> {
        /// Keys in a bucket, about.
        const BUCKET: u64 = 4;
        let Ok(delay_us @ 1..) = u64::try_from(self.config.rdb_key_save_delay) else { return Some(SLICE) };
        let Some(feed) = session.feed_mut().filter(|feed| feed.snapshot().is_some()) else {
            return Some(SLICE);
        };
        if now.mono_ms() < feed.paced_ms {
            return None;
        }
        feed.paced_ms = now.mono_ms() + (delay_us * BUCKET / 1000).max(1);
        Some(1)
    }

    /// Puts the next piece of a snapshot into the connection's buffer.
    fn next_slice(&mut self, session: &mut Session, slice: usize, now: Now, sink: &mut dyn Sink) {
        let Session { kind: Kind::Replica(feed), reply, .. } = session else { return };
        let name = feed.name();
        match &mut feed.state {
            State::Collecting { snapshot, bytes } => {
                let id = *snapshot;
                let complete = self.keyspace.drive_snapshot(id, slice);
                self.keyspace.take_snapshot_bytes(id, bytes);
                if !complete {
                    return;
                }
                finish(&mut self.keyspace, id, bytes);
                feed.snapshot_bytes = bytes.len() as u64;
                reply.raw(format!("${}\r\n", bytes.len()).as_bytes());
                reply.raw(&std::mem::take(bytes));
                feed.state = State::Sending { snapshot: None, mark: None };
            }
            State::Sending { snapshot: live @ Some(_), mark } => {
                let Some(id) = *live else { return };
                let mut bytes = Vec::with_capacity(SLICE + (SLICE >> 2));
                let complete = self.keyspace.drive_snapshot(id, slice);
                self.keyspace.take_snapshot_bytes(id, &mut bytes);
                if complete {
                    finish(&mut self.keyspace, id, &mut bytes);
                }
                feed.snapshot_bytes += bytes.len() as u64;
                if complete {
                    bytes.extend(mark.iter().flatten());
                    *live = None;
                }
                reply.raw(&bytes);
            }
            State::Sending { snapshot: None, mark } => {
                // A peer that was told the length is online when it has it; a mark is answered first.
                let marked = mark.is_some();
                feed.state = if marked { State::AwaitingAck } else { State::Online };
                feed.heard_ms = now.mono_ms();
                self.stats.last_full_bytes = Some(feed.snapshot_bytes);
                let only = feed.intro.rdb_only;
                if marked {
                    self.note(sink, Level::Notice, format_args!("Snapshot streamed to replica {name}, waiting for its REPLCONF ACK to enable streaming"));
                } else {
                    self.note(
                        sink,
                        Level::Notice,
                        format_args!("Synchronization with replica {name} succeeded"),
                    );
                }
                if only {
                    session.closing = true;
                    sink.close(session.conn, true);
                }
            }
            State::Waiting | State::AwaitingAck | State::Online => {}
        }
    }

    /// The stream from the feed's cursor on.
    fn drain_stream(&mut self, session: &mut Session, write: &mut dyn FnMut(&[&[u8]]) -> usize) -> Drained {
        let Some(feed) = session.feed_mut() else { return Drained::Empty };
        let Some(backlog) = self.stream.backlog() else { return Drained::Empty };
        let mut budget = TURN;
        loop {
            let mut pieces: [&[u8]; PIECES] = [&[]; PIECES];
            let mut count = 0;
            let mut at = feed.sent;
            for piece in &mut pieces {
                let bytes = backlog.read(at);
                if bytes.is_empty() {
                    break;
                }
                *piece = bytes;
                at += bytes.len() as u64;
                count += 1;
            }
            let offered = usize::try_from(at - feed.sent).unwrap_or(usize::MAX);
            if offered == 0 {
                return Drained::Empty;
            }
            let taken = write(pieces.get(..count).unwrap_or_default()).min(offered);
            feed.sent += taken as u64;
            self.stats.repl_out += taken as u64;
            self.stats.net_out += taken as u64;
            budget = budget.saturating_sub(taken);
            if taken < offered {
                return Drained::Blocked;
            }
            if budget == 0 {
                return Drained::Again;
            }
        }
    }
}

/// Takes the end of a complete snapshot.
fn finish(keyspace: &mut crate::keyspace::Keyspace, id: crate::keyspace::SnapshotId, out: &mut Vec<u8>) {
    if let Some(mut capture) = keyspace.end_snapshot(id)
        && let Some(writer) = capture.as_any().downcast_mut::<Writer>()
    {
        writer.finish();
        writer.take(out);
    }
}
