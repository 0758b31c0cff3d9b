//! The Sentinels of a set: what each of them is and sees, and what they did.

use std::collections::BTreeMap;

use serde::Serialize;

use super::figure::duration;
use super::report::{Problem, StatusReport};
use crate::node::sentinel::Master;
use crate::supervise::facts::{NodeFacts, ProcessState};

/// One Sentinel as it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct SentinelLook {
    /// What its supervisor knows.
    pub facts: NodeFacts,
    /// What it says of its masters; `None` where it says nothing.
    pub masters: Option<Vec<Master>>,
}

/// One Sentinel, judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SentinelStatus {
    /// Its port.
    pub port: u16,
    /// What it is.
    pub state: Vigil,
    /// Its process.
    pub pid: Option<u32>,
    /// What it watches; of one that does not answer, what it said last.
    pub masters: Vec<Master>,
    /// Why it is not well.
    pub reason: Option<String>,
    /// What to type about it.
    pub fix: Option<String>,
}

/// What a Sentinel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Vigil {
    /// It watches.
    Watching,
    /// It takes a master for gone, or one is being succeeded.
    Doubting,
    /// It was started, and does not answer yet; or it waits until the nodes stand.
    Starting,
    /// Frozen.
    Paused,
    /// Its process lives and does not answer.
    Unresponsive,
    /// Ended because somebody asked, or never started.
    Stopped,
    /// Ended though nobody asked.
    Crashed,
}

impl Vigil {
    /// Nothing needs attention: one that doubts its master does what it is for.
    #[must_use]
    pub fn is_well(self) -> bool {
        matches!(self, Self::Watching | Self::Doubting)
    }

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Watching => "watching",
            Self::Doubting => "in doubt",
            Self::Starting => "starting",
            Self::Paused => "paused",
            Self::Unresponsive => "unresponsive",
            Self::Stopped => "stopped",
            Self::Crashed => "crashed",
        }
    }
}

/// Judges one Sentinel.
#[must_use]
pub fn judge_sentinel(look: &SentinelLook, now_ms: u64) -> SentinelStatus {
    let SentinelLook { facts, masters } = look;
    let port = facts.port;
    let ago = format!("{} ago", duration(now_ms.saturating_sub(facts.since_ms) / 1000));
    let doubts = |masters: &[Master]| masters.iter().any(|master| master.in_doubt);
    let (state, reason, fix) = match (&facts.process, masters) {
        (ProcessState::Crashed { exit }, _) => {
            (Vigil::Crashed, Some(format!("{exit}, {ago}")), Some(format!("rctl start {port}")))
        }
        (ProcessState::Stopped | ProcessState::Held { .. }, _) => {
            (Vigil::Stopped, Some(format!("stopped {ago}")), Some(format!("rctl start {port}")))
        }
        (ProcessState::Paused, _) => {
            (Vigil::Paused, Some(format!("frozen {ago}")), Some(format!("rctl resume {port}")))
        }
        (ProcessState::Starting | ProcessState::Attached, None) => (Vigil::Starting, None, None),
        (_, Some(masters)) if doubts(masters) => (Vigil::Doubting, None, None),
        (_, Some(_)) => (Vigil::Watching, None, None),
        (ProcessState::Running, None) => {
            let why = "no answer in time".to_owned();
            (Vigil::Unresponsive, Some(why), Some(format!("rctl restart {port}")))
        }
    };
    let last = || facts.seen.as_ref().map(|seen| seen.watches.clone());
    SentinelStatus {
        port,
        state,
        pid: facts.pid,
        masters: masters.clone().or_else(last).unwrap_or_default(),
        reason,
        fix,
    }
}

/// Lines of advice about them.
#[must_use]
pub fn sentinel_problems(sentinels: &[SentinelStatus]) -> Vec<Problem> {
    let told = |sentinel: &SentinelStatus| {
        let what = format!("sentinel {}", sentinel.reason.as_ref()?);
        let logs = format!("rctl logs {}", sentinel.port);
        let see = sentinel.fix.is_none();
        Some(Problem { port: sentinel.port, what, fix: sentinel.fix.clone().unwrap_or(logs), see })
    };
    sentinels.iter().filter_map(told).collect()
}

/// What they did: a master that is not where it was when they began to watch it, by the latest word on it. What they
/// call it ends with the port that it had.
#[must_use]
pub fn moved(sentinels: &[SentinelStatus]) -> Vec<String> {
    let mut latest: BTreeMap<&str, &Master> = BTreeMap::new();
    for master in sentinels.iter().flat_map(|sentinel| &sentinel.masters) {
        let known = latest.entry(&master.name).or_insert(master);
        if master.epoch > known.epoch {
            *known = master;
        }
    }
    let told = |(name, master): (&str, &Master)| {
        let began: u16 = name.rsplit('-').next()?.parse().ok()?;
        (began != master.port)
            .then(|| format!("Sentinels made {} the master in place of {began}", master.port))
    };
    latest.into_iter().filter_map(told).collect()
}

/// Where Sentinels watch, a promotion is theirs: a fix that would be refused is replaced by where to look.
pub fn leave_to_them(report: &mut StatusReport) {
    if !report.sentinels.iter().any(|sentinel| sentinel.state.is_well()) {
        return;
    }
    let look = || "rctl logs sentinels".to_owned();
    for node in &mut report.nodes {
        node.fix = node.fix.take().map(|fix| if fix.starts_with("rctl promote") { look() } else { fix });
    }
    for problem in report.problems.iter_mut().filter(|problem| problem.fix.starts_with("rctl promote")) {
        (problem.fix, problem.see) = (look(), true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervise::facts::Seen;

    fn look(process: ProcessState, masters: Option<Vec<Master>>) -> SentinelLook {
        let facts = NodeFacts {
            port: 26_379,
            pid: Some(7),
            process,
            since_ms: 1_000,
            restarts: 0,
            seen: Some(Seen { watches: vec![master(6379, false)], ..Seen::default() }),
            wiring: None,
            trail: Vec::new(),
        };
        SentinelLook { facts, masters }
    }

    fn master(port: u16, in_doubt: bool) -> Master {
        Master { name: "lab-6379".into(), host: "127.0.0.1".into(), port, in_doubt, ..Master::default() }
    }

    #[test]
    fn a_sentinel_is_what_its_process_and_its_own_words_say() {
        let state = |process, masters| judge_sentinel(&look(process, masters), 13_000).state;
        assert_eq!(state(ProcessState::Running, Some(vec![master(6379, false)])), Vigil::Watching);
        assert_eq!(state(ProcessState::Running, Some(vec![master(6379, true)])), Vigil::Doubting);
        assert_eq!(state(ProcessState::Running, None), Vigil::Unresponsive);
        assert_eq!(state(ProcessState::Paused, None), Vigil::Paused);
        assert_eq!(state(ProcessState::Starting, None), Vigil::Starting);
        let crashed = ProcessState::Crashed { exit: "killed by SIGKILL".into() };
        let crashed = judge_sentinel(&look(crashed, None), 13_000);
        assert_eq!(crashed.masters, [master(6379, false)], "what it said last");
        let lines = sentinel_problems(&[crashed]);
        assert_eq!(
            (lines[0].what.as_str(), lines[0].fix.as_str()),
            ("sentinel killed by SIGKILL, 12 s ago", "rctl start 26379")
        );
    }

    #[test]
    fn a_master_that_they_moved_is_told_once() {
        let seen = |port, epoch| {
            let master = Master { epoch, ..master(port, false) };
            judge_sentinel(&look(ProcessState::Running, Some(vec![master])), 0)
        };
        let one_is_late = [seen(6379, 0), seen(6381, 1), seen(6381, 1)];
        assert_eq!(moved(&one_is_late), ["Sentinels made 6381 the master in place of 6379"]);
        assert!(moved(&[seen(6379, 0)]).is_empty() && moved(&[seen(6381, 1), seen(6379, 2)]).is_empty());
    }
}
