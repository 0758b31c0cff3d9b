//! What was written, what of it was acknowledged and when; what is lost when it is not there afterwards.

use serde::Serialize;

/// Every key of every run begins so.
pub const PREFIX: &str = "rctl:load:";

/// One write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Write {
    acked_us: Option<u64>,
    confirmed: bool,
}

/// All writes of one run, by their number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    run: String,
    writes: Vec<Write>,
}

/// What came of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Writes that were tried.
    pub written: u64,
    /// Writes that a master said OK to.
    pub acknowledged: u64,
    /// Of these, the ones that are there.
    pub survived: u64,
    /// Of these, the ones that are not.
    pub lost: u64,
    /// Their numbers, as ranges.
    pub lost_numbers: Vec<String>,
    /// Writes that WAIT confirmed.
    pub confirmed: u64,
    /// Of these, the ones that are not there.
    pub confirmed_lost: u64,
}

impl Ledger {
    /// An empty one; `run` tells its keys from those of others.
    #[must_use]
    pub fn new(run: &str) -> Self {
        Self { run: run.to_owned(), writes: Vec::new() }
    }

    /// A new write: its number.
    pub fn begin(&mut self) -> usize {
        self.writes.push(Write::default());
        self.writes.len() - 1
    }

    /// A master said OK to it, at that moment in microseconds.
    pub fn acknowledged(&mut self, number: usize, at_us: u64) {
        if let Some(write) = self.writes.get_mut(number) {
            write.acked_us.get_or_insert(at_us);
        }
    }

    /// WAIT says that enough replicas have it.
    pub fn confirmed(&mut self, number: usize) {
        if let Some(write) = self.writes.get_mut(number) {
            write.confirmed = true;
        }
    }

    /// The key of a write.
    #[must_use]
    pub fn key(&self, number: usize) -> String {
        format!("{PREFIX}{}:{number}", self.run)
    }

    /// How many were tried.
    #[must_use]
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    /// None was tried.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// How many were acknowledged, and how many after that moment.
    #[must_use]
    pub fn count_since(&self, at_us: u64) -> (usize, usize) {
        let acked = self.writes.iter().filter_map(|write| write.acked_us);
        acked.fold((0, 0), |(all, late), at| (all + 1, late + usize::from(at > at_us)))
    }

    /// How many WAIT confirmed so far.
    #[must_use]
    pub fn confirmed_count(&self) -> usize {
        self.writes.iter().filter(|write| write.confirmed).count()
    }

    /// The longest time without any acknowledgement between two moments, in microseconds: nobody could write.
    #[must_use]
    pub fn longest_gap(&self, from_us: u64, to_us: u64) -> u64 {
        let mut moments: Vec<u64> = self.writes.iter().filter_map(|write| write.acked_us).collect();
        moments.retain(|at| (from_us..=to_us).contains(at));
        moments.extend([from_us, to_us]);
        moments.sort_unstable();
        moments
            .windows(2)
            .map(|pair| pair.last().zip(pair.first()).map_or(0, |(b, a)| b - a))
            .max()
            .unwrap_or(0)
    }

    /// Compares with what is there: one `true` for each write that is.
    #[must_use]
    pub fn judge(&self, there: &[bool]) -> Verdict {
        let is_there = |number: usize| there.get(number).copied().unwrap_or(false);
        let acked = || self.writes.iter().enumerate().filter(|(_, write)| write.acked_us.is_some());
        let lost: Vec<usize> =
            acked().map(|(number, _)| number).filter(|number| !is_there(*number)).collect();
        let confirmed = || acked().filter(|(_, write)| write.confirmed);
        let acknowledged = acked().count();
        Verdict {
            written: count(self.writes.len()),
            acknowledged: count(acknowledged),
            survived: count(acknowledged - lost.len()),
            lost: count(lost.len()),
            lost_numbers: ranges(&lost),
            confirmed: count(confirmed().count()),
            confirmed_lost: count(confirmed().filter(|(number, _)| !is_there(*number)).count()),
        }
    }
}

/// `3`, `7-9`: growing numbers as ranges.
fn ranges(numbers: &[usize]) -> Vec<String> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for &number in numbers {
        match found.last_mut() {
            Some((_, end)) if *end + 1 == number => *end = number,
            _ => found.push((number, number)),
        }
    }
    let shown = |(start, end): (usize, usize)| {
        if start == end { start.to_string() } else { format!("{start}-{end}") }
    };
    found.into_iter().map(shown).collect()
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_acknowledged_and_is_gone_is_lost() {
        let mut ledger = Ledger::new("r");
        for number in 0..8 {
            assert_eq!(ledger.begin(), number);
        }
        for number in [0, 1, 2, 3, 5, 6] {
            ledger.acknowledged(number, 10 * number as u64);
        }
        ledger.confirmed(0);
        ledger.confirmed(3);
        // Number 4 was never acknowledged and is there all the same: nobody promised anything.
        let verdict = ledger.judge(&[true, true, false, false, true, true, false, false]);
        assert_eq!((verdict.written, verdict.acknowledged, verdict.survived, verdict.lost), (8, 6, 3, 3));
        assert_eq!(verdict.lost_numbers, ["2-3", "6"]);
        assert_eq!((verdict.confirmed, verdict.confirmed_lost), (2, 1));
        assert_eq!(ledger.judge(&[]).lost, 6, "nothing is there");
        assert_eq!(ledger.key(6), "rctl:load:r:6");
        assert_eq!(ledger.count_since(30), (6, 2));
    }

    #[test]
    fn the_longest_gap_is_the_longest_time_without_an_acknowledgement() {
        let mut ledger = Ledger::new("r");
        for at in [100, 110, 500, 505, 90] {
            let number = ledger.begin();
            ledger.acknowledged(number, at);
        }
        assert_eq!(ledger.longest_gap(80, 510), 390);
        assert_eq!(ledger.longest_gap(505, 2_000), 1_495, "nobody writes until the end");
        assert_eq!(Ledger::new("r").longest_gap(0, 70), 70);
    }
}
