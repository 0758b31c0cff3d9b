//! Client-side caching: who is told that a key it read has changed (CLIENT TRACKING).
//!
//! Either the keys that a client reads are remembered, and it is told once of each that changes; or it is told of every changed
//! key that begins with one of its prefixes (BCAST), once for each input. Keys are names whatever their database, as in Redis.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::command::spec::Flags;
use crate::command::{Command, lookup};
use crate::data::Now;
use crate::resp::Args;

use super::events::{Late, What};
use super::session::Session;
use super::{ConnId, Node, Sink};

/// Which of the keys that a client reads are remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Choice {
    /// All.
    #[default]
    All,
    /// Those behind CLIENT CACHING YES.
    OptIn,
    /// All but those behind CLIENT CACHING NO.
    OptOut,
}

/// What one client asked for.
#[derive(Debug, Default)]
pub(super) struct Tracked {
    /// The client that is told instead: its id and its connection.
    pub(super) redirect: Option<(u64, ConnId)>,
    /// That client is gone.
    pub(super) gone: bool,
    /// It was gone when it was to be told something.
    pub(super) broken: bool,
    pub(super) bcast: bool,
    pub(super) choice: Choice,
    /// It is not told of what it changed itself.
    pub(super) noloop: bool,
    /// CLIENT CACHING was said, for the next request.
    pub(super) caching: bool,
    pub(super) prefixes: Vec<Box<[u8]>>,
}

/// Who listens to a prefix, and which keys changed, each with who changed it last.
#[derive(Debug, Default)]
struct Prefix {
    clients: BTreeSet<ConnId>,
    changed: BTreeMap<Box<[u8]>, Option<ConnId>>,
}

/// Who is told what.
#[derive(Debug, Default)]
pub(super) struct Tracking {
    pub(super) clients: BTreeMap<ConnId, Tracked>,
    keys: BTreeMap<Box<[u8]>, BTreeSet<ConnId>>,
    /// Clients of all `keys`.
    items: usize,
    prefixes: BTreeMap<Box<[u8]>, Prefix>,
    /// The key that was given up last for lack of room.
    hand: Box<[u8]>,
}

impl Tracking {
    /// Somebody tracks.
    #[inline]
    pub(super) fn any(&self) -> bool {
        !self.clients.is_empty()
    }

    /// How many keys are remembered, for how many clients together, and how many prefixes there are.
    pub(super) fn counts(&self) -> (usize, usize, usize) {
        (self.keys.len(), self.items, self.prefixes.len())
    }

    pub(super) fn add(&mut self, conn: ConnId, tracked: Tracked) {
        for prefix in &tracked.prefixes {
            self.prefixes.entry(prefix.clone()).or_default().clients.insert(conn);
        }
        self.clients.insert(conn, tracked);
    }

    fn forget_key(&mut self, key: &[u8]) -> BTreeSet<ConnId> {
        let clients = self.keys.remove(key).unwrap_or_default();
        self.items -= clients.len();
        clients
    }
}

impl Node {
    /// A client tracks no more. What is remembered of it is given up when the key changes.
    pub(super) fn stop_tracking(&mut self, session: &mut Session) {
        session.tracking = false;
        let Some(tracked) = self.tracking.clients.remove(&session.conn) else { return };
        for name in &tracked.prefixes {
            if let Some(prefix) = self.tracking.prefixes.get_mut(name) {
                prefix.clients.remove(&session.conn);
                if prefix.clients.is_empty() {
                    self.tracking.prefixes.remove(name);
                }
            }
        }
        if !self.tracking.any() {
            self.tracking = Tracking::default();
            self.keyspace.note_changed(false);
        }
    }

    /// A connection is gone: whoever is told through it cannot be told any more.
    pub(super) fn end_redirects(&mut self, conn: ConnId) {
        for tracked in self.tracking.clients.values_mut() {
            tracked.gone |= tracked.redirect.is_some_and(|(_, to)| to == conn);
        }
    }

    /// A command ran while somebody tracks: tells of what it changed, and remembers what it read.
    #[cold]
    pub(super) fn track(
        &mut self,
        session: &mut Session,
        command: &'static Command,
        args: Args<'_>,
        now: Now,
        sink: &mut dyn Sink,
    ) {
        self.invalidate(Some(session.conn), now, sink);
        let Some(tracked) = self.tracking.clients.get_mut(&session.conn) else { return };
        let wanted = match tracked.choice {
            Choice::All => true,
            Choice::OptIn => tracked.caching,
            Choice::OptOut => !tracked.caching,
        };
        let reads = command.flags.has(Flags::READONLY) && !command.flags.has(Flags::PUBSUB);
        if reads && wanted && !tracked.bcast {
            for at in lookup::keys_of(command, args) {
                let clients = self.tracking.keys.entry(args.get(at).into()).or_default();
                self.tracking.items += usize::from(clients.insert(session.conn));
            }
        }
        // It was said for this request, or for this transaction.
        if self.collecting.is_none() && session.multi.is_none() && !command.name.starts_with("client|") {
            tracked.caching = false;
        }
    }

    /// Tells of the keys that changed since this was last called; `by` changed them.
    pub(super) fn invalidate(&mut self, by: Option<ConnId>, now: Now, sink: &mut dyn Sink) {
        let changed = self.keyspace.take_changed();
        if changed.flushed {
            let all: Vec<ConnId> = self.tracking.clients.keys().copied().collect();
            for conn in all {
                self.tell_invalid(conn, None, now, sink);
            }
            self.tracking.keys.clear();
            self.tracking.items = 0;
        }
        for key in changed.keys {
            for (name, prefix) in &mut self.tracking.prefixes {
                if key.starts_with(name) {
                    prefix.changed.entry(key.clone()).or_insert(by);
                }
            }
            let clients = self.tracking.forget_key(&key);
            let keys = Arc::new(vec![key]);
            for conn in clients {
                let tracked = self.tracking.clients.get(&conn);
                let told = |tracked: &Tracked| !(tracked.bcast || tracked.noloop && by == Some(conn));
                if tracked.is_some_and(told) {
                    self.tell_invalid(conn, Some(&keys), now, sink);
                }
            }
        }
    }

    /// The end of an input: whoever listens to prefixes is told of what changed, and what is remembered is kept within
    /// `tracking-table-max-keys`.
    #[cold]
    pub(super) fn settle_tracking(&mut self, now: Now, sink: &mut dyn Sink) {
        self.invalidate(None, now, sink);
        let names: Vec<Box<[u8]>> = self.tracking.prefixes.keys().cloned().collect();
        for name in names {
            let Some(prefix) = self.tracking.prefixes.get_mut(&name) else { continue };
            let changed = std::mem::take(&mut prefix.changed);
            if changed.is_empty() {
                continue;
            }
            let everything = Arc::new(changed.keys().cloned().collect::<Vec<_>>());
            for conn in prefix.clients.clone() {
                let noloop = self.tracking.clients.get(&conn).is_some_and(|tracked| tracked.noloop);
                let keys = if noloop {
                    let others = changed.iter().filter(|(_, by)| **by != Some(conn));
                    Arc::new(others.map(|(key, _)| key.clone()).collect())
                } else {
                    Arc::clone(&everything)
                };
                if !keys.is_empty() {
                    self.tell_invalid(conn, Some(&keys), now, sink);
                }
            }
        }
        let most = usize::try_from(self.config.tracking_table_max_keys).unwrap_or(usize::MAX);
        while most > 0 && self.tracking.keys.len() > most {
            self.give_up_key(now, sink);
        }
    }

    /// Forgets one key, as if it had changed. A hand goes round over all of them, so that none is given up over and over.
    fn give_up_key(&mut self, now: Now, sink: &mut dyn Sink) {
        let behind = (std::ops::Bound::Excluded(self.tracking.hand.clone()), std::ops::Bound::Unbounded);
        let next = self.tracking.keys.range(behind).next().or(self.tracking.keys.first_key_value());
        let Some(key) = next.map(|(key, _)| key.clone()) else { return };
        self.tracking.hand.clone_from(&key);
        let clients = self.tracking.forget_key(&key);
        let keys = Arc::new(vec![key]);
        for conn in clients {
            if self.tracking.clients.get(&conn).is_some_and(|tracked| !tracked.bcast) {
                self.tell_invalid(conn, Some(&keys), now, sink);
            }
        }
    }

    /// Tells one client, or the one it named, that keys changed; `None` is all of them.
    fn tell_invalid(
        &mut self,
        conn: ConnId,
        keys: Option<&Arc<Vec<Box<[u8]>>>>,
        now: Now,
        sink: &mut dyn Sink,
    ) {
        let Some(tracked) = self.tracking.clients.get_mut(&conn) else { return };
        let late = match tracked.redirect {
            Some((id, _)) if tracked.gone => {
                tracked.broken = true;
                Late { conn, what: What::RedirectBroken(id) }
            }
            redirect => Late {
                conn: redirect.map_or(conn, |(_, to)| to),
                what: What::Invalid { keys: keys.cloned(), redirected: redirect.is_some() },
            },
        };
        self.push(late, now, sink);
    }
}
