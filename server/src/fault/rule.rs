//! What is wrong with a link, as a value and as words: `cut`, `stall`, `delay MS`, `rate BYTES`, or `none`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The longest delay, milliseconds: an hour.
const MAX_DELAY_MS: u64 = 3_600_000;

/// What is wrong with a link. The default is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rule {
    /// Closed, and refused as soon as it is known whose link it is.
    pub cut: bool,
    /// Bytes and the end of the stream are held, and delivered when the rule goes.
    pub stall: bool,
    /// Each way takes this long, milliseconds.
    pub delay_ms: u64,
    /// Bytes per second each way; 0 is no limit.
    pub rate: u64,
}

impl Rule {
    /// Nothing is wrong.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Both at once: the worse of each.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let rate = match (self.rate, other.rate) {
            (0, rate) | (rate, 0) => rate,
            (one, two) => one.min(two),
        };
        Self {
            cut: self.cut || other.cut,
            stall: self.stall || other.stall,
            delay_ms: self.delay_ms.saturating_add(other.delay_ms).min(MAX_DELAY_MS),
            rate,
        }
    }
}

/// Reads what is wrong with which link: `6380 cut; 6381 delay 200`.
///
/// # Errors
/// What is no port or no rule, for people.
pub fn read_rules(text: &str) -> Result<BTreeMap<u16, Rule>, String> {
    let mut rules = BTreeMap::new();
    for entry in text.split(';').map(str::trim).filter(|entry| !entry.is_empty()) {
        let (port, rule) = entry.split_once(' ').ok_or_else(|| format!("no rule in {entry:?}"))?;
        let port: u16 = port.parse().map_err(|_| format!("no port in {entry:?}"))?;
        let rule: Rule = rule.parse()?;
        if !rule.is_none() {
            rules.insert(port, rule);
        }
    }
    Ok(rules)
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        if self.cut {
            words.push("cut".to_owned());
        }
        if self.stall {
            words.push("stall".to_owned());
        }
        if self.delay_ms > 0 {
            words.push(format!("delay {}", self.delay_ms));
        }
        if self.rate > 0 {
            words.push(format!("rate {}", self.rate));
        }
        if words.is_empty() { f.write_str("none") } else { f.write_str(&words.join(" ")) }
    }
}

impl FromStr for Rule {
    type Err = String;

    /// Reads what [`Display`](fmt::Display) writes.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut rule = Self::default();
        let mut words = text.split_ascii_whitespace().map(str::to_ascii_lowercase);
        let mut seen = 0;
        while let Some(word) = words.next() {
            seen += 1;
            let mut number = |most: u64| {
                let number =
                    words.next().and_then(|text| text.parse().ok()).filter(|n| (1..=most).contains(n));
                number.ok_or_else(|| format!("{word} needs a number from 1 to {most}"))
            };
            match word.as_str() {
                "none" => {}
                "cut" => rule.cut = true,
                "stall" => rule.stall = true,
                "delay" => rule.delay_ms = number(MAX_DELAY_MS)?,
                "rate" => rule.rate = number(1 << 40)?,
                _ => return Err("a rule is none, cut, stall, delay MS or rate BYTES".to_owned()),
            }
        }
        if seen == 0 {
            Err("a rule is none, cut, stall, delay MS or rate BYTES".to_owned())
        } else {
            Ok(rule)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read_as_it_is_written() {
        for text in ["none", "cut", "stall", "delay 200", "rate 65536", "cut stall delay 3 rate 9"] {
            assert_eq!(text.parse::<Rule>().unwrap().to_string(), text);
        }
        for bad in
            ["", " ", "cat", "delay", "delay x", "delay 0", "delay 3600001", "rate -1", "rate", "cut 5"]
        {
            assert!(bad.parse::<Rule>().is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn two_faults_of_one_link_are_the_worse_of_each() {
        let rule = |text: &str| text.parse::<Rule>().unwrap();
        assert_eq!(rule("delay 200").and(rule("rate 9")), rule("delay 200 rate 9"));
        assert_eq!(rule("delay 200 rate 4").and(rule("cut delay 1 rate 9")), rule("cut delay 201 rate 4"));
        assert!(rule("none").and(rule("none")).is_none());
    }
}
