//! Where the memory goes: MEMORY, and the figures that INFO shows too.
//!
//! What is known of the data set is exact: each table keeps count of its entries. What Redis asks of its allocator is zero
//! here, because ours tells nothing.

use std::fmt::Write as _;

use crate::command::args::{Options, integer, is};
use crate::command::{Failure, error};
use crate::data::Now;
use crate::replication::Backlog;
use crate::resp::{Args, Reply};

use super::session::Session;
use super::{Node, Sink, Vitals};

/// What a server takes before it has data, about, in bytes.
const STARTUP: u64 = 1 << 20;
/// Entries that MEMORY PURGE frees at once; the rest goes as it does otherwise.
const PURGED: usize = 100_000;
/// Less than this is not worth a diagnosis, in bytes.
const LITTLE: u64 = 5 << 20;
/// Memory lost between the pieces, in bytes, that is worth a word.
const LOST: u64 = 10 << 20;
/// What a client takes on average, in bytes, that is worth a word.
const BIG_CLIENT: u64 = 200 << 10;

/// Bytes by what they are for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures {
    pub(super) used: u64,
    pub(super) peak: u64,
    pub(super) startup: u64,
    pub(super) backlog: u64,
    pub(super) replicas: u64,
    /// Clients, whose number is `client_count`.
    pub(super) clients: u64,
    pub(super) client_count: u64,
    /// Everything but the data.
    pub(super) overhead: u64,
    pub(super) dataset: u64,
    pub(super) rss: u64,
}

impl Node {
    /// What there is to say; `serving` is not in the table of connections now.
    pub(super) fn memory_figures(&self, serving: &Session, vitals: &Vitals) -> Figures {
        let (mut clients, mut client_count, mut replicas) = (0, 0, 0);
        for session in self.sessions.iter().chain([serving]) {
            if session.is_client() {
                clients += session.memory() as u64;
                client_count += 1;
            } else if session.feed().is_some() {
                replicas += session.memory() as u64;
            }
        }
        let backlog = self.stream.backlog().map_or(0, Backlog::memory);
        let tables: usize = (0..self.keyspace.databases()).map(|db| self.keyspace.overhead(db)).sum();
        let everything = self.keyspace.memory() as u64;
        let beside = STARTUP + backlog + clients + replicas;
        let used = if vitals.allocated > 0 { vitals.allocated } else { beside + everything };
        Figures {
            used,
            peak: vitals.rss_peak.max(used),
            startup: STARTUP,
            backlog,
            replicas,
            clients,
            client_count,
            overhead: beside + tables as u64,
            dataset: everything.saturating_sub(tables as u64),
            rss: vitals.rss,
        }
    }

    /// `MEMORY USAGE key [SAMPLES count]`: bytes of the entry with all that is in it, and its share of the table. However many
    /// samples are asked for, the answer is exact.
    pub(super) fn memory_usage(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        now: Now,
    ) -> Result<(), Failure> {
        let mut options = Options::from(args, 3);
        while let Some(word) = options.next() {
            if !is(word, "SAMPLES") || integer(options.value()?)? < 0 {
                return Err(error::SYNTAX);
            }
        }
        let (db, key) = (session.db, args.get(2));
        let past = |at: u64| at <= now.wall_ms;
        let alive = self.keyspace.get(db, key).is_some_and(|entry| !entry.expire().is_some_and(past));
        match self.keyspace.footprint(db, key).filter(|_| alive) {
            Some(bytes) => session.reply.count(bytes),
            None => session.reply.null(),
        }
        Ok(())
    }

    /// `MEMORY STATS`
    pub(super) fn memory_stats(&self, session: &mut Session, sink: &mut dyn Sink) {
        let figures = self.memory_figures(session, &sink.vitals());
        let databases = (0..self.keyspace.databases()).filter(|&db| self.keyspace.len(db) > 0);
        let keys: usize = databases.clone().map(|db| self.keyspace.len(db)).sum();
        let net = figures.used.saturating_sub(figures.startup);
        let reply = &mut session.reply;
        reply.map(27 + databases.clone().count());
        line(reply, "peak.allocated", figures.peak);
        line(reply, "total.allocated", figures.used);
        line(reply, "startup.allocated", figures.startup);
        line(reply, "replication.backlog", figures.backlog);
        line(reply, "clients.slaves", figures.replicas);
        line(reply, "clients.normal", figures.clients);
        for name in ["cluster.links", "aof.buffer", "lua.caches", "functions.caches"] {
            line(reply, name, 0);
        }
        for db in databases {
            reply.bulk(format!("db.{db}").as_bytes());
            reply.map(3);
            line(reply, "overhead.hashtable.main", self.keyspace.overhead(db) as u64);
            // A deadline lies in its entry, and there are no slots.
            line(reply, "overhead.hashtable.expires", 0);
            line(reply, "overhead.hashtable.slot-to-keys", 0);
        }
        line(reply, "overhead.total", figures.overhead);
        line(reply, "keys.count", keys as u64);
        line(reply, "keys.bytes-per-key", net.checked_div(keys as u64).unwrap_or(0));
        line(reply, "dataset.bytes", figures.dataset);
        ratio_line(reply, "dataset.percentage", 100.0 * ratio(figures.dataset, net));
        ratio_line(reply, "peak.percentage", 100.0 * ratio(figures.used, figures.peak));
        for name in ["allocator.allocated", "allocator.active", "allocator.resident"] {
            line(reply, name, 0);
        }
        for name in ["allocator-fragmentation", "allocator-rss", "rss-overhead"] {
            ratio_line(reply, &format!("{name}.ratio"), 0.0);
            line(reply, &format!("{name}.bytes"), 0);
        }
        ratio_line(reply, "fragmentation", ratio(figures.rss, figures.used));
        reply.bulk(b"fragmentation.bytes");
        let lost = i128::from(figures.rss) - i128::from(figures.used);
        reply.int(i64::try_from(lost).unwrap_or(i64::MAX));
    }

    /// `MEMORY DOCTOR`
    pub(super) fn memory_doctor(&self, session: &mut Session, sink: &mut dyn Sink) {
        let figures = self.memory_figures(session, &sink.vitals());
        session.reply.verbatim("txt", diagnosis(&figures).as_bytes());
    }

    /// `MEMORY PURGE`: what waits to be freed, and room that buffers keep for later.
    pub(super) fn memory_purge(&mut self, session: &mut Session) {
        for other in self.sessions.iter_mut() {
            other.pending.shrink_to_fit();
        }
        self.more_to_reclaim = self.keyspace.reclaim(PURGED);
        session.reply.ok();
    }
}

/// `MEMORY MALLOC-STATS`: ours has no such text.
pub(super) fn no_malloc_stats(session: &mut Session) {
    session.reply.bulk(b"Stats not supported for the current allocator");
}

fn line(reply: &mut Reply, name: &str, value: u64) {
    reply.bulk(name.as_bytes());
    reply.int(i64::try_from(value).unwrap_or(i64::MAX));
}

fn ratio_line(reply: &mut Reply, name: &str, value: f64) {
    reply.bulk(name.as_bytes());
    reply.double(value);
}

#[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// What is remarkable, with what to do about it.
fn diagnosis(figures: &Figures) -> String {
    if figures.used < LITTLE {
        return "There is next to nothing in memory here, so there is nothing to find. Ask again when there is data.\n"
            .to_owned();
    }
    let mut found = Vec::new();
    if ratio(figures.peak, figures.used) > 1.5 {
        found.push(
            "Peak: the process took half as much again, or more, at some time. What it does not need now it may keep for \
             itself, so the system may see more memory in use than there is data."
                .to_owned(),
        );
    }
    if ratio(figures.rss, figures.used) > 1.4 && figures.rss.saturating_sub(figures.used) > LOST {
        found.push(
            "Fragmentation: the system gave much more memory than is in use. Values of many sizes that come and go leave \
             gaps; a restart, or a failover to a replica, closes them."
                .to_owned(),
        );
    }
    if let Some(average) = figures.clients.checked_div(figures.client_count).filter(|&each| each > BIG_CLIENT)
    {
        found.push(format!(
            "Clients: they take {average} bytes each. Some send faster than they are served, or do not read what they asked \
             for: CLIENT LIST shows who (tot-mem), maxmemory-clients limits all of them together."
        ));
    }
    if figures.replicas > LOST {
        found.push(
            "Replicas: much waits to be sent to them. One that cannot keep up will be cut off by \
             client-output-buffer-limit; INFO replication shows how far each is."
                .to_owned(),
        );
    }
    if found.is_empty() {
        return "Nothing is remarkable about the memory of this server.\n".to_owned();
    }
    let mut text = String::from("This is remarkable about the memory of this server:\n\n");
    for finding in found {
        // Writing to a string cannot fail.
        let _ = writeln!(text, " * {finding}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEALTHY: Figures = Figures {
        used: 100 << 20,
        peak: 100 << 20,
        startup: STARTUP,
        backlog: 1 << 20,
        replicas: 0,
        clients: 1000,
        client_count: 1,
        overhead: 3 << 20,
        dataset: 97 << 20,
        rss: 110 << 20,
    };

    #[test]
    fn each_illness_is_named_and_health_too() {
        assert!(diagnosis(&HEALTHY).starts_with("Nothing is remarkable"));
        assert!(diagnosis(&Figures { used: 1 << 20, ..HEALTHY }).starts_with("There is next to nothing"));
        let ill = [
            ("Peak", Figures { peak: 200 << 20, ..HEALTHY }),
            ("Fragmentation", Figures { rss: 200 << 20, ..HEALTHY }),
            ("Clients", Figures { clients: 3 << 20, client_count: 2, ..HEALTHY }),
            ("Replicas", Figures { replicas: 20 << 20, ..HEALTHY }),
        ];
        for (name, figures) in ill {
            let text = diagnosis(&figures);
            assert!(text.contains(&format!(" * {name}:")), "{text}");
            assert_eq!(text.matches(" * ").count(), 1, "{text}");
        }
    }
}
