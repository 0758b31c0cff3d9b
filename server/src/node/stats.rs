//! Figures that INFO reports: plain additions on the way, nothing that needs a clock.

use std::collections::VecDeque;

use crate::replication::FullReason;

use super::calls::CallStats;

/// Counters since the start, or since CONFIG RESETSTAT.
#[derive(Debug, Default)]
pub(super) struct Stats {
    pub(super) connections: u64,
    pub(super) commands: u64,
    pub(super) net_in: u64,
    pub(super) net_out: u64,
    pub(super) repl_in: u64,
    pub(super) repl_out: u64,
    pub(super) sync_full: u64,
    pub(super) sync_partial_ok: u64,
    pub(super) sync_partial_err: u64,
    pub(super) expired: u64,
    /// Keys deleted to make room.
    pub(super) evicted: u64,
    /// Clients closed to make room.
    pub(super) evicted_clients: u64,
    pub(super) errors: u64,
    pub(super) unexpected_errors: u64,
    pub(super) output_limit_closes: u64,
    pub(super) query_limit_closes: u64,
    pub(super) protocol_errors: u64,
    pub(super) auth_failures: u64,
    /// Stream bytes given up when this server was demoted.
    pub(super) lost_bytes: u64,
    /// Why the last full resync was needed, for people.
    pub(super) last_full: Option<FullReason>,
    /// Bytes of the last snapshot that was given to a replica, or taken from a master.
    pub(super) last_full_bytes: Option<u64>,
    pub(super) calls: CallStats,
    rate: Rate,
}

/// Operations a second over the samples kept: a burst of a few commands does not look like a load.
#[derive(Debug, Default)]
struct Rate {
    samples: VecDeque<(u64, u64)>,
}

/// The window (that of Redis' own figure) and the least distance between samples, in milliseconds.
const WINDOW_MS: u64 = 1600;
const SAMPLE_MS: u64 = 100;

impl Stats {
    /// Takes a sample when at least a tenth of a second passed since the last.
    pub(super) fn sample(&mut self, now_ms: u64) {
        let samples = &mut self.rate.samples;
        if samples.back().is_none_or(|(at, _)| now_ms.saturating_sub(*at) >= SAMPLE_MS) {
            samples.push_back((now_ms, self.commands));
            // The oldest kept is the last one from before the window.
            while samples.get(1).is_some_and(|(at, _)| now_ms.saturating_sub(*at) >= WINDOW_MS) {
                samples.pop_front();
            }
        }
    }

    pub(super) fn per_second(&self) -> u64 {
        let (Some(first), Some(last)) = (self.rate.samples.front(), self.rate.samples.back()) else {
            return 0;
        };
        let elapsed_ms = last.0.saturating_sub(first.0).max(WINDOW_MS);
        last.1.saturating_sub(first.1).saturating_mul(1000) / elapsed_ms
    }

    /// CONFIG RESETSTAT.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_second_or_two() {
        let mut stats = Stats::default();
        for at in 0..100 {
            stats.commands = at * 100;
            stats.sample(at * 100);
        }
        assert_eq!(stats.per_second(), 1000);
        for at in 10..13 {
            stats.sample(at * 1000);
        }
        assert_eq!(stats.per_second(), 0);
    }
}
