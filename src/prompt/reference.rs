//! Help, hints and completion, from the command table of the server that is talked to (`COMMAND DOCS`).
//!
//! So they are true for that server: a command it lacks is not offered. A server without DOCS gives names only.

use std::collections::BTreeMap;

use rctl_server::resp::Value;

use super::link::Link;

/// What is known of the server's commands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reference {
    /// By name in upper case, subcommands as `CONFIG GET`.
    commands: BTreeMap<String, Entry>,
}

/// One command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Entry {
    /// Each argument as it is written in a synopsis.
    arguments: Vec<String>,
    summary: String,
    since: String,
    group: String,
}

impl Reference {
    /// Asks the server.
    pub fn load(link: &mut Link) -> Self {
        let mut reference = Self::default();
        if let Ok(docs @ (Value::Map(_) | Value::Array(_))) = link.call(&["COMMAND", "DOCS"]) {
            reference.add(&docs);
        } else if let Ok(Value::Array(names)) = link.call(&["COMMAND", "LIST"]) {
            let names = names.iter().filter_map(Value::to_text);
            reference.commands = names.map(|name| (typed(&name), Entry::default())).collect();
        }
        reference
    }

    fn add(&mut self, docs: &Value) {
        for (name, doc) in pairs(docs) {
            let text = |field: &str| get(doc, field).and_then(Value::to_text).unwrap_or_default();
            let entry = Entry {
                arguments: get(doc, "arguments").map(arguments).unwrap_or_default(),
                summary: text("summary"),
                since: text("since"),
                group: text("group"),
            };
            self.commands.insert(typed(&name), entry);
            if let Some(subcommands) = get(doc, "subcommands") {
                self.add(subcommands);
            }
        }
    }

    /// Nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Whole lines that begin as `line` does.
    #[must_use]
    pub fn completions(&self, line: &str) -> Vec<String> {
        let (prefix, asked) = match line.get(..5) {
            Some(help) if help.eq_ignore_ascii_case("help ") => {
                (help, line.get(5..).unwrap_or_default().trim_start())
            }
            _ => ("", line),
        };
        let begins =
            |name: &str| name.get(..asked.len()).is_some_and(|start| start.eq_ignore_ascii_case(asked));
        let mut found: Vec<String> = if prefix.is_empty() {
            Vec::new()
        } else {
            self.groups().into_iter().map(|group| format!("@{group}")).filter(|group| begins(group)).collect()
        };
        found.extend(self.commands.keys().filter(|name| begins(name)).cloned());
        found.iter().map(|name| format!("{prefix}{name}")).collect()
    }

    /// What may still follow `line`: the arguments not typed yet.
    #[must_use]
    pub fn hint(&self, line: &str) -> Option<String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (len, entry) = self.find(&words)?;
        let given = words.len() - len;
        // A word still being typed takes the place of its argument.
        let rest = entry.arguments.get(given..).unwrap_or_default().join(" ");
        let gap = if line.ends_with(' ') { "" } else { " " };
        (!rest.is_empty()).then(|| format!("{gap}{rest}"))
    }

    /// The text of `help` with these words after it.
    #[must_use]
    pub fn help(&self, words: &[String]) -> String {
        let Some(first) = words.first() else { return GENERAL.to_owned() };
        let wanted: Vec<String> = if let Some(group) = first.strip_prefix('@') {
            let in_group = |entry: &Entry| entry.group.eq_ignore_ascii_case(group);
            self.commands.iter().filter(|(_, entry)| in_group(entry)).map(|(name, _)| name.clone()).collect()
        } else {
            let name = words.join(" ").to_ascii_uppercase();
            let below = format!("{name} ");
            self.commands
                .keys()
                .filter(|known| **known == name || known.starts_with(&below))
                .cloned()
                .collect()
        };
        let mut text = String::new();
        for (name, entry) in wanted.iter().filter_map(|name| Some((name, self.commands.get(name)?))) {
            let synopsis = [name.clone()].into_iter().chain(entry.arguments.iter().cloned());
            text.push_str(&format!("\n  {}\n", synopsis.collect::<Vec<_>>().join(" ")));
            for (label, value) in
                [("summary", &entry.summary), ("since", &entry.since), ("group", &entry.group)]
            {
                if !value.is_empty() {
                    text.push_str(&format!("  {label}: {value}\n"));
                }
            }
        }
        text.push('\n');
        text
    }

    fn groups(&self) -> Vec<&str> {
        let mut groups: Vec<&str> = self.commands.values().map(|entry| entry.group.as_str()).collect();
        groups.retain(|group| !group.is_empty());
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// The longest command that these words begin with, and of how many words it is.
    fn find(&self, words: &[&str]) -> Option<(usize, &Entry)> {
        [2, 1].into_iter().find_map(|len| {
            let name = words.get(..len)?.join(" ").to_ascii_uppercase();
            Some((len, self.commands.get(&name)?))
        })
    }
}

const GENERAL: &str = "\
rctl cli: the prompt and the output of redis-cli
  help COMMAND      what a command takes and does
  help @GROUP       the commands of a group: @string, @generic, @server
  N COMMAND         run a command N times
  connect HOST PORT talk to another server
  :set nohints      no hints while typing; :set hints for hints again
  clear, quit       the screen; the end
";

/// `config|get` as it is typed.
fn typed(name: &str) -> String {
    name.replace('|', " ").to_ascii_uppercase()
}

/// The pairs of a RESP3 map or of the flat array that RESP2 makes of it.
fn pairs(value: &Value) -> Vec<(String, &Value)> {
    match value {
        Value::Map(pairs) => pairs.iter().filter_map(|(key, value)| Some((key.to_text()?, value))).collect(),
        Value::Array(flat) => flat
            .chunks_exact(2)
            .filter_map(|pair| match pair {
                [key, value] => Some((key.to_text()?, value)),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn get<'v>(doc: &'v Value, field: &str) -> Option<&'v Value> {
    pairs(doc).into_iter().find(|(name, _)| name == field).map(|(_, value)| value)
}

/// Each argument of a list of argument descriptions, as a synopsis shows it.
fn arguments(list: &Value) -> Vec<String> {
    match list {
        Value::Array(items) => items.iter().map(argument).collect(),
        _ => Vec::new(),
    }
}

fn argument(doc: &Value) -> String {
    let text = |field: &str| get(doc, field).and_then(Value::to_text);
    let flagged = |flag: &str| match get(doc, "flags") {
        Some(Value::Array(flags) | Value::Set(flags)) => {
            flags.iter().any(|f| f.to_text().as_deref() == Some(flag))
        }
        _ => false,
    };
    let inner = get(doc, "arguments").map(arguments).unwrap_or_default();
    let token = text("token");
    let value = match text("type").as_deref() {
        Some("pure-token") => String::new(),
        Some("oneof") => inner.join("|"),
        Some("block") => inner.join(" "),
        _ => text("display_text").or_else(|| text("name")).unwrap_or_default(),
    };
    let once = match &token {
        Some(token) if value.is_empty() => token.clone(),
        Some(token) => format!("{token} {value}"),
        None => value.clone(),
    };
    let all = match (flagged("multiple"), flagged("multiple_token")) {
        (true, true) => format!("{once} [{once} ...]"),
        (true, false) => format!("{once} [{value} ...]"),
        _ => once,
    };
    if flagged("optional") { format!("[{all}]") } else { all }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Bulk(text.as_bytes().to_vec())
    }

    fn list(items: &[Value]) -> Value {
        Value::Array(items.to_vec())
    }

    fn sample() -> Reference {
        let plain = |name: &str| list(&[text("name"), text(name), text("type"), text("string")]);
        let seconds = list(&[
            text("name"),
            text("seconds"),
            text("type"),
            text("integer"),
            text("token"),
            text("EX"),
            text("flags"),
            list(&[text("optional")]),
        ]);
        let set = list(&[
            text("summary"),
            text("Set a value"),
            text("group"),
            text("string"),
            text("arguments"),
            list(&[plain("key"), plain("value"), seconds]),
        ]);
        let get = list(&[text("summary"), text("Read it"), text("arguments"), list(&[plain("pattern")])]);
        let config =
            list(&[text("group"), text("server"), text("subcommands"), list(&[text("config|get"), get])]);
        let mut reference = Reference::default();
        reference.add(&list(&[text("set"), set, text("config"), config]));
        reference
    }

    #[test]
    fn hints_are_the_arguments_not_typed_yet() {
        let reference = sample();
        assert_eq!(reference.hint("set").unwrap(), " key value [EX seconds]");
        assert_eq!(reference.hint("SET a ").unwrap(), "value [EX seconds]");
        assert_eq!(reference.hint("config get").unwrap(), " pattern");
        assert_eq!(reference.hint("set a b EX 1"), None);
        assert_eq!(reference.hint("nothing"), None);
    }

    #[test]
    fn completion_knows_subcommands_and_topics_of_help() {
        let reference = sample();
        assert_eq!(reference.completions("con"), ["CONFIG", "CONFIG GET"]);
        assert_eq!(reference.completions("help @s"), ["help @server", "help @string"]);
        assert!(reference.completions("\u{e9}").is_empty());
    }

    #[test]
    fn help_tells_synopsis_and_summary() {
        let reference = sample();
        assert_eq!(
            reference.help(&["set".into()]),
            "\n  SET key value [EX seconds]\n  summary: Set a value\n  group: string\n\n"
        );
        assert!(reference.help(&["config".into()]).contains("CONFIG GET pattern"));
        assert!(reference.help(&[]).contains("help @GROUP"));
    }
}
