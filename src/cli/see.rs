//! Words of the verbs that look at a running set and change nothing.

use clap::{Args, ValueEnum};

/// `rctl env`.
#[derive(Debug, Clone, Args)]
pub struct EnvArgs {
    /// As JSON instead of lines for a shell
    #[arg(long)]
    pub json: bool,
}

/// `rctl graph`.
#[derive(Debug, Clone, Args)]
pub struct GraphArgs {
    /// The form of the answer
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    pub output: GraphFormat,
    /// Short for -o json
    #[arg(long)]
    pub json: bool,
}

/// The forms of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// A tree of lines.
    Text,
    /// A Mermaid flowchart.
    Mermaid,
    /// A Graphviz digraph.
    Dot,
    /// Nodes and edges as JSON.
    Json,
}

/// `rctl info`.
#[derive(Debug, Clone, Args)]
pub struct InfoArgs {
    /// The node
    #[arg(index = 1)]
    pub node: String,
    /// replication, server, clients, memory, persistence, stats, … [default: what the server calls default]
    #[arg(index = 2)]
    pub section: Option<String>,
    /// A sentence on each field
    #[arg(long)]
    pub explain: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `rctl events`.
#[derive(Debug, Clone, Args)]
pub struct EventsArgs {
    /// Only what concerns these nodes, and the set as a whole
    #[arg(value_name = "SEL")]
    pub selectors: Vec<String>,
    /// Go on as things happen
    #[arg(short, long)]
    pub follow: bool,
    /// The last N events
    #[arg(short = 'n', long, default_value_t = 100, value_name = "N")]
    pub lines: usize,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// `rctl call`.
#[derive(Debug, Clone, Args)]
pub struct CallArgs {
    /// Ports, names, master, replicas, all, up, globs; joined by commas
    #[arg(value_name = "SEL", index = 1)]
    pub selector: String,
    /// The command and its arguments
    #[arg(
        value_name = "CMD",
        index = 2,
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub command: Vec<String>,
    /// As JSON; goes before SEL
    #[arg(long)]
    pub json: bool,
}

/// `rctl verify`.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// Two nodes or more [default: every node that answers]
    #[arg(value_name = "NODE")]
    pub nodes: Vec<String>,
    /// How long to wait for equal offsets: 30s, 500ms, 2m
    #[arg(long, default_value = "10s", value_name = "TIME", value_parser = super::duration)]
    pub timeout: std::time::Duration,
    /// Show at most N keys that differ
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub limit: usize,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `rctl doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `rctl paths`.
#[derive(Debug, Clone, Args)]
pub struct PathsArgs {
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `rctl watch`.
#[derive(Debug, Clone, Args)]
pub struct WatchArgs {
    /// Keys that change something do nothing
    #[arg(long)]
    pub read_only: bool,
    /// Between two looks at the nodes: 500ms, 2s
    #[arg(long, default_value = "500ms", value_name = "TIME", value_parser = super::duration)]
    pub interval: std::time::Duration,
    /// No screen: a JSON object a line for each change
    #[arg(long)]
    pub json: bool,
}
