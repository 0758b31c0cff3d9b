//! MIGRATE: keys go to another server over a connection of our own, and are deleted here once they are there.
//!
//! While keys are on their way no write of a client is served: what the other server got is then what we delete. The
//! original blocks the whole server instead. Only the client that asked waits; a time limit ends the waiting.

mod order;

use crate::command::Failure;
use crate::command::effects::{Effects, Events};
use crate::data::Now;
use crate::persist::dump;
use crate::resp::reply::encode_request;
use crate::resp::{Args, Value, value};

use order::Order;

use super::session::{Hold, Kind, Session};
use super::{ConnId, Node, Peer, Sink};

/// Bytes of a reply to RESTORE that we hold: its error lines are short.
const REPLY_MOST: usize = 64 << 10;

/// Keys on their way.
#[derive(Debug)]
pub(super) struct Courier {
    /// The connection attempt that is ours.
    ticket: u64,
    /// The connection, once it stands.
    conn: Option<ConnId>,
    /// Who asked.
    client: ConnId,
    db: usize,
    keys: Vec<Vec<u8>>,
    /// Replies that come before those of RESTORE.
    greetings: usize,
    /// Replies of RESTORE that came.
    answered: usize,
    /// The keys stay.
    copy: bool,
    /// What is sent once the connection stands.
    request: Vec<u8>,
    /// Received and not understood yet.
    input: Vec<u8>,
    /// The first refusal.
    refused: Option<String>,
    /// Monotonic millisecond at which it is given up.
    deadline_ms: u64,
}

impl Node {
    /// See the top of the file.
    pub(super) fn migrate(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        now: Now,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        let order = Order::parse(args)?;
        if self.collecting.is_some() {
            return Err(Failure::fixed("ERR MIGRATE waits for another server, which a transaction cannot"));
        }
        if self.courier.is_some() {
            return Err(Failure::fixed("ERR another MIGRATE is under way"));
        }
        let mut request = Vec::new();
        let mut greetings = 1;
        match order.auth {
            Some((Some(user), password)) => encode_request(&mut request, &[b"AUTH", user, password]),
            Some((None, password)) => encode_request(&mut request, &[b"AUTH", password]),
            None => {}
        }
        greetings += usize::from(order.auth.is_some());
        encode_request(&mut request, &[&b"SELECT"[..], order.db.to_string().as_bytes()]);
        let keys = self.pack(session.db, &order, now, &mut request);
        if keys.is_empty() {
            session.reply.simple("NOKEY");
            return Ok(());
        }
        self.tickets += 1;
        session.hold = Some(Hold::Migrate);
        self.pauses.migrate = true;
        self.refresh_expiry();
        self.courier = Some(Box::new(Courier {
            ticket: self.tickets,
            conn: None,
            client: session.conn,
            db: session.db,
            keys,
            greetings,
            answered: 0,
            copy: order.copy,
            request,
            input: Vec::new(),
            refused: None,
            deadline_ms: now.mono_ms().saturating_add(order.timeout_ms),
        }));
        sink.dial(self.tickets, &order.host, order.port);
        Ok(())
    }

    /// Appends a RESTORE for each key that is there; gives those keys.
    fn pack(&self, db: usize, order: &Order<'_>, now: Now, request: &mut Vec<u8>) -> Vec<Vec<u8>> {
        let mut keys = Vec::new();
        for &key in &order.keys {
            let Some(entry) = self.keyspace.get(db, key) else { continue };
            let left = match entry.expire() {
                Some(at) if at <= now.wall_ms => continue,
                Some(at) => at - now.wall_ms,
                None => 0,
            };
            let (left, payload) = (left.to_string(), dump::dump(entry.value()));
            let mut words = vec![&b"RESTORE"[..], key, left.as_bytes(), &payload];
            if order.replace {
                words.push(b"REPLACE");
            }
            encode_request(request, &words);
            keys.push(key.to_vec());
        }
        keys
    }

    /// What became of the connection; false when the ticket is not ours.
    pub(super) fn courier_dialed(
        &mut self,
        ticket: u64,
        result: &Result<(ConnId, Peer), String>,
        now: Now,
        sink: &mut dyn Sink,
    ) -> bool {
        let Some(courier) = self.courier.as_mut().filter(|courier| courier.ticket == ticket) else {
            return false;
        };
        match result {
            Ok((conn, peer)) => {
                courier.conn = Some(*conn);
                let request = std::mem::take(&mut courier.request);
                let id = self.next_client_id();
                let mut session =
                    Box::new(Session::new(*conn, peer.clone(), Kind::Courier, id, now.mono_ms()));
                session.reply.raw(&request);
                self.put_back(session, sink);
            }
            Err(_) => {
                self.courier_back(
                    Err(Failure::fixed("IOERR error or timeout connecting to the client")),
                    now,
                    sink,
                );
            }
        }
        true
    }

    /// Bytes of the other server.
    pub(super) fn courier_input(&mut self, bytes: &[u8], now: Now, sink: &mut dyn Sink) {
        let Some(courier) = &mut self.courier else { return };
        courier.input.extend_from_slice(bytes);
        let mut read = 0;
        loop {
            let Some(courier) = &mut self.courier else { return };
            let rest = courier.input.get(read..).unwrap_or_default();
            match value::decode(rest) {
                Ok(Some((reply, used))) => {
                    read += used;
                    self.courier_reply(&reply, now, sink);
                }
                Ok(None) if rest.len() <= REPLY_MOST => {
                    courier.input.drain(..read);
                    return;
                }
                Ok(None) | Err(_) => {
                    return self.courier_back(
                        Err(Failure::fixed("IOERR error or timeout reading from target instance")),
                        now,
                        sink,
                    );
                }
            }
        }
    }

    fn courier_reply(&mut self, reply: &Value, now: Now, sink: &mut dyn Sink) {
        let Some(courier) = &mut self.courier else { return };
        let refusal = match reply {
            Value::Error(text) => Some(text.clone()),
            _ => None,
        };
        if courier.greetings > 0 {
            courier.greetings -= 1;
            if let Some(text) = refusal {
                let why = format!("ERR Target instance replied with error: {text}");
                self.courier_back(Err(Failure::worded(why)), now, sink);
            }
            return;
        }
        let (db, copy) = (courier.db, courier.copy);
        let key = courier.keys.get(courier.answered).cloned();
        courier.answered += 1;
        match refusal {
            Some(text) => courier.refused = courier.refused.take().or(Some(text)),
            None => {
                if let Some(key) = key.filter(|_| !copy) {
                    self.arrived(db, &key, now, sink);
                }
            }
        }
        let Some(courier) = &self.courier else { return };
        if courier.answered >= courier.keys.len() {
            let result = match &courier.refused {
                Some(text) => Err(Failure::worded(format!("ERR Target instance replied with error: {text}"))),
                None => Ok(()),
            };
            self.courier_back(result, now, sink);
        }
    }

    /// The connection to the other server is gone.
    pub(super) fn courier_lost(&mut self, conn: ConnId, now: Now, sink: &mut dyn Sink) {
        if self.courier.as_ref().is_some_and(|courier| courier.conn == Some(conn)) {
            let why = Failure::fixed("IOERR error or timeout reading from target instance");
            self.courier_back(Err(why), now, sink);
        }
    }

    /// Gives a courier up whose time is over.
    pub(super) fn check_courier(&mut self, now: Now, sink: &mut dyn Sink) {
        if self.courier.as_ref().is_some_and(|courier| courier.deadline_ms <= now.mono_ms()) {
            let why = Failure::fixed("IOERR error or timeout reading from target instance");
            self.courier_back(Err(why), now, sink);
        }
    }

    /// We follow another master from now on: what is on its way is not ours to delete any more.
    pub(super) fn courier_called_back(&mut self, now: Now, sink: &mut dyn Sink) {
        let why = Failure::fixed(
            "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
        );
        self.courier_back(Err(why), now, sink);
    }

    /// When the courier is given up, in monotonic milliseconds.
    pub(super) fn courier_deadline_ms(&self) -> Option<u64> {
        self.courier.as_ref().map(|courier| courier.deadline_ms)
    }

    /// Everything that could be done is done: the client hears of it, and writes are served again.
    fn courier_back(&mut self, result: Result<(), Failure>, now: Now, sink: &mut dyn Sink) {
        let Some(courier) = self.courier.take() else { return };
        if let Some(conn) = courier.conn {
            if let Some(session) = self.sessions.get_mut(conn) {
                session.closing = true;
            }
            sink.close(conn, false);
        }
        self.pauses.migrate = false;
        self.refresh_expiry();
        if result.is_ok()
            && let Some(session) = self.sessions.get_mut(courier.client)
        {
            session.reply.ok();
        }
        if let Err(failure) = result
            && let Some(session) = self.sessions.get_mut(courier.client)
        {
            session.reply.error_bytes(failure.bytes());
        }
        self.hand_back(courier.client, sink);
        self.resume_paused(now, sink);
    }

    /// The other server has the key: it goes here, and replicas and listeners hear of it.
    fn arrived(&mut self, db: usize, key: &[u8], now: Now, sink: &mut dyn Sink) {
        if !self.keyspace.remove(db, key) {
            return;
        }
        self.dirty += 1;
        let mut effects = Effects::default();
        effects.instead(db, &[b"DEL", key]);
        if self.stream.active() {
            for &effect in effects.list() {
                self.stream.append(db, effects.bytes(effect));
            }
        }
        if self.settings.notify.meets(Events::GENERIC) {
            effects.event(Events::GENERIC, "del", db, key);
            self.publish_events_of(&mut effects, now, sink);
        }
    }
}
