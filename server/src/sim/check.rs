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
//! | kept | nobody who was not told to gives up keys for a master that came back empty, or older |
//! | lost | what a demoted master loses is counted, to the byte, and kept in a file |
//! | torn | a damaged file is never loaded |
//! | no ring | no ring of links is up |
//! | bounded | the stream kept is what the slowest replica needs, and no more than that and the configured size |
//! | dropped | a replica over an output limit is dropped in the moment it is, or when its time is over |

mod bounds;
mod change;
mod guard;
mod others;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use self::bounds::{Limit, Slow};
use super::canon::{Canon, Index, Owner};
use super::model;
use super::tap::Tap;
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
    /// Bytes it says it gave up.
    lost: u64,
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
    /// It was a master, and no link was up since.
    mastered: bool,
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
            lost: node.lost_bytes(),
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
        known.mastered = match seen.upstream {
            None => true,
            Some((_, up)) => known.mastered && !up,
        };
        let slow = known.slow.judge(last.as_ref(), &seen, now_ms);
        known.last = Some(seen);
        verdict?;
        slow?;
        self.no_ring(n)
    }

    fn judge_seen(&mut self, owner: Owner, node: &Node, last: Option<&Seen>, seen: &mut Seen) -> Verdict {
        if seen.kept.is_none() {
            return change::untouched(last, seen);
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
        change::atomic(node)?;
        self.holds_its_prefix(index, node, seen)?;
        let most = self.nodes.get_mut(&owner.node).map_or(seen.backlog_size, |known| {
            known.backlog_most = known.backlog_most.max(seen.backlog_size);
            known.backlog_most
        });
        bounds::kept(seen, most)
    }
}

fn reach(reached: &mut Vec<(Index, u64)>, index: Index, offset: u64) {
    match reached.iter_mut().find(|(held, _)| *held == index) {
        Some((_, upto)) => *upto = offset.max(*upto),
        None => reached.push((index, offset)),
    }
}
