//! Who should be the next master when nobody named one: the best replica of a living master, the most advanced
//! survivor of a lost one. Pure.
//!
//! A replica with priority 0 asked never to be promoted, and is not. Offsets are compared within one history only.

use super::members::{Member, Members, Top};
use crate::error::{Error, Exit, Result};
use crate::node::observe::Observation;

/// The next master, and how the choice came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The node to promote.
    pub target: u16,
    /// The master it succeeds.
    pub old: u16,
    /// Bytes that the old master was last seen with and no survivor has; `None` where that is not known.
    pub gap: Option<u64>,
    /// The offset of the chosen node.
    pub offset: u64,
    /// Those that were not chosen: (node, bytes behind the chosen one).
    pub others: Vec<(u16, u64)>,
}

/// The best replica of the master that lives. `hint` is a node of the part of the set that is meant.
///
/// # Errors
/// No master answers, several do, or none of its replicas may be promoted.
pub fn of_living(members: &Members, hint: Option<u16>) -> Result<Choice> {
    let old = living_master(members, hint)?;
    let up = |member: &&Member| {
        members.way_up(member.port).1 == Top::Master(old)
            && member.seen().and_then(|seen| seen.link.as_ref()).is_some_and(|link| link.up && !link.syncing)
    };
    choose(members, old, members.0.iter().filter(|member| member.port != old).filter(up).collect())
}

/// The most advanced survivor of the master that is gone. `hint` is that master, or a node below it.
///
/// # Errors
/// The master answers, several are gone, or no survivor may be promoted.
pub fn of_lost(members: &Members, hint: Option<u16>) -> Result<Choice> {
    let old = lost_master(members, hint)?;
    let below = members.0.iter().filter(|member| {
        member.seen().is_some_and(|seen| seen.is_replica && !seen.loading)
            && members.way_up(member.port).1 == Top::Lost(old)
    });
    let syncing = |seen: &Observation| seen.link.as_ref().is_some_and(|link| link.syncing);
    let whole: Vec<&Member> =
        below.filter(|member| member.seen().is_some_and(|seen| !syncing(seen))).collect();
    let history = history(members, old, &whole);
    let same =
        whole.into_iter().filter(|member| member.seen().and_then(|seen| seen.replid.clone()) == history);
    let mut choice = choose(members, old, same.collect())?;
    let last = members.get(old).and_then(Member::last);
    choice.gap = last
        .filter(|last| last.replid.is_some() && last.replid == history)
        .and_then(|last| Some(last.offset?.saturating_sub(choice.offset)));
    Ok(choice)
}

fn living_master(members: &Members, hint: Option<u16>) -> Result<u16> {
    if let Some(node) = hint {
        return match members.way_up(node).1 {
            Top::Master(old) => Ok(old),
            Top::Lost(old) => Err(gone(old)),
            _ => Err(Error::new(Exit::Refused, format!("there is no master of this set above {node}"))
                .hint("rctl status")),
        };
    }
    let with_replicas = members.0.iter().filter(|member| {
        member.seen().is_some_and(|seen| !seen.is_replica) && !members.followers(member.port).is_empty()
    });
    let masters: Vec<u16> = with_replicas.map(|member| member.port).collect();
    match masters.as_slice() {
        [old] => Ok(*old),
        [] => match lost_master(members, None) {
            Ok(old) => Err(gone(old)),
            Err(_) => {
                Err(Error::new(Exit::Refused, "no master has a replica that answers").hint("rctl status"))
            }
        },
        several => Err(several_of(several, "masters have replicas", "rctl switchover")),
    }
}

fn lost_master(members: &Members, hint: Option<u16>) -> Result<u16> {
    let tops = members.0.iter().filter(|member| member.seen().is_some_and(|seen| seen.is_replica));
    let mut lost: Vec<u16> = tops
        .filter_map(|member| match members.way_up(member.port).1 {
            Top::Lost(old) => Some(old),
            _ => None,
        })
        .collect();
    lost.sort_unstable();
    lost.dedup();
    if let Some(node) = hint {
        let top = match members.way_up(node).1 {
            Top::Lost(old) => old,
            Top::Master(master) => return Err(lives(master)),
            _ => node,
        };
        lost.retain(|old| *old == top);
    }
    match lost.as_slice() {
        [old] => Ok(*old),
        [] => {
            let master = members.0.iter().find(|m| m.seen().is_some_and(|seen| !seen.is_replica));
            match master {
                Some(master) => Err(lives(master.port)),
                None => Err(Error::new(Exit::Refused, "no replica that answers has lost its master")
                    .hint("rctl status")),
            }
        }
        several => Err(several_of(several, "masters are gone", "rctl failover")),
    }
}

/// What the survivors have in common: the lost master's own history where that is known, else the one most are on.
fn history(members: &Members, old: u16, whole: &[&Member]) -> Option<String> {
    let ids: Vec<&String> =
        whole.iter().filter_map(|member| member.seen().and_then(|seen| seen.replid.as_ref())).collect();
    let last = members.get(old).and_then(Member::last).and_then(|last| last.replid.as_ref());
    let known = last.filter(|id| ids.contains(id));
    let count = |id: &&String| ids.iter().filter(|other| *other == id).count();
    known.or_else(|| ids.iter().copied().max_by_key(count)).cloned()
}

fn choose(members: &Members, old: u16, candidates: Vec<&Member>) -> Result<Choice> {
    let priority = |seen: &Observation| seen.priority.unwrap_or(100);
    let offset = |member: &Member| member.seen().and_then(|seen| seen.offset).unwrap_or(0);
    let rank = |member: &&Member| {
        let priority = member.seen().map_or(0, priority);
        let direct = members.upstream(member.port) == Some(old);
        // Most bytes first; then who asked for it, who needs fewest moves, and the lowest port.
        (offset(member), std::cmp::Reverse(priority), direct, std::cmp::Reverse(member.port))
    };
    let (willing, never): (Vec<&Member>, Vec<&Member>) =
        candidates.into_iter().partition(|member| member.seen().is_some_and(|seen| priority(seen) > 0));
    let Some(best) = willing.iter().copied().max_by_key(rank) else {
        return Err(match never.first() {
            Some(member) => Error::new(Exit::Refused, format!("every replica of {old} has priority 0"))
                .hint(format!("rctl promote {}", member.port)),
            None => {
                Error::new(Exit::Refused, format!("no replica of {old} could take over")).hint("rctl status")
            }
        });
    };
    let mine = offset(best);
    let others = willing.iter().chain(&never).filter(|member| member.port != best.port);
    Ok(Choice {
        target: best.port,
        old,
        gap: None,
        offset: mine,
        others: others.map(|member| (member.port, mine.saturating_sub(offset(member)))).collect(),
    })
}

fn gone(old: u16) -> Error {
    Error::new(Exit::Refused, format!("{old} is gone: it cannot hand over")).hint("rctl failover")
}

fn lives(master: u16) -> Error {
    Error::new(Exit::Refused, format!("{master} is the master and answers: there is nothing to fail over"))
        .hint("rctl switchover")
}

fn several_of(ports: &[u16], what: &str, verb: &str) -> Error {
    let names: Vec<String> = ports.iter().map(u16::to_string).collect();
    let error = Error::new(Exit::Usage, format!("{} {what}: {}", ports.len(), names.join(", ")));
    names.iter().fold(error, |error, name| error.hint(format!("{verb} {name}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::observe::UpstreamLink;
    use crate::plan::members::{Last, Sight};

    fn seen(upstream: Option<u16>, offset: u64, priority: u64) -> Sight {
        let link = upstream.map(|port| UpstreamLink {
            host: "127.0.0.1".into(),
            port,
            up: true,
            ..Default::default()
        });
        Sight::Seen(Box::new(Observation {
            is_replica: upstream.is_some(),
            link,
            offset: Some(offset),
            replid: Some("a".into()),
            priority: Some(priority),
            ..Observation::default()
        }))
    }

    fn set(nodes: Vec<(u16, Sight)>) -> Members {
        let member = |(port, sight)| Member {
            port,
            host: "127.0.0.1".into(),
            sight,
            has_failover: true,
            sentinels: 0,
        };
        Members(nodes.into_iter().map(member).collect())
    }

    fn gone_at(offset: u64) -> Sight {
        Sight::Gone(Last { offset: Some(offset), replid: Some("a".into()), upstream: None })
    }

    #[test]
    fn the_most_advanced_survivor_is_chosen_and_the_gap_is_told() {
        let members =
            set(vec![(1, gone_at(500)), (2, seen(Some(1), 450, 100)), (3, seen(Some(1), 480, 100))]);
        let choice = of_lost(&members, None).unwrap();
        assert_eq!(choice, Choice { target: 3, old: 1, gap: Some(20), offset: 480, others: vec![(2, 30)] });
    }

    #[test]
    fn bytes_count_before_priority_and_priority_before_place() {
        let at = |two: Sight, three: Sight| {
            of_lost(&set(vec![(1, gone_at(9)), (2, two), (3, three)]), None).unwrap().target
        };
        assert_eq!(at(seen(Some(1), 9, 100), seen(Some(1), 8, 1)), 2);
        assert_eq!(at(seen(Some(1), 9, 100), seen(Some(1), 9, 1)), 3);
        assert_eq!(at(seen(Some(3), 9, 100), seen(Some(1), 9, 100)), 3, "fewer moves");
        assert_eq!(at(seen(Some(1), 9, 100), seen(Some(1), 9, 100)), 2);
        assert_eq!(at(seen(Some(1), 9, 0), seen(Some(1), 1, 100)), 3, "priority 0 is never promoted");
    }

    #[test]
    fn a_living_master_is_not_failed_over_and_a_dead_one_cannot_hand_over() {
        let living = set(vec![(1, seen(None, 9, 100)), (2, seen(Some(1), 9, 100))]);
        let error = of_lost(&living, None).unwrap_err();
        assert_eq!((error.exit, error.hints), (Exit::Refused, vec!["rctl switchover".to_owned()]));
        assert_eq!(of_living(&living, None).unwrap().target, 2);
        let dead = set(vec![(1, gone_at(9)), (2, seen(Some(1), 9, 100))]);
        assert_eq!(of_living(&dead, None).unwrap_err().hints, ["rctl failover"]);
    }

    #[test]
    fn with_several_masters_one_must_be_named() {
        let nodes = || {
            vec![
                (1, seen(None, 9, 100)),
                (2, seen(Some(1), 9, 100)),
                (3, seen(None, 5, 100)),
                (4, seen(Some(3), 5, 100)),
            ]
        };
        let error = of_living(&set(nodes()), None).unwrap_err();
        assert_eq!((error.exit, error.hints.len()), (Exit::Usage, 2));
        assert_eq!(of_living(&set(nodes()), Some(3)).unwrap().target, 4);
        assert_eq!(of_living(&set(nodes()), Some(4)).unwrap().target, 4, "a replica means its master");
    }

    #[test]
    fn nobody_is_promoted_who_has_no_whole_data() {
        let mut syncing = seen(Some(1), 0, 100);
        if let Sight::Seen(seen) = &mut syncing
            && let Some(link) = &mut seen.link
        {
            link.syncing = true;
        }
        let members = set(vec![(1, gone_at(9)), (2, syncing)]);
        assert_eq!(of_lost(&members, None).unwrap_err().exit, Exit::Refused);
    }
}
