//! A value as YAML: blocks for what has parts, JSON for the rest, which every YAML reader takes.

use serde_json::Value;

/// The text of a document, with its line end.
pub(super) fn document(value: &Value) -> String {
    let mut text = String::new();
    put(&mut text, value, 0);
    text
}

fn put(text: &mut String, value: &Value, depth: usize) {
    let pad = "  ".repeat(depth);
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                text.push_str(&format!("{pad}{key}:"));
                below(text, value, depth);
            }
        }
        Value::Array(items) => {
            for item in items {
                let mut inner = String::new();
                put(&mut inner, item, depth + 1);
                // The first line of a part stands behind its dash.
                text.push_str(&format!("{pad}- {}", inner.trim_start()));
            }
        }
        scalar => text.push_str(&format!("{pad}{scalar}\n")),
    }
}

fn below(text: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            text.push('\n');
            put(text, value, depth + 1);
        }
        Value::Array(items) if !items.is_empty() => {
            text.push('\n');
            put(text, value, depth + 1);
        }
        Value::String(lines) if lines.contains('\n') => {
            text.push_str(" |\n");
            let pad = "  ".repeat(depth + 1);
            lines.lines().for_each(|line| text.push_str(&format!("{pad}{line}\n")));
        }
        other => text.push_str(&format!(" {other}\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_blocks_and_the_rest_is_json() {
        let value =
            serde_json::json!({"a": {"b": ["x: y", {"c": 1, "d": {}}]}, "e": "one\ntwo\n", "f": true});
        let wanted = "a:\n  b:\n    - \"x: y\"\n    - c: 1\n      d: {}\ne: |\n  one\n  two\nf: true\n";
        assert_eq!(document(&value), wanted);
    }
}
