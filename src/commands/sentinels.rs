//! Sentinels beside the verbs: when they are ready, and how a change is asked of them instead of made behind their back.

use super::set::Running;
use crate::error::{Error, Exit, Result};
use crate::plan::members::Members;
use crate::supervise::facts::{ProcessState, SetFacts};

/// How far a Sentinel has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Vigilance {
    /// It does not answer yet.
    Starting,
    /// It does not know everybody yet.
    Learning {
        /// Replicas of all masters that it knows, and how many there are.
        replicas: (u64, u64),
        /// Other Sentinels that it knows, and how many there are.
        others: (u64, u64),
    },
    /// It knows everybody.
    Ready,
    /// It will not come by waiting.
    Failed(String),
}

impl Vigilance {
    /// For people.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Starting => "starting".to_owned(),
            Self::Learning { replicas, others } => format!(
                "knows {} of {} replicas, {} of {} other Sentinels",
                replicas.0, replicas.1, others.0, others.1
            ),
            Self::Ready => "watches".to_owned(),
            Self::Failed(exit) => exit.clone(),
        }
    }
}

/// What there is to know for a Sentinel.
pub(super) struct Wanted {
    replicas: u64,
    others: u64,
}

impl Wanted {
    /// Replicas that live, and the other Sentinels.
    pub(super) fn of(facts: &SetFacts) -> Self {
        let lives = |node: &&crate::supervise::facts::NodeFacts| {
            node.process == ProcessState::Running
                && node.seen.as_ref().is_some_and(|seen| seen.upstream.is_some())
        };
        let replicas = facts.nodes.iter().filter(lives).count() as u64;
        Self { replicas, others: (facts.sentinels.len() as u64).saturating_sub(1) }
    }

    /// How far the Sentinel on `port` has come.
    pub(super) fn stage(&self, facts: &SetFacts, port: u16) -> Vigilance {
        let Some(sentinel) = facts.process(port) else { return Vigilance::Starting };
        match &sentinel.process {
            ProcessState::Crashed { exit } => return Vigilance::Failed(exit.clone()),
            ProcessState::Running => {}
            _ => return Vigilance::Starting,
        }
        let masters = sentinel.seen.as_ref().map(|seen| seen.watches.as_slice()).unwrap_or_default();
        let known: u64 = masters.iter().map(|master| master.replicas).sum();
        let others = masters.iter().map(|master| master.others).min().unwrap_or(0);
        // A replica below another replica is not of their master, as they see it.
        let direct = self.replicas.min(direct(facts));
        if masters.is_empty() || known < direct || others < self.others {
            return Vigilance::Learning { replicas: (known, direct), others: (others, self.others) };
        }
        Vigilance::Ready
    }
}

/// Living replicas of nodes that are masters.
fn direct(facts: &SetFacts) -> u64 {
    let is_master = |port: u16| {
        facts.node(port).and_then(|node| node.seen.as_ref()).is_some_and(|seen| seen.upstream.is_none())
    };
    let follows_a_master = |node: &&crate::supervise::facts::NodeFacts| {
        let upstream = node.seen.as_ref().and_then(|seen| seen.upstream.as_ref());
        node.process == ProcessState::Running && upstream.is_some_and(|(_, port)| is_master(*port))
    };
    facts.nodes.iter().filter(follows_a_master).count() as u64
}

/// Refuses a change of the master where Sentinels watch: they would undo it, or promote another. Says what to type.
///
/// # Errors
/// [`Exit::Refused`] where one of them watches any node.
pub(super) fn refuse_behind_their_back(set: &Running, members: &Members, verb: &str) -> Result<()> {
    let living = set.facts.sentinels.iter().filter(|sentinel| sentinel.pid.is_some()).count();
    let seen = members.0.iter().map(|member| member.sentinels).max().unwrap_or(0);
    let count = seen.max(living as u64);
    if count == 0 {
        return Ok(());
    }
    let what = match count {
        1 => format!("no {verb}: a Sentinel watches this set, and would work against it"),
        _ => format!("no {verb}: {count} Sentinels watch this set, and would work against it"),
    };
    let error = Error::new(Exit::Refused, what);
    let watched = set.facts.nodes.iter().find_map(|node| set.facts.watcher_of(node.port));
    Err(match watched {
        Some((port, name)) => {
            error.hint(format!("rctl cli {port} sentinel failover {name}")).hint("rctl stop sentinels")
        }
        None => error.hint("redis-cli -p 26379 sentinel masters"),
    })
}
