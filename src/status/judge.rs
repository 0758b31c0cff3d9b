//! The states, by precedence: first each node by its process, its answer and its own link, then down the chain.

use super::chain::Chain;
use super::history::{Fork, comparable, fork};
use super::look::{Look, Round, Sight};
use super::note;
use super::reason;
use super::report::{Blame, Link, NodeStatus, Role, State, StatusReport};
use crate::supervise::facts::ProcessState;
use crate::topology::{Engine, NodeSpec};

/// A replica that was not heard from for longer than this is stale, whatever its link says. It acknowledges every
/// second.
const ACK_LIMIT_S: u64 = 10;

/// Judges one round.
#[must_use]
pub fn judge(round: &Round<'_>) -> StatusReport {
    let chain = Chain::of(round);
    let forks = forks(round, &chain);
    let own: Vec<State> =
        (0..round.topology.nodes.len()).map(|index| own_state(round, &chain, &forks, index)).collect();
    let states: Vec<State> =
        own.iter().enumerate().map(|(index, state)| chained(round, &chain, &own, index, state)).collect();
    let mut nodes: Vec<NodeStatus> = round
        .topology
        .nodes
        .iter()
        .zip(&states)
        .enumerate()
        .map(|(index, (spec, state))| node(round, &chain, index, spec, state))
        .collect();
    let problems = reason::explain(round, &chain, &mut nodes);
    StatusReport {
        schema: "rctl.status/1",
        topology: round.topology.name.clone(),
        engine: engine(&round.topology.nodes),
        asked_ms: round.now_ms,
        ok: states.iter().all(State::is_well),
        nodes,
        faults: Vec::new(),
        problems,
        sentinels: Vec::new(),
        notes: note::roles(round, &chain),
    }
}

/// For each diverged master: the other one, and what they have alone. Of two, the one that fewer nodes follow is the
/// diverged one; the file decides a tie, then its order.
fn forks(round: &Round<'_>, chain: &Chain) -> Vec<Option<(u16, Fork)>> {
    let mut found: Vec<Option<(u16, Fork)>> = vec![None; round.topology.nodes.len()];
    let masters: Vec<usize> = (0..found.len())
        .filter(|index| chain.place(*index).is_some_and(|place| place.role == Role::Master))
        .collect();
    for (nth, first) in masters.iter().enumerate() {
        for second in masters.iter().skip(nth + 1) {
            let seen = |index: &usize| round.looks.get(*index).and_then(Look::seen);
            let spec = |index: &usize| round.topology.nodes.get(*index);
            let (Some(left), Some(right)) = (seen(first), seen(second)) else { continue };
            let (Some(left_spec), Some(right_spec)) = (spec(first), spec(second)) else { continue };
            let Some(fork) = fork(left, right) else { continue };
            let weight =
                |index: &usize, spec: &NodeSpec| (chain.followers(*index), spec.replica_of.is_none());
            if weight(second, right_spec) > weight(first, left_spec) {
                let turned = Fork { first: fork.second, second: fork.first, ..fork };
                put(&mut found, *first, (right_spec.port, turned));
            } else {
                put(&mut found, *second, (left_spec.port, fork));
            }
        }
    }
    found
}

fn put(found: &mut [Option<(u16, Fork)>], index: usize, fork: (u16, Fork)) {
    if let Some(slot) = found.get_mut(index) {
        slot.get_or_insert(fork);
    }
}

/// What the node is, looked at alone.
fn own_state(round: &Round<'_>, chain: &Chain, forks: &[Option<(u16, Fork)>], index: usize) -> State {
    let unknown = Look::default();
    let look = round.looks.get(index).unwrap_or(&unknown);
    if let Some(state) = process_state(look) {
        return state;
    }
    let Some(seen) = look.seen() else { return State::Unresponsive { why: "it says nothing".into() } };
    if let Some((from, fork)) = forks.get(index).copied().flatten() {
        return State::Diverged { from, shared: fork.shared, unique: fork.second };
    }
    if seen.loading {
        return State::Loading;
    }
    if !seen.is_replica {
        return match (seen.good_replicas, seen.min_replicas) {
            (Some(good), Some(min)) if good < min => State::RefusingWrites { good, min },
            _ => State::Writable,
        };
    }
    let listed = listed(round, chain, index);
    let Some(link) = &seen.link else { return State::LinkDown { for_s: None } };
    if link.syncing {
        State::Syncing { read: link.sync_read_bytes, total: link.sync_total_bytes }
    } else if !link.up && listed.as_ref().is_some_and(|(state, _)| state == "wait_bgsave") {
        State::Waiting
    } else if look.cut {
        State::Cut
    } else if !link.up {
        State::LinkDown { for_s: link.down_since_s }
    } else {
        match listed {
            Some((state, lag)) if state == "online" && lag > ACK_LIMIT_S => {
                State::Stale { blame: Blame::NoAck(lag) }
            }
            _ => State::InSync,
        }
    }
}

/// What the process and the port say, as long as that settles it.
fn process_state(look: &Look) -> Option<State> {
    let facts = look.facts.as_ref();
    match facts.map(|facts| &facts.process) {
        Some(ProcessState::Held { why }) => return Some(State::Held { why: why.clone() }),
        Some(ProcessState::Crashed { exit }) => return Some(State::Crashed { exit: exit.clone() }),
        Some(ProcessState::Stopped) => return Some(State::Stopped),
        Some(ProcessState::Paused) => return Some(State::Paused),
        Some(ProcessState::Starting | ProcessState::Running | ProcessState::Attached) | None => {}
    }
    let attached = facts.is_some_and(|facts| facts.process == ProcessState::Attached);
    let starting = facts.is_some_and(|facts| facts.process == ProcessState::Starting);
    match &look.sight {
        Sight::Refused | Sight::Silent if starting => Some(State::Loading),
        // Without a supervisor nobody can say how it ended.
        Sight::Refused if facts.is_none() => Some(State::Stopped),
        Sight::Refused if attached => Some(State::Unresponsive { why: "nothing listens there".into() }),
        Sight::Refused => Some(State::Unresponsive { why: "its process lives, its port is closed".into() }),
        Sight::Silent => Some(State::Unresponsive { why: "no answer in time".into() }),
        Sight::Stranger => Some(State::Foreign { pid: None }),
        Sight::Unreadable(why) => Some(State::Unresponsive { why: why.clone() }),
        Sight::Seen(seen) => {
            let ours = facts.and_then(|facts| facts.pid);
            // A server started through a script has another pid; the supervisor knows its run.
            let run = facts.and_then(|facts| facts.seen.as_ref()).and_then(|last| last.run_id.as_ref());
            let same_run = run.is_some() && run == seen.run_id.as_ref();
            let differs = ours.is_some() && seen.pid.is_some() && ours != seen.pid && !same_run;
            differs.then_some(State::Foreign { pid: seen.pid })
        }
    }
}

/// How the node's upstream lists it: its state there, and the seconds since its last acknowledgement.
fn listed(round: &Round<'_>, chain: &Chain, index: usize) -> Option<(String, u64)> {
    let port = round.topology.nodes.get(index)?.port;
    let upstream = round.looks.get(chain.parent(index)?)?.seen()?;
    // After a reconnection the old line may linger for a moment: the freshest one counts.
    let lines = upstream.replicas.iter().filter(|replica| replica.port == port);
    lines.min_by_key(|replica| replica.lag_s).map(|replica| (replica.state.clone(), replica.lag_s))
}

/// The state with the chain above taken into account: a link that is up brings nothing when the source is dry.
fn chained(round: &Round<'_>, chain: &Chain, own: &[State], index: usize, state: &State) -> State {
    if *state != State::InSync {
        return state.clone();
    }
    let dry = chain.above(index).into_iter().find(|up| own.get(*up).is_some_and(State::starves));
    let port = dry.and_then(|up| round.topology.nodes.get(up)).map(|node| node.port);
    match port {
        Some(port) => State::Stale { blame: Blame::Above(port) },
        None if chain.in_circle(index) => State::Stale { blame: Blame::Circle },
        None => State::InSync,
    }
}

fn node(round: &Round<'_>, chain: &Chain, index: usize, spec: &NodeSpec, state: &State) -> NodeStatus {
    let unknown = Look::default();
    let look = round.looks.get(index).unwrap_or(&unknown);
    let place = chain.place(index);
    let seen = look.seen();
    let facts = look.facts.as_ref();
    let role = place.map_or(Role::Master, |place| place.role);
    let upstream = place.and_then(|place| place.upstream.clone());
    // While a snapshot comes, the old offset means nothing any more.
    let offset = look.offset().filter(|_| !matches!(state, State::Syncing { .. }));
    let root = chain.root(index).filter(|root| *root != index).and_then(|root| round.looks.get(root));
    let (lag_bytes, lag_ms) = lag(round, look, root, offset);
    let link = seen.and_then(|seen| seen.link.as_ref()).map(|link| match link {
        link if link.up => Link::Up,
        link if link.syncing => Link::Syncing,
        _ => Link::Down,
    });
    let strange =
        root.and_then(Look::replid).is_some_and(|root| look.replid().is_some_and(|own| own != root));
    NodeStatus {
        port: spec.port,
        name: spec.name.clone(),
        host: spec.host().to_owned(),
        attached: spec.attach.is_some(),
        role,
        state: state.clone(),
        since_ms: facts.map(|facts| facts.since_ms),
        upstream: upstream.as_ref().map(|(_, port)| *port),
        upstream_host: upstream.map(|(host, _)| host),
        link,
        offset,
        lag_bytes,
        lag_ms,
        unique_bytes: match state {
            State::Diverged { unique, .. } => Some(*unique),
            _ => None,
        },
        ack_s: listed(round, chain, index).map(|(_, lag)| lag),
        keys: look.keys().filter(|_| !matches!(state, State::Syncing { .. })),
        ops_per_s: seen.and_then(|seen| seen.ops_per_s).map(|ops| ops.saturating_sub(round.own_ops_per_s)),
        memory_bytes: seen.and_then(|seen| seen.memory_bytes),
        clients: seen.and_then(|seen| seen.clients),
        replid: look.replid().map(str::to_owned),
        replid2: seen.and_then(|seen| seen.replid2.clone()),
        other_history: strange || matches!(state, State::Diverged { .. }),
        pid: facts.and_then(|facts| facts.pid).or_else(|| seen.and_then(|seen| seen.pid)),
        uptime_s: seen.and_then(|seen| seen.uptime_s),
        restarts: facts.map_or(0, |facts| facts.restarts),
        last_known_ms: look.last().map(|last| last.at_ms),
        reason: None,
        fix: None,
        info: seen.map(|seen| seen.info.clone()).unwrap_or_default(),
    }
}

/// How far the root is ahead, in bytes and in time. Only a root that answers now is ahead of anybody, and only within
/// one history; a node that was asked a moment later than its root may be beyond it, which is no lag.
fn lag(
    round: &Round<'_>,
    look: &Look,
    root: Option<&Look>,
    offset: Option<u64>,
) -> (Option<u64>, Option<u64>) {
    let Some((root, offset)) = root.zip(offset) else { return (None, None) };
    let Some(master) = root.seen().filter(|master| comparable(master, look.replid(), offset)) else {
        return (None, None);
    };
    let Some(bytes) = master.offset.map(|ahead| ahead.saturating_sub(offset)) else { return (None, None) };
    let late = || root.passed_at(offset).map(|since| round.now_ms.saturating_sub(since));
    (Some(bytes), if bytes == 0 { Some(0) } else { late() })
}

fn engine(nodes: &[NodeSpec]) -> String {
    let name = |engine: &Engine| match engine {
        Engine::Builtin => "builtin".to_owned(),
        Engine::Redis => "redis".to_owned(),
        Engine::Valkey => "valkey".to_owned(),
        Engine::Path(path) => path.display().to_string(),
    };
    let first = nodes.first().map(|node| &node.engine);
    match first {
        Some(engine) if nodes.iter().all(|node| node.engine == *engine) => name(engine),
        _ => "mixed".to_owned(),
    }
}
