//! `rctl check FILE`: every problem of a topology file at once. Starts and changes nothing.

use serde::Serialize;

use super::status::json;
use super::{Ctx, Outcome, set};
use crate::cli::CheckArgs;
use crate::error::{Exit, Result};
use crate::plan::ports::all;
use crate::supervise::owner::{self, Taken};
use crate::topology::{self, Problem, Topology};

/// What a file is worth.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    schema: &'static str,
    file: String,
    ok: bool,
    problems: &'a [Problem],
    warnings: &'a [Problem],
    /// Ports that somebody has now: no fault of the file, and in the way of `up`.
    taken: Vec<String>,
    topology: Option<&'a Topology>,
}

/// Judges the file. A port in use is a warning here and an error of `up`.
///
/// # Errors
/// The file cannot be read, or has problems (4). With `--json` the problems are the answer, and the exit is the same.
pub fn run(ctx: &Ctx, args: &CheckArgs) -> Result<Outcome> {
    let Some(path) = args.file.as_deref().filter(|_| !args.schema) else {
        return Ok(Outcome::done(json(&topology::schema())?));
    };
    let file = path.display().to_string();
    let checked = topology::check_file(path)?;
    let taken = checked.topology.as_ref().map(|set| in_the_way(ctx, set)).unwrap_or_default();
    if args.json {
        let answer = Answer {
            schema: "rctl.check/1",
            file,
            ok: checked.problems.is_empty(),
            problems: &checked.problems,
            warnings: &checked.warnings,
            taken,
            topology: checked.topology.as_ref(),
        };
        let exit = if checked.problems.is_empty() { Exit::Done } else { Exit::Invalid };
        return Ok(Outcome { text: json(&answer)?, exit });
    }
    for warning in &checked.warnings {
        ctx.console.talk(&format!("warning: {file}:{warning}"));
        if let Some(text) = &warning.write {
            ctx.console.talk(&format!("  write: {text}"));
        }
    }
    for line in &taken {
        ctx.console.talk(&format!("warning: {line}"));
    }
    match checked.topology {
        Some(set) => Ok(Outcome::done(format!("{file} is valid: {}\n", described(&set)))),
        None => Err(topology::problems_of(&file, &checked.problems)),
    }
}

/// The set's ports that others have now. Those that the same set has because it runs are its own.
fn in_the_way(ctx: &Ctx, wanted: &Topology) -> Vec<String> {
    let running: Vec<Topology> = set::known(ctx)
        .into_iter()
        .filter(|known| known.running)
        .filter_map(|known| known.topology)
        .filter(|other| other.name == wanted.name && other.file == wanted.file)
        .collect();
    let ports: Vec<u16> =
        all(wanted).filter(|port| !running.iter().any(|own| all(own).any(|own| own == *port))).collect();
    let told = |(port, why): (u16, Taken)| match why {
        Taken::Forbidden => format!("port {port} may not be used by this user"),
        Taken::InUse => match owner::of(port, &ctx.state_root) {
            Some(owner) => {
                let whose = owner.set.map_or_else(|| "not by rctl".into(), |set| format!("of the set {set}"));
                format!("port {port} is in use by {} (process {}, {whose})", owner.program, owner.pid)
            }
            None => format!("port {port} is in use"),
        },
    };
    owner::taken(&ports).into_iter().map(told).collect()
}

fn described(set: &Topology) -> String {
    let count = |n: usize, one: &str, many: &str| match n {
        1 => format!("1 {one}"),
        n => format!("{n} {many}"),
    };
    let replicas = set.nodes.iter().filter(|node| node.replica_of.is_some()).count();
    let masters = set.nodes.len() - replicas;
    format!("{}, {}", count(masters, "master", "masters"), count(replicas, "replica", "replicas"))
}
