//! What can be typed: clap types only, no behaviour. Every verb's `--help` ends with examples that run as they stand.
//!
//! Flat: its length is the number of verbs.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

mod change;
mod file;
mod life;
mod proving;
mod see;

pub use change::{AutofailoverArgs, PromoteArgs, ReplicaofArgs, SuccessionArgs, Switch, WaitArgs};
pub use file::{ExecArgs, ExportArgs, ExportForm, InitArgs, PlanArgs, WantedArgs};
pub use life::{KillArgs, SelArgs, StartArgs};
pub use proving::{DrillArgs, LoadArgs, Pick};
pub use see::{
    CallArgs, DoctorArgs, EnvArgs, EventsArgs, GraphArgs, GraphFormat, InfoArgs, PathsArgs, VerifyArgs,
    WatchArgs,
};
mod breaking;

pub use breaking::{CutArgs, DelayArgs, FaultsArgs, HealArgs, PartitionArgs, ThrottleArgs};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "rctl",
    version,
    about = "Start, watch, break and promote a local Redis-compatible master/replica set",
    after_help = "Three commands to begin with:\n  rctl up topologies/one-master-two-replicas.toml\n  rctl status\n  rctl promote 6381\n\n\
                  SEL is a port, a name, host:port, master, replicas, all, up, down or a glob on names; several are joined by commas.\n\
                  Exit codes: rctl help exit-codes",
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// What holds for every verb.
    #[command(flatten)]
    pub global: Global,
    /// The verb.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Options that every verb understands.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// The set to act on, by its name; may be left out when one set is running
    #[arg(long, global = true, env = "RCTL_TOPOLOGY", value_name = "NAME", help_heading = "Global options")]
    pub topology: Option<String>,
    /// Where rctl keeps what it knows [default: $XDG_STATE_HOME/rctl, else ~/.local/state/rctl]
    #[arg(long, global = true, env = "RCTL_STATE_DIR", value_name = "DIR", help_heading = "Global options")]
    pub state_dir: Option<PathBuf>,
    /// Colour: auto means on a terminal, unless NO_COLOR is set
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "auto",
        value_name = "WHEN",
        help_heading = "Global options"
    )]
    pub color: When,
    /// Draw with ASCII characters only (automatic where the locale is not UTF-8)
    #[arg(long, global = true, help_heading = "Global options")]
    pub ascii: bool,
    /// Only the answer: no progress, no hints
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub quiet: bool,
    /// Echo every Redis command sent to a node, with its reply
    #[arg(long, global = true, help_heading = "Global options")]
    pub show_commands: bool,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Every verb.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Start a set, or converge a running one to its file, and wait until replication is really up
    #[command(
        after_help = "Examples:\n  rctl up topologies/one-master-two-replicas.toml\n  rctl up --replicas 3 --port-base 7379\n  rctl up --engine redis"
    )]
    Up(UpArgs),
    /// Stop everything, replicas first; data is kept unless --purge
    #[command(after_help = "Examples:\n  rctl down\n  rctl down --purge")]
    Down(DownArgs),
    /// Who follows whom, and is it true
    #[command(
        after_help = "Examples:\n  rctl status\n  rctl status -o wide\n  rctl status --json\n  rctl status --exit-code"
    )]
    Status(StatusArgs),
    /// The same, live: the table, the offset race, what happens, and keys that break and mend
    #[command(
        after_help = "On no terminal, a line for each change.\n\nExamples:\n  rctl watch\n  rctl watch --read-only --interval 2s\n  rctl watch --json"
    )]
    Watch(WatchArgs),
    /// Every set on this machine
    #[command(after_help = "Examples:\n  rctl ps\n  rctl ps --json")]
    Ps(PsArgs),
    /// Validate a topology file: every problem at once
    #[command(
        after_help = "Examples:\n  rctl check topologies/one-master-two-replicas.toml\n  rctl check topologies/chain.toml --json\n  rctl check --schema"
    )]
    Check(CheckArgs),
    /// Run a file's set in a simulated world where everything goes wrong, and tell the story
    #[command(
        after_help = "Examples:\n  rctl sim topologies/chain.toml --seed 7\n  rctl sim topologies/tree.toml --seed 7 --steps 500 --json"
    )]
    Sim(SimArgs),
    /// Start stopped or crashed nodes
    #[command(after_help = "Examples:\n  rctl start 6380\n  rctl start down")]
    Start(StartArgs),
    /// Stop nodes gracefully (SIGTERM, then SIGKILL)
    #[command(after_help = "Examples:\n  rctl stop 6380\n  rctl stop replicas")]
    Stop(SelArgs),
    /// Stop nodes and start them again
    #[command(after_help = "Examples:\n  rctl restart 6380")]
    Restart(StartArgs),
    /// Kill nodes at once, as a crash would
    #[command(after_help = "Examples:\n  rctl kill master\n  rctl kill 6380 --signal TERM")]
    Kill(KillArgs),
    /// Freeze the processes of nodes (SIGSTOP)
    #[command(after_help = "Examples:\n  rctl pause 6380")]
    Pause(SelArgs),
    /// Let frozen processes run again (SIGCONT)
    #[command(after_help = "Examples:\n  rctl resume 6380\n  rctl resume all")]
    Resume(SelArgs),
    /// Point one node at another: the raw command, nothing else moves
    #[command(
        after_help = "Examples:\n  rctl replicaof 6380 6379\n  rctl replicaof 6381 no one\n  rctl replicaof 6380 6379 -n"
    )]
    Replicaof(ReplicaofArgs),
    /// Make a node the master of its set, and move the others
    #[command(after_help = "Examples:\n  rctl promote 6381\n  rctl promote 6381 -n")]
    Promote(PromoteArgs),
    /// Hand the mastership over to the best replica, without loss
    #[command(
        after_help = "Examples:\n  rctl switchover\n  rctl switchover -n\n  rctl switchover --timeout 5s"
    )]
    Switchover(SuccessionArgs),
    /// The master is gone: promote the most advanced replica, and say how many bytes died with it
    #[command(after_help = "Examples:\n  rctl failover\n  rctl failover -n\n  rctl failover --show-commands")]
    Failover(SuccessionArgs),
    /// Let the supervisor fail over by itself where a master stays away
    #[command(
        after_help = "Examples:\n  rctl autofailover on --down-after 500ms\n  rctl autofailover status\n  rctl autofailover off"
    )]
    Autofailover(AutofailoverArgs),
    /// Wait until something is true of the set: no sleeps in scripts
    #[command(
        after_help = "COND is one of\n  ready            every node is writable or in sync\n  in-sync          no replica lacks a byte\n  master-changed   another node is the master than when waiting began\n  6381=master      also replica, up, down, and every state of rctl status --json\n  6381 behind<1kB  a replica lacks less than that\n\nExamples:\n  rctl wait ready\n  rctl wait 6381=master 6379=down --timeout 5s\n  rctl wait \"6381 behind<1kB\""
    )]
    Wait(WaitArgs),
    /// Show what `up` would do, and do nothing
    #[command(
        after_help = "Examples:\n  rctl plan topologies/one-master-two-replicas.toml\n  rctl plan --exit-code\n  rctl plan --replicas 3 --json"
    )]
    Plan(PlanArgs),
    /// Print connection strings by role, for a shell
    #[command(after_help = "Examples:\n  rctl env\n  eval \"$(rctl env)\"\n  rctl env --json")]
    Env(EnvArgs),
    /// Run a command beside a set of its own, on free ports, and take the set down with it
    #[command(
        after_help = "The command finds REDIS_URL, REDIS_MASTER_URL and REDIS_REPLICA_URLS (joined by commas).\n\nExamples:\n  rctl exec -- sh -c 'redis-cli -u $REDIS_URL set name leon'\n  rctl exec topologies/chain.toml -- rctl status\n  rctl exec --replicas 1 --engine redis -- env"
    )]
    Exec(ExecArgs),
    /// Write a topology file with comments; an existing file is never touched
    #[command(
        after_help = "Examples:\n  rctl init\n  rctl init --chain 3 chain.toml\n  rctl init --tree 2x2 --port-base 7000 -"
    )]
    Init(InitArgs),
    /// Who follows whom as a picture, with the lag on each edge
    #[command(
        after_help = "Examples:\n  rctl graph\n  rctl graph -o mermaid\n  rctl graph -o dot | dot -Tsvg > set.svg"
    )]
    Graph(GraphArgs),
    /// INFO of a node as a table; --explain says what each field means
    #[command(
        after_help = "Examples:\n  rctl info 6379\n  rctl info 6380 replication --explain\n  rctl info master memory --json"
    )]
    Info(InfoArgs),
    /// What happened, when, and by whom
    #[command(after_help = "Examples:\n  rctl events\n  rctl events -f\n  rctl events 6380 -n 5 --json")]
    Events(EventsArgs),
    /// The same command on many nodes
    #[command(
        after_help = "Examples:\n  rctl call all dbsize\n  rctl call replicas get name\n  rctl call --json up config get maxmemory"
    )]
    Call(CallArgs),
    /// Do the nodes hold the same data, and which keys differ on whom
    #[command(
        after_help = "Ends with 12 where they differ.\n\nExamples:\n  rctl verify\n  rctl verify 6386 6379\n  rctl verify --json"
    )]
    Verify(VerifyArgs),
    /// Checks of this machine and of its sets, each with a fix
    #[command(
        after_help = "Examples:\n  rctl doctor\n  rctl doctor --json\n  rctl doctor --state-dir /tmp/rctl"
    )]
    Doctor(DoctorArgs),
    /// Where everything is: state, sockets, configuration files, data, logs
    #[command(after_help = "Examples:\n  rctl paths\n  rctl paths --json\n  rctl paths --topology lab")]
    Paths(PathsArgs),
    /// The same topology for real servers, without rctl
    #[command(
        after_help = "Examples:\n  rctl export compose > compose.yaml\n  rctl export conf topologies/chain.toml -o conf\n  rctl export sh --replicas 2 > set.sh"
    )]
    Export(ExportArgs),
    /// Add a node to a running set
    #[command(after_help = "Examples:\n  rctl add 6382\n  rctl add 6382 --replica-of 6379")]
    Add(AddArgs),
    /// Stop a node and take it out of its set
    #[command(after_help = "Examples:\n  rctl remove 6382\n  rctl remove 6382 --purge")]
    Remove(RemoveArgs),
    /// Cut links between nodes: closed and refused, or silent
    #[command(after_help = "Examples:\n  rctl cut 6380\n  rctl cut 6379-6381 --silent\n  rctl cut replicas")]
    Cut(CutArgs),
    /// Make a link late, each way
    #[command(
        after_help = "Examples:\n  rctl delay 6380 200ms\n  rctl delay 6379-6381 2s\n  rctl delay replicas 50ms"
    )]
    Delay(DelayArgs),
    /// Make a link slow, each way
    #[command(
        after_help = "Examples:\n  rctl throttle 6380 64kB/s\n  rctl throttle 6379-6381 1MB/s\n  rctl throttle replicas 500B/s"
    )]
    Throttle(ThrottleArgs),
    /// Cut every link between some nodes and the rest
    #[command(
        after_help = "Examples:\n  rctl partition 6379\n  rctl partition 6380,6381\n  rctl partition master --silent"
    )]
    Partition(PartitionArgs),
    /// What is wrong with which links on purpose
    #[command(after_help = "Examples:\n  rctl faults\n  rctl faults --json\n  rctl faults -o json")]
    Faults(FaultsArgs),
    /// Take faults away: one, those of a node or a link, or all
    #[command(after_help = "Examples:\n  rctl heal\n  rctl heal 6380\n  rctl heal 6379-6381\n  rctl heal 1")]
    Heal(HealArgs),
    /// Write numbered keys, follow the master, and tell what of them survived
    #[command(
        after_help = "Examples:\n  rctl load\n  rctl load --rate 500 --for 30s\n  rctl load --clients 4 --wait 1 --json"
    )]
    Load(LoadArgs),
    /// Kill a node under load, recover, and report: the outage, what was lost, who needed a full resync
    #[command(
        after_help = "Examples:\n  rctl drill\n  rctl drill --pick worst --delay 200ms\n  rctl drill --engines builtin,redis"
    )]
    Drill(DrillArgs),
    /// The nodes' logs on one clock
    #[command(after_help = "Examples:\n  rctl logs\n  rctl logs -f replicas\n  rctl logs 6380 -n 20")]
    Logs(LogsArgs),
    /// redis-cli's behaviour, prompt and output
    #[command(
        disable_help_flag = true,
        after_help = "Examples:\n  rctl cli 6380\n  rctl cli 6379 set name leon\n  rctl cli master info replication"
    )]
    Cli(CliArgs),
    /// Run one built-in node in the foreground, with redis-server's flags
    #[command(
        disable_help_flag = true,
        after_help = "Examples:\n  rctl server --port 6379 --dbfilename db1.rdb"
    )]
    Server(ServerArgs),
    /// Print the completion script of a shell
    #[command(
        after_help = "Examples:\n  rctl completions bash > ~/.local/share/bash-completion/completions/rctl\n  rctl completions fish > ~/.config/fish/completions/rctl.fish"
    )]
    Completions(CompletionsArgs),
    /// Help for a verb, or on a topic: exit-codes
    #[command(after_help = "Examples:\n  rctl help up\n  rctl help exit-codes\n  rctl help --man > rctl.1")]
    Help(HelpArgs),
    /// Stand before a server that has no link faults of its own
    #[command(hide = true)]
    Proxy(ProxyArgs),
    /// Own the nodes of a set: started by `up`, not by people
    #[command(hide = true)]
    Supervise(SuperviseArgs),
}

/// `rctl up`.
#[derive(Debug, Clone, Args)]
pub struct UpArgs {
    /// Which set.
    #[command(flatten)]
    pub wanted: WantedArgs,
    /// How long to wait until replication is up: 30s, 500ms, 2m
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = duration)]
    pub timeout: std::time::Duration,
    /// Supervise in this terminal; Ctrl-C stops the set
    #[arg(long)]
    pub foreground: bool,
    /// With --foreground: remove the data when the set stops
    #[arg(long, requires = "foreground")]
    pub rm: bool,
    /// Go back to the roles of the file, after a promote
    #[arg(long)]
    pub reset_roles: bool,
    /// Remove nodes that are no longer in the file
    #[arg(long)]
    pub prune: bool,
    /// Start a master even where its replicas hold more than it does
    #[arg(long)]
    pub allow_data_loss: bool,
}

/// `rctl down`.
#[derive(Debug, Clone, Args)]
pub struct DownArgs {
    /// Remove the data, the logs and all that rctl kept of the set
    #[arg(long)]
    pub purge: bool,
}

/// How a reading verb answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// A table for the width of the terminal.
    Table,
    /// The table with every column.
    Wide,
    /// JSON with a `schema` field.
    Json,
}

/// `rctl status`.
#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// The form of the answer
    #[arg(short, long, value_enum, default_value = "table", value_name = "FORM")]
    pub output: OutputFormat,
    /// Short for -o json
    #[arg(long)]
    pub json: bool,
    /// Exit with 11 where a node needs attention
    #[arg(long)]
    pub exit_code: bool,
}

/// `rctl ps`.
#[derive(Debug, Clone, Args)]
pub struct PsArgs {
    /// The form of the answer
    #[arg(short, long, value_enum, default_value = "table", value_name = "FORM")]
    pub output: OutputFormat,
    /// Short for -o json
    #[arg(long)]
    pub json: bool,
}

/// `rctl sim`.
#[derive(Debug, Clone, Args)]
pub struct SimArgs {
    /// The topology file
    pub file: PathBuf,
    /// Decides everything that happens; the same seed tells the same story
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// How many things happen before the faults stop; the seed decides when not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=1_000_000))]
    pub steps: Option<u64>,
    /// The story as JSON
    #[arg(long)]
    pub json: bool,
}

/// `rctl check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// The topology file
    #[arg(required_unless_present = "schema")]
    pub file: Option<PathBuf>,
    /// Problems as JSON
    #[arg(long)]
    pub json: bool,
    /// Print a JSON schema of topology files, for editors
    #[arg(long, exclusive = true)]
    pub schema: bool,
}

/// `rctl add`.
#[derive(Debug, Clone, Args)]
pub struct AddArgs {
    /// The port of the new node
    pub port: u16,
    /// Its upstream; absent, it is a master of its own
    #[arg(long, value_name = "NODE")]
    pub replica_of: Option<String>,
    /// A second handle
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// What runs it [default: as the first node of the set]
    #[arg(long, value_name = "ENGINE")]
    pub engine: Option<String>,
    /// How long to wait until it is ready: 30s, 500ms, 2m
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = duration)]
    pub timeout: std::time::Duration,
}

/// `rctl remove`.
#[derive(Debug, Clone, Args)]
pub struct RemoveArgs {
    /// The node
    pub node: String,
    /// Remove its data and its log too
    #[arg(long)]
    pub purge: bool,
}

/// `rctl logs`.
#[derive(Debug, Clone, Args)]
pub struct LogsArgs {
    /// Which nodes [default: all]
    #[arg(value_name = "SEL")]
    pub selectors: Vec<String>,
    /// Go on as lines are written
    #[arg(short, long)]
    pub follow: bool,
    /// The last N lines of each node
    #[arg(short = 'n', long, default_value_t = 100, value_name = "N")]
    pub lines: usize,
}

/// `rctl cli`: redis-cli's own options, read by the verb.
#[derive(Debug, Clone, Args)]
pub struct CliArgs {
    /// NODE, then redis-cli's options and a command
    #[arg(value_name = "NODE [OPTIONS] [COMMAND]", trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<OsString>,
}

/// `rctl server`: redis-server's own options, read by the server crate.
#[derive(Debug, Clone, Args)]
pub struct ServerArgs {
    /// redis-server's arguments: a config file, then --directive value
    #[arg(value_name = "ARGS", trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<OsString>,
}

/// `rctl completions`.
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `rctl help`.
#[derive(Debug, Clone, Args)]
pub struct HelpArgs {
    /// A verb, or exit-codes
    pub topic: Option<String>,
    /// As a page for man: rctl help --man | man -l -
    #[arg(long)]
    pub man: bool,
}

/// `rctl proxy`.
#[derive(Debug, Clone, Args)]
pub struct ProxyArgs {
    /// The public port
    pub port: u16,
    /// The server program
    pub program: PathBuf,
    /// Its configuration file
    pub conf: PathBuf,
}

/// `rctl supervise`.
#[derive(Debug, Clone, Args)]
pub struct SuperviseArgs {
    /// The directory of the set
    pub dir: PathBuf,
}

/// A duration as people type it: `30s`, `500ms`, `2m`; a bare number is seconds.
fn duration(text: &str) -> Result<std::time::Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.get(digits.len()..).unwrap_or_default();
    let number: u64 = digits.parse().map_err(|_| "use a number and a unit, such as 30s".to_owned())?;
    let ms = match unit {
        "ms" => Some(number),
        "" | "s" => number.checked_mul(1_000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        _ => return Err(format!("unknown unit {unit:?}; use ms, s, m or h")),
    };
    match ms {
        Some(ms) if ms <= 86_400_000 => Ok(std::time::Duration::from_millis(ms)),
        _ => Err("at most a day".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_visible_verb_shows_an_example() {
        for verb in Cli::command().get_subcommands().filter(|v| !v.is_hide_set()) {
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(
                help.contains(&format!("rctl {}", verb.get_name())),
                "{} has no example",
                verb.get_name()
            );
        }
    }

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        assert_eq!(duration("30s").unwrap().as_millis(), 30_000);
        assert_eq!(duration("500ms").unwrap().as_millis(), 500);
        assert_eq!(duration("2").unwrap().as_millis(), 2_000);
        for bad in ["", "s", "-1s", "1y", "99999999999999999999s", "25h", "1.5s"] {
            assert!(duration(bad).is_err(), "{bad} was accepted");
        }
    }

    #[test]
    fn redis_cli_options_reach_the_verb_untouched() {
        let cli = Cli::try_parse_from(["rctl", "cli", "6380", "-n", "1", "get", "--color"]).unwrap();
        let Verb::Cli(args) = cli.verb else { panic!("not cli") };
        assert_eq!(args.args, ["6380", "-n", "1", "get", "--color"]);
    }
}
