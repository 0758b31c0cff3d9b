//! A reply as text, byte for byte as `redis-cli` 7 prints it.
//!
//! Five forms: for a terminal, raw (the form of a pipe), CSV, JSON and JSON in ASCII. The input is the reply as it
//! came, because a client that normalises replies cannot print them faithfully. Nothing here knows a command.

use rctl_server::resp::Value;

/// How replies are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Types visible, strings quoted and escaped, aggregates numbered.
    Terminal,
    /// The bytes alone, delimited.
    Raw,
    /// One line of comma-separated values.
    Csv,
    /// One line of JSON, strings as they are.
    Json,
    /// One line of JSON in ASCII.
    QuotedJson,
}

/// The delimiters of the raw form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delimiters {
    /// Between the elements of one reply (`-d`).
    pub element: Vec<u8>,
    /// After each reply (`-D`).
    pub reply: Vec<u8>,
}

impl Default for Delimiters {
    fn default() -> Self {
        Self { element: b"\n".to_vec(), reply: b"\n".to_vec() }
    }
}

/// One reply in `form`, with what ends it.
#[must_use]
pub fn format(value: &Value, form: Form, delimiters: &Delimiters) -> Vec<u8> {
    let mut out = Vec::new();
    match form {
        Form::Terminal => terminal(&mut out, value, 0),
        Form::Raw => {
            raw(&mut out, value, &delimiters.element);
            out.extend_from_slice(&delimiters.reply);
        }
        Form::Csv => {
            csv(&mut out, value);
            out.push(b'\n');
        }
        Form::Json | Form::QuotedJson => {
            json(&mut out, value, form);
            out.push(b'\n');
        }
    }
    out
}

/// The reply of a command whose text is meant to be read as it stands (INFO, CLIENT LIST): no escapes, nothing
/// added at its end, whatever the form.
#[must_use]
pub fn verbatim(value: &Value, delimiters: &Delimiters) -> Vec<u8> {
    let mut out = Vec::new();
    raw(&mut out, value, &delimiters.element);
    out
}

/// Keys that a server with client-side caching says have changed, as `redis-cli` shows them on a terminal.
#[must_use]
pub fn invalidation(push: &[Value]) -> Option<Vec<u8>> {
    let [Value::Bulk(kind), Value::Array(keys)] = push else { return None };
    if !kind.starts_with(b"invalidate") {
        return None;
    }
    let mut out = b"-> invalidate: ".to_vec();
    for (index, key) in keys.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        out.push(b'\'');
        out.extend_from_slice(key.as_bytes().unwrap_or_default());
        out.push(b'\'');
    }
    out.push(b'\n');
    Some(out)
}

/// Appends bytes in double quotes, with Redis' escapes: what is not printable ASCII becomes `\xHH`.
pub fn quoted(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    for &byte in bytes {
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            7 => out.extend_from_slice(b"\\a"),
            8 => out.extend_from_slice(b"\\b"),
            b' '..=b'~' => out.push(byte),
            _ => out.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
        }
    }
    out.push(b'"');
}

/// The terminal form. `indent` is the width of the numbering to the left of this value, in columns.
fn terminal(out: &mut Vec<u8>, value: &Value, indent: usize) {
    match value {
        Value::Simple(text) => out.extend_from_slice(text.as_bytes()),
        Value::Error(text) => out.extend_from_slice(format!("(error) {text}").as_bytes()),
        Value::Int(n) => out.extend_from_slice(format!("(integer) {n}").as_bytes()),
        Value::Double(text) => out.extend_from_slice(format!("(double) {text}").as_bytes()),
        Value::BigNumber(text) => out.extend_from_slice(format!("(big number) {text}").as_bytes()),
        Value::Bulk(bytes) => quoted(out, bytes),
        Value::Verbatim(_, bytes) => out.extend_from_slice(bytes),
        Value::Null | Value::NullArray => out.extend_from_slice(b"(nil)"),
        Value::Bool(true) => out.extend_from_slice(b"(true)"),
        Value::Bool(false) => out.extend_from_slice(b"(false)"),
        Value::Array(items) => return numbered(out, items, ')', "(empty array)", indent),
        Value::Set(items) => return numbered(out, items, '~', "(empty set)", indent),
        Value::Push(items) => return numbered(out, items, ')', "(empty push)", indent),
        Value::Map(pairs) => return map(out, pairs, indent),
    }
    out.push(b'\n');
}

fn numbered(out: &mut Vec<u8>, items: &[Value], mark: char, empty: &str, indent: usize) {
    if items.is_empty() {
        out.extend_from_slice(empty.as_bytes());
        out.push(b'\n');
        return;
    }
    let digits = decimal_digits(items.len());
    for (index, item) in items.iter().enumerate() {
        number(out, index, digits, mark, indent);
        terminal(out, item, indent + digits + 2);
    }
}

fn map(out: &mut Vec<u8>, pairs: &[(Value, Value)], indent: usize) {
    if pairs.is_empty() {
        out.extend_from_slice(b"(empty hash)\n");
        return;
    }
    let digits = decimal_digits(pairs.len());
    let inner = indent + digits + 2;
    for (index, (key, value)) in pairs.iter().enumerate() {
        number(out, index, digits, '#', indent);
        terminal(out, key, inner);
        out.pop();
        out.extend_from_slice(b" => ");
        if many_lines(value) {
            out.push(b'\n');
            out.extend(std::iter::repeat_n(b' ', inner));
        }
        terminal(out, value, inner);
    }
}

/// Writes ` 1) `. The first of an aggregate stands on its parent's line, which is indented already.
fn number(out: &mut Vec<u8>, index: usize, digits: usize, mark: char, indent: usize) {
    if index > 0 {
        out.extend(std::iter::repeat_n(b' ', indent));
    }
    out.extend_from_slice(format!("{:>digits$}{mark} ", index + 1).as_bytes());
}

fn decimal_digits(n: usize) -> usize {
    n.checked_ilog10().map_or(1, |log| log as usize + 1)
}

fn many_lines(value: &Value) -> bool {
    match value {
        Value::Array(items) | Value::Set(items) | Value::Push(items) => match items.as_slice() {
            [] => false,
            [only] => many_lines(only),
            _ => true,
        },
        Value::Map(pairs) => match pairs.as_slice() {
            [] => false,
            [(_, only)] => many_lines(only),
            _ => true,
        },
        _ => false,
    }
}

fn raw(out: &mut Vec<u8>, value: &Value, delimiter: &[u8]) {
    match value {
        Value::Null | Value::NullArray => {}
        Value::Simple(text) | Value::Double(text) | Value::BigNumber(text) => {
            out.extend_from_slice(text.as_bytes());
        }
        Value::Error(text) => {
            out.extend_from_slice(text.as_bytes());
            out.push(b'\n');
        }
        Value::Int(n) => out.extend_from_slice(n.to_string().as_bytes()),
        Value::Bulk(bytes) | Value::Verbatim(_, bytes) => out.extend_from_slice(bytes),
        Value::Bool(true) => out.extend_from_slice(b"(true)"),
        Value::Bool(false) => out.extend_from_slice(b"(false)"),
        Value::Array(items) | Value::Set(items) | Value::Push(items) => {
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.extend_from_slice(delimiter);
                }
                raw(out, item, delimiter);
            }
        }
        Value::Map(pairs) => {
            for (index, (key, value)) in pairs.iter().enumerate() {
                if index > 0 {
                    out.extend_from_slice(delimiter);
                }
                raw(out, key, delimiter);
                out.push(b' ');
                raw(out, value, delimiter);
            }
        }
    }
}

fn csv(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Error(text) => {
            out.extend_from_slice(b"ERROR,");
            quoted(out, text.as_bytes());
        }
        Value::Simple(text) => quoted(out, text.as_bytes()),
        Value::Bulk(bytes) | Value::Verbatim(_, bytes) => quoted(out, bytes),
        Value::Int(n) => out.extend_from_slice(n.to_string().as_bytes()),
        Value::Double(text) | Value::BigNumber(text) => out.extend_from_slice(text.as_bytes()),
        Value::Null | Value::NullArray => out.extend_from_slice(b"NULL"),
        Value::Bool(flag) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Value::Array(items) | Value::Set(items) | Value::Push(items) => comma_separated(out, items, csv),
        Value::Map(pairs) => comma_separated(out, pairs, |out, (key, value)| {
            csv(out, key);
            out.push(b',');
            csv(out, value);
        }),
    }
}

fn comma_separated<T>(out: &mut Vec<u8>, items: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
}

fn json(out: &mut Vec<u8>, value: &Value, form: Form) {
    match value {
        Value::Error(text) => {
            out.extend_from_slice(b"error:");
            json_string(out, text.as_bytes(), form);
        }
        Value::Simple(text) => json_string(out, text.as_bytes(), form),
        Value::Bulk(bytes) | Value::Verbatim(_, bytes) => json_string(out, bytes, form),
        Value::Int(n) => out.extend_from_slice(n.to_string().as_bytes()),
        Value::Double(text) | Value::BigNumber(text) => out.extend_from_slice(text.as_bytes()),
        Value::Null | Value::NullArray => out.extend_from_slice(b"null"),
        Value::Bool(flag) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Value::Array(items) | Value::Set(items) | Value::Push(items) => {
            out.push(b'[');
            comma_separated(out, items, |out, item| json(out, item, form));
            out.push(b']');
        }
        Value::Map(pairs) => {
            out.push(b'{');
            comma_separated(out, pairs, |out, (key, value)| {
                json_key(out, key, form);
                out.push(b':');
                json(out, value, form);
            });
            out.push(b'}');
        }
    }
}

/// JSON knows only strings as keys; a reply may have any value there.
fn json_key(out: &mut Vec<u8>, key: &Value, form: Form) {
    let mut text = Vec::new();
    json(&mut text, key, form);
    let is_string = matches!(key, Value::Error(_)) || text.first() == Some(&b'"');
    if is_string {
        out.extend_from_slice(&text);
    } else {
        out.push(b'"');
        out.extend_from_slice(&text);
        out.push(b'"');
    }
}

fn json_string(out: &mut Vec<u8>, bytes: &[u8], form: Form) {
    if form == Form::QuotedJson {
        // Redis' escapes, whose backslashes are escaped once more for JSON.
        let mut text = Vec::new();
        quoted(&mut text, bytes);
        for byte in text {
            if byte == b'\\' {
                out.push(b'\\');
            }
            out.push(byte);
        }
        return;
    }
    out.push(b'"');
    for &byte in bytes {
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            12 => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            8 => out.extend_from_slice(b"\\b"),
            0..=31 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::Bulk(text.as_bytes().to_vec())
    }

    fn shown(value: &Value, form: Form) -> String {
        String::from_utf8(format(value, form, &Delimiters::default())).unwrap()
    }

    #[test]
    fn each_type_has_its_look_on_a_terminal() {
        for (value, want) in [
            (Value::Simple("OK".into()), "OK\n"),
            (Value::Error("ERR no".into()), "(error) ERR no\n"),
            (Value::Int(-1), "(integer) -1\n"),
            (bulk("l\u{e9}on \"\n\u{7}"), "\"l\\xc3\\xa9on \\\"\\n\\a\"\n"),
            (Value::Null, "(nil)\n"),
            (Value::NullArray, "(nil)\n"),
            (Value::Double("1.5".into()), "(double) 1.5\n"),
            (Value::Bool(true), "(true)\n"),
            (Value::Verbatim("txt".into(), b"a\nb".to_vec()), "a\nb\n"),
            (Value::Array(vec![]), "(empty array)\n"),
            (Value::Set(vec![]), "(empty set)\n"),
            (Value::Map(vec![]), "(empty hash)\n"),
            (Value::Push(vec![]), "(empty push)\n"),
        ] {
            assert_eq!(shown(&value, Form::Terminal), want);
        }
    }

    #[test]
    fn numbers_are_padded_and_nested_aggregates_indented() {
        let mut items: Vec<Value> = (0..9).map(Value::Int).collect();
        items.push(Value::Array(vec![bulk("a"), Value::Set(vec![bulk("b"), bulk("c")])]));
        let text = shown(&Value::Array(items), Form::Terminal);
        assert!(text.starts_with(" 1) (integer) 0\n 2) (integer) 1\n"), "{text}");
        assert!(text.ends_with("10) 1) \"a\"\n    2) 1~ \"b\"\n       2~ \"c\"\n"), "{text}");
    }

    #[test]
    fn a_map_shows_pairs_and_breaks_the_line_before_a_value_of_many_lines() {
        let map = Value::Map(vec![
            (bulk("a"), Value::Int(1)),
            (bulk("b"), Value::Array(vec![Value::Int(1), Value::Int(2)])),
            (bulk("c"), Value::Array(vec![Value::Int(1)])),
        ]);
        let want = "1# \"a\" => (integer) 1\n2# \"b\" => \n   1) (integer) 1\n   2) (integer) 2\n3# \"c\" => 1) (integer) 1\n";
        assert_eq!(shown(&map, Form::Terminal), want);
        assert_eq!(shown(&map, Form::Raw), "a 1\nb 1\n2\nc 1\n");
        assert_eq!(shown(&map, Form::Csv), "\"a\",1,\"b\",1,2,\"c\",1\n");
        assert_eq!(shown(&map, Form::Json), "{\"a\":1,\"b\":[1,2],\"c\":[1]}\n");
    }

    #[test]
    fn a_raw_error_ends_its_own_line_and_a_missing_value_is_empty() {
        assert_eq!(shown(&Value::Error("ERR no".into()), Form::Raw), "ERR no\n\n");
        assert_eq!(shown(&Value::Null, Form::Raw), "\n");
        assert_eq!(verbatim(&bulk("a\r\n"), &Delimiters::default()), b"a\r\n");
    }

    #[test]
    fn keys_that_changed_are_named_in_one_line() {
        let push = [bulk("invalidate"), Value::Array(vec![bulk("a"), bulk("b")])];
        assert_eq!(invalidation(&push).unwrap(), b"-> invalidate: 'a', 'b'\n");
        assert_eq!(invalidation(&[bulk("message")]), None);
    }
}
