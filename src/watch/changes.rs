//! Two rounds compared: what a reader that is no terminal is told, one line for each change.

use serde::Serialize;

use crate::status::{Role, State, StatusReport};

/// A node that is not what it was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Changed {
    /// The node.
    pub node: u16,
    /// What it wants to be.
    pub role: Role,
    /// What it is.
    pub state: State,
    /// What it was; `None` the first time.
    pub was: Option<State>,
    /// The port it follows.
    pub upstream: Option<u16>,
    /// Bytes of the stream produced or processed.
    pub offset: Option<u64>,
    /// Why it is not well.
    pub reason: Option<String>,
    /// What to type about it.
    pub fix: Option<String>,
}

/// What changed from one round to the next; the first time, every node. Figures alone are no change, and neither is the
/// progress of a sync.
#[must_use]
pub fn changes(before: Option<&StatusReport>, after: &StatusReport) -> Vec<Changed> {
    let mut changed = Vec::new();
    for node in &after.nodes {
        let was = before.and_then(|report| report.nodes.iter().find(|other| other.port == node.port));
        let same = was.is_some_and(|was| {
            let state = was.state.word() == node.state.word();
            state && was.role == node.role && was.upstream == node.upstream
        });
        if !same {
            changed.push(Changed {
                node: node.port,
                role: node.role,
                state: node.state.clone(),
                was: was.map(|was| was.state.clone()),
                upstream: node.upstream,
                offset: node.offset,
                reason: node.reason.clone(),
                fix: node.fix.clone(),
            });
        }
    }
    changed
}

impl Changed {
    /// The change as people read it.
    #[must_use]
    pub fn line(&self) -> String {
        let role = match (self.role, self.upstream) {
            (Role::Master, _) => "master".to_owned(),
            (Role::Replica, Some(above)) => format!("replica of {above}"),
            (Role::Replica, None) => "replica".to_owned(),
        };
        let was = self.was.as_ref().filter(|was| was.word() != self.state.word());
        let was = was.map(|was| format!(" (was {})", was.word())).unwrap_or_default();
        let why = self.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        let fix = self.fix.as_ref().map(|fix| format!("; fix: {fix}")).unwrap_or_default();
        format!("{}  {role}  {}{was}{why}{fix}", self.node, self.state.word())
    }
}
