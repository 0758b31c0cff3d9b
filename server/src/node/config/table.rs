//! The table: every directive, one row. From it come the fields of [`Config`], their defaults, the config file,
//! the command line, CONFIG GET, SET and REWRITE.
//!
//! Flat and therefore long. A row of the first part has a field that something reads; a row of the second part
//! is cosmetic here (tuning of parts this server does not have): it is checked, kept and reported. Defaults
//! follow Redis 7.2 and, where rows say so, differ on purpose.

use std::collections::BTreeMap;

use super::part::Part;
use super::rule::Rule;
use super::slot::{
    Bind, Debugging, DisklessLoad, Eviction, LogLevel, Mode, ON_SIGNAL, OutputLimits, ReplicaOf, SavePoints,
    Secret, Slot, check_bind, check_events, check_oom_values, check_output_limits, check_percentiles,
    check_replicaof, check_save,
};

/// One directive.
pub(super) struct Row {
    /// Its name, then its other spellings.
    pub(super) names: &'static [&'static str],
    /// What it accepts.
    pub(super) rule: Rule,
    /// How it may be used.
    pub(super) flags: Flags,
    /// Where its value lives.
    pub(super) place: Place,
}

/// Where a value lives.
pub(super) enum Place {
    /// In a field.
    Field {
        /// Reads it as text.
        show: fn(&Config) -> String,
        /// Sets it from canonical text.
        take: fn(&mut Config, &str) -> bool,
    },
    /// Among the kept texts, with this default.
    Kept(&'static str),
}

/// A set of the constants below.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Flags(u8);

impl Flags {
    /// Whether all of `other` are in here.
    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Nothing special.
const FREE: Flags = Flags(0);
/// Fixed when the process starts.
pub(super) const FIXED: Flags = Flags(1);
/// Changed at run time only under `enable-protected-configs`.
pub(super) const PROTECTED: Flags = Flags(2);
/// The shell must be asked before a change is real.
pub(super) const SHELL: Flags = Flags(4);
/// Not listed by a pattern, only by its exact name.
pub(super) const HIDDEN: Flags = Flags(8);
/// Several lines add up; the first of a file clears the default.
pub(super) const ADDS: Flags = Flags(16);
/// Promises something this server does not have: nothing but the default is accepted.
pub(super) const UNBUILT: Flags = Flags(32);

const SHELL_FIXED: Flags = FIXED.and(SHELL);
const UNBUILT_FIXED: Flags = FIXED.and(UNBUILT);

const U32: i64 = u32::MAX as i64;
const I32: i64 = i32::MAX as i64;
const U64: u64 = u64::MAX;
const I64: u64 = i64::MAX as u64;

macro_rules! directives {
    (
        fields { $(
            $(#[doc = $doc:literal])+
            $field:ident: $type:ty = $default:expr, [$($name:literal)+], $rule:expr, $flags:expr;
        )+ }
        kept { $( [$($kept:literal)+], $kept_rule:expr, $kept_default:literal, $kept_flags:expr; )+ }
    ) => {
        /// Settings in force. Passwords do not appear in its `Debug` output.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Config {
            $( $(#[doc = $doc])+ pub $field: $type, )+
            /// Canonical texts of kept directives that are not at their default, by the first name.
            pub(super) kept: BTreeMap<&'static str, String>,
        }

        impl Default for Config {
            fn default() -> Self {
                Self { $($field: $default,)+ kept: BTreeMap::new() }
            }
        }

        /// Every directive.
        pub(super) static TABLE: &[Row] = &[
            $( Row {
                names: &[$($name),+],
                rule: $rule,
                flags: $flags,
                place: Place::Field {
                    show: |config| config.$field.show(),
                    take: |config, canonical| config.$field.take(canonical),
                },
            }, )+
            $( Row {
                names: &[$($kept),+],
                rule: $kept_rule,
                flags: $kept_flags,
                place: Place::Kept($kept_default),
            }, )+
        ];
    };
}

directives! {
    fields {
        // ---- network ----
        /// TCP port; 0 listens on none.
        port: u16 = 6379, ["port"], Rule::Int(0, 65535), SHELL;
        /// Addresses to listen on. Redis listens everywhere; this server on this machine only.
        bind: Bind = Bind(vec!["127.0.0.1".to_owned(), "-::1".to_owned()]), ["bind"], Rule::Own(check_bind), SHELL;
        /// Address that outgoing connections come from; empty leaves it to the system.
        bind_source_addr: String = String::new(), ["bind-source-addr"], Rule::Text, SHELL;
        /// Queue of connections not accepted yet.
        tcp_backlog: u32 = 511, ["tcp-backlog"], Rule::Int(0, I32), FIXED;
        /// Path of a unix socket; empty is none.
        unixsocket: String = String::new(), ["unixsocket"], Rule::Text, SHELL_FIXED;
        /// Its permissions.
        unixsocketperm: Mode = Mode(0), ["unixsocketperm"], Rule::Octal, FIXED;
        /// Idle clients are closed after so many seconds; 0 never.
        timeout: u32 = 0, ["timeout"], Rule::Int(0, I32), FREE;
        /// Seconds between TCP keepalive probes; 0 is off.
        tcp_keepalive: u32 = 300, ["tcp-keepalive"], Rule::Int(0, I32), SHELL;
        /// Without a password, serve this machine only.
        protected_mode: bool = true, ["protected-mode"], Rule::Bool, FREE;
        /// Most clients at a time.
        maxclients: u32 = 10_000, ["maxclients"], Rule::Int(1, U32), SHELL;
        /// Longest argument, bytes.
        proto_max_bulk_len: u64 = 512 << 20, ["proto-max-bulk-len"], Rule::Memory(1 << 20, I64), FREE;
        /// Most bytes of unexecuted input per client.
        client_query_buffer_limit: u64 = 1 << 30, ["client-query-buffer-limit"], Rule::Memory(1 << 20, I64), FREE;
        /// When a client that does not read is closed. Normal clients have a limit here, in Redis none.
        client_output_buffer_limit: OutputLimits = OutputLimits::default(), ["client-output-buffer-limit"], Rule::Own(check_output_limits), FREE;

        // ---- general ----
        /// Go to the background.
        daemonize: bool = false, ["daemonize"], Rule::Bool, FIXED;
        /// File that gets the process id; empty is none, unless `daemonize` is on.
        pidfile: String = String::new(), ["pidfile"], Rule::Text, FIXED;
        /// Which lines are logged.
        loglevel: LogLevel = LogLevel::Notice, ["loglevel"], Rule::OneOf(LogLevel::NAMES), SHELL;
        /// Log file; empty is standard output.
        logfile: String = String::new(), ["logfile"], Rule::Text, SHELL_FIXED;
        /// Port and pid are said at start in the words of redis-server's logo, which harnesses wait for.
        always_show_logo: bool = false, ["always-show-logo"], Rule::Bool, FIXED;
        /// Number of databases.
        databases: u32 = 16, ["databases"], Rule::Int(1, I32), FIXED;
        /// How often idle upkeep runs, per second.
        hz: u32 = 10, ["hz"], Rule::Int(1, 500), FREE;
        /// Who may use DEBUG. Clients on this machine, in Redis nobody.
        enable_debug_command: Debugging = Debugging::Local, ["enable-debug-command"], Rule::OneOf(Debugging::NAMES), FIXED;
        /// Who may change protected directives at run time.
        enable_protected_configs: Debugging = Debugging::No, ["enable-protected-configs"], Rule::OneOf(Debugging::NAMES), FIXED;

        // ---- saving ----
        /// When to save by itself.
        save: SavePoints = SavePoints::default(), ["save"], Rule::Own(check_save), ADDS;
        /// Refuse writes after a failed save.
        stop_writes_on_bgsave_error: bool = true, ["stop-writes-on-bgsave-error"], Rule::Bool, FREE;
        /// Compress strings in the data file.
        rdbcompression: bool = true, ["rdbcompression"], Rule::Bool, FREE;
        /// A checksum at the end of the data file.
        rdbchecksum: bool = true, ["rdbchecksum"], Rule::Bool, FIXED;
        /// Name of the data file, in `dir`.
        dbfilename: String = "dump.rdb".to_owned(), ["dbfilename"], Rule::FileName, PROTECTED.and(SHELL);
        /// Working directory.
        dir: String = "./".to_owned(), ["dir"], Rule::Text, PROTECTED.and(SHELL);
        /// Remove data files made only for a full sync.
        rdb_del_sync_files: bool = false, ["rdb-del-sync-files"], Rule::Bool, FREE;
        /// For tests: microseconds to wait per key while saving.
        rdb_key_save_delay: i64 = 0, ["rdb-key-save-delay"], Rule::Int(-I32, I32), HIDDEN;
        /// Save before a shutdown, wait so many seconds for lagging replicas.
        shutdown_timeout: u32 = 10, ["shutdown-timeout"], Rule::Int(0, I32), FREE;
        /// What SIGINT does: `default`, or some of `save nosave now force`.
        shutdown_on_sigint: String = "default".to_owned(), ["shutdown-on-sigint"], Rule::SomeOf(ON_SIGNAL), FREE;
        /// What SIGTERM does.
        shutdown_on_sigterm: String = "default".to_owned(), ["shutdown-on-sigterm"], Rule::SomeOf(ON_SIGNAL), FREE;

        // ---- replication ----
        /// The master to follow; follows REPLICAOF at run time.
        replicaof: ReplicaOf = ReplicaOf(None), ["replicaof" "slaveof"], Rule::Own(check_replicaof), FIXED;
        /// Password for the master.
        masterauth: Secret = Secret(String::new()), ["masterauth" "primaryauth"], Rule::Text, FREE;
        /// User for the master; empty authenticates with the password alone.
        masteruser: String = String::new(), ["masteruser" "primaryuser"], Rule::Text, FREE;
        /// Answer reads while the link is down.
        replica_serve_stale_data: bool = true, ["replica-serve-stale-data" "slave-serve-stale-data"], Rule::Bool, FREE;
        /// Refuse writes of clients on a replica.
        replica_read_only: bool = true, ["replica-read-only" "slave-read-only"], Rule::Bool, FREE;
        /// Rank in a failover; 0 is never a master.
        replica_priority: u32 = 100, ["replica-priority" "slave-priority"], Rule::Int(0, I32), FREE;
        /// Address that others are told to reach this replica at; empty is the one seen.
        replica_announce_ip: String = String::new(), ["replica-announce-ip" "slave-announce-ip"], Rule::Text, FREE;
        /// Port for the same; 0 is the one listened on.
        replica_announce_port: u16 = 0, ["replica-announce-port" "slave-announce-port"], Rule::Int(0, 65535), FREE;
        /// Whether a sentinel reports this replica.
        replica_announced: bool = true, ["replica-announced"], Rule::Bool, FREE;
        /// A replica leaves eviction to its master.
        replica_ignore_maxmemory: bool = true, ["replica-ignore-maxmemory" "slave-ignore-maxmemory"], Rule::Bool, FREE;
        /// Drop old data in the background at a full sync.
        replica_lazy_flush: bool = true, ["replica-lazy-flush" "slave-lazy-flush"], Rule::Bool, FREE;
        /// Bytes of recent stream kept for partial resync. Redis keeps 1 MB.
        repl_backlog_size: u64 = 10 << 20, ["repl-backlog-size"], Rule::Memory(1, I64), FREE;
        /// Seconds without replicas after which the backlog is freed; 0 never.
        repl_backlog_ttl: u32 = 3600, ["repl-backlog-ttl"], Rule::Int(0, I32), FREE;
        /// Seconds of silence after which a link is dead.
        repl_timeout: u32 = 60, ["repl-timeout"], Rule::Int(1, I32), FREE;
        /// Seconds between a master's pings.
        repl_ping_replica_period: u32 = 10, ["repl-ping-replica-period" "repl-ping-slave-period"], Rule::Int(1, I32), FREE;
        /// Full syncs go straight to the socket.
        repl_diskless_sync: bool = true, ["repl-diskless-sync"], Rule::Bool, FREE;
        /// Seconds to wait for more replicas before one. Redis waits 5.
        repl_diskless_sync_delay: u32 = 0, ["repl-diskless-sync-delay"], Rule::Int(0, I32), FREE;
        /// Waiting replicas that start it earlier; 0 is no such number.
        repl_diskless_sync_max_replicas: u32 = 0, ["repl-diskless-sync-max-replicas"], Rule::Int(0, I32), FREE;
        /// How a replica takes a snapshot.
        repl_diskless_load: DisklessLoad = DisklessLoad::Disabled, ["repl-diskless-load"], Rule::OneOf(DisklessLoad::NAMES), FREE;
        /// Let the system gather small packets on replication links.
        repl_disable_tcp_nodelay: bool = false, ["repl-disable-tcp-nodelay"], Rule::Bool, FREE;
        /// Oldest data format to send to a replica that does not say its version. Ours alone.
        repl_rdb_floor: u8 = 9, ["repl-rdb-floor"], Rule::Int(9, 11), FREE;
        /// Refuse writes with fewer good replicas; 0 is off.
        min_replicas_to_write: u32 = 0, ["min-replicas-to-write" "min-slaves-to-write"], Rule::Int(0, I32), FREE;
        /// Seconds since its last word up to which a replica is good.
        min_replicas_max_lag: u32 = 10, ["min-replicas-max-lag" "min-slaves-max-lag"], Rule::Int(0, I32), FREE;

        // ---- security, memory ----
        /// Password of clients.
        requirepass: Secret = Secret(String::new()), ["requirepass"], Rule::Text, FREE;
        /// Bytes of data at which writes are refused or keys evicted; 0 is no limit.
        maxmemory: u64 = 0, ["maxmemory"], Rule::Memory(0, U64), FREE;
        /// Most memory of all clients together; 0 is no limit.
        maxmemory_clients: Part = Part::Bytes(0), ["maxmemory-clients"], Rule::MemoryOrPercent, FREE;
        /// What is evicted then.
        maxmemory_policy: Eviction = Eviction::NoEviction, ["maxmemory-policy"], Rule::OneOf(Eviction::NAMES), FREE;
        /// The larger it is, the more slowly a key's counter of uses grows.
        lfu_log_factor: u32 = 10, ["lfu-log-factor"], Rule::Int(0, I32), FREE;
        /// Minutes after which a key counts as used once less.
        lfu_decay_time: u32 = 1, ["lfu-decay-time"], Rule::Int(0, I32), FREE;
        /// Keys drawn in a search for one to evict.
        maxmemory_samples: u32 = 5, ["maxmemory-samples"], Rule::Int(1, 64), FREE;
        /// Free evicted values in the background. These five are as in Valkey 8; in Redis 7 they are off.
        lazyfree_lazy_eviction: bool = true, ["lazyfree-lazy-eviction"], Rule::Bool, FREE;
        /// Free expired values in the background.
        lazyfree_lazy_expire: bool = true, ["lazyfree-lazy-expire"], Rule::Bool, FREE;
        /// Free overwritten values in the background.
        lazyfree_lazy_server_del: bool = true, ["lazyfree-lazy-server-del"], Rule::Bool, FREE;
        /// DEL acts as UNLINK.
        lazyfree_lazy_user_del: bool = true, ["lazyfree-lazy-user-del"], Rule::Bool, FREE;
        /// FLUSHALL and FLUSHDB are asynchronous unless told otherwise.
        lazyfree_lazy_user_flush: bool = true, ["lazyfree-lazy-user-flush"], Rule::Bool, FREE;
        /// Effort of active expiry, 1 to 10.
        active_expire_effort: u32 = 1, ["active-expire-effort"], Rule::Int(1, 10), FREE;
        /// Hash tables are grown in the background too.
        activerehashing: bool = true, ["activerehashing"], Rule::Bool, FREE;

        // ---- encodings ----
        /// Most fields of a compact hash.
        hash_max_listpack_entries: u64 = 512, ["hash-max-listpack-entries" "hash-max-ziplist-entries"], Rule::Int(0, i64::MAX), FREE;
        /// Longest field or value of a compact hash, bytes.
        hash_max_listpack_value: u64 = 64, ["hash-max-listpack-value" "hash-max-ziplist-value"], Rule::Memory(0, I64), FREE;
        /// Size of a list's pieces: elements, or with a minus a class of bytes.
        list_max_listpack_size: i64 = -2, ["list-max-listpack-size" "list-max-ziplist-size"], Rule::Int(-I32, I32), FREE;
        /// Pieces at each end of a list that stay uncompressed; 0 compresses none.
        list_compress_depth: u32 = 0, ["list-compress-depth"], Rule::Int(0, I32), FREE;
        /// Most integers of a compact set.
        set_max_intset_entries: u64 = 512, ["set-max-intset-entries"], Rule::Int(0, i64::MAX), FREE;
        /// Most members of a compact set.
        set_max_listpack_entries: u64 = 128, ["set-max-listpack-entries"], Rule::Int(0, i64::MAX), FREE;
        /// Longest member of a compact set, bytes.
        set_max_listpack_value: u64 = 64, ["set-max-listpack-value"], Rule::Int(0, i64::MAX), FREE;
        /// Most members of a compact sorted set.
        zset_max_listpack_entries: u64 = 128, ["zset-max-listpack-entries" "zset-max-ziplist-entries"], Rule::Int(0, i64::MAX), FREE;
        /// Longest member of a compact sorted set, bytes.
        zset_max_listpack_value: u64 = 64, ["zset-max-listpack-value" "zset-max-ziplist-value"], Rule::Memory(0, I64), FREE;
        /// Longest sparse HyperLogLog, bytes.
        hll_sparse_max_bytes: u64 = 3000, ["hll-sparse-max-bytes"], Rule::Memory(0, I64), FREE;
        /// Largest node of a stream, bytes; 0 is no limit.
        stream_node_max_bytes: u64 = 4096, ["stream-node-max-bytes"], Rule::Memory(0, I64), FREE;
        /// Most entries of a stream's node; 0 is no limit.
        stream_node_max_entries: u64 = 100, ["stream-node-max-entries"], Rule::Int(0, i64::MAX), FREE;

        // ---- watching ----
        /// Microseconds from which a command is slow; negative is off.
        slowlog_log_slower_than: i64 = 10_000, ["slowlog-log-slower-than"], Rule::Int(-1, i64::MAX), FREE;
        /// Most keys remembered for clients that cache them; 0 is no limit.
        tracking_table_max_keys: u64 = 1_000_000, ["tracking-table-max-keys"], Rule::Int(0, i64::MAX), FREE;
        /// Most slow commands remembered.
        slowlog_max_len: u64 = 128, ["slowlog-max-len"], Rule::Int(0, i64::MAX), FREE;
        /// Milliseconds from which an event is noted; 0 is off.
        latency_monitor_threshold: u64 = 0, ["latency-monitor-threshold"], Rule::Int(0, i64::MAX), FREE;
        /// Latency per command is kept.
        latency_tracking: bool = true, ["latency-tracking"], Rule::Bool, FREE;
        /// Which percentiles of it INFO shows.
        latency_tracking_info_percentiles: String = "50 99 99.9".to_owned(), ["latency-tracking-info-percentiles"], Rule::Own(check_percentiles), FREE;
        /// Which key events are published, as canonical letters.
        notify_keyspace_events: String = String::new(), ["notify-keyspace-events"], Rule::Own(check_events), FREE;
        /// Milliseconds after which a script is slow and others get BUSY.
        busy_reply_threshold: i64 = 5000, ["busy-reply-threshold" "lua-time-limit"], Rule::Int(0, i64::MAX), FREE;
    }
    kept {
        // ---- not built: only the default is accepted ----
        ["appendonly"], Rule::Bool, "no", UNBUILT;
        ["cluster-enabled"], Rule::Bool, "no", UNBUILT_FIXED;
        ["aclfile"], Rule::Text, "", UNBUILT_FIXED;
        ["tls-port"], Rule::Int(0, 65535), "0", UNBUILT;
        ["tls-replication"], Rule::Bool, "no", UNBUILT;
        ["tls-cluster"], Rule::Bool, "no", UNBUILT;
        ["syslog-enabled"], Rule::Bool, "no", UNBUILT_FIXED;
        ["activedefrag"], Rule::Bool, "no", UNBUILT;
        ["dual-channel-replication-enabled"], Rule::Bool, "no", UNBUILT;
        ["socket-mark-id"], Rule::Int(0, U32), "0", UNBUILT;

        // ---- allows a command that is not here; configurations written for redis-server say it ----
        ["enable-module-command"], Rule::OneOf(Debugging::NAMES), "no", FIXED;

        // ---- append only file ----
        ["appendfilename"], Rule::FileName, "appendonly.aof", FIXED;
        ["appenddirname"], Rule::FileName, "appendonlydir", FIXED;
        ["appendfsync"], Rule::OneOf(&["everysec", "always", "no"]), "everysec", FREE;
        ["no-appendfsync-on-rewrite"], Rule::Bool, "no", FREE;
        ["auto-aof-rewrite-percentage"], Rule::Int(0, I32), "100", FREE;
        ["auto-aof-rewrite-min-size"], Rule::Memory(0, I64), "67108864", FREE;
        ["aof-load-truncated"], Rule::Bool, "yes", FREE;
        ["aof-use-rdb-preamble"], Rule::Bool, "yes", FREE;
        ["aof-timestamp-enabled"], Rule::Bool, "no", FREE;
        ["aof-rewrite-incremental-fsync"], Rule::Bool, "yes", FREE;
        ["aof-disable-auto-gc"], Rule::Bool, "no", FREE;

        // ---- cluster ----
        ["cluster-config-file"], Rule::Text, "nodes.conf", FIXED;
        ["cluster-node-timeout"], Rule::Int(0, i64::MAX), "15000", FREE;
        ["cluster-port"], Rule::Int(0, 65535), "0", FIXED;
        ["cluster-announce-ip"], Rule::Text, "", FREE;
        ["cluster-announce-hostname"], Rule::Text, "", FREE;
        ["cluster-announce-human-nodename"], Rule::Text, "", FREE;
        ["cluster-announce-port"], Rule::Int(0, 65535), "0", FREE;
        ["cluster-announce-tls-port"], Rule::Int(0, 65535), "0", FREE;
        ["cluster-announce-bus-port"], Rule::Int(0, 65535), "0", FREE;
        ["cluster-migration-barrier"], Rule::Int(0, I32), "1", FREE;
        ["cluster-replica-validity-factor" "cluster-slave-validity-factor"], Rule::Int(0, I32), "10", FREE;
        ["cluster-replica-no-failover" "cluster-slave-no-failover"], Rule::Bool, "no", FREE;
        ["cluster-require-full-coverage"], Rule::Bool, "yes", FREE;
        ["cluster-allow-reads-when-down"], Rule::Bool, "no", FREE;
        ["cluster-allow-pubsubshard-when-down"], Rule::Bool, "yes", FREE;
        ["cluster-allow-replica-migration"], Rule::Bool, "yes", FREE;
        ["cluster-link-sendbuf-limit"], Rule::Memory(0, I64), "0", FREE;
        ["cluster-preferred-endpoint-type"], Rule::OneOf(&["ip", "hostname", "unknown-endpoint"]), "ip", FREE;

        // ---- TLS ----
        ["tls-cert-file"], Rule::Text, "", FREE;
        ["tls-key-file"], Rule::Text, "", FREE;
        ["tls-key-file-pass"], Rule::Text, "", FREE;
        ["tls-client-cert-file"], Rule::Text, "", FREE;
        ["tls-client-key-file"], Rule::Text, "", FREE;
        ["tls-client-key-file-pass"], Rule::Text, "", FREE;
        ["tls-dh-params-file"], Rule::Text, "", FREE;
        ["tls-ca-cert-file"], Rule::Text, "", FREE;
        ["tls-ca-cert-dir"], Rule::Text, "", FREE;
        ["tls-auth-clients"], Rule::OneOf(&["no", "yes", "optional"]), "yes", FREE;
        ["tls-protocols"], Rule::Words, "", FREE;
        ["tls-ciphers"], Rule::Text, "", FREE;
        ["tls-ciphersuites"], Rule::Text, "", FREE;
        ["tls-prefer-server-ciphers"], Rule::Bool, "no", FREE;
        ["tls-session-caching"], Rule::Bool, "yes", FREE;
        ["tls-session-cache-size"], Rule::Int(0, I32), "20480", FREE;
        ["tls-session-cache-timeout"], Rule::Int(0, I32), "300", FREE;

        // ---- tuning of other engines' inner parts ----
        ["supervised"], Rule::OneOf(&["upstart", "systemd", "auto", "no"]), "no", FIXED;
        ["set-proc-title"], Rule::Bool, "yes", FIXED;
        ["proc-title-template"], Rule::Text, "{title} {listen-addr} {server-mode}", FREE;
        ["locale-collate"], Rule::Text, "", FREE;
        ["syslog-ident"], Rule::Text, "redis", FIXED;
        ["syslog-facility"], Rule::Text, "local0", FIXED;
        ["crash-log-enabled"], Rule::Bool, "yes", FREE;
        ["crash-memcheck-enabled"], Rule::Bool, "yes", FREE;
        ["use-exit-on-panic"], Rule::Bool, "no", HIDDEN;
        ["io-threads"], Rule::Int(1, 128), "1", FIXED;
        ["io-threads-do-reads"], Rule::Bool, "no", FIXED;
        ["dynamic-hz"], Rule::Bool, "yes", FREE;
        ["sanitize-dump-payload"], Rule::OneOf(&["no", "yes", "clients"]), "no", FREE;
        ["rdb-save-incremental-fsync"], Rule::Bool, "yes", FREE;
        ["rdb-version-check"], Rule::OneOf(&["strict", "relaxed"]), "strict", FREE;
        ["key-load-delay"], Rule::Int(-I32, I32), "0", HIDDEN;
        ["loading-process-events-interval-bytes"], Rule::Memory(1024, I64), "2097152", HIDDEN;
        ["replica-ignore-disk-write-errors"], Rule::Bool, "no", FREE;
        ["propagation-error-behavior"], Rule::OneOf(&["ignore", "panic", "panic-on-replicas"]), "ignore", FREE;
        ["acllog-max-len"], Rule::Int(0, i64::MAX), "128", FREE;
        ["acl-pubsub-default"], Rule::OneOf(&["allchannels", "resetchannels"]), "resetchannels", FREE;
        ["maxmemory-eviction-tenacity"], Rule::Int(0, 100), "10", FREE;
        ["oom-score-adj"], Rule::OneOf(&["no", "yes", "relative", "absolute"]), "no", FREE;
        ["oom-score-adj-values"], Rule::Own(check_oom_values), "0 200 800", FREE;
        ["disable-thp"], Rule::Bool, "yes", FIXED;
        ["jemalloc-bg-thread"], Rule::Bool, "yes", FREE;
        ["active-defrag-ignore-bytes"], Rule::Memory(1, I64), "104857600", FREE;
        ["active-defrag-threshold-lower"], Rule::Int(0, 1000), "10", FREE;
        ["active-defrag-threshold-upper"], Rule::Int(0, 1000), "100", FREE;
        ["active-defrag-cycle-min"], Rule::Int(1, 99), "1", FREE;
        ["active-defrag-cycle-max"], Rule::Int(1, 99), "25", FREE;
        ["active-defrag-max-scan-fields"], Rule::Int(1, i64::MAX), "1000", FREE;
        ["max-new-connections-per-cycle"], Rule::Int(1, 1000), "10", FREE;
        ["max-new-tls-connections-per-cycle"], Rule::Int(1, 1000), "1", FREE;
        ["server_cpulist" "server-cpulist"], Rule::Text, "", FIXED;
        ["bio_cpulist" "bio-cpulist"], Rule::Text, "", FIXED;
        ["aof_rewrite_cpulist" "aof-rewrite-cpulist"], Rule::Text, "", FIXED;
        ["bgsave_cpulist" "bgsave-cpulist"], Rule::Text, "", FIXED;
        ["ignore-warnings"], Rule::Words, "", FREE;
    }
}

/// Directives of a file that CONFIG does not know, and what is said about them.
pub(super) static REFUSED: &[(&str, &str)] = &[
    ("loadmodule", "modules are not supported by this server"),
    ("user", "ACL users are not supported by this server, use requirepass"),
    ("rename-command", "renaming commands is not supported by this server"),
    ("sentinel", "sentinel mode is not supported by this server, run redis-sentinel"),
];

/// Directives that redis-server reads and does nothing with.
pub(super) static IGNORED: &[&str] = &[
    "list-max-ziplist-entries",
    "list-max-ziplist-value",
    "lua-replicate-commands",
    "slave-output-buffer-limit",
];
