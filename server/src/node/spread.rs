//! How the times of a command are spread: counts by size, in steps of less than a hundredth.
//!
//! Up to 255 ns each value has its own place; above, each power of two has 128. What is longer than a second counts as one.

/// The longest time told apart, nanoseconds.
const LONGEST_NS: u64 = 1_000_000_000;
/// Steps in each power of two, as a power of two.
const STEPS: u32 = 7;

/// Times of one command. It grows with the longest of them, to 25 KB at most.
#[derive(Debug, Default)]
pub(super) struct Spread {
    counts: Vec<u64>,
    total: u64,
}

impl Spread {
    /// `times` calls took so many nanoseconds each.
    pub(super) fn add(&mut self, took_ns: u64, times: u64) {
        let place = place(took_ns.clamp(1, LONGEST_NS));
        if self.counts.len() <= place {
            self.counts.resize(place + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(place) {
            *count += times;
        }
        self.total += times;
    }

    /// How many calls.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Nanoseconds within which so many of a hundred calls were done.
    pub(super) fn percentile_ns(&self, percent: f64) -> u64 {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a count, between nothing and all of it"
        )]
        let wanted = ((self.total as f64 * percent / 100.0).ceil() as u64).clamp(1, self.total.max(1));
        let mut seen = 0;
        let place = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        place.map_or(0, upper_ns)
    }

    /// For each power of two in which there are calls: its end in microseconds, and how many calls were done by then.
    pub(super) fn steps(&self) -> Vec<(u64, u64)> {
        let mut steps = Vec::new();
        let (mut seen, mut from, mut level_ns) = (0, 0, 1024u64);
        while seen < self.total {
            let last = place(level_ns);
            let more: u64 = self.counts.iter().skip(from).take(last + 1 - from).sum();
            seen += more;
            if more > 0 {
                steps.push((upper_ns(last) / 1000, seen));
            }
            from = last + 1;
            level_ns *= 2;
        }
        steps
    }
}

/// Where a time is counted.
fn place(ns: u64) -> usize {
    let shift = (u64::BITS - ns.leading_zeros()).saturating_sub(STEPS + 1);
    let steps = (u64::from(shift) << STEPS) + (ns >> shift);
    usize::try_from(steps).unwrap_or(usize::MAX)
}

/// The longest time counted at a place.
fn upper_ns(place: usize) -> u64 {
    let place = place as u64;
    let shift = (place >> STEPS).saturating_sub(1);
    ((place - (shift << STEPS) + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_kept_to_a_hundredth() {
        for ns in (1..2000).chain([4095, 4096, 999_999, 123_456_789, LONGEST_NS]) {
            let upper = upper_ns(place(ns));
            assert!(upper >= ns && upper - ns <= ns / 100, "{ns} {upper}");
            assert_eq!(place(upper), place(ns));
            assert_eq!(place(upper + 1), place(ns) + 1);
        }
    }

    #[test]
    fn percentiles_and_steps_are_those_of_what_was_added() {
        let mut spread = Spread::default();
        assert_eq!((spread.percentile_ns(50.0), spread.steps()), (0, Vec::new()));
        spread.add(100, 90);
        spread.add(20_000, 9);
        spread.add(u64::MAX, 1);
        assert_eq!((spread.total(), spread.percentile_ns(0.0), spread.percentile_ns(90.0)), (100, 100, 100));
        assert_eq!(spread.percentile_ns(99.0) / 100, 200);
        assert_eq!(spread.percentile_ns(100.0) / 10_000_000, 100);
        assert_eq!(spread.steps(), [(1, 90), (33, 99), (1_082_130, 100)]);
        assert!(spread.counts.len() * size_of::<u64>() < 25 << 10);
    }
}
