//! `rctl remove NODE`: stop a node and take it out of its set. A node that others follow stays.

use std::time::Duration;

use super::select::{label, select};
use super::set::{self, Running};
use super::{Ctx, Outcome};
use crate::cli::RemoveArgs;
use crate::error::{Error, Exit, Result};
use crate::supervise::facts::SetFacts;
use crate::supervise::request::Request;

/// How long an ordinary end may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Removes the node.
///
/// # Errors
/// Others follow it, or it is the last one (7).
pub async fn run(ctx: &Ctx, args: &RemoveArgs) -> Result<Outcome> {
    let mut set = set::running(ctx, &[&args.node]).await?;
    let ports = select(&mut set, std::slice::from_ref(&args.node)).await?;
    if ports.len() == set.facts.nodes.len() {
        let what = format!("{} would have no node left", set.topology().name);
        return Err(Error::new(Exit::Refused, what).hint("rctl down"));
    }
    let labels: Vec<String> = ports.iter().map(|port| label(&set.facts, *port)).collect();
    take_out(&mut set, &ports, args.purge).await?;
    let kept = if args.purge { "data removed" } else { "data kept" };
    Ok(Outcome::done(labels.iter().map(|label| format!("{label} removed, {kept}\n")).collect::<String>()))
}

/// Stops nodes and takes them out.
///
/// # Errors
/// Others follow one of them (7); one does not end (6).
pub async fn take_out(set: &mut Running, ports: &[u16], purge: bool) -> Result<()> {
    for &port in ports {
        let followers = followers(set, port, ports).await;
        if let Some(first) = followers.first() {
            let names: Vec<String> = followers.iter().map(ToString::to_string).collect();
            let verb = if names.len() == 1 { "follows" } else { "follow" };
            return Err(Error::new(Exit::Refused, format!("{} {verb} {port}", names.join(" and ")))
                .hint(format!("rctl promote {first}")));
        }
    }
    let own = ports.iter().copied().filter(|port| !set.topology().is_attached(*port)).collect();
    set.begin(&Request::Stop { ports: own }).await?;
    let down =
        |facts: &SetFacts| ports.iter().all(|port| facts.node(*port).is_none_or(|node| node.pid.is_none()));
    if !set.until(PATIENCE, down).await? {
        return Err(Error::new(Exit::TimedOut, "the node did not stop").hint("rctl kill all"));
    }
    for &port in ports {
        set.begin(&Request::Remove { port, purge }).await?;
    }
    set.refresh().await?;
    Ok(())
}

/// The living nodes that follow `port` and are not going themselves.
async fn followers(set: &Running, port: u16, going: &[u16]) -> Vec<u16> {
    let mut followers = Vec::new();
    for node in set.facts.nodes.iter().filter(|node| node.pid.is_some() && !going.contains(&node.port)) {
        let follows = match set.observe(node.port).await {
            Some(seen) => seen.link.map(|link| link.port),
            None => node.seen.as_ref().and_then(|seen| Some(seen.upstream.as_ref()?.1)),
        };
        if follows == Some(port) {
            followers.push(node.port);
        }
    }
    followers
}
