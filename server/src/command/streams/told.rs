//! What replicas are told of consumer groups: requests that can be repeated without harm, whoever made the change.

use super::super::context::Context;
use super::super::effects::Events;
use crate::data::stream::{Group, Id, Pending};

/// What happened in one group, in order: a consumer came, entries got owners, it read on.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The consumer of the request is new.
    pub(super) created: bool,
    /// Entries that are pending for somebody, or were until it was seen that they are gone; and what the group had read by then.
    pub(super) claimed: Vec<(Pending, Id)>,
    /// Names of those whose entries are gone, in the order of `claimed` from which they stick out.
    pub(super) others: Vec<(usize, Box<[u8]>)>,
    /// How far the group has read, if that changed.
    pub(super) moved: Option<(Id, Option<u64>)>,
}

impl Told {
    /// An entry is pending for the consumer of the request.
    pub(super) fn claimed(&mut self, pending: Pending, group: &Group) {
        self.claimed.push((pending, group.last));
    }

    /// An entry was pending for somebody, and is forgotten because the stream has it no more: a replica that is told so
    /// forgets it as well.
    pub(super) fn gone(&mut self, pending: Pending, group: &Group) {
        self.others.push((self.claimed.len(), group.name_of(pending.owner).into()));
        self.claimed.push((pending, group.last));
    }

    /// Tells replicas and listeners.
    pub(super) fn tell(self, ctx: &mut Context<'_>, key: &[u8], group: &[u8], consumer: &[u8]) {
        let db = ctx.db;
        if self.created {
            ctx.notify(Events::STREAM, "xgroup-createconsumer", key);
            ctx.effects.instead(db, &[b"XGROUP", b"CREATECONSUMER", key, group, consumer]);
        }
        let mut others = self.others.iter().peekable();
        for (at, (pending, last)) in self.claimed.iter().enumerate() {
            let owner = match others.next_if(|(place, _)| *place == at) {
                Some((_, name)) => name,
                None => consumer,
            };
            let (mut time, mut count) = (itoa::Buffer::new(), itoa::Buffer::new());
            let time = time.format(pending.delivered_ms).as_bytes();
            let count = count.format(pending.deliveries.min(i64::MAX as u64)).as_bytes();
            pending.id.with_text(|id| {
                last.with_text(|last| {
                    let words: [&[u8]; 14] = [
                        b"XCLAIM",
                        key,
                        group,
                        owner,
                        b"0",
                        id,
                        b"TIME",
                        time,
                        b"RETRYCOUNT",
                        count,
                        b"FORCE",
                        b"JUSTID",
                        b"LASTID",
                        last,
                    ];
                    ctx.effects.instead(db, &words);
                });
            });
        }
        if let Some((last, read)) = self.moved {
            let mut number = itoa::Buffer::new();
            let read = read.map_or("-1", |read| number.format(read)).as_bytes();
            last.with_text(|last| {
                let words: [&[u8]; 7] = [b"XGROUP", b"SETID", key, group, last, b"ENTRIESREAD", read];
                ctx.effects.instead(db, &words);
            });
        }
    }
}
