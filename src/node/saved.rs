//! What a data directory would give back after a start: read from the head of the snapshot file, without loading it.
//!
//! Only the first bytes are looked at: the auxiliary fields (`repl-id`, `repl-offset`) and whether a database
//! follows. The format is RDB's: a 9-byte magic, then opcodes; `0xFA` is an auxiliary field, `0xFE` selects a
//! database, `0xFF` ends the file.

use std::io::Read;
use std::path::Path;

/// How much of a snapshot is read.
const HEAD: u64 = 4096;

/// What would be there after a start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Saved {
    /// Holds at least one key.
    pub data: bool,
    /// The history it belongs to, where the file says so.
    pub replid: Option<String>,
    /// The offset in that history.
    pub offset: Option<u64>,
    /// An append-only file is there: a crash of the process loses nothing that was acknowledged.
    pub append_only: bool,
}

impl Saved {
    /// Looks into a data directory. Whatever cannot be read counts as nothing saved.
    #[must_use]
    pub fn look(data_dir: &Path, dbfilename: &str) -> Self {
        let mut saved = std::fs::File::open(data_dir.join(dbfilename))
            .and_then(|file| {
                let mut head = Vec::new();
                file.take(HEAD).read_to_end(&mut head)?;
                Ok(Self::parse(&head))
            })
            .unwrap_or_default();
        saved.append_only =
            std::fs::read_dir(data_dir.join("appendonlydir")).is_ok_and(|mut dir| dir.next().is_some());
        saved
    }

    /// Reads the head of a snapshot. What is no snapshot is nothing saved.
    #[must_use]
    pub fn parse(head: &[u8]) -> Self {
        let mut saved = Self::default();
        let Some(mut rest) = head.strip_prefix(b"REDIS").and_then(|rest| rest.get(4..)) else { return saved };
        while let Some((&opcode, after)) = rest.split_first() {
            rest = after;
            match opcode {
                0xfa => {
                    let Some(key) = text(&mut rest) else { return saved };
                    let Some(value) = text(&mut rest) else { return saved };
                    match key.as_slice() {
                        b"repl-id" => saved.replid = String::from_utf8(value).ok(),
                        b"repl-offset" => {
                            saved.offset = String::from_utf8(value).ok().and_then(|value| value.parse().ok());
                        }
                        _ => {}
                    }
                }
                0xff => return saved,
                _ => {
                    saved.data = true;
                    return saved;
                }
            }
        }
        saved
    }
}

/// One string of the format, integers as their digits; `None` where the head ends or is something else.
fn text(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let mut take = |count: usize| {
        let (taken, after) = rest.split_at_checked(count)?;
        *rest = after;
        Some(taken)
    };
    let first = *take(1)?.first()?;
    let length = match first >> 6 {
        0 => usize::from(first & 0x3f),
        1 => usize::from(first & 0x3f) << 8 | usize::from(*take(1)?.first()?),
        3 => {
            return match first & 0x3f {
                0 => Some(i8::from_le_bytes(take(1)?.try_into().ok()?).to_string().into_bytes()),
                1 => Some(i16::from_le_bytes(take(2)?.try_into().ok()?).to_string().into_bytes()),
                2 => Some(i32::from_le_bytes(take(4)?.try_into().ok()?).to_string().into_bytes()),
                _ => None,
            };
        }
        _ => usize::try_from(u32::from_be_bytes(take(4)?.try_into().ok()?)).ok()?,
    };
    take(length).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A head as redis-server 7.0 writes it: a version, a small integer, the history, then `tail`.
    fn head(tail: &[u8]) -> Vec<u8> {
        let mut bytes = b"REDIS0010".to_vec();
        bytes.extend(b"\xfa\x09redis-ver\x067.0.15\xfa\x0aredis-bits\xc0\x40");
        bytes.extend(b"\xfa\x07repl-id\x28");
        bytes.extend([b'a'; 40]);
        bytes.extend(b"\xfa\x0brepl-offset\xc1\xe8\x03");
        bytes.extend(tail);
        bytes
    }

    #[test]
    fn the_history_and_the_offset_of_a_snapshot_are_read_from_its_head() {
        let saved = Saved::parse(&head(b"\xfe\x00\xfb\x01\x00"));
        assert_eq!(
            saved,
            Saved { data: true, replid: Some("a".repeat(40)), offset: Some(1000), append_only: false }
        );
        assert!(!Saved::parse(&head(b"\xff12345678")).data, "a snapshot without keys is empty");
    }

    #[test]
    fn no_bytes_and_no_truncation_of_them_can_hurt() {
        let whole = head(b"\xfe\x00");
        for end in 0..whole.len() {
            let _ = Saved::parse(&whole[..end]);
        }
        for byte in 0..=255u8 {
            let _ =
                Saved::parse(&[b"REDIS0010\xfa".as_slice(), &[byte, byte, byte, byte, byte, byte]].concat());
        }
        assert_eq!(Saved::parse(b"not a snapshot"), Saved::default());
    }
}
