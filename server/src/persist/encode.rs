//! Entries to bytes: the writer of an RDB file.
//!
//! Entries may come in any order of databases: a snapshot writes a bucket out before its first change, whichever
//! database is being walked just then. Every change of database is said; loaders accept any number of them.
//!
//! What costs little is written at once. A large collection is held as it was, by a clone that shares all of it, and written in
//! slices ([`Writer::settle`]); what comes behind it waits until then.

use super::collection::{Form, Walk};
use super::crc64::Crc64;
use super::format::{self, kind, opcode};
use super::put::Put;
use crate::data::Collection;
use crate::keyspace::{Capture, EntryRef, ValueRef};
use std::any::Any;
use std::collections::VecDeque;
use std::sync::Arc;

/// What a file says before its first key.
#[derive(Debug, Clone)]
pub struct Header {
    /// Version of the format, 1 to 9999 (see [`format::PLAIN`]).
    pub version: u32,
    /// Facts about the file, in order.
    pub aux: Vec<(String, String)>,
    /// Whether the file ends in a checksum; without, it ends in zeroes, which loaders take for "not computed".
    pub checksum: bool,
    /// Whether strings are compressed where it pays.
    pub compress: bool,
    /// Whether a value may be written in a form newer than the version, where the older form would lose part of it: right for
    /// what is to be read by a server of our own kind, and wrong for a peer that may know no newer form.
    pub exact: bool,
}

/// Where a snapshot comes from: what the AUX fields of a replication snapshot or a saved file say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Origin<'a> {
    /// When it was begun, seconds since the Unix epoch.
    pub ctime_s: u64,
    /// Memory in use then, bytes.
    pub used_memory: u64,
    /// The history the snapshot belongs to, if any: replication id, offset, and the database selected in the
    /// stream at that offset.
    pub history: Option<(&'a str, u64, usize)>,
}

impl Origin<'_> {
    /// The fields in the order real servers write them.
    #[must_use]
    pub fn aux(&self) -> Vec<(String, String)> {
        let field = |name: &str, value: &dyn ToString| (name.to_owned(), value.to_string());
        let mut fields = vec![
            field("redis-ver", &format::REDIS_VERSION),
            field("redis-bits", &64),
            field("ctime", &self.ctime_s),
            field("used-mem", &self.used_memory),
        ];
        if let Some((id, offset, db)) = self.history {
            fields.push(field("repl-stream-db", &db));
            fields.push(field("repl-id", &id));
            fields.push(field("repl-offset", &offset));
        }
        fields.push(field("aof-base", &0));
        fields
    }
}

/// Writes a file piece by piece; what is written and not yet taken is buffered.
#[derive(Debug)]
pub struct Writer {
    version: u32,
    exact: bool,
    /// What stands before `put`.
    pieces: VecDeque<Piece>,
    /// How many of the pieces are still to be made.
    unsettled: usize,
    put: Put,
    db: Option<usize>,
    checksum: Option<Crc64>,
    ended: bool,
}

/// A stretch of the file.
#[derive(Debug)]
enum Piece {
    Made(Vec<u8>),
    /// A share of a long value that the keyspace holds too.
    Shared(Arc<Vec<u8>>),
    /// What is left to write of a large collection.
    Later(Box<(Collection, Walk)>),
}

impl Piece {
    /// The bytes, if they are made.
    fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Made(bytes) => Some(bytes),
            Self::Shared(bytes) => Some(bytes),
            Self::Later(_) => None,
        }
    }
}

impl Writer {
    /// A writer with the beginning of the file already in its buffer.
    #[must_use]
    pub fn new(header: Header) -> Self {
        let mut put = Put::new(header.compress);
        put.out.extend(format!("REDIS{:04}", header.version).into_bytes());
        for (name, value) in header.aux {
            put.out.push(opcode::AUX);
            put.bytes(name.as_bytes());
            put.bytes(value.as_bytes());
        }
        Self {
            version: header.version,
            exact: header.exact,
            pieces: VecDeque::new(),
            unsettled: 0,
            put,
            db: None,
            checksum: header.checksum.then(Crc64::new),
            ended: false,
        }
    }

    /// Database `db` has this many keys, and this many of them have a deadline. Call it once for a database.
    pub fn resize(&mut self, db: usize, keys: usize, expires: usize) {
        self.select(db);
        self.put.out.push(opcode::RESIZE_DB);
        self.put.length(keys as u64);
        self.put.length(expires as u64);
    }

    /// A key of database `db`; `expire` is milliseconds since the Unix epoch.
    pub fn string(&mut self, db: usize, key: &[u8], value: ValueRef<'_>, expire: Option<u64>) {
        match value {
            ValueRef::Int(n) => {
                self.key(db, kind::STRING, key, expire);
                self.put.integer(n);
            }
            ValueRef::Bytes(bytes) => {
                self.key(db, kind::STRING, key, expire);
                self.put.bytes(bytes);
            }
            ValueRef::Collection(collection) => self.collection(db, key, collection, expire),
        }
    }

    /// As [`Writer::string`], for a long value: it is kept by reference until it is taken, unless it is compressed.
    pub fn shared_string(&mut self, db: usize, key: &[u8], value: Arc<Vec<u8>>, expire: Option<u64>) {
        self.key(db, kind::STRING, key, expire);
        if self.put.may_pack(value.len()) {
            return self.put.bytes(&value);
        }
        self.put.length(value.len() as u64);
        self.cut();
        self.pieces.push_back(Piece::Shared(value));
    }

    /// A key that holds a collection, which is written at once.
    pub fn collection(&mut self, db: usize, key: &[u8], collection: &Collection, expire: Option<u64>) {
        let form = Form::of(collection, self.version, self.exact);
        self.key(db, form.kind(), key, expire);
        Walk::new(form).step(collection, &mut self.put, usize::MAX);
    }

    /// As [`Writer::collection`], for a large one: it is written when [`Writer::settle`] comes to it.
    pub fn collection_later(&mut self, db: usize, key: &[u8], collection: Collection, expire: Option<u64>) {
        let form = Form::of(&collection, self.version, self.exact);
        self.key(db, form.kind(), key, expire);
        self.cut();
        self.pieces.push_back(Piece::Later(Box::new((collection, Walk::new(form)))));
        self.unsettled += 1;
    }

    /// Writes about `budget` bytes of what was left for later; gives how many.
    pub fn settle(&mut self, budget: usize) -> usize {
        let mut written = 0;
        while written < budget && self.unsettled > 0 {
            let Some(at) = self.pieces.iter().position(|piece| piece.bytes().is_none()) else { break };
            let Some(Piece::Later(later)) = self.pieces.get_mut(at) else { break };
            let (collection, walk) = &mut **later;
            let mut slice = Put { out: Vec::new(), packer: self.put.packer.take() };
            let whole = walk.step(collection, &mut slice, budget - written);
            self.put.packer = slice.packer;
            written += slice.out.len();
            if whole {
                self.unsettled -= 1;
                self.pieces.remove(at);
            }
            self.pieces.insert(at, Piece::Made(slice.out));
        }
        written
    }

    /// Bytes that can be taken.
    #[must_use]
    pub fn buffered(&self) -> usize {
        let made: usize = self.pieces.iter().map_while(|piece| Some(piece.bytes()?.len())).sum();
        made + if self.unsettled == 0 { self.put.out.len() } else { 0 }
    }

    /// Moves what is buffered, up to what is left for later, to the end of `out`.
    pub fn take(&mut self, out: &mut Vec<u8>) {
        while let Some(bytes) = self.pieces.front().map(Piece::bytes) {
            let Some(bytes) = bytes else { return };
            if !self.ended
                && let Some(checksum) = &mut self.checksum
            {
                checksum.update(bytes);
            }
            out.extend_from_slice(bytes);
            self.pieces.pop_front();
        }
        if !self.ended
            && let Some(checksum) = &mut self.checksum
        {
            checksum.update(&self.put.out);
        }
        if out.is_empty() {
            std::mem::swap(out, &mut self.put.out);
        } else {
            out.append(&mut self.put.out);
        }
    }

    /// Ends the file: its last bytes are buffered, and nothing may be written any more. What was left for later is written now.
    pub fn finish(&mut self) {
        if self.ended {
            return;
        }
        self.settle(usize::MAX);
        self.put.out.push(opcode::END);
        if let Some(checksum) = &mut self.checksum {
            self.pieces.iter().filter_map(Piece::bytes).for_each(|bytes| checksum.update(bytes));
            checksum.update(&self.put.out);
        }
        self.ended = true;
        let checksum = self.checksum.as_ref().map_or(0, Crc64::value);
        self.put.out.extend(checksum.to_le_bytes());
    }

    /// Makes what was written so far a piece, so that another may follow.
    fn cut(&mut self) {
        let made = std::mem::take(&mut self.put.out);
        self.pieces.push_back(Piece::Made(made));
    }

    fn key(&mut self, db: usize, kind: u8, key: &[u8], expire: Option<u64>) {
        self.select(db);
        if let Some(at) = expire {
            self.put.out.push(opcode::EXPIRE_MS);
            self.put.out.extend(at.to_le_bytes());
        }
        self.put.out.push(kind);
        self.put.bytes(key);
    }

    fn select(&mut self, db: usize) {
        if self.db != Some(db) {
            self.db = Some(db);
            self.put.out.push(opcode::SELECT_DB);
            self.put.length(db as u64);
        }
    }
}

/// What a snapshot is written with. The file is ended, once all is captured, through [`Capture::as_any`] and
/// [`Writer::finish`].
impl Capture for Writer {
    fn begin_db(&mut self, db: usize, keys: usize, expires: usize) {
        self.resize(db, keys, expires);
    }

    fn entry(&mut self, db: usize, entry: EntryRef<'_>) {
        let (key, expire) = (entry.key(), entry.expire());
        if let Some(collection) = entry.shared_collection() {
            self.collection_later(db, key, collection, expire);
        } else if let Some(value) = entry.shared() {
            self.shared_string(db, key, value, expire);
        } else if let ValueRef::Collection(collection) = entry.value() {
            self.collection(db, key, collection, expire);
        } else {
            self.string(db, key, entry.value(), expire);
        }
    }

    fn settle(&mut self, budget: usize) -> usize {
        Writer::settle(self, budget)
    }

    fn is_settled(&self) -> bool {
        self.unsettled == 0
    }

    fn buffered(&self) -> usize {
        Writer::buffered(self)
    }

    fn take(&mut self, out: &mut Vec<u8>) {
        Writer::take(self, out);
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

impl Default for Header {
    /// A plain file for everybody: version 9, no facts, with checksum, not compressed.
    fn default() -> Self {
        Self {
            version: u32::from(format::PLAIN),
            aux: Vec::new(),
            checksum: true,
            compress: false,
            exact: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(header: &Header, write: impl Fn(&mut Writer)) -> Vec<u8> {
        let mut writer = Writer::new(header.clone());
        write(&mut writer);
        let mut out = Vec::new();
        writer.finish();
        writer.take(&mut out);
        out
    }

    #[test]
    fn the_smallest_file_is_the_25_bytes_that_real_replicas_load() {
        let bare = Header { checksum: false, ..Header::default() };
        let file = written(&bare, |writer| writer.string(0, b"k", ValueRef::Bytes(b"v"), None));
        assert_eq!(file, b"REDIS0009\xFE\x00\x00\x01k\x01v\xFF\0\0\0\0\0\0\0\0");
    }

    #[test]
    fn integers_are_stored_in_the_fewest_bytes_and_deadlines_before_the_key() {
        let bare = Header { checksum: false, ..Header::default() };
        let file = written(&bare, |writer| {
            writer.resize(0, 4, 1);
            writer.string(0, b"-1", ValueRef::Int(-1), Some(0x0102));
            writer.string(0, b"a", ValueRef::Int(-129), None);
            writer.string(1, b"a", ValueRef::Bytes(b"2147483647"), None);
            writer.string(0, b"a", ValueRef::Int(2_147_483_648), None);
            writer.string(0, b"a", ValueRef::Bytes(b"007"), None);
        });
        let mut want = b"REDIS0009\xFE\x00\xFB\x04\x01".to_vec();
        want.extend(b"\xFC\x02\x01\0\0\0\0\0\0\x00\xC0\xFF\xC0\xFF");
        want.extend(b"\x00\x01a\xC1\x7F\xFF");
        want.extend(b"\xFE\x01\x00\x01a\xC2\xFF\xFF\xFF\x7F");
        want.extend(b"\xFE\x00\x00\x01a\x0A2147483648");
        want.extend(b"\x00\x01a\x03007");
        want.extend(b"\xFF\0\0\0\0\0\0\0\0");
        assert_eq!(file, want);
    }

    #[test]
    fn the_checksum_covers_every_byte_however_they_were_taken() {
        let origin = Origin { ctime_s: 7, used_memory: 8, history: Some(("abc", 9, 0)) };
        let header = Header { aux: origin.aux(), ..Header::default() };
        let whole = written(&header, |writer| writer.string(0, b"k", ValueRef::Bytes(b"v"), None));
        let mut writer = Writer::new(header.clone());
        let mut pieces = Vec::new();
        writer.take(&mut pieces);
        writer.string(0, b"k", ValueRef::Bytes(b"v"), None);
        writer.take(&mut pieces);
        assert_eq!(writer.buffered(), 0);
        writer.finish();
        writer.finish();
        writer.take(&mut pieces);
        assert_eq!(pieces, whole);
        assert_eq!(writer.buffered(), 0);
        let (body, trailer) = whole.split_at(whole.len() - 8);
        let mut crc = Crc64::new();
        crc.update(body);
        assert_eq!(trailer, crc.value().to_le_bytes());
    }

    #[test]
    fn a_value_kept_by_reference_is_written_like_any_other() {
        for compress in [false, true] {
            let header = Header { compress, ..Header::default() };
            let value = Arc::new(b"long ".repeat(20_000));
            let whole = written(&header, |writer| {
                writer.string(0, b"k", ValueRef::Bytes(&value), Some(5));
                writer.string(0, b"l", ValueRef::Int(1), None);
            });
            let shared = written(&header, |writer| {
                writer.shared_string(0, b"k", Arc::clone(&value), Some(5));
                assert_eq!(Arc::strong_count(&value), if compress { 1 } else { 2 });
                writer.string(0, b"l", ValueRef::Int(1), None);
            });
            assert_eq!(shared, whole);
        }
    }
}
