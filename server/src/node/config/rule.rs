//! What a value may look like: every kind of directive, and the canonical text of a good value.
//!
//! A rule never sees where the value will live. It turns words into one canonical text or into redis-server's
//! own complaint, so a wrong value is worded the same in a file, on the command line and in CONFIG SET.

/// What a directive accepts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// `yes` or `no`.
    Bool,
    /// An integer between the two, both included.
    Int(i64, i64),
    /// Bytes between the two, written as `100`, `1k`, `1kb`, `5mb`, `2g`, ….
    Memory(u64, u64),
    /// Bytes as for `Memory`, or a percentage such as `5%`.
    MemoryOrPercent,
    /// File permissions, in octal.
    Octal,
    /// Any one word.
    Text,
    /// A file's name without a directory.
    FileName,
    /// One of these names.
    OneOf(&'static [&'static str]),
    /// One or more of these names.
    SomeOf(&'static [&'static str]),
    /// As many words as one likes.
    Words,
    /// Its own grammar.
    Own(fn(&[String]) -> Result<String, String>),
}

/// Redis' wording for a directive with too few or too many words.
pub(super) const WRONG_COUNT: &str = "wrong number of arguments";

impl Rule {
    /// Whether more than one word may follow the name; CONFIG SET then splits its value at spaces.
    pub(super) fn takes_words(&self) -> bool {
        matches!(self, Self::SomeOf(_) | Self::Words | Self::Own(_))
    }

    /// The canonical text of `words`.
    ///
    /// # Errors
    /// What is wrong with them, as redis-server says it.
    pub(super) fn check(&self, words: &[String]) -> Result<String, String> {
        match (self, words) {
            (Self::Own(check), _) => check(words),
            (Self::Words, _) => Ok(words.join(" ").trim().to_owned()),
            (Self::SomeOf(names), _) => some_of(names, words),
            (_, [word]) => self.check_one(word),
            _ => Err(WRONG_COUNT.to_owned()),
        }
    }

    fn check_one(&self, word: &str) -> Result<String, String> {
        match self {
            Self::Bool => match word.to_ascii_lowercase().as_str() {
                known @ ("yes" | "no") => Ok(known.to_owned()),
                _ => Err("argument must be 'yes' or 'no'".to_owned()),
            },
            Self::Int(low, high) => {
                let number: i64 =
                    word.parse().map_err(|_| "argument couldn't be parsed into an integer".to_owned())?;
                within(number, *low, *high)
            }
            Self::Memory(low, high) => {
                let bytes = memory(word).ok_or_else(|| "argument must be a memory value".to_owned())?;
                within(bytes, *low, *high)
            }
            Self::MemoryOrPercent => memory_or_percent(word),
            Self::Octal => octal(word),
            Self::FileName if word.contains('/') => {
                Err("argument can't be a path, just a filename".to_owned())
            }
            Self::OneOf(names) => one_of(names, word),
            _ => Ok(word.to_owned()),
        }
    }
}

/// Bytes written with an optional unit, as redis.conf has them: `k` is 1000, `kb` is 1024, in either case. `None` when it
/// is no such number or does not fit.
#[must_use]
pub fn memory(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

fn memory_or_percent(word: &str) -> Result<String, String> {
    let percent = word.strip_suffix('%').and_then(|digits| digits.parse::<u64>().ok());
    match (percent, memory(word)) {
        (Some(percent @ 0..=100), _) => Ok(format!("{percent}%")),
        (Some(_), _) => Err("percentage argument must be less or equal to 100".to_owned()),
        (_, Some(bytes)) => Ok(bytes.to_string()),
        _ => Err("argument must be a memory or percent value".to_owned()),
    }
}

fn octal(word: &str) -> Result<String, String> {
    match u32::from_str_radix(word, 8) {
        Ok(mode @ 0..=0o777) => Ok(format!("{mode:o}")),
        Ok(_) => Err(format!("argument must be between 0 and {:o} inclusive", 0o777)),
        Err(_) => Err("argument couldn't be parsed as an octal number".to_owned()),
    }
}

fn within<N: PartialOrd + std::fmt::Display + Copy>(number: N, low: N, high: N) -> Result<String, String> {
    if number < low || number > high {
        return Err(format!("argument must be between {low} and {high} inclusive"));
    }
    Ok(number.to_string())
}

fn one_of(names: &[&str], word: &str) -> Result<String, String> {
    let found = names.iter().find(|name| name.eq_ignore_ascii_case(word));
    found
        .map(|name| (*name).to_owned())
        .ok_or_else(|| format!("argument(s) must be one of the following: {}", names.join(", ")))
}

fn some_of(names: &[&str], words: &[String]) -> Result<String, String> {
    if words.is_empty() {
        return Err(WRONG_COUNT.to_owned());
    }
    let known: Result<Vec<String>, String> = words.iter().map(|word| one_of(names, word)).collect();
    known.map(|known| known.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: Rule, text: &str) -> Result<String, String> {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        rule.check(&words)
    }

    #[test]
    fn a_kilobyte_is_1024_and_a_k_is_1000() {
        for (text, want) in [
            ("0", Some(0)),
            ("100", Some(100)),
            ("1b", Some(1)),
            ("1k", Some(1000)),
            ("1kb", Some(1024)),
            ("1MB", Some(1 << 20)),
            ("2Gb", Some(2 << 30)),
            ("2g", Some(2_000_000_000)),
            ("", None),
            ("-1", None),
            ("1.5gb", None),
            ("1tb", None),
            ("mb", None),
            ("99999999999999999999", None),
            ("18446744073709551615k", None),
        ] {
            assert_eq!(memory(text), want, "{text:?}");
        }
    }

    #[test]
    fn complaints_are_worded_as_redis_words_them() {
        for (rule, text, complaint) in [
            (Rule::Bool, "maybe", "argument must be 'yes' or 'no'"),
            (Rule::Bool, "", WRONG_COUNT),
            (Rule::Bool, "yes no", WRONG_COUNT),
            (Rule::Int(0, 65535), "12x", "argument couldn't be parsed into an integer"),
            (Rule::Int(0, 65535), "99999", "argument must be between 0 and 65535 inclusive"),
            (Rule::Memory(0, u64::MAX), "3zb", "argument must be a memory value"),
            (Rule::Octal, "999", "argument couldn't be parsed as an octal number"),
            (Rule::FileName, "a/b", "argument can't be a path, just a filename"),
            (Rule::OneOf(&["a", "b"]), "c", "argument(s) must be one of the following: a, b"),
        ] {
            assert_eq!(check(rule, text).unwrap_err(), complaint, "{text:?}");
        }
    }

    #[test]
    fn good_values_get_one_canonical_text() {
        for (rule, text, want) in [
            (Rule::Bool, "YES", "yes"),
            (Rule::Memory(0, u64::MAX), "1mb", "1048576"),
            (Rule::MemoryOrPercent, "5%", "5%"),
            (Rule::Octal, "0700", "700"),
            (Rule::SomeOf(&["save", "force"]), "SAVE force", "save force"),
        ] {
            assert_eq!(check(rule, text).unwrap(), want);
        }
    }
}
