//! `attach = true`: a server that somebody else started. It is seen, promoted and re-pointed, never started or stopped.

use super::HERE;
use super::check::quoted;
use super::file::RawNode;
use super::problem::Report;

/// The host of an attached node; `None` for one of our own.
pub(super) fn host(node: &RawNode, report: &mut Report<'_>) -> Option<String> {
    let label = Some(node.label.as_str());
    let attached = node.attach.as_ref().is_some_and(|attach| attach.value);
    if !attached {
        if let Some(host) = &node.host {
            let what = "a node of our own listens on this machine: host is for one that is attached";
            report.problem(host.at, label, what, "attach = true");
        }
        return None;
    }
    let ours = [("engine", &node.engine), ("persistence", &node.persistence), ("restart", &node.restart)];
    for (key, typed) in ours {
        if let Some(typed) = typed {
            let what = format!("{key} is decided by whoever started an attached node");
            report.problem(typed.at, label, what, "");
        }
    }
    for (key, _) in node.config.iter().filter(|(key, _)| key.value != "requirepass") {
        let what =
            "an attached node has its own configuration: only requirepass, which opens it, can stand here";
        report.problem(key.at, label, what, "");
    }
    let Some(host) = &node.host else { return Some(HERE.to_owned()) };
    let valid = (1..=255).contains(&host.value.len())
        && !host.value.starts_with('-')
        && host.value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte));
    if !valid {
        report.problem(host.at, label, format!("{} is no host", quoted(&host.value)), "host = \"10.0.0.7\"");
    }
    Some(host.value.clone())
}

#[cfg(test)]
mod tests {
    use super::super::check;

    const NODES: &str = "[[node]]\nport = 6379\n[[node]]\nport = 6380\nreplica-of = 6379\n";

    #[test]
    fn an_attached_node_has_a_host_and_our_own_have_none() {
        let set =
            check(&format!("{NODES}attach = true\nhost = \"10.0.0.7\"\n"), "lab.toml").topology.unwrap();
        assert_eq!((set.host(6379), set.host(6380)), ("127.0.0.1", "10.0.0.7"));
        let set = check(&format!("{NODES}attach = true\n"), "lab.toml").topology.unwrap();
        assert!(set.is_attached(6380) && !set.is_attached(6379));
        assert!(set.nodes[1].is_at("localhost", 6380) && !set.nodes[1].is_at("10.0.0.7", 6380));
    }

    #[test]
    fn what_has_no_say_over_an_attached_node_is_told() {
        for (text, said) in [
            ("host = \"10.0.0.7\"\n", "host is for one that is attached"),
            ("attach = true\nengine = \"redis\"\n", "engine is decided by whoever started"),
            ("attach = true\nconfig = { maxmemory = \"1gb\" }\n", "only requirepass"),
            ("attach = true\nhost = \"a b\"\n", "is no host"),
            ("attach = \"yes\"\n", "attach must be true or false"),
        ] {
            let told: Vec<String> = check(&format!("{NODES}{text}"), "lab.toml")
                .problems
                .iter()
                .map(ToString::to_string)
                .collect();
            assert!(told.iter().any(|line| line.contains(said)), "{text}: {told:?}");
        }
    }
}
