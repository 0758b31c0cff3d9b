//! What happened to a set, for people: one line of its events, and who caused it.

use serde::{Deserialize, Serialize};

/// One line of `events.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happening {
    /// Milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The node it is about.
    pub port: Option<u16>,
    /// In plain words.
    pub text: String,
    /// Who caused it, where that was known when it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
}

/// Who causes what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// A person, by a verb of rctl.
    You,
    /// The supervisor, because a master stayed away.
    Autofailover,
    /// A Sentinel.
    Sentinel,
    /// The supervisor, as it carried out what it was asked.
    Supervisor,
    /// Nobody who is known: a process ended though nobody asked, or a node was told something by somebody else.
    Unknown,
}

impl Cause {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::You => "you",
            Self::Autofailover => "autofailover",
            Self::Sentinel => "sentinel",
            Self::Supervisor => "supervisor",
            Self::Unknown => "unknown",
        }
    }
}

impl Happening {
    /// What its words tell of who caused it.
    #[must_use]
    pub fn new(at_ms: u64, port: Option<u16>, text: impl Into<String>) -> Self {
        Self { at_ms, port, text: text.into(), cause: None }
    }

    /// Who caused it: as it was known then, else as far as its words tell.
    #[must_use]
    pub fn by(&self) -> &'static str {
        if let Some(cause) = self.cause {
            return cause.word();
        }
        let cause = if self.text.starts_with("rctl ") {
            Cause::You
        } else if self.text.starts_with("autofailover") {
            Cause::Autofailover
        } else if self.text.starts_with("sentinel") {
            Cause::Sentinel
        } else if self.text.starts_with("killed by")
            || self.text.starts_with("ended while")
            || (self.text.starts_with("exit code") && self.text != "exit code 0")
        {
            Cause::Unknown
        } else {
            Cause::Supervisor
        };
        cause.word()
    }
}
