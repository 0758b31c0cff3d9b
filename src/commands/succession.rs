//! `rctl switchover` and `rctl failover`: as `promote`, on the node that is chosen instead of named.

use super::change::{fleet, members, settle_interrupted};
use super::promote::{How, make_master, one};
use super::sentinels::refuse_behind_their_back;
use super::{Ctx, Outcome, set};
use crate::cli::SuccessionArgs;
use crate::error::{Error, Result};
use crate::plan::candidates::{Choice, of_living, of_lost};
use crate::plan::members::Members;
use crate::status::figure::grouped;

/// Planned: the master hands over to its best replica.
///
/// # Errors
/// The master is gone, or nobody can take over (7); what a promotion refuses.
pub async fn switchover(ctx: &Ctx, args: &SuccessionArgs) -> Result<Outcome> {
    succeed(ctx, args, "switchover", of_living).await
}

/// The master is gone: its most advanced replica takes over.
///
/// # Errors
/// The master answers, or nobody can take over (7).
pub async fn failover(ctx: &Ctx, args: &SuccessionArgs) -> Result<Outcome> {
    succeed(ctx, args, "failover", of_lost).await
}

async fn succeed(
    ctx: &Ctx,
    args: &SuccessionArgs,
    verb: &str,
    choose: impl Fn(&Members, Option<u16>) -> Result<Choice>,
) -> Result<Outcome> {
    let words: Vec<&str> = args.master.as_deref().into_iter().collect();
    let mut set = set::running(ctx, &words).await?;
    let hint = match &args.master {
        Some(word) => Some(one(&mut set, word).await?),
        None => None,
    };
    let journal = if args.dry_run { None } else { Some(settle_interrupted(ctx, &mut set).await?) };
    let members = members(&mut fleet(ctx, &set), &set).await;
    refuse_behind_their_back(&set, &members, verb)?;
    let choice = choose(&members, hint).map_err(|error| unfinished(verb, error))?;
    explain(ctx, &choice);
    let how = How {
        what: format!("{verb} from {} to {}", choice.old, choice.target),
        allow_data_loss: args.allow_data_loss,
        timeout: args.timeout,
    };
    let outcome = make_master(ctx, &mut set, journal, &members, choice.target, how).await?;
    if verb == "failover" && !args.dry_run {
        ctx.console.talk(&gap(&choice));
    }
    Ok(outcome)
}

/// Why this node, before anything is done.
fn explain(ctx: &Ctx, choice: &Choice) {
    let mut line = format!("{} is chosen: offset {}", choice.target, grouped(choice.offset));
    for (port, behind) in &choice.others {
        line.push_str(&match behind {
            0 => format!(", {port} is level"),
            bytes => format!(", {port} is {} B behind", grouped(*bytes)),
        });
    }
    ctx.console.talk(&line);
}

/// What died with the old master.
fn gap(choice: &Choice) -> String {
    let Choice { old, target, .. } = choice;
    match choice.gap {
        Some(0) => format!("gap: 0 B: {target} has all that {old} was last seen with"),
        Some(bytes) => {
            format!("gap: {} B that {old} was last seen with are on no node that answers", grouped(bytes))
        }
        None => format!("gap: unknown: nobody had looked at {old} before it went"),
    }
}

/// A refusal names the verb that was meant.
fn unfinished(verb: &str, error: Error) -> Error {
    Error { what: format!("no {verb}: {}", error.what), ..error }
}
