//! Replication stories: a few nodes in this process over a fake network, told step by step.
//!
//! `tests/replication/*.txt` holds the stories, in the form of `rig/transcript.rs`. The words:
//!
//! ```text
//! == a replica that was away for less than the backlog continues where it stopped
//! nodes 2
//! replicaof 2 1
//! stabilize
//! break 1-2
//! write 1 SET a 1
//! stabilize
//! read 2 GET a
//!     "1"
//! status
//!     1 master  history h1  offset 64  feeds 2:online/64
//!     2 replica of 1  link up  history h1  offset 64
//! ```
//!
//! - `config NAME VALUE…`, before `nodes`: a directive for all of them.
//! - `nodes 3` starts nodes 1 to 3; node n listens on 127.0.0.1:700n.
//! - `replicaof 2 1`, `replicaof 2 no one`.
//! - `write 1 SET a 1` sends a command and shows the reply unless it is OK; `read 2 GET a` (or `ask`) always shows
//!   it, and knows `| sort` and `| fields …` as command transcripts do.
//! - `fill 1 20000` sets the key `filler` to a value of that many bytes.
//! - `hold 1->2`: what 1 sends to 2 stays on the wire until `deliver`; with `hold 1->2 after 300` the next 300 bytes
//!   still arrive. What comes late of a command is shown as `1: OK`. `break 1-2` resets the connections between the
//!   two; `cut 1-2` also lets no new ones come about, until `heal`. `split 7` hands bytes over in pieces of seven.
//! - `room 100`: at most so many bytes are on the wire at once in each direction; the rest waits at the sender.
//! - `advance 10s` moves the clock. `stabilize` moves it until every link is up and everything is acknowledged.
//! - `crash 2`, `shutdown 2` (SIGTERM), `restart 2` (from its disk and its configuration file).
//! - `status` shows a line per node, `log 2` what node 2 logged since it was last asked (`forget 2` throws that away),
//!   `digest` which nodes hold the same data (`1 = 2 = 3`).
//!
//! Ids are shown as `h1`, `h2` in the order in which they appear.

#[expect(
    dead_code,
    clippy::panic,
    reason = "each driver uses its part of the rig; a test fails by panicking"
)]
mod rig;

use rig::{cluster::Cluster, transcript};

#[test]
fn nodes_replicate_as_their_stories_say() {
    transcript::run_all("replication", &mut |_, section| Cluster::new().play(section));
}

/// The text of every file below `dir`.
fn texts(dir: &std::path::Path, out: &mut String) {
    for path in std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            texts(&path, out);
        } else if path.extension().is_some_and(|kind| kind == "rs" || kind == "txt") {
            out.push_str(&std::fs::read_to_string(&path).unwrap_or_default());
        }
    }
}

#[test]
fn every_test_that_the_list_of_rules_names_is_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = String::new();
    texts(&root.join("tests"), &mut all);
    texts(&root.join("src"), &mut all);
    let page = std::fs::read_to_string(root.join("tests/replication/README.md")).unwrap_or_default();
    let rules = page.lines().filter(|line| line.starts_with("- "));
    let names = rules.flat_map(|line| line.split('`').skip(1).step_by(2));
    let is_there = |name: &str| {
        all.contains(&format!("\n== {name}\n"))
            || all.contains(&format!("    fn {name}()"))
            || all.contains(&format!("\nfn {name}()"))
    };
    let missing: Vec<&str> = names.clone().filter(|name| !is_there(name)).collect();
    assert!(names.count() > 50 && missing.is_empty(), "no such tests: {missing:#?}");
}
