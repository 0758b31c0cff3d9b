//! Channels and patterns: who hears what, messages, introspection, and MONITOR beside them, as it too writes to
//! other connections in the middle of a command.

use std::collections::{BTreeMap, BTreeSet};

use crate::command::{Failure, error};
use crate::data::{Now, glob};
use crate::resp::{Args, Reply};

use super::events::Late;
use super::session::Session;
use super::{ConnId, Node, Sink};

/// Who listens.
#[derive(Debug, Default)]
pub(super) struct PubSub {
    channels: BTreeMap<Vec<u8>, BTreeSet<ConnId>>,
    patterns: BTreeMap<Vec<u8>, BTreeSet<ConnId>>,
}

impl PubSub {
    pub(super) fn channel_count(&self) -> usize {
        self.channels.len()
    }

    pub(super) fn pattern_count(&self) -> usize {
        self.patterns.len()
    }
}

fn leave(table: &mut BTreeMap<Vec<u8>, BTreeSet<ConnId>>, name: &[u8], conn: ConnId) {
    if let Some(listeners) = table.get_mut(name) {
        listeners.remove(&conn);
        if listeners.is_empty() {
            table.remove(name);
        }
    }
}

fn confirm(session: &mut Session, word: &str, name: Option<&[u8]>) {
    let count = session.subscription_count();
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
    pub(super) fn subscribe(&mut self, session: &mut Session, args: Args<'_>) {
        for name in args.iter_from(1) {
            session.subscriptions.get_or_insert_default().channels.insert(name.to_vec());
            self.pubsub.channels.entry(name.to_vec()).or_default().insert(session.conn);
            confirm(session, "subscribe", Some(name));
        }
    }

    pub(super) fn psubscribe(&mut self, session: &mut Session, args: Args<'_>) {
        for name in args.iter_from(1) {
            session.subscriptions.get_or_insert_default().patterns.insert(name.to_vec());
            self.pubsub.patterns.entry(name.to_vec()).or_default().insert(session.conn);
            confirm(session, "psubscribe", Some(name));
        }
    }

    pub(super) fn unsubscribe(&mut self, session: &mut Session, args: Args<'_>) {
        let mut names: Vec<Vec<u8>> = args.iter_from(1).map(<[u8]>::to_vec).collect();
        if names.is_empty() {
            names.extend(session.subscriptions.iter().flat_map(|s| s.channels.iter().cloned()));
        }
        if names.is_empty() {
            confirm(session, "unsubscribe", None);
        }
        for name in names {
            if let Some(subscriptions) = &mut session.subscriptions {
                subscriptions.channels.remove(&name);
            }
            leave(&mut self.pubsub.channels, &name, session.conn);
            confirm(session, "unsubscribe", Some(&name));
        }
        drop_if_empty(session);
    }

    pub(super) fn punsubscribe(&mut self, session: &mut Session, args: Args<'_>) {
        let mut names: Vec<Vec<u8>> = args.iter_from(1).map(<[u8]>::to_vec).collect();
        if names.is_empty() {
            names.extend(session.subscriptions.iter().flat_map(|s| s.patterns.iter().cloned()));
        }
        if names.is_empty() {
            confirm(session, "punsubscribe", None);
        }
        for name in names {
            if let Some(subscriptions) = &mut session.subscriptions {
                subscriptions.patterns.remove(&name);
            }
            leave(&mut self.pubsub.patterns, &name, session.conn);
            confirm(session, "punsubscribe", Some(&name));
        }
        drop_if_empty(session);
    }

    /// The connection goes, or was reset.
    pub(super) fn forget_subscriptions(&mut self, session: &mut Session) {
        if let Some(subscriptions) = session.subscriptions.take() {
            for name in &subscriptions.channels {
                leave(&mut self.pubsub.channels, name, session.conn);
            }
            for name in &subscriptions.patterns {
                leave(&mut self.pubsub.patterns, name, session.conn);
            }
        }
    }

    /// `PUBLISH`: delivered here, and on a master put into the stream. A replica delivers to its own listeners only.
    pub(super) fn publish(&mut self, session: &mut Session, args: Args<'_>, now: Now, sink: &mut dyn Sink) {
        let (channel, message) = (args.get(1), args.get(2));
        let heard = self.deliver(channel, message, now, sink);
        self.propagate_plain(session, session.db, &[b"PUBLISH", channel, message]);
        session.reply.count(heard);
    }

    /// Writes a message to everybody who listens; gives how many that were. Who is being served is not in the table of
    /// connections: its copy waits until its reply is written.
    pub(super) fn deliver(&mut self, channel: &[u8], message: &[u8], now: Now, sink: &mut dyn Sink) -> usize {
        let mut targets: Vec<(ConnId, Option<Vec<u8>>)> = Vec::new();
        if let Some(listeners) = self.pubsub.channels.get(channel) {
            targets.extend(listeners.iter().map(|&conn| (conn, None)));
        }
        for (pattern, listeners) in &self.pubsub.patterns {
            if glob::matches(pattern, channel, false) {
                targets.extend(listeners.iter().map(|&conn| (conn, Some(pattern.clone()))));
            }
        }
        let heard = targets.len();
        for (conn, pattern) in targets {
            if let Some(listener) = self.sessions.get_mut(conn) {
                write_message(&mut listener.reply, pattern.as_deref(), channel, message);
                self.offer(conn, now, sink);
                self.limit_output(conn, sink);
            } else {
                self.late.push(Late { conn, pattern, channel: channel.to_vec(), message: message.to_vec() });
            }
        }
        heard
    }

    pub(super) fn pubsub_channels(&self, session: &mut Session, args: Args<'_>) -> Result<(), Failure> {
        if args.len() > 3 {
            return Err(error::unknown_or_wrong(args.get(1), "pubsub"));
        }
        let pattern = (args.len() > 2).then(|| args.get(2));
        let names: Vec<&Vec<u8>> = self
            .pubsub
            .channels
            .keys()
            .filter(|name| pattern.is_none_or(|pattern| glob::matches(pattern, name, false)))
            .collect();
        session.reply.array(names.len());
        for name in names {
            session.reply.bulk(name);
        }
        Ok(())
    }

    pub(super) fn pubsub_numsub(&self, session: &mut Session, args: Args<'_>) {
        session.reply.map(args.len() - 2);
        for name in args.iter_from(2) {
            session.reply.bulk(name);
            session.reply.count(self.pubsub.channels.get(name).map_or(0, BTreeSet::len));
        }
    }

    pub(super) fn pubsub_numpat(&self, session: &mut Session) {
        session.reply.count(self.pubsub.patterns.len());
    }

    pub(super) fn monitor(&mut self, session: &mut Session) -> Result<(), Failure> {
        if !std::mem::replace(&mut session.monitor, true) {
            self.monitors.push(session.conn);
        }
        session.reply.ok();
        Ok(())
    }

    /// Shows a command to everybody who monitors. Passwords are not shown: their commands carry a flag.
    pub(super) fn show_monitors(&mut self, session: &Session, args: Args<'_>, now: Now, sink: &mut dyn Sink) {
        let mut line = format!(
            "+{}.{:06} [{} {}]",
            now.wall_ms / 1000,
            now.wall_ms % 1000 * 1000,
            session.db,
            if matches!(session.kind, super::session::Kind::Upstream) {
                "master"
            } else {
                &session.peer.addr
            }
        );
        for arg in args.iter_from(0) {
            line.push_str(" \"");
            for &byte in arg {
                match byte {
                    b'"' | b'\\' => line.extend(['\\', byte as char]),
                    b'\n' => line.push_str("\\n"),
                    b'\r' => line.push_str("\\r"),
                    b'\t' => line.push_str("\\t"),
                    7 => line.push_str("\\a"),
                    8 => line.push_str("\\b"),
                    b' '..=b'~' => line.push(byte as char),
                    _ => line.push_str(&format!("\\x{byte:02x}")),
                }
            }
            line.push('"');
        }
        line.push_str("\r\n");
        for index in 0..self.monitors.len() {
            if let Some(&conn) = self.monitors.get(index)
                && let Some(monitor) = self.sessions.get_mut(conn)
            {
                monitor.reply.raw(line.as_bytes());
                self.offer(conn, now, sink);
                self.limit_output(conn, sink);
            }
        }
    }
}

fn drop_if_empty(session: &mut Session) {
    if !session.subscribed() {
        session.subscriptions = None;
    }
}

/// Writes a message as a listener gets it; `pattern` is the one that it matches.
pub(super) fn write_message(reply: &mut Reply, pattern: Option<&[u8]>, channel: &[u8], message: &[u8]) {
    match pattern {
        None => {
            reply.push(3);
            reply.bulk(b"message");
        }
        Some(pattern) => {
            reply.push(4);
            reply.bulk(b"pmessage");
            reply.bulk(pattern);
        }
    }
    reply.bulk(channel);
    reply.bulk(message);
}
