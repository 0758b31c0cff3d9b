//! One round of looking at a set: every node asked at the same time, beside what its supervisor knows.

#![expect(clippy::disallowed_methods, reason = "this does things and measures how long they take")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::task::JoinSet;

use crate::fault::{Fault, is_severed};
use crate::node::client::{Auth, Client, ClientError, LOOK};
use crate::node::observe::observe;
use crate::node::sentinel::{Master, observe_sentinel};
use crate::status::FaultStatus;
use crate::status::{
    Look, Round, SentinelLook, SentinelStatus, Sight, StatusReport, judge, judge_sentinel, leave_to_them,
    moved, sentinel_problems,
};
use crate::supervise::facts::{NodeFacts, ProcessState, SetFacts};
use crate::supervise::identity::{Identity, Living};
use crate::topology::{NodeSpec, Topology};

/// Looks at every node of a set and judges what is seen. Without `facts` there is no supervisor to ask, and what only
/// it could know stays unknown.
pub async fn report(topology: &Topology, facts: Option<&SetFacts>) -> StatusReport {
    report_beside(topology, facts, 0).await
}

/// As [`report`], for one who looks `polls` times a second, which are not counted as the nodes' work.
pub async fn report_beside(topology: &Topology, facts: Option<&SetFacts>, polls: u64) -> StatusReport {
    let sentinels = tokio::spawn(sentinels(facts.map(|facts| facts.sentinels.clone()).unwrap_or_default()));
    let mut asked = JoinSet::new();
    for (index, node) in topology.nodes.iter().enumerate() {
        let known = facts.and_then(|facts| facts.node(node.port)).cloned();
        let (host, port, auth) = (node.host().to_owned(), node.port, auth(node));
        asked.spawn(async move { (index, look(&host, port, auth, known).await) });
    }
    let mut looks = vec![Look::default(); topology.nodes.len()];
    while let Some(answer) = asked.join_next().await {
        if let Ok((index, look)) = answer
            && let Some(slot) = looks.get_mut(index)
        {
            *slot = look;
        }
    }
    if let Some(facts) = facts {
        for (node, look) in topology.nodes.iter().zip(&mut looks) {
            let upstream = match &look.sight {
                Sight::Seen(seen) => seen.link.as_ref().map(|link| link.port),
                _ => None,
            };
            look.cut = upstream.is_some_and(|above| is_severed(&facts.faults, node.port, above));
        }
    }
    let own_ops_per_s = u64::from(facts.is_some()).saturating_add(polls);
    let mut report = judge(&Round { topology, now_ms: now_ms(), looks, own_ops_per_s });
    report.faults = facts.map(faults).unwrap_or_default();
    report.sentinels = sentinels.await.unwrap_or_default();
    report.ok &= report.sentinels.iter().all(|sentinel| sentinel.state.is_well());
    report.problems.extend(sentinel_problems(&report.sentinels));
    report.notes.splice(..0, moved(&report.sentinels));
    leave_to_them(&mut report);
    report
}

/// Asks every Sentinel.
async fn sentinels(facts: Vec<NodeFacts>) -> Vec<SentinelStatus> {
    let mut asked = JoinSet::new();
    for facts in facts {
        asked.spawn(async move {
            let masters = match facts.pid.filter(|_| facts.process != ProcessState::Paused) {
                Some(_) => masters(facts.port).await.ok(),
                None => None,
            };
            let sight = if masters.is_some() { Sight::Refused } else { Sight::Silent };
            judge_sentinel(&SentinelLook { facts: frozen_by_others(facts, &sight), masters }, now_ms())
        });
    }
    let mut found = Vec::new();
    while let Some(answer) = asked.join_next().await {
        found.extend(answer.ok());
    }
    found.sort_by_key(|sentinel| sentinel.port);
    found
}

async fn masters(port: u16) -> Result<Vec<Master>, ClientError> {
    let mut client = Client::connect("127.0.0.1", port, LOOK).await?;
    observe_sentinel(&mut client, LOOK).await.map(|(_, masters)| masters)
}

/// The link faults of a set, as they are shown.
#[must_use]
pub fn faults(facts: &SetFacts) -> Vec<FaultStatus> {
    let status = |fault: &Fault| FaultStatus {
        id: fault.id,
        effect: fault.effect,
        what: fault.effect.to_string(),
        links: fault.links.iter().map(ToString::to_string).collect(),
        since_ms: fault.since_ms,
        pending: facts
            .untold
            .iter()
            .map(|untold| untold.port)
            .filter(|port| fault.links.iter().any(|link| link.other(*port).is_some()))
            .collect(),
        fix: format!("rctl heal {}", fault.id),
    };
    facts.faults.iter().map(status).collect()
}

/// The credentials of a node.
#[must_use]
pub fn auth(node: &NodeSpec) -> Option<Auth> {
    node.password().map(|password| Auth { user: None, password: password.to_owned() })
}

/// Milliseconds since the Unix epoch.
#[must_use]
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

async fn look(host: &str, port: u16, auth: Option<Auth>, facts: Option<NodeFacts>) -> Look {
    let frozen = facts.as_ref().is_some_and(|facts| facts.process == ProcessState::Paused);
    let sight = if frozen {
        // It would take the connection and the whole timeout, and say nothing.
        Sight::Silent
    } else {
        observe(host, port, auth.as_ref(), LOOK).await.into()
    };
    Look { facts: facts.map(|facts| frozen_by_others(facts, &sight)), sight, cut: false }
}

/// A silent node may have been frozen by somebody else (`kill -STOP`), which its supervisor is not told.
fn frozen_by_others(mut facts: NodeFacts, sight: &Sight) -> NodeFacts {
    let frozen = |pid: u32| Identity::of(pid).is_some_and(|process| process.look() == Living::Frozen);
    if *sight == Sight::Silent && facts.process == ProcessState::Running && facts.pid.is_some_and(frozen) {
        facts.process = ProcessState::Paused;
        // Nobody saw when; it still answered then.
        facts.since_ms = facts.seen.as_ref().map_or(facts.since_ms, |seen| seen.at_ms);
    }
    facts
}
