//! `start`, `stop`, `restart`, `kill`, `pause`, `resume`: the life of single nodes. Six verbs of one shape: say what
//! is wanted, then look until it is seen.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::select::{label, select_any};
use super::set::{self, Running};
use super::{Ctx, Outcome, consent, trouble};
use crate::cli::{KillArgs, SelArgs, StartArgs};
use crate::error::{Error, Exit, Result};
use crate::supervise::facts::{NodeFacts, ProcessState, SetFacts};
use crate::supervise::request::Request;

/// How long an ordinary end may take: longer than a supervisor waits before it kills.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a deadly signal may take.
const DEATH: Duration = Duration::from_secs(3);

/// `rctl start`.
///
/// # Errors
/// The guard (7), a node that does not come up (5), the timeout (6).
pub async fn start(ctx: &Ctx, args: &StartArgs) -> Result<Outcome> {
    let (mut set, ports) = meant(ctx, &args.selectors).await?;
    note(&mut set, "start", &ports).await;
    set.begin(&Request::Start { ports: ports.clone(), allow_data_loss: args.allow_data_loss }).await?;
    come_up(ctx, &mut set, &ports, args.timeout, |_| true).await?;
    if args.allow_data_loss {
        consent::give(&set, &ports).await;
    }
    Ok(told(&set, &ports, "running"))
}

/// `rctl stop`.
///
/// # Errors
/// A node that does not end (6).
pub async fn stop(ctx: &Ctx, args: &SelArgs) -> Result<Outcome> {
    let (mut set, ports) = meant(ctx, &args.selectors).await?;
    note(&mut set, "stop", &ports).await;
    set.begin(&Request::Stop { ports: ports.clone() }).await?;
    until(&mut set, &ports, PATIENCE, "did not stop", |node| node.pid.is_none()).await?;
    Ok(told(&set, &ports, "stopped"))
}

/// `rctl restart`.
///
/// # Errors
/// As [`start`].
pub async fn restart(ctx: &Ctx, args: &StartArgs) -> Result<Outcome> {
    let (mut set, ports) = meant(ctx, &args.selectors).await?;
    let before: BTreeMap<u16, Option<u32>> =
        set.facts.nodes.iter().chain(&set.facts.sentinels).map(|node| (node.port, node.pid)).collect();
    note(&mut set, "restart", &ports).await;
    set.begin(&Request::Restart { ports: ports.clone(), allow_data_loss: args.allow_data_loss }).await?;
    let another = |node: &NodeFacts| node.pid.is_none() || before.get(&node.port) != Some(&node.pid);
    come_up(ctx, &mut set, &ports, args.timeout + PATIENCE, another).await?;
    if args.allow_data_loss {
        consent::give(&set, &ports).await;
    }
    Ok(told(&set, &ports, "restarted"))
}

/// `rctl kill`.
///
/// # Errors
/// No such signal (2), a node without a process (3), a node that outlives SIGKILL (6).
pub async fn kill(ctx: &Ctx, args: &KillArgs) -> Result<Outcome> {
    let signal = signal(&args.signal)?;
    let (mut set, mut ports) = meant(ctx, &args.selectors).await?;
    // "all" means those that there is something to kill of; a node that was named has to be there.
    let lives = |port: &u16| set.facts.process(*port).is_some_and(|node| node.pid.is_some());
    if ports.len() > 1 && ports.iter().any(lives) {
        ports.retain(lives);
    }
    let before: BTreeMap<u16, Option<u32>> =
        set.facts.nodes.iter().chain(&set.facts.sentinels).map(|node| (node.port, node.pid)).collect();
    note(&mut set, "kill", &ports).await;
    set.begin(&Request::Kill { ports: ports.clone(), signal: signal as i32 }).await?;
    match signal {
        Signal::SIGKILL => {
            until(&mut set, &ports, DEATH, "is still there", |node| {
                before.get(&node.port) != Some(&node.pid)
            })
            .await?;
            Ok(told(&set, &ports, "killed by SIGKILL"))
        }
        _ => Ok(told(&set, &ports, &format!("was sent {signal}"))),
    }
}

/// `rctl pause`.
///
/// # Errors
/// A node without a process (3).
pub async fn pause(ctx: &Ctx, args: &SelArgs) -> Result<Outcome> {
    let (mut set, ports) = meant(ctx, &args.selectors).await?;
    note(&mut set, "pause", &ports).await;
    set.begin(&Request::Pause { ports: ports.clone() }).await?;
    until(&mut set, &ports, DEATH, "is not paused", |node| node.process == ProcessState::Paused).await?;
    Ok(told(&set, &ports, "paused"))
}

/// `rctl resume`.
///
/// # Errors
/// A node without a process (3), or one that does not answer (6).
pub async fn resume(ctx: &Ctx, args: &SelArgs) -> Result<Outcome> {
    let (mut set, mut ports) = meant(ctx, &args.selectors).await?;
    let lives = |port: &u16| set.facts.process(*port).is_some_and(|node| node.pid.is_some());
    if ports.len() > 1 && ports.iter().any(lives) {
        ports.retain(lives);
    }
    note(&mut set, "resume", &ports).await;
    set.begin(&Request::Resume { ports: ports.clone() }).await?;
    until(&mut set, &ports, DEATH, "does not answer", |node| node.process == ProcessState::Running).await?;
    Ok(told(&set, &ports, "resumed"))
}

/// Events tell who did what; where that cannot be told, it is done all the same.
async fn note(set: &mut Running, verb: &str, ports: &[u16]) {
    let words: Vec<String> = ports.iter().map(u16::to_string).collect();
    let port = if let [one] = ports { Some(*one) } else { None };
    let _ = set.begin(&Request::Note { port, text: format!("rctl {verb} {}", words.join(",")) }).await;
}

async fn meant(ctx: &Ctx, selectors: &[String]) -> Result<(Running, Vec<u16>)> {
    let words: Vec<&str> = selectors.iter().flat_map(|word| word.split(',')).collect();
    let mut set = set::running(ctx, &words).await?;
    let mut ports = select_any(&mut set, selectors).await?;
    // "all" means what is ours; what is attached has to be named, and is then refused.
    if ports.iter().any(|port| !set.topology().is_attached(*port)) {
        ports.retain(|port| !set.topology().is_attached(*port));
    }
    Ok((set, ports))
}

/// Waits until every node runs (and is `another` process, for a restart), or will not.
async fn come_up(
    ctx: &Ctx,
    set: &mut Running,
    ports: &[u16],
    patience: Duration,
    another: impl Fn(&NodeFacts) -> bool,
) -> Result<()> {
    let over = |node: &NodeFacts| {
        let running = node.process == ProcessState::Running && another(node) && node.pid.is_some();
        running || node.process == ProcessState::Paused || failed(node)
    };
    until(set, ports, patience, "does not answer", over).await?;
    for &port in ports {
        match set.facts.process(port).map(|node| &node.process) {
            Some(ProcessState::Held { why }) => return Err(trouble::held(set, port, why)),
            Some(ProcessState::Crashed { exit }) => return Err(trouble::crashed(ctx, set, port, exit)),
            Some(ProcessState::Paused) => {
                return Err(Error::new(Exit::Refused, format!("{port} is paused"))
                    .hint(format!("rctl resume {port}")));
            }
            _ => {}
        }
    }
    Ok(())
}

fn failed(node: &NodeFacts) -> bool {
    matches!(node.process, ProcessState::Held { .. } | ProcessState::Crashed { .. })
}

async fn until(
    set: &mut Running,
    ports: &[u16],
    patience: Duration,
    complaint: &str,
    wanted: impl Fn(&NodeFacts) -> bool,
) -> Result<()> {
    let all = |facts: &SetFacts| ports.iter().all(|port| facts.process(*port).is_none_or(&wanted));
    if set.until(patience, all).await? {
        return Ok(());
    }
    let late = ports.iter().filter(|port| !set.facts.process(**port).is_none_or(&wanted));
    let error = Error::new(Exit::TimedOut, format!("timed out after {} s", patience.as_secs()));
    Err(late.fold(error, |error, port| error.detail(format!("{} {complaint}", label(&set.facts, *port)))))
}

fn told(set: &Running, ports: &[u16], what: &str) -> Outcome {
    let lines: Vec<String> =
        ports.iter().map(|port| format!("{} {what}\n", label(&set.facts, *port))).collect();
    Outcome::done(lines.concat())
}

/// `KILL`, `SIGKILL`, `kill` and `9` are one signal.
fn signal(text: &str) -> Result<Signal> {
    let by_number = || text.parse::<i32>().ok().and_then(|number| Signal::try_from(number).ok());
    let upper = text.to_ascii_uppercase();
    let name = if upper.starts_with("SIG") { upper } else { format!("SIG{upper}") };
    by_number()
        .or_else(|| Signal::from_str(&name).ok())
        .ok_or_else(|| Error::new(Exit::Usage, format!("no signal is called {text:?}")).hint("kill -l"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_named_as_people_name_it() {
        for text in ["KILL", "SIGKILL", "kill", "9"] {
            assert_eq!(signal(text).unwrap(), Signal::SIGKILL);
        }
        for text in ["", "0", "-9", "999", "SIGNOTHING", "kill -9"] {
            assert_eq!(signal(text).unwrap_err().exit, Exit::Usage, "{text}");
        }
    }
}
