//! The command transcripts against a real redis-server: what they say is what Redis does.
//!
//! Skipped there: whatever follows `advance` or `ours` in a section, and the effects. Differences we accept are in
//! `tests/accepted-differences.txt`, a transcript whose sections are named `file.txt: title`, whose steps are the
//! requests, whose output is what the real server says, and whose prose above each step is the reason. An entry
//! that no longer makes a difference fails the test.
//!
//! `UPDATE=1 cargo test -p rctl-server --test compat` writes what the real server says into the transcripts: the way
//! to begin a new one.

#[expect(
    dead_code,
    clippy::panic,
    reason = "each driver uses its part of the rig; a test fails by panicking"
)]
mod rig;

use rig::real::Real;
use rig::session::Session;
use rig::transcript::{self, Part, Section, Transcript};
use std::path::Path;

#[test]
fn a_real_redis_server_answers_as_the_transcripts_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/accepted-differences.txt");
    let mut accepted = Accepted::load(&path);
    transcript::run_all("commands", &mut |file, section| {
        let dir = tempfile::tempdir().expect("a temporary directory");
        if let Some(mut real) = Real::start::<&str>(dir.path(), &[]) {
            Session::new(&mut real, false).play(section);
            accepted.forgive(file, section);
        } else {
            accepted.differences.clear();
        }
    });
    if std::env::var_os("ONLY").is_none() {
        let stale: Vec<String> =
            accepted.differences.iter().filter(|entry| !entry.met).map(Entry::name).collect();
        assert!(stale.is_empty(), "{}: no longer a difference:\n{}", path.display(), stale.join("\n"));
    }
}

#[derive(Debug)]
struct Accepted {
    differences: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    section: String,
    request: String,
    theirs: Vec<String>,
    met: bool,
}

impl Entry {
    fn name(&self) -> String {
        format!("== {}\n{}", self.section, self.request)
    }
}

impl Accepted {
    fn load(path: &Path) -> Self {
        let mut differences = Vec::new();
        for section in Transcript::load(path).sections {
            let Some(title) = section.title else { continue };
            let mut reasoned = false;
            for part in section.parts {
                match part {
                    Part::Prose(line) => reasoned |= line.starts_with("# "),
                    Part::Step(step) => {
                        assert!(reasoned, "{}:{}: no reason above it", path.display(), step.line);
                        let (section, request) = (title.clone(), step.text);
                        differences.push(Entry { section, request, theirs: step.expected, met: false });
                        reasoned = false;
                    }
                }
            }
        }
        Self { differences }
    }

    /// Where the real server said what the list says it does, the transcript is taken for right.
    fn forgive(&mut self, file: &str, section: &mut Section) {
        let title = format!("{file}: {}", section.title.as_deref().unwrap_or_default());
        for entry in self.differences.iter_mut().filter(|entry| entry.section == title) {
            for step in section.steps_mut().filter(|step| step.text == entry.request) {
                let Some(actual) = &step.actual else { continue };
                let replies: Vec<String> =
                    actual.iter().filter(|line| !line.starts_with("-> ")).cloned().collect();
                if !transcript::matches(&step.expected, actual)
                    && transcript::matches(&entry.theirs, &replies)
                {
                    entry.met = true;
                    step.actual = Some(step.expected.clone());
                }
            }
        }
    }
}
