//! From the words of a request to a row of the table, or to the error a client sees.
//!
//! The index is built by the compiler: an open-addressed array, at least twice as large as the table. Each slot holds the
//! name's length and its first and last eight bytes with the case bit set, so a lookup is one hash, and mostly one
//! comparison of two words; nothing is copied and nothing is allocated.

use super::error::{self, Failure};
use super::spec::{Begin, Command, Find, KeySpec, NOT_KEY};
use super::table::TABLE;
use crate::resp::Args;
use crate::resp::number::parse_i64;

/// The row of a command, whatever the case of its name.
#[must_use]
#[inline]
pub fn lookup(name: &[u8]) -> Option<&'static Command> {
    let wanted = Packed::of(name);
    let mut at = wanted.hash();
    loop {
        let slot = &INDEX[at];
        // The number of an empty slot lies past the last row and ends the search.
        let command = TABLE.get(usize::from(slot.row))?;
        if slot.name.same(wanted) && (slot.plain || command.name.as_bytes().eq_ignore_ascii_case(name)) {
            return Some(command);
        }
        at = (at + 1) % SLOTS;
    }
}

/// The row of a subcommand, whatever the case of its word.
#[must_use]
pub fn lookup_sub(container: &Command, word: &[u8]) -> Option<&'static Command> {
    container.subcommands.iter().find(|sub| sub.word().as_bytes().eq_ignore_ascii_case(word))
}

/// The row a request means, containers resolved; says nothing about its arity.
#[must_use]
#[inline]
pub fn resolve(args: Args<'_>) -> Option<&'static Command> {
    let command = lookup(args.get(0))?;
    if command.subcommands.is_empty() || args.len() < 2 {
        return Some(command);
    }
    lookup_sub(command, args.get(1))
}

/// The row a request means, with its number of arguments checked.
///
/// # Errors
/// The text for an unknown command or subcommand, or for the wrong number of arguments.
#[inline]
pub fn find(args: Args<'_>) -> Result<&'static Command, Failure> {
    match resolve(args) {
        Some(command) if command.takes(args.len()) => Ok(command),
        other => Err(refusal(other, args)),
    }
}

/// Why `args` is no command; `found` is the row of the right name, if there is one.
#[cold]
fn refusal(found: Option<&'static Command>, args: Args<'_>) -> Failure {
    // DEBUG words both mistakes alike: to Redis its subcommands are arguments.
    match (found, lookup(args.get(0))) {
        (found, Some(container))
            if container.name == "debug" && found.is_none_or(|row| row.name != "debug") =>
        {
            error::unknown_or_wrong(args.get(1), container.name)
        }
        (Some(command), _) => error::wrong_arity(command.name),
        (None, Some(container)) => error::unknown_subcommand(args.get(1), container.name),
        (None, None) => error::unknown_command(args),
    }
}

/// The positions of the keys of a request, as its row has them.
#[must_use]
pub fn keys_of<'a>(command: &'static Command, args: Args<'a>) -> KeyPositions<'a> {
    KeyPositions { specs: command.keys, args, span: None }
}

/// Iterates over positions of keys; see [`keys_of`].
#[derive(Debug, Clone)]
pub struct KeyPositions<'a> {
    specs: &'static [KeySpec],
    args: Args<'a>,
    /// What is left of the keys of `specs[0]`.
    span: Option<Span>,
}

/// Keys of one specification: the next position, the last one, the distance between two.
#[derive(Debug, Clone, Copy)]
struct Span {
    next: usize,
    last: usize,
    step: usize,
}

impl KeyPositions<'_> {
    /// The next position, with what happens to that key.
    pub fn next_with_access(&mut self) -> Option<(usize, &'static str)> {
        loop {
            let spec = self.specs.first()?;
            if spec.access == NOT_KEY {
                self.specs = self.specs.get(1..).unwrap_or_default();
                continue;
            }
            let span = self.span.take().or_else(|| span(spec, self.args));
            match span {
                Some(Span { next, last, step }) if next <= last && next < self.args.len() => {
                    self.span = Some(Span { next: next.saturating_add(step), last, step });
                    return Some((next, spec.access));
                }
                _ => self.specs = self.specs.get(1..).unwrap_or_default(),
            }
        }
    }
}

impl Iterator for KeyPositions<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.next_with_access().map(|(position, _)| position)
    }
}

/// The keys of `spec` in a request; `None` when there are none.
fn span(spec: &KeySpec, args: Args<'_>) -> Option<Span> {
    let count = args.len();
    let begin = match spec.begin {
        Begin::Index(index) => usize::from(index.unsigned_abs()),
        Begin::Keyword(word, from) => {
            let is_word = |&at: &usize| args.get(at).eq_ignore_ascii_case(word.as_bytes());
            let from_end = count.saturating_sub(usize::from(from.unsigned_abs()));
            let found = match from {
                0.. => (usize::from(from.unsigned_abs())..count).find(is_word),
                _ => (1..=from_end).rev().find(is_word),
            };
            found? + 1
        }
        Begin::Unknown("") => return None,
        Begin::Unknown(word) => {
            let is_word = |&at: &usize| args.get(at).eq_ignore_ascii_case(word.as_bytes());
            (2..count.saturating_sub(1)).rev().find(is_word)? + 1
        }
    };
    match spec.find {
        Find::Unknown => Some(Span { next: begin, last: begin, step: 1 }),
        Find::Range { last, step, limit } => {
            let distance = usize::from(last.unsigned_abs());
            let last = match (last, limit) {
                (-1, 2..) => {
                    begin
                        + (count.saturating_sub(begin) / usize::from(limit.unsigned_abs())).checked_sub(1)?
                }
                (0.., _) => begin + distance,
                _ => count.saturating_sub(distance),
            };
            Some(Span { next: begin, last, step: usize::from(step.unsigned_abs()).max(1) })
        }
        Find::Count { at, first } => {
            let number = begin + usize::from(at.unsigned_abs());
            if number >= count {
                return None;
            }
            let keys = usize::try_from(parse_i64(args.get(number))?).ok()?;
            let first = begin + usize::from(first.unsigned_abs());
            Some(Span { next: first, last: first.saturating_add(keys.checked_sub(1)?), step: 1 })
        }
    }
}

/// At least twice the rows, and a power of two.
const SLOTS: usize = 1024;
const EMPTY: Slot = Slot { name: Packed { head: 0, tail: 0, len: 0 }, row: u16::MAX, plain: false };
static INDEX: [Slot; SLOTS] = index();

/// One name in the index.
#[derive(Clone, Copy)]
struct Slot {
    name: Packed,
    row: u16,
    /// Letters only, and no more than the packed words hold: equal words are then equal names.
    plain: bool,
}

const fn index() -> [Slot; SLOTS] {
    assert!(TABLE.len() * 2 <= SLOTS, "double SLOTS");
    let mut index = [EMPTY; SLOTS];
    let mut row: u16 = 0;
    while (row as usize) < TABLE.len() {
        let text = TABLE[row as usize].name.as_bytes();
        let name = Packed::of(text);
        let mut at = name.hash();
        while index[at].row != EMPTY.row {
            at = (at + 1) % SLOTS;
        }
        index[at] = Slot { name, row, plain: text.len() <= 16 && all_letters(text) };
        row += 1;
    }
    index
}

const fn all_letters(text: &[u8]) -> bool {
    let mut at = 0;
    while at < text.len() {
        if !text[at].is_ascii_lowercase() {
            return false;
        }
        at += 1;
    }
    true
}

/// A name's length and its first and last eight bytes, with the bit set that tells small letters from capitals. Shorter names
/// are covered by smaller words that overlap.
#[derive(Clone, Copy)]
struct Packed {
    head: u64,
    tail: u64,
    len: u64,
}

impl Packed {
    #[inline]
    const fn of(name: &[u8]) -> Self {
        const CASE: u64 = 0x2020_2020_2020_2020;
        let (head, tail) = match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
            (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
            _ => match (name.first_chunk::<4>(), name.last_chunk::<4>()) {
                (Some(head), Some(tail)) => {
                    (u32::from_le_bytes(*head) as u64, u32::from_le_bytes(*tail) as u64)
                }
                _ => match *name {
                    [a, b, c] => (a as u64, ((b as u64) << 8) | c as u64),
                    [a, b] => (a as u64, b as u64),
                    [a] => (a as u64, 0),
                    _ => (0, 0),
                },
            },
        };
        Self { head: head | CASE, tail: tail | CASE, len: name.len() as u64 }
    }

    #[inline]
    const fn same(self, other: Self) -> bool {
        self.head == other.head && self.tail == other.tail && self.len == other.len
    }

    /// A slot, the same for every case of the letters.
    #[inline]
    const fn hash(self) -> usize {
        let mixed = self.head.wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ self.tail.wrapping_mul(0xc2b2_ae3d_27d4_eb4f).rotate_left(32)
            ^ self.len;
        (mixed.wrapping_mul(0xd6e8_feb8_6659_fd93) >> 48) as usize % SLOTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::request::OwnedArgs;

    fn refused(words: &[&[u8]]) -> String {
        match find(OwnedArgs::from_slices(words).args()) {
            Ok(command) => panic!("found {}", command.name),
            Err(failure) => {
                let mut reply = crate::resp::Reply::default();
                reply.error_bytes(failure.bytes());
                let line = reply.into_inner();
                String::from_utf8_lossy(&line[1..line.len() - 2]).into_owned()
            }
        }
    }

    #[test]
    fn every_row_is_found_by_its_name_in_any_case() {
        for command in TABLE {
            let upper = command.name.to_ascii_uppercase();
            let mixed: String = (0..)
                .zip(command.name.chars())
                .map(|(i, c)| if i % 2 == 0 { c.to_ascii_uppercase() } else { c })
                .collect();
            for name in [command.name, &upper, &mixed] {
                assert_eq!(lookup(name.as_bytes()).map(|found| found.name), Some(command.name));
            }
            for sub in command.subcommands {
                let word = sub.word().to_ascii_uppercase();
                assert_eq!(lookup_sub(command, word.as_bytes()).map(|found| found.name), Some(sub.name));
            }
        }
    }

    #[test]
    fn what_is_no_name_is_not_found() {
        let names: [&[u8]; 8] = [b"", b"g", b"ge", b"gett", b"\x07et", b"PIN\x07", b"get\0", b"host\x1a"];
        for name in names {
            assert!(lookup(name).is_none(), "{name:?}");
        }
        assert!(lookup(&[b'a'; 4096]).is_none());
    }

    #[test]
    fn refusals_are_worded_as_redis_words_them() {
        assert_eq!(
            refused(&[b"foo", b"a", b"b"]),
            "ERR unknown command 'foo', with args beginning with: 'a' 'b' "
        );
        assert_eq!(refused(&[b"foo"]), "ERR unknown command 'foo', with args beginning with: ");
        assert_eq!(refused(&[b"CONFIG", b"x"]), "ERR unknown subcommand 'x'. Try CONFIG HELP.");
        assert_eq!(refused(&[b"CONFIG"]), "ERR wrong number of arguments for 'config' command");
        assert_eq!(refused(&[b"config", b"GET"]), "ERR wrong number of arguments for 'config|get' command");
        assert_eq!(refused(&[b"ECHO"]), "ERR wrong number of arguments for 'echo' command");
        assert_eq!(
            refused(&[b"debug", b"Xyz"]),
            "ERR unknown subcommand or wrong number of arguments for 'Xyz'. Try DEBUG HELP."
        );
        assert_eq!(
            refused(&[b"debug", b"sleep"]),
            "ERR unknown subcommand or wrong number of arguments for 'sleep'. Try DEBUG HELP."
        );
        assert_eq!(refused(&[b"debug"]), "ERR wrong number of arguments for 'debug' command");
    }

    #[test]
    fn what_a_refusal_quotes_is_bounded_and_stays_one_line() {
        let long = [b'x'; 300];
        let text = refused(&[&long, &long, b"never shown"]);
        assert_eq!(
            text,
            format!(
                "ERR unknown command '{}', with args beginning with: '{}' ",
                "x".repeat(128),
                "x".repeat(128)
            )
        );
        let many = vec![&b"abcdefgh"[..]; 40];
        let quoted = refused(&many);
        let (_, quoted) = quoted.split_once("with: ").unwrap();
        assert_eq!(quoted.len(), 11 * 11 + 10);
        assert!(quoted.ends_with("'abcdefgh' 'abcdefg' "), "{quoted}");
        assert_eq!(
            refused(&[b"a\r\nb\0c", b"d\ne"]),
            "ERR unknown command 'a  b', with args beginning with: 'd e' "
        );
    }
}
