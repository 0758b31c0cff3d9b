//! What is wrong with a topology file: where, at which node, and what to write instead.

use std::fmt;

use serde::Serialize;

use crate::error::{Error, Exit};

/// A place in a file, counted from one; columns are characters, as editors count them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Spot {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Spot {
    /// The place of a byte of `text`; past its end, the end.
    pub fn of(text: &str, byte: usize) -> Self {
        let before = text.char_indices().take_while(|(at, _)| *at < byte).map(|(_, c)| c);
        let mut spot = Self { line: 1, column: 1 };
        for c in before {
            spot = if c == '\n' {
                Self { line: spot.line + 1, column: 1 }
            } else {
                Self { column: spot.column + 1, ..spot }
            };
        }
        spot
    }
}

/// One problem of a topology file, or one warning about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where.
    pub at: Spot,
    /// The node it is about: its port, else its name, else its place in the file (`#2`).
    pub node: Option<String>,
    /// What is wrong: lower case, no full stop.
    pub what: String,
    /// What to write instead, as it could stand in the file.
    pub write: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.at.line, self.at.column)?;
        if let Some(node) = &self.node {
            write!(f, "node {node}: ")?;
        }
        f.write_str(&self.what)
    }
}

/// Collects problems while a file is read; everything is told at once, in the order of the file.
#[derive(Debug)]
pub(super) struct Report<'a> {
    text: &'a str,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl<'a> Report<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, problems: Vec::new(), warnings: Vec::new() }
    }

    /// A problem at byte `at`; `write` is what could stand there instead, empty when nothing can be proposed.
    pub(super) fn problem(
        &mut self,
        at: usize,
        node: Option<&str>,
        what: impl Into<String>,
        write: impl Into<String>,
    ) {
        self.problems.push(self.told(at, node, what.into(), write.into()));
    }

    /// As [`Report::problem`], for what may stand but should not.
    pub(super) fn warning(
        &mut self,
        at: usize,
        node: Option<&str>,
        what: impl Into<String>,
        write: impl Into<String>,
    ) {
        self.warnings.push(self.told(at, node, what.into(), write.into()));
    }

    fn told(&self, at: usize, node: Option<&str>, what: String, write: String) -> Problem {
        let write = (!write.is_empty()).then_some(write);
        Problem { at: Spot::of(self.text, at), node: node.map(str::to_owned), what, write }
    }

    pub(super) fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// Problems and warnings, each in the order of the file. What the defaults brought upon every node is said once.
    pub(super) fn finish(mut self) -> (Vec<Problem>, Vec<Problem>) {
        for list in [&mut self.problems, &mut self.warnings] {
            list.sort_by_key(|problem| problem.at);
            list.dedup_by(|later, earlier| later.at == earlier.at && later.what == earlier.what);
        }
        (self.problems, self.warnings)
    }
}

/// All problems of a file as the one error that a verb ends with.
#[must_use]
pub fn problems_of(file: &str, problems: &[Problem]) -> Error {
    let count = match problems.len() {
        1 => "1 problem".to_owned(),
        n => format!("{n} problems"),
    };
    problems.iter().fold(Error::new(Exit::Invalid, format!("{file} has {count}")), |error, problem| {
        let error = error.detail(format!("{file}:{problem}"));
        match &problem.write {
            Some(text) => error.detail(format!("  write: {text}")),
            None => error,
        }
    })
}

/// The candidate that was most likely meant, if any is near.
pub(super) fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(typed, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count() / 3).clamp(1, 3))
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_characters_from_one() {
        let text = "# é\nport = 1\n";
        assert_eq!(Spot::of(text, 0), Spot { line: 1, column: 1 });
        assert_eq!(Spot::of(text, 4), Spot { line: 1, column: 4 });
        assert_eq!(Spot::of(text, 5), Spot { line: 2, column: 1 });
        assert_eq!(Spot::of(text, 9999), Spot { line: 3, column: 1 });
    }

    #[test]
    fn only_what_is_near_is_proposed() {
        let keys = ["port", "name", "replica-of", "persistence"];
        assert_eq!(nearest("replicaof", keys), Some("replica-of"));
        assert_eq!(nearest("prot", keys), Some("port"));
        assert_eq!(nearest("persistance", keys), Some("persistence"));
        assert_eq!(nearest("colour", keys), None);
    }
}
