//! Keyspace notifications, and everything else that a connection is told unasked.
//!
//! An event is a message like any other, except that it is not propagated: each node tells its own listeners, a replica when
//! it applies what its master did.

use std::sync::Arc;

use crate::command::effects::{Effects, Events};
use crate::data::Now;
use crate::resp::Reply;

use super::pubsub::Message;
use super::session::Session;
use super::{ConnId, Node, Sink};

/// Something for a connection beside its replies. While it is being served this is kept until its reply is written.
#[derive(Debug)]
pub(super) struct Late {
    pub(super) conn: ConnId,
    pub(super) what: What,
}

/// What a connection is told unasked.
#[derive(Debug)]
pub(super) enum What {
    /// A message that was heard through a pattern, or through its channel's name.
    Message { pattern: Option<Vec<u8>>, shard: bool, channel: Vec<u8>, text: Vec<u8> },
    /// Keys that it read, or the one it speaks for, have changed; `None` is all of them.
    Invalid { keys: Option<Arc<Vec<Box<[u8]>>>>, redirected: bool },
    /// The client of this id, which was to be told of changed keys, is gone.
    RedirectBroken(u64),
}

/// The channel on which RESP2 clients hear of changed keys.
const INVALIDATE: &[u8] = b"__redis__:invalidate";

impl Node {
    /// Tells whoever listens what the last command did to keys.
    #[cold]
    pub(super) fn publish_events(&mut self, now: Now, sink: &mut dyn Sink) {
        let mut effects = std::mem::take(&mut self.effects);
        self.publish_events_of(&mut effects, now, sink);
        self.effects = effects;
    }

    /// Tells whoever listens of these events; `effects` has none afterwards.
    pub(super) fn publish_events_of(&mut self, effects: &mut Effects, now: Now, sink: &mut dyn Sink) {
        if self.settings.notify.meets(Events::NEW) {
            for (db, key) in self.keyspace.take_created() {
                effects.event(Events::NEW, "new", db, &key);
            }
        }
        let mut channel = Vec::new();
        for (event, key) in effects.events() {
            let mut number = itoa::Buffer::new();
            let db = number.format(event.db).as_bytes();
            if self.settings.notify.meets(Events::KEYSPACE) {
                channel.clear();
                for piece in [b"__keyspace@", db, b"__:", key] {
                    channel.extend_from_slice(piece);
                }
                let text = event.name.as_bytes();
                self.deliver(Message { shard: false, channel: &channel, text }, now, sink);
            }
            if self.settings.notify.meets(Events::KEYEVENT) {
                channel.clear();
                for piece in [b"__keyevent@", db, b"__:", event.name.as_bytes()] {
                    channel.extend_from_slice(piece);
                }
                self.deliver(Message { shard: false, channel: &channel, text: key }, now, sink);
            }
        }
        effects.forget_events();
    }

    /// Writes what was kept for a connection behind the reply it got.
    #[cold]
    pub(super) fn flush_late(&mut self, session: &mut Session) {
        let mut others = Vec::new();
        for late in std::mem::take(&mut self.late) {
            if late.conn == session.conn {
                late.write(session);
            } else {
                others.push(late);
            }
        }
        self.late = others;
    }

    /// Writes what was kept for connections that are not being served any more.
    pub(super) fn flush_all_late(&mut self, now: Now, sink: &mut dyn Sink) {
        for late in std::mem::take(&mut self.late) {
            if self.sessions.get(late.conn).is_some() {
                self.push(late, now, sink);
            }
        }
    }

    /// Writes to a connection beside its replies, or keeps it until it can be.
    pub(super) fn push(&mut self, late: Late, now: Now, sink: &mut dyn Sink) {
        match self.sessions.get_mut(late.conn) {
            None => self.late.push(late),
            Some(session) => {
                late.write(session);
                if session.unsent() > 0 {
                    self.offer(late.conn, now, sink);
                    self.limit_output(late.conn, sink);
                }
            }
        }
    }
}

impl Late {
    fn write(&self, session: &mut Session) {
        let subscribed = session.subscribed();
        let reply = &mut session.reply;
        match &self.what {
            What::Message { pattern, shard, channel, text } => {
                Message { shard: *shard, channel, text }.write(reply, pattern.as_deref());
            }
            What::Invalid { keys, .. } if reply.resp3() => {
                reply.push(2);
                reply.bulk(b"invalidate");
                write_keys(reply, keys.as_deref());
            }
            // RESP2 has no pushes: only who listens to nothing but messages can be told.
            What::Invalid { keys, redirected: true } if subscribed => {
                reply.push(3);
                reply.bulk(b"message");
                reply.bulk(INVALIDATE);
                write_keys(reply, keys.as_deref());
            }
            What::Invalid { .. } => {}
            What::RedirectBroken(id) if reply.resp3() => {
                reply.push(2);
                reply.bulk(b"tracking-redir-broken");
                reply.int(i64::try_from(*id).unwrap_or(i64::MAX));
            }
            What::RedirectBroken(_) => {}
        }
    }
}

fn write_keys(reply: &mut Reply, keys: Option<&Vec<Box<[u8]>>>) {
    match keys {
        None => reply.null(),
        Some(keys) => {
            reply.array(keys.len());
            for key in keys {
                reply.bulk(key);
            }
        }
    }
}
