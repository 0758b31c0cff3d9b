//! Before a replica's data is given up: whether this master is worth it, and what goes with it.

use crate::data::Now;
use crate::mutant::{Mutant, made};
use crate::replication::link::{State, Step};
use crate::replication::survey::Survey;
use crate::resp::value;

use super::session::Session;
use super::{Level, Node, Sink};

impl Node {
    /// A master is asked for its INFO first when we hold keys and nobody told us to follow it whatever it holds, or
    /// when we were a master ourselves: even an empty one may have written last that all is to be deleted. So is the target of a handover: it held everything when we chose it, and may have
    /// been restarted with less since. On this connection it cannot be any more.
    pub(super) fn data_is_at_stake(&self) -> bool {
        let Some(link) = &self.link else { return false };
        (self.key_count() > 0 && !link.told) || (link.was_master && self.stream.active())
    }

    fn key_count(&self) -> u64 {
        (0..self.keyspace.databases()).map(|db| self.keyspace.len(db) as u64).sum()
    }

    /// One answer to INFO, judged when the last one came; `None` while it is not complete. A master that does not answer with a text is not judged.
    pub(super) fn surveyed(
        &mut self,
        session: &mut Session,
        rest: &[u8],
        now: Now,
        sink: &mut dyn Sink,
    ) -> Option<usize> {
        /// More than any server's INFO.
        const LIMIT: usize = 1 << 20;
        let (text, used) = match value::decode(rest) {
            Ok(Some((value, used))) => (value.as_bytes().unwrap_or_default().to_vec(), used),
            Ok(None) if rest.len() <= LIMIT => return None,
            Ok(None) | Err(_) => {
                self.give_up(session, "the master's answer to INFO cannot be read", now, sink);
                return Some(rest.len());
            }
        };
        let Some(link) = &mut self.link else { return Some(used) };
        let State::Greeting { mut expected } = std::mem::take(&mut link.state) else { return Some(used) };
        link.survey_text.extend_from_slice(&text);
        expected.pop_front();
        if expected.front() == Some(&Step::Survey) {
            self.greet_on(session, expected, sink);
            return Some(used);
        }
        let survey = Survey::parse(&std::mem::take(&mut link.survey_text));
        let (told, was_master) =
            self.link.as_ref().map_or((true, false), |link| (link.told, link.was_master));
        let (history, offset) = (self.stream.history, self.stream.offset());
        if self.handing_over_whole() {
            match survey.offset {
                Some(theirs) if theirs < offset && !made(Mutant::HandoverEarly) => {
                    let why = format!("the failover's target lost the last {} bytes", offset - theirs);
                    self.give_up(session, &why, now, sink);
                }
                _ => self.greet_on(session, expected, sink),
            }
            return Some(used);
        }
        let shared = survey.shared_until(&history, offset).filter(|_| was_master);
        if let Some(link) = self.link.as_mut().filter(|link| !link.failover) {
            link.surveyed = survey.id.filter(|_| survey.streams);
            link.shared = shared;
        }
        if let Some(shared) = shared {
            self.keep_tail(shared, offset, sink);
        }
        match survey.holds_less(&history, offset, self.key_count()) {
            Some(why) if !told && !made(Mutant::GuardAsleep) => self.hold(session, &why, now, sink),
            _ => self.greet_on(session, expected, sink),
        }
        Some(used)
    }

    /// Keeps what we hold and asks again later; a person can decide otherwise.
    fn hold(&mut self, session: &mut Session, why: &str, now: Now, sink: &mut dyn Sink) {
        self.snapshots_failed = self.snapshots_failed.saturating_add(1);
        let Some(link) = &mut self.link else { return };
        let (host, port) = (link.host.clone(), link.port);
        link.held = Some(why.to_owned());
        let why = format!(
            "Not synchronizing with {host}:{port}: {why}. Our data is kept and served. To take the master's data \
             instead: REPLICAOF {host} {port}. To keep ours for good: REPLICAOF NO ONE"
        );
        self.give_up(session, &why, now, sink);
    }

    /// A demoted master's writes that the new master never saw are kept in a file, before they can be lost.
    fn keep_tail(&mut self, shared: u64, offset: u64, sink: &mut dyn Sink) {
        let id = self.stream.history.id.to_string();
        let name = format!("lost-{}-{}-{offset}.resp", id.get(..8).unwrap_or(""), shared + 1);
        if self.link.as_ref().is_none_or(|link| link.tail_kept.as_ref() == Some(&name)) {
            return;
        }
        let mut bytes = Vec::new();
        let mut at = self.stream.kept().map_or(offset, |kept| kept.start.max(shared));
        while let Some(piece) =
            self.stream.backlog().map(|log| log.read(at)).filter(|piece| !piece.is_empty())
        {
            bytes.extend_from_slice(piece);
            at += piece.len() as u64;
        }
        let lost = offset - shared;
        match sink.keep(&name, &bytes) {
            Ok(()) => {
                self.note(
                    sink,
                    Level::Warning,
                    format_args!("{lost} bytes of our stream are unknown to the new master; kept in {name}"),
                );
                if let Some(link) = &mut self.link {
                    link.tail_kept = Some(name);
                }
            }
            Err(why) => self.note(
                sink,
                Level::Warning,
                format_args!("{lost} bytes of our stream are unknown to the new master; not kept: {why}"),
            ),
        }
    }

    /// A full resync is about to replace what we hold: what only we had is counted.
    pub(super) fn count_lost_tail(&mut self, sink: &mut dyn Sink) {
        let shared = self.link.as_mut().and_then(|link| link.shared.take());
        let lost = shared.map_or(0, |shared| self.stream.offset().saturating_sub(shared));
        if lost > 0 && !made(Mutant::TailUncounted) {
            self.stats.lost_bytes += lost;
            self.note(
                sink,
                Level::Warning,
                format_args!("{lost} bytes of our stream are lost: the new master never had them"),
            );
        }
    }
}
