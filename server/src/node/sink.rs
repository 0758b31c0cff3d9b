//! What the node asks of the world. Three implementations: the shell's sockets and files, the recorder of the
//! unit tests, the simulated network.
//!
//! Order of calls is order of effects. Nothing here returns an `io::Error`: where the world can refuse, it
//! answers with a sentence.

use std::fmt;

use crate::fault::Rule;

/// A connection, named by the shell: a slot and a generation, so that a late input for a closed connection
/// reaches nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId {
    /// Index of the slot; small and dense, so that tables can be vectors.
    pub slot: u32,
    /// Changes each time the slot is used again.
    pub generation: u32,
}

/// How loud a notice is. The names are redis.conf's `loglevel` values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Everything.
    Debug,
    /// Rarely useful, not a mess.
    Verbose,
    /// What one wants to read.
    Notice,
    /// What one must read.
    Warning,
}

/// The letter a log line carries: who is speaking (`M`, `S`, `C`, as redis-server's lines do).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// A master.
    Master,
    /// A replica.
    Replica,
}

/// What the node asks of the world.
pub trait Sink {
    /// `conn` has bytes to send: call [`super::Node::drain`] before the turn ends. Said at most once per turn.
    fn output_ready(&mut self, conn: ConnId);
    /// Close `conn`. With `after_output`, what is unsent goes out first (a bounded wait).
    fn close(&mut self, conn: ConnId, after_output: bool);
    /// Stop reading from `conn`, or read again: back-pressure, parked and paused clients.
    fn reading(&mut self, conn: ConnId, on: bool);
    /// From now on small pieces of output of `conn` may wait for more, so that fewer packets go out
    /// (`repl-disable-tcp-nodelay`).
    fn coalesce(&mut self, conn: ConnId) {
        let _ = conn;
    }
    /// Connect to `host:port` (a name or an address); answer with [`super::Node::dialed`] and this `ticket`.
    fn dial(&mut self, ticket: u64, host: &str, port: u16);
    /// `conn` turned out to be the replication link of the node that listens on `port`. `false` where that link is
    /// refused on purpose: then it is closed, and nothing more of it is served.
    fn introduced(&mut self, conn: ConnId, port: u16) -> bool {
        let _ = (conn, port);
        true
    }
    /// From now on this is wrong with the replication link from the node that listens on `port`; without a port, with
    /// none.
    ///
    /// # Errors
    /// A world that has no links to break says so.
    fn fault_link(&mut self, port: Option<u16>, rule: Rule) -> Result<(), String> {
        let _ = (port, rule);
        Err("links have no faults here".to_owned())
    }
    /// What is wrong with which link.
    fn faulted_links(&self) -> Vec<(u16, Rule)> {
        Vec::new()
    }
    /// One line for the log.
    fn log(&mut self, level: Level, voice: Voice, text: fmt::Arguments<'_>);
    /// Whether a line of this level is written at all, so that nobody formats one that is not.
    fn logs(&self, level: Level) -> bool;
    /// A snapshot for the file `dbfilename` has begun: pull it with [`super::Node::save_chunk`], write it beside the old
    /// file, fsync, rename, fsync the directory, then call [`super::Node::save_done`]. `urgent` means a client
    /// or a shutdown waits: drive it to its end before anything else.
    fn save(&mut self, urgent: bool);
    /// The running save is not wanted any more: forget the temporary file.
    fn save_abandoned(&mut self);
    /// Replace the configuration file by this text (temporary file, fsync, rename).
    ///
    /// # Errors
    /// A sentence saying what the system refused.
    fn write_config(&mut self, text: &str) -> Result<(), String>;
    /// Keep these bytes in a new file of this name beside the data, for people: nothing reads it again.
    ///
    /// # Errors
    /// A sentence saying what the system refused.
    fn keep(&mut self, name: &str, bytes: &[u8]) -> Result<(), String> {
        let _ = (name, bytes);
        Err("nothing is kept here".to_owned())
    }
    /// Apply a changed setting that only the shell can apply (`port`, `bind`, `maxclients`, `logfile`, `dir`,
    /// `loglevel`).
    ///
    /// # Errors
    /// A sentence saying what the system refused; the setting then stays as it was.
    fn configure(&mut self, name: &str, value: &str) -> Result<(), String>;
    /// A clock that only moves forward, in nanoseconds from some moment, for measuring what a command takes. In a world
    /// without one, nothing takes any time.
    fn clock_ns(&mut self) -> u64 {
        0
    }
    /// Sleep on purpose, stopping the whole server (DEBUG SLEEP), for this many microseconds.
    fn stall(&mut self, micros: u64);
    /// Process figures for INFO and for `used_memory`.
    fn vitals(&mut self) -> Vitals;
    /// CONFIG RESETSTAT: counters and maxima among the vitals begin anew.
    fn reset_vitals(&mut self) {}
    /// End the process with this code, after unsent output had its chance.
    fn exit(&mut self, code: i32);
}

/// Figures only the shell can know.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Vitals {
    /// Resident set, bytes.
    pub rss: u64,
    /// Highest resident set so far, bytes.
    pub rss_peak: u64,
    /// Bytes handed out by the allocator, as far as it tells; 0 when it does not.
    pub allocated: u64,
    /// Physical memory of the machine, bytes.
    pub system_memory: u64,
    /// User CPU time of the process, microseconds.
    pub cpu_user_us: u64,
    /// System CPU time of the process, microseconds.
    pub cpu_sys_us: u64,
    /// Longest turn of the loop so far, microseconds.
    pub longest_turn_us: u64,
    /// Longest turn so far in processor time of its own, microseconds.
    pub longest_turn_own_us: u64,
    /// Connections refused at `maxclients`.
    pub rejected_connections: u64,
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peer {
    /// `127.0.0.1:50412`, `[::1]:50412`, or the path of a unix socket with `:0`.
    pub addr: String,
    /// Our own end, in the same form.
    pub laddr: String,
    /// From this machine: a loopback address or a unix socket.
    pub local: bool,
    /// File descriptor number, for CLIENT LIST.
    pub fd: i32,
}
