//! The doors of the room: text or a path in, a [`Topology`] or every problem out.

use std::io::Read;
use std::path::Path;

use super::problem::{Report, problems_of};
use super::{Problem, Topology, check as rules, file};
use crate::error::{Error, Exit, Result};

/// What a file is worth: the set when nothing is wrong, and everything there is to say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The set; `None` exactly when there are problems.
    pub topology: Option<Topology>,
    /// What must be changed, in the order of the file.
    pub problems: Vec<Problem>,
    /// What may stand but should not, in the order of the file.
    pub warnings: Vec<Problem>,
}

/// Judges the text of the file `name`. Pure: relative engine paths are joined to the directory part of `name`.
#[must_use]
pub fn check(text: &str, name: &str) -> Checked {
    let path = Path::new(name);
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let base = path.parent().unwrap_or(Path::new(""));
    let mut report = Report::new(text);
    let raw = file::read(text, &mut report);
    let topology = rules::topology(&raw, &stem, base, &mut report);
    let (problems, warnings) = report.finish();
    Checked { topology: topology.filter(|_| problems.is_empty()), problems, warnings }
}

/// The set that the text of the file `name` describes, and the warnings about it.
///
/// # Errors
/// [`Exit::Invalid`] with every problem, each with its line, column and node.
pub fn parse(text: &str, name: &str) -> Result<(Topology, Vec<Problem>)> {
    let checked = check(text, name);
    match checked.topology {
        Some(topology) => Ok((topology, checked.warnings)),
        None => Err(problems_of(name, &checked.problems)),
    }
}

/// Reads and judges a file; the topology's `file` is its absolute path.
///
/// # Errors
/// [`Exit::Invalid`] when it cannot be read or is not UTF-8 text. Problems of its content are in the answer.
pub fn check_file(path: &Path) -> Result<Checked> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let text = text_of(path)?;
    let mut checked = check(&text, &absolute.to_string_lossy());
    if let Some(topology) = &mut checked.topology {
        topology.file = Some(absolute);
    }
    Ok(checked)
}

/// The set that a file describes, and the warnings about it; its `file` is the absolute path.
///
/// # Errors
/// As [`parse`], and when the file cannot be read.
pub fn load(path: &Path) -> Result<(Topology, Vec<Problem>)> {
    let checked = check_file(path)?;
    match checked.topology {
        Some(topology) => Ok((topology, checked.warnings)),
        None => Err(problems_of(&path.display().to_string(), &checked.problems)),
    }
}

fn text_of(path: &Path) -> Result<String> {
    let shown = path.display();
    let unreadable =
        |why: String| Error::new(Exit::Invalid, format!("cannot read the topology file {shown}: {why}"));
    let not_there = |error: &std::io::Error| {
        let error_text = match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            _ => error.to_string(),
        };
        unreadable(error_text).hint("rctl up --replicas 2")
    };
    let file = std::fs::File::open(path).map_err(|error| not_there(&error))?;
    let mut bytes = Vec::new();
    // One byte more than is allowed, so that the check can tell.
    let limit = file::SIZE_LIMIT as u64 + 1;
    file.take(limit).read_to_end(&mut bytes).map_err(|error| unreadable(error.to_string()))?;
    String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8 text".into()))
}
