//! Keyspace notifications, and messages for a connection that is being served.
//!
//! An event is a message like any other, except that it is not propagated: each node tells its own listeners, a replica when
//! it applies what its master did.

use crate::command::effects::{Effects, Events};
use crate::data::Now;

use super::pubsub::Message;
use super::session::Session;
use super::{ConnId, Node, Sink};

/// A message for a connection that is being served, kept until its reply is written.
#[derive(Debug)]
pub(super) struct Late {
    conn: ConnId,
    pattern: Option<Vec<u8>>,
    shard: bool,
    channel: Vec<u8>,
    text: Vec<u8>,
}

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
            if let Some(session) = self.sessions.get_mut(late.conn) {
                late.write(session);
                self.offer(late.conn, now, sink);
                self.limit_output(late.conn, sink);
            }
        }
    }
}

impl Late {
    /// A message that was heard through `pattern`, or through its channel's name.
    pub(super) fn message(conn: ConnId, pattern: Option<Vec<u8>>, message: Message<'_>) -> Self {
        let (channel, text) = (message.channel.to_vec(), message.text.to_vec());
        Self { conn, pattern, shard: message.shard, channel, text }
    }

    fn write(&self, session: &mut Session) {
        let message = Message { shard: self.shard, channel: &self.channel, text: &self.text };
        message.write(&mut session.reply, self.pattern.as_deref());
    }
}
