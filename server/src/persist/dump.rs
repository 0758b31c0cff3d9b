//! One value as bytes: what DUMP gives and RESTORE takes.
//!
//! ```text
//! type, value   as in a file
//! version u16   of the format, little endian
//! CRC-64 of all bytes above, little endian
//! ```

use super::collection::{Form, Walk};
use super::crc64::Crc64;
use super::decode::{Builder, Scratch};
use super::format::{self, kind};
use super::put::Put;
use super::read::{Cursor, Stop, Text};
use crate::data::{Collection, Limits};
use crate::keyspace::ValueRef;

/// Bytes behind the value.
const FOOTER: usize = 2 + format::CHECKSUM_LEN;

/// A value that was read.
#[derive(Debug, Clone)]
pub enum Restored {
    /// A string stored as an integer.
    Int(i64),
    /// A string.
    Bytes(Vec<u8>),
    /// No string.
    Collection(Collection),
}

/// Why a payload is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// It is of a version we do not read, or its checksum is another one than that of its bytes.
    Envelope,
    /// Its value breaks the format, or is none that we can hold.
    Value,
}

/// A value as a payload that every server from Redis 5 on takes, but for a stream that the oldest form would lose part of.
#[must_use]
pub fn dump(value: ValueRef<'_>) -> Vec<u8> {
    let mut put = Put::new(true);
    match value {
        ValueRef::Int(number) => {
            put.out.push(kind::STRING);
            put.integer(number);
        }
        ValueRef::Bytes(text) => {
            put.out.push(kind::STRING);
            put.bytes(text);
        }
        ValueRef::Collection(collection) => {
            let form = Form::of(collection, u32::from(format::PLAIN), true);
            put.out.push(form.kind());
            Walk::new(form).step(collection, &mut put, usize::MAX);
        }
    }
    let mut payload = put.out;
    payload.extend(format::PLAIN.to_le_bytes());
    let checksum = checksum(&payload);
    payload.extend(checksum.to_le_bytes());
    payload
}

/// The value of a payload; collections are made with these settings.
///
/// # Errors
/// It is no payload, or we cannot hold what it holds.
pub fn restore(payload: &[u8], limits: &Limits) -> Result<Restored, Unfit> {
    let (signed, sum) = payload.split_last_chunk().ok_or(Unfit::Envelope)?;
    let (body, version) = signed.split_last_chunk().ok_or(Unfit::Envelope)?;
    if u16::from_le_bytes(*version) > format::NEWEST || u64::from_le_bytes(*sum) != checksum(signed) {
        return Err(Unfit::Envelope);
    }
    debug_assert_eq!(payload.len() - body.len(), FOOTER);
    let mut cursor = Cursor::new(body);
    let value = value(&mut cursor, limits).map_err(|_| Unfit::Value)?;
    let nothing = matches!(&value, Restored::Collection(collection) if collection.is_nothing());
    if nothing || cursor.at() != body.len() { Err(Unfit::Value) } else { Ok(value) }
}

fn value(cursor: &mut Cursor<'_>, limits: &Limits) -> Result<Restored, Stop> {
    let mut scratch = Scratch::default();
    let kind = cursor.byte()?;
    if kind == kind::STRING {
        return Ok(match cursor.text()? {
            Text::Int(number) => Restored::Int(number),
            text => Restored::Bytes(text.bytes(&mut Vec::new())?.to_vec()),
        });
    }
    let unknown = Stop::Wrong(super::read::Why::UnknownType(kind));
    let mut builder = Builder::new(kind, *limits).ok_or(unknown)?;
    loop {
        if let Some(collection) = builder.next(cursor, &mut scratch)? {
            return Ok(Restored::Collection(collection));
        }
    }
}

fn checksum(bytes: &[u8]) -> u64 {
    let mut checksum = Crc64::new();
    checksum.update(bytes);
    checksum.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_with_a_wrong_byte_or_a_missing_one_is_refused() {
        let good = dump(ValueRef::Bytes(&b"value ".repeat(9)));
        assert!(
            matches!(restore(&good, &Limits::default()), Ok(Restored::Bytes(text)) if text == b"value ".repeat(9))
        );
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            assert_eq!(restore(&bad, &Limits::default()).map(|_| ()), Err(Unfit::Envelope));
            assert!(restore(&good[..at], &Limits::default()).is_err());
        }
    }

    #[test]
    fn a_payload_of_nonsense_with_a_right_checksum_is_refused() {
        for body in [
            &b"\x01\x00"[..],
            b"\x02\x02\x01a\x01a",
            b"\x63\x00",
            b"\x16\x00",
            b"\x00\x01ab",
            b"\x01\x05\x01a",
            b"\x00",
        ] {
            let mut payload = [body, &[9, 0]].concat();
            payload.extend(checksum(&payload).to_le_bytes());
            assert_eq!(restore(&payload, &Limits::default()).map(|_| ()), Err(Unfit::Value), "{body:?}");
        }
        let mut newer = b"\x00\x01a\x0d\x00".to_vec();
        newer.extend(checksum(&newer).to_le_bytes());
        assert_eq!(restore(&newer, &Limits::default()).map(|_| ()), Err(Unfit::Envelope));
    }
}
