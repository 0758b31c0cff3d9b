//! One step of a change: a Redis command to a node, or a condition to wait for.
//!
//! Steps are data, so that a dry run prints them, a journal keeps them, and executing them has nothing to decide.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A Redis command as it is sent: the words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words(pub Vec<String>);

impl Words {
    /// From a line without quotes.
    #[must_use]
    pub fn of(line: &str) -> Self {
        Self(line.split_whitespace().map(str::to_owned).collect())
    }

    /// `REPLICAOF host port`.
    #[must_use]
    pub fn replicaof(host: &str, port: u16) -> Self {
        Self(vec!["REPLICAOF".into(), host.into(), port.to_string()])
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

/// What happens when a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// The change is undone.
    Vital,
    /// The change goes on and ends incomplete.
    Wanted,
    /// The change goes on; it is told.
    Welcome,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do")]
pub enum Deed {
    /// Send a command and have an answer that is no error.
    Send {
        /// Whom.
        node: u16,
        /// What.
        words: Words,
    },
    /// Wait until a coordinated handover is over and the node follows another.
    AwaitHandover {
        /// The old master.
        node: u16,
    },
    /// Wait until a node has applied every byte of another.
    AwaitLevel {
        /// The one that has the bytes.
        ahead: u16,
        /// The one that is to have them.
        behind: u16,
    },
    /// Wait until a node follows another and its link is up.
    AwaitFollowing {
        /// The replica.
        node: u16,
        /// Its upstream.
        upstream: u16,
    },
    /// Write the role of a node that is down into its configuration file.
    SetRole {
        /// The node.
        node: u16,
        /// Host and port to follow.
        upstream: (String, u16),
    },
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What it does.
    pub deed: Deed,
    /// What its failure means.
    pub weight: Weight,
    /// The command that takes it back: whom, and what.
    pub undo: Option<(u16, Words)>,
}

impl Step {
    /// A step that the change cannot do without.
    #[must_use]
    pub fn vital(deed: Deed) -> Self {
        Self { deed, weight: Weight::Vital, undo: None }
    }

    /// A step whose failure leaves the change incomplete.
    #[must_use]
    pub fn wanted(deed: Deed) -> Self {
        Self { deed, weight: Weight::Wanted, undo: None }
    }

    /// A step whose failure is only told.
    #[must_use]
    pub fn welcome(deed: Deed) -> Self {
        Self { deed, weight: Weight::Welcome, undo: None }
    }

    /// With the command that takes it back.
    #[must_use]
    pub fn undone_by(mut self, node: u16, words: Words) -> Self {
        self.undo = Some((node, words));
        self
    }

    /// The node this is about.
    #[must_use]
    pub fn node(&self) -> u16 {
        match &self.deed {
            Deed::Send { node, .. }
            | Deed::AwaitHandover { node }
            | Deed::AwaitLevel { behind: node, .. }
            | Deed::AwaitFollowing { node, .. }
            | Deed::SetRole { node, .. } => *node,
        }
    }
}

impl fmt::Display for Step {
    /// A command as it could be typed; a wait as a comment.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.deed {
            Deed::Send { node, words } => write!(f, "{node}> {words}"),
            Deed::AwaitHandover { node } => write!(f, "# wait until {node} has handed over"),
            Deed::AwaitLevel { ahead, behind } => write!(f, "# wait until {behind} has all that {ahead} has"),
            Deed::AwaitFollowing { node, upstream } => write!(f, "# wait until {node} follows {upstream}"),
            Deed::SetRole { node, upstream: (host, port) } => {
                write!(f, "# {node} is down: its configuration file will say replicaof {host} {port}")
            }
        }
    }
}
