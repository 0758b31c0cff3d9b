//! INFO's replication section: who follows whom, how far, and why the last full resync was needed.

use crate::data::Now;
use crate::replication::link::State;

use super::Node;
use super::info::{Page, yes};

impl Node {
    pub(super) fn info_replication(&self, page: &mut Page, now: Now) {
        let now_ms = now.mono_ms();
        page.section("Replication");
        page.line("role", if self.link.is_some() { "slave" } else { "master" });
        if self.link.is_some() {
            self.info_link(page, now_ms);
        }
        page.line("connected_slaves", self.feeds.len());
        if self.config.min_replicas_to_write > 0 && self.config.min_replicas_max_lag > 0 {
            page.line("min_slaves_good_slaves", self.good_replicas(now));
        }
        let feeds = self.feeds.iter().filter_map(|&conn| self.sessions.get(conn)?.feed());
        for (index, feed) in feeds.enumerate() {
            page.line(
                &format!("slave{index}"),
                format_args!(
                    "ip={},port={},state={},offset={},lag={}",
                    feed.shown_ip(),
                    feed.intro.port,
                    feed.state_word(),
                    feed.acked,
                    feed.lag_s(now_ms)
                ),
            );
        }
        page.line("master_failover_state", self.failover_word());
        page.line("master_replid", self.stream.history.id);
        let (second, valid) = match self.stream.history.previous {
            Some((id, shared)) => (id.to_string(), (shared + 1).to_string()),
            None => ("0".repeat(40), "-1".to_owned()),
        };
        page.line("master_replid2", second);
        page.line("master_repl_offset", self.stream.offset());
        page.line("second_repl_offset", valid);
        let kept = self.stream.kept();
        page.line("repl_backlog_active", yes(kept.is_some()));
        page.line("repl_backlog_size", self.config.repl_backlog_size);
        page.line("repl_backlog_first_byte_offset", kept.as_ref().map_or(0, |kept| kept.start + 1));
        page.line("repl_backlog_histlen", kept.map_or(0, |kept| kept.end - kept.start));
        if let Some(reason) = self.stats.last_full {
            page.line("last_full_sync_reason", reason);
        }
        if let Some(bytes) = self.stats.last_full_bytes {
            page.line("last_full_sync_bytes", bytes);
        }
        let feeds = self.feeds.iter().filter_map(|&conn| self.sessions.get(conn)?.feed());
        for (index, feed) in feeds.enumerate() {
            self.info_lag(page, index, feed, now_ms);
        }
    }

    fn info_link(&self, page: &mut Page, now_ms: u64) {
        let Some(link) = &self.link else { return };
        page.line("master_host", &link.host);
        page.line("master_port", link.port);
        page.line("master_link_status", if link.up() { "up" } else { "down" });
        let heard = self
            .link_conn
            .map_or(-1, |_| i64::try_from(now_ms.saturating_sub(link.heard_ms) / 1000).unwrap_or(-1));
        page.line("master_last_io_seconds_ago", heard);
        let receiving = match &link.state {
            State::Receiving(receiving) => Some(receiving),
            _ => None,
        };
        page.line("master_sync_in_progress", yes(receiving.is_some()));
        let pending = self.link_conn.and_then(|conn| self.sessions.get(conn)).map_or(0, |session| {
            if link.up() { (session.pending.len() + session.open_bytes.len()) as u64 } else { 0 }
        });
        page.line("slave_read_repl_offset", self.stream.offset() + pending);
        page.line("slave_repl_offset", self.stream.offset());
        if let Some(receiving) = receiving {
            let (total, read) = (receiving.transfer.total.unwrap_or(0), receiving.transfer.read);
            page.line("master_sync_total_bytes", total);
            page.line("master_sync_read_bytes", read);
            page.line("master_sync_left_bytes", total.saturating_sub(read));
            #[expect(clippy::cast_precision_loss, reason = "a percentage with two decimals")]
            let percent = if total > 0 { read as f64 * 100.0 / total as f64 } else { 0.0 };
            page.line("master_sync_perc", format!("{percent:.2}"));
            page.line("master_sync_last_io_seconds_ago", heard);
        }
        if !link.up() {
            let since = link
                .down_since_ms
                .map_or(-1, |since| i64::try_from(now_ms.saturating_sub(since) / 1000).unwrap_or(-1));
            page.line("master_link_down_since_seconds", since);
            if let Some(why) = &link.held {
                page.line("master_sync_held", super::feeds::plain_text(why.as_bytes()));
            }
            if let Some(error) = &link.last_error {
                page.line("master_link_last_error", super::feeds::plain_text(error.as_bytes()));
            }
        }
        page.line("slave_priority", self.config.replica_priority);
        page.line("slave_read_only", yes(self.config.replica_read_only));
        page.line("replica_announced", yes(self.config.replica_announced));
    }
}
