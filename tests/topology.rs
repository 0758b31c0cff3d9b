//! Topology files: text in, a set or all its problems out. Each `tests/topology/*.txt` holds cases:
//!
//! ```text
//! === the law the case defends
//! the file's text
//! ----
//! what the reader is told
//! ```
//!
//! `UPDATE=1 cargo test --test topology` writes the answers anew; read the difference before keeping it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

use std::fmt::Write as _;

use rctl::topology::{self, Topology};

const FILE: &str = "lab.toml";

#[test]
fn files_are_answered_as_the_transcripts_say() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut cases = 0;
    for path in files("tests/topology", "txt") {
        let text = std::fs::read_to_string(&path).unwrap();
        let answered = answer_all(&text, &mut cases);
        if update {
            std::fs::write(&path, answered).unwrap();
        } else {
            assert!(answered == text, "{} differs; now:\n{answered}", path.display());
        }
    }
    assert!(cases > 20, "only {cases} cases were found");
}

#[test]
fn every_shipped_topology_is_valid_and_opens_with_a_sentence() {
    let shipped = files("topologies", "toml");
    assert!(shipped.len() >= 6);
    for path in shipped {
        let text = std::fs::read_to_string(&path).unwrap();
        let first = text.lines().next().unwrap();
        assert!(
            first.starts_with("# ")
                && text.lines().take(2).any(|line| line.ends_with('.') || line.contains(':'))
        );
        let (topology, warnings) = topology::load(&path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(warnings, [], "{}", path.display());
        assert_eq!(Some(topology.name.as_str()), path.file_stem().and_then(|stem| stem.to_str()));
        assert_eq!(topology.file, Some(std::path::absolute(&path).unwrap()));
    }
}

#[test]
fn any_damage_to_a_file_is_told_and_ends_nothing() {
    for path in files("topologies", "toml") {
        let text = std::fs::read_to_string(&path).unwrap();
        for at in 0..text.len() {
            for damaged in [text[..at].to_owned(), format!("{}\"{}", &text[..at], &text[at..])] {
                let checked = topology::check(&damaged, FILE);
                assert_eq!(checked.topology.is_none(), !checked.problems.is_empty(), "{damaged}");
            }
        }
    }
}

#[test]
fn a_set_without_a_file_is_one_master_and_its_replicas() {
    let set = Topology::of_replicas(2).unwrap();
    let links: Vec<_> = set.nodes.iter().map(|node| (node.port, node.replica_of)).collect();
    assert_eq!(links, [(6379, None), (6380, Some(6379)), (6381, Some(6379))]);
    assert_eq!(Topology::of_replicas(0).unwrap().nodes.len(), 1);
    assert!(Topology::of_replicas(u16::MAX).is_err());
}

fn answer_all(text: &str, cases: &mut usize) -> String {
    let mut out = String::new();
    let (preface, rest) = text.split_once("=== ").unwrap_or((text, ""));
    out.push_str(preface);
    for case in rest.split("\n=== ") {
        let (law, body) = case.split_once('\n').unwrap_or((case, ""));
        let (file, _) = body.split_once("----\n").unwrap_or_else(|| panic!("{law}: no ---- line"));
        *cases += 1;
        let _ = write!(out, "=== {law}\n{file}----\n{}\n", answer(file));
    }
    out
}

fn answer(file: &str) -> String {
    let mut out = String::new();
    let warnings = match topology::parse(file, FILE) {
        Ok((topology, warnings)) => {
            let _ = writeln!(out, "{}", topology.name);
            for node in &topology.nodes {
                let name = node.name.as_ref().map_or(String::new(), |name| format!(" {name}"));
                let link = node.replica_of.map_or(String::new(), |port| format!(" replica of {port}"));
                let config: String =
                    node.config.iter().map(|(key, value)| format!(" {key}={value}")).collect();
                let _ = writeln!(
                    out,
                    "{}{name}{link} {:?} {:?} {:?}{config}",
                    node.port, node.engine, node.persistence, node.restart
                );
            }
            warnings
        }
        Err(error) => {
            assert_eq!(error.exit, rctl::error::Exit::Invalid);
            let _ = writeln!(out, "{error}");
            topology::check(file, FILE).warnings
        }
    };
    for warning in warnings {
        let _ = writeln!(out, "warning: {FILE}:{warning}");
        if let Some(text) = &warning.write {
            let _ = writeln!(out, "  write: {text}");
        }
    }
    assert!(!out.contains('\u{1b}'), "a control character reached the screen");
    out
}

fn files(directory: &str, extension: &str) -> Vec<std::path::PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    paths.sort();
    paths
}
