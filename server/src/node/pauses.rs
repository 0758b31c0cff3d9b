//! The causes to hold writes back, in one place: CLIENT PAUSE, a failover, a shutdown, keys on their way elsewhere.
//!
//! Asked by writes, by expiry and eviction, by PING and GETACK in the stream.

/// What a pause holds back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// Commands that may write.
    Writes,
    /// All commands of clients.
    All,
}

/// The pauses in force.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    /// CLIENT PAUSE: until this monotonic millisecond.
    client: Option<(u64, Scope)>,
    /// A coordinated failover is under way.
    pub(super) failover: bool,
    /// A shutdown waits for replicas.
    pub(super) shutdown: bool,
    /// Keys are on their way to another server.
    pub(super) migrate: bool,
}

impl Pauses {
    /// CLIENT PAUSE: of overlapping pauses the longest end and the stricter scope win.
    pub(super) fn client(&mut self, until_ms: u64, scope: Scope, now_ms: u64) {
        let (end, kind) = match self.client {
            Some((end, kind)) if end > now_ms => (end.max(until_ms), kind.max(scope)),
            _ => (until_ms, scope),
        };
        self.client = Some((end, kind));
    }

    /// CLIENT UNPAUSE.
    pub(super) fn unpause(&mut self) {
        self.client = None;
    }

    /// What is held back now.
    pub(super) fn scope(&self, now_ms: u64) -> Option<Scope> {
        let client = self.client.filter(|(end, _)| *end > now_ms).map(|(_, scope)| scope);
        let ours = self.failover || self.shutdown || self.migrate;
        if ours { client.max(Some(Scope::Writes)) } else { client }
    }

    /// Anything at all may be in force: the cheap first question.
    #[inline]
    pub(super) fn any(&self) -> bool {
        self.client.is_some() || self.failover || self.shutdown || self.migrate
    }

    /// When CLIENT PAUSE ends, in monotonic milliseconds.
    pub(super) fn ends_ms(&self) -> Option<u64> {
        self.client.map(|(end, _)| end)
    }

    /// Forgets a client pause that ran out; true when it did just now.
    pub(super) fn ran_out(&mut self, now_ms: u64) -> bool {
        let over = self.client.is_some_and(|(end, _)| end <= now_ms);
        if over {
            self.client = None;
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_end_and_the_stricter_scope_win() {
        let mut pauses = Pauses::default();
        pauses.client(1000, Scope::All, 0);
        pauses.client(500, Scope::Writes, 0);
        assert_eq!(pauses.scope(999), Some(Scope::All));
        assert_eq!(pauses.scope(1000), None);
        assert!(pauses.ran_out(1000));
        pauses.failover = true;
        assert_eq!(pauses.scope(2000), Some(Scope::Writes));
    }
}
