//! `rctl down`: stop everything, replicas first. Data is kept unless `--purge`. Nothing running is success.

use std::time::Duration;

use super::set::{self, Known, Running};
use super::{Ctx, Outcome};
use crate::cli::DownArgs;
use crate::error::{Error, Exit, Result};

use crate::supervise::request::Request;

/// Replicas, then masters: each may take its whole time to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Takes the set down.
///
/// # Errors
/// Several sets are there and none is named; the nodes do not end.
pub async fn run(ctx: &Ctx, args: &DownArgs) -> Result<Outcome> {
    let mut known = set::known(ctx);
    if let Some(name) = &ctx.topology {
        known.retain(|set| set.dir.name() == *name);
    }
    let running: Vec<&Known> = known.iter().filter(|set| set.running).collect();
    match running.as_slice() {
        [] => nothing_runs(ctx, args, &known),
        [one] => stop(ctx, args, Running::reach(one.dir.clone()).await?).await,
        _ => {
            let chosen = set::running(ctx, &[]).await?;
            stop(ctx, args, chosen).await
        }
    }
}

async fn stop(ctx: &Ctx, args: &DownArgs, mut set: Running) -> Result<Outcome> {
    let name = set.topology().name.clone();
    let count = set.facts.nodes.iter().filter(|node| node.pid.is_some()).count();
    let sentinels = set.facts.sentinels.iter().filter(|sentinel| sentinel.pid.is_some()).count();
    set.begin(&Request::Down).await?;
    if !set.ended(PATIENCE).await {
        let what = format!("{name} is not down after {} s", PATIENCE.as_secs());
        return Err(Error::new(Exit::TimedOut, what).hint("rctl kill all"));
    }
    if args.purge {
        set.dir.purge()?;
    }
    let counted = |count: usize, one: &str| match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {one}s"),
    };
    let nodes = match sentinels {
        0 => counted(count, "node"),
        some => format!("{} and {}", counted(count, "node"), counted(some, "Sentinel")),
    };
    let kept = if args.purge { "data removed" } else { "data kept" };
    ctx.console.talk(&format!("{name} is down: {nodes} stopped, {kept}"));
    Ok(Outcome::done(""))
}

fn nothing_runs(ctx: &Ctx, args: &DownArgs, known: &[Known]) -> Result<Outcome> {
    match known {
        [one] if args.purge => {
            one.dir.purge()?;
            ctx.console.talk(&format!("{} was not running; data removed", one.dir.name()));
        }
        [_, _, ..] if args.purge => {
            let names: Vec<String> = known.iter().map(|set| set.dir.name()).collect();
            let error =
                Error::new(Exit::Usage, format!("{} sets have data: {}", names.len(), names.join(", ")));
            return Err(names
                .iter()
                .fold(error, |error, name| error.hint(format!("rctl down --purge --topology {name}"))));
        }
        _ => ctx.console.talk("nothing is running"),
    }
    Ok(Outcome::done(""))
}
