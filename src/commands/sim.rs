//! `rctl sim FILE`: the set of a file in a simulated world, where everything that can go wrong does, and its story.
//!
//! Nothing is started. The nodes are the built-in server's own code over a network, clocks and disks that follow from the
//! seed, so that the same seed always tells the same story. Every law of replication is checked after every input
//! ([`rctl_server::sim::check`] lists them).

use rctl_server::node::Config;
use rctl_server::sim::campaign::Machine;
use rctl_server::sim::{Campaign, Outcome as Run};
use serde::Serialize;

use super::status::json;
use super::{Ctx, Outcome};
use crate::cli::SimArgs;
use crate::error::{Error, Exit, Result};
use crate::topology::{self, Engine, NodeSpec, Topology};

/// Directives of the file that the simulation follows: those that decide how replication goes. Addresses, passwords and
/// paths mean nothing in a world of its own, and its disks save when the seed says so.
const FOLLOWED: [&str; 5] =
    ["repl-", "min-replicas-", "client-output-buffer-limit", "replica-serve-stale-data", "lazyfree-"];

/// How long an id is in the story.
const ID_SHOWN: usize = 8;

/// A line of the story.
#[derive(Debug, Serialize)]
struct Event {
    ms: u64,
    text: String,
}

/// The story as JSON.
#[derive(Debug, Serialize)]
struct Answer {
    schema: &'static str,
    file: String,
    seed: u64,
    steps: u64,
    held: bool,
    broken: Option<String>,
    /// Equal for equal runs.
    hash: String,
    simulated_ms: u64,
    commands: u64,
    continuations: u64,
    full_resyncs: u64,
    story: Vec<Event>,
}

/// Runs the set of the file.
///
/// # Errors
/// The file is invalid (4). A broken law is an outcome of its own (12), with the story.
pub fn run(ctx: &Ctx, args: &SimArgs) -> Result<Outcome> {
    let (set, _) = topology::load(&args.file)?;
    if set.nodes.iter().any(|node| node.engine != Engine::Builtin) {
        ctx.console.talk("every node is the built-in server here, whatever engine the file names");
    }
    let machines = machines(&set)?;
    let run = Campaign::of(args.seed, machines, args.steps, true).run();
    let exit = if run.broken.is_none() { Exit::Done } else { Exit::Differs };
    let text = if args.json { json(&answer(args, run))? } else { told(args, &run, set.nodes.len()) };
    Ok(Outcome { text, exit })
}

fn machines(set: &Topology) -> Result<Vec<Machine>> {
    set.nodes.iter().map(machine).collect()
}

fn machine(node: &NodeSpec) -> Result<Machine> {
    let followed = |name: &&String| FOLLOWED.iter().any(|start| name.starts_with(start));
    let lines = node.config.keys().filter(followed).filter_map(|name| Some((name, node.config.get(name)?)));
    let config: String = lines.map(|(name, value)| format!("{name} {value}\n")).collect();
    if let Err(error) = Config::from_text(config.as_bytes(), &mut |_| Err("no files here".to_owned())) {
        return Err(Error::new(
            Exit::Invalid,
            format!("node {}: the built-in server refuses its directives: {error}", node.port),
        ));
    }
    let name = node.name.clone().unwrap_or_else(|| node.port.to_string());
    Ok(Machine { name, port: node.port, upstream: node.replica_of, config })
}

fn answer(args: &SimArgs, run: Run) -> Answer {
    let story = run.story.iter().map(|(ms, line)| Event { ms: *ms, text: short_ids(line) });
    Answer {
        schema: "rctl.sim/1",
        file: args.file.display().to_string(),
        seed: args.seed,
        steps: run.steps,
        held: run.broken.is_none(),
        hash: format!("{:016x}", run.hash),
        simulated_ms: run.time_ms,
        commands: run.commands,
        continuations: run.partial,
        full_resyncs: run.full,
        story: story.collect(),
        broken: run.broken,
    }
}

/// The story, a line for each event, and the verdict.
fn told(args: &SimArgs, run: &Run, nodes: usize) -> String {
    let mut text = String::new();
    for (ms, line) in &run.story {
        text.push_str(&format!("{:>6}.{:03} s  {}\n", ms / 1000, ms % 1000, short_ids(line)));
    }
    let counts = format!(
        "{} steps, {} commands, {} continuations, {} full resyncs",
        run.steps, run.commands, run.partial, run.full
    );
    let verdict = match &run.broken {
        None if nodes == 1 => format!("seed {}: every law held: {counts}", args.seed),
        None => {
            format!("seed {}: every law held, and all {nodes} nodes hold the same data: {counts}", args.seed)
        }
        Some(law) => format!("seed {}: a law was broken: {}: {counts}", args.seed, short_ids(law)),
    };
    text + &verdict + "\n"
}

/// The line with every id of forty digits cut short.
fn short_ids(line: &str) -> String {
    let is_id = |word: &str| word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let words = line.split(' ').map(|word| {
        let end = word.trim_end_matches([':', ',', '.']).len();
        match (word.get(..end), word.get(end..)) {
            (Some(id), Some(rest)) if is_id(id) => format!("{}{rest}", id.get(..ID_SHOWN).unwrap_or(id)),
            _ => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_cut_short_and_nothing_else_is() {
        let id = "1c7dff30fcb52888d747cbf4cb4198a01cceb42e";
        let line = format!("6380 takes a full copy: it holds {id}, at 12");
        assert_eq!(short_ids(&line), "6380 takes a full copy: it holds 1c7dff30, at 12");
    }
}
