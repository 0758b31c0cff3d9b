//! From bytes to requests: parse a batch, look ahead, serve each in order, keep what cannot be served yet.

use crate::data::{Collection, Now};
use crate::resp::{Batch, Parser};

use super::serve::Served;
use super::session::{Hold, Session};
use super::{Node, Sink};

/// Most bytes of input of a client that did not authenticate.
const BEFORE_AUTH: u64 = 1 << 20;
/// Requests parsed and looked ahead at together.
const BATCH: usize = 64;

/// Bytes read from a client that waits for keys, about.
const READ_AHEAD: usize = 64 << 10;

impl Node {
    /// Bytes of a client or a replica. What cannot be served yet stays in `session.pending`.
    pub(super) fn client_input(
        &mut self,
        session: &mut Session,
        bytes: &[u8],
        now: Now,
        sink: &mut dyn Sink,
    ) {
        if session.closing {
            return;
        }
        let mut held = std::mem::take(&mut session.pending);
        if held.is_empty() {
            let used = if session.hold.is_none() { self.requests(session, bytes, now, sink) } else { 0 };
            held.extend_from_slice(bytes.get(used..).unwrap_or_default());
        } else {
            held.extend_from_slice(bytes);
            if session.hold.is_none() {
                let used = self.requests(session, &held, now, sink);
                held.drain(..used.min(held.len()));
            }
        }
        // What is queued was not executed yet, so it is input still.
        let input = (held.len() + session.multi.as_ref().map_or(0, |multi| multi.size)) as u64;
        let most = if session.authenticated { u64::MAX } else { BEFORE_AUTH };
        if input > most.min(self.config.client_query_buffer_limit) {
            self.stats.query_limit_closes += 1;
            self.note(
                sink,
                super::Level::Warning,
                format_args!("closing client {} that reached max query buffer length", session.peer.addr),
            );
            session.closing = true;
            sink.close(session.conn, false);
        } else if held.is_empty() {
            if held.capacity() > 64 << 10 {
                held = Vec::new();
            }
        } else if session.hold.is_some_and(|hold| hold != Hold::Blocked || held.len() > READ_AHEAD) {
            // Bounded: a client that is not served is not read either. One that waits for keys is read for a while, so
            // that it is noticed when it goes.
            sink.reading(session.conn, false);
        }
        session.pending = held;
    }

    /// Serves requests from `buf` until it holds none that can be served, and says how many bytes they took.
    fn requests(&mut self, session: &mut Session, buf: &[u8], now: Now, sink: &mut dyn Sink) -> usize {
        let mut batch = std::mem::take(&mut self.batch);
        let mut at = 0;
        while session.serves() {
            batch.clear();
            let rest = buf.get(at..).unwrap_or_default();
            let authenticated = session.authenticated;
            let parsed = session.parser.parse(rest, &session.limits(), BATCH, &mut batch);
            if batch.len() > 1 {
                self.look_ahead(session.db, &batch, rest);
            }
            self.watch_start(batch.len(), sink);
            let (served, end) = self.batch(session, &batch, rest, now, sink);
            self.watch_stop(sink);
            if served < batch.len() || !session.serves() {
                // The rest of the batch is given back and will be parsed again.
                session.parser = Parser::default();
                at += end;
                break;
            }
            match parsed {
                Ok(used) => {
                    at += used;
                    if batch.len() < BATCH {
                        break;
                    }
                }
                // The request behind an AUTH was judged by the limits before it.
                Err(_) if session.authenticated != authenticated => {
                    session.parser = Parser::default();
                    at += end;
                }
                Err(breach) => {
                    self.stats.protocol_errors += 1;
                    session.reply.error(&breach.0);
                    session.closing = true;
                    sink.close(session.conn, true);
                    at = buf.len();
                }
            }
        }
        self.batch = batch;
        at
    }

    /// Serves the requests of a batch; gives how many were served and where the last of them ended.
    fn batch(
        &mut self,
        session: &mut Session,
        batch: &Batch,
        buf: &[u8],
        now: Now,
        sink: &mut dyn Sink,
    ) -> (usize, usize) {
        let mut end = 0;
        for index in 0..batch.len() {
            if self.request(session, batch.args(buf, index), now, sink) == Served::Held {
                return (index, end);
            }
            end = batch.end_of(index);
            if !session.serves() {
                return (index + 1, end);
            }
        }
        (batch.len(), end)
    }

    /// Fetches what the batch will touch: buckets first, then the entries, so that cache misses overlap.
    pub(super) fn look_ahead(&self, db: usize, batch: &Batch, buf: &[u8]) {
        let mut hashes = [0u64; BATCH];
        for (index, hash) in hashes.iter_mut().enumerate().take(batch.len()) {
            *hash = self.keyspace.hash(batch.args(buf, index).get(1));
            self.keyspace.prefetch_bucket(db, *hash);
        }
        for hash in hashes.iter().take(batch.len()) {
            self.keyspace.prefetch_entry(db, *hash);
        }
        let (first, others) = hashes.get(..batch.len()).and_then(<[u64]>::split_first).unwrap_or((&0, &[]));
        if others.iter().all(|hash| hash == first) {
            self.look_into(db, batch, buf);
        }
    }

    /// Where a whole batch is about one key: fetches the elements of its collection that the batch names, if it is a large one.
    fn look_into(&self, db: usize, batch: &Batch, buf: &[u8]) {
        let first = batch.args(buf, 0);
        // SPOP and its like name none.
        if first.get(2).is_empty() {
            return;
        }
        let collection = self.keyspace.get(db, first.get(1)).and_then(crate::keyspace::EntryRef::collection);
        let Some(collection) = collection else { return };
        let words = |place: usize| {
            let mut words = [&[][..]; BATCH];
            for (index, word) in words.iter_mut().enumerate().take(batch.len()) {
                *word = batch.args(buf, index).get(place);
            }
            words
        };
        let len = batch.len().min(BATCH);
        // In most commands on elements, the first one stands behind the key.
        let names = &words(2)[..len];
        let Collection::Zset(zset) = collection else { return collection.look_ahead(names) };
        let is = |name: &str| first.get(0).eq_ignore_ascii_case(name.as_bytes());
        if is("ZADD") || is("ZINCRBY") {
            zset.look_ahead(&words(3)[..len], if is("ZADD") { names } else { &[] });
        } else if is("ZSCORE") || is("ZMSCORE") || is("ZRANK") || is("ZREVRANK") || is("ZREM") {
            zset.look_ahead(names, &[]);
        }
    }
}
