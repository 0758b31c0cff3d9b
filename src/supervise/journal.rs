//! What survives an rctl that is killed in the middle of a change.
//!
//! `change.json` in the set's directory holds the intent and the step that was begun last; it is written before the
//! first command and removed after the last. `change.lock` is held by the process at work, and goes with it: a file
//! without a holder of the lock is an interrupted change.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

use super::state_dir::replace;
use crate::error::{Error, Exit, Result};
use crate::plan::settling::Intent;

/// What is said to a second rctl.
pub const BUSY: &str = "another rctl is changing this set";

/// The version of the file. Another one is reported, never guessed at.
const VERSION: u32 = 1;

/// The largest file that is read, in bytes.
const LIMIT: u64 = 4 << 20;

/// The right to change a set, and the record of what is being changed.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    _lock: Flock<File>,
}

#[derive(Serialize, Deserialize)]
struct Record {
    version: u32,
    #[serde(flatten)]
    intent: Intent,
}

impl Journal {
    /// Takes the right to change the set whose directory is `dir`.
    ///
    /// # Errors
    /// [`Exit::Environment`] when another rctl is at work on this set, or the directory cannot be written.
    pub fn open(dir: &Path) -> Result<Self> {
        let lock = dir.join("change.lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&lock)
            .map_err(|error| unwritable(&lock, &error))?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => Ok(Self { path: dir.join("change.json"), _lock: lock }),
            Err(_) => Err(Error::new(Exit::Environment, BUSY).hint("rctl status")),
        }
    }

    /// Is there a record of a change, under way or cut off.
    #[must_use]
    pub fn exists(dir: &Path) -> bool {
        dir.join("change.json").exists()
    }

    /// A change that an earlier rctl began and did not end.
    ///
    /// # Errors
    /// The file is damaged or of another version: it is put aside and named.
    pub fn interrupted(&self) -> Result<Option<Intent>> {
        let mut text = String::new();
        match File::open(&self.path).and_then(|file| file.take(LIMIT).read_to_string(&mut text)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unwritable(&self.path, &error)),
            Ok(_) => {}
        }
        match serde_json::from_str::<Record>(&text) {
            Ok(record) if record.version == VERSION => Ok(Some(record.intent)),
            _ => {
                let aside = self.path.with_extension("damaged");
                std::fs::rename(&self.path, &aside).map_err(|error| unwritable(&self.path, &error))?;
                let what = format!(
                    "the record of an interrupted change cannot be read; it is now {}",
                    aside.display()
                );
                Err(Error::new(Exit::Environment, what).hint("rctl status"))
            }
        }
    }

    /// Writes the intent with the step that is about to begin.
    ///
    /// # Errors
    /// The directory cannot be written: nothing should be sent then.
    pub fn record(&self, intent: &Intent) -> Result<()> {
        let record = Record { version: VERSION, intent: intent.clone() };
        let text = serde_json::to_vec(&record).map_err(|error| {
            Error::new(Exit::Unexpected, format!("the change cannot be recorded: {error}"))
        })?;
        replace(&self.path, &text, None).map_err(|error| unwritable(&self.path, &error))
    }

    /// The change has ended, one way or the other.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn close(&self) -> Result<()> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unwritable(&self.path, &error)),
            _ => Ok(()),
        }
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::new(Exit::Environment, format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::step::{Deed, Step, Words};

    fn intent() -> Intent {
        let deed = Deed::Send { node: 2, words: Words::of("REPLICAOF NO ONE") };
        let steps = vec![Step::vital(deed).undone_by(2, Words::replicaof("h", 1))];
        Intent { what: "promote 2".into(), target: Some(2), old: Some(1), steps, begun: 0 }
    }

    #[test]
    fn an_intent_outlives_its_writer_and_one_works_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path()).unwrap();
        assert_eq!(journal.interrupted().unwrap(), None);
        journal.record(&intent()).unwrap();
        assert_eq!(Journal::open(dir.path()).unwrap_err().exit, Exit::Environment);
        drop(journal);
        let journal = Journal::open(dir.path()).unwrap();
        assert_eq!(journal.interrupted().unwrap(), Some(intent()));
        journal.close().unwrap();
        assert_eq!(journal.interrupted().unwrap(), None);
    }

    #[test]
    fn a_damaged_record_is_named_once_and_put_aside() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path()).unwrap();
        std::fs::write(dir.path().join("change.json"), "{\"version\":9}").unwrap();
        assert_eq!(journal.interrupted().unwrap_err().exit, Exit::Environment);
        assert_eq!(journal.interrupted().unwrap(), None);
    }
}
