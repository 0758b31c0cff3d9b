//! Words of the verbs that read or write topology files, and of the one that runs a command beside a set.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::duration;

/// Which set is wanted: a file, or a number of replicas.
#[derive(Debug, Clone, Default, Args)]
pub struct WantedArgs {
    /// The topology file [default: ./rctl.toml, else --replicas on ports from 6379]
    pub file: Option<PathBuf>,
    /// A master and this many replicas, without a file
    #[arg(long, value_name = "N", conflicts_with = "file")]
    pub replicas: Option<u16>,
    /// Move the lowest port to N and keep the distances
    #[arg(long, value_name = "N")]
    pub port_base: Option<u16>,
    /// What runs the nodes: builtin, redis, valkey, or the path of a server program
    #[arg(long, value_name = "ENGINE")]
    pub engine: Option<String>,
    /// Real servers own their ports: no proxy before them, no hop, and their links cannot be broken
    #[arg(long)]
    pub direct: bool,
}

/// `rctl plan`.
#[derive(Debug, Clone, Args)]
pub struct PlanArgs {
    /// Which set.
    #[command(flatten)]
    pub wanted: WantedArgs,
    /// Exit with 10 where `up` would change something
    #[arg(long)]
    pub exit_code: bool,
    /// The whole plan as JSON: directories, programs, arguments, configuration files
    #[arg(long)]
    pub json: bool,
}

/// `rctl exec`.
#[derive(Debug, Clone, Args)]
pub struct ExecArgs {
    /// The topology file [default: ./rctl.toml, else --replicas]
    pub file: Option<PathBuf>,
    /// A master and this many replicas, without a file
    #[arg(long, value_name = "N", conflicts_with = "file")]
    pub replicas: Option<u16>,
    /// What runs the nodes: builtin, redis, valkey, or the path of a server program
    #[arg(long, value_name = "ENGINE")]
    pub engine: Option<String>,
    /// No proxies before real servers: their links cannot be broken
    #[arg(long)]
    pub direct: bool,
    /// How long to wait until the set is up: 30s, 500ms, 2m
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = duration)]
    pub timeout: std::time::Duration,
    /// The command and its arguments
    #[arg(value_name = "CMD", last = true, required = true)]
    pub command: Vec<OsString>,
}

/// `rctl init`.
#[derive(Debug, Clone, Default, Args)]
pub struct InitArgs {
    /// Where to write it; - is the terminal
    #[arg(default_value = "rctl.toml")]
    pub file: PathBuf,
    /// A master and N replicas of it [default: 2]
    #[arg(long, value_name = "N", group = "shape", value_parser = clap::value_parser!(u16).range(0..=255))]
    pub replicas: Option<u16>,
    /// N nodes, each below the one before
    #[arg(long, value_name = "N", group = "shape", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub chain: Option<u16>,
    /// A replicas of the master, and B below each of them
    #[arg(long, value_name = "AxB", group = "shape", value_parser = tree)]
    pub tree: Option<(u16, u16)>,
    /// Add N Sentinels that watch the master
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=9))]
    pub sentinels: Option<u16>,
    /// The port of the master
    #[arg(long, value_name = "N", default_value_t = 6379, value_parser = clap::value_parser!(u16).range(1024..))]
    pub port_base: u16,
}

/// `rctl export`.
#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    /// For what
    #[arg(value_enum, value_name = "FORM", index = 1)]
    pub form: ExportForm,
    /// The topology file [default: ./rctl.toml, else --replicas on ports from 6379]
    #[arg(index = 2)]
    pub file: Option<PathBuf>,
    /// A master and this many replicas, without a file
    #[arg(long, value_name = "N", conflicts_with = "file")]
    pub replicas: Option<u16>,
    /// Move the lowest port to N and keep the distances
    #[arg(long, value_name = "N")]
    pub port_base: Option<u16>,
    /// Write the files into this directory instead of printing them
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// What a topology can be exported to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportForm {
    /// A compose file.
    Compose,
    /// Manifests of Kubernetes.
    Kubernetes,
    /// Units of systemd, with their configuration files.
    Systemd,
    /// A shell script.
    Sh,
    /// Bare configuration files.
    Conf,
}

/// `2x3`: two replicas, three below each.
fn tree(text: &str) -> Result<(u16, u16), String> {
    let parts = text.split_once(['x', 'X', '*']);
    let numbers = parts.and_then(|(wide, deep)| Some((wide.parse().ok()?, deep.parse().ok()?)));
    match numbers {
        Some((wide, deep)) if wide > 0 && u32::from(wide) * (u32::from(deep) + 1) < 256 => Ok((wide, deep)),
        Some(_) => Err("1 to 256 nodes in all".to_owned()),
        None => Err("use two numbers, such as 2x3".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_two_numbers_that_fit_into_one_set() {
        assert_eq!(tree("2x3"), Ok((2, 3)));
        assert_eq!(tree("1x0"), Ok((1, 0)));
        for bad in ["", "2", "x", "0x1", "99x99", "-1x2", "2x3x4"] {
            assert!(tree(bad).is_err(), "{bad}");
        }
    }
}
