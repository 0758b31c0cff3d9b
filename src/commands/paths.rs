//! `rctl paths`: where everything of rctl and of its sets is.

use serde::Serialize;

use super::status::json;
use super::{Ctx, Outcome, set};
use crate::cli::PathsArgs;
use crate::error::Result;
use crate::supervise::state_dir::SetDir;

#[derive(Serialize)]
struct Answer {
    schema: &'static str,
    state: String,
    sets: Vec<Paths>,
}

#[derive(Serialize)]
struct Paths {
    topology: String,
    file: Option<String>,
    dir: String,
    socket: String,
    events: String,
    log: String,
    nodes: Vec<NodePaths>,
}

#[derive(Serialize)]
struct NodePaths {
    port: u16,
    config: String,
    data: String,
    log: String,
}

/// Lists the paths of every set that is kept, or of the one that `--topology` names.
///
/// # Errors
/// None that anybody has seen.
pub fn run(ctx: &Ctx, args: &PathsArgs) -> Result<Outcome> {
    let mut known = set::known(ctx);
    known.retain(|set| ctx.topology.as_ref().is_none_or(|name| set.dir.name() == *name));
    let sets: Vec<Paths> = known.into_iter().map(|set| paths(&set.dir, set.topology.as_ref())).collect();
    let state = ctx.state_root.display().to_string();
    if args.json {
        return Ok(Outcome::done(json(&Answer { schema: "rctl.paths/1", state, sets })?));
    }
    let mut text = format!("state   {state}\n");
    for set in &sets {
        text.push_str(&format!("\n{}\n", set.topology));
        if let Some(file) = &set.file {
            text.push_str(&format!("  file    {file}\n"));
        }
        text.push_str(&format!(
            "  dir     {}\n  socket  {}\n  events  {}\n  log     {}\n",
            set.dir, set.socket, set.events, set.log
        ));
        for node in &set.nodes {
            text.push_str(&format!(
                "  {:<6}  {}\n          {}\n          {}\n",
                node.port, node.config, node.data, node.log
            ));
        }
    }
    Ok(Outcome::done(text))
}

fn paths(dir: &SetDir, topology: Option<&crate::topology::Topology>) -> Paths {
    let shown = |path: &std::path::Path| path.display().to_string();
    let node = |port: u16| {
        let node = dir.node(port);
        NodePaths { port, config: shown(&node.conf()), data: shown(&node.data()), log: shown(&node.log()) }
    };
    Paths {
        topology: dir.name(),
        file: topology.and_then(|topology| topology.file.as_deref()).map(shown),
        dir: shown(dir.path()),
        socket: shown(&dir.socket()),
        events: shown(&dir.events()),
        log: shown(&dir.supervisor_log()),
        nodes: topology.iter().flat_map(|topology| &topology.nodes).map(|spec| node(spec.port)).collect(),
    }
}
