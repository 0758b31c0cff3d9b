//! What may become of a node's history, offset and data from one input to the next.

use super::{Check, HALVES, Seen, Verdict};
use crate::keyspace::ValueRef;
use crate::node::Node;
use crate::node::view::FeedView;
use crate::replication::ReplId;
use crate::sim::canon::{Index, Owner, Past};
use crate::sim::model::Model;

impl Check {
    /// A master appears under an id that nobody had.
    pub(super) fn begin(
        &mut self,
        owner: Owner,
        node: &Node,
        last: Option<&Seen>,
        seen: &Seen,
    ) -> Result<Index, String> {
        if let Some(Seen { history: Some(_), id, offset, .. }) = last
            && !follows_on(seen.previous, *id, *offset)
            && !last.is_some_and(|last| may_forget(last, seen))
        {
            return Err(format!(
                "promoted: its second id is {:?}, it should be {id:?} up to {offset}",
                seen.previous
            ));
        }
        let parent = seen.previous.and_then(|(id, shared)| Some((self.canon.find(id)?, shared)));
        if let Some((index, shared)) = parent {
            let base = match self.canon.digest_at(index, shared) {
                Some(None) => Some(Model::of(node.keyspace())),
                _ => self.canon.model_at(index, shared),
            };
            let base = base.ok_or_else(|| format!("promoted: its second id does not reach {shared}"))?;
            return Ok(self.canon.open(seen.id, owner, parent, shared, base));
        }
        // What was written while nobody listened belongs to no history: it is where this one starts, and so is what was
        // written under an id that was given up since.
        let before = self.nodes.get(&owner.node).and_then(|known| known.lived);
        let start = seen.kept.as_ref().map_or(seen.offset, |kept| kept.start);
        let bytes = stored(node, start, seen.offset)?;
        let index = self.canon.open_late(seen.id, owner, start, &bytes, Model::of(node.keyspace()))?;
        self.absorbed.extend(before.map(|(old, upto)| (old, upto, index)));
        Ok(index)
    }

    /// What may change of an id and an offset from one input to the next.
    pub(super) fn changed(&mut self, n: usize, index: Index, last: Option<&Seen>, seen: &Seen) -> Verdict {
        if let Some((id, shared)) = seen.previous
            && let Some(other) = self.canon.find(id)
            && self.canon.shared(index, other) < shared
        {
            return Err(format!("promoted: it claims {shared} bytes of {id:?}, which are not shared"));
        }
        let Some(last) = last else { return Ok(()) };
        if last.id == seen.id {
            let cut = self.nodes.get(&n).and_then(|known| known.cut);
            let resynced = seen.upstream.is_some()
                && cut.is_some_and(|(history, cut)| history == index && cut <= seen.offset);
            if seen.offset < last.offset && !resynced {
                return Err(format!("forward: its offset fell from {} to {}", last.offset, seen.offset));
            }
            return self.nothing_lost(last, seen);
        }
        self.kept(n, index, last, seen)?;
        let Some(before) = last.history else { return Ok(()) };
        self.lost(n, (before, index), last, seen)?;
        let stays = |feed: &&FeedView| {
            !feed.closing && last.feeds.iter().any(|old| old.conn == feed.conn && !old.closing)
        };
        if seen.feeds.iter().any(|feed| stays(&feed)) {
            return Err(format!(
                "relabelled: it went from {:?} to {:?} and kept a replica",
                last.id, seen.id
            ));
        }
        if seen.upstream.is_some() {
            if seen.previous.is_some() && !follows_on(seen.previous, last.id, last.offset) {
                return Err(format!("continue: its second id is {:?} after {:?}", seen.previous, last.id));
            }
            if seen.previous.is_some() && self.canon.shared(before, index) < last.offset {
                return Err(format!(
                    "continue: it went on from {} of {:?}, which is not shared",
                    last.offset, last.id
                ));
            }
            let left = self.canon.past(before).map_or(0, |past| past.data_end);
            if self.handing_over.remove(&n) && self.canon.shared(before, index) < left {
                return Err("handover: the target took over without the last writes".into());
            }
        }
        Ok(())
    }

    /// A master's own bytes join the canon.
    pub(super) fn grew(&mut self, owner: Owner, index: Index, node: &Node, seen: &Seen) -> Verdict {
        let Some(past) = self.canon.past(index) else { return Ok(()) };
        if past.owner != owner {
            return Err(format!("one owner: it is master under {:?}, which it did not draw", seen.id));
        }
        let end = past.end();
        if seen.offset < end {
            return Err(format!("forward: its offset is {}, it had appended up to {end}", seen.offset));
        }
        let bytes = stored(node, end, seen.offset)?;
        if bytes.is_empty() { Ok(()) } else { self.canon.append(index, &bytes) }
    }

    pub(super) fn holds_its_prefix(&self, index: Index, node: &Node, seen: &Seen) -> Verdict {
        let end = self.canon.past(index).map_or(0, Past::end);
        if seen.offset > end {
            return Err(format!("not ahead: it is at {} of {:?}, which ends at {end}", seen.offset, seen.id));
        }
        match self.canon.digest_at(index, seen.offset) {
            None => Err(format!(
                "not ahead: {} of {:?} lies inside a command or a transaction",
                seen.offset, seen.id
            )),
            Some(None) => Ok(()),
            Some(Some(digest)) if digest == seen.digest => Ok(()),
            Some(_) => {
                let model = self.canon.model_at(index, seen.offset).unwrap_or_default();
                let difference = model.difference(node.keyspace());
                Err(format!("prefix: at {} of {:?}: {difference}", seen.offset, seen.id))
            }
        }
    }
}

/// Stream bytes that a node keeps.
fn stored(node: &Node, from: u64, to: u64) -> Result<Vec<u8>, String> {
    let (mut bytes, mut at) = (Vec::new(), from);
    while at < to {
        let piece = node.stream_at(at);
        if piece.is_empty() {
            return Err(format!("bounded: byte {at} was appended and freed in one go"));
        }
        bytes.extend_from_slice(piece);
        at += piece.len() as u64;
    }
    Ok(bytes)
}

/// A master that nobody follows may give up its history after a while, and somebody may ask in the same input.
fn may_forget(last: &Seen, seen: &Seen) -> bool {
    last.upstream.is_none() && last.feeds.is_empty() && seen.previous.is_none()
}

/// What it was before is what it shares; it may have applied more, and changed, within one input.
fn follows_on(previous: Option<(ReplId, u64)>, id: ReplId, offset: u64) -> bool {
    previous.is_some_and(|(before, shared)| before == id && shared >= offset)
}

/// Data of no history changes only while its node is a master.
pub(super) fn untouched(last: Option<&Seen>, seen: &Seen) -> Verdict {
    match last {
        Some(last) if last.upstream.is_some() && seen.upstream.is_some() && last.digest != seen.digest => {
            Err("untouched: a replica's data changed without a full resync".into())
        }
        Some(last) if last.kept.is_some() && last.upstream.is_some() && seen.upstream.is_some() => {
            Err("untouched: a replica forgot its stream".into())
        }
        _ => Ok(()),
    }
}

pub(super) fn atomic(node: &Node) -> Verdict {
    let keyspace = node.keyspace();
    for db in (0..keyspace.databases()).filter(|&db| keyspace.len(db) > 0) {
        let half = |key: &[u8]| match keyspace.get(db, key).map(crate::data::table::EntryRef::value) {
            Some(ValueRef::Int(number)) => Some(number),
            _ => None,
        };
        let (a, b) = (half(HALVES[0]), half(HALVES[1]));
        if a != b {
            return Err(format!("atomic: of a transaction in db {db} it shows {a:?} and {b:?}"));
        }
    }
    Ok(())
}
