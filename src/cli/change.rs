//! Words of the verbs that change who follows whom, and of the one that waits for it.

use clap::{Args, ValueEnum};

use super::duration;

/// `rctl switchover` and `rctl failover`.
#[derive(Debug, Clone, Args)]
pub struct SuccessionArgs {
    /// A node of the set that is meant, where it has several masters
    #[arg(value_name = "MASTER")]
    pub master: Option<String>,
    /// Print the Redis commands, send none
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Go on even where acknowledged data would be lost
    #[arg(long)]
    pub allow_data_loss: bool,
    /// How long to wait until the others follow: 30s, 500ms, 2m
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = duration)]
    pub timeout: std::time::Duration,
}

/// `rctl wait`.
#[derive(Debug, Clone, Args)]
pub struct WaitArgs {
    /// ready, in-sync, master-changed, NODE=STATE, NODE behind<SIZE; all must hold at once
    #[arg(value_name = "COND", required = true)]
    pub conditions: Vec<String>,
    /// How long to wait: 30s, 500ms, 2m
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = duration)]
    pub timeout: std::time::Duration,
}

/// `rctl replicaof`.
#[derive(Debug, Clone, Args)]
pub struct ReplicaofArgs {
    /// The node that is told
    pub node: String,
    /// Its new upstream, or `no one`
    #[arg(value_name = "UPSTREAM", required = true, num_args = 1..=2)]
    pub upstream: Vec<String>,
    /// Print the Redis commands, send none
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Go on where the node would lose data that no other node has
    #[arg(long)]
    pub allow_data_loss: bool,
    /// How long to wait until the link is up: 30s, 500ms, 2m
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = duration)]
    pub timeout: std::time::Duration,
}

/// `rctl promote`.
#[derive(Debug, Clone, Args)]
pub struct PromoteArgs {
    /// The node that becomes the master
    pub node: String,
    /// Print the Redis commands, send none
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Promote even where acknowledged data would be lost
    #[arg(long)]
    pub allow_data_loss: bool,
    /// How long to wait until the others follow: 30s, 500ms, 2m
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = duration)]
    pub timeout: std::time::Duration,
}

/// `rctl autofailover`.
#[derive(Debug, Clone, Args)]
pub struct AutofailoverArgs {
    /// What to do
    #[arg(value_enum, value_name = "on, off or status")]
    pub switch: Switch,
    /// With on: how long a master may be away, 500ms, 1s, 2m [default: as it was, else 1s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub down_after: Option<std::time::Duration>,
    /// With status: as JSON
    #[arg(long)]
    pub json: bool,
}

/// What to do with autofailover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// The supervisor promotes a replica where a master stays away.
    On,
    /// It leaves that to people.
    Off,
    /// Is it on, and what has it done.
    Status,
}
