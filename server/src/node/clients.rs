//! Other people's connections: list, kill, pause, unblock, and what happens when one goes.

use std::fmt::Write as _;

use crate::command::{Failure, error};
use crate::data::Now;
use crate::resp::Args;
use crate::resp::number::{parse_i64, parse_u64};

use super::config::OutputLimit;
use super::pauses::Scope;
use super::session::{Hold, Kind, Session};
use super::tracking::Tracked;
use super::{ConnId, Level, Node, Sink};

/// `TYPE` in CLIENT LIST and CLIENT KILL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Normal,
    Master,
    Replica,
    PubSub,
}

impl Type {
    fn parse(word: &[u8]) -> Result<Self, Failure> {
        match word.to_ascii_lowercase().as_slice() {
            b"normal" => Ok(Self::Normal),
            b"master" | b"primary" => Ok(Self::Master),
            b"replica" | b"slave" => Ok(Self::Replica),
            b"pubsub" => Ok(Self::PubSub),
            _ => {
                let shown = String::from_utf8_lossy(word).into_owned();
                Err(Failure::worded(format!("ERR Unknown client type '{shown}'")))
            }
        }
    }

    fn of(session: &Session) -> Self {
        match session.kind {
            Kind::Upstream | Kind::Courier => Self::Master,
            // MONITOR clients count as replicas in name only; Redis lists them as normal ones.
            Kind::Replica(_) => Self::Replica,
            Kind::Client if session.subscribed() => Self::PubSub,
            Kind::Client => Self::Normal,
        }
    }
}

/// What CLIENT KILL is to match.
#[derive(Debug, Default)]
struct Filter {
    id: Option<u64>,
    addr: Option<String>,
    laddr: Option<String>,
    kind: Option<Type>,
    user: Option<Vec<u8>>,
    max_age_s: Option<u64>,
    skip_me: bool,
}

impl Filter {
    /// Reads `ID n`, `TYPE t`, `ADDR a`, `LADDR a`, `USER u`, `SKIPME yes|no`, `MAXAGE s`.
    fn parse(args: Args<'_>) -> Result<Self, Failure> {
        let mut filter = Self { skip_me: true, ..Self::default() };
        let mut at = 2;
        while at < args.len() {
            let value = args.get(at + 1);
            if at + 1 >= args.len() {
                return Err(error::SYNTAX);
            }
            let text = || String::from_utf8_lossy(value).into_owned();
            match args.get(at).to_ascii_lowercase().as_slice() {
                b"id" => {
                    let id = parse_u64(value).filter(|&id| id > 0);
                    filter.id = Some(id.ok_or(Failure::fixed("ERR client-id should be greater than 0"))?);
                }
                b"type" => filter.kind = Some(Type::parse(value)?),
                b"addr" => filter.addr = Some(text()),
                b"laddr" => filter.laddr = Some(text()),
                b"user" if value == b"default" => filter.user = Some(value.to_vec()),
                b"user" => return Err(Failure::worded(format!("ERR No such user '{}'", text()))),
                b"maxage" => filter.max_age_s = Some(parse_u64(value).ok_or(error::NOT_AN_INTEGER)?),
                b"skipme" => match value.to_ascii_lowercase().as_slice() {
                    b"yes" => filter.skip_me = true,
                    b"no" => filter.skip_me = false,
                    _ => return Err(error::SYNTAX),
                },
                _ => return Err(error::SYNTAX),
            }
            at += 2;
        }
        Ok(filter)
    }

    fn matches(&self, session: &Session, now: Now) -> bool {
        let age_s = now.mono_ms().saturating_sub(session.created_ms) / 1000;
        self.id.is_none_or(|id| id == session.id)
            && self.addr.as_ref().is_none_or(|addr| *addr == session.peer.addr)
            && self.laddr.as_ref().is_none_or(|laddr| *laddr == session.peer.laddr)
            && self.kind.is_none_or(|kind| kind == Type::of(session))
            && self.max_age_s.is_none_or(|least| age_s >= least)
    }
}

impl Node {
    pub(super) fn client_list(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        now: Now,
    ) -> Result<(), Failure> {
        let word = args.get(2).to_ascii_lowercase();
        let mut ids = Vec::new();
        let mut kind = None;
        match (word.as_slice(), args.len()) {
            (_, 2) => {}
            (b"type", 4) => kind = Some(Type::parse(args.get(3))?),
            (b"id", 4..) => {
                for id in args.iter_from(3) {
                    ids.push(parse_u64(id).ok_or(Failure::fixed("ERR Invalid client ID"))?);
                }
            }
            _ => return Err(error::SYNTAX),
        }
        let wanted = |session: &Session| {
            kind.is_none_or(|kind| kind == Type::of(session)) && (ids.is_empty() || ids.contains(&session.id))
        };
        let mut lines: Vec<(u64, String)> =
            self.sessions.iter().filter(|s| wanted(s)).map(|s| (s.id, self.describe(s, 0, now))).collect();
        if wanted(session) {
            lines.push((session.id, self.describe(session, args.raw().len(), now)));
        }
        lines.sort_unstable();
        let text: String = lines.into_iter().map(|(_, line)| line).collect();
        session.reply.verbatim("txt", text.as_bytes());
        Ok(())
    }

    pub(super) fn client_info(&mut self, session: &mut Session, args: Args<'_>, now: Now) {
        let line = self.describe(session, args.raw().len(), now);
        session.reply.verbatim("txt", line.as_bytes());
    }

    pub(super) fn client_kill(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        now: Now,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        let by_address = args.len() == 3;
        let filter = if by_address {
            Filter { addr: Some(String::from_utf8_lossy(args.get(2)).into_owned()), ..Filter::default() }
        } else {
            Filter::parse(args)?
        };
        let victims: Vec<ConnId> =
            self.sessions.iter().filter(|s| filter.matches(s, now)).map(|s| s.conn).collect();
        let mut killed = victims.len();
        for conn in victims {
            self.kill(conn, sink);
        }
        if filter.matches(session, now) && !filter.skip_me {
            killed += 1;
            session.closing = true;
            sink.close(session.conn, true);
        }
        match (by_address, killed) {
            (true, 0) => return Err(Failure::fixed("ERR No such client")),
            (true, _) => session.reply.ok(),
            (false, n) => session.reply.count(n),
        }
        Ok(())
    }

    /// Closes a connection at once; nothing it sent is served any more.
    pub(super) fn kill(&mut self, conn: ConnId, sink: &mut dyn Sink) {
        if let Some(session) = self.sessions.get_mut(conn) {
            session.closing = true;
            sink.close(conn, false);
            self.sessions.weigh(conn);
        }
    }

    /// `CLIENT PAUSE ms [WRITE | ALL]`.
    pub(super) fn client_pause(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        now: Now,
    ) -> Result<(), Failure> {
        let millis =
            parse_i64(args.get(2)).ok_or(Failure::fixed("ERR timeout is not an integer or out of range"))?;
        let millis = u64::try_from(millis).map_err(|_| Failure::fixed("ERR timeout is negative"))?;
        let scope = match args.get(3).to_ascii_lowercase().as_slice() {
            b"write" => Scope::Writes,
            b"all" => Scope::All,
            b"" if args.len() == 3 => Scope::All,
            _ => return Err(Failure::fixed("ERR CLIENT PAUSE mode must be WRITE or ALL")),
        };
        self.pauses.client(now.mono_ms().saturating_add(millis), scope, now.mono_ms());
        self.refresh_expiry();
        session.reply.ok();
        Ok(())
    }

    pub(super) fn client_unpause(&mut self, session: &mut Session, now: Now, sink: &mut dyn Sink) {
        self.pauses.unpause();
        self.resume_paused(now, sink);
        session.reply.ok();
    }

    /// Those who were held back by a pause are served again, at the end of this input.
    pub(super) fn resume_paused(&mut self, _now: Now, sink: &mut dyn Sink) {
        self.refresh_expiry();
        let paused = self.sessions.iter().filter(|session| session.hold == Some(Hold::Paused));
        for conn in paused.map(|session| session.conn).collect::<Vec<_>>() {
            self.hand_back(conn, sink);
        }
    }

    /// Serves what came in while connections were held.
    pub(super) fn serve_resumed(&mut self, now: Now, sink: &mut dyn Sink) {
        while let Some(conn) = self.resumed.pop() {
            let Some(mut session) = self.sessions.take(conn) else { continue };
            match session.kind {
                Kind::Upstream => self.master_input(&mut session, &[], now, sink),
                _ => self.client_input(&mut session, &[], now, sink),
            }
            self.put_back(session, sink);
        }
    }

    pub(super) fn client_unblock(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        _now: Now,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        let id = parse_u64(args.get(2)).ok_or(error::NOT_AN_INTEGER)?;
        let with_error = match args.get(3).to_ascii_lowercase().as_slice() {
            b"error" => true,
            b"timeout" => false,
            b"" if args.len() == 3 => false,
            _ => return Err(Failure::fixed("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")),
        };
        let target = self.sessions.iter().find(|s| s.id == id && s.waits() && !s.closing).map(|s| s.conn);
        if let Some(conn) = target {
            let unblocked = Failure::fixed("UNBLOCKED client unblocked via CLIENT UNBLOCK");
            self.release(conn, if with_error { Err(unblocked) } else { Ok(()) }, sink);
        }
        session.reply.int(i64::from(target.is_some()));
        Ok(())
    }

    /// Ends what a client waits for, whatever it is.
    pub(super) fn release(&mut self, conn: ConnId, result: Result<(), Failure>, sink: &mut dyn Sink) {
        if !self.end_block(conn, result.as_ref().copied(), sink) {
            self.end_wait(conn, result, sink);
        }
    }

    pub(super) fn describe(&self, session: &Session, serving: usize, now: Now) -> String {
        let tracked = self.tracking.clients.get(&session.conn);
        describe(session, tracked, self.redirect_of(session), serving, now)
    }

    /// Drops a connection whose unsent output is over its limit.
    pub(super) fn limit_output(&mut self, conn: ConnId, sink: &mut dyn Sink) {
        self.sessions.weigh(conn);
        let Some(session) = self.sessions.get(conn) else { return };
        let limits = &self.config.client_output_buffer_limit;
        let limit: &OutputLimit = if session.subscribed() { &limits.pubsub } else { &limits.normal };
        if limit.hard == 0 || (session.unsent() as u64) < limit.hard || session.closing {
            return;
        }
        self.stats.output_limit_closes += 1;
        self.note(
            sink,
            Level::Warning,
            format_args!(
                "client {} scheduled to be closed for overcoming of output buffer limits",
                session.peer.addr
            ),
        );
        self.kill(conn, sink);
    }

    /// `conn` is gone: closed by the peer, reset, or closed on our request.
    pub fn closed(&mut self, conn: ConnId, now: Now, sink: &mut dyn Sink) {
        let Some(mut session) = self.sessions.take(conn) else { return };
        self.unwatch(&mut session);
        self.forget_subscriptions(&mut session);
        self.unpark(&mut session);
        self.stop_tracking(&mut session);
        self.end_redirects(conn);
        if session.monitor {
            self.monitors.retain(|other| *other != conn);
        }
        match session.kind {
            Kind::Client => self.note(
                sink,
                Level::Verbose,
                format_args!("Client closed connection {}", session.peer.addr),
            ),
            Kind::Replica(feed) => self.feed_gone(conn, &feed, now, sink),
            Kind::Upstream => self.link_lost(conn, now, sink),
            Kind::Courier => self.courier_lost(conn, now, sink),
        }
        self.settle(now, sink);
    }
}

/// One line of CLIENT LIST; `serving` is the size of the request being served, which Redis counts as input, `redirect` is who
/// is told of changed keys instead.
fn describe(session: &Session, tracked: Option<&Tracked>, redirect: i64, serving: usize, now: Now) -> String {
    let now_ms = now.mono_ms();
    let mut flags = String::new();
    match session.kind {
        Kind::Upstream => flags.push('M'),
        Kind::Replica(_) => flags.push('S'),
        Kind::Client | Kind::Courier => {}
    }
    let marks = [
        ('O', session.monitor),
        ('P', session.subscribed()),
        ('x', session.multi.is_some()),
        ('b', session.waits()),
        ('t', tracked.is_some()),
        ('R', tracked.is_some_and(|tracked| tracked.broken)),
        ('B', tracked.is_some_and(|tracked| tracked.bcast)),
        ('c', session.closing),
        ('e', session.no_evict),
        ('T', session.no_touch),
    ];
    flags.extend(marks.iter().filter(|(_, on)| *on).map(|(mark, _)| mark));
    if flags.is_empty() {
        flags.push('N');
    }
    let (channels, patterns, shards) = session
        .subscriptions
        .as_ref()
        .map_or((0, 0, 0), |s| (s.channels.len(), s.patterns.len(), s.shards.len()));
    let multi = session.multi.as_ref().map_or(-1, |m| i64::try_from(m.queue.len()).unwrap_or(i64::MAX));
    let multi_memory = session.multi.as_ref().map_or(0, |m| m.size);
    let unsent = session.unsent();
    let total = session.memory();
    let mut line = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        line,
        "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={flags} db={} sub={channels} psub={patterns} ssub={shards} \
         multi={multi} qbuf={} qbuf-free={} argv-mem=0 multi-mem={multi_memory} rbs=0 rbp=0 obl={unsent} oll=0 omem={unsent} \
         tot-mem={total} events=r cmd={} user=default redir={redirect} resp={} lib-name={} lib-ver={}",
        session.id,
        session.peer.addr,
        session.peer.laddr,
        session.peer.fd,
        session.name,
        now_ms.saturating_sub(session.created_ms) / 1000,
        now_ms.saturating_sub(session.active_ms) / 1000,
        session.db,
        session.pending.len() + serving,
        session.pending.capacity() - session.pending.len(),
        session.last_command,
        if session.reply.resp3() { 3 } else { 2 },
        session.lib_name,
        session.lib_ver,
    );
    line
}
