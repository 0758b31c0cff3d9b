//! INFO, section by section, field by field as Redis 7.2 prints them, and a few of our own for people.

use std::fmt::Write as _;

use crate::data::Now;
use crate::replication::link::State;
use crate::resp::Args;

use super::memory::Figures;
use super::session::{Hold, Session};
use super::{Node, Sink, Vitals};

/// Sections in the order printed; the flag says whether a bare INFO shows it.
const SECTIONS: &[(&str, bool)] = &[
    ("server", true),
    ("clients", true),
    ("memory", true),
    ("persistence", true),
    ("stats", true),
    ("replication", true),
    ("cpu", true),
    ("modules", true),
    ("commandstats", false),
    ("errorstats", true),
    ("latencystats", false),
    ("cluster", true),
    ("keyspace", true),
];

/// Lines of `name:value`.
pub(super) struct Page {
    text: String,
}

impl Page {
    pub(super) fn section(&mut self, name: &str) {
        if !self.text.is_empty() {
            self.text.push_str("\r\n");
        }
        // Writing to a string cannot fail, here and below.
        let _ = write!(self.text, "# {name}\r\n");
    }

    pub(super) fn line(&mut self, name: &str, value: impl std::fmt::Display) {
        let _ = write!(self.text, "{name}:{value}\r\n");
    }
}

fn human(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "two decimals are shown")]
    let value = bytes as f64;
    match bytes {
        0..1024 => format!("{bytes}B"),
        1024..1_048_576 => format!("{:.2}K", value / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.2}M", value / 1_048_576.0),
        _ => format!("{:.2}G", value / 1_073_741_824.0),
    }
}

pub(super) fn yes(flag: bool) -> u8 {
    u8::from(flag)
}

impl Node {
    /// `INFO [section …]`.
    pub(super) fn info(&mut self, session: &mut Session, args: Args<'_>, now: Now, sink: &mut dyn Sink) {
        let asked: Vec<Vec<u8>> = args.iter_from(1).map(<[u8]>::to_ascii_lowercase).collect();
        let has = |name: &str| asked.iter().any(|word| word == name.as_bytes());
        let every = has("all") || has("everything");
        let usual = asked.is_empty() || has("default");
        self.stats.sample(now.mono_ms());
        let wanted = |name: &str, shown: bool| every || (usual && shown) || has(name);
        // Figures of the process are calls into the system: for those who ask for them.
        let costly = ["memory", "stats", "cpu"].iter().any(|name| wanted(name, true));
        let vitals = if costly { sink.vitals() } else { Vitals::default() };
        let mut page = Page { text: String::new() };
        for (name, shown) in SECTIONS {
            if wanted(name, *shown) {
                self.info_section(&mut page, name, now, &vitals, session);
            }
        }
        session.reply.verbatim("txt", page.text.as_bytes());
    }

    fn info_section(&self, page: &mut Page, name: &str, now: Now, vitals: &Vitals, serving: &Session) {
        match name {
            "server" => self.info_server(page, now),
            "clients" => self.info_clients(page),
            "memory" => self.info_memory(page, vitals, serving),
            "persistence" => self.info_persistence(page, now),
            "stats" => self.info_stats(page, vitals),
            "replication" => self.info_replication(page, now),
            "cpu" => info_cpu(page, vitals),
            "modules" => page.section("Modules"),
            "commandstats" => self.info_commandstats(page),
            "errorstats" => self.info_errorstats(page),
            "latencystats" => self.info_latencystats(page),
            "cluster" => {
                page.section("Cluster");
                page.line("cluster_enabled", 0);
            }
            _ => self.info_keyspace(page, now),
        }
    }

    fn info_server(&self, page: &mut Page, now: Now) {
        let uptime_s = now.mono_us.saturating_sub(self.born.mono_us) / 1_000_000;
        page.section("Server");
        page.line("redis_version", super::config::REDIS_VERSION);
        page.line("redis_git_sha1", "00000000");
        page.line("redis_git_dirty", 0);
        page.line("redis_build_id", "0000000000000000");
        page.line("redis_mode", "standalone");
        page.line("os", &self.birth.os);
        page.line("arch_bits", 64);
        page.line("monotonic_clock", "POSIX clock_gettime");
        page.line("multiplexing_api", "mio");
        page.line("atomicvar_api", "c11-builtin");
        page.line("gcc_version", "0.0.0");
        page.line("process_id", self.birth.pid);
        page.line("process_supervised", "no");
        page.line("run_id", &self.run_id);
        page.line("tcp_port", self.config.port);
        page.line("server_time_usec", now.wall_ms.saturating_mul(1000));
        page.line("uptime_in_seconds", uptime_s);
        page.line("uptime_in_days", uptime_s / 86_400);
        page.line("hz", self.config.hz);
        page.line("configured_hz", self.config.hz);
        page.line("lru_clock", (now.wall_ms / 1000) & 0xff_ffff);
        page.line("executable", &self.birth.executable);
        page.line("config_file", &self.config_file);
        page.line("io_threads_active", 0);
        if let Some(stopping) = &self.stopping {
            page.line("shutdown_in_milliseconds", stopping.deadline_ms.saturating_sub(now.mono_ms()));
        }
        page.line("server_name", "rctl");
        page.line("rctl_version", env!("CARGO_PKG_VERSION"));
    }

    fn info_clients(&self, page: &mut Page) {
        let clients = self.sessions.iter().filter(|s| s.is_client()).count() + 1;
        // Who is held back by a pause counts as blocked, as in Redis since 7.0.
        let held = |s: &&Session| s.is_client() && (s.waits() || s.hold == Some(Hold::Paused));
        page.section("Clients");
        page.line("connected_clients", clients);
        page.line("cluster_connections", 0);
        page.line("maxclients", self.config.maxclients);
        page.line(
            "client_recent_max_input_buffer",
            self.sessions.iter().map(|s| s.pending.len()).max().unwrap_or(0),
        );
        page.line(
            "client_recent_max_output_buffer",
            self.sessions.iter().map(Session::unsent).max().unwrap_or(0),
        );
        page.line("blocked_clients", self.sessions.iter().filter(held).count());
        page.line("tracking_clients", self.tracking.clients.len());
        page.line("clients_in_timeout_table", self.waiting.len() + self.blocked.with_deadline());
        page.line("total_blocking_keys", self.keyspace.awaited_keys());
        page.line("total_blocking_keys_on_nokey", self.blocked.keys_until_gone());
    }

    fn info_memory(&self, page: &mut Page, vitals: &Vitals, serving: &Session) {
        let figures = self.memory_figures(serving, vitals);
        let Figures { used, peak, backlog, .. } = figures;
        page.section("Memory");
        page.line("used_memory", used);
        page.line("used_memory_human", human(used));
        page.line("used_memory_rss", vitals.rss);
        page.line("used_memory_rss_human", human(vitals.rss));
        page.line("used_memory_peak", peak);
        page.line("used_memory_peak_human", human(peak));
        page.line("used_memory_overhead", figures.overhead);
        page.line("used_memory_startup", figures.startup);
        page.line("used_memory_dataset", figures.dataset);
        page.line("total_system_memory", vitals.system_memory);
        page.line("total_system_memory_human", human(vitals.system_memory));
        page.line("used_memory_lua", 0);
        page.line("used_memory_scripts", 0);
        page.line("maxmemory", self.config.maxmemory);
        page.line("maxmemory_human", human(self.config.maxmemory));
        page.line("maxmemory_policy", self.config.maxmemory_policy.name());
        #[expect(clippy::cast_precision_loss, reason = "a ratio with two decimals")]
        let fragmentation = if used > 0 { vitals.rss as f64 / used as f64 } else { 0.0 };
        page.line("mem_fragmentation_ratio", format!("{fragmentation:.2}"));
        page.line("mem_fragmentation_bytes", i128::from(vitals.rss) - i128::from(used));
        page.line("mem_not_counted_for_evict", backlog);
        page.line("mem_replication_backlog", backlog);
        page.line("mem_total_replication_buffers", backlog);
        page.line("mem_clients_slaves", figures.replicas);
        page.line("mem_clients_normal", figures.clients);
        page.line("mem_cluster_links", 0);
        page.line("mem_aof_buffer", 0);
        page.line("mem_allocator", "mimalloc");
        page.line("active_defrag_running", 0);
        page.line("lazyfree_pending_objects", 0);
        page.line("lazyfreed_objects", 0);
    }

    fn info_persistence(&self, page: &mut Page, now: Now) {
        let async_loading = self.link.as_ref().is_some_and(|link| matches!(link.state, State::Receiving(_)))
            && !self.keyspace.is_empty();
        page.section("Persistence");
        page.line("loading", yes(self.loading.is_some()));
        page.line("async_loading", yes(async_loading));
        page.line("current_cow_peak", 0);
        page.line("current_cow_size", 0);
        page.line("current_cow_size_age", 0);
        page.line("current_fork_perc", "0.00");
        page.line("current_save_keys_processed", 0);
        page.line("current_save_keys_total", 0);
        page.line("rdb_changes_since_last_save", self.dirty);
        // In Redis a snapshot for replicas is a child too, and counts here.
        let mut feeds = self.feeds.iter().filter_map(|&conn| self.sessions.get(conn)?.feed());
        let for_replicas = feeds.any(|feed| feed.snapshot().is_some());
        page.line("rdb_bgsave_in_progress", yes(self.saving.running || for_replicas));
        page.line("rdb_last_save_time", self.saving.last_s);
        page.line("rdb_last_bgsave_status", if self.saving.failed { "err" } else { "ok" });
        page.line("rdb_last_bgsave_time_sec", self.saving.took_s.map_or("-1".to_owned(), |s| s.to_string()));
        page.line("rdb_current_bgsave_time_sec", if self.saving.running { 0 } else { -1 });
        page.line("rdb_saves", self.saving.took_s.map_or(0, |_| 1));
        page.line("rdb_last_cow_size", 0);
        page.line("rdb_last_load_keys_expired", self.loaded_expired);
        page.line("rdb_last_load_keys_loaded", self.loaded_keys);
        page.line("aof_enabled", 0);
        page.line("aof_rewrite_in_progress", 0);
        page.line("aof_rewrite_scheduled", 0);
        page.line("aof_last_rewrite_time_sec", -1);
        page.line("aof_current_rewrite_time_sec", -1);
        page.line("aof_last_bgrewrite_status", "ok");
        page.line("aof_last_write_status", "ok");
        page.line("aof_last_cow_size", 0);
        page.line("module_fork_in_progress", 0);
        page.line("module_fork_last_cow_size", 0);
        if let Some(loading) = &self.loading {
            page.line("loading_start_time", loading.since.wall_ms / 1000);
            page.line("loading_total_bytes", loading.total);
            page.line("loading_loaded_bytes", loading.done);
            #[expect(clippy::cast_precision_loss, reason = "a percentage with two decimals")]
            let percent = loading.done as f64 * 100.0 / loading.total.max(1) as f64;
            page.line("loading_loaded_perc", format!("{percent:.2}"));
            page.line(
                "loading_eta_seconds",
                eta_s(loading.done, loading.total, now.mono_ms() - loading.since.mono_ms()),
            );
        }
    }

    fn info_stats(&self, page: &mut Page, vitals: &Vitals) {
        let stats = &self.stats;
        page.section("Stats");
        page.line("total_connections_received", stats.connections);
        page.line("total_commands_processed", stats.commands);
        page.line("instantaneous_ops_per_sec", stats.per_second());
        page.line("total_net_input_bytes", stats.net_in);
        page.line("total_net_output_bytes", stats.net_out);
        page.line("total_net_repl_input_bytes", stats.repl_in);
        page.line("total_net_repl_output_bytes", stats.repl_out);
        page.line("instantaneous_input_kbps", "0.00");
        page.line("instantaneous_output_kbps", "0.00");
        page.line("instantaneous_input_repl_kbps", "0.00");
        page.line("instantaneous_output_repl_kbps", "0.00");
        page.line("rejected_connections", vitals.rejected_connections);
        page.line("sync_full", stats.sync_full);
        page.line("sync_partial_ok", stats.sync_partial_ok);
        page.line("sync_partial_err", stats.sync_partial_err);
        page.line("expired_keys", stats.expired + self.effects.victims);
        page.line("expired_stale_perc", "0.00");
        page.line("expired_time_cap_reached_count", 0);
        page.line("expire_cycle_cpu_milliseconds", 0);
        page.line("evicted_keys", self.stats.evicted);
        page.line("evicted_clients", stats.evicted_clients);
        page.line("total_eviction_exceeded_time", 0);
        page.line("current_eviction_exceeded_time", 0);
        page.line("keyspace_hits", self.effects.hits);
        page.line("keyspace_misses", self.effects.misses);
        page.line("pubsub_channels", self.pubsub.channel_count());
        page.line("pubsub_patterns", self.pubsub.pattern_count());
        page.line("pubsubshard_channels", self.pubsub.shard_count());
        page.line("latest_fork_usec", 0);
        page.line("total_forks", 0);
        page.line("migrate_cached_sockets", 0);
        page.line("slave_expires_tracked_keys", 0);
        page.line("active_defrag_hits", 0);
        page.line("active_defrag_misses", 0);
        page.line("active_defrag_key_hits", 0);
        page.line("active_defrag_key_misses", 0);
        page.line("total_active_defrag_time", 0);
        page.line("current_active_defrag_time", 0);
        let (keys, items, prefixes) = self.tracking.counts();
        page.line("tracking_total_keys", keys);
        page.line("tracking_total_items", items);
        page.line("tracking_total_prefixes", prefixes);
        page.line("unexpected_error_replies", stats.unexpected_errors);
        page.line("total_error_replies", stats.errors);
        page.line("dump_payload_sanitizations", 0);
        page.line("total_reads_processed", 0);
        page.line("total_writes_processed", 0);
        page.line("io_threaded_reads_processed", 0);
        page.line("io_threaded_writes_processed", 0);
        page.line("reply_buffer_shrinks", 0);
        page.line("reply_buffer_expands", 0);
        page.line("client_query_buffer_limit_disconnections", stats.query_limit_closes);
        page.line("client_output_buffer_limit_disconnections", stats.output_limit_closes);
        page.line("acl_access_denied_auth", stats.auth_failures);
        page.line("acl_access_denied_cmd", 0);
        page.line("acl_access_denied_key", 0);
        page.line("acl_access_denied_channel", 0);
        page.line("demotion_lost_bytes", stats.lost_bytes);
        page.line("panics_caught", self.panics_caught);
        page.line("longest_turn_usec", vitals.longest_turn_us);
        page.line("longest_turn_cpu_usec", vitals.longest_turn_own_us);
    }

    fn info_commandstats(&self, page: &mut Page) {
        page.section("Commandstats");
        for (name, calls) in self.stats.calls.commands() {
            #[expect(clippy::cast_precision_loss, reason = "two decimals are shown")]
            let each_us = calls.took_ns as f64 / 1000.0 / calls.run.max(1) as f64;
            page.line(
                &format!("cmdstat_{name}"),
                format_args!(
                    "calls={},usec={},usec_per_call={each_us:.2},rejected_calls={},failed_calls={}",
                    calls.run,
                    calls.took_ns / 1000,
                    calls.rejected,
                    calls.failed
                ),
            );
        }
    }

    fn info_latencystats(&self, page: &mut Page) {
        page.section("Latencystats");
        let asked = self.config.latency_tracking_info_percentiles.split_ascii_whitespace();
        let asked: Vec<f64> = asked.filter_map(|word| word.parse().ok()).collect();
        for (name, spread) in self.stats.calls.spreads() {
            let figure = |percent: &f64| {
                let ns = spread.percentile_ns(*percent);
                format!("p{percent}={}.{:03}", ns / 1000, ns % 1000)
            };
            let figures: Vec<String> = asked.iter().map(figure).collect();
            page.line(&format!("latency_percentiles_usec_{name}"), figures.join(","));
        }
    }

    fn info_errorstats(&self, page: &mut Page) {
        page.section("Errorstats");
        for (word, count) in self.stats.calls.errors() {
            page.line(&format!("errorstat_{word}"), format_args!("count={count}"));
        }
    }

    fn info_keyspace(&self, page: &mut Page, _now: Now) {
        page.section("Keyspace");
        for db in 0..self.keyspace.databases() {
            let keys = self.keyspace.len(db);
            if keys > 0 {
                let expires = self.keyspace.expires(db);
                page.line(&format!("db{db}"), format_args!("keys={keys},expires={expires},avg_ttl=0"));
            }
        }
    }
}

fn info_cpu(page: &mut Page, vitals: &Vitals) {
    let seconds = |us: u64| format!("{}.{:06}", us / 1_000_000, us % 1_000_000);
    page.section("CPU");
    page.line("used_cpu_sys", seconds(vitals.cpu_sys_us));
    page.line("used_cpu_user", seconds(vitals.cpu_user_us));
    page.line("used_cpu_sys_children", "0.000000");
    page.line("used_cpu_user_children", "0.000000");
    page.line("used_cpu_sys_main_thread", seconds(vitals.cpu_sys_us));
    page.line("used_cpu_user_main_thread", seconds(vitals.cpu_user_us));
}

/// Seconds left, if it goes on as it went.
fn eta_s(done: u64, total: u64, elapsed_ms: u64) -> u64 {
    let left = u128::from(total.saturating_sub(done)) * u128::from(elapsed_ms);
    u64::try_from(left / u128::from(done.max(1)) / 1000).unwrap_or(u64::MAX)
}
