//! HyperLogLog: how many different elements were seen, from a string of at most 12 KiB, byte for byte as Redis has it.
//!
//! An element's hash chooses one of 16384 registers, and a register remembers the longest run of zeros that it saw. The string is
//! a header and the registers:
//!
//! ```text
//! "HYLL"   encoding: 0 dense, 1 sparse   three unused bytes   the last count, 8 bytes, little endian
//! ```
//!
//! The highest bit of the last count says that it is out of date. Dense registers have 6 bits each; sparse ones are runs
//! ([`sparse`]). Replicas add the same elements to the same string and must come to the same bytes, so that which runs are split
//! and joined is part of the format.
//!
//! A string comes from a client, who may have made it by hand. So its head is looked at first, and its runs by whatever walks them:
//! as in Redis, an element may be added to a register that is there, whatever comes behind it.

mod dense;
mod element;
pub mod estimate;
mod sparse;

#[cfg(test)]
mod tests;

use self::element::place;
use self::estimate::{Histogram, estimate};

/// Bits of a hash that choose a register.
const INDEX_BITS: u32 = 14;
/// Registers.
pub const REGISTERS: usize = 1 << INDEX_BITS;
/// Bits of a hash in which zeros are counted.
const RUN_BITS: u32 = 64 - INDEX_BITS;
/// Bits of a dense register.
const REGISTER_BITS: usize = 6;
/// Largest value of a dense register.
const REGISTER_MAX: u8 = 63;
/// Bytes before the registers.
const HEADER: usize = 16;
/// Bytes of a dense one.
const DENSE_LEN: usize = HEADER + REGISTERS * REGISTER_BITS / 8;
const MAGIC: &[u8] = b"HYLL";
/// Where the header says how registers are stored.
const ENCODING: usize = 4;
/// Where the header has the last count.
const COUNT: std::ops::Range<usize> = 8..16;
/// Of the last byte of the count: it is out of date.
const STALE: u8 = 0x80;

/// How registers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Six bits each.
    Dense,
    /// Runs.
    Sparse,
}

/// Runs do not cover each register once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Corrupted;

/// A sketch of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sketch {
    /// Header and registers, always whole.
    bytes: Vec<u8>,
    encoding: Encoding,
}

impl Default for Sketch {
    fn default() -> Self {
        Self::new()
    }
}

impl Sketch {
    /// One of no element.
    #[must_use]
    pub fn new() -> Self {
        let mut bytes = vec![0; HEADER];
        bytes[..MAGIC.len()].copy_from_slice(MAGIC);
        bytes[ENCODING] = 1;
        sparse::push_zeros(&mut bytes, REGISTERS);
        Self { bytes, encoding: Encoding::Sparse }
    }

    /// Takes a string that has the head of one, and the length of a dense one if it is that; `None` when it has not.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < HEADER || !bytes.starts_with(MAGIC) {
            return None;
        }
        let encoding = match bytes.get(ENCODING)? {
            0 if bytes.len() == DENSE_LEN => Encoding::Dense,
            1 => Encoding::Sparse,
            _ => return None,
        };
        Some(Self { bytes: bytes.to_vec(), encoding })
    }

    /// That all registers are there.
    ///
    /// # Errors
    /// They are not.
    pub fn check(&self) -> Result<(), Corrupted> {
        let whole = self.encoding == Encoding::Dense || sparse::is_whole(self.registers());
        if whole { Ok(()) } else { Err(Corrupted) }
    }

    /// The string.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How registers are stored.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Adds an element; true when that changed a register. A sparse sketch becomes a dense one when it would be longer than
    /// `sparse_max` bytes.
    ///
    /// # Errors
    /// Its register is not there, or others are not when it was to become dense.
    pub fn add(&mut self, element: &[u8], sparse_max: usize) -> Result<bool, Corrupted> {
        let (index, run) = place(element);
        self.raise(index, run, sparse_max)
    }

    /// Lets a register be at least `run`; true when that changed it.
    ///
    /// # Errors
    /// As [`Sketch::add`].
    pub fn raise(&mut self, index: usize, run: u8, sparse_max: usize) -> Result<bool, Corrupted> {
        if self.encoding == Encoding::Sparse {
            match sparse::raise(&mut self.bytes, HEADER, index, run, sparse_max) {
                sparse::Raised::Nowhere => return Err(Corrupted),
                sparse::Raised::Not => return Ok(false),
                sparse::Raised::Yes => {
                    self.mark_stale();
                    return Ok(true);
                }
                sparse::Raised::NoRoom => self.make_dense()?,
            }
        }
        let registers = self.bytes.get_mut(HEADER..).unwrap_or_default();
        if dense::get(registers, index) >= run {
            return Ok(false);
        }
        dense::set(registers, index, run);
        Ok(true)
    }

    /// Stores the registers as six bits each; the rest of the header stays.
    ///
    /// # Errors
    /// They are not all there.
    pub fn make_dense(&mut self) -> Result<(), Corrupted> {
        if self.encoding == Encoding::Dense {
            return Ok(());
        }
        self.check()?;
        let mut dense = vec![0; DENSE_LEN];
        let (header, registers) = dense.split_at_mut(HEADER);
        header.copy_from_slice(self.bytes.get(..HEADER).unwrap_or_default());
        header[ENCODING] = 0;
        for (index, run) in self.set_registers() {
            dense::set(registers, index, run);
        }
        (self.bytes, self.encoding) = (dense, Encoding::Dense);
        Ok(())
    }

    /// The last count, if no register changed since.
    #[must_use]
    pub fn cached(&self) -> Option<u64> {
        let count = self.bytes.get(COUNT)?.first_chunk()?;
        Some(u64::from_le_bytes(*count)).filter(|_| count[7] & STALE == 0)
    }

    /// Remembers a count.
    pub fn remember(&mut self, count: u64) {
        if let Some(slot) = self.bytes.get_mut(COUNT) {
            slot.copy_from_slice(&count.to_le_bytes());
        }
    }

    /// The last count is out of date.
    pub fn mark_stale(&mut self) {
        if let Some(byte) = self.bytes.get_mut(COUNT.end - 1) {
            *byte |= STALE;
        }
    }

    /// How many elements were added, about.
    ///
    /// # Errors
    /// Not all registers are there.
    pub fn count(&self) -> Result<u64, Corrupted> {
        self.check()?;
        let mut histogram = Histogram::default();
        for (_, run) in self.set_registers() {
            histogram.note(run);
        }
        Ok(estimate(&histogram))
    }

    fn registers(&self) -> &[u8] {
        self.bytes.get(HEADER..).unwrap_or_default()
    }

    /// The registers that are not zero, with their index.
    pub fn set_registers(&self) -> impl Iterator<Item = (usize, u8)> {
        let registers = self.registers();
        let (dense, runs) = match self.encoding {
            Encoding::Dense => (registers, &[][..]),
            Encoding::Sparse => (&[][..], registers),
        };
        let dense = dense::all(dense).enumerate();
        dense.filter(|(_, run)| *run > 0).chain(sparse::set_registers(runs))
    }

    /// The runs of a sparse sketch in the words of PFDEBUG DECODE: `Z:16384` for 16384 zeros, `v:5,1` for one five.
    ///
    /// # Errors
    /// Not all registers are there.
    pub fn spelled_runs(&self) -> Result<String, Corrupted> {
        self.check()?;
        Ok(sparse::spelled(self.registers()))
    }
}

/// The largest value of each register over several sketches.
#[derive(Debug, Clone)]
pub struct Union(Box<[u8; REGISTERS]>);

impl Default for Union {
    fn default() -> Self {
        Self(Box::new([0; REGISTERS]))
    }
}

impl Union {
    /// Takes another sketch in.
    ///
    /// # Errors
    /// Not all of its registers are there.
    pub fn take(&mut self, sketch: &Sketch) -> Result<(), Corrupted> {
        sketch.check()?;
        for (index, run) in sketch.set_registers() {
            if let Some(register) = self.0.get_mut(index) {
                *register = run.max(*register);
            }
        }
        Ok(())
    }

    /// The registers that are not zero, with their index.
    pub fn set_registers(&self) -> impl Iterator<Item = (usize, u8)> {
        self.0.iter().copied().enumerate().filter(|(_, run)| *run > 0)
    }

    /// How many elements were added to any of the sketches, about.
    #[must_use]
    pub fn count(&self) -> u64 {
        let mut histogram = Histogram::default();
        for (_, run) in self.set_registers() {
            histogram.note(run);
        }
        estimate(&histogram)
    }
}

/// Whether sparse and dense sketches agree with each other and with what was added to them: PFSELFTEST.
#[must_use]
pub fn self_test() -> bool {
    agree().is_ok_and(|agree| agree)
}

fn agree() -> Result<bool, Corrupted> {
    let (mut sketch, mut dense) = (Sketch::new(), Sketch::new());
    dense.make_dense()?;
    for number in 1..=100_000u32 {
        sketch.add(&number.to_le_bytes(), 3000)?;
        dense.add(&number.to_le_bytes(), 3000)?;
        // Four times the standard error, and three for the few.
        let allowed = 3 + u64::from(number) * 4 * 104 / (100 * 128);
        let (one, other) =
            if number.is_power_of_two() { (sketch.count()?, dense.count()?) } else { continue };
        if one != other || one.abs_diff(u64::from(number)) > allowed {
            return Ok(false);
        }
    }
    Ok(true)
}
