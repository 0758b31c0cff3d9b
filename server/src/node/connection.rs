//! A connection's own state: who it is, which protocol, which database.

use crate::command::{Failure, error};
use crate::data::Now;
use crate::resp::Args;
use crate::resp::number::parse_i64;

use super::control::printable_word;
use super::session::{Kind, ReplyMode, Session};
use super::{ConnId, Level, Node, Peer, Sink};

const WRONG_PASS: Failure = Failure::fixed("WRONGPASS invalid username-password pair or user is disabled.");

impl Node {
    /// A client connected.
    pub fn accept(&mut self, conn: ConnId, peer: Peer, now: Now, sink: &mut dyn Sink) {
        self.stats.connections += 1;
        let id = self.next_client_id();
        self.note(sink, Level::Verbose, format_args!("Accepted {}", peer.addr));
        let refused = self.config.protected_mode && !self.config.requirepass.is_set() && !peer.local;
        let mut session = Box::new(Session::new(conn, peer, Kind::Client, id, now.mono_ms()));
        session.authenticated = !self.config.requirepass.is_set();
        if refused {
            session.reply.error(
                "DENIED Redis is running in protected mode because protected mode is enabled and no password is set \
                 for the default user. In this mode connections are only accepted from the loopback interface. Set a \
                 password with CONFIG SET requirepass, or start with --protected-mode no.",
            );
            session.closing = true;
            sink.close(conn, true);
            self.put_back(session, sink);
            return;
        }
        self.sessions.insert(session);
    }

    /// Puts a session back after it was served, and says if it has output.
    pub(super) fn put_back(&mut self, session: Box<Session>, sink: &mut dyn Sink) {
        let conn = session.conn;
        self.sessions.insert(session);
        self.offer_unsent(conn, sink);
    }

    /// Says that a connection has output, if it has and that was not said in this turn.
    pub(super) fn offer_unsent(&mut self, conn: ConnId, sink: &mut dyn Sink) {
        if let Some(session) = self.sessions.get_mut(conn)
            && !session.announced
            && session.unsent() > 0
        {
            session.announced = true;
            sink.output_ready(conn);
        }
    }

    /// A client that was held back is served again, at the end of this input; what it is told meanwhile goes out.
    pub(super) fn hand_back(&mut self, conn: ConnId, sink: &mut dyn Sink) {
        let Some(session) = self.sessions.get_mut(conn) else { return };
        session.hold = None;
        sink.reading(conn, true);
        self.resumed.push(conn);
        self.offer_unsent(conn, sink);
    }

    pub(super) fn next_client_id(&mut self) -> u64 {
        self.client_ids += 1;
        self.client_ids
    }

    /// The password is right; compared in a time that depends on the lengths only.
    fn password_matches(&self, user: &[u8], password: &[u8]) -> bool {
        let want = self.config.requirepass.0.as_bytes();
        let mut difference = usize::from(want.len() != password.len());
        for (index, byte) in want.iter().enumerate() {
            difference |= usize::from(*byte ^ password.get(index).copied().unwrap_or(0));
        }
        user == b"default" && (want.is_empty() || difference == 0)
    }

    pub(super) fn auth(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        let (user, password) = match args.len() {
            2 if !self.config.requirepass.is_set() => {
                return Err(Failure::fixed(
                    "ERR AUTH <password> called without any password configured for the default user. Are you sure \
                     your configuration is correct?",
                ));
            }
            2 => (&b"default"[..], args.get(1)),
            3 => (args.get(1), args.get(2)),
            _ => return Err(error::SYNTAX),
        };
        self.log_in(session, user, password, sink)?;
        session.reply.ok();
        Ok(())
    }

    fn log_in(
        &mut self,
        session: &mut Session,
        user: &[u8],
        password: &[u8],
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        if self.password_matches(user, password) {
            session.authenticated = true;
            return Ok(());
        }
        self.stats.auth_failures += 1;
        self.note(sink, Level::Verbose, format_args!("failed AUTH from {}", session.peer.addr));
        Err(WRONG_PASS)
    }

    /// `HELLO [2|3 [AUTH user password] [SETNAME name]]`.
    pub(super) fn hello(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        let mut resp3 = session.reply.resp3();
        if args.len() > 1 {
            resp3 = match parse_i64(args.get(1)) {
                None => return Err(Failure::fixed("ERR Protocol version is not an integer or out of range")),
                Some(2) => false,
                Some(3) => true,
                Some(_) => return Err(Failure::fixed("NOPROTO unsupported protocol version")),
            };
        }
        let mut name = None;
        let mut at = 2;
        while at < args.len() {
            match args.get(at).to_ascii_lowercase().as_slice() {
                b"auth" if at + 2 < args.len() => {
                    self.log_in(session, args.get(at + 1), args.get(at + 2), sink)?;
                    at += 3;
                }
                b"setname" if at + 1 < args.len() => {
                    name = Some(printable_word(args.get(at + 1)).ok_or(Failure::fixed(
                        "ERR Client names cannot contain spaces, newlines or special characters.",
                    ))?);
                    at += 2;
                }
                _ => {
                    let shown = String::from_utf8_lossy(args.get(at)).into_owned();
                    return Err(Failure::worded(format!("ERR Syntax error in HELLO option '{shown}'")));
                }
            }
        }
        if !session.authenticated {
            return Err(Failure::fixed(
                "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH \
                 <user> <pass> option can be used to authenticate the client and select the RESP protocol version at \
                 the same time",
            ));
        }
        if let Some(name) = name {
            session.name = name;
        }
        session.reply.set_resp3(resp3);
        let role: &[u8] = if self.link.is_some() { b"replica" } else { b"master" };
        let reply = &mut session.reply;
        reply.map(7);
        for (key, value) in
            [(&b"server"[..], &b"redis"[..]), (b"version", super::config::REDIS_VERSION.as_bytes())]
        {
            reply.bulk(key);
            reply.bulk(value);
        }
        reply.bulk(b"proto");
        reply.int(if resp3 { 3 } else { 2 });
        reply.bulk(b"id");
        reply.int(i64::try_from(session.id).unwrap_or(i64::MAX));
        reply.bulk(b"mode");
        reply.bulk(b"standalone");
        reply.bulk(b"role");
        reply.bulk(role);
        reply.bulk(b"modules");
        reply.array(0);
        Ok(())
    }

    /// `RESET`: as if newly connected.
    pub(super) fn reset(&mut self, session: &mut Session) {
        session.multi = None;
        self.unwatch(session);
        self.stop_tracking(session);
        self.forget_subscriptions(session);
        if std::mem::take(&mut session.monitor) {
            self.monitors.retain(|conn| *conn != session.conn);
        }
        session.db = 0;
        session.name.clear();
        session.mode = ReplyMode::On;
        (session.no_evict, session.no_touch) = (false, false);
        session.authenticated = !self.config.requirepass.is_set();
        session.reply.set_resp3(false);
        session.reply.simple("RESET");
    }

    pub(super) fn select(&mut self, session: &mut Session, args: Args<'_>) -> Result<(), Failure> {
        let index =
            parse_i64(args.get(1)).ok_or(Failure::fixed("ERR value is not an integer or out of range"))?;
        let index = usize::try_from(index).ok().filter(|&index| index < self.keyspace.databases());
        session.db = index.ok_or(error::DB_OUT_OF_RANGE)?;
        session.reply.ok();
        Ok(())
    }
}
