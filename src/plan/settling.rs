//! A change was begun by an rctl that is gone: finish it, take it back, or leave it to people.

use serde::{Deserialize, Serialize};

use super::members::Members;
use super::step::{Deed, Step, Words};

/// What a change wants, and how far it came. Kept in the set's directory while the change is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// `promote 6381`, for people.
    pub what: String,
    /// The node that is to become the master, if the change is a promotion.
    pub target: Option<u16>,
    /// The master before it, where one answered.
    pub old: Option<u16>,
    /// Every step.
    pub steps: Vec<Step>,
    /// The step that was begun last; it may have happened.
    pub begun: usize,
}

/// What to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// Go on with these.
    Finish(Vec<Step>),
    /// Send these.
    Undo(Vec<(u16, Words)>),
    /// Both masters took writes: nothing is done without people.
    Leave(String),
}

/// Decides, by what the nodes say now.
#[must_use]
pub fn settle(intent: &Intent, members: &Members) -> Settlement {
    let Some(target) = intent.target else { return Settlement::Finish(rest(intent)) };
    let promoted = members.seen(target).is_some_and(|seen| !seen.is_replica);
    if !promoted {
        return Settlement::Undo(undo(&intent.steps, intent.begun));
    }
    let (Some(old), Some(new)) = (intent.old, members.seen(target)) else {
        return Settlement::Finish(rest(intent));
    };
    let Some(before) = members.seen(old).filter(|seen| !seen.is_replica) else {
        return Settlement::Finish(rest(intent));
    };
    // Both are masters: what each wrote since they parted decides who gives way.
    let shared = new.second_offset.map_or(0, |second| second.saturating_sub(1));
    let theirs = before.offset.unwrap_or(0).saturating_sub(shared);
    let ours = new.offset.unwrap_or(0).saturating_sub(shared);
    match (theirs, ours) {
        (0, _) => Settlement::Finish(rest(intent)),
        (_, 0) => Settlement::Undo(undo(&intent.steps, intent.begun)),
        _ => Settlement::Leave(format!(
            "{old} and {target} are both masters since an interrupted {}: {old} has {theirs} B and {target} {ours} B of its own",
            intent.what
        )),
    }
}

/// The commands that take back every step up to the one begun, last first.
#[must_use]
pub fn undo(steps: &[Step], begun: usize) -> Vec<(u16, Words)> {
    let done = steps.get(..=begun).unwrap_or(steps);
    done.iter().rev().filter_map(|step| step.undo.clone()).collect()
}

/// What is left to do once the target is the master. Each of these may be done twice.
fn rest(intent: &Intent) -> Vec<Step> {
    let is_prelude = |step: &Step| match &step.deed {
        Deed::Send { node, words } => {
            words.0.first().is_some_and(|name| name == "FAILOVER")
                || *words == Words::of("REPLICAOF NO ONE") && intent.target == Some(*node)
                || words.0.get(1).is_some_and(|word| word == "PAUSE")
        }
        Deed::AwaitHandover { .. } | Deed::AwaitLevel { .. } => true,
        _ => false,
    };
    let left = intent.steps.get(intent.begun..).unwrap_or_default();
    left.iter().filter(|step| !is_prelude(step)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::observe::Observation;
    use crate::plan::members::{Member, Sight};

    fn node(port: u16, replica: bool, offset: u64, second: Option<u64>) -> Member {
        let seen = Observation {
            is_replica: replica,
            offset: Some(offset),
            second_offset: second,
            ..Observation::default()
        };
        let sight = Sight::Seen(Box::new(seen));
        Member { port, host: "127.0.0.1".into(), sight, has_failover: false, sentinels: 0 }
    }

    /// The promotion of 2 without FAILOVER, begun up to a step.
    fn intent(begun: usize) -> Intent {
        let send = |node, line: &str| Deed::Send { node, words: Words::of(line) };
        let steps = vec![
            Step::vital(send(1, "CLIENT PAUSE 5000 WRITE")).undone_by(1, Words::of("CLIENT UNPAUSE")),
            Step::vital(Deed::AwaitLevel { ahead: 1, behind: 2 }),
            Step::vital(send(2, "REPLICAOF NO ONE")).undone_by(2, Words::of("REPLICAOF h 1")),
            Step::vital(send(1, "REPLICAOF h 2")),
            Step::wanted(send(3, "REPLICAOF h 2")),
        ];
        Intent { what: "promote 2".into(), target: Some(2), old: Some(1), steps, begun }
    }

    fn told(begun: usize, members: Vec<Member>) -> Vec<String> {
        match settle(&intent(begun), &Members(members)) {
            Settlement::Finish(steps) => steps.iter().map(ToString::to_string).collect(),
            Settlement::Undo(commands) => {
                commands.iter().map(|(node, words)| format!("undo {node}> {words}")).collect()
            }
            Settlement::Leave(why) => vec![why],
        }
    }

    #[test]
    fn before_the_promotion_everything_is_taken_back() {
        let members = || vec![node(1, false, 100, None), node(2, true, 100, None)];
        assert_eq!(told(0, members()), ["undo 1> CLIENT UNPAUSE"]);
        assert_eq!(told(2, members()), ["undo 2> REPLICAOF h 1", "undo 1> CLIENT UNPAUSE"]);
    }

    #[test]
    fn after_it_the_rest_is_done() {
        let members = vec![node(1, false, 100, None), node(2, false, 100, Some(101))];
        assert_eq!(told(2, members), ["1> REPLICAOF h 2", "3> REPLICAOF h 2"]);
        let members = vec![node(1, true, 100, None), node(2, false, 100, Some(101))];
        assert_eq!(told(4, members), ["3> REPLICAOF h 2"]);
    }

    #[test]
    fn of_two_masters_the_one_without_writes_of_its_own_gives_way() {
        let members = vec![node(1, false, 130, None), node(2, false, 100, Some(101))];
        assert_eq!(told(3, members), ["undo 2> REPLICAOF h 1", "undo 1> CLIENT UNPAUSE"]);
        let members = vec![node(1, false, 130, None), node(2, false, 120, Some(101))];
        assert!(told(3, members)[0].contains("1 has 30 B and 2 20 B of its own"));
    }
}
