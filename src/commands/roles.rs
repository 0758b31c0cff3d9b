//! `rctl up --reset-roles`: back to the roles of the file.
//!
//! The masters of the file are promoted first, and the others pointed at their upstreams after that, by the very
//! ways of `rctl promote` and `rctl replicaof`: what those refuse to lose is not lost here either.

use std::time::Duration;

use super::Ctx;
use super::set::Running;
use crate::cli::{PromoteArgs, ReplicaofArgs};
use crate::error::Result;
use crate::topology::Topology;

/// How long one change may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes every node follow whom the file says.
///
/// # Errors
/// What a promotion or a re-pointing refuses, and a node that cannot be told.
pub async fn reset(ctx: &Ctx, set: &Running, wanted: &Topology, allow_data_loss: bool) -> Result<()> {
    let ctx = ctx.on(&set.dir.name());
    for node in wanted.nodes.iter().filter(|node| node.replica_of.is_none()) {
        if follows(set, node.port).await.is_some() {
            let args = PromoteArgs {
                node: node.port.to_string(),
                dry_run: false,
                allow_data_loss,
                timeout: PATIENCE,
            };
            super::promote::run(&ctx, &args).await?;
        }
    }
    for node in &wanted.nodes {
        let Some(upstream) = node.replica_of else { continue };
        if follows(set, node.port).await != Some(upstream) {
            let args = ReplicaofArgs {
                node: node.port.to_string(),
                upstream: vec![upstream.to_string()],
                dry_run: false,
                allow_data_loss,
                timeout: PATIENCE,
            };
            super::replicaof::run(&ctx, &args).await?;
        }
    }
    Ok(())
}

async fn follows(set: &Running, port: u16) -> Option<u16> {
    set.observe(port).await?.link.map(|link| link.port)
}
