//! What can be asked of a running supervisor, and what it answers. One request, one answer, both one line of JSON.

use serde::{Deserialize, Serialize};

use super::facts::SetFacts;
use crate::error::{Error, Exit};
use crate::fault::{Effect, Healing, Link};
use crate::plan::{NodePlan, Plan};

/// The version of what is said over the socket. A supervisor of another version is told so, not guessed at.
pub const VERSION: u32 = 1;

/// One thing asked. The answer to each but [`Request::Facts`] says that it was begun: whoever asked looks at the
/// facts until the wanted state is seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do")]
pub enum Request {
    /// Everything the supervisor knows.
    Facts,
    /// Make the set as planned: start what is down, add what is new, leave what runs.
    Converge {
        /// The whole plan.
        plan: Plan,
        /// Start masters that would come back with less than their replicas hold.
        allow_data_loss: bool,
    },
    /// Add one node.
    Add {
        /// The node.
        node: Box<NodePlan>,
    },
    /// Start what is down.
    Start {
        /// The nodes.
        ports: Vec<u16>,
        /// As in [`Request::Converge`].
        allow_data_loss: bool,
    },
    /// SIGTERM, then SIGKILL.
    Stop {
        /// The nodes.
        ports: Vec<u16>,
    },
    /// Stop, then start.
    Restart {
        /// The nodes.
        ports: Vec<u16>,
        /// As in [`Request::Converge`].
        allow_data_loss: bool,
    },
    /// Send a signal, and let happen what happens.
    Kill {
        /// The nodes.
        ports: Vec<u16>,
        /// The signal's number.
        signal: i32,
    },
    /// SIGSTOP.
    Pause {
        /// The nodes.
        ports: Vec<u16>,
    },
    /// SIGCONT.
    Resume {
        /// The nodes.
        ports: Vec<u16>,
    },
    /// Forget a node that is down.
    Remove {
        /// The node.
        port: u16,
        /// Remove its directory too.
        purge: bool,
    },
    /// Write the role of a node that is down into its configuration file: what it will be when it comes back.
    SetRole {
        /// The node.
        port: u16,
        /// Host and port to follow; `None` is a master.
        upstream: Option<(String, u16)>,
    },
    /// Break links.
    Break {
        /// What is to be wrong.
        effect: Effect,
        /// With which links.
        links: Vec<Link>,
    },
    /// Take faults away.
    Heal(Healing),
    /// Promote a replica by itself where a master stays away; `None` leaves that to people.
    Autofailover {
        /// How long a master may be away, in milliseconds.
        down_after_ms: Option<u64>,
    },
    /// Somebody begins to change who follows whom.
    Changing,
    /// Record something that somebody did.
    Note {
        /// The node it is about.
        port: Option<u16>,
        /// In plain words.
        text: String,
    },
    /// Stop everything, replicas first, and end.
    Down,
}

impl Request {
    /// What is asked for shows in no process and no node's own file: were the supervisor killed right after its answer, it
    /// would be forgotten.
    #[must_use]
    pub fn is_kept_nowhere_else(&self) -> bool {
        matches!(
            self,
            Self::Break { .. }
                | Self::Heal(_)
                | Self::Autofailover { .. }
                | Self::Add { .. }
                | Self::Remove { .. }
        )
    }
}

/// What a supervisor answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Reply {
    /// The answer to [`Request::Facts`].
    Facts {
        /// Everything.
        facts: Box<SetFacts>,
    },
    /// It was begun.
    Begun,
    /// It was not begun, and nothing changed.
    Refused(Refusal),
}

/// Why something was not begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The exit code of the verb.
    pub code: u8,
    /// What failed.
    pub what: String,
    /// A command that can be typed as it stands.
    pub hint: Option<String>,
}

impl Refusal {
    /// A refusal for people.
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { code: exit as u8, what: what.into(), hint: None }
    }

    /// With a hint.
    #[must_use]
    pub fn hint(mut self, command: impl Into<String>) -> Self {
        self.hint = Some(command.into());
        self
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let exit =
            [Exit::Usage, Exit::NotRunning, Exit::Invalid, Exit::Environment, Exit::TimedOut, Exit::Refused]
                .into_iter()
                .find(|exit| *exit as u8 == refusal.code)
                .unwrap_or(Exit::Unexpected);
        let error = Self::new(exit, refusal.what);
        match refusal.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}
