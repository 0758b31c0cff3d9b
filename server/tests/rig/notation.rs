//! Replies in redis-cli's notation, and requests as they are typed.
//!
//! Two things are said plainer than redis-cli does: pushes are marked `1>`, and a verbatim string keeps its
//! format (`(txt) "…"`).

use rctl_server::resp::Value;

/// The lines redis-cli would print for `value`.
pub(crate) fn reply(value: &Value) -> Vec<String> {
    match value {
        Value::Simple(text) | Value::BigNumber(text) => vec![text.clone()],
        Value::Error(text) => vec![format!("(error) {text}")],
        Value::Int(n) => vec![format!("(integer) {n}")],
        Value::Bulk(bytes) => vec![quoted(bytes)],
        Value::Null | Value::NullArray => vec!["(nil)".to_owned()],
        Value::Double(text) => vec![format!("(double) {text}")],
        Value::Bool(on) => vec![format!("({on})")],
        Value::Verbatim(format, bytes) => vec![format!("({format}) {}", quoted(bytes))],
        Value::Array(items) => list(items, ')', "(empty array)"),
        Value::Set(items) => list(items, '~', "(empty set)"),
        Value::Push(items) => list(items, '>', "(empty push)"),
        Value::Map(pairs) => map(pairs),
    }
}

/// A command as one would type it: words that need no quotes have none.
pub(crate) fn request<A: AsRef<[u8]>>(words: &[A]) -> String {
    words.iter().map(|word| bare(word.as_ref())).collect::<Vec<_>>().join(" ")
}

fn bare(word: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
    if !word.is_empty() && word.iter().all(plain) {
        String::from_utf8_lossy(word).into_owned()
    } else {
        quoted(word)
    }
}

/// Bytes in double quotes, everything that is not printable escaped.
pub(crate) fn quoted(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for &byte in bytes {
        match byte {
            b'\\' | b'"' => out.extend(['\\', byte as char]),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            7 => out.push_str("\\a"),
            8 => out.push_str("\\b"),
            b' '..=b'~' => out.push(byte as char),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

fn list(items: &[Value], sign: char, empty: &str) -> Vec<String> {
    if items.is_empty() {
        return vec![empty.to_owned()];
    }
    let width = items.len().to_string().len();
    let numbered = items.iter().enumerate();
    numbered.flat_map(|(i, item)| headed(&format!("{:>width$}{sign} ", i + 1), &reply(item))).collect()
}

fn map(pairs: &[(Value, Value)]) -> Vec<String> {
    if pairs.is_empty() {
        return vec!["(empty hash)".to_owned()];
    }
    let width = pairs.len().to_string().len();
    let numbered = pairs.iter().enumerate();
    numbered
        .flat_map(|(i, (key, value))| {
            let key = reply(key).join(" ");
            headed(&format!("{:>width$}# {key} => ", i + 1), &reply(value))
        })
        .collect()
}

/// The first line behind `head`, the others below it.
fn headed(head: &str, lines: &[String]) -> Vec<String> {
    let blank = " ".repeat(head.chars().count());
    let line = |(i, line): (usize, &String)| format!("{}{line}", if i == 0 { head } else { &blank });
    lines.iter().enumerate().map(line).collect()
}

#[test]
fn nested_replies_are_printed_as_redis_cli_does() {
    let inner = Value::Array(vec![Value::Int(1), Value::Null]);
    let value = Value::Array(vec![Value::Bulk(b"a\x00\"".to_vec()), inner, Value::Array(vec![])]);
    let lines = ["1) \"a\\x00\\\"\"", "2) 1) (integer) 1", "   2) (nil)", "3) (empty array)"];
    assert_eq!(reply(&value), lines);
    assert_eq!(request(&["SET", "a b", ""]), "SET \"a b\" \"\"");
}
