//! Steps, one after the other, on live servers; and back again when one fails that the change cannot do without.

#![expect(clippy::disallowed_methods, reason = "this does things and measures how long they take")]

use std::time::{Duration, Instant};

use super::fleet::{Fleet, Refused};
use crate::error::{Error, Exit, Result};
use crate::node::observe::Observation;
use crate::plan::settling::{Intent, undo};
use crate::plan::step::{Deed, Step, Weight, Words};
use crate::supervise::journal::Journal;

/// Between two looks at a condition.
const PAUSE: Duration = Duration::from_millis(5);

/// How long each kind of waiting may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a coordinated handover: longer than the servers' own limit, so that they end it.
    pub handover: Duration,
    /// For equal offsets: shorter than the pause of writes, so that the swap happens within it.
    pub level: Duration,
    /// For all links to be up.
    pub following: Duration,
}

/// What came of a change that was not undone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Nodes that are not as wanted, and why.
    pub missing: Vec<String>,
    /// What did not work and does not matter now.
    pub told: Vec<String>,
}

/// Writes a node's role into its configuration file while it is down.
pub trait Roles {
    /// The node on `port` is to follow `upstream` when it comes back.
    fn set_role(&mut self, port: u16, upstream: &(String, u16)) -> impl Future<Output = Result<()>>;
}

/// Does every step of `intent`, recording each before it is begun.
///
/// # Errors
/// A vital step failed and everything was taken back ([`Exit::TimedOut`] or [`Exit::Unexpected`]), or could not be
/// ([`Exit::Incomplete`]).
pub async fn carry_out(
    fleet: &mut Fleet<'_>,
    journal: &Journal,
    mut intent: Intent,
    patience: Patience,
    roles: &mut impl Roles,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut lost = Vec::new();
    let steps = intent.steps.clone();
    let begun = Instant::now();
    for (index, step) in steps.iter().enumerate() {
        // A node that could not be told is not waited for.
        if lost.contains(&step.node()) {
            continue;
        }
        intent.begun = index;
        journal.record(&intent)?;
        let Err(failed) = attempt(fleet, step, patience, begun, roles).await else { continue };
        match step.weight {
            Weight::Vital => {
                let error = take_back(fleet, &intent, step, failed).await;
                journal.close()?;
                return Err(error);
            }
            Weight::Wanted => {
                lost.push(step.node());
                outcome.missing.push(failed.why);
            }
            Weight::Welcome => outcome.told.push(failed.why),
        }
    }
    journal.close()?;
    Ok(outcome)
}

/// A step that did not work.
struct Failed {
    why: String,
    /// The node answered, so nothing came of the step.
    answered: bool,
    exit: Exit,
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Self {
        Self { why: refused.why, answered: refused.answered, exit: Exit::Unexpected }
    }
}

impl Failed {
    fn late(why: String) -> Self {
        Self { why, answered: false, exit: Exit::TimedOut }
    }
}

async fn attempt(
    fleet: &mut Fleet<'_>,
    step: &Step,
    patience: Patience,
    begun: Instant,
    roles: &mut impl Roles,
) -> std::result::Result<(), Failed> {
    match &step.deed {
        Deed::Send { node, words } => Ok(fleet.send(*node, words).await.map(drop)?),
        Deed::AwaitHandover { node } => handed_over(fleet, *node, patience.handover).await,
        Deed::AwaitLevel { ahead, behind } => level(fleet, *ahead, *behind, patience.level).await,
        Deed::AwaitFollowing { node, upstream } => {
            let left = patience.following.saturating_sub(begun.elapsed()).max(Duration::from_millis(100));
            following(fleet, *node, *upstream, left).await
        }
        Deed::SetRole { node, upstream } => roles.set_role(*node, upstream).await.map_err(|error| Failed {
            why: error.what,
            answered: false,
            exit: error.exit,
        }),
    }
}

async fn handed_over(fleet: &Fleet<'_>, node: u16, patience: Duration) -> std::result::Result<(), Failed> {
    let begun = Instant::now();
    loop {
        let seen = fleet.observe(node).await.ok();
        let state = seen.as_ref().and_then(|seen| seen.info.get("master_failover_state"));
        match (&seen, state.map(String::as_str)) {
            (Some(seen), None | Some("no-failover")) if seen.is_replica => return Ok(()),
            (Some(_), Some("no-failover")) => {
                return Err(Failed::late(format!(
                    "{node} gave the handover up: the new master did not catch up in time"
                )));
            }
            _ => {}
        }
        if begun.elapsed() > patience {
            return Err(Failed::late(format!("{node} did not hand over within {} ms", patience.as_millis())));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn level(
    fleet: &Fleet<'_>,
    ahead: u16,
    behind: u16,
    patience: Duration,
) -> std::result::Result<(), Failed> {
    let begun = Instant::now();
    loop {
        // In this order: with writes paused the one that leads can only have grown since.
        let lead = fleet.observe(ahead).await.ok().and_then(|seen| seen.offset);
        let reached = fleet.observe(behind).await.ok().and_then(|seen| seen.offset);
        if lead.is_some() && lead == reached {
            return Ok(());
        }
        if begun.elapsed() > patience {
            let why = format!("{behind} did not catch up with {ahead} within {} ms", patience.as_millis());
            return Err(Failed::late(why));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn following(
    fleet: &Fleet<'_>,
    node: u16,
    upstream: u16,
    patience: Duration,
) -> std::result::Result<(), Failed> {
    let begun = Instant::now();
    let follows = |seen: &Observation| {
        seen.link.as_ref().is_some_and(|link| link.port == upstream && link.up && !link.syncing)
    };
    loop {
        if fleet.observe(node).await.is_ok_and(|seen| follows(&seen)) {
            return Ok(());
        }
        if begun.elapsed() > patience {
            return Err(Failed::late(format!("{node} does not follow {upstream} yet")));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn take_back(fleet: &mut Fleet<'_>, intent: &Intent, step: &Step, failed: Failed) -> Error {
    // A step that its node answered with an error left nothing behind.
    let upto = if failed.answered { intent.begun.checked_sub(1) } else { Some(intent.begun) };
    let commands = upto.map(|upto| undo(&intent.steps, upto)).unwrap_or_default();
    let what = format!("{} failed and was undone: {}", intent.what, failed.why);
    let stuck = send_all(fleet, &commands).await;
    if stuck.is_empty() {
        return Error::new(failed.exit, what).hint("rctl status");
    }
    let what = format!("{} failed at \"{step}\" and could not be undone: {}", intent.what, failed.why);
    stuck.into_iter().fold(Error::new(Exit::Incomplete, what), Error::detail).hint("rctl status")
}

/// Sends commands that take something back; what could not be sent.
pub async fn send_all(fleet: &mut Fleet<'_>, commands: &[(u16, Words)]) -> Vec<String> {
    let mut stuck = Vec::new();
    for (node, words) in commands {
        match fleet.send(*node, words).await {
            Ok(_) => {}
            // The servers ended the handover themselves.
            Err(Refused { answered: true, .. }) if *words == Words::of("FAILOVER ABORT") => {}
            Err(refused) => stuck.push(refused.why),
        }
    }
    stuck
}
