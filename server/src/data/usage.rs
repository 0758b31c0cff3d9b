//! How a key's access clock is read: when it was last used, or how often it is used. 24 bits either way, as Redis has them.
//!
//! Frequency: eight bits of a counter that grows ever more slowly, and sixteen bits of the minute in which it was last
//! counted down. Source: <https://redis.io/docs/latest/develop/reference/eviction/#lfu>.

/// What the clock of a key that is new under a policy of frequency begins with, so that it is not the first to go.
const NEW_KEY: u32 = 5;
const BITS: u32 = 0x00ff_ffff;

/// What the access clock means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Usage {
    /// Seconds.
    #[default]
    Recency,
    /// A counter and minutes.
    Frequency {
        /// `lfu-log-factor`
        log_factor: u32,
        /// `lfu-decay-time`: minutes after which the counter loses one; 0 for never.
        decay_minutes: u32,
    },
}

impl Usage {
    /// The clock of a key that is used now and had the clock `old`; `draw` are random bits.
    #[must_use]
    #[inline]
    pub fn used(self, old: u32, now_ms: u64, draw: u64) -> u32 {
        match self {
            // Zero is kept for a key that was never used.
            Self::Recency => (u32::try_from((now_ms / 1000) & u64::from(BITS)).unwrap_or(0)).max(1),
            Self::Frequency { log_factor, .. } => {
                let counter =
                    if old == 0 { NEW_KEY } else { grown(self.frequency(old, now_ms), log_factor, draw) };
                minutes(now_ms) << 8 | counter
            }
        }
    }

    /// How often a key of this clock is used: 0 to 255.
    #[must_use]
    pub fn frequency(self, clock: u32, now_ms: u64) -> u32 {
        let Self::Frequency { decay_minutes, .. } = self else { return 0 };
        let passed = minutes(now_ms).wrapping_sub(clock >> 8) & 0xffff;
        let lost = passed.checked_div(decay_minutes).unwrap_or(0);
        (clock & 0xff).saturating_sub(lost)
    }

    /// Seconds since a key of this clock was used.
    #[must_use]
    pub fn idle_s(clock: u32, now_ms: u64) -> u32 {
        Self::Recency.used(0, now_ms, 0).wrapping_sub(clock) & BITS
    }
}

fn minutes(now_ms: u64) -> u32 {
    u32::try_from((now_ms / 60_000) & 0xffff).unwrap_or(0)
}

/// The counter after one more use: the larger it is, the less likely it grows.
fn grown(counter: u32, log_factor: u32, draw: u64) -> u32 {
    if counter >= 255 {
        return 255;
    }
    let against =
        u64::from(counter.saturating_sub(NEW_KEY)).saturating_mul(u64::from(log_factor)).saturating_add(1);
    // One chance in `against`.
    counter + u32::from((u128::from(draw) * u128::from(against)) >> 64 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Rng;

    const LFU: Usage = Usage::Frequency { log_factor: 10, decay_minutes: 1 };

    #[test]
    fn a_counter_grows_ever_more_slowly_and_is_counted_down_by_the_minute() {
        let (mut rng, mut clock) = (Rng::new(1), 0);
        for _ in 0..100 {
            clock = LFU.used(clock, 60_000, rng.draw());
        }
        let hundred = LFU.frequency(clock, 60_000);
        for _ in 0..10_000 {
            clock = LFU.used(clock, 60_000, rng.draw());
        }
        let many = LFU.frequency(clock, 60_000);
        assert!((8..20).contains(&hundred), "{hundred}");
        assert!((30..90).contains(&many), "{many}");
        assert_eq!(LFU.frequency(clock, 60_000 * 11), many - 10);
        assert_eq!(LFU.frequency(clock, 60_000 * 1000), 0);
    }

    #[test]
    fn seconds_wrap_after_half_a_year() {
        let clock = Usage::Recency.used(0, 16_777_215_000, 0);
        assert_eq!(Usage::idle_s(clock, 16_777_215_000), 0);
        assert_eq!(Usage::idle_s(clock, 16_777_225_000), 10);
    }
}
