//! Who moves, by which commands, or why not: observations in, the decision as text out.

use super::*;
use crate::node::observe::{AttachedReplica, UpstreamLink};
use crate::plan::members::Last;

const HISTORY: &str = "0ld0000000000000000000000000000000000000";
const TERMS: Terms = Terms { allow_data_loss: false, pause_ms: 5000 };
const FORCE: Terms = Terms { allow_data_loss: true, pause_ms: 5000 };

fn node(port: u16, upstream: Option<u16>, offset: u64) -> Member {
    let link =
        upstream.map(|port| UpstreamLink { host: "127.0.0.1".into(), port, up: true, ..Default::default() });
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
    let undo: Vec<String> =
        promotion.steps.iter().filter_map(|s| s.undo.as_ref()).map(|(n, w)| format!("{n}> {w}")).collect();
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
fn a_replica_seen_later_than_its_master_is_not_ahead_of_it() {
    let members = set(vec![node(1, None, 100), node(2, Some(1), 130), node(3, Some(1), 90)]);
    let Ok(Decision::Promote(promotion)) = decide(&members, 3, TERMS) else { panic!("refused") };
    let forecasts: Vec<String> = promotion.moves.iter().map(ToString::to_string).collect();
    assert_eq!(forecasts, ["1: partial resync of 30 B", "2: partial resync of 0 B"]);
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
            "straggler: 1 does not answer, and will be a second master when it does; then: rctl replicaof 1 2",
            "straggler: 3 is down and will look for 1 when it is back; then: rctl replicaof 3 2",
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
    assert_eq!(outside, ["2 follows 127.0.0.1:9, which is not of this set", "try: rctl replicaof 2 no one"]);
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
