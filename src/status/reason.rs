//! What to tell about nodes that are not well, and what to type: the root of a trouble first, its followers after.

use super::chain::Chain;
use super::figure::{duration, grouped};
use super::look::{Look, Round, Sight};
use super::report::{Blame, NodeStatus, Problem, Role, State};

/// Fills in `reason` and `fix` of every node and gives the lines of advice. What passes by itself has a reason and no
/// line.
pub(super) fn explain(round: &Round<'_>, chain: &Chain, nodes: &mut [NodeStatus]) -> Vec<Problem> {
    let told: Vec<Option<Problem>> =
        (0..nodes.len()).map(|index| problem(round, chain, nodes, index)).collect();
    let mut lines = Vec::new();
    let mut circle_told = false;
    for (node, problem) in nodes.iter_mut().zip(told) {
        let Some(problem) = problem else { continue };
        node.reason = Some(problem.what.clone());
        if !node.state.is_passing() {
            node.fix = Some(problem.fix.clone());
            let circle = matches!(node.state, State::Stale { blame: Blame::Circle });
            if circle && std::mem::replace(&mut circle_told, true) {
                continue;
            }
            lines.push((matches!(node.state, State::Stale { .. } | State::LinkDown { .. }), problem));
        }
    }
    lines.sort_by_key(|(follows, _)| *follows);
    lines.into_iter().map(|(_, problem)| problem).collect()
}

fn problem(round: &Round<'_>, chain: &Chain, nodes: &[NodeStatus], index: usize) -> Option<Problem> {
    let node = nodes.get(index)?;
    let look = round.looks.get(index);
    let port = node.port;
    let ago = ago(round.now_ms, node.since_ms);
    let fix = |what: String, fix: String| Some(Problem { port, what, fix, see: false });
    let see = |what: String, fix: String| Some(Problem { port, what, fix, see: true });
    match &node.state {
        State::InSync | State::Writable => None,
        State::Held { why } => fix(format!("held: it {why}"), revive(chain, nodes, index)),
        State::Crashed { exit } => {
            let comma = if exit.ends_with(|c: char| c.is_ascii_digit()) { "," } else { "" };
            match squatter(look) {
                Some(who) => {
                    see(format!("{exit}{comma}{ago}; {who}"), format!("rctl cli {port} info server"))
                }
                None => fix(format!("{exit}{comma}{ago}"), revive(chain, nodes, index)),
            }
        }
        State::Stopped => {
            let what = if node.since_ms.is_some() { "stopped" } else { "nothing listens on its port" };
            match squatter(look) {
                Some(who) => see(format!("{what}{ago}; {who}"), format!("rctl cli {port} info server")),
                None => fix(format!("{what}{ago}"), format!("rctl start {port}")),
            }
        }
        State::Paused => fix(format!("frozen{ago}"), format!("rctl resume {port}")),
        State::Unresponsive { why } => match look.map(|look| &look.sight) {
            // It answers, if only to refuse: starting it again would change nothing.
            Some(Sight::Unreadable(_)) => see(why.clone(), format!("rctl logs {port}")),
            // Whoever started it has to look.
            _ if node.attached => see(why.clone(), format!("rctl cli {}:{port} ping", node.host)),
            _ => fix(why.clone(), format!("rctl restart {port}")),
        },
        State::Foreign { pid } => {
            let who = pid.map_or_else(|| "a process".to_owned(), |pid| format!("process {pid}"));
            let what = format!("its port is answered by {who}, which rctl did not start");
            see(what, format!("rctl cli {port} info server"))
        }
        State::Diverged { from, shared, unique } => {
            see(diverged(node, *from, *shared, *unique), format!("rctl replicaof {port} {from} -n"))
        }
        State::Loading => see("it is starting, or reading its data".into(), format!("rctl logs {port}")),
        State::Syncing { .. } => {
            see("it copies a snapshot from its upstream".into(), format!("rctl logs {port}"))
        }
        State::Waiting => see("its upstream prepares a snapshot".into(), format!("rctl logs {port}")),
        State::Cut => {
            fix(format!("its link{} is cut on purpose", upstream(node)), format!("rctl heal {port}"))
        }
        State::LinkDown { for_s } => Some(link_down(round, chain, nodes, index, *for_s)),
        State::Stale { blame } => stale(round, chain, nodes, index, *blame),
        State::RefusingWrites { good, min } => {
            let what = format!("refuses writes: {good} of at least {min} replicas are in sync");
            let sick = chain
                .children(index)
                .filter(|child| nodes.get(*child).is_some_and(|node| !node.state.is_well()));
            match sick.filter_map(|child| cure(round, chain, nodes, child)).next() {
                Some(cure) => fix(what, cure),
                None => see(what, format!("rctl cli {port} config get min-replicas-to-write")),
            }
        }
    }
}

fn diverged(node: &NodeStatus, from: u16, shared: u64, unique: u64) -> String {
    let was = if node.replid2.is_some() { "shares its past with" } else { "was the master of" };
    format!(
        "{was} {from} until offset {}; has {} B no other node has; re-attaching will DELETE them",
        grouped(shared),
        grouped(unique)
    )
}

fn link_down(
    round: &Round<'_>,
    chain: &Chain,
    nodes: &[NodeStatus],
    index: usize,
    for_s: Option<u64>,
) -> Problem {
    let (port, to) = nodes.get(index).map_or((0, String::new()), |node| (node.port, upstream(node)));
    let since = for_s.map_or_else(|| ", and never was up".to_owned(), |s| format!(" for {}", duration(s)));
    let what = format!("its link{to} is down{since}");
    match above(chain, nodes, index).and_then(|(up, why)| Some((why, cure(round, chain, nodes, up)?))) {
        Some((why, fix)) => Problem { port, what: format!("{what}: {why}"), fix, see: false },
        None => Problem { port, what, fix: format!("rctl logs {port}"), see: true },
    }
}

fn stale(
    round: &Round<'_>,
    chain: &Chain,
    nodes: &[NodeStatus],
    index: usize,
    blame: Blame,
) -> Option<Problem> {
    let port = nodes.get(index)?.port;
    let logs = format!("rctl logs {port}");
    Some(match blame {
        Blame::Above(above) => {
            let up = nodes.iter().position(|node| node.port == above);
            let state = up.and_then(|up| nodes.get(up)).map_or("gone", |node| described(&node.state));
            let what = format!("its own link is up, but {above} {state}");
            match up.and_then(|up| cure(round, chain, nodes, up)) {
                Some(fix) => Problem { port, what, fix, see: false },
                None => Problem { port, what, fix: logs, see: true },
            }
        }
        Blame::NoAck(seconds) => {
            let what = format!("its upstream heard no acknowledgement for {seconds} s");
            Problem { port, what, fix: logs, see: true }
        }
        Blame::Circle => {
            let what = "there is no master above it: these replicas follow each other in a circle".to_owned();
            Problem { port, what, fix: format!("rctl replicaof {port} no one"), see: false }
        }
    })
}

/// What would put a node right; `None` for what nothing typed does.
fn cure(round: &Round<'_>, chain: &Chain, nodes: &[NodeStatus], index: usize) -> Option<String> {
    // The nodes above may be sick because of those above them; the way up ends, since each is passed once.
    let node = nodes.get(index)?;
    match &node.state {
        State::Stale { .. } | State::LinkDown { .. } => chain
            .above(index)
            .into_iter()
            .rev()
            .filter(|up| nodes.get(*up).is_some_and(|up| is_source(&up.state)))
            .find_map(|up| cure(round, chain, nodes, up)),
        state if state.is_well() || state.is_passing() => None,
        _ => problem(round, chain, nodes, index).filter(|problem| !problem.see).map(|problem| problem.fix),
    }
}

/// Sick by itself, not because of a node above it. Only such states have a cure of their own, so that looking for one
/// ends.
fn is_source(state: &State) -> bool {
    state.starves() && !matches!(state, State::Stale { .. } | State::LinkDown { .. })
}

/// The upstream of a node whose link is down, when the fault is the upstream's.
fn above(chain: &Chain, nodes: &[NodeStatus], index: usize) -> Option<(usize, String)> {
    let up = chain.parent(index)?;
    let node = nodes.get(up).filter(|node| node.state.starves())?;
    Some((up, format!("{} {}", node.port, described(&node.state))))
}

/// A dead replica is started again. A dead master is succeeded by the replica that has most, because starting it again
/// could bring back less than its replicas hold.
fn revive(chain: &Chain, nodes: &[NodeStatus], index: usize) -> String {
    let port = nodes.get(index).map_or(0, |node| node.port);
    let is_master = nodes.get(index).is_some_and(|node| node.role == Role::Master);
    let heirs = chain.children(index).filter_map(|child| nodes.get(child));
    let alive = heirs.filter(|heir| heir.last_known_ms.is_none() && heir.offset.is_some());
    // Of equals the first in the file.
    let best = alive.reduce(|best, heir| if heir.offset > best.offset { heir } else { best });
    match best {
        Some(heir) if is_master => format!("rctl promote {}", heir.port),
        _ => format!("rctl start {port}"),
    }
}

/// Somebody answers on the port of a node that does not run.
fn squatter(look: Option<&Look>) -> Option<String> {
    let pid = look?.seen()?.pid.map_or_else(String::new, |pid| format!(" {pid}"));
    Some(format!("its port is answered by process{pid}, which rctl did not start"))
}

fn described(state: &State) -> &'static str {
    match state {
        State::Held { .. } => "is held",
        State::Crashed { .. } => "crashed",
        State::Stopped => "is stopped",
        State::Paused => "is paused",
        State::Unresponsive { .. } => "does not answer",
        State::Foreign { .. } => "is another process",
        State::Diverged { .. } => "diverged",
        State::Loading => "is loading",
        State::Syncing { .. } => "is still copying",
        State::Waiting => "waits for a snapshot",
        State::Cut => "is cut from its upstream",
        State::LinkDown { .. } => "has lost its upstream",
        State::Stale { .. } => "is stale",
        State::RefusingWrites { .. } => "refuses writes",
        State::InSync | State::Writable => "is well",
    }
}

fn upstream(node: &NodeStatus) -> String {
    node.upstream.map_or_else(String::new, |port| format!(" to {port}"))
}

fn ago(now_ms: u64, since_ms: Option<u64>) -> String {
    since_ms
        .map_or_else(String::new, |since| format!(" {} ago", duration(now_ms.saturating_sub(since) / 1000)))
}
