//! Channels, patterns and shard channels: who hears what, messages, introspection.
//!
//! A shard channel is a channel of its own kind: patterns do not match it, and it is counted apart. Without a cluster that is
//! all the difference there is.

use std::collections::{BTreeMap, BTreeSet};

use crate::command::{Control, Failure, error};
use crate::data::{Now, glob};
use crate::resp::{Args, Reply};

use super::events::{Late, What};
use super::session::Session;
use super::{ConnId, Node, Sink};

/// What a subscription names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// One channel.
    Channel,
    /// Every channel that a pattern matches.
    Pattern,
    /// One shard channel.
    Shard,
}

impl Reach {
    /// The commands' words: to begin and to end.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Channel => ("subscribe", "unsubscribe"),
            Self::Pattern => ("psubscribe", "punsubscribe"),
            Self::Shard => ("ssubscribe", "sunsubscribe"),
        }
    }
}

type Listeners = BTreeMap<Vec<u8>, BTreeSet<ConnId>>;

/// Who listens.
#[derive(Debug, Default)]
pub(super) struct PubSub {
    channels: Listeners,
    patterns: Listeners,
    shards: Listeners,
}

impl PubSub {
    pub(super) fn channel_count(&self) -> usize {
        self.channels.len()
    }

    pub(super) fn pattern_count(&self) -> usize {
        self.patterns.len()
    }

    pub(super) fn shard_count(&self) -> usize {
        self.shards.len()
    }

    fn of(&mut self, reach: Reach) -> &mut Listeners {
        match reach {
            Reach::Channel => &mut self.channels,
            Reach::Pattern => &mut self.patterns,
            Reach::Shard => &mut self.shards,
        }
    }

    fn leave(&mut self, reach: Reach, name: &[u8], conn: ConnId) {
        let table = self.of(reach);
        if let Some(listeners) = table.get_mut(name) {
            listeners.remove(&conn);
            if listeners.is_empty() {
                table.remove(name);
            }
        }
    }
}

/// A message on its way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message<'a> {
    pub(super) shard: bool,
    pub(super) channel: &'a [u8],
    pub(super) text: &'a [u8],
}

impl Message<'_> {
    /// Writes it as a listener gets it; `pattern` is the one that it matches.
    pub(super) fn write(self, reply: &mut Reply, pattern: Option<&[u8]>) {
        match pattern {
            None => {
                reply.push(3);
                reply.bulk(if self.shard { b"smessage" } else { b"message" });
            }
            Some(pattern) => {
                reply.push(4);
                reply.bulk(b"pmessage");
                reply.bulk(pattern);
            }
        }
        reply.bulk(self.channel);
        reply.bulk(self.text);
    }
}

fn confirm(session: &mut Session, reach: Reach, word: &str, name: Option<&[u8]>) {
    let count = session.subscription_count(reach == Reach::Shard);
    let reply = &mut session.reply;
    reply.push(3);
    reply.bulk(word.as_bytes());
    match name {
        Some(name) => reply.bulk(name),
        None => reply.null(),
    }
    reply.count(count);
}

impl Node {
    /// `SUBSCRIBE`, `PSUBSCRIBE`, `SSUBSCRIBE`.
    pub(super) fn subscribe(&mut self, session: &mut Session, reach: Reach, args: Args<'_>) {
        for name in args.iter_from(1) {
            session.subscriptions.get_or_insert_default().of(reach).insert(name.to_vec());
            self.pubsub.of(reach).entry(name.to_vec()).or_default().insert(session.conn);
            confirm(session, reach, reach.words().0, Some(name));
        }
    }

    /// `UNSUBSCRIBE`, `PUNSUBSCRIBE`, `SUNSUBSCRIBE`: from what is named, or from everything.
    pub(super) fn unsubscribe(&mut self, session: &mut Session, reach: Reach, args: Args<'_>) {
        let word = reach.words().1;
        let mut names: Vec<Vec<u8>> = args.iter_from(1).map(<[u8]>::to_vec).collect();
        if names.is_empty() {
            names.extend(session.subscriptions.iter_mut().flat_map(|all| all.of(reach).iter().cloned()));
        }
        if names.is_empty() {
            confirm(session, reach, word, None);
        }
        for name in names {
            if let Some(subscriptions) = &mut session.subscriptions {
                subscriptions.of(reach).remove(&name);
            }
            self.pubsub.leave(reach, &name, session.conn);
            confirm(session, reach, word, Some(&name));
        }
        if !session.subscribed() {
            session.subscriptions = None;
        }
    }

    /// The connection goes, or was reset.
    pub(super) fn forget_subscriptions(&mut self, session: &mut Session) {
        if let Some(mut subscriptions) = session.subscriptions.take() {
            for reach in [Reach::Channel, Reach::Pattern, Reach::Shard] {
                for name in std::mem::take(subscriptions.of(reach)) {
                    self.pubsub.leave(reach, &name, session.conn);
                }
            }
        }
    }

    /// `PUBLISH` and `SPUBLISH`: delivered here, and on a master put into the stream. A replica delivers to its own listeners
    /// only.
    pub(super) fn publish(
        &mut self,
        session: &mut Session,
        control: Control,
        args: Args<'_>,
        now: Now,
        sink: &mut dyn Sink,
    ) {
        let shard = control == Control::SPublish;
        let (channel, text) = (args.get(1), args.get(2));
        let heard = self.deliver(Message { shard, channel, text }, now, sink);
        let verb: &[u8] = if shard { b"SPUBLISH" } else { b"PUBLISH" };
        self.propagate_plain(session, session.db, &[verb, channel, text]);
        session.reply.count(heard);
    }

    /// Writes a message to everybody who listens; gives how many that were. Who is being served is not in the table of
    /// connections: its copy waits until its reply is written.
    pub(super) fn deliver(&mut self, message: Message<'_>, now: Now, sink: &mut dyn Sink) -> usize {
        let mut targets: Vec<(ConnId, Option<Vec<u8>>)> = Vec::new();
        let table = if message.shard { &self.pubsub.shards } else { &self.pubsub.channels };
        if let Some(listeners) = table.get(message.channel) {
            targets.extend(listeners.iter().map(|&conn| (conn, None)));
        }
        for (pattern, listeners) in self.pubsub.patterns.iter().filter(|_| !message.shard) {
            if glob::matches(pattern, message.channel, false) {
                targets.extend(listeners.iter().map(|&conn| (conn, Some(pattern.clone()))));
            }
        }
        let heard = targets.len();
        for (conn, pattern) in targets {
            if let Some(listener) = self.sessions.get_mut(conn) {
                message.write(&mut listener.reply, pattern.as_deref());
                self.offer(conn, now, sink);
                self.limit_output(conn, sink);
            } else {
                let (channel, text) = (message.channel.to_vec(), message.text.to_vec());
                let what = What::Message { pattern, shard: message.shard, channel, text };
                self.late.push(Late { conn, what });
            }
        }
        heard
    }

    /// `PUBSUB CHANNELS [pattern]`, `PUBSUB SHARDCHANNELS [pattern]`.
    pub(super) fn pubsub_channels(
        &self,
        session: &mut Session,
        shard: bool,
        args: Args<'_>,
    ) -> Result<(), Failure> {
        if args.len() > 3 {
            return Err(error::unknown_or_wrong(args.get(1), "pubsub"));
        }
        let pattern = (args.len() > 2).then(|| args.get(2));
        let table = if shard { &self.pubsub.shards } else { &self.pubsub.channels };
        let names: Vec<&Vec<u8>> = table
            .keys()
            .filter(|name| pattern.is_none_or(|pattern| glob::matches(pattern, name, false)))
            .collect();
        session.reply.array(names.len());
        for name in names {
            session.reply.bulk(name);
        }
        Ok(())
    }

    /// `PUBSUB NUMSUB [channel ...]`, `PUBSUB SHARDNUMSUB [channel ...]`.
    pub(super) fn pubsub_numsub(&self, session: &mut Session, shard: bool, args: Args<'_>) {
        let table = if shard { &self.pubsub.shards } else { &self.pubsub.channels };
        session.reply.map(args.len() - 2);
        for name in args.iter_from(2) {
            session.reply.bulk(name);
            session.reply.count(table.get(name).map_or(0, BTreeSet::len));
        }
    }

    pub(super) fn pubsub_numpat(&self, session: &mut Session) {
        session.reply.count(self.pubsub.patterns.len());
    }
}
