//! What a node says when it is asked, and what is remembered of it.

use super::{EAGER_FOR_MS, EAGER_MS, PATIENT_MS, Phase, SAMPLE_MS, TRAIL, Unit};
use crate::supervise::event::{Action, Now};
use crate::supervise::facts::Seen;
use crate::supervise::happening::Cause;

impl Unit {
    /// It said what it is; `cause` is who changes roles at this time, where that is known.
    pub(in crate::supervise) fn answered(
        &mut self,
        (pid, ours, seen): (u32, bool, Seen),
        cause: Option<Cause>,
        now: Now,
        sink: &mut Vec<Action>,
    ) {
        if !self.meant(pid) {
            return;
        }
        self.asked = false;
        let ready = ours && !seen.loading;
        match &mut self.phase {
            Phase::Starting { began, .. } if ready => {
                let took = now.mono.saturating_sub(*began);
                self.enter(Phase::Running { began: now.mono, look_at: now.mono + SAMPLE_MS }, now);
                self.tell(&format!("answers after {took} ms"), now, sink);
            }
            Phase::Starting { began, look_at } => *look_at = next_look(*began, now.mono),
            Phase::Running { look_at, .. } | Phase::Attached { look_at } => *look_at = now.mono + SAMPLE_MS,
            _ => {}
        }
        if ours {
            self.note(seen, cause, now, sink);
        }
    }

    pub(in crate::supervise) fn silent(&mut self, pid: u32, now: Now) {
        if !self.meant(pid) {
            return;
        }
        self.asked = false;
        match &mut self.phase {
            Phase::Starting { began, look_at } => *look_at = next_look(*began, now.mono),
            Phase::Running { look_at, .. } | Phase::Attached { look_at } => *look_at = now.mono + SAMPLE_MS,
            _ => {}
        }
    }

    /// From now on its role is the one in its configuration file.
    pub(in crate::supervise) fn will_follow(&mut self, upstream: Option<(String, u16)>) {
        if let Some(seen) = &mut self.seen {
            seen.upstream = upstream;
        }
    }

    /// What it said is old: it is to be asked again at once.
    pub(in crate::supervise) fn look_soon(&mut self, now: Now) {
        if let Phase::Running { look_at, .. } | Phase::Attached { look_at } = &mut self.phase {
            *look_at = now.mono;
        }
    }

    /// It is to be asked within this time.
    pub(in crate::supervise) fn look_within(&mut self, ms: u64, now: Now) {
        if let Phase::Running { look_at, .. } | Phase::Attached { look_at } = &mut self.phase {
            *look_at = (*look_at).min(now.mono + ms);
        }
    }

    /// Whom it followed when last asked.
    pub(in crate::supervise) fn upstream(&self) -> Option<&(String, u16)> {
        self.seen.as_ref()?.upstream.as_ref()
    }

    /// Remembers what the node said; a change of role is an event.
    fn note(&mut self, seen: Seen, cause: Option<Cause>, now: Now, sink: &mut Vec<Action>) {
        let by = Some(cause.unwrap_or(Cause::Unknown));
        if let Some(before) = &self.seen
            && before.run_id == seen.run_id
            && before.upstream != seen.upstream
        {
            match &seen.upstream {
                None => self.tell_by(by, "is a master now", now, sink),
                Some((host, port)) => self.tell_by(by, &format!("follows {host}:{port} now"), now, sink),
            }
        }
        if let Some(offset) = seen.offset
            && self.trail.last().is_none_or(|(_, last)| *last != offset)
        {
            if self.trail.len() == TRAIL {
                self.trail.remove(0);
            }
            self.trail.push((now.unix, offset));
        }
        self.seen = Some(seen);
    }

    /// The end of a REPLICAOF. A failure is repeated a little later.
    pub(in crate::supervise) fn wired(
        &mut self,
        host: &str,
        problem: Option<&str>,
        now: Now,
        sink: &mut Vec<Action>,
    ) {
        match (problem, self.wire) {
            (None, Some(upstream)) => {
                self.wire = None;
                if let Some(seen) = &mut self.seen {
                    seen.upstream = Some((host.to_owned(), upstream));
                }
                self.tell(&format!("was told to follow {upstream}"), now, sink);
                self.look_soon(now);
            }
            (Some(problem), _) => {
                self.wiring_until = now.mono + 200;
                self.tell(&format!("could not be pointed at its upstream: {problem}"), now, sink);
            }
            (None, None) => {}
        }
    }
}

fn next_look(began: u64, now: u64) -> u64 {
    now + if now.saturating_sub(began) < EAGER_FOR_MS { EAGER_MS } else { PATIENT_MS }
}
