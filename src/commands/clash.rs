//! The port-clash screen: who has the port, and three ways out that can be typed as they stand.

use super::Ctx;
use crate::error::{Error, Exit};
use crate::plan::ports::free_base;
use crate::supervise::owner::{self, Owner, Taken};
use crate::supervise::state_dir::SetDir;
use crate::topology::Topology;

/// What stands in the way of taking `ports` for the set in `dir`; `None` when nothing does. A node of the same
/// set that lives already is in nobody's way: it is adopted.
#[must_use]
pub fn look(
    ctx: &Ctx,
    dir: &SetDir,
    topology: &Topology,
    ports: &[u16],
    file: Option<&str>,
) -> Option<Error> {
    let own = dir.path().file_name().and_then(|name| name.to_str());
    let clashes: Vec<(u16, Taken, Option<Owner>)> = owner::taken(ports)
        .into_iter()
        .map(|(port, taken)| (port, taken, owner::of(port, &ctx.state_root)))
        .filter(|(_, _, owner)| {
            owner.as_ref().and_then(|owner| owner.set.as_deref()).is_none_or(|set| Some(set) != own)
        })
        .collect();
    let (port, taken, owner) = clashes.first()?;
    if *taken == Taken::Forbidden {
        let what = format!("port {port} is privileged: this user may not listen there; nothing was started");
        return Some(Error::new(Exit::Environment, what).hint(elsewhere(topology, file)));
    }
    let mut error = match clashes.as_slice() {
        [_] => Error::new(Exit::Environment, format!("port {port} is taken; nothing was started")),
        _ => Error::new(Exit::Environment, format!("{} ports are taken; nothing was started", clashes.len())),
    };
    for (port, _, owner) in &clashes {
        error = error.detail(format!("{port} belongs to {}", told(owner.as_ref())));
    }
    error = error.hint(elsewhere(topology, file));
    Some(match owner {
        Some(Owner { set: Some(set), .. }) => {
            let set = name(set);
            error.hint(format!("rctl status --topology {set}")).hint(format!("rctl down --topology {set}"))
        }
        Some(owner) => {
            error.hint(format!("rctl cli -p {port} info server")).hint(format!("kill {}", owner.pid))
        }
        None => {
            error.hint(format!("rctl cli -p {port} info server")).hint(format!("ss -ltnp sport = :{port}"))
        }
    })
}

fn elsewhere(topology: &Topology, file: Option<&str>) -> String {
    let base = free_base(topology, |ports| !owner::taken(ports).is_empty()).unwrap_or(7379);
    match file {
        Some(file) => format!("rctl up {file} --port-base {base}"),
        None => format!("rctl up --replicas {} --port-base {base}", topology.nodes.len().saturating_sub(1)),
    }
}

fn told(owner: Option<&Owner>) -> String {
    let Some(owner) = owner else { return "somebody this user may not see".to_owned() };
    let age = owner.age_s.map(|age| format!(", running for {}", spell(age))).unwrap_or_default();
    let whose = match &owner.set {
        Some(set) => format!("a node of {}", name(set)),
        None => "not by rctl".to_owned(),
    };
    format!("{} (pid {}{age}, {whose})", owner.program, owner.pid)
}

fn name(dir: &str) -> &str {
    dir.rsplit_once('-').map_or(dir, |(name, _)| name)
}

fn spell(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86400),
    }
}
