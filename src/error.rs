//! Every way to fail: what failed, on which node or line, and one hint that can be typed as it stands.

use std::fmt;

/// The exit codes, stable for scripts (`rctl help exit-codes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The wanted state was seen.
    Done = 0,
    /// A bug of ours, or something nobody foresaw.
    Unexpected = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// No such set is running.
    NotRunning = 3,
    /// The topology file is invalid.
    Invalid = 4,
    /// Port taken, engine missing, permission, another rctl at work on this set.
    Environment = 5,
    /// Timed out waiting.
    TimedOut = 6,
    /// Refused: it would lose data, or a precondition does not hold.
    Refused = 7,
    /// The change is incomplete: promoted, but a node did not follow.
    Incomplete = 8,
    /// `plan --exit-code`: there are changes.
    Changes = 10,
    /// `status --exit-code`: degraded.
    Degraded = 11,
    /// Data differs or writes were lost.
    Differs = 12,
}

/// An expected failure, for people: lower case, no full stop, no debug dumps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What the process ends with.
    pub exit: Exit,
    /// What failed, on which node or line.
    pub what: String,
    /// More lines below it (each problem of a file, each node that did not follow).
    pub details: Vec<String>,
    /// Commands that can be typed as they stand.
    pub hints: Vec<String>,
}

/// The result of everything that can fail in an expected way.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A failure with its exit code.
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { exit, what: what.into(), details: Vec::new(), hints: Vec::new() }
    }

    /// Adds a line of detail.
    #[must_use]
    pub fn detail(mut self, line: impl Into<String>) -> Self {
        self.details.push(line.into());
        self
    }

    /// Adds a hint: a command that can be typed as it stands.
    #[must_use]
    pub fn hint(mut self, command: impl Into<String>) -> Self {
        self.hints.push(command.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        for line in &self.details {
            write!(f, "\n  {line}")?;
        }
        for hint in &self.hints {
            write!(f, "\n  try: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
