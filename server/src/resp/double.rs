//! Doubles as Redis 7.2 prints and reads them.
//!
//! What is whole and below 2^62 is printed as an integer; anything else with the fewest digits that read back as the same number,
//! with an exponent only where the digits would stand far from the point.

/// The longest text: a sign, 17 digits and zeros on one side of them.
const TEXT_MAX: usize = 32;
/// From here on (either sign) a whole number is printed by its digits: half of what fits an `i64`.
const WHOLE: f64 = 4_611_686_018_427_387_904.0;

/// The text of a double.
#[derive(Debug, Clone, Copy)]
pub struct Printed {
    bytes: [u8; TEXT_MAX],
    len: usize,
}

impl Printed {
    /// `3`, `3.25`, `-inf`, `1e+30`, `nan`.
    #[must_use]
    pub fn new(value: f64) -> Self {
        let mut text = Self { bytes: [0; TEXT_MAX], len: 0 };
        if let Some(whole) = whole(value) {
            text.push(itoa::Buffer::new().format(whole).as_bytes());
        } else {
            text.finish_digits(value);
        }
        text
    }

    /// As [`Printed::new`], whole numbers by their digits too: 1e20 and 2^53 have an exponent or not by the same rule. DEBUG DIGEST
    /// mixes this text.
    #[must_use]
    pub fn by_digits(value: f64) -> Self {
        let mut text = Self { bytes: [0; TEXT_MAX], len: 0 };
        text.finish_digits(value);
        text
    }

    /// With 17 digits but no zeros at the end (`%.17g`): what a walk over a large sorted set shows.
    #[must_use]
    pub fn seventeen(value: f64) -> Self {
        let mut text = Self { bytes: [0; TEXT_MAX], len: 0 };
        if value.is_nan() || value.is_infinite() || value == 0.0 {
            text.finish_digits(value);
            return text;
        }
        let written = format!("{:.16e}", value.abs());
        let Digits { bytes, count, exponent } = Digits::of(written.as_bytes());
        let digits = &bytes[..count];
        let first = exponent + i32::try_from(count).unwrap_or(0) - 1;
        if value < 0.0 {
            text.push(b"-");
        }
        if (-4..17).contains(&first) {
            text.plain(digits, exponent);
        } else {
            text.scientific(digits, first, 2);
        }
        text
    }

    /// With up to 17 decimals and never an exponent: a coordinate. Numbers of more than ten digits before the point are cut short.
    #[must_use]
    pub fn decimals(value: f64) -> Self {
        let mut text = Self { bytes: [0; TEXT_MAX], len: 0 };
        let written = format!("{value:.17}");
        let short = written.trim_end_matches('0').trim_end_matches('.');
        text.push(if short == "-0" { b"0" } else { short.as_bytes() });
        text
    }

    /// The text.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn push(&mut self, more: &[u8]) {
        let end = (self.len + more.len()).min(TEXT_MAX);
        self.bytes[self.len..end].copy_from_slice(&more[..end - self.len]);
        self.len = end;
    }

    fn zeros(&mut self, count: usize) {
        for _ in 0..count {
            self.push(b"0");
        }
    }

    fn finish_digits(&mut self, value: f64) {
        if value.is_nan() {
            return self.push(b"nan");
        }
        if value.is_sign_negative() {
            self.push(b"-");
        }
        if value.is_infinite() {
            return self.push(b"inf");
        }
        if value == 0.0 {
            return self.push(b"0");
        }
        let mut buffer = zmij::Buffer::new();
        let shortest = buffer.format_finite(value.abs());
        let Digits { bytes, count, exponent } = Digits::of(shortest.as_bytes());
        let digits = &bytes[..count];
        // The power of ten of the first digit.
        let first = exponent + i32::try_from(count).unwrap_or(0) - 1;
        let near = exponent >= 0 && usize::try_from(first).is_ok_and(|first| first < count + 7);
        if near || exponent < 0 && (exponent > -7 || first.abs() < 4) {
            self.plain(digits, exponent);
        } else {
            self.scientific(digits, first, 1);
        }
    }

    /// Digits times a power of ten, with zeros for what they leave open.
    fn plain(&mut self, digits: &[u8], exponent: i32) {
        let size = usize::try_from(exponent.unsigned_abs()).unwrap_or(0);
        if exponent >= 0 {
            self.push(digits);
            self.zeros(size);
        } else if size >= digits.len() {
            self.push(b"0.");
            self.zeros(size - digits.len());
            self.push(digits);
        } else {
            let (before, behind) = digits.split_at(digits.len() - size);
            self.push(before);
            self.push(b".");
            self.push(behind);
        }
    }

    /// Digits with the power of ten of the first, which has a number of digits at least.
    fn scientific(&mut self, digits: &[u8], exponent: i32, least: usize) {
        let (first, rest) = digits.split_at(1);
        self.push(first);
        if !rest.is_empty() {
            self.push(b".");
            self.push(rest);
        }
        self.push(if exponent < 0 { b"e-" } else { b"e+" });
        let mut buffer = itoa::Buffer::new();
        let power = buffer.format(exponent.unsigned_abs()).as_bytes();
        self.zeros(least.saturating_sub(power.len()));
        self.push(power);
    }
}

/// The integer that a double is, if it is one that is printed as such.
#[must_use]
pub fn whole(value: f64) -> Option<i64> {
    if value.is_nan() || value.abs() > WHOLE {
        return None;
    }
    if value == 0.0 {
        return (!value.is_sign_negative()).then_some(0);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "within the bounds, and compared with what it came from"
    )]
    let number = value as i64;
    #[expect(clippy::cast_precision_loss, reason = "a number that loses something is not equal")]
    let same = number as f64 == value;
    same.then_some(number)
}

/// A positive number as digits without zeros on either side, times a power of ten.
struct Digits {
    bytes: [u8; TEXT_MAX],
    count: usize,
    exponent: i32,
}

impl Digits {
    /// Reads `123.25`, `0.001`, `1e20`, `1.5e-7`.
    fn of(text: &[u8]) -> Self {
        let mut digits = Self { bytes: [0; TEXT_MAX], count: 0, exponent: 0 };
        let mut behind_point = false;
        for (at, &byte) in text.iter().enumerate() {
            match byte {
                b'.' => behind_point = true,
                b'0'..=b'9' => {
                    digits.exponent -= i32::from(behind_point);
                    if (digits.count > 0 || byte != b'0') && digits.count < TEXT_MAX {
                        digits.bytes[digits.count] = byte;
                        digits.count += 1;
                    }
                }
                _ => {
                    let power = str::from_utf8(&text[at + 1..]).ok().and_then(|text| text.parse().ok());
                    digits.exponent += power.unwrap_or(0);
                    break;
                }
            }
        }
        while digits.count > 1 && digits.bytes[digits.count - 1] == b'0' {
            digits.count -= 1;
            digits.exponent += 1;
        }
        digits
    }
}

/// Reads a double that an argument must be (`getDoubleFromObject`): `inf`, signs, exponents; no spaces, no NaN, and nothing that
/// is too large or too small for a double.
#[must_use]
pub fn parse(text: &[u8]) -> Option<f64> {
    if text.is_empty() {
        return None;
    }
    // What most scores are: up to 15 digits, which a double holds exactly.
    if text.len() <= 15 && text.iter().all(u8::is_ascii_digit) {
        let number = text.iter().fold(0u64, |number, digit| number * 10 + u64::from(digit - b'0'));
        #[expect(clippy::cast_precision_loss, reason = "15 digits")]
        return Some(number as f64);
    }
    let value = unbounded(text)?;
    let named = text.iter().any(|byte| matches!(byte, b'i' | b'I'));
    let nonzero = || {
        let mantissa = text.iter().take_while(|byte| !matches!(byte, b'e' | b'E'));
        mantissa.into_iter().any(|byte| matches!(byte, b'1'..=b'9'))
    };
    let out_of_range = (value.is_infinite() && !named) || (value == 0.0 && nonzero());
    (!out_of_range).then_some(value)
}

/// Reads the bound of a range (`strtod`): as [`parse`], but spaces may stand before it, nothing at all is zero, and what is too
/// large is infinite.
#[must_use]
pub fn parse_bound(text: &[u8]) -> Option<f64> {
    if text.is_empty() {
        return Some(0.0);
    }
    unbounded(text.trim_ascii_start())
}

fn unbounded(text: &[u8]) -> Option<f64> {
    let value: f64 = str::from_utf8(text).ok()?.parse().ok()?;
    (!value.is_nan()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(value: f64) -> String {
        String::from_utf8(Printed::new(value).as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn numbers_are_printed_as_redis_prints_them() {
        for (value, want) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (3.0, "3"),
            (-17.0, "-17"),
            (3.1, "3.1"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e-5, "0.00001"),
            (1e-7, "1e-7"),
            (1.5e-6, "1.5e-6"),
            (1.234_567_89e-5, "1.23456789e-5"),
            (0.001_234_567_89, "0.00123456789"),
            (123_456.789, "123456.789"),
            (4_611_686_018_427_387_904.0, "4611686018427387904"),
            (9.3e18, "9.3e+18"),
            (1e20, "1e+20"),
            (1.234_567_890_123_456_7e20, "123456789012345670000"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (5e-324, "5e-324"),
            (-2.5, "-2.5"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ] {
            assert_eq!(printed(value), want);
        }
        for (value, want) in [
            (3.1, "3.1000000000000001"),
            (0.5, "0.5"),
            (-1e20, "-1e+20"),
            (1e16, "10000000000000000"),
            (1e17, "1e+17"),
            (1e-5, "1.0000000000000001e-05"),
            (0.0001, "0.0001"),
            (f64::INFINITY, "inf"),
            (0.0, "0"),
        ] {
            assert_eq!(Printed::seventeen(value).as_bytes(), want.as_bytes());
        }
        for (value, want) in [(13.5, "13.5"), (-0.0, "0"), (0.1, "0.10000000000000001"), (-180.0, "-180")] {
            assert_eq!(Printed::decimals(value).as_bytes(), want.as_bytes());
        }
        assert_eq!(Printed::by_digits(3.0).as_bytes(), b"3");
        assert_eq!(Printed::by_digits(1e9).as_bytes(), b"1e+9");
    }

    #[test]
    fn an_argument_is_a_number_that_a_double_can_hold() {
        for text in ["", " 1", "1 ", "nan", "1e400", "-1e400", "1e-400", "abc", "1,5", "(1"] {
            assert_eq!(parse(text.as_bytes()), None, "{text:?}");
        }
        for (text, want) in
            [("1", 1.0), ("+2.5", 2.5), (".5", 0.5), ("5.", 5.0), ("-1e3", -1000.0), ("0e999", 0.0)]
        {
            assert_eq!(parse(text.as_bytes()), Some(want), "{text:?}");
        }
        for text in ["inf", "+inf", "INF", "Infinity", "+Infinity"] {
            assert_eq!(parse(text.as_bytes()), Some(f64::INFINITY), "{text:?}");
        }
        assert_eq!(parse_bound(b""), Some(0.0));
        assert_eq!(parse_bound(b" 1e400"), Some(f64::INFINITY));
        assert_eq!((parse_bound(b" "), parse_bound(b"nan"), parse_bound(b"1 ")), (None, None, None));
    }

    proptest::proptest! {
        #[test]
        fn what_is_printed_reads_back_the_same(bits in proptest::num::u64::ANY) {
            let value = f64::from_bits(bits);
            if !value.is_nan() {
                proptest::prop_assert_eq!(parse(printed(value).as_bytes()), Some(value));
                proptest::prop_assert_eq!(parse(Printed::by_digits(value).as_bytes()), Some(value));
            }
        }
    }
}
