//! `rctl plan`: what `up` would do, by the very plan that `up` carries out. Starts and changes nothing.

use std::collections::BTreeMap;

use serde::Serialize;

use super::status::json;
use super::up::{present, wanted};
use super::{Ctx, Outcome, clash, set};
use crate::cli::PlanArgs;
use crate::error::{Exit, Result};
use crate::plan::Plan;
use crate::plan::diff::{Diff, Present};
use crate::supervise::state_dir::SetDir;
use crate::topology::{Engine, NodeSpec};

/// One thing that `up` would do, or see and leave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Change {
    port: u16,
    /// `add`, `start`, `restart-needed`, `not-in-file`, `role-differs`.
    kind: &'static str,
    /// `up` would do it; else it only tells.
    acts: bool,
    what: String,
}

#[derive(Debug, Serialize)]
struct Answer<'a> {
    schema: &'static str,
    topology: &'a str,
    dir: String,
    changes: &'a [Change],
    /// What is in the way.
    blocked: Option<String>,
    plan: &'a Plan,
    /// Each node's program and arguments.
    argv: BTreeMap<u16, Vec<String>>,
}

/// Shows the plan. With `--exit-code`, 10 where `up` would change something.
///
/// # Errors
/// As `up`, before anything is started.
pub async fn run(ctx: &Ctx, args: &PlanArgs) -> Result<Outcome> {
    let topology = wanted(ctx, &args.wanted)?;
    let dir = SetDir::of(&ctx.state_root, &topology);
    let path = std::env::var_os("PATH");
    let plan = Plan::new(topology, dir.path(), path.as_deref())?;
    let known = set::known(ctx).into_iter().find(|known| known.dir == dir);
    let mut awake: Vec<u16> = Vec::new();
    let there = match known {
        Some(known) if known.running => {
            let set = set::Running::reach(known.dir).await?;
            let lives = set.facts.sentinels.iter().filter(|sentinel| sentinel.pid.is_some());
            awake.extend(lives.map(|sentinel| sentinel.port));
            present(&set).await
        }
        Some(known) => Present {
            nodes: known.topology.map(|topology| topology.nodes).unwrap_or_default(),
            ..Present::default()
        },
        None => Present::default(),
    };
    let diff = Diff::of(&plan.topology, &there);
    let mut changes = changes(&plan, &diff);
    let starts = plan.sentinels.iter().filter(|sentinel| !awake.contains(&sentinel.spec.port));
    changes.extend(starts.map(|sentinel| Change {
        port: sentinel.spec.port,
        kind: "start",
        acts: true,
        what: format!("is started: Sentinel, {}", sentinel.program.executable().0.display()),
    }));
    let file = args.wanted.file.as_ref().map(|file| file.display().to_string());
    let blocked = clash::look(ctx, &dir, &plan.topology, &diff.starts(), file.as_deref());
    let acts = changes.iter().any(|change| change.acts);
    let exit = if args.exit_code && acts { Exit::Changes } else { Exit::Done };
    if args.json {
        let answer = Answer {
            schema: "rctl.plan/1",
            topology: &plan.topology.name,
            dir: dir.path().display().to_string(),
            changes: &changes,
            blocked: blocked.map(|error| error.what),
            argv: argv(&plan, &dir),
            plan: &plan,
        };
        return Ok(Outcome { text: json(&answer)?, exit });
    }
    if let Some(error) = blocked {
        ctx.console.talk(&format!("warning: {error}"));
    }
    let mut text = String::new();
    for change in &changes {
        let mark = if change.acts { '+' } else { '!' };
        text.push_str(&format!("{mark} {} {}\n", change.port, change.what));
    }
    let said = match acts {
        false => format!("nothing to do: {} is as the file has it\n", plan.topology.name),
        true => format!("{} in {}\n", counted(&changes), dir.path().display()),
    };
    Ok(Outcome { text: text + &said, exit })
}

fn changes(plan: &Plan, diff: &Diff) -> Vec<Change> {
    let spec = |port: u16| plan.topology.node(port);
    let mut changes = Vec::new();
    let mut push = |port: u16, kind, acts, what: String| changes.push(Change { port, kind, acts, what });
    for &port in &diff.add {
        push(port, "add", true, format!("is created: {}", spec(port).map(described).unwrap_or_default()));
    }
    for &port in &diff.attach {
        let host = plan.topology.host(port);
        push(port, "attach", true, format!("is attached: whoever listens on {host}:{port}"));
    }
    for &port in &diff.start {
        push(port, "start", true, format!("is started: {}", spec(port).map(described).unwrap_or_default()));
    }
    for &port in &diff.changed {
        let what = format!("runs with another configuration than the file's; rctl restart {port}");
        push(port, "restart-needed", false, what);
    }
    for &port in &diff.extra {
        push(port, "not-in-file", false, format!("is no longer in the file; rctl remove {port}"));
    }
    let role = |upstream: Option<u16>| match upstream {
        Some(upstream) => format!("follows {upstream}"),
        None => "is a master".to_owned(),
    };
    for &(port, file, truth) in &diff.roles {
        let what = format!("{}, in the file it {}; left as it runs", role(truth), role(file));
        push(port, "role-differs", false, what);
    }
    changes.sort_by_key(|change| change.port);
    changes
}

fn described(node: &NodeSpec) -> String {
    let engine = match &node.engine {
        Engine::Builtin => "builtin".to_owned(),
        Engine::Redis => "redis-server".to_owned(),
        Engine::Valkey => "valkey-server".to_owned(),
        Engine::Path(path) => path.display().to_string(),
    };
    match node.replica_of {
        Some(upstream) => format!("replica of {upstream}, {engine}"),
        None => format!("master, {engine}"),
    }
}

fn counted(changes: &[Change]) -> String {
    match changes.iter().filter(|change| change.acts).count() {
        1 => "1 node to start,".to_owned(),
        count if changes.iter().any(|change| change.what.contains("Sentinel")) => {
            format!("{count} processes to start,")
        }
        count => format!("{count} nodes to start,"),
    }
}

fn argv(plan: &Plan, dir: &SetDir) -> BTreeMap<u16, Vec<String>> {
    let words = |node: &crate::plan::NodePlan| {
        let conf = dir.node(node.spec.port).conf();
        let program = node.program.executable().1;
        let rest = node.program.arguments(&conf);
        [program].into_iter().chain(rest).map(|word| word.to_string_lossy().into_owned()).collect()
    };
    plan.nodes.iter().map(|node| (node.spec.port, words(node))).collect()
}
