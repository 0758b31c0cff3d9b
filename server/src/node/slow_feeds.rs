//! Replicas that do not keep up: how far behind each is, how long it may stay so, and its end.
//!
//! The stream is kept for the slowest reader, so a reader's lag is memory. `client-output-buffer-limit replica` bounds
//! it, and it is looked at whenever the stream grows: what is kept never exceeds the larger of the limit and the
//! backlog by more than one input.

use crate::data::Now;
use crate::mutant::{Mutant, made};
use crate::replication::Feed;
use crate::replication::feed::State;

use super::info::Page;
use super::{ConnId, Level, Node, Sink};

impl Node {
    /// The stream grew by an input: who is over a limit now. Costs a comparison for a replica that is not.
    #[inline]
    pub(super) fn judge_lag(&mut self, conn: ConnId, offset: u64, now: Now, sink: &mut dyn Sink) {
        let limit = self.config.client_output_buffer_limit.replica;
        let least = [limit.soft, limit.hard].into_iter().filter(|&limit| limit > 0).min().unwrap_or(u64::MAX);
        let feed = self.sessions.get(conn).and_then(|session| session.feed());
        if feed.is_some_and(|feed| feed.lag_bytes(offset) > least) {
            self.judge_feed(conn, now, sink);
        }
    }

    /// Output limits and timeouts: a replica that does not read or does not answer is dropped, with the reason.
    pub(super) fn judge_feed(&mut self, conn: ConnId, now: Now, sink: &mut dyn Sink) {
        let now_ms = now.mono_ms();
        let offset = self.stream.offset();
        let limit = self.config.client_output_buffer_limit.replica;
        let backlog = self.config.repl_backlog_size;
        let timeout_ms = u64::from(self.config.repl_timeout) * 1000;
        let Some(session) = self.sessions.get_mut(conn).filter(|session| !session.closing) else { return };
        let Some(feed) = session.feed_mut() else { return };
        let behind = feed.lag_bytes(offset);
        let over_soft = limit.soft > 0 && behind > limit.soft.max(backlog);
        feed.over_soft_since = if over_soft { feed.over_soft_since.or(Some(now_ms)) } else { None };
        let soft = feed.over_soft_since.is_some_and(|since| now_ms - since >= limit.soft_seconds * 1000);
        let hard = limit.hard > 0 && behind > limit.hard.max(backlog) && !made(Mutant::HardLimitAsleep);
        let silent = feed.online() && !feed.legacy && now_ms.saturating_sub(feed.heard_ms) > timeout_ms;
        let stuck =
            matches!(feed.state, State::Sending { .. }) && now_ms.saturating_sub(feed.moved_ms) > timeout_ms;
        if !soft && !hard && !silent && !stuck {
            return;
        }
        let name = feed.name();
        session.closing = true;
        if soft || hard {
            self.stats.output_limit_closes += 1;
            self.note(
                sink,
                Level::Warning,
                format_args!(
                    "Replica {name} is {behind} bytes behind, over its output buffer limit: closing its link"
                ),
            );
        } else {
            let phase = if stuck { "full sync" } else { "streaming sync" };
            self.note(sink, Level::Warning, format_args!("Disconnecting timedout replica ({phase}): {name}"));
        }
        sink.close(conn, false);
    }

    /// What INFO says of one replica beyond Redis' own line: `bytes_behind` and `ms_behind` count from what it
    /// acknowledged (from the cut while it takes a snapshot; -1 while it waits for one), `cut_in_ms` is how long it may
    /// stay over the soft limit (-1 when it is not over it), `sync` is how it came, and `full_sync_bytes` how much of a
    /// snapshot it was given.
    pub(super) fn info_lag(&self, page: &mut Page, index: usize, feed: &Feed, now_ms: u64) {
        let offset = self.stream.offset();
        let from = if feed.answered { feed.acked } else { feed.sent };
        let (bytes, ms) = if feed.waiting() {
            ("-1".to_owned(), "-1".to_owned())
        } else {
            (offset.saturating_sub(from).to_string(), self.marks.age_ms(from, now_ms).to_string())
        };
        let soft_ms = self.config.client_output_buffer_limit.replica.soft_seconds * 1000;
        let cut = feed.over_soft_since.map(|since| (since + soft_ms).saturating_sub(now_ms));
        let cut = cut.map_or("-1".to_owned(), |ms| ms.to_string());
        page.line(
            &format!("replica{index}"),
            format_args!(
                "bytes_behind={bytes},ms_behind={ms},cut_in_ms={cut},sync={},full_sync_bytes={}",
                feed.why_full.map_or("partial", |reason| reason.word()),
                feed.snapshot_bytes
            ),
        );
    }

    /// The first position that some replica has not acknowledged.
    pub(super) fn slowest_acknowledged(&self) -> u64 {
        let feeds = self.feeds.iter().filter_map(|&conn| self.sessions.get(conn)?.feed());
        feeds
            .filter(|feed| !feed.waiting())
            .map(|feed| if feed.answered { feed.acked } else { feed.sent })
            .min()
            .unwrap_or(u64::MAX)
    }
}
