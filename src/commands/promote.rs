//! `rctl promote NODE`: the node becomes the master of its set, and the others follow it.

use super::change::{fleet, listed, members, pause_ms, run as carry_out, settle_interrupted, table};
use super::select::select;
use super::sentinels::refuse_behind_their_back;
use super::{Ctx, Outcome, set};
use crate::cli::PromoteArgs;
use crate::error::{Error, Exit, Result};
use crate::plan::members::Members;
use crate::plan::promotion::{Decision, Means, Promotion, Terms, decide};
use crate::plan::settling::Intent;
use crate::supervise::journal::Journal;

/// Decides, shows, carries out, and shows again.
///
/// # Errors
/// Refused where acknowledged data would be lost (7), undone on failure (6 or 1).
pub async fn run(ctx: &Ctx, args: &PromoteArgs) -> Result<Outcome> {
    let mut set = set::running(ctx, &[&args.node]).await?;
    let target = one(&mut set, &args.node).await?;
    let journal = if args.dry_run { None } else { Some(settle_interrupted(ctx, &mut set).await?) };
    let members = members(&mut fleet(ctx, &set), &set).await;
    refuse_behind_their_back(&set, &members, "promote")?;
    let how = How {
        what: format!("promote {target}"),
        allow_data_loss: args.allow_data_loss,
        timeout: args.timeout,
    };
    make_master(ctx, &mut set, journal, &members, target, how).await
}

/// How a promotion is to be done.
pub(super) struct How {
    /// In the words of whoever asked, for the events.
    pub(super) what: String,
    /// Acknowledged writes may be lost.
    pub(super) allow_data_loss: bool,
    /// How long to wait until the others follow.
    pub(super) timeout: std::time::Duration,
}

/// Decides how `target` becomes the master, and does it; without a journal the commands are only listed.
///
/// # Errors
/// As [`run`].
pub(super) async fn make_master(
    ctx: &Ctx,
    set: &mut set::Running,
    journal: Option<Journal>,
    members: &Members,
    target: u16,
    how: How,
) -> Result<Outcome> {
    let terms = Terms { allow_data_loss: how.allow_data_loss, pause_ms: pause_ms(how.timeout) };
    let promotion = match decide(members, target, terms)? {
        Decision::Promote(promotion) => *promotion,
        Decision::Nothing => {
            ctx.console.talk(&format!("{target} is the master already"));
            return Ok(Outcome::done(table(ctx, set).await?));
        }
    };
    announce(ctx, &promotion);
    let Some(journal) = journal else { return Ok(listed(&promotion.steps)) };
    let intent =
        Intent { what: how.what, target: Some(target), old: promotion.old, steps: promotion.steps, begun: 0 };
    carry_out(ctx, set, &journal, intent, how.timeout, &promotion.stragglers).await
}

/// The one node that a word means.
pub(super) async fn one(set: &mut set::Running, word: &str) -> Result<u16> {
    match select(set, &[word.to_owned()]).await?.as_slice() {
        [port] => Ok(*port),
        several => {
            let ports: Vec<String> = several.iter().map(u16::to_string).collect();
            Err(Error::new(Exit::Usage, format!("{word} means several nodes: {}", ports.join(", "))))
        }
    }
}

fn announce(ctx: &Ctx, promotion: &Promotion) {
    let means = match (promotion.means, promotion.old) {
        (Means::Failover, Some(old)) => format!("{old} hands over to {} with FAILOVER", promotion.target),
        (Means::Pause, Some(old)) => {
            format!("{old} pauses writes until {} is level, then they swap", promotion.target)
        }
        (_, Some(old)) => format!("{} succeeds {old}", promotion.target),
        (_, None) => format!("{} becomes a master", promotion.target),
    };
    ctx.console.talk(&means);
    for moved in &promotion.moves {
        ctx.console.talk(&format!("forecast for {moved}"));
    }
    for line in promotion.warnings.iter().chain(&promotion.stragglers) {
        ctx.console.talk(&format!("warning: {line}"));
    }
}
