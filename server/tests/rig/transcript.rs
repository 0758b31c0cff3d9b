//! Transcripts: a file of sections, each a list of steps with the output expected below them.
//!
//! The form, shared by every driver:
//!
//! - `# text` and empty lines are prose: they tell the story and are kept as they are;
//! - `== title` opens a section, and a section starts from nothing: its title states the law it defends;
//! - any other line that starts in the first column is a step, in the driver's own words;
//! - lines indented by four spaces below a step are its output.
//!
//! In expected output `…` stands for any text within the line, and a line of `…` alone for any number of lines
//! (replies are printed in ASCII, so the sign never occurs in one).
//!
//! With `UPDATE=1` the files are rewritten with what was seen; expected lines that already match stay as typed.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const INDENT: &str = "    ";
const ANY: char = '…';

/// One step and what it gave.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// Line number in the file, from one.
    pub(crate) line: usize,
    /// The step as typed.
    pub(crate) text: String,
    /// The output below it, without the indentation.
    pub(crate) expected: Vec<String>,
    /// What the driver saw; `None` when it did not run the step.
    pub(crate) actual: Option<Vec<String>>,
}

#[derive(Debug, Clone)]
pub(crate) enum Part {
    Prose(String),
    Step(Step),
}

/// Steps that share one fresh world.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    /// The law it defends; `None` for what stands before the first `==`.
    pub(crate) title: Option<String>,
    pub(crate) parts: Vec<Part>,
}

impl Section {
    pub(crate) fn steps(&self) -> impl Iterator<Item = &Step> {
        self.parts.iter().filter_map(|part| match part {
            Part::Step(step) => Some(step),
            Part::Prose(_) => None,
        })
    }

    pub(crate) fn steps_mut(&mut self) -> impl Iterator<Item = &mut Step> {
        self.parts.iter_mut().filter_map(|part| match part {
            Part::Step(step) => Some(step),
            Part::Prose(_) => None,
        })
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Transcript {
    pub(crate) path: PathBuf,
    pub(crate) sections: Vec<Section>,
}

impl Transcript {
    pub(crate) fn load(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path: path.to_path_buf(), sections: parse(&text, &path.display().to_string()) }
    }

    /// `strings.txt`
    pub(crate) fn name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Compares what was seen with what was expected, or rewrites the file when `update` is set. Returns the
    /// differences, as text for people.
    pub(crate) fn settle(&self, update: bool) -> String {
        if update {
            let text = self.to_text();
            if fs::read_to_string(&self.path).ok().as_deref() != Some(text.as_str()) {
                fs::write(&self.path, text)
                    .unwrap_or_else(|error| panic!("{}: {error}", self.path.display()));
            }
            return String::new();
        }
        let mut report = String::new();
        for section in &self.sections {
            for step in section.steps() {
                let Some(actual) = &step.actual else { continue };
                if !matches(&step.expected, actual) {
                    let title = section.title.as_deref().unwrap_or("(no title)");
                    let _ = write!(report, "\n{}:{}: == {title}\n", self.path.display(), step.line);
                    report.push_str(&difference(&step.text, &step.expected, actual));
                }
            }
        }
        report
    }

    fn to_text(&self) -> String {
        let mut out = String::new();
        for section in &self.sections {
            if let Some(title) = &section.title {
                let _ = writeln!(out, "== {title}");
            }
            for part in &section.parts {
                match part {
                    Part::Prose(line) => {
                        let _ = writeln!(out, "{line}");
                    }
                    Part::Step(step) => {
                        let _ = writeln!(out, "{}", step.text);
                        let keep = step.actual.as_ref().is_none_or(|actual| matches(&step.expected, actual));
                        let lines = if keep { Some(&step.expected) } else { step.actual.as_ref() };
                        for line in lines.into_iter().flatten() {
                            let _ = writeln!(out, "{}", format!("{INDENT}{line}").trim_end());
                        }
                    }
                }
            }
        }
        out
    }
}

/// Runs `driver` over every section of every `*.txt` in `tests/<folder>` and fails with all differences at once.
/// `ONLY=name` limits the run to files whose name contains it.
pub(crate) fn run_all(folder: &str, driver: &mut dyn FnMut(&str, &mut Section)) {
    let update = std::env::var_os("UPDATE").is_some();
    let mut report = String::new();
    for mut transcript in load_all(folder) {
        let name = transcript.name();
        for section in &mut transcript.sections {
            driver(&name, section);
        }
        report.push_str(&transcript.settle(update));
    }
    assert!(report.is_empty(), "{report}\nUPDATE=1 rewrites the transcripts with what was seen");
}

/// Every transcript of `tests/<folder>`, by name.
pub(crate) fn load_all(folder: &str) -> Vec<Transcript> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let only = std::env::var("ONLY").unwrap_or_default();
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|ext| ext == "txt"));
    assert!(!paths.is_empty(), "no transcripts in {}", folder.display());
    paths.sort();
    let transcripts = paths.iter().map(|path| Transcript::load(path));
    transcripts.filter(|transcript| transcript.name().contains(&only)).collect()
}

/// Whether `actual` is what `expected` describes.
pub(crate) fn matches(expected: &[String], actual: &[String]) -> bool {
    match (expected.split_first(), actual.split_first()) {
        (None, None) => true,
        (Some((any, rest)), _) if any.chars().eq([ANY]) => {
            (0..=actual.len()).any(|skipped| matches(rest, actual.get(skipped..).unwrap_or_default()))
        }
        (Some((want, expected)), Some((have, actual))) => {
            line_matches(want, have) && matches(expected, actual)
        }
        _ => false,
    }
}

fn line_matches(want: &str, have: &str) -> bool {
    // Spaces at the end of a line are nobody's to see.
    let (want, have) = (want.trim_end(), have.trim_end());
    let mut pieces = want.split(ANY);
    let Some(mut rest) = pieces.next().and_then(|first| have.strip_prefix(first)) else { return false };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        let Some(at) = rest.find(piece) else { return false };
        rest = rest.get(at + piece.len()..).unwrap_or_default();
    }
    true
}

fn difference(step: &str, expected: &[String], actual: &[String]) -> String {
    let mut out = format!("{step}\n");
    for (sign, lines) in [("  expected  ", expected), ("  seen      ", actual)] {
        if lines.is_empty() {
            let _ = writeln!(out, "{sign}(nothing)");
        }
        for line in lines {
            let _ = writeln!(out, "{sign}{line}");
        }
    }
    out
}

fn parse(text: &str, path: &str) -> Vec<Section> {
    let mut sections = vec![Section { title: None, parts: Vec::new() }];
    for (index, line) in text.lines().enumerate() {
        if let Some(title) = line.strip_prefix("== ") {
            sections.push(Section { title: Some(title.trim().to_owned()), parts: Vec::new() });
            continue;
        }
        let parts = sections.last_mut().map(|section| &mut section.parts).unwrap_or_else(|| unreachable!());
        if let Some(output) = line.strip_prefix(INDENT) {
            match parts.last_mut() {
                Some(Part::Step(step)) => step.expected.push(output.to_owned()),
                _ => panic!("{path}:{}: output without a step above it", index + 1),
            }
        } else if line.trim().is_empty() || line.starts_with('#') {
            parts.push(Part::Prose(line.to_owned()));
        } else {
            assert!(!line.starts_with(' '), "{path}:{}: output is indented by four spaces", index + 1);
            let text = line.trim_end().to_owned();
            parts.push(Part::Step(Step { line: index + 1, text, expected: Vec::new(), actual: None }));
        }
    }
    sections
}

#[test]
fn expected_lines_may_leave_text_open() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    for (want, have, same) in [
        ("a\nb", "a\nb", true),
        ("a", "a\nb", false),
        ("a\n…", "a\nb\nc", true),
        ("…\nc", "a\nb\nc", true),
        ("…\nd", "a\nb\nc", false),
        ("id=… addr=…:… db=0", "id=3 addr=127.0.0.1:5 db=0", true),
        ("id=… addr=…:… db=0", "id=3 addr=127.0.0.1:5 db=1", false),
        ("a…", "a", true),
        ("…a…", "bab", true),
        ("ab…ba", "aba", false),
    ] {
        assert_eq!(matches(&lines(want), &lines(have)), same, "{want:?} against {have:?}");
    }
}
