//! Values that cross between the node and whoever runs it, besides what goes through the [`super::Sink`].

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

/// What [`super::Node::drain`] left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Nothing unsent: no interest in writability.
    Empty,
    /// The peer took less than there is: call again when it is writable.
    Blocked,
    /// There is more and the peer took all so far, but the turn's budget is spent: call again next turn.
    Again,
}

/// What [`super::Node::save_chunk`] gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveStep {
    /// Bytes were appended; there are more to come.
    More,
    /// The last bytes were appended.
    Last,
    /// No save is running.
    Idle,
}
