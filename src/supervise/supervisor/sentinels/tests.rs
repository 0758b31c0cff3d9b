//! Sentinels wait for the nodes, go before them, and are believed by the latest word.

use super::super::tests::{Bench, answered, exited};
use crate::node::sentinel::Master;
use crate::supervise::event::{Ended, Event};
use crate::supervise::facts::Seen;
use crate::supervise::identity::Identity;
use crate::supervise::request::Request;
use crate::topology::{Sentinel, Topology};

const PORT: u16 = 26_379;

fn with_one(topology: &mut Topology) {
    topology.sentinel = Some(Sentinel { count: 1, quorum: 1, port: PORT, down_after_ms: 500 });
}

fn linked(port: u16, upstream: u16) -> Event {
    let Event::Answered { port, pid, ours, seen } = answered(port, Some(upstream)) else { unreachable!() };
    Event::Answered { port, pid, ours, seen: Seen { link_up: true, ..seen } }
}

fn says(master: u16, epoch: u64) -> Event {
    let master = Master { name: "local-6379".into(), port: master, epoch, ..Master::default() };
    let seen = Seen { watches: vec![master], ..Seen::default() };
    Event::Answered { port: PORT, pid: 1, ours: true, seen }
}

fn started() -> Bench {
    let mut bench = Bench::up(with_one);
    bench.give(linked(6380, 6379));
    bench.give(Event::Examined { port: PORT, found: Box::default() });
    let identity = Identity { pid: 1, start: 5, boot: "b".into() };
    bench.give(Event::Spawned { port: PORT, identity });
    bench.give(says(6379, 0));
    bench
}

#[test]
fn a_sentinel_is_started_when_every_link_is_up_and_not_before() {
    let mut bench = Bench::up(with_one);
    bench.at += 100;
    assert!(bench.give(Event::Tick).iter().all(|line| !line.contains("26379")), "the link is not up");
    let said = bench.give(linked(6380, 6379));
    assert!(said.contains(&"examine 26379".to_owned()), "{said:?}");
    let said = bench.give(Event::Examined { port: PORT, found: Box::default() });
    assert!(said.contains(&"spawn 26379 configure=true".to_owned()), "{said:?}");
}

#[test]
fn a_master_that_was_moved_is_told_once_and_the_late_ones_are_not_believed() {
    let mut bench = started();
    let told = |said: Vec<String>| said.into_iter().filter(|line| line.contains("succeeds")).count();
    assert_eq!(told(bench.give(says(6380, 1))), 1);
    assert_eq!(told(bench.give(says(6379, 0))), 0, "an older word");
    assert_eq!(told(bench.give(says(6380, 1))), 0);
}

#[test]
fn sentinels_go_before_the_nodes_they_watch() {
    let mut bench = started();
    let said = bench.ask(Request::Down);
    assert!(said.contains(&"signal 26379 15".to_owned()), "{said:?}");
    assert!(!said.iter().any(|line| line.contains("signal 63")), "{said:?}");
    let gone = Event::Exited { port: PORT, pid: 1, ended: Ended::Code(0), follows: None };
    let said = bench.give(gone);
    assert!(said.contains(&"signal 6380 15".to_owned()), "{said:?}");
    bench.give(exited(6380, Ended::Code(0)));
}
