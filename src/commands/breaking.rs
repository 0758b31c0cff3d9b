//! `cut`, `delay`, `throttle`, `partition` and `heal`: what is wrong with the links between nodes. One shape: say which
//! links, then look until every node that runs knows.

use std::time::Duration;

use super::select::select;
use super::set::{self, Running};
use super::{Ctx, Outcome};
use crate::cli::{CutArgs, DelayArgs, HealArgs, PartitionArgs, ThrottleArgs};
use crate::error::{Error, Exit, Result};
use crate::fault::{Effect, Healing, Link};
use crate::supervise::facts::{ProcessState, SetFacts, Untold};
use crate::supervise::request::Request;

/// How long a node may take to learn of a fault.
const PATIENCE: Duration = Duration::from_secs(5);

/// `rctl cut`.
///
/// # Errors
/// A link that is none (2), one that cannot be broken (7), a node that could not be told (6).
pub async fn cut(ctx: &Ctx, args: &CutArgs) -> Result<Outcome> {
    let mut set = set::running(ctx, &words(&args.links)).await?;
    let links = links(&mut set, &args.links).await?;
    let effect = if args.silent { Effect::Stall } else { Effect::Cut };
    in_force(ctx, &mut set, effect, links).await
}

/// `rctl delay`.
///
/// # Errors
/// As [`cut`].
pub async fn delay(ctx: &Ctx, args: &DelayArgs) -> Result<Outcome> {
    let ms = u64::try_from(args.time.as_millis()).unwrap_or(u64::MAX);
    if !(1..=3_600_000).contains(&ms) {
        return Err(Error::new(Exit::Usage, "a delay is from 1 ms to 1 h")
            .hint(format!("rctl delay {} 200ms", args.link)));
    }
    let mut set = set::running(ctx, &[&args.link]).await?;
    let links = links(&mut set, std::slice::from_ref(&args.link)).await?;
    in_force(ctx, &mut set, Effect::Delay { ms }, links).await
}

/// `rctl throttle`.
///
/// # Errors
/// As [`cut`].
pub async fn throttle(ctx: &Ctx, args: &ThrottleArgs) -> Result<Outcome> {
    let mut set = set::running(ctx, &[&args.link]).await?;
    let links = links(&mut set, std::slice::from_ref(&args.link)).await?;
    in_force(ctx, &mut set, Effect::Throttle { bytes_per_s: args.rate }, links).await
}

/// `rctl partition`: every link between the two sides is cut.
///
/// # Errors
/// As [`cut`]; a side that is everybody (2).
pub async fn partition(ctx: &Ctx, args: &PartitionArgs) -> Result<Outcome> {
    let mut set = set::running(ctx, &words(&args.side)).await?;
    let side = select(&mut set, &args.side).await?;
    let rest = set.facts.nodes.iter().map(|node| node.port).filter(|port| !side.contains(port));
    let links: Vec<Link> =
        rest.flat_map(|other| side.iter().filter_map(move |port| Link::between(*port, other))).collect();
    if links.is_empty() {
        return Err(Error::new(Exit::Usage, "nobody is on the other side").hint("rctl status"));
    }
    let effect = if args.silent { Effect::Stall } else { Effect::Cut };
    in_force(ctx, &mut set, effect, links).await
}

/// `rctl heal`.
///
/// # Errors
/// Nothing of that kind is broken (2), a node that could not be told (6).
pub async fn heal(ctx: &Ctx, args: &HealArgs) -> Result<Outcome> {
    let mut set = set::running(ctx, &[&args.what]).await?;
    let healing = match args.what.as_str() {
        "all" => Healing::All,
        word => match (set.topology().find(word), pair(&set, word), word.parse()) {
            (Some(node), ..) => Healing::Node { port: node.port },
            (None, Some(link), _) => Healing::Link { link },
            (None, None, Ok(id)) => Healing::Fault { id },
            (None, None, Err(_)) => {
                let what = format!("{word:?} is no fault, no node and no link");
                return Err(Error::new(Exit::Usage, what).hint("rctl faults"));
            }
        },
    };
    mend(&mut set, healing).await?;
    Ok(Outcome::done(match set.facts.faults.len() {
        0 => "all links are whole\n".to_owned(),
        1 => "healed; 1 fault is left\n".to_owned(),
        left => format!("healed; {left} faults are left\n"),
    }))
}

/// Takes faults away, and looks until every node knows.
///
/// # Errors
/// As [`heal`].
pub async fn mend(set: &mut Running, healing: Healing) -> Result<()> {
    set.begin(&Request::Heal(healing)).await?;
    known(set).await
}

/// Breaks links, and looks until every node knows.
///
/// # Errors
/// As [`cut`].
pub async fn snap(set: &mut Running, effect: Effect, links: Vec<Link>) -> Result<()> {
    set.begin(&Request::Break { effect, links }).await?;
    known(set).await
}

async fn in_force(ctx: &Ctx, set: &mut Running, effect: Effect, links: Vec<Link>) -> Result<Outcome> {
    snap(set, effect, links).await?;
    let Some(fault) = set.facts.faults.last() else {
        return Err(Error::new(Exit::Unexpected, "the fault is gone already").hint("rctl faults"));
    };
    ctx.console.talk(&format!("take it back: rctl heal {}", fault.id));
    Ok(Outcome::done(format!("{} {}\n", fault.shown_links(), fault.effect)))
}

/// Waits until every node that can listen knows of every fault.
async fn known(set: &mut Running) -> Result<()> {
    if set.until(PATIENCE, |facts| listening(facts).next().is_none()).await? {
        return Ok(());
    }
    let first = listening(&set.facts).next();
    let (port, why) = match first {
        Some(untold) => {
            (untold.port, untold.problem.clone().unwrap_or_else(|| "no answer in time".to_owned()))
        }
        None => return Ok(()),
    };
    Err(Error::new(Exit::TimedOut, format!("{port} could not be told: {why}"))
        .hint(format!("rctl logs {port}")))
}

/// Nodes that could have been told. A frozen one is told when it goes on.
fn listening(facts: &SetFacts) -> impl Iterator<Item = &Untold> {
    facts
        .untold
        .iter()
        .filter(|untold| facts.node(untold.port).is_some_and(|node| node.process == ProcessState::Running))
}

/// The links that words mean, each once.
async fn links(set: &mut Running, words: &[String]) -> Result<Vec<Link>> {
    let mut links = Vec::new();
    for word in words.iter().flat_map(|word| word.split(',')) {
        if let Some(link) = pair(set, word).filter(|_| set.topology().find(word).is_none()) {
            links.push(link);
            continue;
        }
        for port in select(set, &[word.to_owned()]).await? {
            links.push(upward(set, port).await?);
        }
    }
    links.sort_unstable();
    links.dedup();
    Ok(links)
}

/// `6379-6381`, `reader-6379`: two nodes of this set. Names may have dashes of their own.
fn pair(set: &Running, word: &str) -> Option<Link> {
    let find = |handle: &str| set.topology().find(handle).map(|node| node.port);
    let splits = word.match_indices('-').map(|(at, _)| (word.get(..at), word.get(at + 1..)));
    splits
        .filter_map(|(one, two)| Some((find(one?)?, find(two?)?)))
        .find_map(|(one, two)| Link::between(one, two))
}

/// The link from a node to whom it follows now, or did when it was last heard.
async fn upward(set: &Running, port: u16) -> Result<Link> {
    let upstream = match set.observe(port).await {
        Some(seen) => seen.link.map(|link| link.port),
        None => {
            let seen = set.facts.node(port).and_then(|node| node.seen.as_ref());
            seen.and_then(|seen| seen.upstream.as_ref()).map(|(_, above)| *above)
        }
    };
    match upstream.and_then(|above| Link::between(port, above)) {
        Some(link) => Ok(link),
        None => {
            let error = Error::new(Exit::Usage, format!("{port} follows nobody: say which link is meant"));
            let other = set.facts.nodes.iter().map(|node| node.port).find(|other| *other != port);
            Err(match other {
                Some(other) => error.hint(format!("rctl cut {port}-{other}")),
                None => error,
            })
        }
    }
}

fn words(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}
