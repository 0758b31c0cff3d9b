//! The decider: owns every node's state machine, and what concerns several nodes at once.
//!
//! Invariants: no clock, no entropy, no I/O, no `async`; the same events at the same moments give the same
//! actions. Every request gets exactly one reply, in the same call. Whatever changed what has to outlive the
//! supervisor ends with one [`Action::Persist`].

mod autofailover;
mod breaking;
mod membership;
mod sentinels;

use std::collections::BTreeMap;
use std::mem::{Discriminant, discriminant};

use super::event::{Action, Event, Happening, Now, SetState};
use super::facts::SetFacts;
use super::happening::Cause;
use super::identity::Living;
use super::request::{Refusal, Reply, Request};
use super::unit::{Phase, Unit};
use crate::error::Exit;
use crate::fault::Fault;
use crate::plan::{self, NodePlan};
use crate::topology::{HERE, Topology};
use autofailover::Watch;
use sentinels::Sentinels;

/// How long a supervisor without nodes waits for its first request.
const IDLE_MS: u64 = 15_000;
/// How long a REPLICAOF may be on its way before it counts as lost.
const WIRE_MS: u64 = 6_000;

/// How long a change of roles may take whose begin was told.
const CHANGE_MS: u64 = 60_000;
/// How long after a change its last effects may be seen.
const EFFECT_MS: u64 = 3_000;

/// What of a node is worth storing when a look at it changes that.
type Gist = (Discriminant<Phase>, Option<(String, u16)>);

/// One set, as its supervisor sees it.
#[derive(Debug)]
pub struct Supervisor {
    topology: Topology,
    units: BTreeMap<u16, Unit>,
    sentinels: Sentinels,
    /// The process of the supervisor, for people.
    own_pid: u32,
    started: Now,
    ending: bool,
    faults: Vec<Fault>,
    /// How many there ever were: the last one's id.
    faults_ever: u32,
    watch: Watch,
    /// Who is changing roles, until this moment at most.
    changing: Option<(Cause, u64)>,
    warnings: Vec<String>,
    storage_problem: Option<String>,
    dirty: bool,
}

impl Supervisor {
    /// A supervisor of a set without nodes.
    #[must_use]
    pub fn new(name: &str, own_pid: u32, now: Now) -> Self {
        Self {
            topology: Topology { name: name.to_owned(), ..Topology::default() },
            units: BTreeMap::new(),
            sentinels: Sentinels::default(),
            own_pid,
            started: now,
            ending: false,
            faults: Vec::new(),
            faults_ever: 0,
            watch: Watch::default(),
            changing: None,
            warnings: Vec::new(),
            storage_problem: None,
            dirty: false,
        }
    }

    /// A supervisor that goes on where an earlier one ended; `living` is what has become of each process.
    #[must_use]
    pub fn resume(
        state: SetState,
        living: &BTreeMap<u16, Living>,
        own_pid: u32,
        now: Now,
        sink: &mut Vec<Action>,
    ) -> Self {
        let mut supervisor = Self::new("", own_pid, now);
        supervisor.topology = state.topology;
        supervisor.faults = state.faults;
        supervisor.faults_ever = state.faults_ever;
        for record in state.nodes {
            let port = record.plan.spec.port;
            let was = living.get(&port).copied().unwrap_or(Living::Gone);
            supervisor.units.insert(port, Unit::resume(record, was, now, sink));
        }
        supervisor.resume_sentinels(state.sentinels, living, now, sink);
        supervisor.dirty = true;
        supervisor.settle(now, sink);
        supervisor
    }

    /// Adds something that people should know.
    pub fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    /// Takes one event; what is to be done about it goes into `sink`, in order.
    pub fn handle(&mut self, event: Event, now: Now, sink: &mut Vec<Action>) {
        match event {
            Event::Tick => self.everybody().for_each(|unit| unit.tick(now, sink)),
            Event::Request { id, request } => {
                let reply = self.request(request, now, sink);
                sink.push(Action::Reply { id, reply });
            }
            Event::Terminate => self.end(now, sink),
            Event::Stored { problem } => self.storage_problem = problem,
            Event::Answered { port, pid, ours, seen } => {
                let was = self.gist(port);
                self.sentinel_saw(port, &seen.watches, now, sink);
                let cause = self.changing(now);
                self.with(port, |unit| unit.answered((pid, ours, seen), cause, now, sink));
                self.dirty |= was != self.gist(port);
                self.heard(port, now);
            }
            Event::Silent { port, pid } => {
                self.with(port, |unit| unit.silent(pid, now));
                self.watch.silent(port);
            }
            Event::Surveyed { old, members } => self.surveyed(old, &members, now, sink),
            Event::Succeeded { old, target, problem } => self.succeeded(old, target, problem, now, sink),
            Event::Examined { port, found } => self.changed(port, |unit| unit.examined(&found, now, sink)),
            Event::Spawned { port, identity } => self.changed(port, |unit| unit.spawned(identity, now, sink)),
            Event::NotSpawned { port, why } => self.changed(port, |unit| unit.not_spawned(&why, now, sink)),
            Event::Exited { port, pid, ended, follows } => {
                self.changed(port, |unit| unit.exited(pid, &ended, follows, now, sink));
            }
            Event::Wired { port, problem } => {
                let upstream = self.units.get(&port).and_then(|unit| unit.wire);
                let host = upstream.map_or(HERE, |upstream| self.topology.host(upstream)).to_owned();
                self.changed(port, |unit| unit.wired(&host, problem.as_deref(), now, sink));
            }
            Event::Faulted { port, rules, problem } => self.faulted(port, rules, problem, now, sink),
        }
        self.settle(now, sink);
    }

    /// When [`Event::Tick`] is next wanted, on the clock that only grows.
    #[must_use]
    pub fn next_wake(&self) -> Option<u64> {
        if self.units.is_empty() {
            return Some(self.started.mono + IDLE_MS);
        }
        let wiring = self.units.values().filter(|unit| unit.wire.is_some() && unit.wiring_until > 0);
        let wiring = wiring.map(|unit| unit.wiring_until);
        self.units
            .values()
            .chain(self.sentinels.units.values())
            .filter_map(Unit::wake)
            .chain(wiring)
            .chain(self.telling())
            .chain(self.watching())
            .min()
    }

    /// Everything that is known.
    #[must_use]
    pub fn facts(&self) -> SetFacts {
        SetFacts {
            topology: self.topology.clone(),
            nodes: self.units.values().map(Unit::facts).collect(),
            sentinels: self.sentinels.units.values().map(Unit::facts).collect(),
            supervisor: self.own_pid,
            started_ms: self.started.unix,
            ending: self.ending,
            faults: self.faults.clone(),
            untold: self.untold(),
            warnings: self.warnings.iter().chain(&self.storage_problem).cloned().collect(),
        }
    }

    /// Every choice made about a node, for the doer.
    #[must_use]
    pub fn plan_of(&self, port: u16) -> Option<&NodePlan> {
        self.units.get(&port).or_else(|| self.sentinels.units.get(&port)).map(|unit| &unit.plan)
    }

    /// Is there a Sentinel on this port.
    #[must_use]
    pub fn is_sentinel(&self, port: u16) -> bool {
        self.sentinels.units.contains_key(&port)
    }

    /// The name of the set.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.topology.name
    }

    fn request(&mut self, request: Request, now: Now, sink: &mut Vec<Action>) -> Reply {
        match self.carry_out(request, now, sink) {
            Ok(reply) => reply,
            Err(refusal) => Reply::Refused(refusal),
        }
    }

    fn carry_out(&mut self, request: Request, now: Now, sink: &mut Vec<Action>) -> Result<Reply, Refusal> {
        if let Request::Facts = request {
            return Ok(Reply::Facts { facts: Box::new(self.facts()) });
        }
        if let Request::Changing = request {
            self.changing = Some((Cause::You, now.mono + CHANGE_MS));
            return Ok(Reply::Begun);
        }
        if let Request::Note { port, text } = request {
            self.changing = Some((Cause::You, now.mono + EFFECT_MS));
            sink.push(Action::Publish(Happening::new(now.unix, port, text)));
            // Whoever notes something has just changed something.
            self.units.values_mut().for_each(|unit| unit.look_soon(now));
            return Ok(Reply::Begun);
        }
        if self.ending && !matches!(request, Request::Down | Request::Kill { .. }) {
            return Err(Refusal::new(Exit::Environment, format!("{} is going down", self.topology.name)));
        }
        self.leave_attached(&request)?;
        match request {
            Request::Facts | Request::Note { .. } | Request::Changing => {}
            Request::Converge { plan, allow_data_loss } => self.converge(plan, allow_data_loss, now, sink),
            Request::Add { node } => self.add(*node, now, sink)?,
            Request::Start { ports, allow_data_loss } => {
                let ports = self.start_sentinels_of(&ports);
                self.each(&ports, |unit| unit.start(allow_data_loss, now, sink))?;
            }
            Request::Stop { ports } => self.each(&ports, |unit| unit.stop(None, now, sink))?,
            Request::Restart { ports, allow_data_loss } => {
                if !allow_data_loss {
                    self.may_restart(&ports)?;
                }
                self.each(&ports, |unit| unit.stop(Some(allow_data_loss), now, sink))?;
            }
            Request::Kill { ports, signal } => {
                self.have_processes(&ports)?;
                self.each(&ports, |unit| unit.asked_signal(signal, sink))?;
            }
            Request::Pause { ports } => {
                self.have_processes(&ports)?;
                self.each(&ports, |unit| unit.pause(now, sink))?;
            }
            Request::Resume { ports } => {
                self.have_processes(&ports)?;
                self.each(&ports, |unit| unit.proceed(now, sink))?;
            }
            Request::Remove { port, purge } => self.remove(port, purge, sink)?,
            Request::SetRole { port, upstream } => self.set_role(port, upstream, now, sink)?,
            Request::Break { effect, links } => self.break_links(effect, links, now, sink)?,
            Request::Heal(healing) => self.heal(healing, now, sink)?,
            Request::Autofailover { down_after_ms } => self.set_autofailover(down_after_ms, now, sink)?,
            Request::Down => self.end(now, sink),
        }
        self.dirty = true;
        Ok(Reply::Begun)
    }

    /// Who changes roles now, where that is known.
    fn changing(&self, now: Now) -> Option<Cause> {
        self.changing.filter(|(_, until)| now.mono < *until).map(|(cause, _)| cause)
    }

    fn known(&self, port: u16) -> Result<&Unit, Refusal> {
        self.units
            .get(&port)
            .ok_or_else(|| Refusal::new(Exit::Usage, format!("{} has no node {port}", self.topology.name)))
    }

    /// Does something to each node or Sentinel, or to none where one is unknown.
    fn each(&mut self, ports: &[u16], mut what: impl FnMut(&mut Unit)) -> Result<(), Refusal> {
        for &port in ports {
            self.process(port)?;
        }
        for port in ports {
            self.with(*port, &mut what);
        }
        Ok(())
    }

    fn end(&mut self, now: Now, sink: &mut Vec<Action>) {
        if !self.ending {
            self.ending = true;
            // A master waits for its replicas when it stops; behind a broken link that would be long.
            self.faults.clear();
            sink.push(Action::Publish(Happening::new(now.unix, None, "going down")));
        }
    }

    /// What follows from the state alone, whatever the event was.
    fn settle(&mut self, now: Now, sink: &mut Vec<Action>) {
        self.wire(now, sink);
        self.start_sentinels(now, sink);
        self.tell_faults(now, sink);
        self.watch_masters(now, sink);
        let ended = self.ending && self.wind_down(now, sink);
        let idle = self.units.is_empty() && now.mono >= self.started.mono + IDLE_MS;
        if std::mem::take(&mut self.dirty) || ended {
            sink.push(Action::Persist(Box::new(SetState {
                topology: self.topology.clone(),
                nodes: self.units.values().map(Unit::record).collect(),
                sentinels: self.sentinels.units.values().map(Unit::record).collect(),
                faults: self.faults.clone(),
                faults_ever: if ended { 0 } else { self.faults_ever },
            })));
        }
        if ended || idle {
            sink.push(Action::End);
        }
    }

    /// Points new nodes at their upstreams, as soon as both ends answer.
    fn wire(&mut self, now: Now, sink: &mut Vec<Action>) {
        let running: Vec<u16> = self.units.values().filter(|unit| unit.answers()).map(Unit::port).collect();
        for unit in self.units.values_mut() {
            let Some(upstream) = unit.wire else { continue };
            if unit.wiring_until <= now.mono {
                unit.wiring_until = 0;
            }
            if unit.wiring_until == 0 && running.contains(&upstream) && unit.answers() && !self.ending {
                unit.wiring_until = now.mono + WIRE_MS;
                sink.push(Action::Wire { port: unit.port(), upstream });
            }
        }
    }

    /// Stops Sentinels, then replicas, then masters; `true` when nothing lives any more.
    fn wind_down(&mut self, now: Now, sink: &mut Vec<Action>) -> bool {
        if !self.wind_down_sentinels(now, sink) {
            return false;
        }
        let upstream = |unit: &Unit| match &unit.seen {
            Some(seen) => seen.upstream.as_ref().map(|(_, port)| *port),
            None => unit.plan.spec.replica_of,
        };
        let above: BTreeMap<u16, Option<u16>> = self
            .units
            .values()
            .filter(|unit| unit.lives())
            .map(|unit| (unit.port(), upstream(unit)))
            .collect();
        let replicas_live = above.values().any(Option::is_some);
        let depths = plan::depths(&above);
        for (port, unit) in &mut self.units {
            let replica = depths.get(port).is_some_and(|depth| *depth > 0);
            let waits = replicas_live && !replica;
            match unit.phase {
                Phase::Stopping { again: None, .. } => {}
                _ if unit.lives() && !waits => unit.stop(None, now, sink),
                Phase::Backoff { .. } => unit.stop(None, now, sink),
                _ => {}
            }
        }
        !self.units.values().any(Unit::lives)
    }

    /// What of a node is worth storing when it changes: the phase and the role.
    fn gist(&self, port: u16) -> Option<Gist> {
        self.units.get(&port).map(|unit| (discriminant(&unit.phase), unit.upstream().cloned()))
    }

    fn with(&mut self, port: u16, what: impl FnOnce(&mut Unit)) {
        if let Some(unit) = self.units.get_mut(&port).or_else(|| self.sentinels.units.get_mut(&port)) {
            what(unit);
        }
    }

    fn changed(&mut self, port: u16, what: impl FnOnce(&mut Unit)) {
        self.with(port, what);
        self.dirty = true;
    }
}

#[cfg(test)]
mod tests;
