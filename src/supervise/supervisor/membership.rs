//! Who belongs to the set, and what may be asked of whom: converging to a plan, adding, removing, roles of nodes that are
//! down, and the requests that are refused.

use super::super::event::{Action, Happening, Now};
use super::super::request::{Refusal, Request};
use super::super::unit::{Phase, Unit};
use super::Supervisor;
use crate::error::Exit;
use crate::fault::{self, Healing};
use crate::plan::{NodePlan, Plan};
use crate::topology::Persistence;

impl Supervisor {
    pub(super) fn converge(&mut self, plan: Plan, force: bool, now: Now, sink: &mut Vec<Action>) {
        let mut topology = plan.topology;
        let anew = topology.sentinel != self.topology.sentinel;
        self.converge_sentinels(plan.sentinels, anew);
        for node in plan.nodes {
            let port = node.spec.port;
            let unit = self.units.entry(port).or_insert_with(|| Unit::new(node.clone(), now));
            if unit.plan != node {
                unit.fresh |= unit.plan.config != node.config;
                unit.plan = node;
            }
            if !unit.lives() {
                unit.start(force, now, sink);
            }
        }
        // What left the file is neither forgotten nor stopped: that is for --prune to ask.
        let extra =
            self.topology.nodes.iter().filter(|old| !topology.nodes.iter().any(|new| new.port == old.port));
        let extra: Vec<_> = extra.cloned().collect();
        topology.nodes.extend(extra);
        // Both would promote: where there are Sentinels, it is theirs.
        let ours = topology.autofailover.or(self.topology.autofailover);
        topology.autofailover = ours.filter(|_| topology.sentinel.is_none());
        self.topology = topology;
    }

    pub(super) fn add(&mut self, node: NodePlan, now: Now, sink: &mut Vec<Action>) -> Result<(), Refusal> {
        let port = node.spec.port;
        if self.units.contains_key(&port) {
            return Err(Refusal::new(Exit::Refused, format!("{port} is in {} already", self.topology.name))
                .hint(format!("rctl start {port}")));
        }
        self.topology.nodes.push(node.spec.clone());
        let mut unit = Unit::new(node, now);
        unit.start(false, now, sink);
        self.units.insert(port, unit);
        Ok(())
    }

    pub(super) fn remove(&mut self, port: u16, purge: bool, sink: &mut Vec<Action>) -> Result<(), Refusal> {
        let unit = self.known(port)?;
        if unit.lives() {
            return Err(
                Refusal::new(Exit::Refused, format!("{port} is running")).hint(format!("rctl stop {port}"))
            );
        }
        self.units.remove(&port);
        if let Some(left) = fault::healed(&self.faults, Healing::Node { port }) {
            self.faults = left;
        }
        self.topology.nodes.retain(|node| node.port != port);
        for node in &mut self.topology.nodes {
            node.replica_of = node.replica_of.filter(|upstream| *upstream != port);
        }
        for unit in self.units.values_mut() {
            unit.wire = unit.wire.filter(|upstream| *upstream != port);
            unit.plan.spec.replica_of = unit.plan.spec.replica_of.filter(|upstream| *upstream != port);
        }
        if purge {
            sink.push(Action::Discard { port });
        }
        Ok(())
    }

    pub(super) fn set_role(
        &mut self,
        port: u16,
        upstream: Option<(String, u16)>,
        now: Now,
        sink: &mut Vec<Action>,
    ) -> Result<(), Refusal> {
        if self.known(port)?.lives() {
            return Err(Refusal::new(
                Exit::Refused,
                format!("{port} is running: its role is its own to change"),
            ));
        }
        let text = match &upstream {
            Some((host, above)) => format!("will follow {host}:{above} when it comes back"),
            None => "will be a master when it comes back".to_owned(),
        };
        sink.push(Action::Publish(Happening::new(now.unix, Some(port), text)));
        sink.push(Action::Rewrite { port, upstream: upstream.clone() });
        self.with(port, |unit| {
            unit.wire = None;
            unit.will_follow(upstream);
            if let Phase::Held { .. } = unit.phase {
                unit.phase = Phase::Stopped;
            }
        });
        Ok(())
    }

    /// A master that keeps nothing on disk, with replicas that hold keys, would stop and then be held.
    pub(super) fn may_restart(&self, ports: &[u16]) -> Result<(), Refusal> {
        for &port in ports {
            let unit = self.process(port)?;
            let master = unit.seen.as_ref().is_some_and(|seen| seen.upstream.is_none());
            let follows = |other: &&Unit| {
                let seen = other.seen.as_ref();
                seen.is_some_and(|seen| {
                    seen.keys.is_some_and(|keys| keys > 0)
                        && seen.upstream.as_ref().is_some_and(|(_, above)| *above == port)
                })
            };
            let heir = self.units.values().filter(|other| other.port() != port).find(follows);
            if let (true, true, Some(heir)) = (master, unit.plan.spec.persistence == Persistence::None, heir)
            {
                let what =
                    format!("{port} keeps nothing on disk: it would return empty, and its replicas with it");
                return Err(Refusal::new(Exit::Refused, what).hint(format!("rctl promote {}", heir.port())));
            }
        }
        Ok(())
    }

    /// Whoever started a server stops it.
    pub(super) fn leave_attached(&self, request: &Request) -> Result<(), Refusal> {
        let ports = match request {
            Request::Start { ports, .. }
            | Request::Stop { ports }
            | Request::Restart { ports, .. }
            | Request::Kill { ports, .. }
            | Request::Pause { ports }
            | Request::Resume { ports } => ports.as_slice(),
            Request::SetRole { port, .. } => std::slice::from_ref(port),
            _ => &[],
        };
        let attached = ports.iter().find(|port| self.units.get(port).is_some_and(Unit::is_attached));
        match attached {
            None => Ok(()),
            Some(port) => {
                let what = format!("{port} is attached: whoever started it starts and stops it");
                Err(Refusal::new(Exit::Refused, what).hint(format!("rctl cli {port} info server")))
            }
        }
    }

    pub(super) fn have_processes(&self, ports: &[u16]) -> Result<(), Refusal> {
        for &port in ports {
            if self.process(port)?.identity.is_none() {
                return Err(Refusal::new(Exit::NotRunning, format!("{port} is not running"))
                    .hint(format!("rctl start {port}")));
            }
        }
        Ok(())
    }
}
