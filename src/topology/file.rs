//! The TOML exactly as typed, with positions: the shape of the file, not its meaning.
//!
//! The parsed document is walked by hand instead of through serde, which would stop at the first problem. Known
//! keys of the right type become a [`RawFile`]; everything else is told to the [`Report`].

use toml::de::{DeTable, DeValue};

use super::keepers::{self, RawKeeper};
use super::problem::{Report, nearest};

/// The largest topology file that is read, in bytes.
pub(super) const SIZE_LIMIT: usize = 1 << 20;

/// A value and the byte where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) at: usize,
}

/// A file: what stands in it, nothing more.
#[derive(Debug, Default)]
pub(super) struct RawFile {
    pub(super) name: Option<At<String>>,
    pub(super) defaults: RawNode,
    pub(super) nodes: Vec<RawNode>,
    pub(super) sentinel: Option<RawKeeper>,
    pub(super) autofailover: Option<RawKeeper>,
}

/// A `[[node]]` or `[defaults]` table.
#[derive(Debug, Default, Clone)]
pub(super) struct RawNode {
    /// Where its table starts.
    pub(super) at: usize,
    /// How to name it to people before its handles are known to be good.
    pub(super) label: String,
    pub(super) port: Option<At<i64>>,
    pub(super) name: Option<At<String>>,
    pub(super) replica_of: Option<At<Upstream>>,
    pub(super) engine: Option<At<String>>,
    pub(super) persistence: Option<At<String>>,
    pub(super) restart: Option<At<String>>,
    pub(super) attach: Option<At<bool>>,
    pub(super) host: Option<At<String>>,
    /// Directives in the order of the file, keys lower case.
    pub(super) config: Vec<(At<String>, At<String>)>,
    /// A port stands there but is no number; it was told, so it is not missing as well.
    pub(super) port_told: bool,
}

/// A node as another one names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Upstream {
    Port(i64),
    Name(String),
}

pub(super) const FILE_KEYS: [&str; 5] = ["name", "defaults", "node", "sentinel", "autofailover"];
pub(super) const NODE_KEYS: [&str; 9] =
    ["port", "name", "replica-of", "engine", "persistence", "restart", "config", "attach", "host"];
/// Spellings from redis.conf and elsewhere that mean one of our keys.
const SYNONYMS: [(&str, &str); 7] = [
    ("nodes", "node"),
    ("upstream", "replica-of"),
    ("master", "replica-of"),
    ("slaveof", "replica-of"),
    ("replica_of", "replica-of"),
    ("default", "defaults"),
    ("settings", "config"),
];

/// Reads the text; the file is whole only while the report stays clean.
pub(super) fn read(text: &str, report: &mut Report<'_>) -> RawFile {
    let mut raw = RawFile::default();
    if text.len() > SIZE_LIMIT {
        report.problem(0, None, format!("the file is larger than {SIZE_LIMIT} bytes"), "");
        return raw;
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let message = error.message().lines().next().unwrap_or("cannot be read").to_owned();
        report.problem(error.span().map_or(0, |span| span.start), None, format!("not TOML: {message}"), "");
    }
    if !report.is_clean() {
        // A recovered document has holes; judging it would blame lines that are right.
        return raw;
    }
    for (key, value) in document.get_ref() {
        let (at, spot) = (key.span().start, value.span().start);
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("name", DeValue::String(name)) => raw.name = Some(At { value: name.to_string(), at: spot }),
            ("name", other) => wrong_type(report, spot, None, "name", "a string", other),
            ("defaults", DeValue::Table(table)) => raw.defaults = defaults(table, at, report),
            ("defaults", other) => wrong_type(report, spot, None, "defaults", "a table", other),
            ("node", DeValue::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    match item.get_ref() {
                        DeValue::Table(table) => {
                            raw.nodes.push(node(table, item.span().start, index, report));
                        }
                        other => wrong_type(report, item.span().start, None, "node", "a table", other),
                    }
                }
            }
            ("node", DeValue::Table(_)) => {
                report.problem(at, None, "node is a list of tables", "[[node]]");
            }
            ("node", other) => wrong_type(report, spot, None, "node", "a list of tables", other),
            ("sentinel", DeValue::Table(table)) => {
                raw.sentinel = Some(keepers::sentinel_table(table, at, report));
            }
            ("autofailover", DeValue::Table(table)) => {
                raw.autofailover = Some(keepers::autofailover_table(table, at, report));
            }
            (key @ ("sentinel" | "autofailover"), other) => {
                wrong_type(report, spot, None, key, "a table", other);
            }
            (unknown, _) => unknown_key(report, at, None, unknown, &FILE_KEYS),
        }
    }
    raw
}

fn defaults(table: &DeTable<'_>, at: usize, report: &mut Report<'_>) -> RawNode {
    let mut raw = RawNode { at, label: "defaults".into(), ..RawNode::default() };
    for (key, value) in table {
        match key.get_ref().as_ref() {
            own @ ("port" | "name" | "replica-of" | "attach" | "host") => {
                let what = format!("{own} belongs to one node, not to the defaults");
                report.problem(key.span().start, None, what, "");
            }
            name => node_key(&mut raw, name, key.span().start, value.span().start, value.get_ref(), report),
        }
    }
    raw
}

fn node(table: &DeTable<'_>, at: usize, index: usize, report: &mut Report<'_>) -> RawNode {
    let typed = |key: &str| table.get(key).map(toml::Spanned::get_ref);
    let label = match (typed("port"), typed("name")) {
        (Some(DeValue::Integer(port)), _) => port.as_str().to_owned(),
        (_, Some(DeValue::String(name))) if super::check::is_name(name) => name.to_string(),
        _ => format!("#{}", index + 1),
    };
    let mut raw = RawNode { at, label, ..RawNode::default() };
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        node_key(&mut raw, name, key.span().start, value.span().start, value.get_ref(), report);
    }
    raw
}

/// One key of a node; `at` is where the key stands, `spot` where its value does.
fn node_key(
    raw: &mut RawNode,
    key: &str,
    at: usize,
    spot: usize,
    value: &DeValue<'_>,
    report: &mut Report<'_>,
) {
    let label = raw.label.clone();
    let node = (label != "defaults").then_some(label.as_str());
    let string = |value: &DeValue<'_>| value.as_str().map(|text| At { value: text.to_owned(), at: spot });
    match (key, value) {
        ("port", DeValue::Integer(_)) => {
            raw.port = Some(At { value: integer(value).unwrap_or(i64::MAX), at: spot });
        }
        ("port", other) => {
            raw.port_told = true;
            let digits = other.as_str().and_then(|text| text.parse::<u16>().ok());
            let write = digits.map_or_else(String::new, |port| format!("port = {port}"));
            report.problem(spot, node, format!("port must be a number, not {}", described(other)), write);
        }
        ("replica-of", DeValue::Integer(_)) => {
            let port = integer(value).unwrap_or(i64::MAX);
            raw.replica_of = Some(At { value: Upstream::Port(port), at: spot });
        }
        ("replica-of", DeValue::String(name)) => {
            let upstream = name.parse().map_or_else(|_| Upstream::Name(name.to_string()), Upstream::Port);
            raw.replica_of = Some(At { value: upstream, at: spot });
        }
        ("replica-of", other) => wrong_type(report, spot, node, key, "a port or a name", other),
        ("name", DeValue::String(_)) => raw.name = string(value),
        ("engine", DeValue::String(_)) => raw.engine = string(value),
        ("persistence", DeValue::String(_)) => raw.persistence = string(value),
        ("restart", DeValue::String(_)) => raw.restart = string(value),
        ("name" | "engine" | "persistence" | "restart", other) => {
            wrong_type(report, spot, node, key, "a string", other);
        }
        ("config", DeValue::Table(table)) => raw.config = config(table, node, report),
        ("config", other) => wrong_type(report, spot, node, key, "a table of directives", other),
        ("attach", DeValue::Boolean(on)) => raw.attach = Some(At { value: *on, at: spot }),
        ("attach", other) => wrong_type(report, spot, node, key, "true or false", other),
        ("host", DeValue::String(_)) => raw.host = string(value),
        ("host", other) => wrong_type(report, spot, node, key, "a string", other),
        (unknown, _) => unknown_key(report, at, node, unknown, &NODE_KEYS),
    }
}

fn config(table: &DeTable<'_>, node: Option<&str>, report: &mut Report<'_>) -> Vec<(At<String>, At<String>)> {
    let mut directives = Vec::new();
    for (key, value) in table {
        let spot = value.span().start;
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(_) => match integer(value.get_ref()) {
                Some(number) => number.to_string(),
                None => {
                    report.problem(spot, node, "a number this large cannot be read", "");
                    continue;
                }
            },
            DeValue::Float(number) => number.as_str().to_owned(),
            DeValue::Boolean(on) => if *on { "yes" } else { "no" }.to_owned(),
            other => {
                wrong_type(report, spot, node, key.get_ref(), "a string, a number or a boolean", other);
                continue;
            }
        };
        let name = At { value: key.get_ref().to_ascii_lowercase(), at: key.span().start };
        directives.push((name, At { value: text, at: spot }));
    }
    directives
}

/// An integer of any radix TOML has; `None` when it does not fit 64 bits.
pub(super) fn integer(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

pub(super) fn wrong_type(
    report: &mut Report<'_>,
    at: usize,
    node: Option<&str>,
    key: &str,
    want: &str,
    got: &DeValue<'_>,
) {
    let key = shown(key);
    report.problem(at, node, format!("{key} must be {want}, not {}", described(got)), "");
}

fn described(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

pub(super) fn unknown_key(report: &mut Report<'_>, at: usize, node: Option<&str>, key: &str, known: &[&str]) {
    let synonym =
        SYNONYMS.iter().find(|(typed, ours)| *typed == key && known.contains(ours)).map(|(_, ours)| *ours);
    let meant = synonym.or_else(|| nearest(key, known.iter().copied()));
    let write = meant.map_or_else(
        || format!("one of {}", known.join(", ")),
        |meant| if meant == "node" { "[[node]]".into() } else { meant.to_owned() },
    );
    report.problem(at, node, format!("unknown key {}", shown(key)), write);
}

/// Text of the file as it may appear in a message: short, and without bytes that could steer a terminal.
pub(super) fn shown(text: &str) -> String {
    const LIMIT: usize = 60;
    let mut short: String = text.chars().take(LIMIT).flat_map(char::escape_debug).collect();
    if text.chars().count() > LIMIT {
        short.push('…');
    }
    short
}
