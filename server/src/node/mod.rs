//! The server as a value: connections, bytes and ticks go in; replies, notices and requests come out through a
//! [`Sink`]. No clock, no socket, no file, no entropy.

pub mod config;
pub mod sink;

use crate::data::Now;
pub use config::Config;
pub use sink::{ConnId, Level, Peer, Sink, Vitals, Voice};

/// What identifies a process from outside the core: everything here is fixed at start.
#[derive(Debug, Clone, Default)]
pub struct Birth {
    /// Seeds the generator behind replication ids, RANDOMKEY and sampling.
    pub seed: u64,
    /// Seeds the table's hash.
    pub hash_seed: u64,
    /// Process id, for INFO and log lines.
    pub pid: u32,
    /// Path of the executable, for INFO.
    pub executable: String,
    /// `uname`: operating system, release, architecture, for INFO.
    pub os: String,
    /// The text of the configuration file, when there is one: CONFIG REWRITE keeps its comments and order.
    pub config_text: Option<String>,
    /// Absolute path of the configuration file; empty when there is none.
    pub config_file: String,
}

/// Why the process should end or act, as delivered by the operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM.
    Terminate,
    /// SIGINT; a second one ends at once.
    Interrupt,
}

/// What [`Node::drain`] left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Nothing unsent: no interest in writability.
    Empty,
    /// The peer took less than there is: call again when it is writable.
    Blocked,
    /// There is more and the peer took all so far, but the turn's budget is spent: call again next turn.
    Again,
}

/// What [`Node::save_chunk`] gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveStep {
    /// Bytes were appended; there are more to come.
    More,
    /// The last bytes were appended.
    Last,
    /// No save is running.
    Idle,
}

/// The server.
#[derive(Debug)]
pub struct Node {
    config: Config,
}

/// What can happen to it. Each input takes the time and a sink.
impl Node {
    /// A server with this configuration, before anything happened.
    #[must_use]
    pub fn new(config: Config, birth: Birth, now: Now) -> Self {
        let _ = (birth, now);
        Self { config }
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The listeners are open; data was loaded, or there was none. Starts to replicate if it is to.
    pub fn start(&mut self, now: Now, sink: &mut impl Sink) {
        let _ = (now, sink);
    }

    /// A data file of `size` bytes is being loaded: until [`Node::load_end`] clients get `-LOADING`.
    pub fn load_begin(&mut self, size: u64, now: Now, sink: &mut impl Sink) {
        let _ = (size, now, sink);
    }

    /// The next bytes of the file.
    ///
    /// # Errors
    /// The file is damaged or of a kind we do not read; nothing of it is kept.
    pub fn load_chunk(&mut self, bytes: &[u8], now: Now) -> Result<(), String> {
        let _ = (bytes, now);
        Ok(())
    }

    /// The file ended.
    ///
    /// # Errors
    /// It ended too early; nothing of it is kept.
    pub fn load_end(&mut self, now: Now, sink: &mut impl Sink) -> Result<(), String> {
        let _ = (now, sink);
        Ok(())
    }

    /// A client connected.
    pub fn accept(&mut self, conn: ConnId, peer: Peer, now: Now, sink: &mut impl Sink) {
        let _ = (conn, peer, now, sink);
    }

    /// Bytes arrived on `conn`; whatever is not a whole request yet is kept.
    pub fn receive(&mut self, conn: ConnId, bytes: &[u8], now: Now, sink: &mut impl Sink) {
        let _ = (conn, bytes, now, sink);
    }

    /// `conn` is gone: closed by the peer, reset, or closed on our request.
    pub fn closed(&mut self, conn: ConnId, now: Now, sink: &mut impl Sink) {
        let _ = (conn, now, sink);
    }

    /// What became of a [`Sink::dial`]: the new connection, or a sentence saying why not.
    pub fn dialed(
        &mut self,
        ticket: u64,
        result: Result<(ConnId, Peer), String>,
        now: Now,
        sink: &mut impl Sink,
    ) {
        let _ = (ticket, result, now, sink);
    }

    /// Sends what is unsent on `conn`: `write` is given slices in order and says how many bytes it took.
    pub fn drain(
        &mut self,
        conn: ConnId,
        now: Now,
        sink: &mut impl Sink,
        write: &mut dyn FnMut(&[&[u8]]) -> usize,
    ) -> Drained {
        let _ = (conn, now, sink, write);
        Drained::Empty
    }

    /// Appends up to about `budget` bytes of the running save to `out`.
    pub fn save_chunk(&mut self, budget: usize, out: &mut Vec<u8>) -> SaveStep {
        let _ = (budget, out);
        SaveStep::Idle
    }

    /// The save ended: the size of the file, or a sentence saying what failed.
    pub fn save_done(&mut self, result: Result<u64, String>, now: Now, sink: &mut impl Sink) {
        let _ = (result, now, sink);
    }

    /// Monotonic microseconds at which [`Node::tick`] wants to be called, if nothing else happens before.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        None
    }

    /// Time passed. Called at the deadline, and at the end of any turn that passed it.
    pub fn tick(&mut self, now: Now, sink: &mut impl Sink) {
        let _ = (now, sink);
    }

    /// The operating system asked for something.
    pub fn signal(&mut self, signal: Signal, now: Now, sink: &mut impl Sink) {
        let _ = (signal, now, sink);
    }
}
