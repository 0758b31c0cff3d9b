//! Streams to bytes, in slices: nodes, what is known of the log, then group by group what is pending and to whom.

use super::format::{self, kind};
use super::put::Put;
use crate::data::stream::{Group, Id, Stream};

/// How far the writing of a stream has come.
#[derive(Debug)]
pub(super) struct StreamWalk {
    kind: u8,
    place: Place,
}

/// What is written next.
#[derive(Debug)]
enum Place {
    Begin,
    /// The node with the entry of this rank.
    Node(usize),
    /// Group number n.
    Group(usize),
    /// What is pending in a group from an id on.
    Pending(usize, Id),
    /// Consumer number m of group n.
    Consumer(usize, usize),
    /// What is pending for a consumer from an id on.
    Owned(usize, usize, Id),
    End,
}

impl StreamWalk {
    /// At the beginning of a stream of this type.
    pub(super) fn new(kind: u8) -> Self {
        Self { kind, place: Place::Begin }
    }

    /// Whether the oldest form loses next to nothing: what it leaves out is what a loader makes of the rest, but for when consumers
    /// were last given something, and that it is not known how much a group has read.
    pub(super) fn is_plain(stream: &Stream) -> bool {
        let log = stream.log();
        let reckoned =
            |(_, group): (&[u8], &Group)| group.read.is_none() || group.read == log.distance(group.last);
        log.added() == log.len() as u64
            && log.max_deleted() == Id::MIN
            && stream.groups().iter().all(reckoned)
    }

    /// Writes on until `put` has about `until` bytes; true when all of the stream is there.
    pub(super) fn step(&mut self, stream: &Stream, put: &mut Put, until: usize) -> bool {
        loop {
            self.place = match self.place {
                Place::Begin => {
                    put.length(stream.log().node_count() as u64);
                    Place::Node(0)
                }
                Place::Node(rank) => match stream.log().node_at(rank) {
                    Some((node, next)) => {
                        put.bytes(&node.master().to_bytes());
                        put.bytes(node.as_bytes());
                        Place::Node(next)
                    }
                    None => {
                        self.facts(stream, put);
                        Place::Group(0)
                    }
                },
                Place::Group(index) => match group_at(stream, index) {
                    Some((name, group)) => {
                        put.bytes(name);
                        self.group(group, put);
                        Place::Pending(index, Id::MIN)
                    }
                    None => Place::End,
                },
                Place::Pending(index, id) => {
                    let group = group_at(stream, index).map(|(_, group)| group);
                    match group.and_then(|group| pending(group, id, put, until)) {
                        Some(next) => Place::Pending(index, next),
                        None => {
                            put.length(group.map_or(0, Group::consumer_count) as u64);
                            Place::Consumer(index, 0)
                        }
                    }
                }
                Place::Consumer(index, nth) => match self.consumer(stream, index, nth, put) {
                    true => Place::Owned(index, nth, Id::MIN),
                    false => Place::Group(index + 1),
                },
                Place::Owned(index, nth, id) => match owned(stream, index, nth, id, put, until) {
                    Some(next) => Place::Owned(index, nth, next),
                    None => Place::Consumer(index, nth + 1),
                },
                Place::End => return true,
            };
            if put.out.len() >= until && !matches!(self.place, Place::End) {
                return false;
            }
        }
    }

    /// What is known of the log as a whole, and how many groups there are.
    fn facts(&self, stream: &Stream, put: &mut Put) {
        let log = stream.log();
        put.length(log.len() as u64);
        put_id(log.last(), put);
        if self.kind != kind::STREAM_1 {
            put_id(log.first(), put);
            put_id(log.max_deleted(), put);
            put.length(log.added());
        }
        put.length(stream.groups().len() as u64);
    }

    /// Where a group stands, and how many entries are pending in it.
    fn group(&self, group: &Group, put: &mut Put) {
        put_id(group.last, put);
        if self.kind != kind::STREAM_1 {
            put.length(group.read.unwrap_or(format::READ_UNKNOWN));
        }
        put.length(group.pending_len() as u64);
    }

    /// A consumer without what is pending for it; false when there is none of this number.
    fn consumer(&self, stream: &Stream, index: usize, nth: usize, put: &mut Put) -> bool {
        let consumer = group_at(stream, index).and_then(|(_, group)| group.consumers().nth(nth));
        let Some((_, consumer)) = consumer else { return false };
        put.bytes(consumer.name());
        put.out.extend(consumer.seen_ms.to_le_bytes());
        if self.kind == kind::STREAM_3 {
            put.out.extend(consumer.active_ms.unwrap_or(-1).to_le_bytes());
        }
        put.length(consumer.pending() as u64);
        true
    }
}

fn group_at(stream: &Stream, index: usize) -> Option<(&[u8], &Group)> {
    stream.groups().iter().nth(index)
}

/// What is pending in a group from an id on; gives where to go on, and nothing at the end.
fn pending(group: &Group, id: Id, put: &mut Put, until: usize) -> Option<Id> {
    for entry in group.pending_from(id) {
        put.out.extend(entry.id.to_bytes());
        put.out.extend(entry.delivered_ms.to_le_bytes());
        put.length(entry.deliveries);
        if put.out.len() >= until {
            return entry.id.next();
        }
    }
    None
}

/// What is pending for a consumer from an id on; gives where to go on, and nothing at the end.
fn owned(stream: &Stream, index: usize, nth: usize, id: Id, put: &mut Put, until: usize) -> Option<Id> {
    let (_, group) = group_at(stream, index)?;
    let (owner, _) = group.consumers().nth(nth)?;
    for entry in group.pending_of(owner, id) {
        put.out.extend(entry.id.to_bytes());
        if put.out.len() >= until {
            return entry.id.next();
        }
    }
    None
}

fn put_id(id: Id, put: &mut Put) {
    put.length(id.ms);
    put.length(id.seq);
}
