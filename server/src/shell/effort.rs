//! How long the longest turn was: by the clock, and in processor time of our own. On a machine that others use, too, the
//! first is mostly waiting for a core.
//!
//! Asking for processor time is a call into the system. It is asked for after each turn that was long, and else once in a
//! number of turns, so an own time is never understated, and overstated by no more than a few short turns.

use nix::time::{ClockId, clock_gettime};

/// A turn of at least so many microseconds is long.
const LONG_US: u64 = 100;
/// Short turns between two looks.
const TURNS: u32 = 16;

/// The longest turns so far.
#[derive(Debug, Default)]
pub(super) struct Effort {
    /// By the clock, microseconds.
    pub(super) longest_us: u64,
    /// In processor time of this thread, microseconds.
    pub(super) longest_own_us: u64,
    /// Processor time at the last look, microseconds.
    seen_us: u64,
    turns: u32,
}

impl Effort {
    /// A turn ended that took so many microseconds.
    #[inline]
    pub(super) fn turned(&mut self, took_us: u64) {
        self.longest_us = self.longest_us.max(took_us);
        self.turns += 1;
        if took_us >= LONG_US || self.turns >= TURNS {
            self.look(took_us);
        }
    }

    /// The maxima begin anew.
    pub(super) fn reset(&mut self) {
        self.longest_us = 0;
        self.longest_own_us = 0;
    }

    fn look(&mut self, took_us: u64) {
        let own = own_us();
        self.longest_own_us = self.longest_own_us.max(own.saturating_sub(self.seen_us).min(took_us));
        self.seen_us = own;
        self.turns = 0;
    }
}

/// Processor time of this thread so far, microseconds; 0 where the system does not tell.
fn own_us() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
    time.map_or(0, |time| {
        let micros = time.tv_sec().saturating_mul(1_000_000).saturating_add(time.tv_nsec() / 1000);
        u64::try_from(micros).unwrap_or(0)
    })
}
