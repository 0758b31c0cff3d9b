//! What a slow replica may cost: stream is kept for it within limits, and at a limit it goes.

use std::collections::BTreeMap;

use super::{Seen, Verdict};
use crate::node::{ConnId, Node};

/// The longest time between two looks of an idle node at its replicas, in milliseconds.
const LOOKS_MS: u64 = 1000;

/// What a replica may be behind, as configured; 0 is no limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    hard: u64,
    soft: u64,
    soft_ms: u64,
}

impl Limit {
    pub(super) fn of(node: &Node) -> Self {
        let limit = node.config().client_output_buffer_limit.replica;
        Self { hard: limit.hard, soft: limit.soft, soft_ms: limit.soft_seconds * 1000 }
    }
}

/// What is remembered of a node's replicas, by connection.
#[derive(Debug, Default)]
pub(super) struct Slow {
    /// Where the stream ended when it was first seen reading it: what it missed before is kept anyway.
    joined: BTreeMap<ConnId, u64>,
    /// Since when it has been over the soft limit, in monotonic milliseconds.
    over: BTreeMap<ConnId, u64>,
}

impl Slow {
    /// Replicas that are over a limit are being closed: over the hard one from the input on that made the stream longer,
    /// over the soft one when they were so for its time.
    pub(super) fn judge(&mut self, last: Option<&Seen>, seen: &Seen, now_ms: u64) -> Verdict {
        let Limit { hard, soft, soft_ms } = seen.limit;
        let grew = last.is_some_and(|last| last.id == seen.id && last.offset < seen.offset);
        let mut reading = BTreeMap::new();
        for feed in seen.feeds.iter().filter(|feed| !feed.waiting && !feed.closing) {
            let joined = *self.joined.entry(feed.conn).or_insert(seen.offset);
            reading.insert(feed.conn, seen.offset.saturating_sub(feed.sent.max(joined)));
        }
        let is_over = |bytes: u64| soft > 0 && bytes > soft.max(seen.backlog_size);
        self.joined.retain(|conn, _| reading.contains_key(conn));
        self.over.retain(|conn, _| reading.get(conn).is_some_and(|&bytes| is_over(bytes)));
        for (&conn, &bytes) in &reading {
            if grew && hard > 0 && bytes > hard.max(seen.backlog_size) {
                return Err(format!("dropped: a replica is {bytes} bytes behind and was not dropped"));
            }
            if !is_over(bytes) {
                continue;
            }
            let for_ms = now_ms.saturating_sub(*self.over.entry(conn).or_insert(now_ms));
            if for_ms > soft_ms + LOOKS_MS {
                return Err(format!(
                    "dropped: a replica is {bytes} bytes behind for {for_ms} ms and was not dropped"
                ));
            }
        }
        Ok(())
    }
}

/// The stream kept is what is needed, and no more. `most` is the largest backlog that was ever configured: the pieces
/// in which it is freed are cut to it.
pub(super) fn kept(seen: &Seen, most: u64) -> Verdict {
    let Some(kept) = &seen.kept else { return Ok(()) };
    if let Some(feed) =
        seen.feeds.iter().find(|feed| !feed.closing && !feed.waiting && feed.sent < kept.start)
    {
        return Err(format!(
            "bounded: a replica is at {}, the stream it needs is kept from {}",
            feed.sent, kept.start
        ));
    }
    let reading = seen.feeds.iter().filter(|feed| !feed.waiting && !feed.closing);
    let slowest = reading.map(|feed| feed.sent).min().unwrap_or(kept.end);
    let needed = kept.end.saturating_sub(slowest).max(seen.backlog_size);
    let slack = 2 * (most / 16).clamp(1 << 10, 64 << 10);
    if kept.end - kept.start > needed + slack {
        return Err(format!(
            "bounded: it keeps {} bytes of stream, {needed} are needed",
            kept.end - kept.start
        ));
    }
    Ok(())
}
