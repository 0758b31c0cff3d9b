//! The usage string of a row, read as a tree: for COMMAND DOCS, and to prove that a row's arity is what its synopsis says.
//!
//! The usual notation: `word` stands for a value and `WORD` for itself, `[ ]` is optional, `< >` groups, `|` separates alternatives,
//! `...` repeats what stands before it in its brackets. A word may carry its type, `increment:double`, where the name does not tell.

/// A part of a synopsis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A value to put in: its name as written.
    Value(&'static str),
    /// A word that stands for itself.
    Token(&'static str),
    /// One of these, or nothing.
    Optional(Vec<Sequence>),
    /// One of these.
    Choice(Vec<Sequence>),
}

/// Parts that follow each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sequence {
    /// In order.
    pub parts: Vec<Part>,
    /// It may come any number of times.
    pub repeats: bool,
}

/// Reads a synopsis.
#[must_use]
pub fn parse(text: &'static str) -> Sequence {
    let mut words = Words { rest: text };
    let mut all = words.alternatives();
    // Outside of brackets there are no alternatives; a stray bar or bracket ends the reading, and the arity test shows it.
    if all.is_empty() { Sequence::default() } else { all.swap_remove(0) }
}

/// How many arguments a sequence takes at least, and whether it may take more.
#[must_use]
pub fn arguments(sequence: &Sequence) -> (usize, bool) {
    let mut least = 0;
    let mut more = sequence.repeats;
    for part in &sequence.parts {
        match part {
            Part::Value(_) | Part::Token(_) => least += 1,
            Part::Optional(_) => more = true,
            Part::Choice(choices) => {
                let counts: Vec<(usize, bool)> = choices.iter().map(arguments).collect();
                let smallest = counts.iter().map(|&(count, _)| count).min().unwrap_or(0);
                least += smallest;
                more |= counts.iter().any(|&(count, open)| open || count != smallest);
            }
        }
    }
    (least, more)
}

/// The type COMMAND DOCS gives to a value of this name, and the name without its type.
#[must_use]
pub fn type_of(value: &'static str) -> (&'static str, &'static str) {
    if let Some((name, kind @ ("double" | "integer" | "string"))) = value.split_once(':') {
        return (name, kind);
    }
    let kind = match value {
        "key" | "key1" | "key2" | "newkey" | "source" | "sourcekey" | "destination" | "destkey" => "key",
        "pattern" => "pattern",
        "unix-time-seconds" | "unix-time-milliseconds" => "unix-time",
        "client-id" | "count" | "cursor" | "db" | "decrement" | "destination-db" | "end" | "increment"
        | "index" | "index1" | "index2" | "len" | "milliseconds" | "numreplicas" | "offset" | "port"
        | "protover" | "seconds" | "start" | "timeout" => "integer",
        _ => "string",
    };
    (value, kind)
}

struct Words {
    rest: &'static str,
}

impl Words {
    /// Sequences up to the closing bracket, which is taken.
    fn alternatives(&mut self) -> Vec<Sequence> {
        let mut done = Vec::new();
        let mut current = Sequence::default();
        while let Some(word) = self.next() {
            match word {
                "]" | ">" => break,
                "|" => done.push(std::mem::take(&mut current)),
                "..." => current.repeats = true,
                "[" => current.parts.push(Part::Optional(self.alternatives())),
                "<" => current.parts.push(Part::Choice(self.alternatives())),
                word if is_token(word) => current.parts.push(Part::Token(word)),
                word => current.parts.push(Part::Value(word)),
            }
        }
        done.push(current);
        done
    }

    fn next(&mut self) -> Option<&'static str> {
        self.rest = self.rest.trim_start();
        let first = self.rest.chars().next()?;
        let end = if "[]<>|".contains(first) {
            first.len_utf8()
        } else {
            self.rest.find([' ', '[', ']', '<', '>', '|']).unwrap_or(self.rest.len())
        };
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(word)
    }
}

/// A word without a small letter stands for itself.
fn is_token(word: &str) -> bool {
    !word.contains(|c: char| c.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_left_out_does_not_count() {
        for (text, least, more) in [
            ("", 0, false),
            ("key", 1, false),
            ("key [key ...]", 1, true),
            ("<host port | NO ONE>", 2, false),
            ("key value [NX | XX] [EX seconds | KEEPTTL]", 2, true),
            ("<ip:port | <[ID client-id] | [TYPE type]> ...>", 0, true),
            ("[protover [AUTH username password]]", 0, true),
        ] {
            assert_eq!(arguments(&parse(text)), (least, more), "{text}");
        }
    }

    #[test]
    fn capitals_stand_for_themselves() {
        let tree = parse("key [EX seconds | PERSIST]");
        let wanted = vec![
            Sequence { parts: vec![Part::Token("EX"), Part::Value("seconds")], repeats: false },
            Sequence { parts: vec![Part::Token("PERSIST")], repeats: false },
        ];
        assert_eq!(tree.parts, [Part::Value("key"), Part::Optional(wanted)]);
    }
}
