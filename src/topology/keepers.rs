//! `[sentinel]` and `[autofailover]`: who looks after the masters. At most one of the two.

use toml::de::{DeTable, DeValue};

use super::file::{At, RawFile, integer, unknown_key, wrong_type};
use super::problem::Report;
use super::{Autofailover, Sentinel};

/// How long a master may be away where the file does not say, in milliseconds.
const DOWN_AFTER_MS: u64 = 1_000;
/// The most Sentinels of one set.
const SENTINELS_MAX: i64 = 9;

/// A `[sentinel]` or `[autofailover]` table.
#[derive(Debug, Default)]
pub(super) struct RawKeeper {
    /// Where its table starts.
    pub(super) at: usize,
    /// `count`, `quorum`, `port`.
    pub(super) numbers: Vec<(String, At<i64>)>,
    pub(super) down_after: Option<At<String>>,
}

/// Reads a `[sentinel]` table.
pub(super) fn sentinel_table(table: &DeTable<'_>, at: usize, report: &mut Report<'_>) -> RawKeeper {
    keeper(table, at, &["count", "quorum", "port", "down-after"], report)
}

/// Reads an `[autofailover]` table.
pub(super) fn autofailover_table(table: &DeTable<'_>, at: usize, report: &mut Report<'_>) -> RawKeeper {
    keeper(table, at, &["down-after"], report)
}

/// Judges both tables. `ports` are the nodes' own.
pub(super) fn judge(
    raw: &RawFile,
    ports: &[Option<u16>],
    report: &mut Report<'_>,
) -> (Option<Sentinel>, Option<Autofailover>) {
    if let (Some(sentinel), Some(auto)) = (&raw.sentinel, &raw.autofailover) {
        let at = sentinel.at.max(auto.at);
        report.problem(at, None, "[sentinel] and [autofailover] would both promote: keep one of them", "");
    }
    let auto = raw.autofailover.as_ref().map(|raw| Autofailover { down_after_ms: down_after(raw, report) });
    (raw.sentinel.as_ref().and_then(|raw| sentinel(raw, ports, report)), auto)
}

fn sentinel(raw: &RawKeeper, ports: &[Option<u16>], report: &mut Report<'_>) -> Option<Sentinel> {
    let count = number(raw, "count", 3, 1..=SENTINELS_MAX, report)?;
    let quorum = number(raw, "quorum", i64::from(count / 2 + 1), 1..=i64::from(count), report)?;
    let port = number(raw, "port", 26_379, 1024..=i64::from(u16::MAX - count), report)?;
    let taken = ports.iter().flatten().find(|taken| (port..port + count).contains(taken));
    if let Some(taken) = taken {
        let what = format!("a Sentinel would listen on {taken}, which is a node's port");
        report.problem(raw.at, None, what, "port = 27379");
    }
    Some(Sentinel { count, quorum, port, down_after_ms: down_after(raw, report) })
}

fn number(
    raw: &RawKeeper,
    key: &str,
    default: i64,
    range: std::ops::RangeInclusive<i64>,
    report: &mut Report<'_>,
) -> Option<u16> {
    let typed = raw.numbers.iter().find(|(name, _)| name == key).map(|(_, typed)| typed);
    let value = typed.map_or(default, |typed| typed.value);
    if !range.contains(&value) {
        let at = typed.map_or(raw.at, |typed| typed.at);
        let what = format!("{key} is a number from {} to {}", range.start(), range.end());
        report.problem(at, None, what, format!("{key} = {}", default.clamp(*range.start(), *range.end())));
        return None;
    }
    u16::try_from(value).ok()
}

fn down_after(raw: &RawKeeper, report: &mut Report<'_>) -> u64 {
    let Some(At { value, at }) = &raw.down_after else { return DOWN_AFTER_MS };
    let ms = milliseconds(value).filter(|ms| (50..=600_000).contains(ms));
    ms.unwrap_or_else(|| {
        report.problem(*at, None, "down-after is a time from 50ms to 10m", "down-after = \"1s\"");
        DOWN_AFTER_MS
    })
}

/// `[sentinel]` and `[autofailover]`: numbers, and a time.
fn keeper(table: &DeTable<'_>, at: usize, known: &[&str], report: &mut Report<'_>) -> RawKeeper {
    let mut raw = RawKeeper { at, ..RawKeeper::default() };
    for (key, value) in table {
        let (name, spot) = (key.get_ref().as_ref(), value.span().start);
        match (name, value.get_ref()) {
            (name, _) if !known.contains(&name) => unknown_key(report, key.span().start, None, name, known),
            ("down-after", DeValue::String(text)) => {
                raw.down_after = Some(At { value: text.to_string(), at: spot });
            }
            ("down-after", other) => wrong_type(report, spot, None, name, "a time such as \"1s\"", other),
            (name, number @ DeValue::Integer(_)) => {
                let value = integer(number).unwrap_or(i64::MAX);
                raw.numbers.push((name.to_owned(), At { value, at: spot }));
            }
            (name, other) => wrong_type(report, spot, None, name, "a number", other),
        }
    }
    raw
}

/// `500ms`, `1s`, `2m`.
fn milliseconds(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..)? {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    const NODES: &str = "[[node]]\nport = 6379\n[[node]]\nport = 6380\nreplica-of = 6379\n";

    fn problems(text: &str) -> Vec<String> {
        check(&format!("{NODES}{text}"), "lab.toml").problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_not_said_has_a_default() {
        let set = check(&format!("{NODES}[sentinel]\ncount = 5\n"), "lab.toml").topology.unwrap();
        let wanted = Sentinel { count: 5, quorum: 3, port: 26_379, down_after_ms: 1_000 };
        assert_eq!((set.sentinel, set.autofailover), (Some(wanted), None));
        let set =
            check(&format!("{NODES}[autofailover]\ndown-after = \"500ms\"\n"), "lab.toml").topology.unwrap();
        assert_eq!(set.autofailover, Some(Autofailover { down_after_ms: 500 }));
    }

    #[test]
    fn every_mistake_is_told() {
        for (text, said) in [
            ("[sentinel]\n[autofailover]\n", "would both promote"),
            ("[sentinel]\ncount = 0\n", "count is a number from 1 to 9"),
            ("[sentinel]\nquorum = 4\n", "quorum is a number from 1 to 3"),
            ("[sentinel]\nport = 6380\n", "a Sentinel would listen on 6380"),
            ("[sentinel]\nqourum = 2\n", "unknown key"),
            ("[autofailover]\ndown-after = \"soon\"\n", "down-after is a time"),
            ("[autofailover]\ndown-after = 1\n", "must be a time"),
        ] {
            let told = problems(text);
            assert!(told.iter().any(|line| line.contains(said)), "{text}: {told:?}");
        }
    }
}
