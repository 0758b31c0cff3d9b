//! The life of one node, as a state machine without hands.
//!
//! ```text
//!   Stopped ─► Examining ─► Spawning ─► Starting ─► Running ◄─► Paused
//!      ▲            │            │           │          │
//!      │            ▼            ▼           ▼          ▼
//!      │          Held        Crashed ◄──────┴──────────┤ ended though nobody asked
//!      │                         │                      │
//!      │                         ▼                      ▼
//!      └───────────────────── Backoff              Stopping ─► Stopped, or Examining again
//! ```
//!
//! Invariants: a signal is only ever sent to the identity that was recorded; nothing but `Examining` leads to
//! `Spawning`, so the guard sees every start; `Stopping` always has a moment at which it becomes SIGKILL.

mod looks;
mod record;

use std::collections::BTreeMap;

use rctl_server::fault::Rule;

use super::event::{Action, Ended, Found, Happening, Now};
use super::facts::Seen;
use super::guard;
use super::happening::Cause;
use super::identity::Identity;
use crate::plan::NodePlan;
use crate::topology::Restart;

/// End at once.
pub(super) const SIGKILL: i32 = nix::libc::SIGKILL;
/// The process of what is attached: none that is known.
pub(super) const NOBODY: u32 = 0;
/// Please end.
pub(super) const SIGTERM: i32 = nix::libc::SIGTERM;
/// Go on.
pub(super) const SIGCONT: i32 = nix::libc::SIGCONT;
/// Freeze.
pub(super) const SIGSTOP: i32 = nix::libc::SIGSTOP;

/// From SIGTERM to SIGKILL: a server's own `shutdown-timeout` of 10 s, in which it waits for its replicas, and a margin.
pub(super) const STOP_MS: u64 = 11_000;
/// Between two looks at a node that does not answer yet.
const EAGER_MS: u64 = 2;
/// The same, once it has taken long.
const PATIENT_MS: u64 = 50;
/// How long a start is looked at eagerly.
const EAGER_FOR_MS: u64 = 2_000;
/// Between two looks at a node that runs.
const SAMPLE_MS: u64 = 1_000;
/// The first pause before a restart; it doubles.
const BACKOFF_MS: u64 = 200;
/// The longest pause before a restart.
const BACKOFF_MAX_MS: u64 = 30_000;
/// Restarts in a row before giving up.
const RESTARTS: u32 = 10;
/// A run of this length ends the row.
const STABLE_MS: u64 = 60_000;
/// Offsets remembered for each node.
const TRAIL: usize = 64;

/// Where a node is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    /// No process, and nobody wants one.
    Stopped,
    /// A start is wanted; what it would bring back is being looked at. `force` passes the guard.
    Examining { force: bool },
    /// The process is being started.
    Spawning,
    /// It lives and does not answer yet.
    Starting { began: u64, look_at: u64 },
    /// It answers.
    Running { began: u64, look_at: u64 },
    /// Somebody else started it, and stops it: it is only asked.
    Attached { look_at: u64 },
    /// It is frozen.
    Paused,
    /// It was asked to end. `again` is what to do then: start, with or without the guard.
    Stopping { kill_at: u64, killed: bool, again: Option<bool> },
    /// It ended though nobody asked.
    Crashed { exit: String },
    /// The same, and it will be started again.
    Backoff { exit: String, at: u64 },
    /// The guard said no.
    Held { why: String },
}

/// One node.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub(super) plan: NodePlan,
    pub(super) phase: Phase,
    pub(super) identity: Option<Identity>,
    /// Its configuration file is to be written before the next start.
    pub(super) fresh: bool,
    /// It was started at least once.
    born: bool,
    /// The upstream it is still to be pointed at.
    pub(super) wire: Option<u16>,
    /// A REPLICAOF is on its way, or failed and is not to be repeated before this moment.
    pub(super) wiring_until: u64,
    pub(super) seen: Option<Seen>,
    trail: Vec<(u64, u64)>,
    since_ms: u64,
    restarts: u32,
    asked: bool,
    /// The last signal that somebody asked for.
    sent: Option<i32>,
    /// What it knows of broken links.
    pub(super) links: Links,
}

/// What a running node was told of broken links.
#[derive(Debug, Clone, Default)]
pub(super) struct Links {
    /// What is in force in its process; `None` is not known.
    pub(super) told: Option<BTreeMap<u16, Rule>>,
    /// It is being told, or is not to be told again before this moment.
    pub(super) until: u64,
    /// Why that failed, for people.
    pub(super) problem: Option<String>,
}

impl Unit {
    /// A node that was never started.
    pub(super) fn new(plan: NodePlan, now: Now) -> Self {
        let attached = plan.spec.attach.is_some();
        Self {
            // What is attached is pointed at nobody unasked: it would throw its data away.
            wire: plan.spec.replica_of.filter(|_| !attached),
            plan,
            phase: if attached { Phase::Attached { look_at: now.mono } } else { Phase::Stopped },
            identity: None,
            fresh: true,
            born: false,
            wiring_until: 0,
            seen: None,
            trail: Vec::new(),
            since_ms: now.unix,
            restarts: 0,
            asked: false,
            sent: None,
            links: Links::default(),
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.plan.spec.port
    }

    /// Somebody else started it.
    pub(super) fn is_attached(&self) -> bool {
        matches!(self.phase, Phase::Attached { .. })
    }

    /// It can be told something: it runs, or is attached and has answered.
    pub(super) fn answers(&self) -> bool {
        matches!(self.phase, Phase::Running { .. }) || (self.is_attached() && self.seen.is_some())
    }

    /// Is there a process, or about to be.
    pub(super) fn lives(&self) -> bool {
        self.identity.is_some() || matches!(self.phase, Phase::Examining { .. } | Phase::Spawning)
    }

    /// When it next wants to be told the time.
    pub(super) fn wake(&self) -> Option<u64> {
        match self.phase {
            Phase::Starting { look_at, .. }
            | Phase::Running { look_at, .. }
            | Phase::Attached { look_at }
                if !self.asked =>
            {
                Some(look_at)
            }
            Phase::Stopping { kill_at, killed: false, .. } => Some(kill_at),
            Phase::Backoff { at, .. } => Some(at),
            _ => None,
        }
    }

    pub(super) fn tick(&mut self, now: Now, sink: &mut Vec<Action>) {
        match &mut self.phase {
            Phase::Starting { look_at, .. } | Phase::Running { look_at, .. } if *look_at <= now.mono => {
                if let (false, Some(identity)) = (self.asked, &self.identity) {
                    self.asked = true;
                    sink.push(Action::Probe { port: self.plan.spec.port, pid: identity.pid });
                }
            }
            Phase::Attached { look_at } if *look_at <= now.mono && !self.asked => {
                self.asked = true;
                sink.push(Action::Probe { port: self.plan.spec.port, pid: NOBODY });
            }
            Phase::Stopping { kill_at, killed, .. } if !*killed && *kill_at <= now.mono => {
                *killed = true;
                self.signal(SIGKILL, sink);
                self.tell("did not end in time; killed", now, sink);
            }
            Phase::Backoff { at, .. } if *at <= now.mono => self.start(false, now, sink),
            _ => {}
        }
    }

    /// Wants it up. `force` passes the guard.
    pub(super) fn start(&mut self, force: bool, now: Now, sink: &mut Vec<Action>) {
        match &mut self.phase {
            Phase::Stopping { again, .. } => *again = Some(force),
            Phase::Stopped | Phase::Crashed { .. } | Phase::Backoff { .. } | Phase::Held { .. } => {
                self.enter(Phase::Examining { force }, now);
                sink.push(Action::Examine { port: self.port() });
            }
            Phase::Examining { force: was } => *was |= force,
            Phase::Spawning
            | Phase::Starting { .. }
            | Phase::Running { .. }
            | Phase::Paused
            | Phase::Attached { .. } => {}
        }
    }

    /// Wants it down; with `again`, up afterwards.
    pub(super) fn stop(&mut self, again: Option<bool>, now: Now, sink: &mut Vec<Action>) {
        if self.is_attached() {
            return;
        }
        if self.identity.is_none() {
            match again {
                Some(force) => self.start(force, now, sink),
                None if self.phase != Phase::Spawning => self.enter(Phase::Stopped, now),
                // The answer to Spawn is on its way; the asker repeats itself when it has come.
                None => {}
            }
            return;
        }
        if let Phase::Stopping { again: then, .. } = &mut self.phase {
            *then = again;
            return;
        }
        let paused = self.phase == Phase::Paused;
        self.enter(Phase::Stopping { kill_at: now.mono + STOP_MS, killed: false, again }, now);
        self.signal(SIGTERM, sink);
        // A frozen process hears SIGTERM only when it goes on.
        if paused {
            self.signal(SIGCONT, sink);
        }
    }

    pub(super) fn pause(&mut self, now: Now, sink: &mut Vec<Action>) {
        if matches!(self.phase, Phase::Starting { .. } | Phase::Running { .. }) {
            self.signal(SIGSTOP, sink);
            self.enter(Phase::Paused, now);
            self.tell("paused", now, sink);
        }
    }

    pub(super) fn proceed(&mut self, now: Now, sink: &mut Vec<Action>) {
        if self.identity.is_some() {
            self.signal(SIGCONT, sink);
        }
        if self.phase == Phase::Paused {
            self.starting(now);
            self.tell("resumed", now, sink);
        }
    }

    /// Somebody asked for a signal to be sent.
    pub(super) fn asked_signal(&mut self, signal: i32, sink: &mut Vec<Action>) {
        self.sent = Some(signal);
        self.signal(signal, sink);
    }

    pub(super) fn signal(&self, signal: i32, sink: &mut Vec<Action>) {
        if let Some(identity) = &self.identity {
            sink.push(Action::Signal { port: self.port(), identity: identity.clone(), signal });
        }
    }

    /// What a start would bring back has been looked at.
    pub(super) fn examined(&mut self, found: &Found, now: Now, sink: &mut Vec<Action>) {
        let Phase::Examining { force } = self.phase else { return };
        if let Some(identity) = &found.living {
            self.fresh = false;
            self.wire = if self.born { self.wire } else { None };
            self.born = true;
            self.adopt(identity.clone(), found.frozen, now, sink);
            return;
        }
        // A directory from before this record was made: the role in its file wins over the plan.
        if found.configured && !self.born {
            self.wire = None;
        }
        let master = found.follows.is_none() && self.wire.is_none();
        match guard::hold(self.port(), &found.saved, &found.others) {
            Some(why) if master && !force => {
                self.tell(&format!("held: {why}"), now, sink);
                self.enter(Phase::Held { why }, now);
            }
            _ => {
                self.enter(Phase::Spawning, now);
                sink.push(Action::Spawn { port: self.port(), configure: self.fresh });
            }
        }
    }

    pub(super) fn spawned(&mut self, identity: Identity, now: Now, sink: &mut Vec<Action>) {
        self.tell(&format!("started, pid {}", identity.pid), now, sink);
        self.identity = Some(identity);
        self.fresh = false;
        self.born = true;
        self.starting(now);
    }

    pub(super) fn not_spawned(&mut self, why: &str, now: Now, sink: &mut Vec<Action>) {
        self.tell(&format!("could not be started: {why}"), now, sink);
        self.enter(Phase::Crashed { exit: format!("could not be started: {why}") }, now);
    }

    /// The process ended; `follows` is the role in its configuration file, which the next start obeys.
    pub(super) fn exited(
        &mut self,
        pid: u32,
        ended: &Ended,
        follows: Option<Option<(String, u16)>>,
        now: Now,
        sink: &mut Vec<Action>,
    ) {
        if !self.meant(pid) {
            return;
        }
        if let Some(follows) = follows {
            self.will_follow(follows);
        }
        self.identity = None;
        self.asked = false;
        self.links = Links::default();
        let cause = self.asked_to_end().then_some(Cause::You);
        self.tell_by(cause, &ended.to_string(), now, sink);
        let phase = std::mem::replace(&mut self.phase, Phase::Stopped);
        self.since_ms = now.unix;
        match phase {
            Phase::Stopping { again: Some(force), .. } => self.start(force, now, sink),
            Phase::Stopping { again: None, .. } => {}
            // SHUTDOWN, typed by somebody.
            Phase::Running { .. } if *ended == Ended::Code(0) => {}
            Phase::Running { began, .. } if now.mono.saturating_sub(began) >= STABLE_MS => {
                self.restarts = 0;
                self.crashed(ended, now);
            }
            _ => self.crashed(ended, now),
        }
    }

    /// Somebody asked for this end: by `stop`, or by a signal that ends processes.
    fn asked_to_end(&mut self) -> bool {
        let sent = self.sent.take().is_some_and(|signal| signal != SIGSTOP && signal != SIGCONT);
        sent || matches!(self.phase, Phase::Stopping { .. })
    }

    fn crashed(&mut self, ended: &Ended, now: Now) {
        let exit = ended.to_string();
        self.phase = match self.plan.spec.restart {
            Restart::OnFailure if self.restarts < RESTARTS => {
                let pause = BACKOFF_MS.saturating_mul(1 << self.restarts.min(16)).min(BACKOFF_MAX_MS);
                self.restarts += 1;
                // Nodes that fell together do not get up together.
                let spread = u64::from(self.port()) * 7919 % 100;
                Phase::Backoff { exit, at: now.mono + pause + spread }
            }
            Restart::OnFailure => {
                Phase::Crashed { exit: format!("{exit}; gave up after {RESTARTS} restarts") }
            }
            Restart::No => Phase::Crashed { exit },
        };
    }

    fn adopt(&mut self, identity: Identity, frozen: bool, now: Now, sink: &mut Vec<Action>) {
        self.tell(&format!("adopted, pid {}", identity.pid), now, sink);
        sink.push(Action::Watch { port: self.port(), identity: identity.clone() });
        self.identity = Some(identity);
        if frozen {
            self.phase = Phase::Paused;
        } else {
            self.starting(now);
        }
    }

    fn starting(&mut self, now: Now) {
        self.enter(Phase::Starting { began: now.mono, look_at: now.mono }, now);
    }

    fn enter(&mut self, phase: Phase, now: Now) {
        self.phase = phase;
        self.since_ms = now.unix;
    }

    fn meant(&self, pid: u32) -> bool {
        match &self.identity {
            Some(identity) => identity.pid == pid,
            None => self.is_attached() && pid == NOBODY,
        }
    }

    fn tell(&self, text: &str, now: Now, sink: &mut Vec<Action>) {
        self.tell_by(None, text, now, sink);
    }

    fn tell_by(&self, cause: Option<Cause>, text: &str, now: Now, sink: &mut Vec<Action>) {
        let happening = Happening { cause, ..Happening::new(now.unix, Some(self.port()), text) };
        sink.push(Action::Publish(happening));
    }
}
