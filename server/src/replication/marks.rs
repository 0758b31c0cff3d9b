//! When the bytes of the stream were written, roughly, in bounded room: how long a replica has been without the oldest
//! byte it misses.
//!
//! A mark says: the bytes from this position on are not older than this moment. Marks are set at a distance in time,
//! and when their room is used up every second one goes and the distance doubles. So an age is never understated,
//! and overstated by no more than that distance: a hundredth of the time that the slowest replica is behind.

use std::collections::VecDeque;

/// The least distance between two marks, in milliseconds.
const NEAR_MS: u64 = 5;
/// How many marks there are at most.
const MOST: usize = 256;

/// Moments along a stream.
#[derive(Debug)]
pub struct Marks {
    /// Monotonic millisecond and position, both rising.
    marks: VecDeque<(u64, u64)>,
    /// Position behind the last byte it knows of.
    end: u64,
    distance_ms: u64,
}

impl Default for Marks {
    fn default() -> Self {
        Self { marks: VecDeque::new(), end: 0, distance_ms: NEAR_MS }
    }
}

impl Marks {
    /// The stream ends at `end` now. True when [`Marks::thin`] is to be called: room is used up, or was short.
    #[inline]
    #[must_use]
    pub fn reached(&mut self, end: u64, now_ms: u64) -> bool {
        if end == self.end {
            return false;
        }
        if end < self.end {
            // Another history: nothing is known of its bytes.
            self.marks.clear();
            self.distance_ms = NEAR_MS;
        } else if self.marks.back().is_none_or(|&(at, _)| now_ms >= at + self.distance_ms) {
            self.marks.push_back((now_ms, self.end));
            self.end = end;
            return self.marks.len() >= MOST || self.distance_ms > NEAR_MS;
        }
        self.end = end;
        false
    }

    /// Makes room; `needed` is the first position that somebody still misses.
    pub fn thin(&mut self, needed: u64) {
        while self.marks.get(1).is_some_and(|&(_, from)| from <= needed) {
            self.marks.pop_front();
        }
        if self.marks.len() < MOST / 8 {
            self.distance_ms = NEAR_MS;
        } else if self.marks.len() >= MOST {
            self.distance_ms *= 2;
            let mut at = 0;
            self.marks.retain(|_| {
                at += 1;
                at % 2 == 1
            });
        }
    }

    /// How long ago the byte behind `position` was written, in milliseconds; 0 when there is none.
    #[must_use]
    pub fn age_ms(&self, position: u64, now_ms: u64) -> u64 {
        if position >= self.end {
            return 0;
        }
        let behind = self.marks.partition_point(|&(_, from)| from <= position);
        let mark = self.marks.get(behind.saturating_sub(1));
        mark.map_or(0, |&(at, _)| now_ms.saturating_sub(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_that_of_the_oldest_byte_missing() {
        let mut marks = Marks::default();
        for (end, now_ms) in [(100, 1000), (150, 1002), (200, 5000)] {
            assert!(!marks.reached(end, now_ms));
        }
        assert_eq!(marks.age_ms(200, 6000), 0, "nothing is missing");
        assert_eq!(marks.age_ms(150, 6000), 1000);
        assert_eq!(marks.age_ms(199, 6000), 1000);
        assert_eq!(marks.age_ms(120, 6000), 5000, "within a mark the age is that of its first byte");
        assert_eq!(marks.age_ms(0, 6000), 5000);
        assert!(!marks.reached(40, 7000));
        assert_eq!(marks.age_ms(0, 8000), 0, "another history: nothing is known");
    }

    #[test]
    fn the_room_is_bounded_and_an_age_is_never_understated_nor_by_much_overstated() {
        let mut marks = Marks::default();
        // A byte each millisecond for a hundred seconds, and somebody who misses all of them.
        for ms in 1..=100_000 {
            if marks.reached(ms, ms) {
                marks.thin(0);
            }
        }
        assert!(marks.marks.len() <= MOST);
        for position in (0..100_000).step_by(997) {
            let (truth, said) = (100_000 - (position + 1), marks.age_ms(position, 100_000));
            assert!(said >= truth && said <= truth + 1300, "{position}: {said} for {truth}");
        }
        // Once it has caught up, marks are close again.
        for ms in 100_001..=105_000 {
            if marks.reached(ms, ms) {
                marks.thin(ms - 10);
            }
        }
        let said = marks.age_ms(104_990, 105_000);
        assert!((9..=9 + NEAR_MS).contains(&said), "{said}");
    }
}
