//! A master that stays away is succeeded by its most advanced replica: when, and by whom. Pure.
//!
//! A master is away from the moment its process ended, or since it was last heard where it lives and says nothing.
//! After `down-after` every node is asked; the choice and the steps are those of `rctl failover`. Sentinels that watch a
//! node decide alone: then nothing is done here. A master that comes back finds its role in its configuration file, and
//! one that was only frozen is pointed at its successor.

use std::collections::BTreeMap;

use super::super::event::{Action, Happening, Now};
use super::super::happening::Cause;
use super::super::request::Refusal;
use super::super::unit::{Phase, Unit};
use super::Supervisor;
use crate::error::Exit;
use crate::plan::candidates::{Choice, of_lost};
use crate::plan::members::Members;
use crate::plan::promotion::{Decision, Terms, decide};
use crate::plan::step::Step;
use crate::topology::Autofailover;

/// How long a survey or a promotion may be under way before it counts as lost.
const BUSY_MS: u64 = 15_000;
/// The pause after one that did not come about.
const AGAIN_MS: u64 = 1_000;

/// What is remembered of masters.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// When each node was last heard.
    heard: BTreeMap<u16, u64>,
    /// Nodes that live and did not answer when last asked.
    silent: Vec<u16>,
    /// Masters that are away, and since when.
    away: BTreeMap<u16, u64>,
    /// Something is under way, until this moment at most.
    busy_until: Option<u64>,
    /// Nothing is tried again before this moment.
    again_at: u64,
    /// What was said last of why nothing is done.
    said: Option<String>,
    /// Masters that were succeeded while they were away, and by whom.
    demoted: BTreeMap<u16, u16>,
}

impl Watch {
    pub(super) fn silent(&mut self, port: u16) {
        if !self.silent.contains(&port) {
            self.silent.push(port);
        }
    }
}

impl Supervisor {
    /// Turns it on or off.
    pub(super) fn set_autofailover(
        &mut self,
        down_after_ms: Option<u64>,
        now: Now,
        sink: &mut Vec<Action>,
    ) -> Result<(), Refusal> {
        if down_after_ms.is_some() && self.topology.sentinel.is_some() {
            let what = format!("Sentinels look after {}: both would promote", self.topology.name);
            return Err(Refusal::new(Exit::Refused, what).hint("rctl status"));
        }
        let wanted = down_after_ms.map(|down_after_ms| Autofailover { down_after_ms });
        if wanted != self.topology.autofailover {
            let text = match down_after_ms {
                Some(ms) => format!("autofailover is on: after {ms} ms"),
                None => "autofailover is off".to_owned(),
            };
            self.topology.autofailover = wanted;
            self.tell_all(text, None, now, sink);
        }
        Ok(())
    }

    /// A node answered.
    pub(super) fn heard(&mut self, port: u16, now: Now) {
        self.watch.heard.insert(port, now.mono);
        self.watch.silent.retain(|silent| *silent != port);
        let is_master = self.units.get(&port).is_some_and(|unit| unit.upstream().is_none());
        if is_master
            && let Some(new) = self.watch.demoted.remove(&port)
            && let Some(unit) = self.units.get_mut(&port)
        {
            unit.wire = Some(new);
        }
    }

    /// Looks at every master; asks all nodes where one has been away for too long.
    pub(super) fn watch_masters(&mut self, now: Now, sink: &mut Vec<Action>) {
        let Some(Autofailover { down_after_ms }) = self.topology.autofailover.filter(|_| !self.ending) else {
            self.watch.away.clear();
            return;
        };
        let masters: Vec<u16> =
            self.units.values().filter(|unit| self.has_followers(unit)).map(Unit::port).collect();
        self.watch.away.retain(|port, _| masters.contains(port));
        for port in masters {
            let Some(unit) = self.units.get_mut(&port) else { continue };
            unit.look_within((down_after_ms / 2).max(50), now);
            let lives = matches!(unit.phase, Phase::Running { .. } | Phase::Attached { .. });
            if lives && !self.watch.silent.contains(&port) {
                self.watch.away.remove(&port);
            } else {
                let since = if lives { self.watch.heard.get(&port).copied() } else { None };
                self.watch.away.entry(port).or_insert(since.unwrap_or(now.mono));
            }
        }
        if self.watch.busy_until.is_some_and(|until| until <= now.mono) {
            self.watch.busy_until = None;
        }
        let due = self.watch.away.iter().find(|(_, since)| now.mono >= *since + down_after_ms);
        if let Some((&old, _)) = due
            && self.watch.busy_until.is_none()
            && now.mono >= self.watch.again_at
        {
            self.watch.busy_until = Some(now.mono + BUSY_MS);
            sink.push(Action::Survey { old });
        }
    }

    /// When [`Supervisor::watch_masters`] is next wanted.
    pub(super) fn watching(&self) -> Option<u64> {
        let Autofailover { down_after_ms } = self.topology.autofailover?;
        if self.ending {
            return None;
        }
        let first = self.watch.away.values().min()?;
        match self.watch.busy_until {
            Some(until) => Some(until),
            None => Some((first + down_after_ms).max(self.watch.again_at)),
        }
    }

    /// Every node was asked: who takes over.
    pub(super) fn surveyed(&mut self, old: u16, members: &Members, now: Now, sink: &mut Vec<Action>) {
        self.watch.busy_until = None;
        if !self.watch.away.contains_key(&old) {
            return;
        }
        match succession(members, old) {
            Ok((choice, steps)) => {
                self.watch.busy_until = Some(now.mono + BUSY_MS);
                let away = self.watch.away.get(&old).map_or(0, |since| now.mono.saturating_sub(*since));
                let gap = match choice.gap {
                    Some(bytes) => format!("gap {bytes} B"),
                    None => "gap unknown".to_owned(),
                };
                let text = format!(
                    "autofailover from {old}, away for {away} ms: {} is promoted, {gap}",
                    choice.target
                );
                self.tell_all(text, Some(choice.target), now, sink);
                self.changing = Some((Cause::Autofailover, now.mono + BUSY_MS));
                sink.push(Action::Succeed { old, target: choice.target, steps });
            }
            Err(why) => self.stand_back(old, &why, now, sink),
        }
    }

    /// The promotion was carried out, or was not.
    pub(super) fn succeeded(
        &mut self,
        old: u16,
        target: u16,
        problem: Option<String>,
        now: Now,
        sink: &mut Vec<Action>,
    ) {
        self.watch.busy_until = None;
        self.units.values_mut().for_each(|unit| unit.look_soon(now));
        if let Some(problem) = problem {
            self.stand_back(old, &problem, now, sink);
            return;
        }
        self.watch.said = None;
        self.watch.away.remove(&old);
        if self.units.get(&old).is_some_and(|unit| unit.lives() || unit.is_attached()) {
            self.watch.demoted.insert(old, target);
        } else {
            // Cannot be refused: the node is known, and does not live.
            let _ = self.set_role(old, Some((self.topology.host(target).to_owned(), target)), now, sink);
        }
        self.dirty = true;
    }

    /// Says once why nothing is done, and tries again a little later.
    fn stand_back(&mut self, old: u16, why: &str, now: Now, sink: &mut Vec<Action>) {
        self.watch.again_at = now.mono + AGAIN_MS;
        let text = format!("autofailover from {old} stands back: {why}");
        if self.watch.said.as_ref() != Some(&text) {
            self.watch.said = Some(text.clone());
            self.tell_all(text, Some(old), now, sink);
        }
    }

    fn tell_all(&self, text: String, port: Option<u16>, now: Now, sink: &mut Vec<Action>) {
        sink.push(Action::Publish(Happening::new(now.unix, port, text)));
    }

    /// It was a master when last seen, and others follow it.
    pub(super) fn has_followers(&self, unit: &Unit) -> bool {
        let follows = |other: &Unit| other.upstream().is_some_and(|(_, port)| *port == unit.port());
        unit.seen.is_some() && unit.upstream().is_none() && self.units.values().any(follows)
    }
}

/// Who takes over, and by which steps; or why nobody does.
fn succession(members: &Members, old: u16) -> Result<(Choice, Vec<Step>), String> {
    let sentinels = members.0.iter().map(|member| member.sentinels).max().unwrap_or(0);
    if sentinels > 0 {
        return Err(format!("{sentinels} Sentinels watch this set"));
    }
    let choice = of_lost(members, Some(old)).map_err(|error| error.what)?;
    let terms = Terms { allow_data_loss: false, pause_ms: 0 };
    match decide(members, choice.target, terms).map_err(|error| error.what)? {
        Decision::Nothing => Err(format!("{} is a master already", choice.target)),
        Decision::Promote(promotion) => Ok((choice, promotion.steps)),
    }
}

#[cfg(test)]
pub(super) mod tests;
