//! INFO as an [`Observation`]: partial and old by definition. Unknown values are `None`, never 0.
//!
//! Parsing is pure and takes anything: a field that is missing, torn or absurd is unknown, and no text of a peer
//! reaches a screen unless it has the shape it should have (ids are hex, states are words, hosts are graphic).

use std::collections::BTreeMap;
use std::time::Duration;

use rctl_server::resp::value::Value;
use serde::{Deserialize, Serialize};
use tokio::time::timeout as within;

use super::client::{Auth, Client, ClientError, Failure};

/// What one INFO reply (all sections) said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// `run_id`, 40 hex digits; changes at each start of the server.
    pub run_id: Option<String>,
    /// `process_id`.
    pub pid: Option<u32>,
    /// `redis_version`, and `server_name` where present.
    pub version: Option<String>,
    /// Whether it wants to be a replica.
    pub is_replica: bool,
    /// Where it points, if it is a replica.
    pub link: Option<UpstreamLink>,
    /// Bytes of the stream produced (master) or processed (replica).
    pub offset: Option<u64>,
    /// `master_replid`.
    pub replid: Option<String>,
    /// `master_replid2`, when it is not forty zeros.
    pub replid2: Option<String>,
    /// `second_repl_offset`, when it is not -1.
    pub second_offset: Option<u64>,
    /// `repl_backlog_size` in bytes, when active.
    pub backlog_size: Option<u64>,
    /// `repl_backlog_first_byte_offset`, when active.
    pub backlog_first: Option<u64>,
    /// The `slaveN` lines.
    pub replicas: Vec<AttachedReplica>,
    /// Keys over all databases.
    pub keys: Option<u64>,
    /// `instantaneous_ops_per_sec`.
    pub ops_per_s: Option<u64>,
    /// `used_memory` in bytes.
    pub memory_bytes: Option<u64>,
    /// `connected_clients`.
    pub clients: Option<u64>,
    /// `uptime_in_seconds`.
    pub uptime_s: Option<u64>,
    /// `loading:1`.
    pub loading: bool,
    /// `min_slaves_good_slaves`, printed only where a minimum is configured.
    pub good_replicas: Option<u64>,
    /// `min-replicas-to-write`, asked for only when `good_replicas` is there. Writes are refused while
    /// `good_replicas` is below it.
    pub min_replicas: Option<u64>,
    /// `replica-priority` as INFO has it: the lower, the sooner; 0 asks never to be promoted.
    pub priority: Option<u64>,
    /// Every field as printed.
    pub info: BTreeMap<String, String>,
}

/// A replica's link to its upstream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UpstreamLink {
    /// `master_host`.
    pub host: String,
    /// `master_port`.
    pub port: u16,
    /// `master_link_status:up`.
    pub up: bool,
    /// `master_sync_in_progress:1`.
    pub syncing: bool,
    /// Bytes of the snapshot read so far.
    pub sync_read_bytes: Option<u64>,
    /// Bytes of the snapshot in all; `None` when the master streams it.
    pub sync_total_bytes: Option<u64>,
    /// `master_link_down_since_seconds`; `None` when up or never up.
    pub down_since_s: Option<u64>,
    /// `master_last_io_seconds_ago`.
    pub last_io_s: Option<u64>,
}

/// One `slaveN` line of a master.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AttachedReplica {
    /// As announced.
    pub ip: String,
    /// As announced.
    pub port: u16,
    /// `wait_bgsave`, `send_bulk`, `online`.
    pub state: String,
    /// Last acknowledged offset.
    pub offset: u64,
    /// Seconds since the last ACK.
    pub lag_s: u64,
}

/// The largest INFO reply that is read, in bytes; real ones are a few kilobytes.
const INFO_LIMIT: usize = 1 << 20;

/// Asks a node for INFO: connect, authenticate, ask, all within `timeout`.
///
/// # Errors
/// The node cannot be asked (see [`Failure`]), or it answers something that is not INFO.
pub async fn observe(
    host: &str,
    port: u16,
    auth: Option<&Auth>,
    timeout: Duration,
) -> Result<Observation, ClientError> {
    let look = async {
        let mut client = Client::connect(host, port, timeout).await?.with_reply_limit(INFO_LIMIT);
        if let Some(auth) = auth {
            client.auth(auth, timeout).await?;
        }
        observe_over(&mut client, timeout).await
    };
    within(timeout, look)
        .await
        .unwrap_or_else(|_| Err(ClientError { node: format!("{host}:{port}"), kind: Failure::TimedOut }))
}

/// Asks for INFO over a connection that is already there.
///
/// # Errors
/// As [`observe`].
pub async fn observe_over(client: &mut Client, timeout: Duration) -> Result<Observation, ClientError> {
    let reply = client.command(&["INFO"], timeout).await?;
    let malformed =
        |why: &str| ClientError { node: client.node().into(), kind: Failure::Malformed(why.into()) };
    let text = reply.to_text().ok_or_else(|| malformed("INFO gave no text"))?;
    let mut seen = Observation::parse(&text);
    if !seen.info.contains_key("role") {
        return Err(malformed("INFO names no role"));
    }
    if seen.good_replicas.is_some() {
        // Refused by ACL or renamed away, the minimum stays unknown; that is no reason to know nothing.
        let reply = client.call(&["CONFIG", "GET", "min-replicas-to-write"], timeout).await?;
        seen.min_replicas = config_value(&reply).and_then(|text| text.parse().ok());
    }
    Ok(seen)
}

impl Observation {
    /// Reads the text of an INFO reply. Takes any text; what is not there is `None`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut info = BTreeMap::new();
        let mut replicas = Vec::new();
        let mut keys: Option<u64> = None;
        for line in text.lines().map(str::trim_end) {
            if line == "# Keyspace" {
                keys = keys.or(Some(0));
            }
            let Some((field, value)) = line.split_once(':').filter(|_| !line.starts_with('#')) else {
                continue;
            };
            if is_numbered(field, "slave") {
                replicas.extend(attached(value));
            } else if is_numbered(field, "db")
                && let Some(count) = item(value, "keys").and_then(|n| n.parse::<u64>().ok())
            {
                keys = Some(keys.unwrap_or(0).saturating_add(count));
            }
            info.insert(field.to_owned(), value.to_owned());
        }
        let fields = Fields(&info);
        let link = fields.link();
        let is_replica = fields.text("role") == Some("slave");
        let applied =
            fields.number("slave_repl_offset").filter(|_| link.as_ref().is_some_and(|link| link.up));
        Self {
            run_id: fields.id("run_id"),
            pid: fields.number("process_id").and_then(|pid| u32::try_from(pid).ok()),
            version: fields.version(),
            is_replica,
            // A replica without an announced link keeps its own count: what it held when it lost it.
            offset: applied.or_else(|| fields.number("master_repl_offset")),
            link,
            replid: fields.id("master_replid"),
            replid2: fields.id("master_replid2").filter(|id| id.bytes().any(|byte| byte != b'0')),
            second_offset: fields.number("second_repl_offset"),
            backlog_size: fields.when("repl_backlog_active", "repl_backlog_size"),
            backlog_first: fields.when("repl_backlog_active", "repl_backlog_first_byte_offset"),
            replicas,
            keys,
            ops_per_s: fields.number("instantaneous_ops_per_sec"),
            memory_bytes: fields.number("used_memory"),
            clients: fields.number("connected_clients"),
            uptime_s: fields.number("uptime_in_seconds"),
            loading: fields.is("loading", "1") || fields.is("async_loading", "1"),
            good_replicas: fields.number("min_slaves_good_slaves"),
            min_replicas: None,
            priority: fields.number("slave_priority"),
            info,
        }
    }
}

/// The fields of one INFO reply, each read by what it should be.
struct Fields<'a>(&'a BTreeMap<String, String>);

impl<'a> Fields<'a> {
    fn text(&self, field: &str) -> Option<&'a str> {
        self.0.get(field).map(String::as_str)
    }

    fn is(&self, field: &str, value: &str) -> bool {
        self.text(field) == Some(value)
    }

    /// A figure; negative ones mean that there is none.
    fn number(&self, field: &str) -> Option<u64> {
        self.text(field)?.parse().ok()
    }

    /// A figure that only counts while a switch is on.
    fn when(&self, switch: &str, field: &str) -> Option<u64> {
        self.is(switch, "1").then(|| self.number(field)).flatten()
    }

    /// A run or replication id: forty hex digits.
    fn id(&self, field: &str) -> Option<String> {
        let text = self.text(field)?;
        (text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| text.to_owned())
    }

    fn version(&self) -> Option<String> {
        let number = self.text("redis_version").filter(|text| is_graphic(text, 32))?;
        let name = self.text("server_name").filter(|text| is_graphic(text, 32));
        Some(name.map_or_else(|| number.to_owned(), |name| format!("{name} {number}")))
    }

    /// The link upward, for a replica whose upstream has an address.
    fn link(&self) -> Option<UpstreamLink> {
        if !self.is("role", "slave") {
            return None;
        }
        let syncing = self.is("master_sync_in_progress", "1");
        let during = |field| syncing.then(|| self.number(field)).flatten();
        Some(UpstreamLink {
            host: self.text("master_host").filter(|host| is_graphic(host, 255))?.to_owned(),
            port: self.number("master_port").and_then(|port| u16::try_from(port).ok())?,
            up: self.is("master_link_status", "up"),
            syncing,
            sync_read_bytes: during("master_sync_read_bytes"),
            // A master that streams its snapshot announces no size, which is printed as 0.
            sync_total_bytes: during("master_sync_total_bytes").filter(|&total| total > 0),
            down_since_s: self.number("master_link_down_since_seconds"),
            last_io_s: self.number("master_last_io_seconds_ago"),
        })
    }
}

/// `slave0`, `db15`: a stem and digits.
fn is_numbered(field: &str, stem: &str) -> bool {
    field.strip_prefix(stem).is_some_and(|n| !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Short enough and without a byte that could steer a terminal.
fn is_graphic(text: &str, limit: usize) -> bool {
    !text.is_empty() && text.len() <= limit && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// One value of `ip=127.0.0.1,port=6380,…`.
fn item<'a>(list: &'a str, name: &str) -> Option<&'a str> {
    list.split(',')
        .find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value))
}

/// One `slaveN` line; `None` when it names no port or state.
fn attached(list: &str) -> Option<AttachedReplica> {
    let number = |name| item(list, name).and_then(|text| text.parse().ok());
    let state = item(list, "state").filter(|text| is_graphic(text, 32))?;
    Some(AttachedReplica {
        ip: item(list, "ip").filter(|ip| is_graphic(ip, 255)).unwrap_or_default().to_owned(),
        port: item(list, "port")?.parse().ok()?,
        state: state.to_owned(),
        offset: number("offset").unwrap_or(0),
        lag_s: number("lag").unwrap_or(0),
    })
}

/// The value in the reply of `CONFIG GET name`.
fn config_value(reply: &Value) -> Option<String> {
    match reply {
        Value::Array(items) => items.get(1)?.to_text(),
        Value::Map(pairs) => pairs.first()?.1.to_text(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MASTER: &str = include_str!("../../tests/info/master.txt");
    const REPLICA: &str = include_str!("../../tests/info/replica.txt");

    #[test]
    fn the_info_of_a_real_master_is_read() {
        let seen = Observation::parse(MASTER);
        assert!(!seen.is_replica && seen.link.is_none() && !seen.loading);
        assert_eq!((seen.offset, seen.keys, seen.clients), (Some(50), Some(1), Some(1)));
        assert_eq!((seen.backlog_size, seen.backlog_first), (Some(1_048_576), Some(1)));
        assert_eq!((seen.replid2, seen.second_offset), (None, None));
        assert_eq!(seen.version.as_deref(), Some("7.0.15"));
        let want = AttachedReplica {
            ip: "127.0.0.1".into(),
            port: 41380,
            state: "online".into(),
            offset: 0,
            lag_s: 1,
        };
        assert_eq!(seen.replicas, [want]);
    }

    #[test]
    fn the_info_of_a_real_replica_is_read() {
        let seen = Observation::parse(REPLICA);
        assert_eq!(seen.replid, Observation::parse(MASTER).replid);
        assert_eq!((seen.is_replica, seen.offset, seen.keys), (true, Some(50), Some(1)));
        let link = seen.link.unwrap();
        assert_eq!((link.host.as_str(), link.port, link.up, link.syncing), ("127.0.0.1", 41379, true, false));
        assert_eq!((link.sync_read_bytes, link.down_since_s, link.last_io_s), (None, None, Some(0)));
    }

    #[test]
    fn a_syncing_replica_says_how_far_it_is_only_when_the_total_is_known() {
        let text = "role:slave\r\nmaster_host:h\r\nmaster_port:1\r\nmaster_link_status:down\r\nmaster_sync_in_progress:1\r\n\
                    master_sync_total_bytes:0\r\nmaster_sync_read_bytes:1900000\r\nmaster_link_down_since_seconds:-1\r\n";
        let link = Observation::parse(text).link.unwrap();
        assert_eq!(
            (link.sync_read_bytes, link.sync_total_bytes, link.down_since_s),
            (Some(1_900_000), None, None)
        );
    }

    #[test]
    fn hostile_or_partial_text_is_unknown_never_zero_and_never_a_terminal_code() {
        for text in
            ["", ":", "::::", "role", "\u{1b}[31m:x", "db0:keys=-1", "slave0:", "slave:ip=,port=,state=x"]
        {
            let seen = Observation::parse(text);
            assert_eq!(
                (seen.offset, seen.keys, seen.replicas.len(), seen.replid),
                (None, None, 0, None),
                "{text:?}"
            );
        }
        let seen = Observation::parse(
            "role:slave\nmaster_host:\u{1b}[2J\nmaster_port:99999\nmaster_replid:\u{1b}]0;x\nused_memory:-5\n\
             slave0:ip=\u{1b}[1m,port=70000,state=online\nslave1:ip=\u{1b},port=7,state=on\u{7}line\ndb0:keys=18446744073709551615\ndb1:keys=9",
        );
        assert!(seen.is_replica && seen.link.is_none() && seen.replicas.is_empty());
        assert_eq!((seen.replid, seen.memory_bytes, seen.keys), (None, None, Some(u64::MAX)));
    }

    #[test]
    fn any_cut_of_a_real_reply_is_read_without_inventing_figures() {
        let whole = Observation::parse(MASTER);
        for cut in (0..MASTER.len()).step_by(7) {
            let seen = Observation::parse(&MASTER[..cut]);
            assert!(seen.replid.is_none() || seen.replid == whole.replid);
            assert!(seen.run_id.is_none() || seen.run_id == whole.run_id);
        }
    }
}
