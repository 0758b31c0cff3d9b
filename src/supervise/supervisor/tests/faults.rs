//! Link faults: who is told, when, and again.

use super::*;
use crate::fault::{Effect, Link};

fn cut(one: u16, two: u16) -> Request {
    Request::Break { effect: Effect::Cut, links: vec![Link::between(one, two).unwrap()] }
}

fn told(port: u16, rules: &[(u16, &str)], problem: Option<&str>) -> Event {
    let rules = rules.iter().map(|(other, rule)| (*other, rule.parse().unwrap())).collect();
    Event::Faulted { port, rules, problem: problem.map(str::to_owned) }
}

#[test]
fn both_ends_are_told_of_a_fault_and_of_its_end() {
    let mut bench = Bench::up(|_| ());
    assert_eq!(
        bench.ask(cut(6380, 6379)),
        ["event 0 fault 1: 6379-6380 cut", "begun", "fault 6379: 6380 cut", "fault 6380: 6379 cut"]
    );
    let untold = |bench: &Bench| -> Vec<u16> {
        bench.supervisor.facts().untold.iter().map(|untold| untold.port).collect()
    };
    assert_eq!(untold(&bench), [6379, 6380]);
    bench.give(told(6379, &[(6380, "cut")], None));
    bench.give(told(6380, &[(6379, "cut")], None));
    assert_eq!(untold(&bench), [0; 0]);
    assert_eq!(
        bench.ask(Request::Heal(Healing::Node { port: 6380 })),
        ["event 0 links of 6380 healed", "begun", "fault 6379: 6380 none", "fault 6380: 6379 none"]
    );
    assert_eq!(bench.ask(Request::Heal(Healing::Fault { id: 1 })), ["refused 2 there is no fault 1"]);
    assert_eq!(bench.ask(cut(6380, 6399)), ["refused 2 local has no node 6399"]);
}

#[test]
fn a_node_that_could_not_be_told_is_told_again_and_the_supervisor_never_spins() {
    let mut bench = Bench::up(|_| ());
    bench.ask(cut(6379, 6380));
    bench.give(told(6379, &[(6380, "cut")], None));
    let said = bench.give(told(6380, &[(6379, "cut")], Some("no")));
    assert_eq!(said, ["event 6380 could not be told of broken links: no"]);
    let mut said = Vec::new();
    while bench.at < 500 {
        said.extend(bench.pass(500));
    }
    assert!(said.contains(&"fault 6380: 6379 cut".to_owned()), "it was not told again: {said:?}");
}

#[test]
fn a_node_is_started_with_its_faults_and_an_adopted_one_is_told() {
    let mut bench = Bench::up(|_| ());
    bench.ask(cut(6379, 6380));
    for (port, other) in [(6379, 6380), (6380, 6379)] {
        bench.give(told(port, &[(other, "cut")], None));
    }
    bench.give(exited(6380, Ended::Signal("SIGKILL".into())));
    bench.ask(Request::Start { ports: vec![6380], allow_data_loss: false });
    bench.give(Event::Examined { port: 6380, found: Box::default() });
    assert_eq!(bench.supervisor.rules_of(6380).len(), 1, "the process is started with them");
    bench.give(Event::Spawned { port: 6380, identity: process(6380) });
    let said = bench.give(answered(6380, Some(6379)));
    assert!(!said.iter().any(|line| line.starts_with("fault")), "{said:?}");

    let mut actions = Vec::new();
    let now = Now { mono: 0, unix: 9_000 };
    let mut state = None;
    bench.supervisor.handle(Event::Stored { problem: None }, now, &mut actions);
    bench.supervisor.handle(Event::Request { id: 1, request: cut(6379, 6380) }, now, &mut actions);
    for action in actions {
        if let Action::Persist(stored) = action {
            state = Some(*stored);
        }
    }
    let living = [(6379, Living::Alive), (6380, Living::Alive)].into();
    let supervisor = Supervisor::resume(state.unwrap(), &living, 2, now, &mut Vec::new());
    let mut bench = Bench { supervisor, at: 0 };
    assert_eq!(bench.supervisor.facts().faults.len(), 2, "faults outlive their supervisor");
    let said = bench.give(answered(6379, None));
    assert!(said.contains(&"fault 6379: 6380 cut".to_owned()), "{said:?}");
}

#[test]
fn a_set_without_faults_tells_nobody_anything_and_going_down_heals() {
    let mut bench = Bench::up(|_| ());
    assert!(!bench.give(Event::Tick).iter().any(|line| line.starts_with("fault")));
    bench.ask(cut(6379, 6380));
    let said = bench.ask(Request::Down);
    assert!(bench.supervisor.facts().faults.is_empty(), "{said:?}");
}

#[test]
fn a_server_without_link_faults_is_refused_as_the_one_that_accepts_unless_a_proxy_is_before_it() {
    let direct = |at: usize| {
        Bench::up(move |topology| {
            topology.direct = true;
            topology.nodes[at].engine = crate::topology::Engine::Redis;
        })
    };
    let said = direct(0).ask(cut(6379, 6380));
    assert!(said[0].starts_with("refused 7 6379-6380 cannot be broken: 6379 "), "{said:?}");
    assert!(direct(1).ask(cut(6379, 6380)).contains(&"begun".to_owned()), "its master injects it");
    let mut proxied = Bench::up(|topology| topology.nodes[0].engine = crate::topology::Engine::Redis);
    assert!(proxied.ask(cut(6379, 6380)).contains(&"fault 6379: 6380 cut".to_owned()));
}
