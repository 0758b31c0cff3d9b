//! Decimal numbers for INCRBYFLOAT, added exactly: 3.0 and 1.1 make 4.1.
//!
//! Redis adds in the processor's 80-bit floats and prints 17 decimals; what it prints therefore differs from machine to machine.
//! Here a number is a row of decimal digits with a fixed point, so a sum is exact, and the same everywhere. Where 80 bits have
//! digits to spare (numbers of fewer than about 19 digits) both print the same.
//!
//! Sizes are bounded before anything is allocated: at most [`WHOLE`] digits before the point, as the largest 80-bit float has, and
//! [`KEPT`] behind it. Digits further down are dropped.

use std::cmp::Ordering;

/// Digits before the point: the largest 80-bit float has 4933.
const WHOLE: usize = 4933;
/// Digits kept behind the point, three more than are printed.
const KEPT: usize = 20;
/// Digits printed behind the point.
const SHOWN: usize = 17;
/// Longest text read as a number.
const TEXT: usize = 5 * 1024;

/// A decimal number, or an infinity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decimal {
    /// A finite number.
    Finite(Fixed),
    /// `inf` or `-inf`: it can be written, and no sum with it can be.
    Infinite,
}

/// A finite number: digits with the lowest first, the lowest worth 10⁻²⁰; none at the top is zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fixed {
    negative: bool,
    digits: Vec<u8>,
}

impl Decimal {
    /// Reads what `strtold` reads, except hexadecimal; nothing may stand before or behind the number.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() >= TEXT {
            return None;
        }
        let (negative, rest) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        if rest.eq_ignore_ascii_case(b"inf") || rest.eq_ignore_ascii_case(b"infinity") {
            return Some(Self::Infinite);
        }
        let digits = digits_of(rest)?;
        Some(Self::Finite(Fixed { negative, digits }))
    }

    /// The sum; none if it is not a finite number of at most [`WHOLE`] whole digits.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Option<Fixed> {
        let (Self::Finite(a), Self::Finite(b)) = (self, other) else { return None };
        let sum = a.plus(b);
        (sum.digits.len() <= WHOLE + KEPT).then_some(sum)
    }
}

impl Fixed {
    fn plus(&self, other: &Self) -> Self {
        let (negative, digits) = if self.negative == other.negative {
            (self.negative, add(&self.digits, &other.digits))
        } else if compare(&self.digits, &other.digits) == Ordering::Less {
            (other.negative, subtract(&other.digits, &self.digits))
        } else {
            (self.negative, subtract(&self.digits, &other.digits))
        };
        Self { negative, digits }
    }

    /// Written with up to 17 decimals, rounded half up, no zeros at the end, and no `-0`.
    #[must_use]
    pub fn print(&self) -> Vec<u8> {
        let dropped = KEPT - SHOWN;
        let rest = self.digits.get(dropped..).unwrap_or_default();
        let round =
            dropped.checked_sub(1).and_then(|at| self.digits.get(at)).is_some_and(|&digit| digit >= 5);
        let digits = if round { add(rest, &[1]) } else { rest.to_vec() };
        let mut out = Vec::with_capacity(digits.len() + 3);
        if self.negative && !digits.is_empty() {
            out.push(b'-');
        }
        let whole = digits.get(SHOWN..).unwrap_or_default();
        if whole.is_empty() {
            out.push(b'0');
        }
        out.extend(whole.iter().rev().map(|digit| b'0' + digit));
        let lowest = digits.iter().take(SHOWN).position(|&digit| digit != 0);
        if let Some(lowest) = lowest {
            out.push(b'.');
            out.extend((lowest..SHOWN).rev().map(|at| b'0' + digits.get(at).copied().unwrap_or(0)));
        }
        out
    }
}

/// The digits of an unsigned number in decimal notation, lowest first, aligned to 10⁻²⁰.
fn digits_of(text: &[u8]) -> Option<Vec<u8>> {
    let (mantissa, exponent) = match text.iter().position(|byte| byte.eq_ignore_ascii_case(&b'e')) {
        Some(at) => (text.get(..at)?, exponent_of(text.get(at + 1..)?)?),
        None => (text, 0),
    };
    let mut parts = mantissa.splitn(2, |&byte| byte == b'.');
    let (whole, fraction) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let all_digits = whole.iter().chain(fraction).all(u8::is_ascii_digit);
    if !all_digits || whole.len() + fraction.len() == 0 {
        return None;
    }
    // How much the lowest digit of the mantissa is worth, as a power of ten above 10⁻²⁰.
    let shift = exponent.saturating_sub(i64::try_from(fraction.len()).ok()?).saturating_add(KEPT as i64);
    let mut digits: Vec<u8> =
        fraction.iter().rev().chain(whole.iter().rev()).map(|byte| byte - b'0').collect();
    trim(&mut digits);
    if digits.is_empty() {
        return Some(digits);
    }
    if shift < 0 {
        let lost = usize::try_from(shift.unsigned_abs()).unwrap_or(usize::MAX).min(digits.len());
        digits.drain(..lost);
        return Some(digits);
    }
    let shift = usize::try_from(shift).ok().filter(|shift| shift + digits.len() <= WHOLE + KEPT)?;
    digits.splice(0..0, std::iter::repeat_n(0, shift));
    Some(digits)
}

/// The number behind an `e`, with a sign or without; saturating.
fn exponent_of(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // A million is past every bound; more would only invite overflow.
    let value = digits.iter().fold(0_i64, |sum, digit| (sum * 10 + i64::from(digit - b'0')).min(1_000_000));
    Some(if negative { -value } else { value })
}

fn trim(digits: &mut Vec<u8>) {
    while digits.last() == Some(&0) {
        digits.pop();
    }
}

fn compare(a: &[u8], b: &[u8]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.iter().rev().cmp(b.iter().rev()))
}

fn add(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(a.len().max(b.len()) + 1);
    let mut carry = 0;
    for at in 0..a.len().max(b.len()) {
        let sum = a.get(at).unwrap_or(&0) + b.get(at).unwrap_or(&0) + carry;
        carry = sum / 10;
        out.push(sum % 10);
    }
    out.push(carry);
    trim(&mut out);
    out
}

/// `a - b`, where `a` is not the smaller one.
fn subtract(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(a.len());
    let mut borrow = 0;
    for (at, digit) in a.iter().enumerate() {
        let take = b.get(at).unwrap_or(&0) + borrow;
        borrow = u8::from(*digit < take);
        out.push(digit + 10 * borrow - take);
    }
    trim(&mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(a: &str, b: &str) -> String {
        let (a, b) = (Decimal::parse(a.as_bytes()), Decimal::parse(b.as_bytes()));
        let (Some(a), Some(b)) = (a, b) else { return "not a float".to_owned() };
        match a.plus(&b) {
            Some(sum) => String::from_utf8(sum.print()).unwrap(),
            None => "infinite".to_owned(),
        }
    }

    #[test]
    fn sums_are_exact_and_printed_short() {
        for (a, b, wanted) in [
            ("3.0", "1.1", "4.1"),
            ("10.5", "0.1", "10.6"),
            ("5.0e3", "2.0e2", "5200"),
            ("0.1", "0.2", "0.3"),
            ("1", "-1", "0"),
            ("-1", "0.5", "-0.5"),
            ("-0.0", "0", "0"),
            ("1", "-2.5", "-1.5"),
            ("999.99", "0.01", "1000"),
            (".5", "5.", "5.5"),
            ("1e-3", "0", "0.001"),
            ("1e-17", "0", "0.00000000000000001"),
            ("1e-18", "0", "0"),
            ("-1e-18", "0", "0"),
            ("6e-18", "0", "0.00000000000000001"),
            ("99999999999999999999", "1", "100000000000000000000"),
            ("+2", "2E0", "4"),
            ("0e999999999999", "1", "1"),
            ("1e-999999999999", "1", "1"),
            ("inf", "1", "infinite"),
            ("-Infinity", "inf", "infinite"),
        ] {
            assert_eq!(sum(a, b), wanted, "{a} + {b}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in
            ["", " 1", "1 ", "abc", "1e", "1e+", ".", "1.2.3", "--1", "nan", "e5", "1e5.0", "+", "0x10"]
        {
            assert_eq!(Decimal::parse(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn the_size_of_a_number_is_bounded() {
        assert_eq!(sum("1e308", "1").len(), 309);
        assert_eq!(sum("1e4932", "0").len(), 4933);
        assert_eq!(sum("1e4933", "0"), "not a float");
        assert_eq!(sum("1e999999999999999999999", "0"), "not a float");
        assert_eq!(sum("9e4932", "9e4932"), "infinite");
        assert_eq!(Decimal::parse(&[b'1'; TEXT]), None);
        assert_eq!(
            Decimal::parse(&[b'0'; TEXT - 1]).map(|zero| zero.plus(&zero).unwrap().print()),
            Some(b"0".to_vec())
        );
    }

    proptest::proptest! {
        #[test]
        fn integers_add_as_integers_do(a in -1_000_000_000_000_i64..1_000_000_000_000, b in proptest::num::i32::ANY) {
            let wanted = (a + i64::from(b)).to_string();
            proptest::prop_assert_eq!(sum(&a.to_string(), &b.to_string()), wanted);
        }

        #[test]
        fn what_is_printed_reads_back_the_same(text in "-?[0-9]{1,30}(\\.[0-9]{1,17})?") {
            let once = sum(&text, "0");
            proptest::prop_assert_eq!(sum(&once, "0"), once);
        }
    }
}
