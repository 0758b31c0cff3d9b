//! Starting a detached supervisor, and reaching the one that is there.
//!
//! A supervisor is this binary again, with a hidden verb: nothing forks after the event loop has begun. It leaves
//! the terminal first thing, and says on its stdout, a pipe, when its control socket answers.

#![expect(clippy::disallowed_methods, reason = "the runtime is where the clock is read")]

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use super::control::Client;
use super::request::Refusal;
use super::runtime;
use super::state_dir::SetDir;
use crate::error::{Error, Exit, Result};
use crate::node::engine::own_executable;

/// What a supervisor says when its socket answers.
const READY: &str = "ready";
/// How long a supervisor may take to say something, and how long to wait for somebody else who starts one.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks at a supervisor that is being started or is ending.
const PAUSE: Duration = Duration::from_millis(3);

/// Reaches the supervisor of a set, and starts one where there is none. Safe to call from many processes at once.
///
/// # Errors
/// The directory cannot be used, the supervisor does not come up, or somebody else holds the set for too long.
pub async fn connect_or_start(dir: &SetDir) -> Result<Client> {
    let began = Instant::now();
    loop {
        if let Ok(client) = Client::connect(&dir.socket()).await {
            return Ok(client);
        }
        dir.create()?;
        // One rctl starts it, the others find it. A supervisor that is ending is waited for.
        if !dir.supervised()
            && let Some(_launching) = dir.lock_launch()?
        {
            if Client::connect(&dir.socket()).await.is_err() && !dir.supervised() {
                start(dir).await?;
            }
            continue;
        }
        if began.elapsed() > PATIENCE {
            let what = format!("another rctl is at work on {}", dir.name());
            return Err(Error::new(Exit::Environment, what).hint("rctl ps"));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Leaves the terminal and the current directory. Called before anything else in the process of a supervisor.
pub fn detach() {
    // Fails only for the leader of a process group, which somebody ran by hand: nothing to leave then.
    let _ = nix::unistd::setsid();
    let _ = std::env::set_current_dir("/");
}

/// The whole life of a detached supervisor.
///
/// # Errors
/// It could not come up; the reason was said on stdout too, for whoever waits there.
pub async fn supervise(dir: SetDir) -> Result<()> {
    match runtime::run(dir, || announce(READY)).await {
        Ok(lock) => {
            // Held until the process is no more: who finds it free finds no supervisor either.
            std::mem::forget(lock);
            Ok(())
        }
        Err(error) => {
            let hint = error.hints.first().cloned();
            let refusal = Refusal { code: error.exit as u8, what: error.what.clone(), hint };
            announce(&serde_json::to_string(&refusal).unwrap_or_default());
            Err(error)
        }
    }
}

async fn start(dir: &SetDir) -> Result<()> {
    let path = dir.supervisor_log();
    let failed = |what: String| Error::new(Exit::Environment, format!("cannot start a supervisor: {what}"));
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .map_err(|error| failed(format!("{}: {error}", path.display())))?;
    let mut child = Command::new(own_executable())
        .arg0("rctl")
        .arg("supervise")
        .arg(dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let Some(stdout) = child.stdout.take() else { return Err(failed("it has no stdout".into())) };
    let mut line = String::new();
    match timeout(PATIENCE, BufReader::new(stdout).read_line(&mut line)).await {
        Ok(Ok(_)) if line.trim() == READY => Ok(()),
        Ok(Ok(0)) => Err(failed("it ended at once".into()).hint(format!("cat {}", path.display()))),
        Ok(Ok(_)) => match serde_json::from_str::<Refusal>(&line) {
            Ok(refusal) => Err(refusal.into()),
            Err(_) => Err(failed(format!("it said {:?}", line.trim()))),
        },
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(_) => Err(failed("it did not answer in time".into())),
    }
}

/// Says one line on stdout and lets go of it: whoever started us waits for no more.
fn announce(line: &str) {
    let mut stdout = std::io::stdout();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
    if let Ok(null) = OpenOptions::new().write(true).open("/dev/null") {
        let _ = nix::unistd::dup2_stdout(null);
    }
}
