//! Two failures that several verbs meet: a node that ended, and one that the guard holds.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::set::Running;
use super::{Ctx, clash};
use crate::error::{Error, Exit};

/// How much of a log is looked at, in bytes.
const TAIL: u64 = 8192;
/// How many of its last lines are shown.
const LINES: usize = 5;

/// A node that ended while it was wanted: the last lines of its log say why, and so does a port that is taken.
#[must_use]
pub fn crashed(ctx: &Ctx, set: &Running, port: u16, exit: &str) -> Error {
    let log = set.dir.node(port).log();
    let lines = tail(&log);
    if lines.iter().any(|line| line.contains("ddress already in use"))
        && let Some(error) = clash::look(ctx, &set.dir, set.topology(), &[port], None)
    {
        return error;
    }
    let error = Error::new(Exit::Environment, format!("{port} did not come up: {exit}"));
    let error = lines.into_iter().fold(error, Error::detail);
    error.hint(format!("tail -n 50 {}", log.display()))
}

/// A master that the guard holds: promoting a replica loses nothing.
#[must_use]
pub fn held(set: &Running, port: u16, why: &str) -> Error {
    let heir = set.facts.nodes.iter().filter(|node| node.port != port && node.pid.is_some());
    // Of equals, the first.
    let heir = heir.rev().max_by_key(|node| node.seen.as_ref().and_then(|seen| seen.offset));
    let error = Error::new(Exit::Refused, format!("{port} is held: {why}"))
        .detail("its replicas would throw away what they have");
    let error = match heir {
        Some(heir) => error.hint(format!("rctl promote {}", heir.port)),
        None => error,
    };
    error.hint(format!("rctl start {port} --allow-data-loss"))
}

/// The last lines of a file, control bytes taken out.
#[must_use]
pub fn tail(path: &Path) -> Vec<String> {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|mut file| {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        file.take(TAIL).read_to_end(&mut bytes)
    });
    if read.is_err() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let from = lines.len().saturating_sub(LINES);
    let clean = |line: &&str| line.chars().filter(|c| !c.is_control()).collect();
    lines.get(from..).unwrap_or_default().iter().map(clean).collect()
}
