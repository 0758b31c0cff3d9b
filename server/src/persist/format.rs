//! The numbers of the RDB format, and our limits on what a file may claim.
//!
//! Source of the numbers: the format as redis-server 7.0 and later write and read it.

/// The Redis version this server presents itself as, in its files too.
pub const REDIS_VERSION: &str = "7.2.4";
/// First bytes of a file; four decimal digits of version follow.
pub const MAGIC: &[u8] = b"REDIS";
/// Bytes of magic and version together.
pub const HEADER_LEN: usize = 9;
/// The newest version we read: that of Redis 7.4.
pub const NEWEST: u16 = 12;
/// The version we write unless told otherwise: Redis 5 to 8 and every Valkey read it.
pub const PLAIN: u16 = 9;
/// The first version that ends in a checksum.
pub const FIRST_WITH_CHECKSUM: u16 = 5;
/// Bytes of the checksum.
pub const CHECKSUM_LEN: usize = 8;
/// Longest string, before or after compression, in bytes: `proto-max-bulk-len` of a server that nobody tuned.
pub const MAX_STRING: u64 = 512 << 20;

/// What may stand where a value's type is expected.
pub mod opcode {
    /// Slots of a cluster: three lengths; a hint we do not need.
    pub const SLOT_INFO: u8 = 0xF4;
    /// A library of functions: one string.
    pub const FUNCTION: u8 = 0xF5;
    /// The form of a library before its format was final; no release reads it.
    pub const FUNCTION_EARLY: u8 = 0xF6;
    /// Data of a module that belongs to no key.
    pub const MODULE_AUX: u8 = 0xF7;
    /// Seconds the next key was not used: a length.
    pub const IDLE: u8 = 0xF8;
    /// How often the next key is used: a byte.
    pub const FREQ: u8 = 0xF9;
    /// A fact about the file: name and value.
    pub const AUX: u8 = 0xFA;
    /// How many keys and deadlines the selected database has: two lengths.
    pub const RESIZE_DB: u8 = 0xFB;
    /// Deadline of the next key: 8 bytes, milliseconds since the Unix epoch.
    pub const EXPIRE_MS: u8 = 0xFC;
    /// Deadline of the next key: 4 bytes, seconds since the Unix epoch.
    pub const EXPIRE_S: u8 = 0xFD;
    /// The database of the keys that follow: a length.
    pub const SELECT_DB: u8 = 0xFE;
    /// The end; the checksum follows.
    pub const END: u8 = 0xFF;
}

/// Types of a value.
pub mod kind {
    /// A string.
    pub const STRING: u8 = 0;
    /// A list: its length and elements.
    pub const LIST: u8 = 1;
    /// A set: its length and members.
    pub const SET: u8 = 2;
    /// A sorted set whose scores are text, as Redis before 4.0 has it.
    pub const ZSET_TEXT: u8 = 3;
    /// A hash: its length, fields and values.
    pub const HASH: u8 = 4;
    /// A sorted set: its length, members and scores, which are doubles.
    pub const ZSET: u8 = 5;
    /// A hash as a zipmap.
    pub const HASH_ZIPMAP: u8 = 9;
    /// A list as a ziplist.
    pub const LIST_ZIPLIST: u8 = 10;
    /// A set as an intset.
    pub const SET_INTSET: u8 = 11;
    /// A sorted set as a ziplist.
    pub const ZSET_ZIPLIST: u8 = 12;
    /// A hash as a ziplist.
    pub const HASH_ZIPLIST: u8 = 13;
    /// A list as a row of ziplists.
    pub const LIST_ZIPLISTS: u8 = 14;
    /// A stream as Redis 5 has it.
    pub const STREAM_1: u8 = 15;
    /// A hash as a listpack (version 10).
    pub const HASH_LISTPACK: u8 = 16;
    /// A sorted set as a listpack (version 10).
    pub const ZSET_LISTPACK: u8 = 17;
    /// A list as a row of nodes, each a listpack or one long element (version 10).
    pub const LIST_NODES: u8 = 18;
    /// A stream that knows how many entries were added and read (version 10).
    pub const STREAM_2: u8 = 19;
    /// A set as a listpack (version 11).
    pub const SET_LISTPACK: u8 = 20;
    /// A stream that knows when its consumers were last given something (version 11).
    pub const STREAM_3: u8 = 21;
}

/// What a node of [`kind::LIST_NODES`] is.
pub mod node {
    /// One element.
    pub const PLAIN: u64 = 1;
    /// A listpack.
    pub const PACKED: u64 = 2;
}

/// The version from which on most small collections are written as listpacks.
pub const LISTPACKS: u32 = 10;
/// The version from which on small sets are too.
pub const SET_LISTPACKS: u32 = 11;
/// What stands in place of how many entries a group has read when that is not known.
pub const READ_UNKNOWN: u64 = u64::MAX;

/// How strings are stored other than byte by byte, said in the low bits of a length byte `11……`.
pub mod encoding {
    /// A signed byte.
    pub const INT8: u8 = 0;
    /// Two bytes, little endian, signed.
    pub const INT16: u8 = 1;
    /// Four bytes, little endian, signed.
    pub const INT32: u8 = 2;
    /// Packed and unpacked length, then LZF.
    pub const LZF: u8 = 3;
}

/// The parts of [`opcode::MODULE_AUX`].
pub mod module {
    /// No further parts.
    pub const END: u64 = 0;
    /// A signed integer, stored as a length.
    pub const SIGNED: u64 = 1;
    /// An unsigned integer, stored as a length.
    pub const UNSIGNED: u64 = 2;
    /// Four bytes.
    pub const FLOAT: u64 = 3;
    /// Eight bytes.
    pub const DOUBLE: u64 = 4;
    /// A string.
    pub const STRING: u64 = 5;
}
