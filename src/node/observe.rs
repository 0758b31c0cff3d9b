//! INFO as an [`Observation`]: partial and old by definition. Unknown values are `None`, never 0.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What one INFO reply (all sections) said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// `run_id`, 40 hex digits; changes at each start of the server.
    pub run_id: Option<String>,
    /// `process_id`.
    pub pid: Option<u32>,
    /// `redis_version`, and `server_name` where present.
    pub version: Option<String>,
    /// Wants to be a replica?
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
    /// `min_slaves_good_slaves` below the configured minimum is judged by the caller; this is the raw figure.
    pub good_replicas: Option<u64>,
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
