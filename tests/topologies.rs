//! Every shipped topology in the simulated world: `rctl sim` runs that very set, finds every law kept, and tells the same
//! story for the same seed.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn rctl(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rctl")).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn shipped() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("topologies");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|kind| kind == "toml"));
    files.sort();
    files
}

#[test]
fn every_shipped_set_keeps_every_law_and_comes_to_rest() {
    assert!(shipped().len() >= 6);
    for file in shipped() {
        for seed in ["1", "2", "3"] {
            let file = file.to_str().unwrap();
            let output = rctl(&["sim", file, "--seed", seed]);
            let story = text(&output.stdout);
            assert_eq!(output.status.code(), Some(0), "{file}, seed {seed}: {story}{}", text(&output.stderr));
            let verdict = story.lines().last().unwrap_or_default();
            assert!(verdict.starts_with(&format!("seed {seed}: every law held")), "{verdict}");
        }
    }
}

#[test]
fn the_story_names_the_nodes_of_the_file_and_is_the_same_each_time() {
    let file = shipped().into_iter().find(|file| file.ends_with("one-master-two-replicas.toml")).unwrap();
    let args = ["sim", file.to_str().unwrap(), "--seed", "7", "--steps", "300"];
    let (first, again) = (text(&rctl(&args).stdout), text(&rctl(&args).stdout));
    assert_eq!(first, again);
    for said in ["6379", "6380", "6381", "takes a full copy from", "no more faults", " 300 steps"] {
        assert!(first.contains(said), "{said:?} is missing from:\n{first}");
    }
    let other = text(&rctl(&["sim", file.to_str().unwrap(), "--seed", "8", "--steps", "300"]).stdout);
    assert_ne!(first, other);
}

#[test]
fn the_story_as_json_holds_the_verdict_and_every_event() {
    let file = shipped().into_iter().find(|file| file.ends_with("chain.toml")).unwrap();
    let output = rctl(&["sim", file.to_str().unwrap(), "--seed", "3", "--json"]);
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["schema"], "rctl.sim/1");
    assert_eq!((&answer["held"], &answer["seed"]), (&true.into(), &3.into()));
    let story = answer["story"].as_array().unwrap();
    assert!(story.len() > 10 && story.iter().all(|event| event["ms"].is_u64() && event["text"].is_string()));
}

#[test]
fn a_file_that_is_none_is_refused() {
    let output = rctl(&["sim", "/nonexistent.toml"]);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "");
}
