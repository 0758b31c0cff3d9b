//! A snapshot becoming a keyspace: at start from a file, on a replica from the link.

use crate::data::{Collection, Limits, Now};
use crate::keyspace::{Keyspace, NewValue, Ttl};
use crate::mutant::{Mutant, made};
use crate::persist::decode::{Decoder, Load, Progress};
use crate::replication::ReplId;
use crate::resp::number::parse_u64;

use super::{Level, Node, Sink};

/// Fills a fresh keyspace; nothing is visible before all of it is there.
#[derive(Debug)]
pub(super) struct Loader {
    keyspace: Keyspace,
    limits: Limits,
    db: usize,
    stream_db: usize,
    id: Option<ReplId>,
    offset: Option<u64>,
    /// A master drops keys past their deadline at this time (ms); a replica keeps them until it is told.
    drop_expired_at: Option<u64>,
    /// What was dropped.
    expired: Vec<(usize, Vec<u8>)>,
    loaded: u64,
    /// What was passed over, as sentences, and how often.
    skipped: Vec<(String, u64)>,
}

impl Loader {
    pub(super) fn new(keyspace: Keyspace, limits: Limits) -> Self {
        Self {
            keyspace,
            limits,
            db: 0,
            stream_db: 0,
            id: None,
            offset: None,
            drop_expired_at: None,
            expired: Vec::new(),
            loaded: 0,
            skipped: Vec::new(),
        }
    }

    /// Feeds snapshot bytes; gives how many were consumed once the snapshot is complete.
    pub(super) fn feed(&mut self, decoder: &mut Decoder, bytes: &[u8]) -> Result<Option<usize>, String> {
        match decoder.feed(bytes, self) {
            Ok(Progress::More) => Ok(None),
            Ok(Progress::Done { consumed }) => Ok(Some(consumed)),
            Err(damage) => Err(damage.to_string()),
        }
    }

    /// Whether a key with this deadline is kept; counts it, one way or the other.
    fn keeps(&mut self, key: &[u8], expire: Option<u64>) -> bool {
        let past = self.drop_expired_at.zip(expire).is_some_and(|(now, at)| at <= now);
        if past {
            self.expired.push((self.db, key.to_vec()));
        } else {
            self.loaded += 1;
        }
        !past
    }

    /// The database selected in the stream at the cut.
    pub(super) fn stream_db(&self) -> usize {
        self.stream_db
    }

    /// What of the snapshot could not be used, a sentence each.
    pub(super) fn losses(&self) -> Vec<String> {
        let skipped = self.skipped.iter();
        skipped
            .map(|(what, times)| match times {
                1 => format!("The snapshot holds {what}: skipped"),
                _ => format!("The snapshot holds {what}, {times} times: skipped"),
            })
            .collect()
    }

    pub(super) fn into_keyspace(self) -> Keyspace {
        self.keyspace
    }
}

impl Load for Loader {
    fn begin(&mut self, _version: u16) -> Result<(), String> {
        Ok(())
    }

    fn aux(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"repl-stream-db" => {
                let db = parse_u64(value).and_then(|db| usize::try_from(db).ok());
                self.stream_db = db.filter(|&db| db < self.keyspace.databases()).unwrap_or(0);
            }
            b"repl-id" => self.id = ReplId::parse(value),
            b"repl-offset" => self.offset = parse_u64(value).filter(|&offset| offset < 1 << 62),
            _ => {}
        }
    }

    fn select(&mut self, db: u64) -> Result<(), String> {
        self.db = usize::try_from(db).ok().filter(|&db| db < self.keyspace.databases()).ok_or_else(|| {
            format!("it holds database {db}, this server has {}", self.keyspace.databases())
        })?;
        Ok(())
    }

    fn resize(&mut self, keys: u64, _expires: u64) {
        // A claim: room is made for a million keys at most, the rest grows as it comes.
        self.keyspace.reserve(self.db, usize::try_from(keys.min(1 << 20)).unwrap_or(0));
    }

    fn string(&mut self, key: &[u8], value: NewValue<'_>, expire: Option<u64>) -> Result<(), String> {
        if self.keeps(key, expire) {
            self.keyspace.set(self.db, key, value, expire.map_or(Ttl::Clear, Ttl::At));
        }
        Ok(())
    }

    fn collection(&mut self, key: &[u8], collection: Collection, expire: Option<u64>) -> Result<(), String> {
        if self.keeps(key, expire) {
            self.keyspace.put_collection(self.db, key, collection, expire.map_or(Ttl::Clear, Ttl::At));
        }
        Ok(())
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn skipped(&mut self, what: &str) {
        /// Different sentences that are remembered.
        const KINDS: usize = 16;
        if let Some((_, times)) = self.skipped.iter_mut().find(|(known, _)| known == what) {
            *times += 1;
        } else if self.skipped.len() < KINDS {
            self.skipped.push((what.to_owned(), 1));
        }
    }

    fn end(&mut self, _checked: bool) {}
}

/// A data file being loaded at start.
#[derive(Debug)]
pub(super) struct Loading {
    decoder: Decoder,
    loader: Loader,
    whole: bool,
    /// Bytes in all.
    pub(super) total: u64,
    /// Bytes so far.
    pub(super) done: u64,
    /// When it began.
    pub(super) since: Now,
}

impl Node {
    /// A keyspace like ours, empty.
    pub(super) fn fresh_keyspace(&self) -> Keyspace {
        Keyspace::new(self.keyspace.databases(), self.hash_seed)
    }

    /// A data file of `size` bytes is being loaded: until [`Node::load_end`] clients get `-LOADING`.
    pub fn load_begin(&mut self, size: u64, now: Now, sink: &mut dyn Sink) {
        let mut loader = Loader::new(self.fresh_keyspace(), self.settings.limits);
        if self.config.replicaof.0.is_none() {
            loader.drop_expired_at = Some(now.wall_ms);
        }
        self.loading = Some(Box::new(Loading {
            decoder: Decoder::new(),
            loader,
            whole: false,
            total: size,
            done: 0,
            since: now,
        }));
        self.refresh_calm();
        self.note(
            sink,
            Level::Notice,
            format_args!("Loading RDB produced by a server of this kind, {size} bytes"),
        );
    }

    /// The next bytes of the file.
    ///
    /// # Errors
    /// The file is damaged or of a kind we do not read; nothing of it is kept.
    pub fn load_chunk(&mut self, bytes: &[u8], _now: Now) -> Result<(), String> {
        let Some(loading) = &mut self.loading else { return Ok(()) };
        loading.done += bytes.len() as u64;
        if !loading.whole {
            match loading.loader.feed(&mut loading.decoder, bytes) {
                Ok(consumed) => loading.whole = consumed.is_some(),
                Err(_) if made(Mutant::DamageLoaded) => loading.whole = true,
                Err(why) => {
                    self.load_failed();
                    return Err(why);
                }
            }
        }
        Ok(())
    }

    /// The file ended.
    ///
    /// # Errors
    /// It ended too early; nothing of it is kept.
    pub fn load_end(&mut self, now: Now, sink: &mut dyn Sink) -> Result<(), String> {
        let Some(loading) = self.loading.take() else { return Ok(()) };
        self.refresh_calm();
        if !loading.whole {
            return Err("the file ends before its own end".into());
        }
        for loss in loading.loader.losses() {
            self.note(sink, Level::Warning, format_args!("{loss}"));
        }
        let Loader { keyspace, stream_db, id, offset, expired, loaded, .. } = loading.loader;
        self.keyspace.replace_with(keyspace);
        self.loaded_keys = loaded;
        self.loaded_expired = expired.len() as u64;
        self.dirty = 0;
        self.saving.last_s = now.wall_ms / 1000;
        if let (Some(id), Some(offset)) = (id, offset) {
            self.continue_history(id, offset, stream_db, &expired, sink);
        }
        let expired = expired.len();
        self.note(
            sink,
            Level::Notice,
            format_args!("Done loading RDB, keys loaded: {loaded}, keys expired: {expired}."),
        );
        Ok(())
    }

    fn load_failed(&mut self) {
        self.loading = None;
        self.refresh_calm();
    }

    /// The file says which history it belongs to. A replica goes on under it; a master starts a new one that shares
    /// the old one up to here, so that its replicas can continue.
    fn continue_history(
        &mut self,
        id: ReplId,
        offset: u64,
        stream_db: usize,
        expired: &[(usize, Vec<u8>)],
        sink: &mut dyn Sink,
    ) {
        self.stream.restart_at(offset);
        self.stream.history.adopted(id);
        // Should it be promoted before it reaches its master, those who are where it is can continue from it.
        self.stream.open();
        if self.config.replicaof.0.is_some() {
            self.stream.set_selected(stream_db);
            return;
        }
        self.stream.history.promoted(offset, &mut self.rng);
        for (db, key) in expired {
            let verb: &[u8] = if self.settings.lazy_expire { b"UNLINK" } else { b"DEL" };
            let mut bytes = Vec::new();
            crate::resp::reply::encode_request(&mut bytes, &[verb, key]);
            self.stream.append(*db, &bytes);
        }
        let current = self.stream.history.id;
        self.note(
            sink,
            Level::Notice,
            format_args!("Setting secondary replication ID to {id}, valid up to offset: {}. New replication ID is {current}", offset + 1),
        );
    }
}
