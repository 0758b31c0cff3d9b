//! Nodes as transcripts write them: a line of `key=value` for each, made into what a round of looking would find.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rctl::node::observe::Observation;
use rctl::status::{Look, Sight};
use rctl::supervise::facts::{NodeFacts, ProcessState, Seen};
use rctl::topology::{Engine, NodeSpec, Persistence, Restart};

/// The moment of every round: milliseconds since the Unix epoch.
pub(crate) const NOW_MS: u64 = 1_000_000_000;

/// The node as the file wants it: `name=`, `wants=`.
pub(crate) fn spec(port: u16, known: &BTreeMap<&str, &str>) -> NodeSpec {
    NodeSpec {
        port,
        name: known.get("name").map(ToString::to_string),
        replica_of: known.get("wants").map(|port| port.parse().unwrap()),
        engine: Engine::Builtin,
        persistence: Persistence::Rdb,
        restart: Restart::No,
        config: BTreeMap::new(),
        attach: None,
    }
}

/// `process=` running, paused, stopped, starting, crashed:HOW, held:WHY, none (no supervisor); `since=` seconds ago;
/// `silent`, `refused`, `strange`, `refuses`: it gives no INFO, and the figures are what the supervisor remembers; `answers=` the
/// pid in INFO; `follows=` and `link=` up, down:SECONDS, sync:READ:TOTAL; `id=`, `past=ID@END`, `offset=`, `keys=`,
/// `ops=`, `lists=PORT:STATE:LAG,…`; `trail=OFFSET@SECONDS-AGO,…`; `good=N/MIN`; `loading`; `cut`;
/// `backlog=SIZE`, `first=OFFSET`.
pub(crate) fn look(port: u16, known: &BTreeMap<&str, &str>) -> Look {
    let number = |key: &str| known.get(key).map(|text| text.parse::<u64>().unwrap());
    let sight = if known.contains_key("silent") {
        Sight::Silent
    } else if known.contains_key("refused") {
        Sight::Refused
    } else if known.contains_key("strange") {
        Sight::Stranger
    } else if known.contains_key("refuses") {
        Sight::Unreadable("NOAUTH Authentication required.".into())
    } else {
        let mut seen = Observation::parse(&info(port, known));
        seen.min_replicas =
            known.get("good").and_then(|good| good.split_once('/')).map(|(_, min)| min.parse().unwrap());
        Sight::Seen(Box::new(seen))
    };
    let process = match known.get("process").copied().unwrap_or("running") {
        "none" => None,
        "running" => Some(ProcessState::Running),
        "starting" => Some(ProcessState::Starting),
        "paused" => Some(ProcessState::Paused),
        "stopped" => Some(ProcessState::Stopped),
        other => match other.split_once(':').unwrap() {
            ("crashed", exit) => Some(ProcessState::Crashed { exit: exit.replace('_', " ") }),
            ("held", why) => Some(ProcessState::Held { why: why.replace('_', " ") }),
            other => panic!("{other:?}"),
        },
    };
    let trail = known.get("trail").map(|trail| {
        trail.split(',').map(|mark| {
            let (offset, ago) = mark.split_once('@').unwrap();
            (NOW_MS - (ago.parse::<f64>().unwrap() * 1000.0) as u64, offset.parse().unwrap())
        })
    });
    let facts = process.map(|process| NodeFacts {
        port,
        pid: Some(u32::from(port)),
        process,
        since_ms: NOW_MS - 1000 * number("since").unwrap_or(60),
        restarts: 0,
        seen: Some(Seen {
            at_ms: NOW_MS - 5000,
            replid: known.get("id").map(|id| format!("{id:0<40}")),
            offset: number("offset"),
            keys: number("keys"),
            upstream: known.get("follows").map(|port| ("127.0.0.1".to_owned(), port.parse().unwrap())),
            ..Seen::default()
        }),
        wiring: None,
        trail: trail.into_iter().flatten().collect(),
    });
    Look { sight, facts, cut: known.contains_key("cut") }
}

/// What the node's INFO would be.
fn info(port: u16, known: &BTreeMap<&str, &str>) -> String {
    let mut info = String::from("# Replication\n");
    let mut field = |name: &str, value: &str| {
        let _ = writeln!(info, "{name}:{value}");
    };
    field("role", if known.contains_key("follows") { "slave" } else { "master" });
    field("process_id", known.get("answers").copied().unwrap_or(&port.to_string()));
    if let Some(upstream) = known.get("follows") {
        let link: Vec<&str> = known.get("link").copied().unwrap_or("up").split(':').collect();
        field("master_host", if port.is_multiple_of(2) { "127.0.0.1" } else { "localhost" });
        field("master_port", upstream);
        field("master_link_status", if link[0] == "up" { "up" } else { "down" });
        field("master_sync_in_progress", if link[0] == "sync" { "1" } else { "0" });
        match link.as_slice() {
            ["down", seconds] => field("master_link_down_since_seconds", seconds),
            ["sync", read] => field("master_sync_read_bytes", read),
            ["sync", read, total] => {
                field("master_sync_read_bytes", read);
                field("master_sync_total_bytes", total);
            }
            _ => {}
        }
    }
    for (key, name) in [
        ("offset", "master_repl_offset"),
        ("backlog", "repl_backlog_size"),
        ("first", "repl_backlog_first_byte_offset"),
        ("ops", "instantaneous_ops_per_sec"),
        ("clients", "connected_clients"),
        ("memory", "used_memory"),
        ("uptime", "uptime_in_seconds"),
    ] {
        if let Some(value) = known.get(key) {
            field(name, value);
        }
    }
    if let Some(keys) = known.get("keys") {
        field("db0", &format!("keys={keys},expires=0"));
    }
    if let Some(id) = known.get("id") {
        field("master_replid", &format!("{id:0<40}"));
    }
    if let Some((id, end)) = known.get("past").map(|past| past.split_once('@').unwrap()) {
        field("master_replid2", &format!("{id:0<40}"));
        field("second_repl_offset", end);
    }
    for (index, line) in known.get("lists").iter().flat_map(|lists| lists.split(',')).enumerate() {
        let parts: Vec<&str> = line.split(':').collect();
        let line = format!("ip=127.0.0.1,port={},state={},offset=0,lag={}", parts[0], parts[1], parts[2]);
        field(&format!("slave{index}"), &line);
    }
    if let Some((good, _)) = known.get("good").and_then(|good| good.split_once('/')) {
        field("min_slaves_good_slaves", good);
    }
    if known.contains_key("backlog") {
        field("repl_backlog_active", "1");
    }
    if known.contains_key("loading") {
        field("loading", "1");
    }
    info
}
