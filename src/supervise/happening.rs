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
}

impl Happening {
    /// Who caused it, as far as its words tell: `you` by a verb, `autofailover`, the `supervisor` as it carried out what
    /// it was asked, or `unknown` for a process that ended though nobody asked.
    #[must_use]
    pub fn by(&self) -> &'static str {
        if self.text.starts_with("rctl ") {
            "you"
        } else if self.text.starts_with("autofailover") {
            "autofailover"
        } else if self.text.starts_with("killed by")
            || self.text.starts_with("ended while")
            || (self.text.starts_with("exit code") && self.text != "exit code 0")
        {
            "unknown"
        } else {
            "supervisor"
        }
    }
}
