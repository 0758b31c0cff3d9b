//! `maxmemory-clients`: those who take most memory make room for all others.
//!
//! A client takes what came and was not served, what it queued, and what it does not read. It is weighed whenever that changed,
//! so that nobody is looked for while all together are within the limit.

use crate::data::Now;

use super::{ConnId, Level, Node, Sink};

impl Node {
    /// Bytes for all clients together; 0 is no limit. A percentage of no `maxmemory` is none.
    fn crowd_limit(&self) -> usize {
        usize::try_from(self.config.maxmemory_clients.of(self.config.maxmemory)).unwrap_or(usize::MAX)
    }

    /// The limit may have changed.
    pub(super) fn refresh_crowd(&mut self) {
        let limit = self.crowd_limit();
        self.sessions.set_weighs(limit > 0);
    }

    /// Closes clients, the largest first, until the others are within the limit. Who asked to be spared counts, and stays
    /// (`CLIENT NO-EVICT`).
    pub(super) fn thin_crowd(&mut self, now: Now, sink: &mut dyn Sink) {
        let limit = self.crowd_limit();
        if self.sessions.weight() <= limit {
            return;
        }
        let mut large: Vec<(usize, ConnId)> = self
            .sessions
            .iter()
            .filter(|session| session.is_client() && !session.no_evict && !session.closing)
            .map(|session| (session.memory(), session.conn))
            .collect();
        large.sort_unstable();
        while self.sessions.weight() > limit {
            let Some((_, conn)) = large.pop() else { return };
            if let Some(session) = self.sessions.get(conn) {
                let line = self.describe(session, 0, now);
                self.note(sink, Level::Notice, format_args!("Evicting client: {}", line.trim_end()));
            }
            self.stats.evicted_clients += 1;
            self.kill(conn, sink);
        }
    }
}
