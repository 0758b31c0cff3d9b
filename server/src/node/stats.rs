//! Figures that INFO reports: plain additions on the way, nothing that needs a clock.

use crate::replication::FullReason;

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
    pub(super) errors: u64,
    pub(super) unexpected_errors: u64,
    pub(super) output_limit_closes: u64,
    pub(super) query_limit_closes: u64,
    pub(super) protocol_errors: u64,
    pub(super) auth_failures: u64,
    /// Why the last full resync was needed, for people.
    pub(super) last_full: Option<FullReason>,
    rate: Rate,
}

/// Operations a second, over the last second or so.
#[derive(Debug, Default)]
struct Rate {
    at_ms: u64,
    commands: u64,
    per_second: u64,
}

impl Stats {
    /// Takes a sample when at least a tenth of a second passed since the last.
    pub(super) fn sample(&mut self, now_ms: u64) {
        let elapsed = now_ms.saturating_sub(self.rate.at_ms);
        if elapsed >= 100 {
            let done = self.commands.saturating_sub(self.rate.commands);
            self.rate = Rate {
                at_ms: now_ms,
                commands: self.commands,
                per_second: done.saturating_mul(1000) / elapsed,
            };
        }
    }

    pub(super) fn per_second(&self) -> u64 {
        self.rate.per_second
    }

    /// CONFIG RESETSTAT.
    pub(super) fn reset(&mut self) {
        *self = Self { rate: Rate { commands: 0, ..std::mem::take(&mut self.rate) }, ..Self::default() };
    }
}
