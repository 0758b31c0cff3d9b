//! Starting a node's process, signalling it, and waiting for one that is no child.
//!
//! Invariants: a node has a process group of its own, so that a Ctrl-C at the terminal does not reach it; it
//! writes its log through a descriptor of its own, so that it needs nobody to read; it inherits no descriptor and
//! only the harmless part of the environment; it works in its own data directory, by which it is found again. A
//! signal goes to a process whose identity was looked at just before, through a pidfd where there is one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use rctl_server::fault::Rule;
use tokio::process::{Child, Command};

use super::event::Ended;
use super::identity::{Identity, Living};
use super::state_dir::replace;
use crate::node::engine::{self, Program};
use crate::plan::{NodeDir, NodePlan};

/// What of the environment a node sees.
const ENVIRONMENT: [&str; 8] = ["PATH", "HOME", "USER", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"];

/// What a node is told of broken links when it starts, so that none is whole for a moment.
const LINK_FAULTS: &str = "RCTL_LINK_FAULTS";

/// Starts a node, with what is wrong with the links it will accept.
///
/// # Errors
/// The reason, for people.
pub fn spawn(
    plan: &NodePlan,
    dir: &NodeDir,
    configure: bool,
    rules: &BTreeMap<u16, Rule>,
) -> Result<(Child, Identity), String> {
    let data = dir.data();
    DirBuilder::new().recursive(true).mode(0o700).create(&data).map_err(|error| told(&data, &error))?;
    let conf = dir.conf();
    if configure || !conf.is_file() {
        configure_node(plan, dir)?;
    }
    let path = dir.log();
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .map_err(|error| told(&path, &error))?;
    let errors = log.try_clone().map_err(|error| told(&path, &error))?;
    let (executable, name, arguments) = what_to_run(plan, &conf);
    let mut command = Command::new(&executable);
    command
        .arg0(name)
        .args(arguments)
        .current_dir(&data)
        .env_clear()
        .envs(ENVIRONMENT.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))))
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .process_group(0);
    if !rules.is_empty() {
        let text: Vec<String> = rules.iter().map(|(other, rule)| format!("{other} {rule}")).collect();
        command.env(LINK_FAULTS, text.join(";"));
    }
    let child = command.spawn().map_err(|error| format!("{}: {error}", executable.display()))?;
    match child.id().and_then(Identity::of) {
        Some(identity) => Ok((child, identity)),
        None => Err(format!("{} ended at once", executable.display())),
    }
}

/// The server itself, or the proxy that starts it.
fn what_to_run(plan: &NodePlan, conf: &Path) -> (PathBuf, OsString, Vec<OsString>) {
    match &plan.program {
        Program::At(path) if plan.proxied => {
            let words = ["proxy".into(), plan.spec.port.to_string().into(), path.into(), conf.into()];
            (engine::own_executable(), "rctl".into(), words.to_vec())
        }
        program => {
            let (executable, name) = program.executable();
            (executable, name, program.arguments(conf))
        }
    }
}

/// Writes the role of a node that is down into its configuration file.
///
/// # Errors
/// The reason, for people.
pub fn rewrite_role(plan: &NodePlan, dir: &NodeDir, upstream: Option<(&str, u16)>) -> Result<(), String> {
    let conf = dir.conf();
    let text = match fs::read_to_string(&conf) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => plan.config.clone(),
        Err(error) => return Err(told(&conf, &error)),
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir.data())
        .map_err(|error| told(dir.path(), &error))?;
    replace(&conf, engine::with_upstream(&text, upstream).as_bytes(), None)
        .map_err(|error| told(&conf, &error))
}

/// Sends a signal to a process, if it is still the one that was meant; otherwise does nothing.
pub fn signal(identity: &Identity, number: i32) {
    if identity.look() == Living::Gone {
        return;
    }
    let (Ok(signal), Ok(pid)) = (Signal::try_from(number), i32::try_from(identity.pid)) else { return };
    if !through_pidfd(identity, number) {
        let _ = kill(Pid::from_raw(pid), signal);
    }
    // What it forked shares its fate. These signals may arrive twice without harm.
    if matches!(signal, Signal::SIGKILL | Signal::SIGSTOP | Signal::SIGCONT) {
        let _ = killpg(Pid::from_raw(pid), signal);
    }
}

/// Waits for the end of a child.
pub async fn ended(mut child: Child) -> Ended {
    use std::os::unix::process::ExitStatusExt;
    match child.wait().await {
        Ok(status) => match (status.code(), status.signal().and_then(|number| Signal::try_from(number).ok()))
        {
            (Some(code), _) => Ended::Code(code),
            (None, Some(signal)) => Ended::Signal(signal.as_str().to_owned()),
            (None, None) => Ended::Unseen,
        },
        Err(_) => Ended::Unseen,
    }
}

/// Waits for the end of a process that is no child.
pub async fn gone(identity: &Identity) {
    #[cfg(target_os = "linux")]
    if let Some(pidfd) = pidfd(identity).and_then(readable) {
        let _ = pidfd.readable().await;
        return;
    }
    while identity.look() != Living::Gone {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[cfg(target_os = "linux")]
fn pidfd(identity: &Identity) -> Option<std::os::fd::OwnedFd> {
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    let pid = Pid::from_raw(i32::try_from(identity.pid).ok()?)?;
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).ok()?;
    // Looked at after the descriptor was opened: from here on it cannot become another process.
    (identity.look() != Living::Gone).then_some(pidfd)
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "tokio registers a descriptor only on a promise")]
fn readable(pidfd: std::os::fd::OwnedFd) -> Option<tokio::io::unix::AsyncFd<std::os::fd::OwnedFd>> {
    // SAFETY: an `OwnedFd` names the same open descriptor until it is dropped, and the registration owns it.
    unsafe { tokio::io::unix::AsyncFd::register(pidfd) }.ok()
}

#[cfg(target_os = "linux")]
fn through_pidfd(identity: &Identity, number: i32) -> bool {
    let Some(signal) = rustix::process::Signal::from_named_raw(number) else { return false };
    pidfd(identity).is_some_and(|pidfd| rustix::process::pidfd_send_signal(pidfd, signal).is_ok())
}

#[cfg(not(target_os = "linux"))]
fn through_pidfd(_: &Identity, _: i32) -> bool {
    false
}

fn configure_node(plan: &NodePlan, dir: &NodeDir) -> Result<(), String> {
    let conf = dir.conf();
    let role = fs::read_to_string(&conf).ok().and_then(|text| engine::upstream_in(&text));
    let upstream = role.as_ref().map(|(host, port)| (host.as_str(), *port));
    replace(&conf, engine::with_upstream(&plan.config, upstream).as_bytes(), None)
        .map_err(|error| told(&conf, &error))
}

fn told(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}
