//! Link faults: which there are, and that every running node knows of them.

use std::collections::BTreeMap;

use rctl_server::fault::Rule;

use super::Supervisor;
use crate::error::Exit;
use crate::fault::{self, Effect, Fault, Healing, Link};
use crate::supervise::event::{Action, Happening, Now};
use crate::supervise::facts::Untold;
use crate::supervise::request::Refusal;
use crate::supervise::unit::{Links, Phase, Unit};
use crate::topology::Engine;

/// A node that could not be told is told again after this long.
const AGAIN_MS: u64 = 500;
/// How long telling may take.
const TELL_MS: u64 = 6_000;

impl Supervisor {
    pub(super) fn break_links(
        &mut self,
        effect: Effect,
        links: Vec<Link>,
        now: Now,
        sink: &mut Vec<Action>,
    ) -> Result<(), Refusal> {
        for link in &links {
            self.can_break(*link)?;
        }
        self.faults_ever = self.faults_ever.saturating_add(1);
        let id = self.faults_ever;
        let fault = Fault { id, effect, links, since_ms: now.unix };
        publish(format!("fault {id}: {} {effect}", fault.shown_links()), now, sink);
        self.faults.push(fault);
        Ok(())
    }

    pub(super) fn heal(&mut self, healing: Healing, now: Now, sink: &mut Vec<Action>) -> Result<(), Refusal> {
        let Some(left) = fault::healed(&self.faults, healing) else {
            let what = match healing {
                Healing::Fault { id } => format!("there is no fault {id}"),
                Healing::Node { port } => format!("no link of {port} has a fault"),
                Healing::Link { link } => format!("{link} has no fault"),
                Healing::All => "there is no fault".to_owned(),
            };
            return Err(Refusal::new(Exit::Usage, what).hint("rctl faults"));
        };
        if left.len() == self.faults.len() && left == self.faults {
            return Ok(());
        }
        publish(
            match healing {
                Healing::All => "all links healed".to_owned(),
                Healing::Fault { id } => format!("fault {id} healed"),
                Healing::Node { port } => format!("links of {port} healed"),
                Healing::Link { link } => format!("{link} healed"),
            },
            now,
            sink,
        );
        self.faults = left;
        Ok(())
    }

    /// Rules a process is to be started with.
    #[must_use]
    pub fn rules_of(&self, port: u16) -> BTreeMap<u16, Rule> {
        fault::rules_at(&self.faults, port)
    }

    /// A fault is injected where the link is accepted: by the node that is followed, or by either where neither
    /// follows the other.
    fn can_break(&self, link: Link) -> Result<(), Refusal> {
        let ends = link.ends();
        for port in ends {
            self.known(port)?;
        }
        let follows = |port: u16| {
            let upstream = self.units.get(&port).and_then(|unit| unit.upstream());
            upstream.is_some_and(|(_, above)| link.other(port) == Some(*above))
        };
        let accepting: Vec<u16> =
            ends.into_iter().filter(|port| link.other(*port).is_some_and(follows)).collect();
        let accepting = if accepting.is_empty() { ends.to_vec() } else { accepting };
        match accepting.iter().filter_map(|port| self.units.get(port)).find(|unit| !can_inject(unit)) {
            None => Ok(()),
            Some(unit) => {
                let what = match unit.is_attached() {
                    true => format!("{link} cannot be broken: {} is attached, and accepts it", unit.port()),
                    false => format!(
                        "{link} cannot be broken: {} runs a server that has no link faults, and no proxy is before it (up --direct)",
                        unit.port()
                    ),
                };
                Err(Refusal::new(Exit::Refused, what).hint("rctl up --engine builtin"))
            }
        }
    }

    /// Tells every running node that does not know yet.
    pub(super) fn tell_faults(&mut self, now: Now, sink: &mut Vec<Action>) {
        let ports: Vec<u16> = self.units.keys().copied().collect();
        let ignorant: Vec<u16> = self.untold().into_iter().map(|untold| untold.port).collect();
        for unit in self.units.values_mut() {
            let port = unit.port();
            let wanted = fault::rules_at(&self.faults, port);
            // What is being started is started with its rules.
            if matches!(unit.phase, Phase::Spawning) {
                unit.links = Links { told: Some(wanted), ..Links::default() };
                continue;
            }
            if unit.links.until <= now.mono {
                unit.links.until = 0;
            }
            let answers = matches!(unit.phase, Phase::Running { .. } | Phase::Stopping { .. });
            if !ignorant.contains(&port) || !answers || unit.links.until > 0 {
                continue;
            }
            unit.links.until = now.mono + TELL_MS;
            let whole = |other: &&u16| **other != port && !wanted.contains_key(other);
            let mut rules = wanted.clone();
            rules.extend(ports.iter().filter(whole).map(|other| (*other, Rule::default())));
            sink.push(Action::Fault { port, rules });
        }
    }

    pub(super) fn faulted(
        &mut self,
        port: u16,
        mut rules: BTreeMap<u16, Rule>,
        problem: Option<String>,
        now: Now,
        sink: &mut Vec<Action>,
    ) {
        let Some(unit) = self.units.get_mut(&port) else { return };
        match problem {
            None => {
                rules.retain(|_, rule| !rule.is_none());
                unit.links = Links { told: Some(rules), ..Links::default() };
            }
            Some(why) => {
                if unit.links.problem.as_ref() != Some(&why) {
                    let text = format!("could not be told of broken links: {why}");
                    sink.push(Action::Publish(Happening::new(now.unix, Some(port), text)));
                }
                unit.links = Links { told: None, until: now.mono + AGAIN_MS, problem: Some(why) };
            }
        }
    }

    /// When a node is to be told again.
    pub(super) fn telling(&self) -> impl Iterator<Item = u64> {
        self.units.values().map(|unit| unit.links.until).filter(|until| *until > 0)
    }

    pub(super) fn untold(&self) -> Vec<Untold> {
        let ignorant = |unit: &&Unit| unit.lives() && can_inject(unit) && !self.knows(unit);
        let told = |unit: &Unit| Untold { port: unit.port(), problem: unit.links.problem.clone() };
        self.units.values().filter(ignorant).map(told).collect()
    }

    /// An adopted node may know of faults that are no more, if there ever were any.
    fn knows(&self, unit: &Unit) -> bool {
        match &unit.links.told {
            Some(told) => *told == self.rules_of(unit.port()),
            None => self.faults_ever == 0,
        }
    }
}

/// The node can break the links it accepts.
fn can_inject(unit: &Unit) -> bool {
    unit.plan.proxied || (unit.plan.spec.engine == Engine::Builtin && !unit.is_attached())
}

fn publish(text: String, now: Now, sink: &mut Vec<Action>) {
    sink.push(Action::Publish(Happening::new(now.unix, None, text)));
}
