//! `rctl graph`: who follows whom as a picture, with the lag on each edge.

use super::look::report;
use super::status::json;
use super::{Ctx, Outcome, set};
use crate::cli::{GraphArgs, GraphFormat};
use crate::error::Result;
use crate::render::graph;

/// Asks every node, and draws.
///
/// # Errors
/// No set runs, or it is not clear which is meant.
pub async fn run(ctx: &Ctx, args: &GraphArgs) -> Result<Outcome> {
    let set = set::running(ctx, &[]).await?;
    let report = report(set.topology(), Some(&set.facts)).await;
    let form = if args.json { GraphFormat::Json } else { args.output };
    Ok(Outcome::done(match form {
        GraphFormat::Text => graph::text(&report, &ctx.painter),
        GraphFormat::Mermaid => graph::mermaid(&report),
        GraphFormat::Dot => graph::dot(&report),
        GraphFormat::Json => json(&graph::graph(&report))?,
    }))
}
