//! One direction of one connection under a fault: bytes go in as they arrive and come out when the rule lets them.
//!
//! Invariants: order is kept; nothing is lost but by dropping the lane; the end of the stream stays behind the bytes
//! before it. A changed rule holds for what is under way, too: lifting a delay delivers at once.

use std::collections::VecDeque;

use super::Rule;

/// A delayed lane holds so much: bandwidth × delay of a fast link, or the delay would become a throttle.
const DELAYED: usize = 64 << 20;
/// A throttled lane holds so much.
const THROTTLED: usize = 64 << 10;
/// Credit that can be saved up, as a part of a second.
const BURST_US: u64 = 20_000;

/// What a lane gives.
#[derive(Debug, PartialEq, Eq)]
pub enum Out<'a> {
    /// These bytes; say with [`Lane::taken`] how many of them went.
    Bytes(&'a [u8]),
    /// The stream ended here.
    End,
    /// Nothing before that moment, microseconds; `None` is nothing before something else happens.
    Later(Option<u64>),
}

/// Bytes under way.
#[derive(Debug, Default)]
pub struct Lane {
    /// When each piece arrived, and what of it is not out.
    pieces: VecDeque<(u64, Vec<u8>)>,
    /// Bytes of the first piece that are out.
    out: usize,
    held: usize,
    /// When the end arrived.
    end: Option<u64>,
    /// Bytes that may go now, in millionths.
    credit: u64,
    credited_us: u64,
}

impl Lane {
    /// How many bytes may go in now.
    #[must_use]
    pub fn room(&self, rule: Rule) -> usize {
        let limit = match rule {
            // What nobody takes stays in the sender's socket.
            Rule { stall: true, .. } => 0,
            Rule { rate: 1.., .. } => THROTTLED,
            _ => DELAYED,
        };
        if self.end.is_some() { 0 } else { limit.saturating_sub(self.held) }
    }

    /// Nothing is under way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held == 0 && self.end.is_none()
    }

    /// Bytes that are under way.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held
    }

    /// Bytes arrive.
    pub fn push(&mut self, bytes: &[u8], now_us: u64) {
        if bytes.is_empty() || self.end.is_some() {
            return;
        }
        self.held += bytes.len();
        match self.pieces.back_mut() {
            // A burst of small pieces is one.
            Some((at, piece)) if *at == now_us && piece.len() < 4096 => piece.extend_from_slice(bytes),
            _ => self.pieces.push_back((now_us, bytes.to_vec())),
        }
    }

    /// The end of the stream arrives.
    pub fn push_end(&mut self, now_us: u64) {
        self.end.get_or_insert(now_us);
    }

    /// What may come out now.
    pub fn next(&mut self, rule: Rule, now_us: u64) -> Out<'_> {
        self.earn(rule, now_us);
        let Some(at) = self.pieces.front().map(|(at, _)| *at).or(self.end) else { return Out::Later(None) };
        if rule.stall {
            return Out::Later(None);
        }
        let due = at.saturating_add(rule.delay_ms.saturating_mul(1000));
        if due > now_us {
            return Out::Later(Some(due));
        }
        let Some((_, piece)) = self.pieces.front() else { return Out::End };
        let rest = piece.get(self.out..).unwrap_or_default();
        if rule.rate == 0 {
            return Out::Bytes(rest);
        }
        let may = usize::try_from(self.credit / 1_000_000).unwrap_or(usize::MAX);
        if may == 0 {
            let wait = (1_000_000 - self.credit).div_ceil(rule.rate).max(1000);
            return Out::Later(Some(now_us.saturating_add(wait)));
        }
        Out::Bytes(rest.get(..may.min(rest.len())).unwrap_or_default())
    }

    /// So many of the bytes that [`Lane::next`] gave went out.
    pub fn taken(&mut self, count: usize) {
        let Some((_, piece)) = self.pieces.front() else { return };
        let count = count.min(piece.len() - self.out);
        self.out += count;
        self.held -= count;
        self.credit = self.credit.saturating_sub((count as u64).saturating_mul(1_000_000));
        if self.out == piece.len() {
            self.pieces.pop_front();
            self.out = 0;
        }
    }

    fn earn(&mut self, rule: Rule, now_us: u64) {
        let passed = now_us.saturating_sub(self.credited_us);
        self.credited_us = now_us;
        // At least one byte can always be saved up, however slow the link.
        let most = rule.rate.saturating_mul(BURST_US).max(1_000_000);
        self.credit = self.credit.saturating_add(passed.saturating_mul(rule.rate)).min(most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Rule {
        text.parse().unwrap()
    }

    /// Everything that comes out at a moment.
    fn drain(lane: &mut Lane, rule: Rule, now_us: u64) -> (Vec<u8>, Option<u64>, bool) {
        let mut out = Vec::new();
        loop {
            let count = match lane.next(rule, now_us) {
                Out::Bytes(bytes) => {
                    out.extend_from_slice(bytes);
                    bytes.len()
                }
                Out::End => return (out, None, true),
                Out::Later(at) => return (out, at, false),
            };
            lane.taken(count);
        }
    }

    #[test]
    fn a_delay_is_late_by_exactly_that_and_keeps_the_order() {
        let (mut lane, late) = (Lane::default(), rule("delay 200"));
        lane.push(b"ab", 1_000);
        lane.push(b"c", 5_000);
        lane.push_end(6_000);
        assert_eq!(drain(&mut lane, late, 200_999), (vec![], Some(201_000), false));
        assert_eq!(drain(&mut lane, late, 201_000), (b"ab".to_vec(), Some(205_000), false));
        assert_eq!(drain(&mut lane, late, 206_000), (b"c".to_vec(), None, true));
    }

    #[test]
    fn lifting_a_fault_delivers_what_was_held_at_once() {
        let mut lane = Lane::default();
        lane.push(b"abc", 0);
        lane.push_end(0);
        assert_eq!(drain(&mut lane, rule("stall"), 1 << 40), (vec![], None, false));
        assert_eq!(drain(&mut lane, Rule::default(), 1), (b"abc".to_vec(), None, true));
    }

    #[test]
    fn a_throttle_lets_its_rate_through_and_no_more() {
        let (mut lane, slow) = (Lane::default(), rule("rate 1000"));
        drain(&mut lane, slow, 0);
        lane.push(&[7; 5000], 0);
        let mut out = 0;
        for now in (0..=2_000_000).step_by(1000) {
            out += drain(&mut lane, slow, now).0.len();
        }
        assert!((1990..=2010).contains(&out), "{out} bytes in two seconds at 1000 a second");
        assert_eq!(lane.held(), 5000 - out);
    }

    #[test]
    fn a_lane_is_full_where_its_rule_says_so() {
        let mut lane = Lane::default();
        assert_eq!(lane.room(rule("stall")), 0);
        lane.push(&[0; 1000], 0);
        assert_eq!(lane.room(rule("rate 1")), THROTTLED - 1000);
        assert_eq!(lane.room(rule("delay 1")), DELAYED - 1000);
        lane.push_end(0);
        assert_eq!(lane.room(rule("delay 1")), 0, "nothing comes after the end");
    }

    #[test]
    fn any_mix_of_rules_delivers_every_byte_once_in_order() {
        let mut seed = 7_u64;
        let mut random = |n: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % n
        };
        let rules = ["none", "delay 3", "rate 90000", "stall", "delay 1 rate 5000"].map(rule);
        let (mut lane, mut sent, mut got) = (Lane::default(), Vec::new(), Vec::new());
        for now in 0..20_000_u64 {
            let rule = rules[usize::try_from(random(5)).unwrap()];
            let piece: Vec<u8> = (0..random(40)).map(|n| (now + n) as u8).collect();
            lane.push(&piece, now * 500);
            sent.extend(piece);
            let count = match lane.next(rule, now * 500) {
                Out::Bytes(bytes) => {
                    let some = bytes.len().min(1 + usize::try_from(random(30)).unwrap());
                    got.extend_from_slice(&bytes[..some]);
                    some
                }
                _ => 0,
            };
            lane.taken(count);
        }
        got.extend(drain(&mut lane, Rule::default(), 1 << 50).0);
        assert!(sent == got && lane.is_empty());
    }
}
