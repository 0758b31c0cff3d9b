//! `rctl exec [FILE] -- CMD…`: a set for one command, on free ports, in a state directory of its own.
//!
//! Whatever happens to the command, and whatever signal comes, the set is taken down and its directory removed. The
//! command gets the signals that rctl gets; rctl ends with the command's code, 128 and the signal's number where a
//! signal ended it.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::rc::Rc;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use super::env::addresses;
use super::look::report;
use super::set::Running;
use super::{Ctx, down, set, up};
use crate::cli::{DownArgs, ExecArgs, UpArgs, WantedArgs};
use crate::error::{Error, Exit, Result};
use crate::plan::ports::all;
use crate::render::console::Console;
use crate::supervise::owner;
use crate::topology::Topology;

/// Where free ports are looked for: below the range that systems hand out to clients.
const PORTS: std::ops::Range<u16> = 10_000..30_000;
/// Somebody may take a port between the look and the start.
const ATTEMPTS: u16 = 4;

/// Runs the command; the code that rctl ends with.
///
/// # Errors
/// The set does not come up, or the command cannot be started (5).
pub async fn run(ctx: &Ctx, args: &ExecArgs) -> Result<u8> {
    let state = Private::new()?;
    let ctx = Ctx {
        state_root: state.0.clone(),
        topology: None,
        painter: ctx.painter,
        console: Rc::new(Console::new(Box::new(std::io::sink()), Box::new(std::io::stderr()), true)),
        show_commands: false,
        timeouts: ctx.timeouts,
    };
    let mut signals = Signals::watch()?;
    let outcome = tokio::select! {
        outcome = bring_up(&ctx, args) => outcome,
        caught = signals.next() => Err(Error::new(Exit::Unexpected, format!("ended by {caught} before the command began"))),
    };
    let code = match outcome {
        Ok(set) => beside(&ctx, args, &set, &mut signals).await,
        Err(error) => Err(error),
    };
    // `down` finds nothing where nothing came up.
    let gone = down::run(&ctx, &DownArgs { purge: true }).await;
    let code = code?;
    gone?;
    Ok(code)
}

pub(super) async fn bring_up(ctx: &Ctx, args: &ExecArgs) -> Result<Running> {
    let wanted = WantedArgs {
        direct: args.direct,
        file: args.file.clone(),
        replicas: args.replicas,
        port_base: None,
        engine: args.engine.clone(),
    };
    let topology = up::wanted(ctx, &wanted)?;
    let mut attempt = 0;
    loop {
        let port_base = Some(free_base(&topology, attempt)?);
        let up = UpArgs {
            wanted: WantedArgs { port_base, ..wanted.clone() },
            timeout: args.timeout,
            foreground: false,
            rm: false,
            reset_roles: false,
            prune: false,
            allow_data_loss: false,
        };
        match up::run(ctx, &up).await {
            Ok(_) => return set::running(ctx, &[]).await,
            Err(error)
                if error.exit == Exit::Environment && error.what.contains("taken") && attempt < ATTEMPTS =>
            {
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// A base on which every port of the set is free now. Where the search begins depends on the process, so that two
/// that begin at once do not meet.
fn free_base(topology: &Topology, attempt: u16) -> Result<u16> {
    let ports: Vec<u16> = all(topology).collect();
    let lowest = ports.iter().copied().min().unwrap_or(0);
    let width = ports.iter().copied().max().unwrap_or(0).saturating_sub(lowest);
    let room = PORTS.end - PORTS.start;
    let start =
        u16::try_from((std::process::id() + u32::from(attempt) * 977) * 31 % u32::from(room)).unwrap_or(0);
    let step = width.saturating_add(1).min(64);
    for nth in 0..200_u32 {
        let offset = u16::try_from((u32::from(start) + nth * u32::from(step)) % u32::from(room)).unwrap_or(0);
        let base = PORTS.start + offset;
        let moved: Option<Vec<u16>> = ports.iter().map(|port| base.checked_add(port - lowest)).collect();
        if moved.is_some_and(|moved| owner::taken(&moved).is_empty()) {
            return Ok(base);
        }
    }
    Err(Error::new(Exit::Environment, format!("no {} free ports were found", ports.len())))
}

/// Runs the command beside the set.
async fn beside(ctx: &Ctx, args: &ExecArgs, set: &Running, signals: &mut Signals) -> Result<u8> {
    let seen = report(set.topology(), Some(&set.facts)).await;
    // A set of two masters has no one address; the command still gets the set.
    let variables = addresses(set.topology(), &seen).map(|found| found.variables()).unwrap_or_default();
    let Some((program, rest)) = args.command.split_first() else {
        return Err(Error::new(Exit::Usage, "no command"));
    };
    let mut command = Command::new(program);
    command.args(rest).env("RCTL_STATE_DIR", &ctx.state_root).env("RCTL_TOPOLOGY", &set.topology().name);
    command.envs(variables);
    let shown = program.to_string_lossy().into_owned();
    let mut child = command
        .spawn()
        .map_err(|error| Error::new(Exit::Environment, format!("cannot run {shown:?}: {error}")))?;
    loop {
        tokio::select! {
            ended = child.wait() => {
                let ended = ended.map_err(|error| Error::new(Exit::Unexpected, format!("{shown:?} was lost: {error}")))?;
                return Ok(code(ended));
            }
            caught = signals.next() => pass_on(&child, caught),
        }
    }
}

/// The terminal sends Ctrl-C to the command itself; everything else only came to us.
fn pass_on(child: &Child, caught: Signal) {
    let terminal = caught == Signal::SIGINT && std::io::IsTerminal::is_terminal(&std::io::stdin());
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
    if let (Some(pid), false) = (pid, terminal) {
        // It may have ended this very moment.
        let _ = kill(Pid::from_raw(pid), caught);
    }
}

fn code(ended: ExitStatus) -> u8 {
    let number = ended.code().or_else(|| ended.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(number & 0xff).unwrap_or(1)
}

/// The signals that end programs.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl Signals {
    fn watch() -> Result<Self> {
        let watch = |kind| {
            signal(kind)
                .map_err(|error| Error::new(Exit::Environment, format!("cannot watch for signals: {error}")))
        };
        Ok(Self {
            interrupt: watch(SignalKind::interrupt())?,
            terminate: watch(SignalKind::terminate())?,
            hangup: watch(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::SIGINT,
            _ = self.terminate.recv() => Signal::SIGTERM,
            _ = self.hangup.recv() => Signal::SIGHUP,
        }
    }
}

/// A directory for this run alone.
pub(super) struct Private(PathBuf);

impl Private {
    pub(super) fn new() -> Result<Self> {
        let base = std::env::var_os("TMPDIR")
            .filter(|dir| !dir.is_empty())
            .map_or_else(|| "/tmp".into(), PathBuf::from);
        let template = base.join(format!("rctl-exec-{}", "X".repeat(6)));
        let failed =
            |error| Error::new(Exit::Environment, format!("cannot make {}: {error}", template.display()));
        nix::unistd::mkdtemp(&template).map(Self).map_err(failed)
    }
}

impl Private {
    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        // Sets that are down have removed theirs; what is left belongs to one that would not stop, and is needed.
        let _: std::result::Result<(), std::io::Error> = std::fs::remove_dir(Path::new(&self.0));
    }
}
