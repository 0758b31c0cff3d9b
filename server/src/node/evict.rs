//! `maxmemory`: keys make room for others by the policy that is configured, on the master, which tells its replicas.
//!
//! What is measured is the data set, not the process: buffers and what waits to be freed do not count, so that who frees
//! slowly does not evict more than it has to. Victims are found as Redis finds them: a few keys are drawn, and the best ones
//! met so far are kept in a small pool from one search to the next.

use crate::command::effects::{Effects, Events};
use crate::command::spec::Flags;
use crate::command::{Command, Control, Failure, Handler};
use crate::data::{Now, Usage};
use crate::keyspace::EntryRef;

use super::config::Eviction;
use super::session::Session;
use super::{Node, Sink};

const OOM: Failure = Failure::fixed("OOM command not allowed when used memory > 'maxmemory'.");
/// Candidates kept.
const POOL: usize = 16;
/// Keys evicted before one request; a server that has to shed much sheds it before many requests, and in its ticks.
const AT_ONCE: usize = 256;
/// How often a key without a deadline may be drawn for each one with a deadline that is wanted.
const TRIES: usize = 16;

/// Buckets walked at a time in the search for keys with a deadline.
const STRETCH: usize = 1024;

/// A key that may go; the highest score goes first.
#[derive(Debug)]
struct Candidate {
    score: u64,
    db: usize,
    key: Box<[u8]>,
}

/// The search for victims.
#[derive(Debug, Default)]
pub(super) struct Evictor {
    /// In order of score.
    pool: Vec<Candidate>,
    /// The database in which policies that draw at random look next.
    turn: usize,
}

impl Evictor {
    fn offer(&mut self, score: u64, db: usize, key: &[u8]) {
        let full = self.pool.len() >= POOL;
        if full && self.pool.first().is_some_and(|lowest| lowest.score >= score) {
            return;
        }
        if self.pool.iter().any(|known| known.db == db && &*known.key == key) {
            return;
        }
        let at = self.pool.partition_point(|known| known.score < score);
        self.pool.insert(at, Candidate { score, db, key: key.into() });
        if full {
            self.pool.remove(0);
        }
    }
}

impl Node {
    /// What the access clocks of keys mean under the policy in force.
    pub(super) fn usage(&self) -> Usage {
        match self.config.maxmemory_policy {
            Eviction::VolatileLfu | Eviction::AllkeysLfu => Usage::Frequency {
                log_factor: self.config.lfu_log_factor,
                decay_minutes: self.config.lfu_decay_time,
            },
            _ => Usage::Recency,
        }
    }

    /// Whether anything is to be measured before a request.
    pub(super) fn refresh_limited(&mut self) {
        let ignores = self.link.is_some() && self.config.replica_ignore_maxmemory;
        self.limited = self.config.maxmemory > 0 && !ignores;
        if !self.limited {
            self.keyspace.stamp(None);
        }
    }

    /// Makes room before a request, and refuses it if there is none and it may need some.
    #[cold]
    pub(super) fn within_memory(
        &mut self,
        session: &Session,
        command: &Command,
        now: Now,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        let stamp = (self.usage(), now.wall_ms, self.rng.draw());
        self.keyspace.stamp(Some(stamp));
        if self.make_room(now, sink) {
            return Ok(());
        }
        use Control::{Discard, Multi, Quit, Reset};
        let needs = match (&session.multi, command.handler) {
            (Some(multi), Handler::Control(Control::Exec)) => {
                multi.queue.iter().any(|(command, _)| command.flags.has(Flags::DENYOOM))
            }
            // A queue takes memory too.
            (Some(_), Handler::Control(Discard | Multi | Quit | Reset)) => false,
            (Some(_), _) => true,
            _ => command.flags.has(Flags::DENYOOM),
        };
        if needs { Err(OOM) } else { Ok(()) }
    }

    /// Evicts keys until the data set is within its limit, or enough for now; false if it is over, and nothing can be done.
    pub(super) fn make_room(&mut self, now: Now, sink: &mut dyn Sink) -> bool {
        let limit = usize::try_from(self.config.maxmemory).unwrap_or(usize::MAX);
        if self.keyspace.live_memory() <= limit || self.loading.is_some() {
            return true;
        }
        if self.config.maxmemory_policy == Eviction::NoEviction {
            return false;
        }
        if self.pauses.any() && self.pauses.scope(now.mono_ms()).is_some() {
            return true;
        }
        for _ in 0..AT_ONCE {
            let Some((db, key)) = self.victim(now) else { return false };
            self.evict(db, &key, now, sink);
            if self.keyspace.live_memory() <= limit {
                return true;
            }
        }
        true
    }

    /// Deletes a key to make room, and tells everybody.
    fn evict(&mut self, db: usize, key: &[u8], now: Now, sink: &mut dyn Sink) {
        if !self.keyspace.remove(db, key) {
            return;
        }
        self.stats.evicted += 1;
        let mut effects = Effects::default();
        if self.stream.active() && self.link.is_none() {
            effects.expired(db, key, self.config.lazyfree_lazy_eviction);
            for &effect in effects.list() {
                self.stream.append(db, effects.bytes(effect));
            }
        }
        if self.settings.notify.meets(Events::EVICTED) {
            effects.clear();
            effects.event(Events::EVICTED, "evicted", db, key);
            self.publish_events_of(&mut effects, now, sink);
        }
    }

    /// The key that is to go next.
    fn victim(&mut self, now: Now) -> Option<(usize, Box<[u8]>)> {
        use Eviction::{AllkeysRandom, NoEviction, VolatileRandom};
        match self.config.maxmemory_policy {
            NoEviction => None,
            AllkeysRandom | VolatileRandom => self.any_key(),
            _ => loop {
                self.fill_pool(now);
                let best = self.evictor.pool.pop()?;
                // It may be gone, or live for ever by now.
                let there = self.keyspace.get(best.db, &best.key);
                if there.is_some_and(|entry| !self.only_volatile() || entry.expire().is_some()) {
                    return Some((best.db, best.key));
                }
            },
        }
    }

    fn only_volatile(&self) -> bool {
        use Eviction::{VolatileLfu, VolatileLru, VolatileRandom, VolatileTtl};
        matches!(self.config.maxmemory_policy, VolatileLru | VolatileLfu | VolatileRandom | VolatileTtl)
    }

    /// Any key that may go, from one database after the other.
    fn any_key(&mut self) -> Option<(usize, Box<[u8]>)> {
        let count = self.keyspace.databases();
        for _ in 0..count {
            let db = self.evictor.turn % count.max(1);
            self.evictor.turn = db + 1;
            let mut drawn = self.draw(db, 1);
            if let Some(key) = drawn.pop() {
                return Some((db, key));
            }
        }
        None
    }

    /// Draws keys of every database into the pool.
    fn fill_pool(&mut self, now: Now) {
        let samples = usize::try_from(self.config.maxmemory_samples).unwrap_or(5);
        for db in 0..self.keyspace.databases() {
            for key in self.draw(db, samples) {
                if let Some(entry) = self.keyspace.get(db, &key) {
                    let score = self.score(entry, now);
                    self.evictor.offer(score, db, &key);
                }
            }
        }
    }

    /// The higher, the sooner it goes.
    fn score(&self, entry: EntryRef<'_>, now: Now) -> u64 {
        use Eviction::{AllkeysLfu, VolatileLfu, VolatileTtl};
        match self.config.maxmemory_policy {
            VolatileTtl => u64::MAX - entry.expire().unwrap_or(u64::MAX),
            VolatileLfu | AllkeysLfu => {
                u64::from(255 - self.usage().frequency(entry.clock(), now.wall_ms).min(255))
            }
            // Of a key that was never used since it was stored nothing is known.
            _ if entry.clock() == 0 => u64::MAX,
            _ => u64::from(Usage::idle_s(entry.clock(), now.wall_ms)),
        }
    }

    /// A few keys of one database that may go, drawn at random. Where few have a deadline they are searched for in turn.
    fn draw(&mut self, db: usize, count: usize) -> Vec<Box<[u8]>> {
        let volatile = self.only_volatile();
        let there = if volatile { self.keyspace.expires(db) } else { self.keyspace.len(db) };
        let count = count.min(there);
        let mut drawn: Vec<Box<[u8]>> = Vec::with_capacity(count);
        let tries = if volatile { count * TRIES } else { count };
        for _ in 0..tries {
            if drawn.len() >= count {
                break;
            }
            let entry = self.keyspace.random(db, &mut self.rng);
            if let Some(entry) = entry.filter(|entry| !volatile || entry.expire().is_some()) {
                drawn.push(entry.key().into());
            }
        }
        if volatile && drawn.is_empty() && count > 0 {
            // At the end of time every key with a deadline is past it. One round finds them, wherever it begins.
            let mut rounds = 0;
            while drawn.is_empty() && rounds < 2 {
                let walked = self.keyspace.expired(u64::MAX, STRETCH, &mut |at, key| {
                    if at == db && drawn.len() < count {
                        drawn.push(key.into());
                    }
                });
                rounds += usize::from(walked.wrapped);
            }
        }
        drawn
    }
}
