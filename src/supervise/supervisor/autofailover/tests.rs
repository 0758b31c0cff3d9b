//! A bench of the supervisor alone: time is moved by hand.

use super::super::tests::{Bench, answered, exited};
use super::*;
use crate::node::observe::{Observation, UpstreamLink};
use crate::plan::members::{Last, Member, Sight};
use crate::supervise::event::{Ended, Event};
use crate::supervise::request::Request;

/// What is asked and sent, in a line.
pub(in super::super) fn line(action: &Action) -> String {
    match action {
        Action::Succeed { old, target, steps } => {
            let sent = steps.iter().map(ToString::to_string).filter(|step| !step.starts_with('#'));
            let steps: Vec<String> = sent.collect();
            format!("succeed {old} {target}: {}", steps.join("; "))
        }
        Action::Survey { old } => format!("survey {old}"),
        other => format!("{other:?}"),
    }
}

fn bench() -> Bench {
    Bench::up(|topology| topology.autofailover = Some(Autofailover { down_after_ms: 500 }))
}

fn killed(port: u16) -> Event {
    exited(port, Ended::Signal("SIGKILL".into()))
}

/// The master gone, its replica as wanted.
fn members(sentinels: u64, offset: u64) -> Box<Members> {
    let member = |port, sight, sentinels| Member {
        port,
        host: "127.0.0.1".into(),
        sight,
        has_failover: false,
        sentinels,
    };
    let replica = Observation {
        is_replica: true,
        link: Some(UpstreamLink { host: "127.0.0.1".into(), port: 6379, ..UpstreamLink::default() }),
        replid: Some("a".into()),
        offset: Some(offset),
        ..Observation::default()
    };
    let last = Last { offset: Some(100), replid: Some("a".into()), upstream: None };
    Box::new(Members(vec![
        member(6379, Sight::Gone(last), 0),
        member(6380, Sight::Seen(Box::new(replica)), sentinels),
    ]))
}

/// Lets time pass until something but probes is wanted.
fn await_deed(bench: &mut Bench, until: u64) -> Vec<String> {
    while bench.at < until {
        let mut said = bench.pass(until);
        said.retain(|line| !line.starts_with("probe"));
        if !said.is_empty() {
            return said;
        }
    }
    Vec::new()
}

#[test]
fn a_master_that_stays_away_is_succeeded_after_down_after_and_not_before() {
    let mut bench = bench();
    bench.give(killed(6379));
    let died = bench.at;
    assert_eq!(await_deed(&mut bench, died + 10_000), ["survey 6379"]);
    assert_eq!(bench.at, died + 500);
    assert_eq!(bench.give(Event::Tick).iter().filter(|line| line.starts_with("survey")).count(), 0, "once");
    let said = bench.give(Event::Surveyed { old: 6379, members: members(0, 90) });
    let steps = "6380> REPLICAOF NO ONE; 6380> CONFIG REWRITE";
    assert_eq!(
        said,
        [
            "event 6380 autofailover from 6379, away for 500 ms: 6380 is promoted, gap 10 B".to_owned(),
            format!("succeed 6379 6380: {steps}")
        ]
    );
    let said = bench.give(Event::Succeeded { old: 6379, target: 6380, problem: None });
    assert_eq!(
        said,
        [
            "event 6379 will follow 127.0.0.1:6380 when it comes back",
            "rewrite 6379 Some((\"127.0.0.1\", 6380))"
        ]
    );
    bench.give(answered(6380, None));
    let calm = bench.at + 5_000;
    assert_eq!(await_deed(&mut bench, calm), [""; 0], "it is done");
}

#[test]
fn nothing_is_done_where_it_is_off_or_the_set_goes_down() {
    let mut off = Bench::up(|_| ());
    off.give(killed(6379));
    assert_eq!(await_deed(&mut off, 5_000), [""; 0]);
    let mut ending = bench();
    ending.ask(Request::Down);
    ending.give(killed(6379));
    assert!(!await_deed(&mut ending, 5_000).iter().any(|line| line.starts_with("survey")));
}

#[test]
fn sentinels_decide_alone_and_that_is_said_once() {
    let mut bench = bench();
    bench.give(killed(6379));
    await_deed(&mut bench, 5_000);
    let said = bench.give(Event::Surveyed { old: 6379, members: members(3, 100) });
    assert_eq!(said, ["event 6379 autofailover from 6379 stands back: 3 Sentinels watch this set"]);
    assert_eq!(await_deed(&mut bench, 9_000), ["survey 6379"], "it may be left alone later");
    assert_eq!(bench.give(Event::Surveyed { old: 6379, members: members(3, 100) }), [""; 0]);
}

#[test]
fn a_master_that_says_nothing_is_away_since_it_was_heard_last() {
    let mut bench = bench();
    let heard = bench.at;
    bench.at += 400;
    bench.give(Event::Silent { port: 6379, pid: 63790 });
    assert_eq!(await_deed(&mut bench, heard + 9_000), ["survey 6379"]);
    assert_eq!(bench.at, heard + 500);
    // It is heard again in time: nobody takes over.
    bench.give(answered(6379, None));
    assert_eq!(bench.give(Event::Surveyed { old: 6379, members: members(0, 100) }), [""; 0]);
}

#[test]
fn a_master_that_comes_back_as_one_is_pointed_at_its_successor() {
    let mut bench = bench();
    bench.ask(Request::Pause { ports: vec![6379] });
    await_deed(&mut bench, 5_000);
    bench.give(Event::Surveyed { old: 6379, members: members(0, 100) });
    bench.give(Event::Succeeded { old: 6379, target: 6380, problem: None });
    bench.give(answered(6380, None));
    bench.ask(Request::Resume { ports: vec![6379] });
    assert!(bench.give(answered(6379, None)).contains(&"wire 6379 6380".to_owned()));
}

#[test]
fn with_sentinels_in_the_file_it_cannot_be_switched_on() {
    let sentinel = crate::topology::Sentinel { count: 3, quorum: 2, port: 26379, down_after_ms: 1000 };
    let mut bench = Bench::up(|topology| topology.sentinel = Some(sentinel));
    let said = bench.ask(Request::Autofailover { down_after_ms: Some(500) });
    assert_eq!(said, ["refused 7 Sentinels look after local: both would promote"]);
}
