//! Names and lengths of files.

use crate::none;
use crate::source::{Source, rust};

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 7] = ["util", "helpers", "common", "misc", "types", "imp", "manager"];

/// Above this many lines a file's opening comment says why it is one file.
const HARD: usize = 500;

/// A file is meant to be read in one sitting.
const SOFT: usize = 300;

/// How many files of the two crates are longer than [`SOFT`], tests not counted. Only ever lowered.
const LONG_FILES: usize = 34;

/// A file that is flat, one row under another, grows with what it lists.
fn is_table(source: &Source) -> bool {
    source.name() == "table.rs"
}

/// The opening comment gives a reason for the length.
fn excuses_itself(source: &Source) -> bool {
    source.text.lines().take_while(|line| line.starts_with("//!")).any(|line| line.contains("length"))
}

fn too_long(source: &Source) -> Option<String> {
    let lines = source.text.lines().count();
    let fine = lines <= HARD || is_table(source) || excuses_itself(source);
    (!fine).then(|| {
        format!(
            "{}: {lines} lines; split it, or say in its opening comment why its length is right",
            source.path
        )
    })
}

#[test]
fn a_long_file_says_why_it_is_one_file() {
    none("files are read in one sitting", &rust().iter().filter_map(too_long).collect::<Vec<_>>());
}

#[test]
fn long_files_become_no_more() {
    let sources = rust();
    let long: Vec<String> = sources
        .iter()
        .filter(|source| source.path.contains("src/") && !is_table(source) && source.name() != "tests.rs")
        .map(|source| (source.code(false).count(), &source.path))
        .filter(|(lines, _)| *lines > SOFT)
        .map(|(lines, path)| format!("{lines} {path}"))
        .collect();
    assert!(
        long.len() <= LONG_FILES,
        "{} files are longer than {SOFT} lines, {LONG_FILES} were: split one\n{}",
        long.len(),
        long.join("\n")
    );
}

#[test]
fn a_file_is_named_for_what_is_in_it() {
    let problems: Vec<String> = rust()
        .iter()
        .filter(|source| {
            source.path.trim_end_matches(".rs").split('/').any(|part| EMPTY_NAMES.contains(&part))
        })
        .map(|source| format!("{}: name it for the one thing that is in it", source.path))
        .collect();
    none("names say something", &problems);
}

#[test]
fn every_file_opens_with_its_purpose() {
    let problems: Vec<String> = rust()
        .iter()
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| format!("{}: open it with `//!` and what it is for", source.path))
        .collect();
    none("files open with their purpose", &problems);
}

#[test]
fn the_laws_see_what_breaks_them() {
    let long = |head: &str, path: &str| Source {
        path: path.into(),
        text: format!("{head}\n{}", "x\n".repeat(HARD)),
    };
    assert!(too_long(&long("//! Something.", "src/a.rs")).is_some());
    assert!(too_long(&long("//! Rows. Its length is the number of things.", "src/a.rs")).is_none());
    assert!(too_long(&long("//! Rows.", "src/command/table.rs")).is_none());
}
