//! A node becomes the master of its set: who moves, by which commands, in which order. Or why not.
//!
//! With the old master alive nothing is lost: writes pause, the node catches up, the two swap. With it gone the
//! survivors are compared, and a node that has less than another is refused. The old master, the nodes between it and
//! the new one, and the old master's direct replicas move; everybody else keeps its upstream.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::members::{Member, Members, Sight, Top};
use super::resync::{Forecast, forecast};
use super::step::{Deed, Step, Words};
use crate::error::{Error, Exit};
use crate::node::observe::Observation;
use crate::topology::is_here;

/// How the mastership changes hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Means {
    /// FAILOVER: the servers do it among themselves.
    Failover,
    /// CLIENT PAUSE, equal offsets, REPLICAOF NO ONE.
    Pause,
    /// The old master is gone or is given up.
    Succession,
}

/// A decided promotion.
#[derive(Debug, Clone, PartialEq)]
pub struct Promotion {
    /// The new master.
    pub target: u16,
    /// The old one, where there was one in the set.
    pub old: Option<u16>,
    /// How.
    pub means: Means,
    /// Who moves, and what it goes through.
    pub moves: Vec<Move>,
    /// In order.
    pub steps: Vec<Step>,
    /// What people should know first.
    pub warnings: Vec<String>,
    /// Nodes that will not follow, and why: the change ends incomplete.
    pub stragglers: Vec<String>,
}

/// One node that gets a new upstream.
#[derive(Debug, Clone, PartialEq)]
pub struct Move {
    /// The node.
    pub node: u16,
    /// What it goes through.
    pub forecast: Forecast,
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.node, self.forecast)
    }
}

/// What the person allows, and how long the servers may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Acknowledged writes may be lost.
    pub allow_data_loss: bool,
    /// How long writes may be paused, in milliseconds.
    pub pause_ms: u64,
}

/// The outcome of deciding.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// It is the master already.
    Nothing,
    /// Do this.
    Promote(Box<Promotion>),
}

/// Decides how `target` becomes the master.
///
/// # Errors
/// [`Exit::Refused`] with the number of bytes that would be lost and the better candidate, or with the condition that
/// does not hold; [`Exit::NotRunning`] when the node does not answer.
pub fn decide(members: &Members, target: u16, terms: Terms) -> Result<Decision, Error> {
    let Some(seen) = members.seen(target) else { return Err(absent(members, target)) };
    if !seen.is_replica {
        return Ok(Decision::Nothing);
    }
    if seen.loading {
        return Err(Error::new(Exit::Refused, format!("{target} is loading its data")).hint("rctl status"));
    }
    if seen.link.as_ref().is_some_and(|link| link.syncing) {
        let what = format!("{target} is copying a snapshot: what it has is incomplete");
        return Err(Error::new(Exit::Refused, what).hint("rctl status"));
    }
    let (way, top) = members.way_up(target);
    let promotion = match top {
        Top::Master(old) => from_living(members, target, old, &way, terms)?,
        Top::Lost(old) => from_lost(members, target, Some(old), &way, terms)?,
        Top::Circle => from_lost(members, target, None, &way, terms)?,
        Top::Outside(host, port) => {
            let what = format!("{target} follows {host}:{port}, which is not of this set");
            return Err(Error::new(Exit::Refused, what).hint(format!("rctl replicaof {target} no one")));
        }
    };
    Ok(Decision::Promote(Box::new(promotion)))
}

fn absent(members: &Members, target: u16) -> Error {
    match members.get(target).map(|member| &member.sight) {
        Some(Sight::Silent(_)) => Error::new(Exit::Refused, format!("{target} is there but does not answer"))
            .hint(format!("rctl resume {target}")),
        _ => Error::new(Exit::NotRunning, format!("{target} is not running"))
            .hint(format!("rctl start {target}")),
    }
}

/// The old master answers: it hands over and nothing is lost.
fn from_living(
    members: &Members,
    target: u16,
    old: u16,
    way: &[u16],
    terms: Terms,
) -> Result<Promotion, Error> {
    let (Some(new), Some(master)) = (members.get(target), members.get(old)) else {
        return Err(absent(members, target));
    };
    let (Some(seen), Some(master_seen)) = (new.seen(), master.seen()) else {
        return Err(absent(members, old));
    };
    watched_by_sentinel(master)?;
    if seen.link.as_ref().is_none_or(|link| !link.up) {
        if !terms.allow_data_loss {
            return Err(out_of_touch(members, target, old));
        }
        return Ok(swap_by_force(members, target, old, way));
    }
    let mut moves = movers(members, target, Some(old), way, seen, furthest(members, master_seen));
    let listed =
        master_seen.replicas.iter().find(|replica| replica.port == target && replica.state == "online");
    let host = new.host.as_str();
    let pause = terms.pause_ms;
    let mut steps = Vec::new();
    let means = match listed {
        Some(listed) if master.has_failover => {
            let words = Words::of(&format!("FAILOVER TO {} {} TIMEOUT {pause}", listed.ip, listed.port));
            let send = Step::vital(Deed::Send { node: old, words });
            steps.push(send.undone_by(old, Words::of("FAILOVER ABORT")));
            steps.push(Step::vital(Deed::AwaitHandover { node: old }));
            Means::Failover
        }
        _ => {
            steps.extend(by_pause(members, target, old, host, pause));
            Means::Pause
        }
    };
    // FAILOVER and the pause have moved the old master already.
    moves.sort_by_key(|moved| moved.node != old);
    let rest = moves.iter().map(|moved| moved.node).filter(|&node| node != old);
    steps.extend(rest.map(|node| point(node, host, target)));
    steps.extend(arrivals(&moves, target));
    Ok(Promotion {
        target,
        old: Some(old),
        means,
        moves,
        steps,
        warnings: Vec::new(),
        stragglers: absent_followers(members, target, old),
    })
}

/// Without FAILOVER: the same by hand. The pause ends by itself, so that a change that dies half-way leaves no
/// server that refuses writes for ever.
fn by_pause(members: &Members, target: u16, old: u16, host: &str, pause_ms: u64) -> Vec<Step> {
    let back = members.seen(target).and_then(|seen| seen.link.as_ref());
    let back = back
        .map_or_else(|| Words::replicaof("127.0.0.1", old), |link| Words::replicaof(&link.host, link.port));
    let send = |node, line: &str| Deed::Send { node, words: Words::of(line) };
    vec![
        Step::vital(send(old, &format!("CLIENT PAUSE {pause_ms} WRITE")))
            .undone_by(old, Words::of("CLIENT UNPAUSE")),
        Step::vital(Deed::AwaitLevel { ahead: old, behind: target }),
        Step::vital(send(target, "REPLICAOF NO ONE")).undone_by(target, back),
        Step::vital(Deed::Send { node: old, words: Words::replicaof(host, target) }),
        Step::welcome(send(old, "CLIENT UNPAUSE")),
    ]
}

/// The old master is alive but the node has lost touch with it, and the person accepts the loss.
fn swap_by_force(members: &Members, target: u16, old: u16, way: &[u16]) -> Promotion {
    let mut promotion = succession(members, target, Some(old), way);
    if let Some(bytes) = gap(members, target, old) {
        promotion.warnings.push(format!("{bytes} B that only {old} has will be lost"));
    }
    promotion
}

fn out_of_touch(members: &Members, target: u16, old: u16) -> Error {
    let what = match gap(members, target, old) {
        Some(bytes) => format!("{target} has no link to {old} and lacks {bytes} B that {old} has"),
        None => format!("{target} has no link to {old}, which has data that {target} has not"),
    };
    let error = Error::new(Exit::Refused, what);
    let better = members
        .followers(old)
        .into_iter()
        .filter(|&other| other != target)
        .find(|&other| members.seen(other).and_then(|s| s.link.as_ref()).is_some_and(|link| link.up));
    match better {
        Some(better) => error
            .detail(format!("better: {better} is in touch with {old}"))
            .hint(format!("rctl promote {better}")),
        None => error.hint("rctl status"),
    }
}

/// Bytes that `old` has and `target` has not, where both are on one history.
fn gap(members: &Members, target: u16, old: u16) -> Option<u64> {
    let (target, old) = (members.seen(target)?, members.seen(old)?);
    (target.replid.is_some() && target.replid == old.replid)
        .then(|| Some(old.offset?.saturating_sub(target.offset?)))
        .flatten()
}

/// The old master does not answer: of the survivors, the one that has most should follow it.
fn from_lost(
    members: &Members,
    target: u16,
    old: Option<u16>,
    way: &[u16],
    terms: Terms,
) -> Result<Promotion, Error> {
    let seen = members.seen(target).ok_or_else(|| absent(members, target))?;
    if let Some(heir) = heir(members, target, seen)
        && !terms.allow_data_loss
    {
        let what = format!("{heir} is the master already, and {target} has lost touch with it");
        return Err(Error::new(Exit::Refused, what).hint(format!("rctl replicaof {target} {heir}")));
    }
    let mine = seen.offset.unwrap_or(0);
    let best = survivors(members, seen).max_by_key(|(port, offset)| (*offset, *port == target));
    let loss = best.filter(|&(port, offset)| port != target && offset > mine);
    if let Some((better, offset)) = loss
        && !terms.allow_data_loss
    {
        let bytes = offset - mine;
        let what = format!("promoting {target} would lose {bytes} B of acknowledged data that {better} has");
        return Err(Error::new(Exit::Refused, what)
            .detail(format!("{target} is at offset {mine}, {better} at {offset}"))
            .hint(format!("rctl promote {better}")));
    }
    let mut promotion = succession(members, target, old, way);
    if let Some((better, offset)) = loss {
        promotion.warnings.push(format!("{} B that {better} has will be lost", offset - mine));
    }
    if let Some((old, bytes)) = old.and_then(|old| Some((old, died_with(members, old, seen)?))) {
        promotion
            .warnings
            .push(format!("{old} was last seen {bytes} B further: no node that answers has them"));
    }
    Ok(promotion)
}

/// A master that answers and has the history of `target`: somebody was promoted before.
fn heir(members: &Members, target: u16, seen: &Observation) -> Option<u16> {
    let history = seen.replid.as_ref()?;
    let heir = members.0.iter().filter(|member| member.port != target).find(|member| {
        member.seen().is_some_and(|other| {
            !other.is_replica && [&other.replid, &other.replid2].iter().any(|id| id.as_ref() == Some(history))
        })
    });
    heir.map(|member| member.port)
}

/// Bytes of the lost master that the most advanced survivor lacks, by what was last seen of it.
fn died_with(members: &Members, old: u16, target: &Observation) -> Option<u64> {
    let (Sight::Gone(last) | Sight::Silent(last)) = &members.get(old)?.sight else { return None };
    let (history, last) = (last.replid.as_ref()?, last.offset?);
    let best = survivors(members, target).map(|(_, offset)| offset).max()?;
    (Some(history) == target.replid.as_ref() && last > best).then(|| last - best)
}

/// Replicas that answer and are on the history of `target`: their offsets can be compared.
fn survivors<'m>(members: &'m Members, target: &'m Observation) -> impl Iterator<Item = (u16, u64)> + 'm {
    members.0.iter().filter_map(|member| {
        let seen = member.seen()?;
        let same = seen.replid.is_some() && seen.replid == target.replid && seen.is_replica && !seen.loading;
        same.then_some((member.port, seen.offset?))
    })
}

fn succession(members: &Members, target: u16, old: Option<u16>, way: &[u16]) -> Promotion {
    let host = members.get(target).map_or("127.0.0.1", |member| member.host.as_str());
    let moves =
        members.seen(target).map(|seen| movers(members, target, old, way, seen, None)).unwrap_or_default();
    let words = Words::of("REPLICAOF NO ONE");
    let mut steps = vec![Step::vital(Deed::Send { node: target, words })];
    steps.extend(moves.iter().map(|moved| point(moved.node, host, target)));
    let mut stragglers = Vec::new();
    if let Some(old) = old {
        match members.get(old).map(|member| &member.sight) {
            Some(Sight::Gone(_)) => {
                let upstream = (host.to_owned(), target);
                steps.push(Step::welcome(Deed::SetRole { node: old, upstream }));
            }
            Some(Sight::Silent(_)) => {
                stragglers.push(format!(
                    "{old} does not answer, and will be a second master when it does; then: rctl replicaof {old} {target}"
                ));
            }
            _ => {}
        }
        stragglers.extend(absent_followers(members, target, old));
    }
    steps.extend(arrivals(&moves, target));
    Promotion { target, old, means: Means::Succession, moves, steps, warnings: Vec::new(), stragglers }
}

/// Nodes of the set that followed the old master and cannot be told now.
fn absent_followers(members: &Members, target: u16, old: u16) -> Vec<String> {
    let absent = members
        .0
        .iter()
        .filter(|member| member.port != old && member.port != target && member.seen().is_none());
    let apart = members.0.iter().filter(|member| {
        let moves = member.port == old || members.upstream(member.port) == Some(old);
        member.port != target && member.seen().is_some() && moves && !can_reach(members, member.port, target)
    });
    let apart = apart.map(|member| {
        let (host, port) = (&member.host, member.port);
        format!("{port} is on {host} and cannot reach {target}, which listens on this machine alone")
    });
    absent
        .filter_map(|member| match &member.sight {
            Sight::Gone(last) if last.upstream == Some(old) => Some(format!(
                "{0} is down and will look for {old} when it is back; then: rctl replicaof {0} {target}",
                member.port
            )),
            Sight::Silent(last) if last.upstream == Some(old) => Some(format!(
                "{0} does not answer, and still follows {old}; then: rctl replicaof {0} {target}",
                member.port
            )),
            _ => None,
        })
        .chain(apart)
        .collect()
}

/// Who moves: the old master if it answers, the nodes between, the old master's direct replicas. `final_offset` is
/// where the target will stand when it takes over.
fn movers(
    members: &Members,
    target: u16,
    old: Option<u16>,
    way: &[u16],
    seen: &Observation,
    final_offset: Option<u64>,
) -> Vec<Move> {
    let mut ports: Vec<u16> = old.into_iter().chain(way.iter().copied()).collect();
    ports.extend(old.map(|old| members.followers(old)).unwrap_or_default());
    let mut future = seen.clone();
    future.offset = future.offset.max(final_offset);
    let mut moves: Vec<Move> = Vec::new();
    for port in ports {
        let Some(node) = members.seen(port).filter(|_| can_reach(members, port, target)) else { continue };
        if port != target && moves.iter().all(|moved| moved.node != port) {
            moves.push(Move { node: port, forecast: forecast(node, &future) });
        }
    }
    moves
}

/// Our own nodes listen on this machine alone: a server elsewhere cannot follow one of them.
fn can_reach(members: &Members, port: u16, target: u16) -> bool {
    let here = |port| members.get(port).is_some_and(|member| is_here(&member.host));
    here(port) || !here(target)
}

/// The furthest offset anybody on the master's history was seen at. The nodes were asked one after the other, so a
/// replica may have been seen further than its master; when the target takes over it has all of that.
fn furthest(members: &Members, master: &Observation) -> Option<u64> {
    let seen = members.0.iter().filter_map(Member::seen);
    seen.filter(|seen| seen.replid == master.replid).filter_map(|seen| seen.offset).max()
}

fn point(node: u16, host: &str, target: u16) -> Step {
    Step::wanted(Deed::Send { node, words: Words::replicaof(host, target) })
}

/// Everybody follows, and every role is written down.
fn arrivals(moves: &[Move], target: u16) -> Vec<Step> {
    let follow =
        moves.iter().map(|moved| Step::wanted(Deed::AwaitFollowing { node: moved.node, upstream: target }));
    let nodes = std::iter::once(target).chain(moves.iter().map(|moved| moved.node));
    let persist = nodes.map(|node| Step::welcome(Deed::Send { node, words: Words::of("CONFIG REWRITE") }));
    // Written down first: a role that is in the file survives whatever comes while we wait.
    persist.chain(follow).collect()
}

/// A Sentinel that is not asked would undo the promotion, or promote another.
fn watched_by_sentinel(master: &Member) -> Result<(), Error> {
    if master.sentinels == 0 {
        return Ok(());
    }
    let what = format!("{} Sentinels watch {}, and would work against this", master.sentinels, master.port);
    Err(Error::new(Exit::Refused, what).hint("redis-cli -p 26379 sentinel masters"))
}

#[cfg(test)]
mod tests;
