//! The files of this project, and a line split into code and comment.

use std::path::{Path, PathBuf};

/// One text file.
pub(crate) struct Source {
    /// Its path from the project's root, with `/`.
    pub(crate) path: String,
    /// What is in it.
    pub(crate) text: String,
}

impl Source {
    /// The lines of code, counted from 1: without comments and, when `tests` is false, without the `#[cfg(test)]` part,
    /// which stands last in a file.
    pub(crate) fn code(&self, tests: bool) -> impl Iterator<Item = (usize, &str)> {
        let all = self.text.lines().enumerate();
        all.take_while(move |(_, line)| tests || !line.starts_with("#[cfg(test)]"))
            .map(|(index, line)| (index + 1, split(line).0))
    }

    /// The comment of each line that has one, counted from 1.
    pub(crate) fn comments(&self) -> impl Iterator<Item = (usize, &str)> {
        let all = self.text.lines().enumerate();
        all.filter_map(|(index, line)| Some((index + 1, split(line).1?)))
    }

    /// The file's name without directories.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// Code and comment of one line. A `//` in a string is code.
pub(crate) fn split(line: &str) -> (&str, Option<&str>) {
    let bytes = line.as_bytes();
    let (mut quoted, mut at) = (false, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quoted => at += 1,
            b'"' if !quoted && bytes[at.saturating_sub(1)] == b'\'' => {}
            b'"' => quoted = !quoted,
            b'/' if !quoted && bytes.get(at + 1) == Some(&b'/') => return (&line[..at], Some(&line[at..])),
            _ => {}
        }
        at += 1;
    }
    (line, None)
}

/// Every file below `places` (files or directories, from the root) whose name ends in one of `endings`, sorted.
pub(crate) fn sources(places: &[&str], endings: &[&str]) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for place in places {
        collect(&root.join(place), &mut paths);
    }
    let mut found: Vec<Source> = paths
        .into_iter()
        .filter(|path| endings.iter().any(|ending| path.to_string_lossy().ends_with(ending)))
        .filter_map(|path| {
            let text = std::fs::read_to_string(&path).ok()?;
            let path = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            Some(Source { path, text })
        })
        .collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "nothing below {places:?} ends in {endings:?}");
    found
}

/// All Rust of both crates, tests included.
pub(crate) fn rust() -> Vec<Source> {
    sources(&["src", "tests", "benches", "server/src", "server/tests", "server/benches"], &[".rs"])
}

/// One file by its path from the root.
pub(crate) fn read(path: &str) -> String {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&full).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn collect(place: &Path, into: &mut Vec<PathBuf>) {
    if place.is_file() {
        into.push(place.to_path_buf());
    }
    for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        // What a build or a version control system keeps is nobody's style.
        if name != "target" && name != ".git" {
            collect(&path, into);
        }
    }
}

#[test]
fn a_comment_begins_at_two_slashes_outside_a_string() {
    assert_eq!(split("let a = 1; // one"), ("let a = 1; ", Some("// one")));
    assert_eq!(split(r#"let a = "http://x";"#), (r#"let a = "http://x";"#, None));
    assert_eq!(split(r#"b'"' => 1, // quote"#), (r#"b'"' => 1, "#, Some("// quote")));
    assert_eq!(split(r#"let a = "a\"//b"; // c"#).1, Some("// c"));
}
