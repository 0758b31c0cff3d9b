//! Raw → [`Topology`]: one small function per rule, all problems collected.
//!
//! Each node by itself is judged here (port, name, engine, …), its directives in [`super::directives`], the nodes
//! against each other in [`super::links`].

use std::path::{Path, PathBuf};

use super::file::{At, RawFile, RawNode, shown};
use super::problem::{Report, nearest};
use super::{Engine, NodeSpec, Persistence, Restart, Topology, attached, directives, keepers, links};

/// Words that select nodes, or end a `replicaof`; a node of that name could not be meant.
const RESERVED: [&str; 8] = ["master", "primary", "replica", "replicas", "all", "up", "down", "no"];

/// The most nodes of one set: every one is a process of this machine.
pub(super) const NODES_MAX: usize = 256;

/// `[a-z0-9-]{1,40}`, no leading dash, not all digits: what a set or a node may be called.
pub fn is_name(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && !text.starts_with('-')
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Judges a whole file. `stem` names the set where the file does not; relative engine paths start at `base`.
pub(super) fn topology(raw: &RawFile, stem: &str, base: &Path, report: &mut Report<'_>) -> Option<Topology> {
    if !report.is_clean() && raw.nodes.is_empty() {
        return None;
    }
    let name = set_name(raw, stem, report);
    if raw.nodes.is_empty() {
        report.problem(0, None, "the file has no node", "[[node]] and below it port = 6379");
    }
    if let Some(extra) = raw.nodes.get(NODES_MAX) {
        report.problem(extra.at, None, format!("more than {NODES_MAX} nodes"), "");
        return None;
    }
    let defaults = defaults(&raw.defaults, base, report);
    let mut nodes = Vec::new();
    let mut ports = Vec::new();
    for node in &raw.nodes {
        node_name(node, report);
        ports.push(port(node, report));
        nodes.push(spec(raw, node, &defaults, base, report));
    }
    let (sentinel, autofailover) = keepers::judge(raw, &ports, report);
    let upstreams = links::judge(raw, &ports, report);
    if !report.is_clean() {
        return None;
    }
    for ((node, port), upstream) in nodes.iter_mut().zip(&ports).zip(upstreams) {
        node.port = (*port)?;
        node.replica_of = upstream.and_then(|index| ports.get(index).copied().flatten());
    }
    Some(Topology { name, file: None, nodes, autofailover, sentinel, direct: false })
}

fn set_name(raw: &RawFile, stem: &str, report: &mut Report<'_>) -> String {
    const RULE: &str = "use 1 to 40 of a-z, 0-9 and -, no - in front, not digits alone";
    match &raw.name {
        Some(name) if is_name(&name.value) => name.value.clone(),
        Some(name) => {
            let what = format!("{} is no name for a set: {RULE}", quoted(&name.value));
            report.problem(name.at, None, what, format!("name = \"{}\"", tamed(&name.value)));
            String::new()
        }
        None if is_name(stem) => stem.to_owned(),
        None => {
            let what =
                format!("the set needs a name, because the file's own ({}) is none: {RULE}", quoted(stem));
            report.problem(0, None, what, format!("name = \"{}\"", tamed(stem)));
            String::new()
        }
    }
}

/// The nearest valid name.
pub(super) fn tamed(text: &str) -> String {
    let lower = text.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !matches!(c, 'a'..='z' | '0'..='9')).filter(|word| !word.is_empty()).collect();
    let mut name = words.join("-");
    name.truncate(40);
    match name {
        name if is_name(&name) => name,
        name if name.is_empty() => "lab".to_owned(),
        name => format!("lab-{}", name.get(..name.len().min(36)).unwrap_or_default()),
    }
}

fn port(node: &RawNode, report: &mut Report<'_>) -> Option<u16> {
    let label = Some(node.label.as_str());
    let Some(port) = &node.port else {
        if !node.port_told {
            report.problem(node.at, label, "a node needs a port", "port = 6379");
        }
        return None;
    };
    match u16::try_from(port.value) {
        Ok(0) | Err(_) => {
            report.problem(port.at, label, "a port is a number from 1024 to 65535", "port = 6379");
            None
        }
        Ok(low @ 1..=1023) => {
            let what = format!("port {low} is privileged: only root may listen below 1024");
            report.problem(port.at, label, what, format!("port = {}", low + 6000));
            None
        }
        Ok(port) => Some(port),
    }
}

fn node_name(node: &RawNode, report: &mut Report<'_>) {
    let Some(name) = &node.name else { return };
    let label = Some(node.label.as_str());
    if RESERVED.contains(&name.value.as_str()) {
        let what = format!("{} selects nodes, so no node can be called that", quoted(&name.value));
        report.problem(name.at, label, what, format!("name = \"{}-1\"", name.value));
    } else if !is_name(&name.value) {
        let digits = !name.value.is_empty() && name.value.bytes().all(|byte| byte.is_ascii_digit());
        let why =
            if digits { "digits alone are a port" } else { "use 1 to 40 of a-z, 0-9 and -, no - in front" };
        let what = format!("{} is no name for a node: {why}", quoted(&name.value));
        report.problem(name.at, label, what, format!("name = \"{}\"", tamed(&name.value)));
    }
}

/// What holds for a node that does not say otherwise.
struct Defaults {
    engine: Engine,
    persistence: Persistence,
    restart: Restart,
}

/// Values in the defaults are judged once, where they stand, not once per node.
fn defaults(raw: &RawNode, base: &Path, report: &mut Report<'_>) -> Defaults {
    directives::judge(&raw.config, None, report);
    directives::backlog(&raw.config, None, report);
    Defaults {
        engine: engine(raw, base, None, report).unwrap_or(Engine::Builtin),
        persistence: persistence(raw, None, report).unwrap_or(Persistence::Rdb),
        restart: restart(raw, None, report).unwrap_or(Restart::No),
    }
}

/// One node on its own: everything but its handles and its upstream.
fn spec(
    raw: &RawFile,
    node: &RawNode,
    defaults: &Defaults,
    base: &Path,
    report: &mut Report<'_>,
) -> NodeSpec {
    let label = Some(node.label.as_str());
    directives::judge(&node.config, label, report);
    directives::backlog(&node.config, label, report);
    let persistence = persistence(node, label, report).unwrap_or(defaults.persistence);
    let restart = restart(node, label, report).unwrap_or(defaults.restart);
    let config: Vec<_> = raw.defaults.config.iter().chain(&node.config).collect();
    if (persistence, restart) == (Persistence::None, Restart::OnFailure) {
        let typed = [&node.restart, &node.persistence, &raw.defaults.restart, &raw.defaults.persistence];
        let at = typed.into_iter().flatten().next().map_or(node.at, |typed| typed.at);
        let what = "persistence \"none\" with an automatic restart: a master would come back empty, and its replicas \
                    would throw their data away to match";
        report.problem(at, label, what, "persistence = \"rdb\"");
    }
    if persistence == Persistence::None {
        directives::saves_nothing(&config, label, report);
    }
    NodeSpec {
        port: 0,
        name: node.name.as_ref().map(|name| name.value.clone()),
        replica_of: None,
        engine: engine(node, base, label, report).unwrap_or_else(|| defaults.engine.clone()),
        persistence,
        restart,
        config: config.into_iter().map(|(key, value)| (key.value.clone(), value.value.clone())).collect(),
        attach: attached::host(node, report),
    }
}

fn engine(node: &RawNode, base: &Path, label: Option<&str>, report: &mut Report<'_>) -> Option<Engine> {
    let typed = node.engine.as_ref()?;
    match typed.value.as_str() {
        "builtin" => Some(Engine::Builtin),
        "redis" => Some(Engine::Redis),
        "valkey" => Some(Engine::Valkey),
        path if path.contains('/') && !path.contains('\0') => {
            Some(Engine::Path(base.join(PathBuf::from(path))))
        }
        other => {
            let what =
                format!("unknown engine {}: builtin, redis, valkey, or a path with a /", quoted(other));
            let meant = match other {
                "redis-server" => "redis",
                "valkey-server" => "valkey",
                other => nearest(other, ["builtin", "redis", "valkey"]).unwrap_or("builtin"),
            };
            report.problem(typed.at, label, what, format!("engine = \"{meant}\""));
            None
        }
    }
}

fn persistence(node: &RawNode, label: Option<&str>, report: &mut Report<'_>) -> Option<Persistence> {
    let known = [("none", Persistence::None), ("rdb", Persistence::Rdb), ("aof", Persistence::Aof)];
    choice("persistence", node.persistence.as_ref(), &known, label, report)
}

fn restart(node: &RawNode, label: Option<&str>, report: &mut Report<'_>) -> Option<Restart> {
    let known = [("no", Restart::No), ("on-failure", Restart::OnFailure)];
    choice("restart", node.restart.as_ref(), &known, label, report)
}

fn choice<T: Copy>(
    key: &str,
    typed: Option<&At<String>>,
    known: &[(&str, T)],
    label: Option<&str>,
    report: &mut Report<'_>,
) -> Option<T> {
    let typed = typed?;
    let found = known.iter().find(|(word, _)| *word == typed.value).map(|(_, value)| *value);
    if found.is_none() {
        let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
        let meant = nearest(&typed.value, words.iter().copied());
        let write = meant.map_or_else(String::new, |word| format!("{key} = \"{word}\""));
        let what = format!("{key} is one of {}, not {}", words.join(", "), quoted(&typed.value));
        report.problem(typed.at, label, what, write);
    }
    found
}

/// Text of the file in quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", shown(text))
}
