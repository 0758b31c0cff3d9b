//! What `promote` and `replicaof` have in common: the set as it is, an earlier change that was cut off, the table
//! before and after, the commands shown, and the exit code that says what was seen at the end.

use std::time::Duration;

use super::look::report;
use super::set::Running;
use super::status::paint;
use super::{Ctx, Outcome};
use crate::cli::OutputFormat;
use crate::error::{Error, Exit, Result};
use crate::handover::carry_out::{self, Patience, Roles, carry_out, send_all};
use crate::handover::fleet::Fleet;
use crate::handover::look::{Known, look};
use crate::plan::members::{Last, Members};
use crate::plan::settling::{Intent, Settlement, settle};
use crate::plan::step::Step;
use crate::supervise::facts::ProcessState;
use crate::supervise::journal::{BUSY, Journal};
use crate::supervise::request::Request;

/// The longest pause of writes, however patient the person is.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Longer than the servers' own limit, so that they end a handover that does not come about.
const GRACE: Duration = Duration::from_secs(3);

/// How long writes may be paused, in milliseconds, for a person who waits this long.
#[must_use]
pub fn pause_ms(timeout: Duration) -> u64 {
    u64::try_from(timeout.min(LONGEST_PAUSE).as_millis()).unwrap_or(u64::MAX).max(1)
}

/// Lines to the nodes of a set.
#[must_use]
pub fn fleet<'c>(ctx: &'c Ctx, set: &Running) -> Fleet<'c> {
    Fleet::new(set.places(), &ctx.console, ctx.show_commands || ctx.painter.talk_terminal)
}

/// Asks every node of a set.
pub async fn members(fleet: &mut Fleet<'_>, set: &Running) -> Members {
    let known = |port: u16| {
        let facts = set.facts.node(port);
        let seen = facts.and_then(|facts| facts.seen.as_ref());
        let last = seen.map(|seen| Last {
            offset: seen.offset,
            replid: seen.replid.clone(),
            upstream: seen.upstream.as_ref().map(|(_, port)| *port),
        });
        let frozen = facts.is_some_and(|facts| facts.process == ProcessState::Paused);
        let (host, attached) = (set.topology().host(port).to_owned(), set.topology().is_attached(port));
        Known { port, host, last: last.unwrap_or_default(), frozen, attached }
    };
    let nodes: Vec<Known> = set.topology().nodes.iter().map(|node| known(node.port)).collect();
    look(fleet, &nodes).await
}

/// Finishes or takes back a change that an earlier rctl began and did not end, and says so. Nothing to settle is the
/// common case.
///
/// # Errors
/// Another rctl is at work on the set, or both masters took writes meanwhile.
pub async fn settle_interrupted(ctx: &Ctx, set: &mut Running) -> Result<Journal> {
    let journal = Journal::open(set.dir.path())?;
    let Some(intent) = journal.interrupted()? else { return Ok(journal) };
    let mut fleet = fleet(ctx, set);
    let members = members(&mut fleet, set).await;
    let what = intent.what.clone();
    match settle(&intent, &members) {
        Settlement::Finish(steps) => {
            ctx.console.talk(&format!("an earlier rctl was cut off in the middle of {what}: finishing it"));
            let rest = Intent { steps, begun: 0, ..intent };
            let patience = patience(LONGEST_PAUSE);
            let outcome = carry_out(&mut fleet, &journal, rest, patience, &mut Supervisor(set)).await?;
            outcome.missing.iter().for_each(|line| ctx.console.talk(&format!("warning: {line}")));
        }
        Settlement::Undo(commands) => {
            ctx.console.talk(&format!("an earlier rctl was cut off in the middle of {what}: taking it back"));
            let stuck = send_all(&mut fleet, &commands).await;
            stuck.iter().for_each(|line| ctx.console.talk(&format!("warning: {line}")));
            journal.close()?;
        }
        Settlement::Leave(why) => {
            journal.close()?;
            return Err(Error::new(Exit::Refused, why).hint("rctl status"));
        }
    }
    Ok(journal)
}

/// As [`settle_interrupted`], for verbs that change nothing of their own: an rctl at work is left alone.
///
/// # Errors
/// Both masters took writes since the change was cut off, or the record of it is damaged.
pub async fn settle_if_interrupted(ctx: &Ctx, set: &mut Running) -> Result<()> {
    if !Journal::exists(set.dir.path()) {
        return Ok(());
    }
    match settle_interrupted(ctx, set).await {
        Err(error) if error.what == BUSY => Ok(()),
        Err(error) => Err(error),
        Ok(_) => set.refresh().await.map(drop),
    }
}

/// The commands that would be sent, one a line.
#[must_use]
pub fn listed(steps: &[Step]) -> Outcome {
    Outcome::done(steps.iter().map(|step| format!("{step}\n")).collect::<String>())
}

/// Carries out the steps between two tables. `stragglers` are known not to follow.
///
/// # Errors
/// A vital step failed; the message says whether everything was taken back.
pub async fn run(
    ctx: &Ctx,
    set: &mut Running,
    journal: &Journal,
    intent: Intent,
    timeout: Duration,
    stragglers: &[String],
) -> Result<Outcome> {
    ctx.console.talk(table(ctx, set).await?.trim_end());
    ctx.console.talk("");
    let what = intent.what.clone();
    let about = intent.target;
    // Events tell who did what; one that is not told is told as unknown.
    let _ = set.begin(&Request::Changing).await;
    let mut fleet = fleet(ctx, set);
    let done = carry_out(&mut fleet, journal, intent, patience(timeout), &mut Supervisor(set)).await?;
    drop(fleet);
    note(set, about, &what).await;
    set.refresh().await?;
    let text = table(ctx, set).await?;
    let carry_out::Outcome { missing, told } = done;
    told.iter().for_each(|line| ctx.console.talk(&format!("note: {line}")));
    let missing: Vec<&String> = missing.iter().chain(stragglers).collect();
    if missing.is_empty() {
        return Ok(Outcome::done(text));
    }
    ctx.console.error(&format!("rctl: {what} is incomplete"));
    missing.iter().for_each(|line| ctx.console.error(&format!("  {line}")));
    ctx.console.error("  try: rctl status");
    Ok(Outcome { text, exit: Exit::Incomplete })
}

/// The set as `rctl status` shows it.
///
/// # Errors
/// As [`paint`].
pub async fn table(ctx: &Ctx, set: &Running) -> Result<String> {
    let mut report = report(set.topology(), Some(&set.facts)).await;
    // Whoever changes roles knows that they change.
    report.notes.clear();
    paint(ctx, &report, OutputFormat::Table)
}

/// Events tell who did what; a supervisor that cannot be told is no reason to fail a change that is done.
async fn note(set: &mut Running, port: Option<u16>, what: &str) {
    let _ = set.begin(&Request::Note { port, text: format!("rctl {what}") }).await;
}

fn patience(timeout: Duration) -> Patience {
    let pause = timeout.min(LONGEST_PAUSE);
    Patience { handover: pause + GRACE, level: pause / 2, following: timeout }
}

/// Roles of nodes that are down are written by the supervisor, which knows their files.
struct Supervisor<'s>(&'s mut Running);

impl Roles for Supervisor<'_> {
    async fn set_role(&mut self, port: u16, upstream: &(String, u16)) -> Result<()> {
        self.0.begin(&Request::SetRole { port, upstream: Some(upstream.clone()) }).await
    }
}
