//! The loop around the [`Supervisor`]: children, timers, probes and requests become [`Event`]s; [`Action`]s
//! become processes, signals, files and answers. It decides nothing.
//!
//! Invariants: one thread; both clocks are read here, once per event; every probe and every change to a node has
//! a timeout and runs beside the loop, so a hanging node holds up nobody; the state is written beside the loop
//! too, one write at a time, the latest state counting.

#![expect(clippy::disallowed_methods, reason = "the runtime is where the clock is read")]

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rctl_server::fault::Rule;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};

use super::control::{self, Ask};
use super::event::{Action, Ended, Event, Now, SetState};
use super::identity::{self, Identity, Living};
use super::inspect::{self, Other, PROBE};
use super::process;
use super::request::Reply;
use super::state_dir::{Lock, SetDir};
use super::supervisor::Supervisor;
use super::survey::{self, Asked, Door};
use super::unit::NOBODY;
use crate::error::{Error, Exit, Result};
use crate::node::client::{Auth, CHANGE, Client};
use crate::node::observe::observe_over;
use crate::plan::settling::Intent;
use crate::plan::step::Step;
use crate::topology::HERE;

/// Events waiting for the loop; whoever has one more waits.
const QUEUE: usize = 1024;

/// Supervises the set in `dir` until everything is down. `ready` is called once the control socket answers. The
/// set's lock is given back: whoever waits for it waits for the end of whoever holds it.
///
/// # Errors
/// Another supervisor lives, or the directory cannot be used.
pub async fn run(dir: SetDir, ready: impl FnOnce()) -> Result<Lock> {
    dir.create()?;
    let Some(lock) = dir.lock()? else {
        return Err(Error::new(Exit::Environment, format!("{} has a supervisor already", dir.name())));
    };
    let listener = control::listen(&dir.socket())?;
    let (events, mut queue) = mpsc::channel(QUEUE);
    let (asks, mut asked) = mpsc::channel(QUEUE);
    let serving = tokio::spawn(control::serve(listener, asks));
    let mut runtime = Runtime::begin(dir, events);
    runtime.watch_signals()?;
    ready();
    while !runtime.ended {
        let wake = runtime.wake();
        let event = tokio::select! {
            Some(event) = queue.recv() => event,
            Some(ask) = asked.recv() => runtime.taken(ask),
            () = tokio::time::sleep_until(wake.into()) => Event::Tick,
        };
        runtime.take(event);
    }
    serving.abort();
    runtime.finish().await;
    Ok(lock)
}

struct Runtime {
    supervisor: Supervisor,
    dir: SetDir,
    began: Instant,
    events: mpsc::Sender<Event>,
    /// Events that were known at once, before the loop turns again.
    at_once: VecDeque<Event>,
    waiting: BTreeMap<u64, (oneshot::Sender<Reply>, bool)>,
    /// Answers to requests for what is nowhere but in the state: given once that is stored.
    unstored: Vec<(oneshot::Sender<Reply>, Reply)>,
    next_ask: u64,
    /// Connections to the nodes, kept between two looks.
    connections: Arc<Mutex<BTreeMap<u16, Client>>>,
    store: Arc<Store>,
    ended: bool,
}

impl Runtime {
    /// Goes on where an earlier supervisor ended.
    fn begin(dir: SetDir, events: mpsc::Sender<Event>) -> Self {
        let began = Instant::now();
        let now = Now { mono: 0, unix: unix_ms() };
        let mut actions = Vec::new();
        let loaded = dir.load();
        let mut supervisor = match loaded.state {
            Some(mut state) => {
                let living = look_at(&dir, &mut state);
                Supervisor::resume(state, &living, std::process::id(), now, &mut actions)
            }
            None => Supervisor::new(&dir.name(), std::process::id(), now),
        };
        if let Some(problem) = loaded.problem {
            supervisor.warn(problem);
        }
        let mut runtime = Self {
            supervisor,
            store: Arc::new(Store { dir: dir.clone(), next: Mutex::new(Next::default()) }),
            dir,
            began,
            events,
            at_once: VecDeque::new(),
            waiting: BTreeMap::new(),
            unstored: Vec::new(),
            next_ask: 0,
            connections: Arc::default(),
            ended: false,
        };
        for action in actions {
            runtime.perform(action);
        }
        runtime
    }

    /// Signals to the supervisor itself end the set; a terminal that closes does not.
    fn watch_signals(&self) -> Result<()> {
        let failed = |error| Error::new(Exit::Environment, format!("cannot watch for signals: {error}"));
        let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let events = self.events.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = hangup.recv() => continue,
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                if events.send(Event::Terminate).await.is_err() {
                    return;
                }
            }
        });
        Ok(())
    }

    fn taken(&mut self, ask: Ask) -> Event {
        let id = self.next_ask;
        self.next_ask += 1;
        self.waiting.insert(id, (ask.answer, ask.request.is_kept_nowhere_else()));
        Event::Request { id, request: ask.request }
    }

    /// One event, and all that follows from it at once.
    fn take(&mut self, event: Event) {
        self.at_once.push_back(event);
        while let Some(event) = self.at_once.pop_front() {
            let now = self.now();
            let mut actions = Vec::new();
            self.supervisor.handle(event, now, &mut actions);
            for action in actions {
                self.perform(action);
            }
            // Nothing was to be stored.
            answer(std::mem::take(&mut self.unstored));
        }
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Examine { port } => self.examine(port),
            Action::Spawn { port, configure } => self.spawn(port, configure),
            Action::Watch { port, identity } => self.watch(port, identity),
            Action::Signal { identity, signal, .. } => process::signal(&identity, signal),
            Action::Probe { port, pid } => self.probe(port, pid),
            Action::Wire { port, upstream } => self.wire(port, upstream),
            Action::Fault { port, rules } => self.fault(port, rules),
            Action::Rewrite { port, upstream } => self.rewrite(port, upstream.as_ref()),
            Action::Survey { old } => self.survey(old),
            Action::Succeed { old, target, steps } => self.succeed(old, target, steps),
            Action::Discard { port } => {
                let _ = self.dir.discard(port);
            }
            Action::Publish(happening) => {
                if let Err(error) = self.dir.publish(&happening) {
                    complain(&format!("{}: {error}", self.dir.events().display()));
                }
            }
            Action::Persist(state) => self.persist(*state),
            Action::Reply { id, reply } => {
                if let Some((asker, durable)) = self.waiting.remove(&id) {
                    match durable {
                        true => self.unstored.push((asker, reply)),
                        false => answer(vec![(asker, reply)]),
                    }
                }
            }
            Action::End => self.ended = true,
        }
    }

    fn examine(&mut self, port: u16) {
        let facts = self.supervisor.facts();
        // A Sentinel takes nobody's data away.
        let sentinel = self.supervisor.is_sentinel(port);
        let others = facts.nodes.iter().filter(|node| node.port != port && !sentinel).map(|node| Other {
            port: node.port,
            host: self.host(node.port),
            dir: self.dir.node(node.port),
            lives: node.lives(),
            auth: self.auth(node.port),
        });
        let (dir, others, events) = (self.dir.node(port), others.collect(), self.events.clone());
        // Nothing there yet is the common case, and no reason to wait for the loop to turn.
        if !dir.conf().exists() {
            self.at_once.push_back(Event::Examined { port, found: Box::default() });
            return;
        }
        tokio::spawn(async move {
            let found = Box::new(inspect::examine(&dir, others).await);
            let _ = events.send(Event::Examined { port, found }).await;
        });
    }

    fn spawn(&mut self, port: u16, configure: bool) {
        let Some(plan) = self.supervisor.plan_of(port) else { return };
        match process::spawn(plan, &self.dir.node(port), configure, &self.supervisor.rules_of(port)) {
            Ok((child, identity)) => {
                let (events, pid, dir) = (self.events.clone(), identity.pid, self.dir.node(port));
                tokio::spawn(async move {
                    let ended = process::ended(child).await;
                    let _ =
                        events.send(Event::Exited { port, pid, ended, follows: inspect::role(&dir) }).await;
                });
                self.at_once.push_back(Event::Spawned { port, identity });
            }
            Err(why) => self.at_once.push_back(Event::NotSpawned { port, why }),
        }
    }

    fn watch(&self, port: u16, identity: Identity) {
        let (events, dir) = (self.events.clone(), self.dir.node(port));
        tokio::spawn(async move {
            process::gone(&identity).await;
            let follows = inspect::role(&dir);
            let _ =
                events.send(Event::Exited { port, pid: identity.pid, ended: Ended::Unseen, follows }).await;
        });
    }

    fn probe(&self, port: u16, pid: u32) {
        if self.supervisor.is_sentinel(port) {
            let events = self.events.clone();
            tokio::spawn(async move {
                let event = match inspect::sentinel(port, pid, unix_ms()).await {
                    Some((ours, seen)) => Event::Answered { port, pid, ours, seen },
                    None => Event::Silent { port, pid },
                };
                let _ = events.send(event).await;
            });
            return;
        }
        let (events, connections, door) =
            (self.events.clone(), Arc::clone(&self.connections), self.door(port));
        tokio::spawn(async move {
            let kept = connections.lock().ok().and_then(|mut kept| kept.remove(&port));
            let event = match look(kept, door).await {
                Some((client, observation)) => {
                    if let Ok(mut kept) = connections.lock() {
                        kept.insert(port, client);
                    }
                    // A wrapper script answers through the server it started, in its own group.
                    let same = |said| said == pid || identity::same_group(said, pid);
                    let ours = pid == NOBODY || observation.pid.is_none_or(same);
                    Event::Answered { port, pid, ours, seen: inspect::seen(&observation, unix_ms()) }
                }
                None => Event::Silent { port, pid },
            };
            let _ = events.send(event).await;
        });
    }

    fn wire(&self, port: u16, upstream: u16) {
        let (events, door, host) = (self.events.clone(), self.door(port), self.host(upstream));
        tokio::spawn(async move {
            let problem = point(door, &host, upstream).await.err().map(|error| error.to_string());
            let _ = events.send(Event::Wired { port, problem }).await;
        });
    }

    fn fault(&self, port: u16, rules: BTreeMap<u16, Rule>) {
        let (events, door) = (self.events.clone(), self.door(port));
        tokio::spawn(async move {
            let problem = break_links(door, &rules).await.err().map(|error| error.to_string());
            let _ = events.send(Event::Faulted { port, rules, problem }).await;
        });
    }

    fn rewrite(&self, port: u16, upstream: Option<&(String, u16)>) {
        let Some(plan) = self.supervisor.plan_of(port) else { return };
        let upstream = upstream.map(|(host, port)| (host.as_str(), *port));
        if let Err(why) = process::rewrite_role(plan, &self.dir.node(port), upstream) {
            complain(&why);
        }
    }

    fn survey(&self, old: u16) {
        let facts = self.supervisor.facts();
        let asked = facts
            .nodes
            .iter()
            .map(|node| Asked::new(node, self.host(node.port), self.auth(node.port)))
            .collect();
        let events = self.events.clone();
        tokio::spawn(async move {
            let members = Box::new(survey::survey(asked).await);
            let _ = events.send(Event::Surveyed { old, members }).await;
        });
    }

    fn succeed(&self, old: u16, target: u16, steps: Vec<Step>) {
        let doors = steps.iter().map(|step| (step.node(), self.door(step.node()))).collect();
        let (events, dir) = (self.events.clone(), self.dir.clone());
        let what = format!("autofailover from {old} to {target}");
        let intent = Intent { what, target: Some(target), old: Some(old), steps, begun: 0 };
        tokio::spawn(async move {
            let problem = survey::succeed(&dir, &intent, &doors).await.err();
            let _ = events.send(Event::Succeeded { old, target, problem }).await;
        });
    }

    fn persist(&mut self, state: SetState) {
        let (store, events) = (Arc::clone(&self.store), self.events.clone());
        if store.offer(state, std::mem::take(&mut self.unstored)) {
            tokio::task::spawn_blocking(move || {
                while let Some(result) = store.write_one() {
                    let _ = events.try_send(Event::Stored { problem: result.err() });
                }
            });
        }
    }

    /// Writes what is still to be written, and takes the socket away.
    async fn finish(self) {
        let store = Arc::clone(&self.store);
        let _ = tokio::task::spawn_blocking(move || store.drain()).await;
        let _ = std::fs::remove_file(self.dir.socket());
    }

    fn host(&self, port: u16) -> String {
        self.supervisor.plan_of(port).map_or(HERE, |plan| plan.spec.host()).to_owned()
    }

    fn door(&self, port: u16) -> Door {
        Door { host: self.host(port), port, auth: self.auth(port) }
    }

    fn auth(&self, port: u16) -> Option<Auth> {
        let plan = self.supervisor.plan_of(port)?;
        plan.spec.password().map(|password| Auth { user: None, password: password.to_owned() })
    }

    fn now(&self) -> Now {
        let mono = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Now { mono, unix: unix_ms() }
    }

    fn wake(&self) -> Instant {
        let far = self.began.elapsed() + Duration::from_secs(3600);
        self.began + self.supervisor.next_wake().map_or(far, Duration::from_millis)
    }
}

/// The state on its way to the disk: at most one write at a time, and one state waiting.
struct Store {
    dir: SetDir,
    next: Mutex<Next>,
}

#[derive(Default)]
struct Next {
    state: Option<SetState>,
    /// To be sent when that is stored.
    replies: Vec<(oneshot::Sender<Reply>, Reply)>,
    writing: bool,
}

impl Store {
    /// Takes the newest state; `true` where nobody is writing, and the caller has to.
    fn offer(&self, state: SetState, replies: Vec<(oneshot::Sender<Reply>, Reply)>) -> bool {
        let Ok(mut next) = self.next.lock() else { return false };
        next.state = Some(state);
        next.replies.extend(replies);
        !std::mem::replace(&mut next.writing, true)
    }

    /// Writes the newest state; `None` when there is none.
    fn write_one(&self) -> Option<std::result::Result<(), String>> {
        let (state, replies) = {
            let mut next = self.next.lock().ok()?;
            let state = next.state.take();
            next.writing = state.is_some();
            (state?, std::mem::take(&mut next.replies))
        };
        let stored = self.dir.store(&state);
        answer(replies);
        Some(stored)
    }

    /// Waits for the write that is under way, and does what is left.
    fn drain(&self) {
        while self.next.lock().is_ok_and(|next| next.writing) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn answer(replies: Vec<(oneshot::Sender<Reply>, Reply)>) {
    for (asker, reply) in replies {
        // Whoever asked may have left.
        let _ = asker.send(reply);
    }
}

/// What has become of each recorded process. One that is gone, or was never recorded, is looked for by its
/// directory.
fn look_at(dir: &SetDir, state: &mut SetState) -> BTreeMap<u16, Living> {
    let mut living = BTreeMap::new();
    for record in state.nodes.iter_mut().chain(&mut state.sentinels) {
        let port = record.plan.spec.port;
        let known = record.identity.as_ref().map_or(Living::Gone, Identity::look);
        if known == Living::Gone {
            record.identity = identity::working_in(&dir.node(port).data());
        }
        living.insert(port, record.identity.as_ref().map_or(Living::Gone, Identity::look));
    }
    living
}

async fn look(kept: Option<Client>, door: Door) -> Option<(Client, crate::node::observe::Observation)> {
    if let Some(mut client) = kept
        && let Ok(observation) = observe_over(&mut client, PROBE).await
    {
        return Some((client, observation));
    }
    let mut client = door.open(PROBE).await.ok()?;
    let observation = observe_over(&mut client, PROBE).await.ok()?;
    Some((client, observation))
}

/// REPLICAOF, and CONFIG REWRITE so that the next start obeys it too.
async fn point(
    door: Door,
    host: &str,
    upstream: u16,
) -> std::result::Result<(), crate::node::client::ClientError> {
    let mut client = door.open(CHANGE).await?;
    let upstream = upstream.to_string();
    client.command(&["REPLICAOF", host, &upstream], CHANGE).await?;
    client.command(&["CONFIG", "REWRITE"], CHANGE).await?;
    Ok(())
}

/// DEBUG LINK, for every other node.
async fn break_links(
    door: Door,
    rules: &BTreeMap<u16, Rule>,
) -> std::result::Result<(), crate::node::client::ClientError> {
    let mut client = door.open(CHANGE).await?;
    for (other, rule) in rules {
        let (other, rule) = (other.to_string(), rule.to_string());
        let mut words = vec!["DEBUG", "LINK", &other];
        words.extend(rule.split(' '));
        client.command(&words, CHANGE).await?;
    }
    Ok(())
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The supervisor's own complaints: its stderr is a file.
fn complain(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{line}");
}
