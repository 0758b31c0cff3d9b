//! What is said between two nodes, compared with what is true.

use super::{Check, Resync, Verdict};
use crate::replication::ReplId;
use crate::sim::canon::{Index, Past};
use crate::sim::tap::{Heard, Request, Tap};

impl Check {
    /// A wire between two nodes, from the one who dialed.
    pub fn connected(&mut self, wire: u64, replica: usize, master: usize) {
        self.taps.insert(wire, Tap::new(replica, master));
    }

    /// Bytes were sent on a wire between nodes, toward its end `to`.
    pub fn sent(&mut self, wire: u64, to: usize, bytes: &[u8]) {
        let Some(mut tap) = self.taps.remove(&wire) else { return };
        let heard = if to == 1 { tap.upstream(bytes) } else { tap.downstream(bytes) };
        for heard in heard {
            let verdict = self.heard(&mut tap, heard);
            let (replica, master) = (tap.replica, tap.master);
            self.note(|| format!("between replica {replica} and master {master}"), verdict);
        }
        self.taps.insert(wire, tap);
    }

    /// Bytes arrived: a question is judged by what its receiver is at that moment.
    pub fn arriving(&mut self, wire: u64, to: usize, bytes: usize) {
        let Some(mut tap) = self.taps.remove(&wire) else { return };
        if to == 1 {
            tap.arrived += bytes as u64;
            if let (Some(end), Some(request)) = (tap.question_ends, tap.asked)
                && tap.arrived >= end
            {
                tap.question_ends = None;
                tap.owed = self.owed(tap.master, request);
            }
        }
        self.taps.insert(wire, tap);
    }

    fn heard(&mut self, tap: &mut Tap, heard: Heard) -> Verdict {
        match heard {
            Heard::Asked(request) => self.asked(tap, request),
            Heard::Acknowledged(position) => self.acknowledged(tap, position),
            Heard::Full { id, cut } => {
                let index = self.canon.find(id).ok_or("a full resync under an id that nobody drew")?;
                tap.history = Some(index);
                self.resyncs.push(Resync::Full { replica: tap.replica, master: tap.master });
                if let Some(known) = self.nodes.get_mut(&tap.replica) {
                    known.cut = Some((index, cut));
                }
                if self.canon.digest_at(index, cut).is_none() {
                    return Err(format!(
                        "not ahead: the cut {cut} of a full resync is no position of {id:?}"
                    ));
                }
                match (tap.owed.take(), tap.asked) {
                    (Some(owed), Some(request)) if self.owed(tap.master, request).is_some() => {
                        Err(format!("owed: a full resync, though {owed}"))
                    }
                    _ => Ok(()),
                }
            }
            Heard::Continued { id } => self.continued(tap, id),
            Heard::Stream { position, bytes } => {
                let Some(index) = tap.history else { return Ok(()) };
                let matching = self.canon.matching(index, position, &bytes);
                if matching == bytes.len() {
                    return Ok(());
                }
                let id = self.canon.past(index).map(|past| past.id);
                Err(format!("verbatim: byte {} sent is not that of {id:?}", position + matching as u64))
            }
            Heard::Refused(text) if text.starts_with("-NOMASTERLINK") || text.starts_with("-LOADING") => {
                Ok(())
            }
            Heard::Refused(text) => self.refused(tap, &text),
            Heard::Nonsense(text) => Err(format!("verbatim: {text}")),
        }
    }

    /// An error that is not one of the passing ones makes a replica give up what it holds. Only one that was asked to
    /// take over may give it.
    fn refused(&self, tap: &Tap, text: &str) -> Verdict {
        match tap.asked {
            Some(Request { failover: true, .. }) => Ok(()),
            _ => Err(format!("owed: the question was answered with {text}")),
        }
    }

    fn asked(&self, tap: &Tap, request: Request) -> Verdict {
        let Some(seen) = self.seen(tap.replica) else { return Ok(()) };
        if seen.kept.is_none() {
            return Ok(());
        }
        if request.id.is_none() {
            return Err("owed: a replica that holds a history asks for a full resync".into());
        }
        if request.id != Some(seen.id) || u64::try_from(request.position) != Ok(seen.offset) {
            return Err(format!(
                "forward: it asks for {:?} from {}, it holds {:?} up to {}",
                request.id, request.position, seen.id, seen.offset
            ));
        }
        Ok(())
    }

    fn acknowledged(&self, tap: &mut Tap, position: u64) -> Verdict {
        let Some(index) = tap.history else { return Ok(()) };
        if tap.acknowledged > position {
            return Err(format!("forward: it acknowledges {position} after {}", tap.acknowledged));
        }
        tap.acknowledged = position;
        let known = self.nodes.get(&tap.replica).map(|known| known.now.as_slice()).unwrap_or_default();
        let holds =
            |&(held, upto): &(Index, u64)| upto >= position && self.canon.shared(held, index) >= position;
        if known.iter().any(holds) {
            return Ok(());
        }
        Err(format!("acknowledged: it acknowledges {position} and never applied that much"))
    }

    fn continued(&mut self, tap: &mut Tap, id: Option<ReplId>) -> Verdict {
        let Some(request) = tap.asked else { return Ok(()) };
        let old = request.id.ok_or("continue: a full resync was asked for")?;
        let (asked, id) = (self.canon.find(old), id.unwrap_or(old));
        let index = self.canon.find(id).ok_or("continue: under an id that nobody drew")?;
        tap.history = Some(index);
        let position = u64::try_from(request.position).map_err(|_| "continue: from before the start")?;
        let end = self.canon.past(index).map_or(0, Past::end);
        let shared = asked.map_or(0, |asked| self.canon.shared(asked, index));
        if position > shared.min(end) {
            return Err(format!(
                "continue: {old:?} from {position} under {id:?}, of which {shared} are shared"
            ));
        }
        let offset = self.seen(tap.master).map_or(0, |seen| seen.offset);
        let missed = offset.saturating_sub(position);
        self.resyncs.push(Resync::Partial { replica: tap.replica, master: tap.master, missed });
        Ok(())
    }

    /// Why node `n` owes the one who asks a continuation, if it does.
    fn owed(&self, n: usize, request: Request) -> Option<String> {
        let seen = self.seen(n)?;
        let kept = seen.kept.as_ref()?;
        let hands_over = request.failover && request.id == Some(seen.id);
        if !hands_over && seen.upstream.is_some_and(|(_, up)| !up) {
            return None;
        }
        let position = u64::try_from(request.position).ok()?;
        let bound = match (request.id, seen.previous) {
            (Some(id), _) if id == seen.id => u64::MAX,
            (Some(id), Some((previous, shared))) if id == previous => shared,
            _ => return None,
        };
        let start = kept.end.saturating_sub(seen.backlog_size).max(self.nodes.get(&n)?.kept_since);
        let held = position >= start && position <= kept.end.min(bound);
        held.then(|| format!("{position} of {:?} is shared and kept ({start} to {})", request.id, kept.end))
    }
}
