//! `rctl up --reset-roles`: back to the roles of the file.
//!
//! The masters of the file are promoted first, by the same way as `rctl promote`, which loses nothing; the others
//! are pointed at their upstreams after that, when every node already follows the right history.

use super::Ctx;
use super::set::Running;
use crate::error::{Error, Exit, Result};
use crate::node::client::CHANGE;
use crate::topology::Topology;

/// Makes every node follow whom the file says.
///
/// # Errors
/// What a promotion refuses, or a node that cannot be told.
pub async fn reset(ctx: &Ctx, set: &mut Running, wanted: &Topology) -> Result<()> {
    for node in &wanted.nodes {
        let truth = set.observe(node.port).await.and_then(|seen| seen.link);
        let follows = truth.as_ref().map(|link| link.port);
        match (node.replica_of, follows) {
            (None, Some(_)) => promote(node.port)?,
            (Some(upstream), _) if follows != Some(upstream) => point(ctx, set, node.port, upstream).await?,
            _ => {}
        }
    }
    Ok(())
}

async fn point(ctx: &Ctx, set: &Running, port: u16, upstream: u16) -> Result<()> {
    let mut client = set.connect(port, CHANGE).await?;
    let upstream = upstream.to_string();
    if ctx.show_commands {
        ctx.console.talk(&format!("{port}> REPLICAOF 127.0.0.1 {upstream}"));
    }
    client.command(&["REPLICAOF", "127.0.0.1", &upstream], CHANGE).await?;
    client.command(&["CONFIG", "REWRITE"], CHANGE).await?;
    Ok(())
}

fn promote(port: u16) -> Result<()> {
    Err(Error::new(Exit::Refused, format!("{port} is a replica, in the file it is a master"))
        .hint(format!("rctl promote {port}")))
}
