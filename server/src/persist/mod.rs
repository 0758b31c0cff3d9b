//! A keyspace as bytes: the RDB format that every Redis-compatible server reads and writes.
//!
//! Pure: bytes in, calls on a [`Load`] out; entries in, bytes out. Files, sockets and their framing belong to others.
//!
//! ```text
//! magic "REDIS" and four digits of version
//! AUX name value                         about the file, about the history it belongs to
//! SELECTDB n, RESIZEDB keys expires      the database of the keys below, and how many to make room for
//! [EXPIRETIME_MS at] type key value      one key, as often as there are keys
//! EOF, CRC-64 of all bytes above         zero: not computed
//! ```
//!
//! Two rules hold everywhere: nothing is allocated ahead of the bytes that fill it, and the decoder holds no more than
//! the one item that has not arrived whole.
//!
//! Reading order: [`format`] (numbers and limits), [`crc64`], [`lzf`], [`encode`], [`read`] (lengths and strings),
//! [`decode`].

pub mod format;
pub mod crc64;
pub mod lzf;
mod put;
mod stream;
mod collection;
pub mod encode;
pub mod read;
pub mod decode;
pub mod dump;

pub use decode::{Decoder, Load, Progress};
pub use encode::{Header, Origin, Writer};
pub use read::{Damage, Why};

#[cfg(test)]
mod tests;
