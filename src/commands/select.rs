//! Selectors: `6380`, `reader`, `localhost:6380`, `master`, `replicas`, `all`, `up`, `down`, `read*`; several are
//! joined by commas or spaces and OR-ed.

use super::set::Running;
use crate::error::{Error, Exit, Result};
use crate::supervise::facts::{NodeFacts, ProcessState, SetFacts};

/// The ports that are meant, in the order of the ports, each once. Where roles matter, the nodes are asked.
///
/// # Errors
/// A word that names no node (2), with the nodes there are.
pub async fn select(set: &mut Running, words: &[String]) -> Result<Vec<u16>> {
    let by_role = |word: &&str| matches!(*word, "master" | "primary" | "replicas");
    if words.iter().flat_map(|word| word.split(',')).any(|word| by_role(&word)) {
        refresh_roles(set).await;
    }
    chosen(&set.facts, words)
}

/// As [`select`], and Sentinels too: by their ports, and all of them as `sentinels`.
///
/// # Errors
/// As [`select`].
pub async fn select_any(set: &mut Running, words: &[String]) -> Result<Vec<u16>> {
    let mut rest = Vec::new();
    let mut ports = Vec::new();
    for word in words.iter().flat_map(|word| word.split(',')) {
        let meant = |port: u16| word == "sentinels" || word.parse() == Ok(port);
        let found: Vec<u16> =
            set.facts.sentinels.iter().map(|sentinel| sentinel.port).filter(|port| meant(*port)).collect();
        if found.is_empty() { rest.push(word.to_owned()) } else { ports.extend(found) }
    }
    if !rest.is_empty() || ports.is_empty() {
        ports.extend(select(set, &rest).await?);
    }
    ports.sort_unstable();
    ports.dedup();
    Ok(ports)
}

/// What the supervisor saw may be a second old, and a promotion younger.
async fn refresh_roles(set: &mut Running) {
    for at in 0..set.facts.nodes.len() {
        let Some(port) = set
            .facts
            .nodes
            .get(at)
            .filter(|node| node.process == ProcessState::Running || node.lives())
            .map(|n| n.port)
        else {
            continue;
        };
        if let Some(observed) = set.observe(port).await
            && let Some(node) = set.facts.nodes.get_mut(at)
        {
            let mut seen = node.seen.take().unwrap_or_default();
            seen.upstream = observed.link.map(|link| (link.host, link.port));
            node.seen = Some(seen);
        }
    }
}

fn chosen(facts: &SetFacts, words: &[String]) -> Result<Vec<u16>> {
    let mut ports = Vec::new();
    for word in words.iter().flat_map(|word| word.split(',')).filter(|word| !word.is_empty()) {
        let matching: Vec<u16> =
            facts.nodes.iter().filter(|node| matches(facts, node, word)).map(|node| node.port).collect();
        let may_be_empty = matches!(word, "replicas" | "up" | "down" | "all" | "master" | "primary");
        if matching.is_empty() && !may_be_empty {
            let known: Vec<String> = facts.nodes.iter().map(|node| label(facts, node.port)).collect();
            let what = format!("{} has no node {word:?}", facts.topology.name);
            return Err(Error::new(Exit::Usage, what).detail(format!("its nodes: {}", known.join(", "))));
        }
        ports.extend(matching);
    }
    ports.sort_unstable();
    ports.dedup();
    if ports.is_empty() {
        let what = format!("no node of {} is meant by {}", facts.topology.name, words.join(","));
        return Err(Error::new(Exit::Refused, what).hint("rctl status"));
    }
    Ok(ports)
}

/// A node for people: its port, and its name where it has one.
#[must_use]
pub fn label(facts: &SetFacts, port: u16) -> String {
    match facts.topology.node(port).and_then(|node| node.name.as_ref()) {
        Some(name) => format!("{port} ({name})"),
        None => port.to_string(),
    }
}

fn matches(facts: &SetFacts, node: &NodeFacts, word: &str) -> bool {
    let spec = facts.topology.node(node.port);
    let replica = match &node.seen {
        Some(seen) => seen.upstream.is_some(),
        None => spec.is_some_and(|spec| spec.replica_of.is_some()),
    };
    let lives = node.lives() || node.process == ProcessState::Attached;
    match word {
        "all" => true,
        "master" | "primary" => !replica,
        "replicas" => replica,
        "up" => lives,
        "down" => !lives,
        _ => {
            let local = ["localhost:", "127.0.0.1:", "[::1]:"];
            let word = local.iter().find_map(|host| word.strip_prefix(host)).unwrap_or(word);
            let name = spec.and_then(|spec| spec.name.as_deref());
            word.parse() == Ok(node.port) || name.is_some_and(|name| glob(word.as_bytes(), name.as_bytes()))
        }
    }
}

/// `*` is any number of characters, `?` is one. Linear in the text for each star: a failure goes back to the last.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, t));
                p += 1;
            }
            Some(b'?') => {
                p += 1;
                t += 1;
            }
            Some(byte) if Some(byte) == text.get(t) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((after, from)) => {
                    star = Some((after, from + 1));
                    p = after;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervise::facts::Seen;
    use crate::topology::Topology;

    fn facts() -> SetFacts {
        let mut topology = Topology::of_replicas(2).unwrap();
        topology.nodes[2].name = Some("reader".into());
        let node = |port: u16, pid: Option<u32>, upstream: Option<u16>| NodeFacts {
            port,
            pid,
            process: if pid.is_some() { ProcessState::Running } else { ProcessState::Stopped },
            since_ms: 0,
            restarts: 0,
            seen: Some(Seen { upstream: upstream.map(|port| ("127.0.0.1".into(), port)), ..Seen::default() }),
            wiring: None,
            trail: Vec::new(),
        };
        SetFacts {
            sentinels: Vec::new(),
            faults: Vec::new(),
            untold: Vec::new(),
            topology,
            nodes: vec![
                node(6379, Some(1), Some(6381)),
                node(6380, None, Some(6381)),
                node(6381, Some(3), None),
            ],
            supervisor: 9,
            started_ms: 0,
            ending: false,
            warnings: Vec::new(),
        }
    }

    fn ports(words: &[&str]) -> Vec<u16> {
        chosen(&facts(), &words.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_node_is_named_by_port_name_or_address() {
        assert_eq!(ports(&["6380"]), [6380]);
        assert_eq!(ports(&["reader"]), [6381]);
        assert_eq!(ports(&["localhost:6379,[::1]:6380"]), [6379, 6380]);
    }

    #[test]
    fn roles_are_those_of_now_not_those_of_the_file() {
        assert_eq!(ports(&["master"]), [6381]);
        assert_eq!(ports(&["primary"]), [6381]);
        assert_eq!(ports(&["replicas"]), [6379, 6380]);
    }

    #[test]
    fn several_words_are_one_of_each() {
        assert_eq!(ports(&["up,6380", "6379"]), [6379, 6380, 6381]);
        assert_eq!(ports(&["down"]), [6380]);
        assert_eq!(ports(&["re*"]), [6381]);
        assert_eq!(ports(&["?eade?"]), [6381]);
    }

    #[test]
    fn an_unknown_word_is_told_with_the_nodes_there_are() {
        for bad in ["6399", "writer", "99999", "x*", "", ","] {
            let error = chosen(&facts(), &[bad.to_owned()]).unwrap_err();
            assert!(matches!(error.exit, Exit::Usage | Exit::Refused), "{bad}");
        }
        let error = chosen(&facts(), &["writer".into()]).unwrap_err();
        assert!(error.to_string().contains("6381 (reader)"), "{error}");
    }

    #[test]
    fn many_stars_take_no_time() {
        assert!(!glob("*a".repeat(30).as_bytes(), "b".repeat(4000).as_bytes()));
        assert!(glob(b"**", b"") && !glob(b"?", b""));
    }
}
