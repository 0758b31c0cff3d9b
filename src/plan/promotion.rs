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
    let mut moves = movers(members, target, Some(old), way, seen, master_seen.offset);
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
                stragglers.push(format!("{old} does not answer, and will be a second master when it does"));
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
    absent
        .filter_map(|member| match &member.sight {
            Sight::Gone(last) if last.upstream == Some(old) => {
                Some(format!("{} is down and will look for {old} when it is back", member.port))
            }
            Sight::Silent(last) if last.upstream == Some(old) => {
                Some(format!("{} does not answer, and still follows {old}", member.port))
            }
            _ => None,
        })
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
        let Some(node) = members.seen(port) else { continue };
        if port != target && moves.iter().all(|moved| moved.node != port) {
            moves.push(Move { node: port, forecast: forecast(node, &future) });
        }
    }
    moves
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
mod tests {
    use super::*;
    use crate::node::observe::{AttachedReplica, UpstreamLink};
    use crate::plan::members::Last;

    const HISTORY: &str = "0ld0000000000000000000000000000000000000";
    const TERMS: Terms = Terms { allow_data_loss: false, pause_ms: 5000 };
    const FORCE: Terms = Terms { allow_data_loss: true, pause_ms: 5000 };

    fn node(port: u16, upstream: Option<u16>, offset: u64) -> Member {
        let link = upstream.map(|port| UpstreamLink {
            host: "127.0.0.1".into(),
            port,
            up: true,
            ..Default::default()
        });
        let seen = Observation {
            is_replica: upstream.is_some(),
            link,
            offset: Some(offset),
            replid: Some(HISTORY.into()),
            backlog_first: Some(1),
            ..Observation::default()
        };
        let sight = Sight::Seen(Box::new(seen));
        Member { port, host: "127.0.0.1".into(), sight, has_failover: true, sentinels: 0 }
    }

    fn gone(port: u16, offset: u64, upstream: Option<u16>) -> Member {
        let last = Last { offset: Some(offset), replid: Some(HISTORY.into()), upstream };
        Member { sight: Sight::Gone(last), ..node(port, upstream, 0) }
    }

    /// The set, with every direct replica listed online by its upstream.
    fn set(mut nodes: Vec<Member>) -> Members {
        let links: Vec<(u16, u16)> =
            nodes.iter().filter_map(|n| Some((n.seen()?.link.as_ref()?.port, n.port))).collect();
        for node in &mut nodes {
            let port = node.port;
            if let Sight::Seen(seen) = &mut node.sight {
                let listed = links.iter().filter(|(up, _)| *up == port);
                seen.replicas = listed
                    .map(|(_, port)| AttachedReplica {
                        ip: "127.0.0.1".into(),
                        port: *port,
                        state: "online".into(),
                        ..Default::default()
                    })
                    .collect();
            }
        }
        Members(nodes)
    }

    fn change(members: &mut Members, port: u16, with: impl Fn(&mut Observation)) {
        for member in &mut members.0 {
            if let (true, Sight::Seen(seen)) = (member.port == port, &mut member.sight) {
                with(seen);
            }
        }
    }

    /// The decision as text: steps, warnings and stragglers, or the refusal.
    fn told(members: &Members, target: u16, terms: Terms) -> Vec<String> {
        match decide(members, target, terms) {
            Ok(Decision::Nothing) => vec!["nothing".to_owned()],
            Ok(Decision::Promote(promotion)) => promotion
                .warnings
                .iter()
                .map(|line| format!("warning: {line}"))
                .chain(promotion.steps.iter().map(ToString::to_string))
                .chain(promotion.stragglers.iter().map(|line| format!("straggler: {line}")))
                .collect(),
            Err(error) => format!("{error}").lines().map(|line| line.trim_start().to_owned()).collect(),
        }
    }

    #[test]
    fn a_living_master_hands_over_and_its_other_replicas_follow() {
        let members = set(vec![node(1, None, 100), node(2, Some(1), 100), node(3, Some(1), 90)]);
        assert_eq!(
            told(&members, 3, TERMS),
            [
                "1> FAILOVER TO 127.0.0.1 3 TIMEOUT 5000",
                "# wait until 1 has handed over",
                "2> REPLICAOF 127.0.0.1 3",
                "3> CONFIG REWRITE",
                "1> CONFIG REWRITE",
                "2> CONFIG REWRITE",
                "# wait until 1 follows 3",
                "# wait until 2 follows 3",
            ]
        );
    }

    #[test]
    fn without_failover_writes_pause_until_both_are_level() {
        let mut members = set(vec![node(1, None, 100), node(2, Some(1), 100)]);
        members.0[0].has_failover = false;
        let Ok(Decision::Promote(promotion)) = decide(&members, 2, TERMS) else { panic!("refused") };
        let steps: Vec<String> = promotion.steps.iter().map(ToString::to_string).collect();
        assert_eq!(
            steps[..5],
            [
                "1> CLIENT PAUSE 5000 WRITE",
                "# wait until 2 has all that 1 has",
                "2> REPLICAOF NO ONE",
                "1> REPLICAOF 127.0.0.1 2",
                "1> CLIENT UNPAUSE",
            ]
        );
        let undo: Vec<String> = promotion
            .steps
            .iter()
            .filter_map(|s| s.undo.as_ref())
            .map(|(n, w)| format!("{n}> {w}"))
            .collect();
        assert_eq!(undo, ["1> CLIENT UNPAUSE", "2> REPLICAOF 127.0.0.1 1"]);
    }

    #[test]
    fn nodes_between_move_and_nodes_below_stay() {
        // 1 ─ 2 ─ 3 ─ 4, 1 ─ 5, 5 ─ 6: 3 takes over; 1, 2 and 5 move; 4 and 6 keep their upstreams.
        let members = set(vec![
            node(1, None, 100),
            node(2, Some(1), 100),
            node(3, Some(2), 100),
            node(4, Some(3), 100),
            node(5, Some(1), 100),
            node(6, Some(5), 100),
        ]);
        let Ok(Decision::Promote(promotion)) = decide(&members, 3, TERMS) else { panic!("refused") };
        assert_eq!(promotion.means, Means::Pause);
        assert_eq!(promotion.moves.iter().map(|m| m.node).collect::<Vec<_>>(), [1, 2, 5]);
        assert!(promotion.moves.iter().all(|m| m.forecast == Forecast::Partial { bytes: 0 }));
    }

    #[test]
    fn of_the_survivors_the_one_that_has_most_may_follow_a_lost_master() {
        let members = set(vec![gone(1, 100, None), node(2, Some(1), 100), node(3, Some(1), 60)]);
        assert_eq!(
            told(&members, 3, TERMS),
            [
                "promoting 3 would lose 40 B of acknowledged data that 2 has",
                "3 is at offset 60, 2 at 100",
                "try: rctl promote 2",
            ]
        );
        assert_eq!(
            told(&members, 2, TERMS),
            [
                "2> REPLICAOF NO ONE",
                "3> REPLICAOF 127.0.0.1 2",
                "# 1 is down: its configuration file will say replicaof 127.0.0.1 2",
                "2> CONFIG REWRITE",
                "3> CONFIG REWRITE",
                "# wait until 3 follows 2",
            ]
        );
        assert_eq!(
            told(&members, 3, FORCE)[..2],
            ["warning: 40 B that 2 has will be lost", "3> REPLICAOF NO ONE"]
        );
    }

    #[test]
    fn what_died_with_the_master_is_told() {
        let members = set(vec![gone(1, 130, None), node(2, Some(1), 100)]);
        assert_eq!(
            told(&members, 2, TERMS)[0],
            "warning: 1 was last seen 30 B further: no node that answers has them"
        );
    }

    #[test]
    fn a_node_out_of_touch_with_a_living_master_is_refused() {
        let mut members = set(vec![node(1, None, 100), node(2, Some(1), 70), node(3, Some(1), 100)]);
        change(&mut members, 2, |seen| seen.link.as_mut().unwrap().up = false);
        assert_eq!(
            told(&members, 2, TERMS),
            [
                "2 has no link to 1 and lacks 30 B that 1 has",
                "better: 3 is in touch with 1",
                "try: rctl promote 3",
            ]
        );
        let forced = told(&members, 2, FORCE);
        assert_eq!(forced[0], "warning: 30 B that only 1 has will be lost");
        assert!(forced.contains(&"1> REPLICAOF 127.0.0.1 2".to_owned()));
    }

    #[test]
    fn a_dead_node_in_the_middle_does_not_hide_the_master() {
        let mut members = set(vec![node(1, None, 100), gone(2, 100, Some(1)), node(3, Some(2), 90)]);
        change(&mut members, 3, |seen| seen.link.as_mut().unwrap().up = false);
        assert_eq!(told(&members, 3, TERMS)[0], "3 has no link to 1 and lacks 10 B that 1 has");
    }

    #[test]
    fn a_frozen_master_and_absent_replicas_are_stragglers() {
        let mut members = set(vec![gone(1, 100, None), node(2, Some(1), 100), gone(3, 90, Some(1))]);
        let Sight::Gone(last) = members.0[0].sight.clone() else { panic!() };
        members.0[0].sight = Sight::Silent(last);
        let told = told(&members, 2, TERMS);
        assert_eq!(
            told[2..],
            [
                "straggler: 1 does not answer, and will be a second master when it does",
                "straggler: 3 is down and will look for 1 when it is back",
            ]
        );
    }

    #[test]
    fn what_cannot_be_promoted_is_refused_with_a_way_out() {
        let plain = || set(vec![node(1, None, 100), node(2, Some(1), 100)]);
        assert_eq!(told(&plain(), 1, TERMS), ["nothing"]);
        let case = |with: &dyn Fn(&mut Observation)| {
            let mut members = plain();
            change(&mut members, 2, with);
            told(&members, 2, TERMS)
        };
        assert_eq!(case(&|seen| seen.loading = true)[0], "2 is loading its data");
        let syncing = case(&|seen| seen.link.as_mut().unwrap().syncing = true);
        assert_eq!(syncing[0], "2 is copying a snapshot: what it has is incomplete");
        let outside = case(&|seen| seen.link.as_mut().unwrap().port = 9);
        assert_eq!(
            outside,
            ["2 follows 127.0.0.1:9, which is not of this set", "try: rctl replicaof 2 no one"]
        );
        let mut members = plain();
        members.0[0].sentinels = 3;
        assert!(told(&members, 2, TERMS)[0].starts_with("3 Sentinels watch 1"));
        let members = set(vec![node(1, None, 100), gone(2, 100, Some(1))]);
        assert_eq!(told(&members, 2, TERMS), ["2 is not running", "try: rctl start 2"]);
    }

    #[test]
    fn nobody_becomes_a_second_master_beside_one_that_was_promoted_before() {
        let mut members = set(vec![gone(1, 100, None), node(2, None, 120), node(3, Some(1), 100)]);
        change(&mut members, 2, |seen| {
            seen.replid2 = seen.replid.take();
            seen.replid = Some("new0000000000000000000000000000000000000".into());
        });
        assert_eq!(
            told(&members, 3, TERMS),
            ["2 is the master already, and 3 has lost touch with it", "try: rctl replicaof 3 2"]
        );
    }
}
