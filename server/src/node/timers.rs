//! What happens because time passes: one tick, one next deadline.

use crate::command::effects::{Effects, Events};
use crate::data::Now;

use super::session::Kind;
use super::{Node, Sink};

/// How often background work is looked at while there is some, in milliseconds.
const BUSY_MS: u64 = 100;
/// How often an idle server looks around, in milliseconds.
const IDLE_MS: u64 = 1000;
/// Keys with a deadline looked at per tick.
const EXPIRE_BUDGET: usize = 2000;
/// Entries freed per tick.
const RECLAIM_BUDGET: usize = 2000;

impl Node {
    /// Monotonic microseconds at which [`Node::tick`] wants to be called, if nothing else happens before.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        if self.more_to_reclaim || self.more_to_expire {
            return Some((self.ticked_ms + 1) * 1000);
        }
        let background =
            self.expires() > 0 || self.saving.running || self.stopping.is_some() || self.failing_over();
        let waiting_feeds = self.feeds.iter().any(|&conn| {
            self.sessions.get(conn).and_then(|session| session.feed()).is_some_and(|feed| !feed.online())
        });
        let linking = self.link.as_ref().is_some_and(|link| !link.up());
        let regular = self.ticked_ms + if background || waiting_feeds || linking { BUSY_MS } else { IDLE_MS };
        let resting = self.link.as_ref().and_then(|link| match link.state {
            crate::replication::link::State::Resting { until_ms } => Some(until_ms),
            _ => None,
        });
        let ends = [
            resting,
            self.next_wait_ms(),
            self.blocked.next_end_ms(),
            self.pauses.ends_ms(),
            self.failover_deadline_ms(),
            self.courier_deadline_ms(),
        ];
        let next = ends.into_iter().flatten().fold(regular, u64::min);
        Some(next.max(self.ticked_ms) * 1000)
    }

    /// Time passed. Called at the deadline, and at the end of any turn that passed it.
    pub fn tick(&mut self, now: Now, sink: &mut dyn Sink) {
        let now_ms = now.mono_ms();
        self.ticked_ms = now_ms;
        self.stats.sample(now_ms);
        self.expire_some(now, sink);
        if self.limited {
            self.make_room(now, sink);
        }
        self.more_to_reclaim = self.keyspace.reclaim(RECLAIM_BUDGET);
        if self.pauses.ran_out(now_ms) {
            self.resume_paused(now, sink);
        }
        self.tick_link(now, sink);
        self.tick_feeds(now, sink);
        self.tick_saves(now, sink);
        self.check_waits(now, sink);
        self.check_blocked(now, sink);
        self.check_failover(now, sink);
        self.check_courier(now, sink);
        self.check_shutdown(now, sink);
        self.close_idle(now, sink);
        self.settle(now, sink);
    }

    fn expires(&self) -> usize {
        if self.link.is_some() || !self.active_expire {
            return 0;
        }
        (0..self.keyspace.databases()).map(|db| self.keyspace.expires(db)).sum()
    }

    /// Active expiry: only a master deletes, and it says so to its replicas.
    fn expire_some(&mut self, now: Now, sink: &mut dyn Sink) {
        self.more_to_expire = false;
        if self.expires() == 0 || self.pauses.any() || self.loading.is_some() {
            return;
        }
        let mut victims: Vec<(usize, Vec<u8>)> = Vec::new();
        self.keyspace.expired(now.wall_ms, EXPIRE_BUDGET, &mut |db, key| victims.push((db, key.to_vec())));
        // Many victims among those looked at mean that there are more: go on soon.
        self.more_to_expire = victims.len() > EXPIRE_BUDGET / 10;
        let mut effects = Effects::default();
        for (db, key) in victims {
            self.keyspace.remove(db, &key);
            self.stats.expired += 1;
            self.dirty += 1;
            if self.stream.active() {
                effects.clear();
                effects.expired(db, &key, self.settings.lazy_expire);
                for &effect in effects.list() {
                    self.stream.append(db, effects.bytes(effect));
                }
            }
            if self.settings.notify.meets(Events::EXPIRED) {
                effects.clear();
                effects.event(Events::EXPIRED, "expired", db, &key);
                self.publish_events_of(&mut effects, now, sink);
            }
        }
    }

    /// `timeout`: clients that said nothing for so long are closed. Replicas, masters and subscribers are not.
    fn close_idle(&mut self, now: Now, sink: &mut dyn Sink) {
        let limit_ms = u64::from(self.config.timeout) * 1000;
        if limit_ms == 0 {
            return;
        }
        for session in self.sessions.iter_mut() {
            let idle = now.mono_ms().saturating_sub(session.active_ms) > limit_ms;
            if idle
                && matches!(session.kind, Kind::Client)
                && session.hold.is_none()
                && !session.subscribed()
                && !session.closing
            {
                session.closing = true;
                sink.close(session.conn, false);
            }
        }
    }
}
