//! The `config` of a node: redis.conf directives, and which of them cannot stand in a topology file.
//!
//! A directive reaches the server's config file as one line, so nothing in it may end that line.

use rctl_server::node::config::memory as bytes;

use super::check::quoted;
use super::file::At;
use super::problem::Report;

/// Directives in the order of the file.
pub(super) type Directives = [(At<String>, At<String>)];

/// What rctl decides itself, and which key of a node says it instead (empty: nothing does).
const OWNED: [(&str, &str); 26] = [
    ("port", "port"),
    ("replicaof", "replica-of"),
    ("slaveof", "replica-of"),
    ("appendonly", "persistence"),
    ("bind", ""),
    ("daemonize", ""),
    ("supervised", ""),
    ("dir", ""),
    ("dbfilename", ""),
    ("appendfilename", ""),
    ("appenddirname", ""),
    ("logfile", ""),
    ("pidfile", ""),
    ("syslog-enabled", ""),
    ("include", ""),
    ("loadmodule", ""),
    ("unixsocket", ""),
    ("tls-port", ""),
    ("cluster-enabled", ""),
    ("replica-announce-ip", ""),
    ("replica-announce-port", ""),
    ("slave-announce-ip", ""),
    ("slave-announce-port", ""),
    ("replica-announced", ""),
    ("enable-debug-command", ""),
    ("rename-command", ""),
];

/// A backlog smaller than this loses the thread of a second of modest writing (1,000 writes of 64 bytes).
const BACKLOG_SMALL: u64 = 64 << 10;

/// Judges each directive by itself.
pub(super) fn judge(config: &Directives, node: Option<&str>, report: &mut Report<'_>) {
    for (index, (key, value)) in config.iter().enumerate() {
        let name = key.value.as_str();
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            report.problem(
                key.at,
                node,
                format!("{} is no directive: letters, digits and -", quoted(name)),
                "",
            );
        } else if config.iter().take(index).any(|(earlier, _)| earlier.value == name) {
            report.problem(key.at, node, format!("{name} is set twice"), "");
        } else if let Some((_, ours)) = OWNED.iter().find(|(owned, _)| *owned == name) {
            let what = format!("{name} is set by rctl itself");
            report.problem(
                key.at,
                node,
                what,
                if ours.is_empty() { String::new() } else { instead(ours, &value.value) },
            );
        }
        if value.value.chars().any(char::is_control) {
            let what = format!("the value of {name} holds a line break or another control character");
            report.problem(value.at, node, what, "");
        }
        figures(name, value, node, report);
    }
}

fn instead(ours: &str, value: &str) -> String {
    match ours {
        "persistence" if value == "yes" => "persistence = \"aof\" in the node itself".into(),
        "persistence" => "persistence = \"rdb\" in the node itself".into(),
        ours => format!("{ours} = {} in the node itself", value.rsplit(' ').next().unwrap_or("6379")),
    }
}

/// Directives whose value rctl reads too.
fn figures(name: &str, value: &At<String>, node: Option<&str>, report: &mut Report<'_>) {
    match name {
        "replica-priority" | "slave-priority" | "min-replicas-to-write" | "min-slaves-to-write"
            if value.value.parse::<u32>().is_err() =>
        {
            report.problem(value.at, node, format!("{name} is a number, not {}", quoted(&value.value)), "");
        }
        "repl-backlog-size" if bytes(&value.value).is_none() => {
            let what = format!("{} is no size: a number and b, k, kb, m, mb, g or gb", quoted(&value.value));
            report.problem(value.at, node, what, "repl-backlog-size = \"1mb\"");
        }
        _ => {}
    }
}

/// Warns of a backlog that would turn every short absence into a full resynchronisation.
pub(super) fn backlog(config: &Directives, node: Option<&str>, report: &mut Report<'_>) {
    let set = config.iter().rfind(|(key, _)| key.value == "repl-backlog-size");
    if let Some((_, value)) = set
        && let Some(size) = bytes(&value.value)
        && size < BACKLOG_SMALL
    {
        let what = format!(
            "a backlog of {size} bytes holds less than a second of writes: a replica that is away for longer copies \
             everything again"
        );
        report.warning(value.at, node, what, "repl-backlog-size = \"1mb\"");
    }
}

/// Save points contradict `persistence = "none"`.
pub(super) fn saves_nothing(
    config: &[&(At<String>, At<String>)],
    node: Option<&str>,
    report: &mut Report<'_>,
) {
    if let Some((key, _)) = config.iter().find(|(key, value)| key.value == "save" && !value.value.is_empty())
    {
        let what = "save asks for snapshots, persistence \"none\" for nothing to be kept";
        report.problem(key.at, node, what, "persistence = \"rdb\" in the node itself");
    }
}

/// Where a priority of 0 stands that holds for this node.
pub(super) fn never_promoted(defaults: &Directives, own: &Directives) -> Option<usize> {
    let set = defaults
        .iter()
        .chain(own)
        .rfind(|(key, _)| key.value == "replica-priority" || key.value == "slave-priority");
    set.filter(|(_, value)| value.value.parse() == Ok(0u32)).map(|(_, value)| value.at)
}
