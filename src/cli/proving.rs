//! What can be typed to prove what a set does under load and under fault.

use clap::{Args, ValueEnum};

use super::duration;

/// `rctl load`.
#[derive(Debug, Clone, Args)]
pub struct LoadArgs {
    /// Writes per second of all clients [default: as fast as they can]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub rate: Option<u32>,
    /// Clients that write at the same time
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub clients: u16,
    /// After each write, WAIT for this many replicas
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub wait: u16,
    /// How long to write: 30s, 500ms, 2m; Ctrl-C ends it earlier
    #[arg(long = "for", default_value = "10s", value_name = "TIME", value_parser = duration)]
    pub duration: std::time::Duration,
    /// JSON with a `schema` field
    #[arg(long)]
    pub json: bool,
}

/// Which replica a drill promotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Pick {
    /// The one that has most, as `failover` would.
    Best,
    /// The one that has least, on purpose.
    Worst,
}

/// `rctl drill`.
#[derive(Debug, Clone, Args)]
pub struct DrillArgs {
    /// Which node to kill
    #[arg(long, default_value = "master", value_name = "NODE")]
    pub kill: String,
    /// Which replica to promote after it
    #[arg(long, value_enum, default_value = "best", value_name = "WHICH")]
    pub pick: Pick,
    /// Delay the replicas' links first, the second by four times as much and so on; 0s leaves them alone
    #[arg(long, default_value = "50ms", value_name = "TIME", value_parser = duration)]
    pub delay: std::time::Duration,
    /// Writes per second of all clients
    #[arg(long, default_value_t = 1000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub rate: u32,
    /// Clients that write; half of them WAIT for --wait replicas after each write
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=1000))]
    pub clients: u16,
    /// How many replicas the waiting half asks for
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub wait: u16,
    /// How long to write before the kill, and after writes go on
    #[arg(long = "for", default_value = "1s", value_name = "TIME", value_parser = duration)]
    pub duration: std::time::Duration,
    /// Not on the running set, but on a set of its own for each engine: builtin, redis, valkey
    #[arg(long, value_name = "ENGINES", value_delimiter = ',')]
    pub engines: Vec<String>,
    /// JSON with a `schema` field
    #[arg(long)]
    pub json: bool,
}
