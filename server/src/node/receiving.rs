//! A replica takes a snapshot: into a fresh keyspace, beside the data it serves, swapped in when it is complete and
//! verified. A snapshot that fails changes nothing.

use crate::data::Now;
use crate::mutant::{Mutant, made};
use crate::persist::decode::Decoder;
use crate::replication::ReplId;
use crate::replication::link::{Receiving, State};
use crate::replication::transfer::{Fed, Transfer};

use super::loading::Loader;
use super::session::Session;
use super::{Level, Node, Sink};

impl Node {
    /// From here on the link carries a snapshot.
    pub(super) fn expect_snapshot(&mut self, id: Option<ReplId>, offset: u64, now: Now) {
        self.incoming =
            Some(Box::new((Decoder::new(), Loader::new(self.fresh_keyspace(), self.settings.limits))));
        let receiving = Receiving { id, offset, transfer: Transfer::default(), since_ms: now.mono_ms() };
        self.set_link_state(State::Receiving(Box::new(receiving)));
    }

    /// Snapshot bytes; `None` never, as all of them are taken.
    pub(super) fn receive_snapshot(
        &mut self,
        session: &mut Session,
        rest: &[u8],
        now: Now,
        sink: &mut dyn Sink,
    ) -> Option<usize> {
        let Some(link) = &mut self.link else { return Some(rest.len()) };
        let State::Receiving(receiving) = &mut link.state else { return Some(0) };
        let Some(incoming) = &mut self.incoming else { return Some(rest.len()) };
        let (decoder, loader) = &mut **incoming;
        let was_preparing = receiving.transfer.preparing();
        let fed = receiving.transfer.feed(rest, &mut |body| loader.feed(decoder, body));
        let total = receiving.transfer.total;
        let preparing = receiving.transfer.preparing();
        if was_preparing && !preparing {
            match total {
                Some(total) => self.note(
                    sink,
                    Level::Notice,
                    format_args!("MASTER <-> REPLICA sync: receiving {total} bytes from master to parser"),
                ),
                None => self.note(
                    sink,
                    Level::Notice,
                    format_args!(
                        "MASTER <-> REPLICA sync: receiving streamed RDB from master with EOF to parser"
                    ),
                ),
            }
        }
        match fed {
            Ok(Fed::More) => Some(rest.len()),
            Ok(Fed::Done(used)) => {
                self.snapshot_received(session, now, sink);
                Some(used)
            }
            Err(why) => {
                self.snapshots_failed = self.snapshots_failed.saturating_add(1);
                let why = format!("MASTER <-> REPLICA sync failed, the old data is kept: {why}");
                self.give_up(session, &why, now, sink);
                Some(rest.len())
            }
        }
    }

    /// The snapshot is complete and verified: it replaces what we held.
    fn snapshot_received(&mut self, session: &mut Session, now: Now, sink: &mut dyn Sink) {
        let Some(incoming) = self.incoming.take() else { return };
        let state = self.link.as_mut().map(|link| std::mem::take(&mut link.state));
        let Some(State::Receiving(receiving)) = state else { return };
        let (_, loader) = *incoming;
        for loss in loader.losses() {
            self.note(sink, Level::Warning, format_args!("{loss}"));
        }
        let selected = loader.stream_db();
        let keyspace = loader.into_keyspace();
        let keys: usize = (0..keyspace.databases()).map(|db| keyspace.len(db)).sum();
        // Those who follow us hold another history now.
        if !made(Mutant::FeedsKeptAtFullSync) {
            self.drop_feeds(sink);
        }
        self.count_lost_tail(sink);
        self.note(sink, Level::Notice, format_args!("MASTER <-> REPLICA sync: Flushing old data"));
        self.note(sink, Level::Notice, format_args!("MASTER <-> REPLICA sync: Loading DB in memory"));
        self.keyspace.replace_with(keyspace);
        // What clients wrote here may be lost, and their positions mean nothing in another history: should we be a master
        // again, WAIT promises them nothing before they write anew.
        self.sessions
            .iter_mut()
            .filter(|session| session.wrote)
            .for_each(|session| session.last_write = u64::MAX);
        self.stream.restart_at(receiving.offset);
        match receiving.id {
            Some(id) => self.stream.history.adopted(id),
            None => self.stream.history = crate::replication::History::fresh(&mut self.rng),
        }
        self.stream.set_selected(selected);
        session.db = selected;
        self.snapshots_failed = 0;
        self.dirty = 0;
        self.link_is_up(session, now);
        if let Some(link) = &mut self.link {
            link.full_ms = Some(now.mono_ms());
        }
        if let Some(link) = &mut self.link {
            link.resumable = receiving.id.is_some();
        }
        self.stats.last_full_bytes = Some(receiving.transfer.read);
        let elapsed_ms = now.mono_ms().saturating_sub(receiving.since_ms);
        self.note(
            sink,
            Level::Notice,
            format_args!(
                "MASTER <-> REPLICA sync: Finished with success: {keys} keys, {} bytes in {elapsed_ms} ms",
                receiving.transfer.read
            ),
        );
    }
}
