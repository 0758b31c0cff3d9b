//! From registers to a number.
//!
//! Reference: Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", arXiv:1702.01284, algorithm 6. The
//! order of its operations is kept, so that floating point gives the number that Redis gives.

use super::{REGISTERS, RUN_BITS};

/// The limit of the bias correction for many registers, 1 / (2 ln 2), in the digits that Redis has of it.
const ALPHA: f64 = 0.721_347_520_444_481_7;

/// How many registers have each value. Registers nobody noted are zero.
#[derive(Debug)]
pub(super) struct Histogram {
    /// By value from 1 on; dense registers go up to 63.
    counts: [u32; 64],
    noted: u32,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: [0; 64], noted: 0 }
    }
}

impl Histogram {
    /// A register has this value, which is not zero.
    pub(super) fn note(&mut self, run: u8) {
        if let Some(count) = self.counts.get_mut(usize::from(run)) {
            *count += 1;
        }
        self.noted += 1;
    }

    /// Registers with this value.
    fn of(&self, run: u32) -> f64 {
        if run == 0 {
            return registers() - f64::from(self.noted);
        }
        let count = usize::try_from(run).ok().and_then(|run| self.counts.get(run));
        f64::from(count.copied().unwrap_or(0))
    }
}

fn registers() -> f64 {
    f64::from(u32::try_from(REGISTERS).unwrap_or(0))
}

/// How many elements leave such registers, most likely.
pub(super) fn estimate(histogram: &Histogram) -> u64 {
    let all = registers();
    let mut sum = all * tau((all - histogram.of(RUN_BITS + 1)) / all);
    for run in (1..=RUN_BITS).rev() {
        sum += histogram.of(run);
        sum *= 0.5;
    }
    sum += all * sigma(histogram.of(0) / all);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and far below 2^64: a register has 64 values; the cast saturates"
    )]
    let rounded = (ALPHA * all * all / sum).round() as u64;
    rounded
}

fn sigma(mut x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut weight, mut sum) = (1.0, x);
    loop {
        x *= x;
        let before = sum;
        sum += x * weight;
        weight += weight;
        if settled(before, sum) {
            return sum;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut weight, mut sum) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = sum;
        weight *= 0.5;
        sum -= (1.0 - x) * (1.0 - x) * weight;
        if settled(before, sum) {
            return sum / 3.0;
        }
    }
}

/// A series has come to its end: what is added is lost in rounding.
fn settled(before: f64, after: f64) -> bool {
    before.to_bits() == after.to_bits()
}
