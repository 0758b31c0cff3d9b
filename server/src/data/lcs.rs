//! The longest common subsequence of two strings, by the textbook matrix.

/// A stretch both strings share: first and last byte in each, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shared {
    /// In the first string.
    pub a: (usize, usize),
    /// In the second string.
    pub b: (usize, usize),
}

/// The lengths of the longest common subsequences of every prefix of `a` with every prefix of `b`.
#[derive(Debug)]
pub struct Lcs<'a> {
    a: &'a [u8],
    b: &'a [u8],
    lengths: Vec<u32>,
}

impl<'a> Lcs<'a> {
    /// The bytes the matrix takes; none if that is more than can be counted.
    #[must_use]
    pub fn cost(a: usize, b: usize) -> Option<usize> {
        a.checked_add(1)?.checked_mul(b.checked_add(1)?)?.checked_mul(size_of::<u32>())
    }

    /// Fills the matrix. The caller has looked at its [`Lcs::cost`].
    #[must_use]
    pub fn of(a: &'a [u8], b: &'a [u8]) -> Self {
        let mut lengths = vec![0; (a.len() + 1) * (b.len() + 1)];
        let width = b.len() + 1;
        for (row, x) in a.iter().enumerate() {
            let (above, below) = lengths.split_at_mut((row + 1) * width);
            let above = above.get(row * width..).unwrap_or_default();
            let mut left = 0;
            for ((y, cell), pair) in b.iter().zip(below.iter_mut().skip(1)).zip(above.windows(2)) {
                let &[diagonal, up] = pair else { continue };
                left = if x == y { diagonal + 1 } else { up.max(left) };
                *cell = left;
            }
        }
        Self { a, b, lengths }
    }

    fn at(&self, i: usize, j: usize) -> u32 {
        self.lengths.get(i * (self.b.len() + 1) + j).copied().unwrap_or(0)
    }

    /// Its length.
    #[must_use]
    pub fn length(&self) -> usize {
        usize::try_from(self.at(self.a.len(), self.b.len())).unwrap_or(usize::MAX)
    }

    /// The subsequence itself and the stretches it is made of, the last one first.
    #[must_use]
    pub fn trace(&self) -> (Vec<u8>, Vec<Shared>) {
        let mut text = Vec::with_capacity(self.length());
        let mut stretches: Vec<Shared> = Vec::new();
        let (mut i, mut j) = (self.a.len(), self.b.len());
        while let (Some(x), Some(y)) = (i.checked_sub(1), j.checked_sub(1)) {
            if let (Some(byte), true) = (self.a.get(x), self.a.get(x) == self.b.get(y)) {
                text.push(*byte);
                match stretches.last_mut() {
                    Some(last) if last.a.0 == i && last.b.0 == j => {
                        last.a.0 = x;
                        last.b.0 = y;
                    }
                    _ => stretches.push(Shared { a: (x, x), b: (y, y) }),
                }
                (i, j) = (x, y);
            } else if self.at(x, j) > self.at(i, y) {
                i = x;
            } else {
                j = y;
            }
        }
        text.reverse();
        (text, stretches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stretches_are_those_redis_finds() {
        let lcs = Lcs::of(b"ohmytext", b"mynewtext");
        assert_eq!(lcs.length(), 6);
        let (text, stretches) = lcs.trace();
        assert_eq!(text, b"mytext");
        assert_eq!(stretches, [Shared { a: (4, 7), b: (5, 8) }, Shared { a: (2, 3), b: (0, 1) }]);
    }

    proptest::proptest! {
        #[test]
        fn it_is_a_subsequence_of_both_and_as_long_as_it_says(a in "[ab]{0,9}", b in "[abc]{0,9}") {
            fn within(mut short: &[u8], long: &[u8]) -> bool {
                for byte in long {
                    if short.first() == Some(byte) {
                        short = &short[1..];
                    }
                }
                short.is_empty()
            }
            fn longest(a: &[u8], b: &[u8]) -> usize {
                match (a, b) {
                    ([x, a @ ..], [y, b @ ..]) if x == y => 1 + longest(a, b),
                    ([_, rest @ ..], [_, less @ ..]) => longest(rest, b).max(longest(a, less)),
                    _ => 0,
                }
            }
            let (a, b) = (a.as_bytes(), b.as_bytes());
            let lcs = Lcs::of(a, b);
            let (text, stretches) = lcs.trace();
            proptest::prop_assert!(within(&text, a) && within(&text, b));
            proptest::prop_assert_eq!(text.len(), longest(a, b));
            proptest::prop_assert_eq!(lcs.length(), text.len());
            let covered: usize = stretches.iter().map(|s| s.a.1 - s.a.0 + 1).sum();
            proptest::prop_assert_eq!(covered, text.len());
        }
    }
}
