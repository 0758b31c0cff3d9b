//! What goes in against the whole list of what comes out.

use std::path::Path;

use super::*;
use crate::fault::Healing;
use crate::node::engine::Program;
use crate::node::saved::Saved;
use crate::plan::Plan;
use crate::supervise::event::{Ended, Found};
use crate::supervise::facts::{ProcessState, Seen};
use crate::supervise::guard::Holding;
use crate::supervise::identity::Identity;
use crate::supervise::unit::{SIGCONT, SIGKILL, SIGSTOP, SIGTERM, STOP_MS};
use crate::topology::{Persistence, Restart};

/// A supervisor under test: time is moved by hand, actions come out as short lines.
pub(super) struct Bench {
    supervisor: Supervisor,
    pub(super) at: u64,
}

impl Bench {
    /// A master on 6379 and its replica on 6380, planned and asked for.
    fn new(edit: impl FnOnce(&mut Topology)) -> (Self, Vec<String>) {
        let mut topology = Topology::of_replicas(1).unwrap();
        edit(&mut topology);
        let plan = Plan::with(topology, Path::new("/s"), |_| Ok(Program::Own), |_| Ok(Program::Own)).unwrap();
        let mut bench = Self { supervisor: Supervisor::new("t", 1, Now { mono: 0, unix: 1_000 }), at: 0 };
        let said = bench.ask(Request::Converge { plan, allow_data_loss: false });
        (bench, said)
    }

    /// The same, up and in sync.
    pub(super) fn up(edit: impl FnOnce(&mut Topology)) -> Self {
        let (mut bench, _) = Self::new(edit);
        for port in [6379, 6380] {
            bench.give(Event::Examined { port, found: Box::default() });
            bench.give(Event::Spawned { port, identity: process(port) });
            bench.give(answered(port, None));
        }
        bench.give(Event::Wired { port: 6380, problem: None });
        bench.give(answered(6380, Some(6379)));
        bench
    }

    pub(super) fn give(&mut self, event: Event) -> Vec<String> {
        let mut actions = Vec::new();
        self.supervisor.handle(event, Now { mono: self.at, unix: 1_000 + self.at }, &mut actions);
        actions.iter().filter_map(line).collect()
    }

    pub(super) fn ask(&mut self, request: Request) -> Vec<String> {
        self.give(Event::Request { id: 7, request })
    }

    /// Lets time pass up to the next moment that the supervisor asked for, and not beyond `until`.
    pub(super) fn pass(&mut self, until: u64) -> Vec<String> {
        let wake = self.supervisor.next_wake().unwrap_or(until).min(until);
        assert!(wake > self.at, "the supervisor would spin: {wake} at {}", self.at);
        self.at = wake;
        self.give(Event::Tick)
    }

    fn state(&self, port: u16) -> ProcessState {
        self.supervisor.facts().node(port).unwrap().process.clone()
    }
}

fn process(port: u16) -> Identity {
    Identity { pid: u32::from(port) * 10, start: 5, boot: "b".into() }
}

pub(super) fn answered(port: u16, upstream: Option<u16>) -> Event {
    let upstream = upstream.map(|port| ("127.0.0.1".to_owned(), port));
    let seen = Seen { upstream, keys: Some(3), offset: Some(100), ..Seen::default() };
    Event::Answered { port, pid: u32::from(port) * 10, ours: true, seen }
}

pub(super) fn exited(port: u16, ended: Ended) -> Event {
    Event::Exited { port, pid: u32::from(port) * 10, ended, follows: None }
}

/// An action in a line; what is stored is checked by its own tests.
fn line(action: &Action) -> Option<String> {
    Some(match action {
        Action::Examine { port } => format!("examine {port}"),
        Action::Spawn { port, configure } => format!("spawn {port} configure={configure}"),
        Action::Watch { port, identity } => format!("watch {port} {}", identity.pid),
        Action::Signal { port, signal, .. } => format!("signal {port} {signal}"),
        Action::Probe { port, .. } => format!("probe {port}"),
        Action::Wire { port, upstream } => format!("wire {port} {upstream}"),
        Action::Fault { port, rules } => {
            let rules: Vec<String> = rules.iter().map(|(other, rule)| format!("{other} {rule}")).collect();
            format!("fault {port}: {}", rules.join(", "))
        }
        Action::Rewrite { port, upstream } => format!("rewrite {port} {upstream:?}"),
        Action::Survey { .. } | Action::Succeed { .. } => autofailover::tests::line(action),
        Action::Discard { port } => format!("discard {port}"),
        Action::Publish(happening) => format!("event {:?} {}", happening.port.unwrap_or(0), happening.text),
        Action::Persist(_) => return None,
        Action::Reply { reply: Reply::Begun, .. } => "begun".to_owned(),
        Action::Reply { reply: Reply::Refused(refusal), .. } => {
            format!("refused {} {}", refusal.code, refusal.what)
        }
        Action::Reply { reply: Reply::Facts { .. }, .. } => "facts".to_owned(),
        Action::End => "end".to_owned(),
    })
}

#[test]
fn a_new_set_is_started_at_once_and_wired_when_both_ends_answer() {
    let (mut bench, said) = Bench::new(|_| ());
    assert_eq!(said, ["examine 6379", "examine 6380", "begun"]);
    for port in [6379, 6380] {
        let said = bench.give(Event::Examined { port, found: Box::default() });
        assert_eq!(said, [format!("spawn {port} configure=true")]);
        let said = bench.give(Event::Spawned { port, identity: process(port) });
        assert_eq!(said, [format!("event {port} started, pid {port}0")]);
    }
    assert_eq!(bench.give(Event::Tick), ["probe 6379", "probe 6380"]);
    assert_eq!(bench.give(Event::Tick), [""; 0], "a look is under way");
    bench.give(Event::Silent { port: 6379, pid: 63790 });
    assert_eq!(
        bench.give(answered(6380, None)),
        ["event 6380 answers after 0 ms"],
        "its upstream does not answer yet"
    );
    assert_eq!(bench.pass(2), ["probe 6379"]);
    assert_eq!(bench.give(answered(6379, None)), ["event 6379 answers after 2 ms", "wire 6380 6379"]);
    assert_eq!(
        bench.give(Event::Wired { port: 6380, problem: None }),
        ["event 6380 was told to follow 6379"]
    );
    assert_eq!(bench.state(6380), ProcessState::Running);
}

#[test]
fn a_failed_wiring_is_repeated_a_little_later_and_never_spins() {
    let (mut bench, _) = Bench::new(|_| ());
    for port in [6379, 6380] {
        bench.give(Event::Examined { port, found: Box::default() });
        bench.give(Event::Spawned { port, identity: process(port) });
        bench.give(answered(port, None));
    }
    let said = bench.give(Event::Wired { port: 6380, problem: Some("no".into()) });
    assert_eq!(said, ["event 6380 could not be pointed at its upstream: no"]);
    assert_eq!(bench.pass(10_000), ["wire 6380 6379"]);
    assert_eq!(bench.at, 200);
}

#[test]
fn an_unanswered_wiring_to_a_dead_upstream_does_not_spin() {
    let (mut bench, _) = Bench::new(|_| ());
    for port in [6379, 6380] {
        bench.give(Event::Examined { port, found: Box::default() });
        bench.give(Event::Spawned { port, identity: process(port) });
        bench.give(answered(port, None));
    }
    bench.give(exited(6379, Ended::Signal("SIGKILL".into())));
    while bench.at < 20_000 {
        bench.pass(20_000);
        bench.give(answered(6380, None));
    }
}

#[test]
fn the_role_in_an_old_directory_wins_over_the_plan() {
    let (mut bench, _) = Bench::new(|_| ());
    let found = Found { configured: true, follows: None, ..Found::default() };
    bench.give(Event::Examined { port: 6380, found: Box::new(found) });
    assert_eq!(bench.supervisor.facts().node(6380).unwrap().wiring, None);
}

#[test]
fn a_master_that_would_return_with_less_is_held_and_a_flag_lets_it_pass() {
    let mut bench = Bench::up(|_| ());
    let said = bench.give(exited(6379, Ended::Signal("SIGKILL".into())));
    assert_eq!(said, ["event 6379 killed by SIGKILL"]);
    assert_eq!(bench.state(6379), ProcessState::Crashed { exit: "killed by SIGKILL".into() });
    let holding = Holding {
        port: 6380,
        follows: Some(6379),
        data: true,
        replid: None,
        replid2: None,
        offset: Some(100),
    };
    let found = || Found {
        configured: true,
        saved: Saved::default(),
        others: vec![holding.clone()],
        ..Found::default()
    };
    let start = |allow_data_loss| Request::Start { ports: vec![6379], allow_data_loss };
    assert_eq!(bench.ask(start(false)), ["examine 6379", "begun"]);
    let said = bench.give(Event::Examined { port: 6379, found: Box::new(found()) });
    assert_eq!(said, ["event 6379 held: would return empty"]);
    assert_eq!(bench.state(6379), ProcessState::Held { why: "would return empty".into() });
    bench.ask(start(true));
    let said = bench.give(Event::Examined { port: 6379, found: Box::new(found()) });
    assert_eq!(said, ["spawn 6379 configure=false"]);
}

#[test]
fn the_role_of_a_dead_node_is_the_one_it_will_come_back_with() {
    let mut bench = Bench::up(|_| ());
    let ended = Ended::Signal("SIGKILL".into());
    let follows = Some(Some(("::1".to_owned(), 6381)));
    bench.give(Event::Exited { port: 6380, pid: 63800, ended, follows });
    let upstream =
        |bench: &Bench| bench.supervisor.facts().node(6380).and_then(|node| node.seen.clone()?.upstream);
    assert_eq!(upstream(&bench), Some(("::1".to_owned(), 6381)));
    bench.ask(Request::SetRole { port: 6380, upstream: None });
    assert_eq!(upstream(&bench), None);
}

#[test]
fn no_crashed_node_is_restarted_silently() {
    let mut bench = Bench::up(|_| ());
    bench.give(exited(6380, Ended::Code(1)));
    bench.at += 100_000;
    assert!(!bench.give(Event::Tick).contains(&"examine 6380".to_owned()));
    assert_eq!(bench.state(6380), ProcessState::Crashed { exit: "exit code 1".into() });
}

#[test]
fn c09_a_crash_loop_slows_down_and_is_given_up() {
    let mut bench = Bench::up(|topology| topology.nodes[1].restart = Restart::OnFailure);
    let mut starts = Vec::new();
    bench.give(exited(6380, Ended::Code(1)));
    while bench.at < 1_000_000 {
        if bench.pass(1_000_000).contains(&"examine 6380".to_owned()) {
            starts.push(bench.at);
            bench.give(Event::Examined { port: 6380, found: Box::default() });
            bench.give(Event::Spawned { port: 6380, identity: process(6380) });
            bench.give(exited(6380, Ended::Code(1)));
        }
        bench.give(answered(6379, None));
    }
    assert_eq!(starts.len(), 10);
    let pauses: Vec<u64> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses.windows(2).all(|pair| pair[0] <= pair[1]), "{pauses:?}");
    let ProcessState::Crashed { exit } = bench.state(6380) else { panic!("not crashed") };
    assert!(exit.contains("gave up"), "{exit}");
}

#[test]
fn a_shutdown_typed_by_somebody_is_no_crash() {
    let mut bench = Bench::up(|_| ());
    bench.give(exited(6380, Ended::Code(0)));
    assert_eq!(bench.state(6380), ProcessState::Stopped);
}

#[test]
fn stopping_asks_then_kills() {
    let mut bench = Bench::up(|_| ());
    let said = bench.ask(Request::Stop { ports: vec![6380] });
    assert_eq!(said, [format!("signal 6380 {SIGTERM}"), "begun".into()]);
    bench.at = STOP_MS - 1;
    assert!(!bench.give(Event::Tick).iter().any(|line| line.starts_with("signal")));
    bench.at = STOP_MS;
    let said = bench.give(Event::Tick);
    assert!(said.contains(&format!("signal 6380 {SIGKILL}")), "{said:?}");
    bench.give(exited(6380, Ended::Signal("SIGKILL".into())));
    assert_eq!(bench.state(6380), ProcessState::Stopped);
}

#[test]
fn c36_a_stop_cancels_the_start_that_a_restart_had_promised() {
    let mut bench = Bench::up(|_| ());
    bench.ask(Request::Restart { ports: vec![6380], allow_data_loss: false });
    assert_eq!(bench.ask(Request::Stop { ports: vec![6380] }), ["begun"]);
    assert_eq!(bench.give(exited(6380, Ended::Code(0))), ["event 6380 exit code 0"]);
    assert_eq!(bench.state(6380), ProcessState::Stopped);
    bench.ask(Request::Start { ports: vec![6380], allow_data_loss: false });
    bench.ask(Request::Stop { ports: vec![6380] });
    assert_eq!(
        bench.give(Event::Examined { port: 6380, found: Box::default() }),
        [""; 0],
        "it was called off"
    );
}

#[test]
fn a_frozen_node_is_woken_to_hear_that_it_has_to_end() {
    let mut bench = Bench::up(|_| ());
    let said = bench.ask(Request::Pause { ports: vec![6380] });
    assert_eq!(said, [format!("signal 6380 {SIGSTOP}"), "event 6380 paused".into(), "begun".into()]);
    assert_eq!(bench.state(6380), ProcessState::Paused);
    let said = bench.ask(Request::Stop { ports: vec![6380] });
    assert_eq!(said, [format!("signal 6380 {SIGTERM}"), format!("signal 6380 {SIGCONT}"), "begun".into()]);
}

#[test]
fn going_down_stops_replicas_before_masters_and_then_ends() {
    let mut bench = Bench::up(|_| ());
    let said = bench.ask(Request::Down);
    assert_eq!(said, ["event 0 going down", "begun", &format!("signal 6380 {SIGTERM}")]);
    let said = bench.ask(Request::Start { ports: vec![6380], allow_data_loss: false });
    assert_eq!(said, ["refused 5 local is going down"]);
    let said = bench.give(exited(6380, Ended::Code(0)));
    assert_eq!(said, ["event 6380 exit code 0", &format!("signal 6379 {SIGTERM}")]);
    let said = bench.give(exited(6379, Ended::Code(0)));
    assert_eq!(said, ["event 6379 exit code 0", "end"]);
}

#[test]
fn roles_of_now_decide_who_stops_first() {
    let mut bench = Bench::up(|_| ());
    bench.give(answered(6380, None));
    bench.give(answered(6379, Some(6380)));
    let said = bench.ask(Request::Down);
    assert_eq!(said.last(), Some(&format!("signal 6379 {SIGTERM}")));
}

#[test]
fn what_ended_or_answered_is_another_process_than_the_one_that_is_meant() {
    let mut bench = Bench::up(|_| ());
    assert_eq!(
        bench.give(Event::Exited { port: 6380, pid: 1, ended: Ended::Code(1), follows: None }),
        [""; 0]
    );
    assert_eq!(bench.state(6380), ProcessState::Running);
    let (mut bench, _) = Bench::new(|_| ());
    bench.give(Event::Examined { port: 6379, found: Box::default() });
    bench.give(Event::Spawned { port: 6379, identity: process(6379) });
    bench.give(Event::Answered { port: 6379, pid: 63790, ours: false, seen: Seen::default() });
    assert_eq!(bench.state(6379), ProcessState::Starting, "somebody else has the port");
}

#[test]
fn a_second_supervisor_adopts_what_lives_and_reports_what_does_not() {
    let mut bench = Bench::up(|_| ());
    let mut actions = Vec::new();
    bench.supervisor.handle(
        Event::Request { id: 1, request: Request::Stop { ports: vec![] } },
        Now { mono: 0, unix: 0 },
        &mut actions,
    );
    let state = actions.into_iter().find_map(|action| match action {
        Action::Persist(state) => Some(*state),
        _ => None,
    });
    let living = BTreeMap::from([(6379, Living::Gone), (6380, Living::Alive)]);
    let mut actions = Vec::new();
    bench.supervisor = Supervisor::resume(state.unwrap(), &living, 2, Now { mono: 0, unix: 9 }, &mut actions);
    let said: Vec<String> = actions.iter().filter_map(line).collect();
    assert_eq!(said, ["event 6380 adopted, pid 63800", "watch 6380 63800"]);
    assert_eq!(bench.give(Event::Tick), ["probe 6380"]);
    assert!(matches!(bench.state(6379), ProcessState::Crashed { .. }));
}

#[test]
fn a_node_without_a_record_is_adopted_instead_of_started_twice() {
    let (mut bench, _) = Bench::new(|_| ());
    let found = Found { living: Some(process(6379)), configured: true, ..Found::default() };
    let said = bench.give(Event::Examined { port: 6379, found: Box::new(found) });
    assert_eq!(said, ["event 6379 adopted, pid 63790", "watch 6379 63790"]);
}

#[test]
fn a_request_about_an_unknown_node_changes_nothing() {
    let mut bench = Bench::up(|_| ());
    for request in [
        Request::Stop { ports: vec![6380, 1] },
        Request::Kill { ports: vec![1], signal: SIGKILL },
        Request::Remove { port: 1, purge: true },
        Request::SetRole { port: 1, upstream: None },
    ] {
        assert_eq!(bench.ask(request), ["refused 2 local has no node 1"]);
    }
}

#[test]
fn a_running_node_is_neither_forgotten_nor_given_a_role_behind_its_back() {
    let mut bench = Bench::up(|_| ());
    assert_eq!(bench.ask(Request::Remove { port: 6380, purge: false }), ["refused 7 6380 is running"]);
    let said = bench.ask(Request::SetRole { port: 6380, upstream: None });
    assert_eq!(said, ["refused 7 6380 is running: its role is its own to change"]);
    bench.ask(Request::Stop { ports: vec![6380] });
    bench.give(exited(6380, Ended::Code(0)));
    let said = bench.ask(Request::SetRole { port: 6380, upstream: Some(("::1".into(), 9)) });
    assert_eq!(said[1..], [r#"rewrite 6380 Some(("::1", 9))"#, "begun"]);
    assert_eq!(bench.ask(Request::Remove { port: 6380, purge: true }), ["discard 6380", "begun"]);
    assert!(bench.supervisor.facts().node(6380).is_none());
}

#[test]
fn a_master_without_a_disk_is_not_restarted_under_its_replicas() {
    let mut bench = Bench::up(|topology| topology.nodes[0].persistence = Persistence::None);
    let said = bench.ask(Request::Restart { ports: vec![6379], allow_data_loss: false });
    assert!(said[0].starts_with("refused 7 6379 keeps nothing on disk"), "{said:?}");
    assert_eq!(bench.state(6379), ProcessState::Running);
}

#[test]
fn a_supervisor_that_nobody_asks_for_anything_ends() {
    let mut bench = Bench { supervisor: Supervisor::new("t", 1, Now { mono: 0, unix: 0 }), at: 0 };
    assert_eq!(bench.pass(1_000_000), ["end"]);
    assert_eq!(bench.at, IDLE_MS);
}

mod faults;

#[test]
fn c19_a_clock_that_jumps_restarts_nobody() {
    let mut bench = Bench::up(|topology| topology.nodes[0].restart = Restart::OnFailure);
    for unix in [3_600_000, 1] {
        let mut actions = Vec::new();
        bench.at += 1_000;
        bench.supervisor.handle(Event::Tick, Now { mono: bench.at, unix }, &mut actions);
        let lines: Vec<String> = actions.iter().filter_map(line).collect();
        assert_eq!(lines, ["probe 6379", "probe 6380"], "a look, and nothing else, at {unix}");
        for port in [6379, 6380] {
            bench.give(Event::Silent { port, pid: u32::from(port) * 10 });
        }
    }
    assert_eq!(bench.state(6379), ProcessState::Running);
}
