//! `rctl doctor`: named checks of this machine and of the sets on it, each with a fix that can be typed.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit};
use serde::Serialize;
use tokio::process::Command;
use tokio::time::timeout;

use super::look::report;
use super::status::json;
use super::{Ctx, Outcome, set};
use crate::cli::DoctorArgs;
use crate::error::{Exit, Result};
use crate::supervise::owner;

/// Descriptors that a supervisor of the largest set needs.
const DESCRIPTORS: u64 = 2048;
/// How long a program may take to say its version.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Grade {
    Ok,
    Warn,
    Fail,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Check {
    name: &'static str,
    grade: Grade,
    what: String,
    /// A command that can be typed as it stands.
    fix: Option<String>,
}

#[derive(Serialize)]
struct Answer {
    schema: &'static str,
    ok: bool,
    checks: Vec<Check>,
}

impl Check {
    fn ok(name: &'static str, what: impl Into<String>) -> Self {
        Self { name, grade: Grade::Ok, what: what.into(), fix: None }
    }

    fn warn(name: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, grade: Grade::Warn, what: what.into(), fix: Some(fix.into()) }
    }

    fn fail(name: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, grade: Grade::Fail, what: what.into(), fix: Some(fix.into()) }
    }
}

/// Makes every check. Ends with 5 where one fails; what is only worth knowing ends with 0.
///
/// # Errors
/// None that anybody has seen.
pub async fn run(ctx: &Ctx, args: &DoctorArgs) -> Result<Outcome> {
    let mut checks = vec![state_dir(&ctx.state_root), descriptors(), own_version()];
    let path = std::env::var_os("PATH");
    for (name, program, package) in [
        ("redis-server", "redis-server", "redis-server"),
        ("valkey-server", "valkey-server", "valkey-server"),
        ("redis-sentinel", "redis-sentinel", "redis-sentinel"),
        ("redis-cli", "redis-cli", "redis-tools"),
    ] {
        checks.push(engine(name, program, package, path.as_deref()).await);
    }
    checks.extend(machine());
    checks.extend(sets(ctx).await);
    let worst = checks.iter().any(|check| check.grade == Grade::Fail);
    let exit = if worst { Exit::Environment } else { Exit::Done };
    if args.json {
        return Ok(Outcome { text: json(&Answer { schema: "rctl.doctor/1", ok: !worst, checks })?, exit });
    }
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for check in &checks {
        let grade = match check.grade {
            Grade::Ok => "OK  ",
            Grade::Warn => "WARN",
            Grade::Fail => "FAIL",
        };
        text.push_str(&format!("{grade}  {:width$}  {}\n", check.name, check.what));
        if let Some(fix) = &check.fix {
            text.push_str(&format!("      {:width$}  fix: {fix}\n", ""));
        }
    }
    Ok(Outcome { text, exit })
}

/// Can the state be kept where it is to be kept.
fn state_dir(root: &Path) -> Check {
    const NAME: &str = "state-dir";
    let shown = root.display();
    let elsewhere = "export RCTL_STATE_DIR=/tmp/rctl";
    // The first directory above that is there decides whether the rest can be made.
    let Some(there) = root.ancestors().find(|path| path.exists()) else {
        return Check::fail(NAME, format!("{shown}: nothing of it is there"), elsewhere);
    };
    if !there.is_dir() {
        return Check::fail(NAME, format!("{} is no directory", there.display()), elsewhere);
    }
    if nix::unistd::access(there, nix::unistd::AccessFlags::W_OK).is_err() {
        return Check::fail(NAME, format!("{} may not be written by this user", there.display()), elsewhere);
    }
    match nix::sys::statvfs::statvfs(there) {
        Ok(disk) => {
            let free = disk.blocks_available().saturating_mul(disk.fragment_size());
            match free {
                0..=67_108_863 => {
                    Check::warn(NAME, format!("{shown} has {} MB left", free >> 20), format!("df -h {shown}"))
                }
                _ => Check::ok(NAME, format!("{shown}, {} MB free", free >> 20)),
            }
        }
        Err(_) => Check::ok(NAME, shown.to_string()),
    }
}

fn descriptors() -> Check {
    const NAME: &str = "open-files";
    match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok((soft, _)) if soft >= DESCRIPTORS => Check::ok(NAME, format!("{soft} at once")),
        Ok((soft, hard)) if hard > soft => Check::warn(
            NAME,
            format!("{soft} at once; large sets need {DESCRIPTORS}"),
            format!("ulimit -n {}", hard.min(DESCRIPTORS)),
        ),
        Ok((soft, _)) => {
            Check::warn(NAME, format!("{soft} at once; large sets need {DESCRIPTORS}"), "ulimit -Hn")
        }
        Err(error) => Check::warn(NAME, format!("the limit is not known: {error}"), "ulimit -n"),
    }
}

fn own_version() -> Check {
    Check::ok("builtin", format!("rctl {}", env!("CARGO_PKG_VERSION")))
}

/// A program that can be called, and what it says of itself.
async fn engine(name: &'static str, program: &str, package: &str, path: Option<&OsStr>) -> Check {
    let found = path
        .and_then(|path| std::env::split_paths(path).map(|dir| dir.join(program)).find(|at| at.is_file()));
    let Some(at) = found else {
        return Check::warn(
            name,
            "not on the PATH: sets that name it do not start",
            format!("sudo apt-get install {package}"),
        );
    };
    let mut command = Command::new(&at);
    command.arg("--version").kill_on_drop(true).stdin(std::process::Stdio::null());
    let shown = at.display();
    match timeout(PATIENCE, command.output()).await {
        Ok(Ok(output)) if output.status.success() => {
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            Check::ok(name, format!("{} at {shown}", version(&said)))
        }
        _ => Check::fail(
            name,
            format!("{shown} is there and does not say its version"),
            format!("{shown} --version"),
        ),
    }
}

/// `Redis server v=7.0.15 sha=…` and `redis-cli 7.0.15` both say 7.0.15.
fn version(said: &str) -> String {
    let word = said.split_whitespace().find_map(|word| {
        let word = word.strip_prefix("v=").unwrap_or(word);
        let like = word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.');
        like.then(|| word.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '.' || *c == '-').collect())
    });
    word.unwrap_or_else(|| "an unknown version".to_owned())
}

/// What of the kernel's settings gets in the way.
fn machine() -> Vec<Check> {
    let mut checks = Vec::new();
    if let Ok(text) = std::fs::read_to_string("/proc/sys/vm/overcommit_memory") {
        checks.push(match text.trim() {
            "2" => Check::warn(
                "overcommit",
                "the kernel promises no memory it does not have: saving a large set may fail",
                "sudo sysctl vm.overcommit_memory=1",
            ),
            mode => Check::ok("overcommit", format!("vm.overcommit_memory is {mode}")),
        });
    }
    if let Ok(text) = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range") {
        let lowest: u16 = text.split_whitespace().next().and_then(|low| low.parse().ok()).unwrap_or(32768);
        checks.push(match lowest {
            0..=6400 => Check::warn(
                "port-range",
                format!("clients get ports from {lowest} on, which nodes use, too"),
                "sudo sysctl net.ipv4.ip_local_port_range='32768 60999'",
            ),
            _ => Check::ok("port-range", format!("clients get ports from {lowest} on")),
        });
    }
    let taken = owner::taken(&[6379]);
    if taken.is_empty() {
        checks.push(Check::ok("port-6379", "free, or a node of a set"));
    }
    checks
}

/// Every set that is kept: is its state whole, is it well.
async fn sets(ctx: &Ctx) -> Vec<Check> {
    let mut checks = Vec::new();
    for known in set::known(ctx) {
        let name = known.dir.name();
        let Some(topology) = known.topology.filter(|_| known.dir.load().problem.is_none()) else {
            let problem = known.dir.load().problem.unwrap_or_else(|| format!("{name} has no state"));
            checks.push(Check::warn("set", problem, format!("rctl status --topology {name}")));
            continue;
        };
        if !known.running {
            checks.push(Check::ok("set", format!("{name} is down, its data is kept")));
            continue;
        }
        let Ok(running) = set::Running::reach(known.dir.clone()).await else {
            checks.push(Check::fail(
                "set",
                format!("{name} has nodes, and no supervisor can be reached"),
                format!("rctl status --topology {name}"),
            ));
            continue;
        };
        let seen = report(&topology, Some(&running.facts)).await;
        match seen.problems.first() {
            Some(problem) => checks.push(Check::warn(
                "set",
                format!("{name}: {} {}", problem.port, problem.what),
                problem.fix.clone(),
            )),
            None => checks.push(Check::ok("set", format!("{name} is well, {} nodes", topology.nodes.len()))),
        }
        for warning in &running.facts.warnings {
            checks.push(Check::warn(
                "set",
                format!("{name}: {warning}"),
                format!("rctl paths --topology {name}"),
            ));
        }
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_what_servers_say() {
        assert_eq!(version("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64"), "7.0.15");
        assert_eq!(version("redis-cli 7.0.15\n"), "7.0.15");
        assert_eq!(version("hello"), "an unknown version");
    }

    #[test]
    fn a_state_directory_that_cannot_be_made_fails_with_a_way_out() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let check = state_dir(&file.path().join("state"));
        assert_eq!((check.grade, check.fix.is_some()), (Grade::Fail, true));
        assert_eq!(state_dir(&file.path().parent().unwrap().join("new/state")).grade, Grade::Ok);
    }
}
