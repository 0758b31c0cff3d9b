//! `rctl verify [A B…]`: do the nodes hold the same data; which keys differ, and on whom.
//!
//! Only SCAN and typed reads are used, so it works on any engine. Nodes of one history are compared at equal offsets:
//! a key counts as different only when it still is after every node has come to where the furthest one was at the time.
//! Masters of different histories are compared as they are.

#![expect(clippy::disallowed_methods, reason = "this does things and measures how long they take")]

mod compare;
mod read;

use std::time::{Duration, Instant};

use serde::Serialize;

use super::promote::one;
use super::set::Running;
use super::status::json;
use super::{Ctx, Outcome, set};
use crate::cli::VerifyArgs;
use crate::error::{Error, Exit, Result};
use crate::status::figure::grouped;

use compare::{Difference, differences};
use read::{Contents, Reader};

/// Between two looks at offsets.
const PAUSE: Duration = Duration::from_millis(20);
/// How often what differs is read again, before it is believed.
const ROUNDS: usize = 3;

#[derive(Debug, Serialize)]
struct Answer<'a> {
    schema: &'static str,
    same: bool,
    nodes: &'a [u16],
    keys: usize,
    /// The nodes were quiet, and at this offset, while they were read.
    offset: Option<u64>,
    differing: usize,
    differences: &'a [Difference],
}

/// Reads all nodes, and compares.
///
/// # Errors
/// Fewer than two nodes (7), a node that cannot be read (3, 6), nodes that do not come to one offset (6).
pub async fn run(ctx: &Ctx, args: &VerifyArgs) -> Result<Outcome> {
    let words: Vec<&str> = args.nodes.iter().map(String::as_str).collect();
    let mut set = set::running(ctx, &words).await?;
    let ports = meant(&mut set, &args.nodes).await?;
    let mut readers = Vec::new();
    for &port in &ports {
        readers.push(Reader::open(&set, port).await?);
    }
    let began = Instant::now();
    let one_history = level(&set, &ports, args.timeout, began).await?;
    let before = offsets(&set, &ports).await;
    let mut contents: Vec<Contents> = Vec::new();
    for reader in &mut readers {
        contents.push(reader.all().await?);
    }
    let mut found = differences(&ports, &contents);
    // What was written while we read looks different and is not.
    for _ in 0..ROUNDS {
        if found.is_empty() {
            break;
        }
        if one_history {
            level(&set, &ports, args.timeout, began).await?;
        }
        let mut again: Vec<Contents> = Vec::new();
        for reader in &mut readers {
            again.push(reader.some(found.iter().map(|difference| &difference.place)).await?);
        }
        found = differences(&ports, &again);
    }
    let after = offsets(&set, &ports).await;
    let quiet = one_history && before == after;
    let offset = before.first().copied().flatten().filter(|_| quiet);
    let keys = contents.iter().map(Contents::len).max().unwrap_or(0);
    answer(args, &ports, keys, offset, &found)
}

fn answer(
    args: &VerifyArgs,
    ports: &[u16],
    keys: usize,
    offset: Option<u64>,
    found: &[Difference],
) -> Result<Outcome> {
    let exit = if found.is_empty() { Exit::Done } else { Exit::Differs };
    let shown = found.get(..args.limit.min(found.len())).unwrap_or_default();
    if args.json {
        let answer = Answer {
            schema: "rctl.verify/1",
            same: found.is_empty(),
            nodes: ports,
            keys,
            offset,
            differing: found.len(),
            differences: shown,
        };
        return Ok(Outcome { text: json(&answer)?, exit });
    }
    let names: Vec<String> = ports.iter().map(u16::to_string).collect();
    let at = match offset {
        Some(offset) => format!(" at offset {}", grouped(offset)),
        None => String::new(),
    };
    let keys = if keys == 1 { "1 key".to_owned() } else { format!("{} keys", grouped(keys as u64)) };
    if found.is_empty() {
        return Ok(Outcome::done(format!("{} hold the same {keys}{at}\n", names.join(", "))));
    }
    let mut text = match found.len() {
        1 => format!("1 key differs between {}, of {keys}{at}\n", names.join(", ")),
        many => format!("{} keys differ between {}, of {keys}{at}\n", grouped(many as u64), names.join(", ")),
    };
    for difference in shown {
        text.push_str(&format!("  {difference}\n"));
    }
    if shown.len() < found.len() {
        text.push_str(&format!(
            "  and {} more; --limit {} shows all\n",
            found.len() - shown.len(),
            found.len()
        ));
    }
    Ok(Outcome { text, exit })
}

/// The nodes that are named, else all that answer.
async fn meant(set: &mut Running, words: &[String]) -> Result<Vec<u16>> {
    let mut ports = Vec::new();
    for word in words {
        let port = one(set, word).await?;
        if !ports.contains(&port) {
            ports.push(port);
        }
    }
    if words.is_empty() {
        for node in set.topology().nodes.clone() {
            if set.observe(node.port).await.is_some() {
                ports.push(node.port);
            }
        }
    }
    match ports.as_slice() {
        [_, _, ..] => Ok(ports),
        _ => Err(Error::new(Exit::Refused, "there is nothing to compare: it takes two nodes that answer")
            .hint("rctl status")),
    }
}

/// Waits until every node has come to where the furthest one was when the waiting began; `false` where the nodes are
/// not of one history or a link is down, and there is nothing to wait for.
async fn level(set: &Running, ports: &[u16], patience: Duration, began: Instant) -> Result<bool> {
    let mut goal = None;
    loop {
        let mut seen = Vec::new();
        for &port in ports {
            seen.push((port, set.observe(port).await));
        }
        let known = seen.iter().filter_map(|(_, seen)| seen.as_ref());
        let mut histories: Vec<_> = known.clone().map(|seen| seen.replid.clone()).collect();
        histories.dedup();
        let parted =
            known.clone().any(|seen| seen.is_replica && seen.link.as_ref().is_none_or(|link| !link.up));
        let independent = known.clone().filter(|seen| !seen.is_replica).count() > 1;
        if independent || parted || (histories.len() > 1 && began.elapsed() > patience) {
            return Ok(false);
        }
        let furthest = known.clone().filter_map(|seen| seen.offset).max();
        if histories.len() == 1 {
            goal = goal.or(furthest);
        }
        let reached = |offset: Option<u64>| offset.is_some() && offset >= goal;
        if goal.is_some() && seen.iter().all(|(_, seen)| reached(seen.as_ref().and_then(|seen| seen.offset)))
        {
            return Ok(true);
        }
        if began.elapsed() > patience {
            let late = seen.iter().find(|(_, seen)| !reached(seen.as_ref().and_then(|seen| seen.offset)));
            let port = late.map_or(0, |(port, _)| *port);
            let what = format!("{port} does not come to where the others are");
            return Err(Error::new(Exit::TimedOut, what).hint("rctl status"));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn offsets(set: &Running, ports: &[u16]) -> Vec<Option<u64>> {
    let mut offsets = Vec::new();
    for &port in ports {
        offsets.push(set.observe(port).await.and_then(|seen| seen.offset));
    }
    offsets
}
