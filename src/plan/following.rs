//! One node is told whom to follow, and nothing else moves: what will come of it, and whether it may.

use super::members::{Members, Top};
use super::resync::{Forecast, Reason, forecast};
use super::step::{Deed, Step, Words};
use crate::error::{Error, Exit};

/// Whom to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upstream {
    /// Nobody: be a master.
    NoOne,
    /// A node of the set.
    Node(u16),
    /// A server outside it: nothing is known of it.
    Outside(String, u16),
}

/// What will be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Following {
    /// The node.
    pub node: u16,
    /// In order.
    pub steps: Vec<Step>,
    /// What the node goes through; `None` when it becomes a master or nothing is known.
    pub forecast: Option<Forecast>,
    /// What people should know first.
    pub warnings: Vec<String>,
}

/// Decides what `node` goes through when it follows `upstream`.
///
/// # Errors
/// [`Exit::Refused`] when data would die that no other node has, or when the nodes would follow each other in a
/// circle; [`Exit::NotRunning`] when one of them does not answer; [`Exit::Usage`] for a node that is to follow itself.
pub fn decide(
    members: &Members,
    node: u16,
    upstream: &Upstream,
    allow_data_loss: bool,
) -> Result<Following, Error> {
    let seen = members.seen(node).ok_or_else(|| absent(members, node))?;
    let persist = Step::welcome(Deed::Send { node, words: Words::of("CONFIG REWRITE") });
    let (host, port) = match upstream {
        Upstream::NoOne => {
            let words = Words::of("REPLICAOF NO ONE");
            let steps = vec![Step::vital(Deed::Send { node, words }), persist];
            let warnings = match members.way_up(node) {
                (way, Top::Master(master)) if !way.is_empty() => {
                    vec![format!("{master} stays a master: from here on the two have different data")]
                }
                _ => Vec::new(),
            };
            return Ok(Following { node, steps, forecast: None, warnings });
        }
        Upstream::Outside(host, port) => (host.clone(), *port),
        Upstream::Node(port) => {
            let host = members.get(*port).map_or("127.0.0.1", |member| member.host.as_str());
            (host.to_owned(), *port)
        }
    };
    let words = Words::replicaof(&host, port);
    let wait = Deed::AwaitFollowing { node, upstream: port };
    let steps = vec![Step::vital(Deed::Send { node, words }), persist, Step::wanted(wait)];
    let mut following = Following { node, steps, forecast: None, warnings: Vec::new() };
    match upstream {
        Upstream::Node(up) => {
            no_circle(members, node, *up)?;
            let above = members.seen(*up).ok_or_else(|| absent(members, *up))?;
            let expected = forecast(seen, above);
            following.warnings = consequences(members, node, *up, &expected, allow_data_loss)?;
            following.forecast = Some(expected);
        }
        _ if seen.keys.unwrap_or(0) > 0 => {
            following.warnings.push(format!(
                "{node} will drop its {} keys if {host}:{port} sends a snapshot",
                seen.keys.unwrap_or(0)
            ));
        }
        _ => {}
    }
    Ok(following)
}

fn no_circle(members: &Members, node: u16, up: u16) -> Result<(), Error> {
    if node == up {
        return Err(Error::new(Exit::Usage, format!("{node} cannot follow itself")));
    }
    let (way, _) = members.way_up(up);
    if !way.contains(&node) {
        return Ok(());
    }
    let circle: Vec<String> = [node, up].iter().chain(&way).map(u16::to_string).collect();
    let end = circle.iter().rposition(|port| *port == node.to_string()).unwrap_or(0);
    let shown = circle.get(..=end).unwrap_or_default().join(" → ");
    Err(Error::new(Exit::Refused, format!("they would follow each other in a circle: {shown}"))
        .hint(format!("rctl promote {up}")))
}

/// What dies, and whether anybody else has it.
fn consequences(
    members: &Members,
    node: u16,
    up: u16,
    expected: &Forecast,
    allow_data_loss: bool,
) -> Result<Vec<String>, Error> {
    let seen = members.seen(node).ok_or_else(|| absent(members, node))?;
    let keys = seen.keys.unwrap_or(0);
    if !expected.is_full() {
        return Ok(Vec::new());
    }
    let kept_elsewhere = somebody_else_has_it(members, node);
    let lost = match expected {
        Forecast::Full(Reason::Parted { bytes: 0 }) => {
            return Ok(vec![format!("{node} copies everything from {up}; it wrote nothing of its own")]);
        }
        Forecast::Full(Reason::Ahead { bytes } | Reason::Parted { bytes }) => {
            format!("{bytes} B of {node} that {up} has not")
        }
        _ if keys == 0 => {
            return Ok(vec![format!("{node} copies everything from {up}; it holds no keys of its own")]);
        }
        _ => format!("the {keys} keys of {node}"),
    };
    if kept_elsewhere || allow_data_loss {
        return Ok(vec![format!("{lost} will be replaced by what {up} has")]);
    }
    let what = format!("following {up} would delete {lost}, and no other node has them");
    Err(Error::new(Exit::Refused, what)
        .hint(format!("rctl replicaof {node} {up} --allow-data-loss"))
        .hint(format!("rctl cli {node} bgsave")))
}

/// Another node that answers is on the history of this one and has every byte of it, and is not below it.
fn somebody_else_has_it(members: &Members, node: u16) -> bool {
    let Some(seen) = members.seen(node) else { return false };
    members.0.iter().filter(|other| other.port != node).any(|other| {
        let below = members.way_up(other.port).0.contains(&node);
        other.seen().is_some_and(|other| {
            !below && other.replid.is_some() && other.replid == seen.replid && other.offset >= seen.offset
        })
    })
}

fn absent(members: &Members, node: u16) -> Error {
    let is = if members.get(node).is_some() { "does not answer" } else { "is not of this set" };
    Error::new(Exit::NotRunning, format!("{node} {is}")).hint("rctl status")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::observe::{Observation, UpstreamLink};
    use crate::plan::members::{Member, Sight};

    fn node(port: u16, upstream: Option<u16>, replid: &str, offset: u64, keys: u64) -> Member {
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
            replid: Some(replid.into()),
            backlog_first: Some(1),
            keys: Some(keys),
            ..Observation::default()
        };
        let sight = Sight::Seen(Box::new(seen));
        Member { port, host: "127.0.0.1".into(), sight, has_failover: true, sentinels: 0 }
    }

    fn told(members: &[Member], port: u16, upstream: &Upstream, allow: bool) -> Vec<String> {
        match decide(&Members(members.to_vec()), port, upstream, allow) {
            Ok(following) => following
                .warnings
                .iter()
                .map(|line| format!("warning: {line}"))
                .chain(following.forecast.iter().map(|forecast| format!("forecast: {forecast}")))
                .chain(following.steps.iter().map(ToString::to_string))
                .collect(),
            Err(error) => format!("{error}").lines().map(|line| line.trim_start().to_owned()).collect(),
        }
    }

    #[test]
    fn the_raw_command_is_sent_and_nothing_else_moves() {
        let members = [node(1, None, "a", 50, 3), node(2, None, "b", 0, 0)];
        assert_eq!(
            told(&members, 2, &Upstream::Node(1), false),
            [
                "warning: 2 copies everything from 1; it holds no keys of its own",
                "forecast: full resync: another history",
                "2> REPLICAOF 127.0.0.1 1",
                "2> CONFIG REWRITE",
                "# wait until 2 follows 1",
            ]
        );
        let replica = [node(1, None, "a", 50, 3), node(2, Some(1), "a", 50, 3)];
        assert_eq!(
            told(&replica, 2, &Upstream::NoOne, false),
            [
                "warning: 1 stays a master: from here on the two have different data",
                "2> REPLICAOF NO ONE",
                "2> CONFIG REWRITE",
            ]
        );
    }

    #[test]
    fn the_only_copy_of_data_is_not_thrown_away_unasked() {
        let members = [node(1, None, "a", 50, 3), node(2, None, "b", 70, 4)];
        assert_eq!(
            told(&members, 2, &Upstream::Node(1), false),
            [
                "following 1 would delete the 4 keys of 2, and no other node has them",
                "try: rctl replicaof 2 1 --allow-data-loss",
                "try: rctl cli 2 bgsave",
            ]
        );
        assert_eq!(
            told(&members, 2, &Upstream::Node(1), true)[0],
            "warning: the 4 keys of 2 will be replaced by what 1 has"
        );
        // A node that is ahead on the same history: counted in bytes.
        let ahead = [node(1, None, "a", 50, 3), node(2, None, "a", 70, 3)];
        assert!(told(&ahead, 2, &Upstream::Node(1), false)[0].contains("20 B of 2 that 1 has not"));
    }

    #[test]
    fn a_node_that_was_a_master_for_a_while_loses_what_it_wrote_then_and_no_more() {
        let parted = |offset: u64| {
            let mut member = node(2, None, "b", offset, 3);
            if let Sight::Seen(seen) = &mut member.sight {
                seen.replid2 = Some("a".into());
                seen.second_offset = Some(51);
            }
            [node(1, None, "a", 60, 3), member]
        };
        let wrote = told(&parted(70), 2, &Upstream::Node(1), false);
        assert_eq!(wrote[0], "following 1 would delete 20 B of 2 that 1 has not, and no other node has them");
        let nothing = told(&parted(50), 2, &Upstream::Node(1), false);
        assert_eq!(nothing[0], "warning: 2 copies everything from 1; it wrote nothing of its own");
    }

    #[test]
    fn a_copy_that_another_node_holds_too_may_go() {
        let members = [node(1, None, "a", 50, 3), node(2, None, "b", 70, 4), node(3, Some(2), "b", 70, 4)];
        assert_eq!(
            told(&members, 3, &Upstream::Node(1), false)[0],
            "warning: the 4 keys of 3 will be replaced by what 1 has"
        );
        // The replica below a node goes with it: that is no other copy.
        assert!(told(&members, 2, &Upstream::Node(1), false)[0].contains("no other node has them"));
    }

    #[test]
    fn circles_and_self_are_refused() {
        let members = [node(1, None, "a", 50, 3), node(2, Some(1), "a", 50, 3), node(3, Some(2), "a", 50, 3)];
        assert_eq!(
            told(&members, 1, &Upstream::Node(3), false),
            ["they would follow each other in a circle: 1 → 3 → 2 → 1", "try: rctl promote 3"]
        );
        assert_eq!(told(&members, 1, &Upstream::Node(1), false), ["1 cannot follow itself"]);
        assert_eq!(told(&members, 2, &Upstream::Node(9), false)[0], "9 is not of this set");
    }
}
