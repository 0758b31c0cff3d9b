//! The server as a value: connections, bytes and ticks go in; replies, notices and requests come out through a
//! [`Sink`]. No clock, no socket, no file, no entropy.
//!
//! Reading order: [`sink`] (what it asks of the world), `session` (one connection), `input` (from bytes to requests), `serve` (from requests to replies),
//! `gates` (reasons to refuse), `propagate` (from effects to the stream), `control` (the commands that need the
//! server). Replication: `feeds`, `slow_feeds` and `output` are a master's side, `upstream`, `greeting`, `receiving` and `apply` a replica's, `roles` and
//! `failover` change sides. `saving` and `loading` are the data file.
//!
//! A session is taken out of the table while it is served and put back after, so that code that serves one
//! connection can write to all others.

mod apply;
mod blocked;
mod caching;
mod calls;
mod clients;
pub mod config;
mod configure;
mod connection;
mod contract;
mod control;
mod crowd;
mod debug;
mod debug_encoding;
mod events;
mod evict;
mod failover;
mod feeds;
mod gates;
mod greeting;
mod info;
mod input;
mod introduction;
mod info_replication;
mod latency;
mod loading;
mod memory;
mod migrate;
mod monitor;
mod output;
mod pauses;
mod propagate;
mod pubsub;
mod receiving;
mod roles;
mod saving;
mod serve;
mod session;
mod sessions;
pub mod sink;
mod slow_feeds;
mod slowlog;
mod spread;
mod stake;
mod stats;
mod stopwatch;
mod timers;
mod tracking;
mod transaction;
mod upstream;
pub mod view;
mod waits;

use std::collections::VecDeque;

use crate::command::Effects;
use crate::command::context::{Expiry, Settings};
use crate::data::{Now, Rng};
use crate::keyspace::Keyspace;
use crate::persist::decode::Decoder;
use crate::replication::{History, Link, Marks, ReplId, Stream};
use crate::resp::Batch;

pub use config::Config;
pub use contract::{Birth, Drained, SaveStep, Signal};
pub use sink::{ConnId, Level, Peer, Sink, Vitals, Voice};

/// The server.
#[derive(Debug)]
pub struct Node {
    config: Config,
    settings: Settings,
    birth: Birth,
    config_file: String,
    config_text: String,
    run_id: String,
    born: Now,
    hash_seed: u64,
    rng: Rng,

    keyspace: Keyspace,
    /// How expired keys look to clients now.
    expiry: Expiry,
    active_expire: bool,
    /// Changes since the last good save.
    dirty: u64,
    loading: Option<Box<loading::Loading>>,
    loaded_keys: u64,
    loaded_expired: u64,
    saving: saving::Saving,
    stopping: Option<saving::Shutdown>,

    sessions: sessions::Sessions,
    client_ids: u64,
    pubsub: pubsub::PubSub,
    monitors: Vec<ConnId>,
    waiting: Vec<ConnId>,
    blocked: blocked::Blocked,
    tracking: tracking::Tracking,
    evictor: evict::Evictor,
    /// The data set is measured before each request.
    limited: bool,
    /// Messages for connections that are being served.
    late: Vec<events::Late>,
    /// Connections that may be served again at the end of this input.
    resumed: Vec<ConnId>,
    pauses: pauses::Pauses,
    /// No gate but a client's own can refuse anything.
    calm: bool,

    stream: Stream,
    feeds: Vec<ConnId>,
    /// When the stream's bytes were written.
    marks: Marks,
    /// The stream offset that the feeds were told of.
    announced_offset: u64,
    /// A GETACK goes out at the end of this input.
    want_ack: bool,
    /// Some replica acknowledged, came or went: waits are to be judged.
    acks_changed: bool,
    no_feeds_since_ms: Option<u64>,
    feeds_second: u64,
    pinged_ms: u64,

    link: Option<Box<Link>>,
    link_conn: Option<ConnId>,
    /// Ids that this process drew as a master before it followed somebody, latest first.
    drawn: VecDeque<ReplId>,
    incoming: Option<Box<(Decoder, loading::Loader)>>,
    snapshots_failed: u32,
    tickets: u64,
    failover: Option<failover::Failover>,
    courier: Option<Box<migrate::Courier>>,

    stats: stats::Stats,
    watch: stopwatch::Stopwatch,
    slow_log: slowlog::SlowLog,
    latency: latency::Latency,
    panics_caught: u64,
    /// Something runs that may leave half a change behind if it is cut off.
    mid_change: bool,
    effects: Effects,
    batch: Batch,
    collecting: Option<propagate::Collected>,
    /// When the next tick is due, in monotonic milliseconds.
    ticked_ms: u64,
    more_to_reclaim: bool,
    more_to_expire: bool,
}

impl Node {
    /// A server with this configuration, before anything happened.
    #[must_use]
    pub fn new(config: Config, birth: Birth, now: Now) -> Self {
        let mut rng = Rng::new(birth.seed);
        let run_id = rng.hex40();
        let history = History::fresh(&mut rng);
        let mut node = Self {
            settings: Settings::default(),
            config_file: birth.config_file.clone(),
            config_text: birth.config_text.clone().unwrap_or_default(),
            run_id,
            born: now,
            hash_seed: birth.hash_seed,
            rng,
            keyspace: Keyspace::new(usize::try_from(config.databases).unwrap_or(16), birth.hash_seed),
            expiry: Expiry::Delete,
            active_expire: true,
            dirty: 0,
            loading: None,
            loaded_keys: 0,
            loaded_expired: 0,
            saving: saving::Saving::new(now.wall_ms / 1000),
            stopping: None,
            sessions: sessions::Sessions::default(),
            client_ids: 0,
            pubsub: pubsub::PubSub::default(),
            monitors: Vec::new(),
            waiting: Vec::new(),
            blocked: blocked::Blocked::default(),
            tracking: tracking::Tracking::default(),
            evictor: evict::Evictor::default(),
            limited: false,
            late: Vec::new(),
            resumed: Vec::new(),
            pauses: pauses::Pauses::default(),
            calm: true,
            stream: Stream::new(history, config.repl_backlog_size),
            feeds: Vec::new(),
            marks: Marks::default(),
            announced_offset: 0,
            want_ack: false,
            acks_changed: false,
            no_feeds_since_ms: None,
            feeds_second: 0,
            pinged_ms: now.mono_ms(),
            link: None,
            link_conn: None,
            drawn: VecDeque::new(),
            incoming: None,
            snapshots_failed: 0,
            tickets: 0,
            failover: None,
            courier: None,
            stats: stats::Stats::default(),
            watch: stopwatch::Stopwatch::default(),
            slow_log: slowlog::SlowLog::default(),
            latency: latency::Latency::default(),
            panics_caught: 0,
            mid_change: false,
            effects: Effects::default(),
            batch: Batch::default(),
            collecting: None,
            ticked_ms: now.mono_ms(),
            more_to_reclaim: false,
            more_to_expire: false,
            birth,
            config,
        };
        node.refresh_settings();
        node
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The listeners are open; data was loaded, or there was none. Starts to replicate if it is to.
    pub fn start(&mut self, now: Now, sink: &mut dyn Sink) {
        if let Some((host, port)) = self.config.replicaof.0.clone() {
            self.follow(host, port, now, sink);
        } else if self.stream.active() {
            self.no_feeds_since_ms = Some(now.mono_ms());
        }
        self.refresh_calm();
        self.settle(now, sink);
    }

    /// Bytes arrived on `conn`; whatever is not a whole request yet is kept.
    pub fn receive(&mut self, conn: ConnId, bytes: &[u8], now: Now, sink: &mut dyn Sink) {
        let Some(mut session) = self.sessions.take(conn) else { return };
        self.stats.net_in += bytes.len() as u64;
        session.active_ms = now.mono_ms();
        match session.kind {
            session::Kind::Upstream => self.master_input(&mut session, bytes, now, sink),
            session::Kind::Courier => self.courier_input(bytes, now, sink),
            _ => self.client_input(&mut session, bytes, now, sink),
        }
        // Replicas are offered what was written before the writer is offered its reply: it goes out first.
        self.sessions.insert(session);
        self.settle(now, sink);
        self.offer_unsent(conn, sink);
    }

    /// After a panic inside [`Node::receive`]: whether it cut off something that changes data or state, so that the
    /// process must end. A request being parsed, a gate or a reading command leave everything as it was.
    #[must_use]
    pub fn is_mid_change(&self) -> bool {
        self.mid_change
    }

    /// A panic was caught while `conn` was served, and [`Node::is_mid_change`] is false; the connection is closed, and
    /// the count shows in INFO.
    pub fn panicked(&mut self, conn: ConnId, sink: &mut dyn Sink) {
        self.panics_caught += 1;
        self.effects.clear();
        self.collecting = None;
        self.watch_stop(sink);
        self.blocked.interrupted();
        sink.close(conn, false);
    }
}
