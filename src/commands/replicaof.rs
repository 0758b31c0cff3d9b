//! `rctl replicaof NODE UPSTREAM` and `rctl replicaof NODE no one`: the raw command, and nothing else moves.

use super::change::{fleet, listed, members, run as carry_out, settle_interrupted};
use super::promote::one;
use super::set::Running;
use super::{Ctx, Outcome, set};
use crate::cli::ReplicaofArgs;
use crate::error::{Error, Exit, Result};
use crate::plan::following::{Upstream, decide};
use crate::plan::settling::Intent;

/// Forecasts, sends the command, waits until the link is up.
///
/// # Errors
/// Refused where the only copy of data would be deleted, or nodes would follow each other in a circle (7).
pub async fn run(ctx: &Ctx, args: &ReplicaofArgs) -> Result<Outcome> {
    let mut set = set::running(ctx, &[&args.node]).await?;
    let node = one(&mut set, &args.node).await?;
    let upstream = upstream(&mut set, &args.upstream).await?;
    let journal = if args.dry_run { None } else { Some(settle_interrupted(ctx, &mut set).await?) };
    let members = members(&mut fleet(ctx, &set), &set).await;
    let following = decide(&members, node, &upstream, args.allow_data_loss)?;
    if let Some(forecast) = &following.forecast {
        ctx.console.talk(&format!("forecast for {node}: {forecast}"));
    }
    for line in &following.warnings {
        ctx.console.talk(&format!("warning: {line}"));
    }
    let Some(journal) = journal else { return Ok(listed(&following.steps)) };
    let what = format!("replicaof {node} {}", args.upstream.join(" "));
    let intent = Intent { what, target: None, old: None, steps: following.steps, begun: 0 };
    carry_out(ctx, &mut set, &journal, intent, args.timeout, &[]).await
}

/// `no one`, a node of the set, `host:port`, or `host port` as the server takes it.
async fn upstream(set: &mut Running, words: &[String]) -> Result<Upstream> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let address = |host: &str, port: &str, set: &Running| match port.parse::<u16>() {
        Ok(port) if is_here(host) && set.topology().node(port).is_some() => Some(Upstream::Node(port)),
        Ok(port) => Some(Upstream::Outside(host.to_owned(), port)),
        Err(_) => None,
    };
    match words.as_slice() {
        [no, one] if no.eq_ignore_ascii_case("no") && one.eq_ignore_ascii_case("one") => Ok(Upstream::NoOne),
        [host, port] => address(host, port, set).ok_or_else(|| {
            Error::new(Exit::Usage, format!("{host} {port} is neither a host and a port nor no one"))
        }),
        [word] => {
            let outside = word
                .rsplit_once(':')
                .and_then(|(host, port)| address(host.trim_matches(['[', ']']), port, set));
            match outside {
                Some(upstream) => Ok(upstream),
                None => Ok(Upstream::Node(one(set, word).await?)),
            }
        }
        _ => Err(Error::new(Exit::Usage, "whom to follow is missing").hint("rctl help replicaof")),
    }
}

fn is_here(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "::1")
}
