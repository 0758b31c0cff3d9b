//! `rctl faults`: what is wrong with which links on purpose.

use serde::Serialize;

use super::status::json;
use super::{Ctx, Outcome, set};
use crate::cli::{FaultsArgs, OutputFormat};
use crate::error::Result;
use crate::render::faults::faults;
use crate::status::FaultStatus;

/// The JSON form.
#[derive(Serialize)]
struct Answer<'a> {
    schema: &'static str,
    topology: &'a str,
    faults: &'a [FaultStatus],
}

/// Lists the faults of a running set, oldest first.
///
/// # Errors
/// No set runs, or it is not clear which is meant.
pub async fn run(ctx: &Ctx, args: &FaultsArgs) -> Result<Outcome> {
    let set = set::running(ctx, &[]).await?;
    let list = super::look::faults(&set.facts);
    if args.json || args.output == OutputFormat::Json {
        let answer = Answer { schema: "rctl.faults/1", topology: &set.facts.topology.name, faults: &list };
        return Ok(Outcome::done(json(&answer)?));
    }
    if list.is_empty() {
        ctx.console.talk("try one: rctl cut replicas");
        return Ok(Outcome::done("no faults: all links are whole\n"));
    }
    let lines: Vec<String> = faults(&list, super::look::now_ms(), &ctx.painter);
    Ok(Outcome::done(lines.into_iter().map(|line| line + "\n").collect::<String>()))
}
