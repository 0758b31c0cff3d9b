//! The stream: two doors to one backlog, and the only hand that moves the offset.
//!
//! *Append* is a master's door: effects become commands, with a `SELECT` where the database changes. *Mirror* is a
//! replica's: its master's bytes, verbatim, so that a chain of replicas shares offsets. Storing the bytes and
//! moving the offset never part: a server that counted differently from what it sent could not be continued from.
//!
//! The dialect is Redis 7.0's: only arrays of bulk strings, never a bare newline (both Redis and Valkey silently
//! count one), and nothing a 7.0 replica does not know.

use std::ops::Range;

use super::{Backlog, History};
use crate::resp::reply::encode_request;

/// A server's own stream.
#[derive(Debug)]
pub struct Stream {
    /// Under which ids the bytes stand.
    pub history: History,
    backlog: Option<Backlog>,
    /// The offset while there is no backlog.
    resting: u64,
    /// The database the last command in the stream acted on; `None` until the next command has to say.
    selected: Option<usize>,
    size: u64,
}

impl Stream {
    /// A stream of no bytes that keeps `size` bytes once somebody reads it.
    #[must_use]
    pub fn new(history: History, size: u64) -> Self {
        Self { history, backlog: None, resting: 0, selected: None, size }
    }

    /// Bytes ever produced under the current history.
    #[must_use]
    #[inline]
    pub fn offset(&self) -> u64 {
        self.backlog.as_ref().map_or(self.resting, Backlog::end)
    }

    /// Somebody may read: bytes are stored. Without a backlog nothing is counted either, as no one could have
    /// seen it.
    #[must_use]
    #[inline]
    pub fn active(&self) -> bool {
        self.backlog.is_some()
    }

    /// The backlog, when there is one.
    #[must_use]
    pub fn backlog(&self) -> Option<&Backlog> {
        self.backlog.as_ref()
    }

    /// The positions kept.
    #[must_use]
    pub fn kept(&self) -> Option<Range<u64>> {
        self.backlog.as_ref().map(Backlog::range)
    }

    /// The database selected in the stream, for a snapshot's `repl-stream-db`.
    #[must_use]
    pub fn selected(&self) -> Option<usize> {
        self.selected
    }

    /// The next command says its database again (after a full resync, a promotion).
    pub fn forget_selected(&mut self) {
        self.selected = None;
    }

    /// The database a replica's stream stands in, learnt from its master.
    pub fn set_selected(&mut self, db: usize) {
        self.selected = Some(db);
    }

    /// Starts to store bytes, if it does not yet.
    pub fn open(&mut self) {
        if self.backlog.is_none() {
            self.backlog = Some(Backlog::new(self.resting, self.size));
        }
    }

    /// Forgets the stored bytes; the offset stays.
    pub fn close(&mut self) {
        self.resting = self.offset();
        self.backlog = None;
    }

    /// Our data is another history's now, at `offset`: nothing stored before is of any use.
    pub fn restart_at(&mut self, offset: u64) {
        self.backlog = None;
        self.resting = offset;
        self.selected = None;
    }

    /// Changes how many bytes are kept.
    pub fn resize(&mut self, size: u64) {
        self.size = size;
        if let Some(backlog) = &mut self.backlog {
            backlog.resize(size);
        }
    }

    /// A master's effect: one encoded command acting on `db`.
    #[inline]
    pub fn append(&mut self, db: usize, command: &[u8]) {
        if self.selected != Some(db) {
            self.select(db);
        }
        if let Some(backlog) = &mut self.backlog {
            backlog.append(command);
        }
    }

    /// A command that acts on no database: brackets, `PING`, `GETACK`.
    pub fn append_plain(&mut self, command: &[&[u8]]) {
        let mut bytes = Vec::with_capacity(64);
        encode_request(&mut bytes, command);
        if let Some(backlog) = &mut self.backlog {
            backlog.append(&bytes);
        }
    }

    #[cold]
    fn select(&mut self, db: usize) {
        self.append_plain(&[b"SELECT", db.to_string().as_bytes()]);
        self.selected = Some(db);
    }

    /// A replica's door: bytes of its master that have been applied, verbatim.
    #[inline]
    pub fn mirror(&mut self, bytes: &[u8]) {
        match &mut self.backlog {
            Some(backlog) => backlog.append(bytes),
            None => self.resting += bytes.len() as u64,
        }
    }

    /// Frees what neither the configured size nor the slowest reader (at `needed`) wants.
    pub fn trim(&mut self, needed: u64) {
        if let Some(backlog) = &mut self.backlog {
            backlog.trim(needed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Rng;

    fn stream() -> Stream {
        Stream::new(History::fresh(&mut Rng::new(1)), 1 << 20)
    }

    fn stored(stream: &Stream, from: u64) -> String {
        String::from_utf8_lossy(stream.backlog().unwrap().read(from)).replace("\r\n", " ")
    }

    #[test]
    fn the_database_is_said_when_it_changes_and_after_it_was_forgotten() {
        let mut stream = stream();
        stream.open();
        stream.append(0, b"A");
        stream.append(0, b"B");
        stream.append(2, b"C");
        stream.forget_selected();
        stream.append(2, b"D");
        assert_eq!(stored(&stream, 0), "*2 $6 SELECT $1 0 AB*2 $6 SELECT $1 2 C*2 $6 SELECT $1 2 D");
        assert_eq!(stream.offset(), 23 * 3 + 4);
    }

    #[test]
    fn nothing_is_counted_while_nobody_could_read_it() {
        let mut stream = stream();
        stream.append(0, b"A");
        assert_eq!(stream.offset(), 0);
    }

    #[test]
    fn a_replicas_stream_counts_its_masters_bytes() {
        let mut stream = stream();
        stream.restart_at(1000);
        stream.mirror(b"12345");
        assert_eq!(stream.offset(), 1005);
        stream.open();
        stream.mirror(b"678");
        assert_eq!(stream.offset(), 1008);
        assert_eq!(stored(&stream, 1005), "678");
        stream.close();
        assert_eq!(stream.offset(), 1008);
    }
}
