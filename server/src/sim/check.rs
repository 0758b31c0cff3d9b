//! The laws of replication, judged from outside after every input of every node and every byte between nodes.
//!
//! Nothing here believes what a node says of itself: positions and data are compared with the harness's own
//! [`Canon`] of histories, promises on the wire are read by a [`Tap`]. The laws:
//!
//! | law | what holds |
//! |---|---|
//! | prefix | a node's data is what its history says at its offset (so equal id and offset mean equal data) |
//! | one owner | only one incarnation of one node ever appends to an id |
//! | not ahead | no offset lies beyond its history, or inside a command or a transaction |
//! | forward | under one id an incarnation's offset never falls, nor do its acknowledgements |
//! | acknowledged | an acknowledgement never exceeds what was applied |
//! | continue | a continuation is given only for a position that both histories share |
//! | owed | no full resync where the backlog holds what is missing; nobody with a history asks for one |
//! | verbatim | what a node sends on is its history, byte for byte |
//! | relabelled | who adopts another id drops its own replicas |
//! | promoted | a new master has a new id, and the old one up to exactly where it was |
//! | atomic | the two halves that a transaction writes are never seen apart |
//! | untouched | data that belongs to no history changes on a replica only by a complete full resync |
//! | waited | WAIT counts distinct nodes that held the write |
//! | handover | a handover that was not forced leaves nothing behind |
//! | kept | nobody who was not told to gives up keys for a master that came back empty |
//! | no ring | no ring of links is up |
//! | bounded | the stream kept is what the slowest replica needs, and no more than that and the configured size |
//! | dropped | a replica over an output limit is dropped in the moment it is, or when its time is over |

mod bounds;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use self::bounds::{Limit, Slow};
use super::canon::{Canon, Index, Owner};
use super::model::{self, Model};
use super::tap::Tap;
use crate::keyspace::ValueRef;
use crate::node::Node;
use crate::node::view::FeedView;
use crate::replication::ReplId;

/// What was last seen of a running node.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The id it lives under.
    pub id: ReplId,
    /// The same, when it is a history that others may know.
    pub history: Option<Index>,
    /// The id before, and how much of it is shared.
    pub previous: Option<(ReplId, u64)>,
    /// Its offset.
    pub offset: u64,
    /// The stream positions it keeps.
    pub kept: Option<Range<u64>>,
    /// The port it follows, and whether the stream comes in.
    pub upstream: Option<(u16, bool)>,
    /// Its data set.
    pub digest: u64,
    keys: usize,
    feeds: Vec<FeedView>,
    backlog_size: u64,
    limit: Limit,
    hands_over: bool,
}

/// What is known of one node.
#[derive(Debug, Default)]
struct Known {
    incarnation: u64,
    last: Option<Seen>,
    /// Furthest position held under each history, by any incarnation.
    ever: Vec<(Index, u64)>,
    /// The same, by this one.
    now: Vec<(Index, u64)>,
    /// The largest backlog it was configured to keep.
    backlog_most: u64,
    /// Where the stream it keeps began.
    kept_since: u64,
    /// The history its data came from last, and how much of it, in this incarnation.
    lived: Option<(Index, u64)>,
    /// The cut of the full resync it was last promised.
    cut: Option<(Index, u64)>,
    slow: Slow,
}

/// Something people want to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resync {
    /// A replica goes on from where it was.
    Partial {
        /// The replica.
        replica: usize,
        /// Its master.
        master: usize,
        /// How many bytes it had missed.
        missed: u64,
    },
    /// A replica takes everything.
    Full {
        /// The replica.
        replica: usize,
        /// Its master.
        master: usize,
    },
}

/// The judge of a world.
#[derive(Debug, Default)]
pub struct Check {
    /// All histories.
    pub canon: Canon,
    nodes: BTreeMap<usize, Known>,
    taps: BTreeMap<u64, Tap>,
    /// Histories, how much of them, and the one that started from that data under an id without a past.
    absorbed: Vec<(Index, u64, Index)>,
    /// Nodes that were told whom to follow, until they do.
    told: BTreeSet<usize>,
    /// Nodes whose role was decided by somebody since their process started.
    appointed: BTreeSet<usize>,
    /// Masters that were told to hand over, and not to force it.
    handing_over: BTreeSet<usize>,
    /// The first broken law.
    pub broken: Option<String>,
    /// Resyncs that were not taken yet.
    pub resyncs: Vec<Resync>,
    /// The port of each node.
    pub ports: BTreeMap<u16, usize>,
}

/// The keys that every transaction of the workload writes together.
pub const HALVES: [&[u8]; 2] = [b"t:a", b"t:b"];

type Verdict = Result<(), String>;

impl Check {
    fn note(&mut self, who: impl FnOnce() -> String, verdict: Verdict) {
        if let Err(why) = verdict
            && self.broken.is_none()
        {
            self.broken = Some(format!("{}: {why}", who()));
        }
    }

    /// What was last seen of a node, while it runs.
    #[must_use]
    pub fn seen(&self, n: usize) -> Option<&Seen> {
        self.nodes.get(&n)?.last.as_ref()
    }

    /// The process of node `n` is gone.
    pub fn gone(&mut self, n: usize) {
        self.nodes.entry(n).or_default().last = None;
        self.handing_over.remove(&n);
        self.told.remove(&n);
        self.appointed.remove(&n);
    }

    /// A master was told to hand over without force, or (`false`) something else decides its role now.
    pub fn hands_over(&mut self, n: usize, on: bool) {
        if on {
            self.handing_over.insert(n);
        } else {
            self.handing_over.remove(&n);
        }
    }

    /// Somebody told node `n` whom to follow: it may give up what it holds.
    pub fn told(&mut self, n: usize) {
        self.told.insert(n);
        self.appointed.insert(n);
    }

    /// Node `n` has just taken an input.
    pub fn after(&mut self, n: usize, incarnation: u64, node: &Node, now_ms: u64) {
        if self.broken.is_none() {
            let verdict = self.judge(n, incarnation, node, now_ms);
            self.note(|| format!("node {n}"), verdict);
        }
    }

    fn judge(&mut self, n: usize, incarnation: u64, node: &Node, now_ms: u64) -> Verdict {
        let owner = Owner { node: n, incarnation };
        let known = self.nodes.entry(n).or_default();
        if known.incarnation != incarnation {
            *known = Known { incarnation, ever: std::mem::take(&mut known.ever), ..Known::default() };
        }
        let last = known.last.take();
        let history = node.history();
        let mut seen = Seen {
            id: history.id,
            history: None,
            previous: history.previous,
            offset: node.offset(),
            kept: node.kept(),
            upstream: node.upstream(),
            digest: model::digest_of(node.keyspace()),
            keys: (0..node.keyspace().databases()).map(|db| node.keyspace().len(db)).sum(),
            feeds: node.attached().collect(),
            backlog_size: node.config().repl_backlog_size,
            limit: Limit::of(node),
            hands_over: node.hands_over(),
        };
        let verdict = self.judge_seen(owner, node, last.as_ref(), &mut seen);
        let Some(known) = self.nodes.get_mut(&n) else { return verdict };
        let restarted = match (&last, &seen.kept) {
            (Some(Seen { kept: Some(before), id, .. }), Some(kept)) => {
                let promised = known.cut.map(|(_, cut)| cut);
                kept.start > before.end
                    || Some(kept.start) == promised
                    || (*id != seen.id && seen.previous.is_none())
            }
            _ => true,
        };
        if restarted {
            known.kept_since = seen.kept.as_ref().map_or(0, |kept| kept.start);
        }
        // A backlog that was made larger does not get back what it freed.
        if let (Some(last), Some(kept)) = (&last, &seen.kept)
            && last.backlog_size < seen.backlog_size
        {
            known.kept_since = known.kept_since.max(kept.end.saturating_sub(last.backlog_size));
        }
        if seen.upstream.is_some_and(|(_, up)| up) {
            self.told.remove(&n);
        }
        if let Some(index) = seen.history {
            known.lived = Some((index, seen.offset));
            reach(&mut known.ever, index, seen.offset);
            reach(&mut known.now, index, seen.offset);
        }
        let slow = known.slow.judge(last.as_ref(), &seen, now_ms);
        known.last = Some(seen);
        verdict?;
        slow?;
        self.no_ring(n)
    }

    fn judge_seen(&mut self, owner: Owner, node: &Node, last: Option<&Seen>, seen: &mut Seen) -> Verdict {
        if seen.kept.is_none() {
            return untouched(last, seen);
        }
        let index = match (self.canon.find(seen.id), seen.upstream) {
            (Some(index), _) => index,
            // It may have begun a history and turned into a replica within one input.
            (None, upstream) if upstream.is_none() || last.is_some_and(|last| last.upstream.is_none()) => {
                self.begin(owner, node, last, seen)?
            }
            (None, _) => return Err("one owner: it lives under an id that no master ever drew".into()),
        };
        seen.history = Some(index);
        self.changed(owner.node, index, last, seen)?;
        // A master may write and turn into a replica within one input; so may one that gave up handing over.
        let was_master =
            last.is_some_and(|last| (last.upstream.is_none() || last.hands_over) && last.id == seen.id);
        if seen.upstream.is_none() || was_master {
            self.grew(owner, index, node, seen)?;
        }
        atomic(node)?;
        self.holds_its_prefix(index, node, seen)?;
        let most = self.nodes.get_mut(&owner.node).map_or(seen.backlog_size, |known| {
            known.backlog_most = known.backlog_most.max(seen.backlog_size);
            known.backlog_most
        });
        bounds::kept(seen, most)
    }

    /// A master appears under an id that nobody had.
    fn begin(
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
    fn changed(&mut self, n: usize, index: Index, last: Option<&Seen>, seen: &Seen) -> Verdict {
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
            return Ok(());
        }
        self.kept(n, index, last, seen)?;
        let Some(before) = last.history else { return Ok(()) };
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

    /// A master that came back with nothing, and wrote nothing since, is not worth anybody's keys. Who follows a replica
    /// goes where that one was told to go.
    fn kept(&self, n: usize, index: Index, last: &Seen, seen: &Seen) -> Verdict {
        let Some(past) = self.canon.past(index) else { return Ok(()) };
        let empty = seen.keys == 0 && past.data_end == past.start && past.parent.is_none();
        // A person who makes an empty node a master knows what it is worth, and one that emptied itself did not come back.
        let went_on = self.absorbed.iter().any(|(_, _, new)| *new == index);
        if went_on || self.appointed.contains(&past.owner.node) {
            return Ok(());
        }
        let directly = seen.upstream.and_then(|(port, _)| self.ports.get(&port)) == Some(&past.owner.node);
        if directly && last.upstream.is_some() && !self.told.contains(&n) && last.keys > 0 && empty {
            return Err(format!("kept: it gave up {} keys for a master that came back empty", last.keys));
        }
        Ok(())
    }

    /// A master's own bytes join the canon.
    fn grew(&mut self, owner: Owner, index: Index, node: &Node, seen: &Seen) -> Verdict {
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

    fn holds_its_prefix(&self, index: Index, node: &Node, seen: &Seen) -> Verdict {
        let end = self.canon.past(index).map_or(0, super::canon::Past::end);
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

    /// A ring that holds the owner of its history, or of two, never comes about. A longer one cannot be told from a chain
    /// by any of its members; it lasts no longer than silence does.
    fn no_ring(&self, n: usize) -> Verdict {
        let (mut at, mut owned) = (n, false);
        for length in 1..=self.nodes.len() {
            let Some(Seen { upstream: Some((port, true)), history, .. }) = self.seen(at) else {
                return Ok(());
            };
            let incarnation = self.nodes.get(&at).map_or(0, |known| known.incarnation);
            let owner = history.and_then(|index| self.canon.past(index)).map(|past| past.owner);
            owned |= owner == Some(Owner { node: at, incarnation });
            let Some(&next) = self.ports.get(port) else { return Ok(()) };
            if next == n && (length <= 2 || owned) {
                return Err("no ring: it follows itself by links that are all up".into());
            }
            at = next;
        }
        Ok(())
    }

    /// WAIT on node `n` counted `count` replicas behind a write that ends at a position of a history.
    pub fn waited(&mut self, n: usize, write: (Index, u64), count: usize) {
        let others = self.nodes.iter().filter(|(other, _)| **other != n);
        let holders =
            others.filter(|(_, known)| known.ever.iter().any(|held| self.holds(*held, write))).count();
        if count > holders {
            let why = format!("waited: WAIT counts {count} replicas, {holders} ever held the write");
            self.note(|| format!("node {n}"), Err(why));
        }
    }

    /// Who is so far in that history holds the write.
    fn holds(&self, (held, upto): (Index, u64), (index, position): (Index, u64)) -> bool {
        if upto >= position && self.canon.shared(held, index) >= position {
            return true;
        }
        self.absorbed.iter().any(|&(old, end, new)| {
            let start = self.canon.past(new).map_or(0, |past| past.start);
            new > index
                && self.canon.shared(old, index).min(end) >= position
                && self.holds((held, upto), (new, start))
        })
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

fn reach(reached: &mut Vec<(Index, u64)>, index: Index, offset: u64) {
    match reached.iter_mut().find(|(held, _)| *held == index) {
        Some((_, upto)) => *upto = offset.max(*upto),
        None => reached.push((index, offset)),
    }
}

/// Data of no history changes only while its node is a master.
fn untouched(last: Option<&Seen>, seen: &Seen) -> Verdict {
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

fn atomic(node: &Node) -> Verdict {
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
