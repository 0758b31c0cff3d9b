//! Entries to bytes: the writer of an RDB file.
//!
//! Entries may come in any order of databases: a snapshot writes a bucket out before its first change, whichever
//! database is being walked just then. Every change of database is said; loaders accept any number of them.

use super::crc64::Crc64;
use super::format::{self, encoding, kind, opcode};
use super::lzf::Packer;
use crate::keyspace::{Capture, EntryRef, ValueRef};
use crate::resp::number::parse_i64;
use std::any::Any;
use std::sync::Arc;

/// Strings of this many bytes or fewer are never compressed: it could not save four bytes.
const TOO_SHORT_TO_PACK: usize = 20;
/// Bytes that compression must save.
const WORTH_PACKING: usize = 4;
/// The longest text that can be a 32-bit integer.
const LONGEST_INT32: usize = 11;

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
            field("redis-ver", &"7.2.4"),
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
    /// What stands before `out`.
    pieces: Vec<Piece>,
    /// Bytes in `pieces`.
    pieces_len: usize,
    out: Vec<u8>,
    db: Option<usize>,
    checksum: Option<Crc64>,
    packer: Option<Packer>,
    ended: bool,
}

/// A stretch of the file: our own bytes, or a share of a long value that the keyspace holds too.
#[derive(Debug)]
enum Piece {
    Made(Vec<u8>),
    Shared(Arc<Vec<u8>>),
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Made(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

impl Writer {
    /// A writer with the beginning of the file already in its buffer.
    #[must_use]
    pub fn new(header: Header) -> Self {
        let mut writer = Self {
            pieces: Vec::new(),
            pieces_len: 0,
            out: format!("REDIS{:04}", header.version).into_bytes(),
            db: None,
            checksum: header.checksum.then(Crc64::new),
            packer: header.compress.then(Packer::default),
            ended: false,
        };
        for (name, value) in header.aux {
            writer.out.push(opcode::AUX);
            writer.bytes(name.as_bytes());
            writer.bytes(value.as_bytes());
        }
        writer
    }

    /// Database `db` has this many keys, and this many of them have a deadline. Call it once for a database.
    pub fn resize(&mut self, db: usize, keys: usize, expires: usize) {
        self.select(db);
        self.out.push(opcode::RESIZE_DB);
        self.length(keys as u64);
        self.length(expires as u64);
    }

    /// A key of database `db`; `expire` is milliseconds since the Unix epoch.
    pub fn string(&mut self, db: usize, key: &[u8], value: ValueRef<'_>, expire: Option<u64>) {
        self.key(db, key, expire);
        match value {
            ValueRef::Int(n) => self.integer(n),
            ValueRef::Bytes(bytes) => self.bytes(bytes),
            ValueRef::Collection(_) => {}
        }
    }

    /// As [`Writer::string`], for a long value: it is kept by reference until it is taken, unless it is compressed.
    pub fn shared_string(&mut self, db: usize, key: &[u8], value: Arc<Vec<u8>>, expire: Option<u64>) {
        self.key(db, key, expire);
        if value.len() <= TOO_SHORT_TO_PACK || self.packer.is_some() {
            return self.bytes(&value);
        }
        self.length(value.len() as u64);
        let made = std::mem::take(&mut self.out);
        self.pieces_len += made.len() + value.len();
        self.pieces.extend([Piece::Made(made), Piece::Shared(value)]);
    }

    /// Bytes that can be taken.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.pieces_len + self.out.len()
    }

    /// Moves what is buffered to the end of `out`.
    pub fn take(&mut self, out: &mut Vec<u8>) {
        if !self.ended {
            self.sum();
        }
        for piece in self.pieces.drain(..) {
            out.extend_from_slice(piece.bytes());
        }
        self.pieces_len = 0;
        if out.is_empty() {
            std::mem::swap(out, &mut self.out);
        } else {
            out.append(&mut self.out);
        }
    }

    /// Ends the file: its last bytes are buffered, and nothing may be written any more.
    pub fn finish(&mut self) {
        if self.ended {
            return;
        }
        self.out.push(opcode::END);
        self.sum();
        self.ended = true;
        let checksum = self.checksum.as_ref().map_or(0, Crc64::value);
        self.out.extend(checksum.to_le_bytes());
    }

    /// Takes what is buffered into the checksum; it is to be taken, or the file to be ended, right after.
    fn sum(&mut self) {
        if let Some(checksum) = &mut self.checksum {
            self.pieces.iter().for_each(|piece| checksum.update(piece.bytes()));
            checksum.update(&self.out);
        }
    }

    fn key(&mut self, db: usize, key: &[u8], expire: Option<u64>) {
        self.select(db);
        if let Some(at) = expire {
            self.out.push(opcode::EXPIRE_MS);
            self.out.extend(at.to_le_bytes());
        }
        self.out.push(kind::STRING);
        self.bytes(key);
    }

    fn select(&mut self, db: usize) {
        if self.db != Some(db) {
            self.db = Some(db);
            self.out.push(opcode::SELECT_DB);
            self.length(db as u64);
        }
    }

    /// A length: six bits, fourteen, thirty-two or sixty-four, big endian behind the two bits that say which.
    fn length(&mut self, n: u64) {
        if let Ok(n @ 0..64) = u8::try_from(n) {
            self.out.push(n);
        } else if let Ok(n @ 0..0x4000) = u16::try_from(n) {
            self.out.extend((0x4000 | n).to_be_bytes());
        } else if let Ok(n) = u32::try_from(n) {
            self.out.push(0x80);
            self.out.extend(n.to_be_bytes());
        } else {
            self.out.push(0x81);
            self.out.extend(n.to_be_bytes());
        }
    }

    fn integer(&mut self, n: i64) {
        if let Ok(n) = i8::try_from(n) {
            self.out.push(0xC0 | encoding::INT8);
            self.out.extend(n.to_le_bytes());
        } else if let Ok(n) = i16::try_from(n) {
            self.out.push(0xC0 | encoding::INT16);
            self.out.extend(n.to_le_bytes());
        } else if let Ok(n) = i32::try_from(n) {
            self.out.push(0xC0 | encoding::INT32);
            self.out.extend(n.to_le_bytes());
        } else {
            let mut digits = itoa::Buffer::new();
            let digits = digits.format(n).as_bytes();
            self.length(digits.len() as u64);
            self.out.extend_from_slice(digits);
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if bytes.len() <= LONGEST_INT32
            && let Some(n) = parse_i64(bytes).filter(|&n| i32::try_from(n).is_ok())
        {
            return self.integer(n);
        }
        if bytes.len() > TOO_SHORT_TO_PACK && self.packed(bytes) {
            return;
        }
        self.length(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    /// Writes `bytes` compressed; false, with nothing written, when that is off or does not pay.
    fn packed(&mut self, bytes: &[u8]) -> bool {
        let Some(mut packer) = self.packer.take() else { return false };
        let mut packed = Vec::new();
        let pays = packer.pack(bytes, bytes.len() - WORTH_PACKING, &mut packed);
        self.packer = Some(packer);
        if pays {
            self.out.push(0xC0 | encoding::LZF);
            self.length(packed.len() as u64);
            self.length(bytes.len() as u64);
            self.out.extend_from_slice(&packed);
        }
        pays
    }
}

/// What a snapshot is written with. The file is ended, once all is captured, through [`Capture::as_any`] and
/// [`Writer::finish`].
impl Capture for Writer {
    fn begin_db(&mut self, db: usize, keys: usize, expires: usize) {
        self.resize(db, keys, expires);
    }

    fn entry(&mut self, db: usize, entry: EntryRef<'_>) {
        match entry.shared() {
            Some(value) => self.shared_string(db, entry.key(), value, entry.expire()),
            None => self.string(db, entry.key(), entry.value(), entry.expire()),
        }
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
        Self { version: u32::from(format::PLAIN), aux: Vec::new(), checksum: true, compress: false }
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
    fn lengths_take_one_two_five_or_nine_bytes() {
        let cases: [(u64, &[u8]); 6] = [
            (63, b"\x3F"),
            (64, b"\x40\x40"),
            (0x3FFF, b"\x7F\xFF"),
            (0x4000, b"\x80\x00\x00\x40\x00"),
            (0xFFFF_FFFF, b"\x80\xFF\xFF\xFF\xFF"),
            (0x1_0000_0000, b"\x81\x00\x00\x00\x01\x00\x00\x00\x00"),
        ];
        for (n, want) in cases {
            let mut writer = Writer::new(Header::default());
            writer.out.clear();
            writer.length(n);
            assert_eq!(writer.out, want, "{n}");
        }
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
