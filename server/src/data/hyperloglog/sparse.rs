//! Registers as runs, as long as most of them are zero.
//!
//! ```text
//! 00xxxxxx            x + 1 zeros, 1 to 64
//! 01xxxxxx xxxxxxxx   x + 1 zeros, 1 to 16384
//! 1vvvvvxx            x + 1 registers of value v + 1, 1 to 4 of 1 to 32
//! ```
//!
//! The bytes may be anything: a walk ends where no run is.

use super::REGISTERS;

/// Zeros that a byte can stand for.
const SHORT_ZEROS: usize = 64;
/// Equal registers that a byte can stand for.
const VALUES: usize = 4;
/// Largest value of a register.
const VALUE_MAX: u8 = 32;
/// Runs that are looked at for two that can be one, after a change.
const LOOKED_AT: usize = 5;

/// A run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    /// 0 for zeros.
    value: u8,
    /// Registers.
    len: usize,
    /// Bytes it is stored in.
    size: usize,
}

/// What became of a register that was to be raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Raised {
    /// No run has it.
    Nowhere,
    /// It was as high already.
    Not,
    /// It is.
    Yes,
    /// The value or the runs have no room here: the sketch has to become a dense one first.
    NoRoom,
}

/// Reads the run at the start of `bytes`.
fn run(bytes: &[u8]) -> Option<Run> {
    let first = *bytes.first()?;
    Some(match first {
        0..0x40 => Run { value: 0, len: usize::from(first) + 1, size: 1 },
        0x40..0x80 => {
            let len = u16::from_be_bytes([first & 0x3f, *bytes.get(1)?]);
            Run { value: 0, len: usize::from(len) + 1, size: 2 }
        }
        _ => Run { value: (first >> 2 & 0x1f) + 1, len: usize::from(first & 3) + 1, size: 1 },
    })
}

/// The runs, each with its first register.
fn runs(bytes: &[u8]) -> impl Iterator<Item = (usize, Run)> {
    let (mut at, mut index) = (0, 0);
    std::iter::from_fn(move || {
        let next = run(bytes.get(at..)?)?;
        at += next.size;
        index += next.len;
        Some((index - next.len, next))
    })
}

/// Whether the runs are whole and cover each register once. Stops at the first run too many.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    let (mut size, mut covered) = (0, 0);
    for (_, run) in runs(bytes) {
        size += run.size;
        covered += run.len;
        if covered > REGISTERS {
            return false;
        }
    }
    covered == REGISTERS && size == bytes.len()
}

/// The registers that are not zero.
pub(super) fn set_registers(bytes: &[u8]) -> impl Iterator<Item = (usize, u8)> {
    let set = runs(bytes).filter(|(_, run)| run.value > 0);
    set.flat_map(|(first, run)| (first..first + run.len).map(move |index| (index, run.value)))
}

/// Adds a run of zeros, in the shortest form.
pub(super) fn push_zeros(out: &mut Vec<u8>, len: usize) {
    let Some(short) = len.checked_sub(1).and_then(|short| u16::try_from(short).ok()) else { return };
    let [high, low] = short.to_be_bytes();
    if len <= SHORT_ZEROS {
        out.push(low);
    } else {
        out.extend([0x40 | high, low]);
    }
}

/// Adds a run of up to four registers of a value that is not zero.
fn push_values(out: &mut Vec<u8>, value: u8, len: usize) {
    if let Some(short) = len.checked_sub(1).and_then(|short| u8::try_from(short).ok()) {
        out.push(0x80 | value.saturating_sub(1) << 2 | short);
    }
}

/// Lets a register be at least `count`. `start` is where the runs begin in `bytes`, which may become up to `most` bytes long.
pub(super) fn raise(bytes: &mut Vec<u8>, start: usize, index: usize, count: u8, most: usize) -> Raised {
    if count > VALUE_MAX {
        return Raised::NoRoom;
    }
    let (mut before, mut at) = (start, start);
    let found = runs(bytes.get(start..).unwrap_or_default()).find(|(first, run)| {
        let here = index < first + run.len;
        if !here {
            before = at;
            at += run.size;
        }
        here
    });
    let Some((first, old)) = found else { return Raised::Nowhere };
    if old.value >= count {
        return Raised::Not;
    }
    // What stands left of the register, the register, and what stands right of it.
    let mut parts = Vec::with_capacity(5);
    let same = |parts: &mut Vec<u8>, len| match old.value {
        0 => push_zeros(parts, len),
        value => push_values(parts, value, len),
    };
    same(&mut parts, index - first);
    push_values(&mut parts, count, 1);
    same(&mut parts, first + old.len - 1 - index);
    if parts.len() > old.size && bytes.len() + parts.len() - old.size > most {
        return Raised::NoRoom;
    }
    bytes.splice(at..at + old.size, parts);
    join(bytes, before);
    Raised::Yes
}

/// Joins equal runs that stand side by side and fit into one, among the first five from `at` on.
fn join(bytes: &mut Vec<u8>, mut at: usize) {
    for _ in 0..LOOKED_AT {
        let Some(here) = bytes.get(at..).and_then(run) else { return };
        let next = bytes.get(at + here.size..).and_then(run);
        match next.filter(|next| here.value > 0 && next.value == here.value && next.len + here.len <= VALUES)
        {
            Some(next) => {
                let mut joined = Vec::with_capacity(1);
                push_values(&mut joined, here.value, here.len + next.len);
                bytes.splice(at..at + 2, joined);
            }
            None => at += here.size,
        }
    }
}

/// The runs in the words of PFDEBUG DECODE.
pub(super) fn spelled(bytes: &[u8]) -> String {
    let word = |run: Run| match run {
        Run { value: 0, len, size: 1 } => format!("z:{len}"),
        Run { value: 0, len, .. } => format!("Z:{len}"),
        Run { value, len, .. } => format!("v:{value},{len}"),
    };
    runs(bytes).map(|(_, run)| word(run)).collect::<Vec<_>>().join(" ")
}
