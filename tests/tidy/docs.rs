//! What the documents promise exists: commands can be typed, files are there, headings are the agreed ones.

use std::path::Path;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use rctl::cli::Cli;

use crate::none;
use crate::source::read;

/// The pages a reader is sent to.
const PAGES: [&str; 4] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "server/README.md"];

/// The kinds of entries of the changelog, in their order.
const KINDS: [&str; 4] = ["Features", "Fixes", "Compatibility", "Internal"];

/// A map fits on a few screens.
const MAP_LINES: usize = 200;

/// The lines of a page's code blocks, counted from 1.
fn code_lines(page: &str) -> Vec<(usize, &str)> {
    let mut inside = false;
    let mut lines = Vec::new();
    for (index, line) in page.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if inside {
            lines.push((index + 1, line.trim()));
        }
    }
    lines
}

/// What stands between backticks in a page's prose, with its line.
fn quoted(page: &str) -> Vec<(usize, &str)> {
    let blocks: Vec<usize> = code_lines(page).into_iter().map(|(line, _)| line).collect();
    let prose = page.lines().enumerate().filter(|(index, _)| !blocks.contains(&(index + 1)));
    prose
        .flat_map(|(index, line)| line.split('`').skip(1).step_by(2).map(move |text| (index + 1, text)))
        .collect()
}

/// The words of a line that runs `rctl`, up to the first that belongs to the shell.
fn typed(line: &str) -> Option<Vec<String>> {
    let line = line.strip_prefix("$ ").unwrap_or(line);
    let line = line.strip_prefix("cargo run --release -- ").or_else(|| line.strip_prefix("rctl "))?;
    // A drawing has more than one space there.
    line.starts_with(|first: char| !first.is_whitespace()).then_some(())?;
    let words = rctl_server::resp::words::split_words(line.as_bytes()).ok()?;
    let words = words.into_iter().map(|word| String::from_utf8(word).unwrap());
    let words = words.take_while(|word| !["#", "|", ">", ">>", "&", "&&", ";"].contains(&word.as_str()));
    Some(std::iter::once("rctl".to_owned()).chain(words).collect())
}

/// Why a command line cannot be typed as it stands.
fn refused(words: &[String]) -> Option<String> {
    let missing = words.iter().find(|word| word.starts_with("topologies/") && !root(word).exists());
    if let Some(file) = missing {
        return Some(format!("there is no {file}"));
    }
    match Cli::try_parse_from(words) {
        Err(error) if !matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            Some(error.to_string().lines().next().unwrap_or_default().to_owned())
        }
        _ => None,
    }
}

fn root(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn verbs() -> Vec<String> {
    let command = Cli::command();
    command
        .get_subcommands()
        .filter(|verb| !verb.is_hide_set())
        .map(|verb| verb.get_name().to_owned())
        .collect()
}

/// Every heading that is not where it should be.
fn wrong_headings(changelog: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut releases = changelog.lines().filter_map(|line| line.strip_prefix("## "));
    if releases.next() != Some("Unreleased") {
        problems.push("the first release is `## Unreleased`".to_owned());
    }
    let mut last = None;
    for line in changelog.lines() {
        if line.starts_with("## ") {
            last = None;
        }
        let Some(kind) = line.strip_prefix("### ") else { continue };
        let place = KINDS.iter().position(|known| *known == kind);
        if place.is_none() || place <= last {
            problems.push(format!("`### {kind}`: the kinds are {}, in this order", KINDS.join(", ")));
        }
        last = place;
    }
    problems
}

#[test]
fn every_command_line_in_the_pages_can_be_typed() {
    let mut seen = 0;
    let mut problems = Vec::new();
    for page in PAGES {
        for (line, code) in code_lines(&read(page)) {
            let Some(words) = typed(code) else { continue };
            seen += 1;
            problems.extend(refused(&words).map(|why| format!("{page}:{line}: {code}: {why}")));
        }
    }
    none("what a page shows can be typed", &problems);
    assert!(seen > 10, "only {seen} command lines were found");
}

#[test]
fn every_example_in_the_help_can_be_typed() {
    let mut problems = Vec::new();
    let command = Cli::command();
    for verb in std::iter::once(&command).chain(command.get_subcommands()) {
        let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
        for words in help.lines().filter_map(|line| typed(line.trim())) {
            problems.extend(refused(&words).map(|why| format!("{}: {why}", words.join(" "))));
        }
    }
    none("what the help shows can be typed", &problems);
}

#[test]
fn a_verb_named_in_the_pages_exists_and_the_readme_names_all() {
    let verbs = verbs();
    let mut problems = Vec::new();
    for page in PAGES {
        for (line, text) in quoted(&read(page)) {
            let Some(verb) = text.strip_prefix("rctl ").and_then(|rest| rest.split(' ').next()) else {
                continue;
            };
            if !verb.starts_with('-') && !verbs.iter().any(|known| known == verb) {
                problems.push(format!("{page}:{line}: there is no `rctl {verb}`"));
            }
        }
    }
    let readme = read("README.md");
    let named =
        |verb: &&String| quoted(&readme).iter().any(|(_, text)| text.split([' ', ',']).any(|w| w == *verb));
    problems.extend(
        verbs.iter().filter(|verb| !named(verb)).map(|verb| format!("README.md: `{verb}` is missing")),
    );
    none("verbs and pages agree", &problems);
}

#[test]
fn every_recipe_named_in_the_pages_exists() {
    let justfile = read("justfile");
    let exists = |name: &str| {
        justfile.lines().any(|line| line.split([' ', ':']).next() == Some(name) && line.contains(':'))
    };
    let mut problems = Vec::new();
    for page in PAGES {
        let text = read(page);
        for (line, code) in code_lines(&text).into_iter().chain(quoted(&text)) {
            let Some(recipe) = code.strip_prefix("just ").and_then(|rest| rest.split(' ').next()) else {
                continue;
            };
            if !exists(recipe) {
                problems.push(format!("{page}:{line}: the justfile has no recipe {recipe}"));
            }
        }
    }
    none("recipes exist", &problems);
}

#[test]
fn every_path_named_in_the_pages_exists() {
    let roots = ["src/", "server/", "tests/", "topologies/", ".ci/"];
    let mut problems = Vec::new();
    for page in PAGES {
        for (line, text) in quoted(&read(page)) {
            let pattern =
                text.contains([' ', '*', '<', '{']) || text.bytes().any(|byte| byte.is_ascii_uppercase());
            let near = Path::new(page).with_file_name(text);
            let there = root(text).exists() || root(&near.to_string_lossy()).exists();
            if roots.iter().any(|start| text.starts_with(start)) && !pattern && !there {
                problems.push(format!("{page}:{line}: there is no {text}"));
            }
        }
    }
    none("paths exist", &problems);
}

#[test]
fn the_map_shows_every_room_and_stays_a_map() {
    let map = read("ARCHITECTURE.md");
    assert!(map.lines().count() <= MAP_LINES, "ARCHITECTURE.md is longer than {MAP_LINES} lines");
    let mut problems = Vec::new();
    for (lib, place) in [("src/lib.rs", "src/"), ("server/src/lib.rs", "server/src/")] {
        for room in read(lib).lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')) {
            let paths = [format!("`{place}{room}/`"), format!("`{place}{room}.rs`")];
            if !paths.iter().any(|path| map.contains(path.as_str())) {
                problems.push(format!("ARCHITECTURE.md says nothing of {}", paths[0]));
            }
        }
    }
    none("the map is whole", &problems);
}

#[test]
fn the_changelog_has_the_agreed_headings() {
    none("CHANGELOG.md", &wrong_headings(&read("CHANGELOG.md")));
}

#[test]
fn the_laws_see_what_breaks_them() {
    let line = |text: &str| typed(text).and_then(|words| refused(&words));
    assert!(line("rctl ascend 6381").is_some());
    assert!(line("$ rctl up topologies/none.toml").is_some());
    assert!(line("cargo run --release -- up topologies/one-master-two-replicas.toml").is_none());
    assert!(line("rctl status | head -n 3").is_none());
    assert!(typed("redis-cli -p 6379").is_none());
    assert!(!wrong_headings("# Changelog\n## 1.0\n### Features").is_empty());
    assert!(!wrong_headings("## Unreleased\n### Fixes\n### Features").is_empty());
    assert!(wrong_headings("## Unreleased\n### Features\n### Fixes\n## 1.0\n### Features").is_empty());
}
