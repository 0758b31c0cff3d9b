//! Streams from the items of a file: nodes, what is known of the log, then group by group what is pending and to whom.

use super::Scratch;
use crate::data::stream::{Group, Groups, Id, Loading, Log, Node, Owner, Stream};
use crate::persist::format::{self, kind};
use crate::persist::read::{Cursor, Stop, Text, Why};

/// A stream in the making.
#[derive(Debug)]
pub(super) struct StreamBuilder {
    kind: u8,
    log: Log,
    groups: Groups,
    /// Groups to come, the one being read included.
    groups_left: u64,
    /// The one being read.
    group: Option<(Vec<u8>, Loading)>,
    next: Next,
}

/// The item that comes next, and how many of its kind.
#[derive(Debug, Clone, Copy)]
enum Next {
    NodeCount,
    Node(u64),
    Facts,
    Group,
    Pending(u64),
    ConsumerCount,
    Consumer(u64),
    /// Entries of one consumer; and consumers to come.
    Owned(u64, Owner, u64),
    End,
}

impl StreamBuilder {
    /// One for a stream of this type.
    pub(super) fn new(kind: u8) -> Self {
        Self {
            kind,
            log: Log::default(),
            groups: Groups::default(),
            groups_left: 0,
            group: None,
            next: Next::NodeCount,
        }
    }

    /// Reads one item; gives the stream with the last.
    pub(super) fn next(
        &mut self,
        cursor: &mut Cursor<'_>,
        scratch: &mut Scratch,
    ) -> Result<Option<Stream>, Stop> {
        self.next = match self.next {
            Next::NodeCount => nodes(cursor.length()?),
            Next::Node(left) => {
                self.node(cursor, scratch)?;
                nodes(left - 1)
            }
            Next::Facts => {
                self.facts(cursor)?;
                self.group_or_end()
            }
            Next::Group => pendings(self.group(cursor, scratch)?),
            Next::Pending(left) => {
                let id = Id::from_bytes(cursor.array()?);
                let delivered_ms = i64::from_le_bytes(cursor.array()?);
                let deliveries = cursor.length()?;
                self.loading()?.pending(id, delivered_ms, deliveries)?;
                pendings(left - 1)
            }
            Next::ConsumerCount => {
                let left = cursor.length()?;
                self.consumers(left)?
            }
            Next::Consumer(left) => {
                let (owner, entries) = self.consumer(cursor, scratch)?;
                self.owned(entries, owner, left - 1)?
            }
            Next::Owned(left, owner, consumers) => {
                let id = Id::from_bytes(cursor.array()?);
                self.loading()?.own(owner, id)?;
                self.owned(left - 1, owner, consumers)?
            }
            Next::End => Next::End,
        };
        let whole = matches!(self.next, Next::End);
        Ok(whole.then(|| Stream::new(std::mem::take(&mut self.log), std::mem::take(&mut self.groups))))
    }

    fn node(&mut self, cursor: &mut Cursor<'_>, scratch: &mut Scratch) -> Result<(), Stop> {
        let (key, bytes) = (cursor.text()?, cursor.text()?);
        let Scratch { key: first, value: second } = scratch;
        let Ok(key) = <[u8; 16]>::try_from(key.bytes(first)?) else {
            return Err(Why::Breach("the key of a node of a stream is no id").into());
        };
        let node = Node::verify(Id::from_bytes(key), bytes.bytes(second)?.to_vec())?;
        Ok(self.log.push_node(node)?)
    }

    /// What is known of the log as a whole, and how many groups there are.
    fn facts(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Stop> {
        let (len, last) = (cursor.length()?, id(cursor)?);
        let (mut max_deleted, mut added) = (None, None);
        if self.kind != kind::STREAM_1 {
            // The first id follows from the nodes.
            id(cursor)?;
            max_deleted = Some(id(cursor)?);
            added = Some(cursor.length()?);
        }
        let groups = cursor.length()?;
        self.log.finish(len, last, added, max_deleted)?;
        self.groups_left = groups;
        Ok(())
    }

    /// A group before what is pending in it; gives how many entries that are.
    fn group(&mut self, cursor: &mut Cursor<'_>, scratch: &mut Scratch) -> Result<u64, Stop> {
        let (name, last) = (cursor.text()?, id(cursor)?);
        let read = match self.kind {
            kind::STREAM_1 => self.log.distance(last),
            _ => Some(cursor.length()?).filter(|&read| read != format::READ_UNKNOWN),
        };
        let pending = cursor.length()?;
        self.group = Some((name.bytes(&mut scratch.key)?.to_vec(), Loading::new(last, read)));
        Ok(pending)
    }

    /// A consumer before what is pending for it; gives how many entries that are.
    fn consumer(&mut self, cursor: &mut Cursor<'_>, scratch: &mut Scratch) -> Result<(Owner, u64), Stop> {
        let name: Text<'_> = cursor.text()?;
        let seen_ms = i64::from_le_bytes(cursor.array()?);
        let active_ms = match self.kind {
            kind::STREAM_3 => Some(i64::from_le_bytes(cursor.array()?)).filter(|&ms| ms >= 0),
            _ => Some(seen_ms),
        };
        let entries = cursor.length()?;
        let owner = self.loading()?.consumer(name.bytes(&mut scratch.key)?, seen_ms, active_ms)?;
        Ok((owner, entries))
    }

    fn loading(&mut self) -> Result<&mut Loading, Stop> {
        let group = self.group.as_mut().map(|(_, group)| group);
        group.ok_or(Stop::Wrong(Why::Breach("a stream has entries of no group")))
    }

    /// What comes when so many entries of a consumer and so many consumers are left.
    fn owned(&mut self, left: u64, owner: Owner, consumers: u64) -> Result<Next, Stop> {
        if left > 0 { Ok(Next::Owned(left, owner, consumers)) } else { self.consumers(consumers) }
    }

    /// What comes when so many consumers of a group are left.
    fn consumers(&mut self, left: u64) -> Result<Next, Stop> {
        if left > 0 {
            return Ok(Next::Consumer(left));
        }
        if let Some((name, group)) = self.group.take() {
            let group: Group = group.finish()?;
            if !self.groups.add(&name, group) {
                return Err(Why::Breach("a stream has two groups of one name").into());
            }
            self.groups_left = self.groups_left.saturating_sub(1);
        }
        Ok(self.group_or_end())
    }

    fn group_or_end(&self) -> Next {
        if self.groups_left > 0 { Next::Group } else { Next::End }
    }
}

/// What comes when so many nodes are left.
fn nodes(left: u64) -> Next {
    if left > 0 { Next::Node(left) } else { Next::Facts }
}

/// What comes when so many pending entries of a group are left.
fn pendings(left: u64) -> Next {
    if left > 0 { Next::Pending(left) } else { Next::ConsumerCount }
}

fn id(cursor: &mut Cursor<'_>) -> Result<Id, Stop> {
    Ok(Id { ms: cursor.length()?, seq: cursor.length()? })
}
