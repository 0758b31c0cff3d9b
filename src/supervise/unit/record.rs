//! What outlives a supervisor, of one node, and what is shown of it.

use super::{Links, Phase, Unit};
use crate::supervise::event::{Action, Ended, NodeRecord, Now};
use crate::supervise::facts::{NodeFacts, ProcessState};
use crate::supervise::identity::Living;

impl Unit {
    /// A node from the record of an earlier supervisor, whose process has become `living`.
    pub(in crate::supervise) fn resume(
        record: NodeRecord,
        living: Living,
        now: Now,
        sink: &mut Vec<Action>,
    ) -> Self {
        let facts = record.facts;
        let mut unit = Self {
            plan: record.plan,
            phase: Phase::Stopped,
            identity: record.identity,
            fresh: record.fresh,
            born: record.born,
            wire: facts.wiring,
            wiring_until: 0,
            seen: facts.seen,
            trail: facts.trail,
            since_ms: facts.since_ms,
            restarts: facts.restarts,
            asked: false,
            sent: None,
            links: Links::default(),
        };
        if unit.plan.spec.attach.is_some() {
            unit.phase = Phase::Attached { look_at: now.mono };
            unit.identity = None;
            return unit;
        }
        match (living, &unit.identity) {
            (Living::Alive | Living::Frozen, Some(identity)) => {
                let identity = identity.clone();
                unit.adopt(identity, living == Living::Frozen, now, sink);
            }
            _ => {
                unit.identity = None;
                unit.phase = match facts.process {
                    ProcessState::Stopped | ProcessState::Attached => Phase::Stopped,
                    ProcessState::Held { why } => Phase::Held { why },
                    ProcessState::Crashed { exit } => Phase::Crashed { exit },
                    ProcessState::Starting | ProcessState::Running | ProcessState::Paused => {
                        unit.since_ms = now.unix;
                        Phase::Crashed { exit: Ended::Unseen.to_string() }
                    }
                };
            }
        }
        unit
    }

    /// Everything that is shown of it.
    pub(in crate::supervise) fn facts(&self) -> NodeFacts {
        let process = match &self.phase {
            Phase::Stopped => ProcessState::Stopped,
            Phase::Examining { .. } | Phase::Spawning | Phase::Starting { .. } => ProcessState::Starting,
            Phase::Running { .. } | Phase::Stopping { .. } => ProcessState::Running,
            Phase::Paused => ProcessState::Paused,
            Phase::Attached { .. } => ProcessState::Attached,
            Phase::Crashed { exit } | Phase::Backoff { exit, .. } => {
                ProcessState::Crashed { exit: exit.clone() }
            }
            Phase::Held { why } => ProcessState::Held { why: why.clone() },
        };
        NodeFacts {
            port: self.port(),
            pid: self.identity.as_ref().map(|identity| identity.pid),
            process,
            since_ms: self.since_ms,
            restarts: self.restarts,
            seen: self.seen.clone(),
            wiring: self.wire,
            trail: self.trail.clone(),
        }
    }

    /// What outlives the supervisor.
    pub(in crate::supervise) fn record(&self) -> NodeRecord {
        NodeRecord {
            plan: self.plan.clone(),
            identity: self.identity.clone(),
            fresh: self.fresh,
            born: self.born,
            facts: self.facts(),
        }
    }
}
