//! Words of the verbs on the life of single nodes.

use clap::Args;

/// A verb on a selector.
#[derive(Debug, Clone, Args)]
pub struct SelArgs {
    /// Ports, names, master, replicas, all, up, down, globs; joined by commas
    #[arg(value_name = "SEL", required = true)]
    pub selectors: Vec<String>,
}

/// `rctl start` and `rctl restart`.
#[derive(Debug, Clone, Args)]
pub struct StartArgs {
    /// Ports, names, master, replicas, all, up, down, globs; joined by commas
    #[arg(value_name = "SEL", required = true)]
    pub selectors: Vec<String>,
    /// How long to wait until the nodes answer: 30s, 500ms, 2m
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = super::duration)]
    pub timeout: std::time::Duration,
    /// Start a master even where its replicas hold more than it does
    #[arg(long)]
    pub allow_data_loss: bool,
}

/// `rctl kill`.
#[derive(Debug, Clone, Args)]
pub struct KillArgs {
    /// Ports, names, master, replicas, all, up, down, globs; joined by commas
    #[arg(value_name = "SEL", required = true)]
    pub selectors: Vec<String>,
    /// The signal, by name or number
    #[arg(short, long, default_value = "KILL", value_name = "SIGNAL")]
    pub signal: String,
}
