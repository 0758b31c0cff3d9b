//! Figures and times as they are written for people and for JSON.

use serde::{Serialize, Serializer};

/// `48211` as `48,211`.
#[must_use]
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes with a unit of 1024, one digit behind the point while the figure is short: `812B`, `1.9M`, `100M`.
#[must_use]
pub fn size(bytes: u64) -> String {
    let mut whole = bytes;
    let mut rest = 0;
    let mut units = ["B", "K", "M", "G"].into_iter();
    let unit = loop {
        match units.next() {
            Some(unit) if whole < 1024 => break unit,
            Some(_) => (whole, rest) = (whole / 1024, whole % 1024),
            None => break "T",
        }
    };
    match (unit, whole) {
        ("B", _) | (_, 100..) => format!("{whole}{unit}"),
        _ => format!("{whole}.{}{unit}", rest * 10 / 1024),
    }
}

/// Seconds as people say them: `12 s`, `5 min`, `3 h`, `2 d`.
#[must_use]
pub fn duration(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Milliseconds since the Unix epoch as RFC 3339 in UTC; `None` beyond the year 9999.
#[must_use]
pub fn rfc3339(unix_ms: u64) -> Option<String> {
    let timestamp = jiff::Timestamp::from_millisecond(i64::try_from(unix_ms).ok()?).ok()?;
    Some(format!("{timestamp:.3}"))
}

/// For serde: a moment as RFC 3339.
pub(super) fn moment<S: Serializer>(unix_ms: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    rfc3339(*unix_ms).serialize(serializer)
}

/// For serde: a moment that may be unknown.
pub(super) fn moment_or_null<S: Serializer>(unix_ms: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    unix_ms.and_then(rfc3339).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_exact_where_they_can_be() {
        for (n, want) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (48_211, "48,211"), (1_234_567, "1,234,567")]
        {
            assert_eq!(grouped(n), want);
        }
        for (n, want) in [
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1.0K"),
            (16_384, "16.0K"),
            (2_000_000, "1.9M"),
            (104_857_600, "100M"),
            (u64::MAX, "16777215T"),
        ] {
            assert_eq!(size(n), want);
        }
        assert_eq!(
            (duration(12), duration(300), duration(10_800)),
            ("12 s".into(), "5 min".into(), "3 h".into())
        );
    }

    #[test]
    fn moments_are_rfc_3339() {
        assert_eq!(rfc3339(1_700_000_000_123).as_deref(), Some("2023-11-14T22:13:20.123Z"));
        assert_eq!(rfc3339(u64::MAX), None);
    }
}
