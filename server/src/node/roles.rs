//! Becoming a master, becoming a replica, and saying which one we are.

use crate::command::Failure;
use crate::command::context::Expiry;
use crate::data::Now;
use crate::mutant::{Mutant, made};
use crate::resp::Args;
use crate::resp::number::parse_i64;

use super::feeds::plain_text;
use super::session::Session;
use super::{ConnId, Level, Node, Sink};

impl Node {
    /// `REPLICAOF host port`, `REPLICAOF NO ONE`.
    pub(super) fn replicaof(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        now: Now,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        if self.failing_over() {
            return Err(Failure::fixed("ERR REPLICAOF not allowed while failing over."));
        }
        if args.get(1).eq_ignore_ascii_case(b"no") && args.get(2).eq_ignore_ascii_case(b"one") {
            if self.link.is_some() {
                self.promote(now, sink);
                self.note(
                    sink,
                    Level::Notice,
                    format_args!("MASTER MODE enabled (user request from '{}')", who(session, now)),
                );
            }
            session.reply.ok();
            return Ok(());
        }
        let port = parse_i64(args.get(2)).and_then(|port| u16::try_from(port).ok());
        let port = port.ok_or(Failure::fixed("ERR Invalid master port"))?;
        let host = plain_text(args.get(1));
        let same =
            self.link.as_ref().filter(|link| link.port == port && link.host.eq_ignore_ascii_case(&host));
        if same.is_some_and(|link| link.held.is_none()) {
            // Being told again is consent, should this master have come back with less.
            if let Some(link) = self.link.as_mut().filter(|link| !link.up()) {
                link.told = true;
            }
            self.note(sink, Level::Notice, format_args!("REPLICAOF would result into synchronization with the master we are already connected with. No operation performed."));
            session.reply.simple("OK Already connected to specified master");
            return Ok(());
        }
        self.note(
            sink,
            Level::Notice,
            format_args!("REPLICAOF {host}:{port} enabled (user request from '{}')", who(session, now)),
        );
        self.remember_own_id();
        self.follow(host, port, now, sink);
        if let Some(link) = &mut self.link {
            link.told = true;
        }
        session.reply.ok();
        Ok(())
    }

    /// Becomes a master: a new id, the old one stays valid for what is shared; every replica comes back and learns it.
    pub(super) fn promote(&mut self, now: Now, sink: &mut dyn Sink) {
        let offset = self.stream.offset();
        let old = self.stream.history.id;
        self.drop_link(sink);
        self.config.replicaof.0 = None;
        if !made(Mutant::PromotionKeepsId) {
            self.stream.history.promoted(offset, &mut self.rng);
        }
        if !made(Mutant::SelectNotRepeated) {
            self.stream.forget_selected();
        }
        self.note(sink, Level::Notice, format_args!("Discarding previously cached master state."));
        self.note(
            sink,
            Level::Notice,
            format_args!(
                "Setting secondary replication ID to {old}, valid up to offset: {}. New replication ID is {}",
                offset + 1,
                self.stream.history.id
            ),
        );
        self.drop_feeds(sink);
        self.no_feeds_since_ms = Some(now.mono_ms());
        self.refresh_calm();
        self.refresh_expiry();
    }

    /// What changes when a server begins to follow another.
    pub(super) fn became_replica(&mut self, now: Now, sink: &mut dyn Sink) {
        self.refresh_calm();
        self.refresh_expiry();
        self.courier_called_back(now, sink);
        let blocked: Vec<ConnId> = self.sessions.iter().filter(|s| s.waits()).map(|s| s.conn).collect();
        for conn in blocked {
            let failure = Failure::fixed(
                "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
            );
            self.release(conn, Err(failure), sink);
            if let Some(session) = self.sessions.get_mut(conn) {
                session.closing = true;
                sink.close(conn, true);
            }
        }
    }

    /// How expired keys look to clients, after a change of role or of pauses.
    pub(super) fn refresh_expiry(&mut self) {
        let hides = self.link.is_some() && !made(Mutant::ReplicaExpires);
        self.expiry = if hides || self.pauses.any() { Expiry::Hide } else { Expiry::Delete };
    }

    /// `ROLE`.
    pub(super) fn role(&mut self, session: &mut Session, _now: Now) {
        let offset = i64::try_from(self.stream.offset()).unwrap_or(i64::MAX);
        let reply = &mut session.reply;
        match &self.link {
            None => {
                let feeds = self.feeds.iter().filter_map(|&conn| self.sessions.get(conn)?.feed());
                let online: Vec<_> = feeds.filter(|feed| feed.online()).collect();
                reply.array(3);
                reply.bulk(b"master");
                reply.int(offset);
                reply.array(online.len());
                for feed in online {
                    reply.array(3);
                    reply.bulk(feed.shown_ip().as_bytes());
                    reply.bulk(feed.intro.port.to_string().as_bytes());
                    reply.bulk(feed.acked.to_string().as_bytes());
                }
            }
            Some(link) => {
                reply.array(5);
                reply.bulk(b"slave");
                reply.bulk(link.host.as_bytes());
                reply.int(i64::from(link.port));
                reply.bulk(link.role_word().as_bytes());
                reply.int(if link.up() || self.stream.active() { offset } else { -1 });
            }
        }
    }
}

/// The client in log lines.
fn who(session: &Session, now: Now) -> String {
    format!(
        "id={} addr={} name={} age={}",
        session.id,
        session.peer.addr,
        session.name,
        now.mono_ms().saturating_sub(session.created_ms) / 1000
    )
}
