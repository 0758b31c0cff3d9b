//! Strings as rows of bits: counting, searching, and integers of any width at any place.
//!
//! Bits are numbered as Redis numbers them: bit 0 is the highest bit of the first byte. Behind the end of a string there are
//! zeros.

/// What a [`Field`] does with a number that it cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// Keeps the lowest bits.
    Wrap,
    /// Holds the nearest number that it can.
    Saturate,
    /// Stays as it is.
    Fail,
}

/// An integer of 1 to 64 bits, 63 without a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Whether its highest bit is a sign.
    pub signed: bool,
    /// How many bits it has.
    pub bits: u32,
}

impl Field {
    /// The number at bit `offset` of a string.
    #[must_use]
    pub fn read(self, bytes: &[u8], offset: u64) -> i64 {
        let first = usize::try_from(offset / 8).unwrap_or(usize::MAX);
        let mut window = [0u8; 16];
        for (slot, byte) in window.iter_mut().zip(bytes.get(first..).unwrap_or_default().iter().take(9)) {
            *slot = *byte;
        }
        let raw = u128::from_be_bytes(window) << (offset % 8) >> (128 - self.bits);
        let raw = u64::try_from(raw).unwrap_or(0);
        if self.signed { sign_extend(raw, self.bits) } else { raw.cast_signed() }
    }

    /// Writes the lowest bits of a number at bit `offset`; what lies behind the end of the string is lost.
    pub fn write(self, bytes: &mut [u8], offset: u64, value: i64) {
        let first = usize::try_from(offset / 8).unwrap_or(usize::MAX);
        let mut window = [0u8; 16];
        let touched = bytes.get(first..).unwrap_or_default();
        for (slot, byte) in window.iter_mut().zip(touched.iter().take(9)) {
            *slot = *byte;
        }
        let below = 128 - self.bits - u32::try_from(offset % 8).unwrap_or(0);
        let mask = (u128::MAX >> (128 - self.bits)) << below;
        let placed = (u128::from(value.cast_unsigned()) << below) & mask;
        let window = (u128::from_be_bytes(window) & !mask | placed).to_be_bytes();
        for (byte, new) in bytes.get_mut(first..).unwrap_or_default().iter_mut().zip(&window[..9]) {
            *byte = *new;
        }
    }

    /// What the field holds after `value + more` was put into it; `None` when it then stays as it is. `value` need not fit.
    #[must_use]
    pub fn sum(self, value: i64, more: i64, overflow: Overflow) -> Option<i64> {
        let (least, most) = if self.signed {
            (-(1i128 << (self.bits - 1)), (1i128 << (self.bits - 1)) - 1)
        } else {
            (0, (1i128 << self.bits) - 1)
        };
        // A number without a sign is given as the 64 bits that hold it.
        let start = if self.signed { i128::from(value) } else { i128::from(value.cast_unsigned()) };
        let exact = start + i128::from(more);
        let fits = i64::try_from(exact).ok().filter(|_| (least..=most).contains(&exact));
        match overflow {
            _ if fits.is_some() => fits,
            Overflow::Fail => None,
            Overflow::Saturate => i64::try_from(if exact > most { most } else { least }).ok(),
            Overflow::Wrap => {
                let kept = value.wrapping_add(more).cast_unsigned() << (64 - self.bits) >> (64 - self.bits);
                Some(if self.signed { sign_extend(kept, self.bits) } else { kept.cast_signed() })
            }
        }
    }
}

/// The number whose lowest `bits` bits these are, the highest of them being its sign.
fn sign_extend(raw: u64, bits: u32) -> i64 {
    (raw << (64 - bits)).cast_signed() >> (64 - bits)
}

/// The bit at an offset.
#[must_use]
pub fn bit(bytes: &[u8], offset: u64) -> bool {
    let byte = usize::try_from(offset / 8).ok().and_then(|at| bytes.get(at)).copied().unwrap_or(0);
    byte & mask(offset) != 0
}

/// The bit of its byte that an offset names.
#[must_use]
pub fn mask(offset: u64) -> u8 {
    0x80 >> (offset % 8)
}

/// How many bits from `first` to `last`, both included, are set.
#[must_use]
pub fn count(bytes: &[u8], first: u64, last: u64) -> u64 {
    let (Ok(from), Ok(to)) = (usize::try_from(first / 8), usize::try_from(last / 8)) else { return 0 };
    let Some(part) = bytes.get(from..).map(|rest| rest.get(..=to.saturating_sub(from)).unwrap_or(rest))
    else {
        return 0;
    };
    if first > last {
        return 0;
    }
    let (words, rest) = part.as_chunks::<8>();
    let whole: u64 = words.iter().map(|word| u64::from(u64::from_ne_bytes(*word).count_ones())).sum();
    let whole = whole + rest.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>();
    let before = part.first().map_or(0, |byte| (byte & !(0xff >> (first % 8))).count_ones());
    let behind =
        bytes.get(to).map_or(0, |byte| (byte & !(0xff00u16 >> (last % 8 + 1)).to_le_bytes()[0]).count_ones());
    whole - u64::from(before) - u64::from(behind)
}

/// The first bit from `first` to `last`, both included, that is `wanted`.
#[must_use]
pub fn find(bytes: &[u8], wanted: bool, first: u64, last: u64) -> Option<u64> {
    let (from, to) = (usize::try_from(first / 8).ok()?, usize::try_from(last / 8).ok()?);
    let part = bytes.get(from..).map(|rest| rest.get(..=to.saturating_sub(from)).unwrap_or(rest))?;
    let dull = if wanted { 0x00u8 } else { 0xff };
    // In the first byte, the bits before the range are made dull.
    let before: u8 = !(0xff >> (first % 8));
    let head = part.first().map(|byte| if wanted { byte & !before } else { byte | before })?;
    let (at, byte) = if head == dull {
        let rest = part.get(1..)?;
        let (words, _) = rest.as_chunks::<8>();
        let dull_words = words.iter().take_while(|word| **word == [dull; 8]).count() * 8;
        let at = dull_words + rest.get(dull_words..)?.iter().position(|byte| *byte != dull)?;
        (at + 1, *rest.get(at)?)
    } else {
        (0, head)
    };
    let in_byte = if wanted { byte.leading_zeros() } else { byte.leading_ones() };
    let found = (from as u64 + at as u64) * 8 + u64::from(in_byte);
    (found <= last).then_some(found)
}

/// How BITOP joins strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// Bits set in all.
    And,
    /// Bits set in any.
    Or,
    /// Bits set in an odd number of them.
    Xor,
}

/// Joins a string to `sum`, which becomes as long as the longer of the two.
pub fn join(how: Join, sum: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.len() > sum.len() {
        sum.resize(bytes.len(), 0);
    }
    let (shared, rest) = sum.split_at_mut(bytes.len());
    let pairs = shared.iter_mut().zip(bytes);
    match how {
        Join::And => {
            pairs.for_each(|(mine, other)| *mine &= other);
            rest.fill(0);
        }
        Join::Or => pairs.for_each(|(mine, other)| *mine |= other),
        Join::Xor => pairs.for_each(|(mine, other)| *mine ^= other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Rng;

    /// A string as single bits.
    fn spelled(bytes: &[u8]) -> Vec<bool> {
        (0..bytes.len() as u64 * 8).map(|offset| bit(bytes, offset)).collect()
    }

    fn random_bytes(rng: &mut Rng, most: u64) -> Vec<u8> {
        let plain = rng.below(3);
        let byte = |rng: &mut Rng| match plain {
            0 => 0x00,
            1 => 0xff,
            _ => u8::try_from(rng.below(256)).unwrap_or(0),
        };
        let mut bytes: Vec<u8> = (0..rng.below(most)).map(|_| byte(rng)).collect();
        if let Some(last) = bytes.last_mut() {
            *last ^= u8::try_from(rng.below(4)).unwrap_or(0);
        }
        bytes
    }

    #[test]
    fn counting_and_searching_agree_with_a_walk_over_single_bits() {
        let mut rng = Rng::new(1);
        for _ in 0..4000 {
            let bytes = random_bytes(&mut rng, 40);
            let all = spelled(&bytes);
            let len = all.len() as u64;
            let (first, last) = (rng.below(len + 9), rng.below(len + 9));
            let range = || {
                let counted = (0u64..).zip(&all);
                counted.filter(move |(at, _)| (first..=last).contains(at))
            };
            assert_eq!(count(&bytes, first, last), range().filter(|(_, bit)| **bit).count() as u64);
            if first <= last {
                for wanted in [false, true] {
                    let naive = range().find(|(_, bit)| **bit == wanted).map(|(at, _)| at);
                    assert_eq!(find(&bytes, wanted, first, last), naive, "{bytes:?} {first} {last}");
                }
            }
        }
    }

    #[test]
    fn a_field_reads_what_was_written_and_leaves_its_neighbours_alone() {
        let mut rng = Rng::new(2);
        for _ in 0..4000 {
            let mut bytes = random_bytes(&mut rng, 40);
            bytes.resize(bytes.len() + 9, 0x5a);
            let signed = rng.below(2) == 0;
            let bits = u32::try_from(1 + rng.below(if signed { 64 } else { 63 })).unwrap_or(1);
            let field = Field { signed, bits };
            let offset = rng.below(bytes.len() as u64 * 8 - u64::from(bits) + 1);
            let value = rng.draw().cast_signed();
            let before = spelled(&bytes);
            field.write(&mut bytes, offset, value);
            let held = field.sum(value, 0, Overflow::Wrap);
            assert_eq!(Some(field.read(&bytes, offset)), held);
            for (at, (old, new)) in (0u64..).zip(before.iter().zip(spelled(&bytes))) {
                assert!(*old == new || (offset..offset + u64::from(bits)).contains(&at));
            }
        }
    }

    #[test]
    fn a_number_too_large_wraps_stays_at_the_border_or_fails() {
        let (byte, small) = (Field { signed: true, bits: 8 }, Field { signed: false, bits: 2 });
        let wide = Field { signed: true, bits: 64 };
        let all = |field: Field, value, more| {
            [Overflow::Wrap, Overflow::Saturate, Overflow::Fail].map(|how| field.sum(value, more, how))
        };
        assert_eq!(all(byte, 127, 1), [Some(-128), Some(127), None]);
        assert_eq!(all(byte, -128, -1), [Some(127), Some(-128), None]);
        assert_eq!(all(byte, 100, 27), [Some(127); 3]);
        assert_eq!(all(small, 3, 1), [Some(0), Some(3), None]);
        assert_eq!(all(small, 0, -1), [Some(3), Some(0), None]);
        assert_eq!(all(small, -1, 0), [Some(3), Some(3), None]);
        assert_eq!(all(wide, i64::MAX, 1), [Some(i64::MIN), Some(i64::MAX), None]);
        assert_eq!(all(wide, i64::MIN, -1), [Some(i64::MAX), Some(i64::MIN), None]);
    }

    #[test]
    fn strings_of_different_length_are_joined_as_if_padded_with_zeros() {
        let joined = |how, parts: [&[u8]; 2]| {
            let mut sum = parts[0].to_vec();
            join(how, &mut sum, parts[1]);
            sum
        };
        assert_eq!(joined(Join::And, [b"\xff\xf0", b"\x0f"]), b"\x0f\x00");
        assert_eq!(joined(Join::Or, [b"\x0f", b"\xf0\x01"]), b"\xff\x01");
        assert_eq!(joined(Join::Xor, [b"\xff\xf0", b"\x0f"]), b"\xf0\xf0");
    }
}
