//! Sentinels of a set: started when the nodes stand, stopped before them, and believed about who is the master. Pure.
//!
//! A Sentinel learns of replicas from its master's INFO when it connects, and then only every ten seconds: so it is
//! started once every replica's link is up. Its own configuration file is its memory and is written once. Where there are
//! Sentinels nothing is promoted here; what they did is told.

use std::collections::{BTreeMap, BTreeSet};

use super::super::event::{Action, Happening, NodeRecord, Now};
use super::super::happening::Cause;
use super::super::identity::Living;
use super::super::request::Refusal;
use super::super::unit::{Phase, Unit};
use super::Supervisor;
use crate::error::Exit;
use crate::node::sentinel::Master;
use crate::plan::NodePlan;
use crate::plan::sentinels::{Watched, config, name};

/// Between two looks at nodes and Sentinels while something is awaited from them.
const SOON_MS: u64 = 25;
/// How long after one was last in doubt it may still re-point nodes.
const AFTER_MS: u64 = 15_000;
/// The same, while a master is away.
const ALERT_MS: u64 = 100;

/// The Sentinels of a set.
#[derive(Debug, Default)]
pub(super) struct Sentinels {
    pub(super) units: BTreeMap<u16, Unit>,
    /// Those that are to be started when the nodes stand.
    awaited: BTreeSet<u16>,
    /// Where each master is, by the latest word on it, and how late that word is.
    masters: BTreeMap<String, (u64, u16)>,
}

impl Supervisor {
    /// Goes on where an earlier supervisor ended.
    pub(super) fn resume_sentinels(
        &mut self,
        records: Vec<NodeRecord>,
        living: &BTreeMap<u16, Living>,
        now: Now,
        sink: &mut Vec<Action>,
    ) {
        for record in records {
            let port = record.plan.spec.port;
            let living = living.get(&port).copied().unwrap_or(Living::Gone);
            self.sentinels.units.insert(port, Unit::resume(record, living, now, sink));
        }
    }

    /// Wants these up; what they remember is given up where `anew`. One that left the file goes on watching: that is for
    /// people to stop.
    pub(super) fn converge_sentinels(&mut self, plans: Vec<NodePlan>, anew: bool) {
        for plan in plans {
            let port = plan.spec.port;
            let now = self.started;
            let unit = self.sentinels.units.entry(port).or_insert_with(|| Unit::new(plan, now));
            if !unit.lives() {
                unit.fresh |= anew;
                self.sentinels.awaited.insert(port);
            }
        }
    }

    /// Takes the Sentinels out of a list of what is to be started; they wait for the nodes.
    pub(super) fn start_sentinels_of(&mut self, ports: &[u16]) -> Vec<u16> {
        let (sentinels, nodes): (Vec<u16>, Vec<u16>) =
            ports.iter().partition(|port| self.is_sentinel(**port));
        self.sentinels.awaited.extend(sentinels);
        nodes
    }

    /// Starts those that are awaited, once the nodes stand.
    pub(super) fn start_sentinels(&mut self, now: Now, sink: &mut Vec<Action>) {
        let Some(sentinel) = self.topology.sentinel.filter(|_| !self.sentinels.awaited.is_empty()) else {
            self.look_at_sentinels(now);
            return;
        };
        let masters = self.masters_to_watch();
        if self.ending || masters.is_empty() || !self.stands(now) {
            return;
        }
        let text = |port| {
            let watched = |(at, of): &(u16, u16)| Watched {
                name: name(&self.topology.name, *of),
                host: self.topology.host(*at),
                port: *at,
                password: self.units.get(at).and_then(|unit| unit.plan.spec.password()),
            };
            config(&sentinel, port, &masters.iter().map(watched).collect::<Vec<_>>())
        };
        let awaited = std::mem::take(&mut self.sentinels.awaited);
        let texts: Vec<(u16, String)> = awaited.into_iter().map(|port| (port, text(port))).collect();
        self.sentinels.masters =
            masters.iter().map(|(at, of)| (name(&self.topology.name, *of), (0, *at))).collect();
        for (port, text) in texts {
            let Some(unit) = self.sentinels.units.get_mut(&port) else { continue };
            unit.plan.config = text;
            unit.start(true, now, sink);
        }
        self.dirty = true;
    }

    /// A Sentinel answered: a master that is elsewhere now was moved by them.
    pub(super) fn sentinel_saw(&mut self, port: u16, watches: &[Master], now: Now, sink: &mut Vec<Action>) {
        let busy = watches.iter().any(|master| master.in_doubt);
        if busy && self.changing(now) != Some(Cause::You) {
            self.changing = Some((Cause::Sentinel, now.mono + AFTER_MS));
        }
        for master in watches {
            let was = self.sentinels.masters.get(&master.name).copied();
            if was.is_some_and(|(epoch, _)| master.epoch < epoch) {
                continue;
            }
            self.sentinels.masters.insert(master.name.clone(), (master.epoch, master.port));
            if let Some((_, old)) = was.filter(|(_, old)| *old != master.port) {
                let text = format!("sentinel {port}: {} succeeds {old} as the master", master.port);
                sink.push(Action::Publish(Happening::new(now.unix, Some(master.port), text)));
                self.units.values_mut().for_each(|unit| unit.look_soon(now));
            }
        }
    }

    /// Stops them; `true` when none lives any more.
    pub(super) fn wind_down_sentinels(&mut self, now: Now, sink: &mut Vec<Action>) -> bool {
        for unit in self.sentinels.units.values_mut() {
            let stopping = matches!(unit.phase, Phase::Stopping { again: None, .. });
            if unit.lives() && !stopping {
                unit.stop(None, now, sink);
            }
        }
        !self.sentinels.units.values().any(Unit::lives)
    }

    /// Every node and every Sentinel.
    pub(super) fn everybody(&mut self) -> impl Iterator<Item = &mut Unit> {
        self.units.values_mut().chain(self.sentinels.units.values_mut())
    }

    /// The node or the Sentinel on a port.
    pub(super) fn process(&self, port: u16) -> Result<&Unit, Refusal> {
        self.units
            .get(&port)
            .or_else(|| self.sentinels.units.get(&port))
            .ok_or_else(|| Refusal::new(Exit::Usage, format!("{} has no node {port}", self.topology.name)))
    }

    /// Nobody is on the way up, and every replica that answers has its link. Asked often until then.
    fn stands(&mut self, now: Now) -> bool {
        let mut stands = true;
        for unit in self.units.values_mut() {
            let linked = unit.seen.as_ref().is_some_and(|seen| seen.upstream.is_none() || seen.link_up);
            let done = match unit.phase {
                Phase::Running { .. } | Phase::Attached { .. } => unit.wire.is_none() && linked,
                Phase::Stopped | Phase::Crashed { .. } | Phase::Held { .. } | Phase::Paused => true,
                _ => false,
            };
            if !done {
                unit.look_within(SOON_MS, now);
            }
            stands &= done;
        }
        stands
    }

    /// Masters that have followers: where each is, and the port of the node that the file has in its place, after which
    /// it is named.
    fn masters_to_watch(&self) -> Vec<(u16, u16)> {
        let masters: Vec<u16> =
            self.units.values().filter(|unit| self.has_followers(unit)).map(Unit::port).collect();
        let wanted = self.topology.nodes.iter().filter(|node| node.replica_of.is_none());
        let mut names: Vec<u16> =
            wanted.map(|node| node.port).filter(|port| !masters.contains(port)).collect();
        let named = |port: &u16| {
            let own = self.topology.node(*port).is_some_and(|node| node.replica_of.is_none());
            let name = if own || names.is_empty() { *port } else { names.remove(0) };
            (*port, name)
        };
        masters.iter().map(named).collect()
    }

    /// What they say is of interest at once while a master is away, or one of them doubts it.
    fn look_at_sentinels(&mut self, now: Now) {
        if self.sentinels.units.is_empty() {
            return;
        }
        let away = |unit: &Unit| self.has_followers(unit) && !matches!(unit.phase, Phase::Running { .. });
        let doubts = |unit: &Unit| {
            unit.seen.as_ref().is_some_and(|seen| seen.watches.iter().any(|master| master.in_doubt))
        };
        let alert = self.units.values().any(away) || self.sentinels.units.values().any(doubts);
        let starting = |unit: &Unit| unit.seen.as_ref().is_none_or(|seen| seen.watches.is_empty());
        for unit in self.sentinels.units.values_mut() {
            if alert || starting(unit) {
                unit.look_within(ALERT_MS, now);
            }
        }
    }
}

#[cfg(test)]
mod tests;
