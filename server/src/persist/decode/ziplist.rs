//! Ziplists and zipmaps: what Redis before 7.0 packed small collections into. Read only.
//!
//! ```text
//! ziplist   total u32, offset of the last entry u32, entries u16, the entries, 0xFF; all little endian
//! entry     length of the entry before: a byte, or 0xFE and u32; then what it is; then its bytes
//! zipmap    pairs, a byte; then of each: length, field, length, unused bytes, value, as many unused bytes; 0xFF
//! ```

use crate::data::hash::Hash;
use crate::data::listpack::{Item, Listpack};
use crate::data::packed::Malformed;
use crate::data::{Kind, Limits};

/// Bytes before the first entry of a ziplist.
const HEADER: usize = 10;
/// The byte behind the last entry.
const END: u8 = 0xff;
/// Stands before a length that does not fit into a byte.
const LONG: u8 = 0xfe;
/// A count that is not known without walking.
const MANY: u16 = u16::MAX;

/// The elements of a ziplist as a listpack, after a look at every byte.
pub(super) fn to_listpack(bytes: &[u8]) -> Result<Listpack, Malformed> {
    let broken = Malformed("a ziplist is broken");
    let (body, end) = bytes.split_last().ok_or(broken).map(|(end, body)| (body, *end))?;
    let header = body.get(..HEADER).ok_or(Malformed("a ziplist is shorter than its header"))?;
    let word = |at: usize| {
        let word = header.get(at..at + 4).and_then(|word| word.first_chunk());
        word.and_then(|word| usize::try_from(u32::from_le_bytes(*word)).ok())
    };
    let count = header.last_chunk().map_or(0, |count| u16::from_le_bytes(*count));
    if word(0) != Some(bytes.len()) || end != END {
        return Err(Malformed("a ziplist's total is not its length"));
    }
    let mut pack = Listpack::with_capacity(bytes.len());
    let (mut rest, mut before, mut last, mut entries) =
        (body.get(HEADER..).unwrap_or_default(), 0, HEADER, 0usize);
    while !rest.is_empty() {
        last = body.len() - rest.len();
        let (said, behind) = length_before(rest).ok_or(broken)?;
        let (item, behind) = entry(behind).ok_or(broken)?;
        if said != before {
            return Err(Malformed("an entry of a ziplist differs from its length"));
        }
        pack.push_back_item(item);
        before = rest.len() - behind.len();
        rest = behind;
        entries += 1;
    }
    if word(4) != Some(last) || count != MANY && usize::from(count) != entries {
        return Err(Malformed("a ziplist's count is not its number of entries"));
    }
    Ok(pack)
}

/// The length of the entry before, and what follows.
fn length_before(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match bytes.split_first()? {
        (&LONG, rest) => {
            let (len, rest) = rest.split_first_chunk()?;
            Some((usize::try_from(u32::from_le_bytes(*len)).ok()?, rest))
        }
        (&END, _) => None,
        (len, rest) => Some((usize::from(*len), rest)),
    }
}

/// An entry behind its first part, and what follows.
fn entry(bytes: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let (len, rest) = match first {
        0..0x40 => (usize::from(first), rest),
        0x40..0x80 => {
            let (low, rest) = rest.split_first()?;
            (usize::from(first & 0x3f) << 8 | usize::from(*low), rest)
        }
        0x80 => {
            let (len, rest) = rest.split_first_chunk()?;
            (usize::try_from(u32::from_be_bytes(*len)).ok()?, rest)
        }
        _ => {
            let (number, rest) = integer(first, rest)?;
            return Some((Item::Int(number), rest));
        }
    };
    // What looks like a number was stored as one, except by a version that did not know its form.
    Some((Item::of(rest.get(..len)?), rest.get(len..)?))
}

fn integer(first: u8, rest: &[u8]) -> Option<(i64, &[u8])> {
    Some(match first {
        0xc0 => rest.split_first_chunk().map(|(n, rest)| (i64::from(i16::from_le_bytes(*n)), rest))?,
        0xd0 => rest.split_first_chunk().map(|(n, rest)| (i64::from(i32::from_le_bytes(*n)), rest))?,
        0xe0 => rest.split_first_chunk().map(|(n, rest)| (i64::from_le_bytes(*n), rest))?,
        0xf0 => {
            let ([a, b, c], rest) = rest.split_first_chunk()?;
            (i64::from(i32::from_le_bytes([0, *a, *b, *c]) >> 8), rest)
        }
        0xfe => rest.split_first_chunk().map(|(n, rest)| (i64::from(i8::from_le_bytes(*n)), rest))?,
        0xf1..=0xfd => (i64::from(first & 0x0f) - 1, rest),
        _ => return None,
    })
}

/// A zipmap as a hash, after a look at every byte.
pub(super) fn zipmap(bytes: &[u8], limits: &Limits) -> Result<Hash, Malformed> {
    let broken = Malformed("a zipmap is broken");
    let (&count, mut rest) = bytes.split_first().ok_or(broken)?;
    let mut hash = Hash::default();
    while rest != [END] {
        let (field, behind) =
            zipmap_length(rest).and_then(|(len, rest)| rest.split_at_checked(len)).ok_or(broken)?;
        let (len, behind) = zipmap_length(behind).ok_or(broken)?;
        let (&unused, behind) = behind.split_first().ok_or(broken)?;
        let (value, behind) = behind.split_at_checked(len).ok_or(broken)?;
        if !hash.set(field, value, limits) {
            return Err(Malformed("a zipmap has a field twice"));
        }
        rest = behind.get(usize::from(unused)..).ok_or(broken)?;
    }
    if count < LONG && usize::from(count) != hash.len() {
        return Err(Malformed("a zipmap's count is not its number of pairs"));
    }
    if hash.is_empty() { Err(Malformed("a zipmap has no pairs")) } else { Ok(hash) }
}

fn zipmap_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    length_before(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ziplist of entries as they stand behind the length of the one before.
    fn ziplist(entries: &[&[u8]]) -> Vec<u8> {
        let (mut body, mut before, mut last) = (Vec::new(), 0usize, HEADER);
        for entry in entries {
            last = HEADER + body.len();
            let start = body.len();
            match u8::try_from(before) {
                Ok(len @ 0..LONG) => body.push(len),
                _ => {
                    body.push(LONG);
                    body.extend(u32::try_from(before).unwrap_or(0).to_le_bytes());
                }
            }
            body.extend_from_slice(entry);
            before = body.len() - start;
        }
        let total = u32::try_from(HEADER + body.len() + 1).unwrap_or(0);
        let count = u16::try_from(entries.len()).unwrap_or(MANY);
        let last = u32::try_from(last).unwrap_or(0);
        [&total.to_le_bytes()[..], &last.to_le_bytes(), &count.to_le_bytes(), &body, &[END]].concat()
    }

    #[test]
    fn every_form_of_an_entry_is_read() {
        let long = [&[0x41, 0x2c][..], &[b'x'; 300]].concat();
        let longer = [&[0x80, 0, 0, 0x40, 0][..], &[b'y'; 0x4000]].concat();
        let entries: [&[u8]; 11] = [
            b"\x05hello",
            &long,
            &longer,
            b"\xc0\xff\xff",
            b"\xd0\x00\x00\x00\x80",
            b"\xe0\xff\xff\xff\xff\xff\xff\xff\x7f",
            b"\xf0\xff\xff\xff",
            b"\xf0\x00\x00\x40",
            b"\xfe\x80",
            b"\xf1",
            b"\xfd",
        ];
        let pack = to_listpack(&ziplist(&entries)).expect("a ziplist");
        let texts: Vec<Vec<u8>> = pack.iter().map(Item::to_vec).collect();
        let numbers = ["-1", "-2147483648", "9223372036854775807", "-1", "4194304", "-128", "0", "12"];
        let mut wanted = vec![b"hello".to_vec(), vec![b'x'; 300], vec![b'y'; 0x4000]];
        wanted.extend(numbers.map(|number| number.as_bytes().to_vec()));
        assert_eq!(texts, wanted);
        assert_eq!(to_listpack(&ziplist(&[])).map(|pack| pack.len()), Ok(0));
    }

    #[test]
    fn a_flipped_or_missing_byte_is_never_a_panic_and_lengths_are_checked() {
        let good = ziplist(&[b"\x05hello", b"\xc0\xff\x00", b"\xf5"]);
        for at in 0..good.len() {
            assert!(to_listpack(&good[..at]).is_err());
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[at] ^= 1 << bit;
                let _ = to_listpack(&bad);
            }
        }
        for (at, byte) in [(0, 1), (4, 1), (8, 9), (HEADER, 1), (HEADER + 7, 5), (good.len() - 1, 0)] {
            let mut bad = good.clone();
            bad[at] = byte;
            assert!(to_listpack(&bad).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_zipmap_is_a_hash() {
        let limits = Limits::default();
        let map = b"\x02\x03foo\x03\x00bar\x05hello\x05\x02world..\xff";
        let hash = zipmap(map, &limits).expect("a zipmap");
        assert_eq!(hash.get(b"foo").map(Item::to_vec), Some(b"bar".to_vec()));
        assert_eq!(hash.get(b"hello").map(Item::to_vec), Some(b"world".to_vec()));
        assert_eq!(hash.len(), 2);
        for bad in [
            &b""[..],
            b"\x00\xff",
            b"\x01\x03foo\x03\x00bar",
            b"\x02\x03foo\x03\x00bar\xff",
            b"\x02\x01a\x01\x00b\x01a\x01\x00b\xff",
            b"\x01\x03foo\x03\x09bar\xff",
        ] {
            assert!(zipmap(bad, &limits).is_err(), "{}", bad.escape_ascii());
        }
    }
}
