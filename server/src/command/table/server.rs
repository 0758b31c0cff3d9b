//! The server itself.

use super::{ADMIN, BUSY, FAST, LOADING, NO_ASYNC, NO_MULTI, NOSCRIPT, R, STALE, W};
use crate::command::spec::Handler::{Container, Control, Data};
use crate::command::spec::{Command, Control as C, at, row};
use crate::command::{catalog, docs, keys, lolwut};

#[rustfmt::skip]
pub(super) const ROWS: &[Command] = &[
    row("bgsave",     -1, ADMIN | NOSCRIPT | NO_ASYNC,                          "", &[], Control(C::BgSave))
        .doc("[SCHEDULE]", "Saves the data set while serving", "1.0.0", "O(N) in keys, in slices", "server"),
    row("command",    -1, LOADING | STALE,                                      "connection", &[], Data(catalog::command))
        .doc("", "What can be asked", "2.8.13", "O(N) in commands", "server").tips("nondeterministic_output_order").subs(COMMAND),
    row("config",     -2, 0,                                                    "", &[], Container)
        .doc("", "The configuration, read and changed", "2.0.0", "Depends on the subcommand", "server").subs(CONFIG),
    row("dbsize",      1, R | FAST,                                             "keyspace", &[], Data(keys::dbsize))
        .doc("", "How many keys the database holds", "1.0.0", "O(1)", "server").tips("request_policy:all_shards response_policy:agg_sum"),
    row("debug",      -2, ADMIN | NOSCRIPT | LOADING | STALE,                   "", &[], Container)
        .doc("", "For tests", "1.0.0", "Depends on the subcommand", "server").subs(DEBUG),
    row("failover",   -1, ADMIN | NOSCRIPT | STALE,                             "", &[], Control(C::Failover))
        .doc("[TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]", "Hands the role of master to a replica", "6.2.0", "O(1)", "server"),
    row("flushall",   -1, W,                                                    "keyspace dangerous", &[], Data(keys::flushall))
        .doc("[ASYNC | SYNC]", "Deletes every key of every database", "1.0.0", "O(N) in all keys", "server").tips("request_policy:all_shards response_policy:all_succeeded"),
    row("flushdb",    -1, W,                                                    "keyspace dangerous", &[], Data(keys::flushdb))
        .doc("[ASYNC | SYNC]", "Deletes every key of the database", "1.0.0", "O(N) in keys of the database", "server").tips("request_policy:all_shards response_policy:all_succeeded"),
    row("host:",      -1, LOADING | STALE,                                      "", &[], Control(C::CrossProtocol))
        .doc("[word ...]", "A browser talking to us, refused", "3.2.0", "O(1)", "server"),
    row("info",       -1, LOADING | STALE,                                      "dangerous", &[], Control(C::Info))
        .doc("[section [section ...]]", "What the server knows about itself", "1.0.0", "O(1)", "server").tips("nondeterministic_output request_policy:all_shards response_policy:special"),
    row("lastsave",    1, LOADING | STALE | FAST,                               "admin dangerous", &[], Control(C::LastSave))
        .doc("", "When the data set was last saved", "1.0.0", "O(1)", "server").tips("nondeterministic_output"),
    row("latency",    -2, 0,                                                    "", &[], Container)
        .doc("", "Events that took long", "2.8.13", "Depends on the subcommand", "server").subs(LATENCY),
    row("lolwut",     -1, R | FAST,                                             "", &[], Data(lolwut::lolwut))
        .doc("[VERSION version]", "A drawing, and the version of the server", "5.0.0", "O(1)", "server"),
    row("memory",     -2, 0,                                                    "", &[], Container)
        .doc("", "Where the memory goes", "4.0.0", "Depends on the subcommand", "server").subs(MEMORY),
    row("monitor",     1, ADMIN | NOSCRIPT | LOADING | STALE,                   "", &[], Control(C::Monitor))
        .doc("", "Shows every request as it comes in", "1.0.0", "O(1)", "server"),
    row("post",       -1, LOADING | STALE,                                      "", &[], Control(C::CrossProtocol))
        .doc("[word ...]", "A browser talking to us, refused", "3.2.0", "O(1)", "server"),
    row("psync",      -3, ADMIN | NOSCRIPT | NO_ASYNC | NO_MULTI,               "", &[], Control(C::Psync))
        .doc("replicationid offset [FAILOVER]", "A replica asks to continue", "2.8.0", "O(1)", "server"),
    row("replconf",   -1, ADMIN | NOSCRIPT | LOADING | STALE | BUSY,            "", &[], Control(C::Replconf))
        .doc("[option value ...]", "A replica says what it can do and how far it is", "3.0.0", "O(1)", "server"),
    row("replicaof",   3, ADMIN | NOSCRIPT | STALE | NO_ASYNC,                  "", &[], Control(C::ReplicaOf))
        .doc("<host port | NO ONE>", "Makes the server a replica, or a master again", "5.0.0", "O(1)", "server"),
    row("role",        1, NOSCRIPT | LOADING | STALE | FAST,                    "admin dangerous", &[], Control(C::Role))
        .doc("", "The part the server plays in replication", "2.8.12", "O(1)", "server"),
    row("save",        1, ADMIN | NOSCRIPT | NO_ASYNC | NO_MULTI,               "", &[], Control(C::Save))
        .doc("", "Saves the data set, nothing else meanwhile", "1.0.0", "O(N) in all keys", "server"),
    row("shutdown",   -1, ADMIN | NOSCRIPT | LOADING | STALE | NO_MULTI | BUSY, "", &[], Control(C::Shutdown))
        .doc("[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]", "Saves the data set and ends the server", "1.0.0", "O(N) in all keys when saving", "server"),
    row("slaveof",     3, ADMIN | NOSCRIPT | STALE | NO_ASYNC,                  "", &[], Control(C::ReplicaOf))
        .doc("<host port | NO ONE>", "The old name of REPLICAOF", "1.0.0", "O(1)", "server"),
    row("slowlog",    -2, 0,                                                    "", &[], Container)
        .doc("", "Requests that took long", "2.2.12", "Depends on the subcommand", "server").subs(SLOWLOG),
    row("swapdb",      3, W | FAST,                                             "keyspace dangerous", &[], Data(keys::swapdb))
        .doc("index1 index2", "Exchanges two databases", "4.0.0", "O(N) in clients watching", "server"),
    row("sync",        1, ADMIN | NOSCRIPT | NO_ASYNC | NO_MULTI,               "", &[], Control(C::Sync))
        .doc("", "A replica asks for everything, in the old way", "1.0.0", "O(N) in all keys", "server"),
    row("time",        1, LOADING | STALE | FAST,                               "", &[], Data(catalog::time))
        .doc("", "The time of the server", "2.6.0", "O(1)", "server").tips("nondeterministic_output"),
];

#[rustfmt::skip]
const COMMAND: &[Command] = &[
    row("command|count",             2, LOADING | STALE, "connection", &[], Data(catalog::count))
        .doc("", "How many commands there are", "2.8.13", "O(1)", "server"),
    row("command|docs",             -2, LOADING | STALE, "connection", &[], Data(docs::docs))
        .doc("[command-name [command-name ...]]", "What commands are for and how they are written", "7.0.0", "O(N) in commands asked", "server").tips("nondeterministic_output_order"),
    row("command|getkeys",          -4, LOADING | STALE, "connection", &[], Data(catalog::getkeys))
        .doc("command arg [arg ...]", "Which arguments of a request are keys", "2.8.13", "O(N) in arguments", "server"),
    row("command|getkeysandflags",  -4, LOADING | STALE, "connection", &[], Data(catalog::getkeysandflags))
        .doc("command arg [arg ...]", "Which arguments of a request are keys, and what happens to them", "7.0.0", "O(N) in arguments", "server"),
    row("command|help",              2, LOADING | STALE, "connection", &[], Data(catalog::help))
        .doc("", "Lists the subcommands", "5.0.0", "O(1)", "server"),
    row("command|info",             -2, LOADING | STALE, "connection", &[], Data(catalog::info))
        .doc("[command-name [command-name ...]]", "Arity, flags and keys of commands", "2.8.13", "O(N) in commands asked", "server").tips("nondeterministic_output_order"),
    row("command|list",             -2, LOADING | STALE, "connection", &[], Data(catalog::list))
        .doc("[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]", "The names of commands", "7.0.0", "O(N) in commands", "server").tips("nondeterministic_output_order"),
];

#[rustfmt::skip]
const CONFIG: &[Command] = &[
    row("config|get",        -3, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Control(C::ConfigGet))
        .doc("parameter [parameter ...]", "The settings that match", "2.0.0", "O(N) in settings", "server"),
    row("config|help",        2, LOADING | STALE,                    "", &[], Data(catalog::help))
        .doc("", "Lists the subcommands", "5.0.0", "O(1)", "server"),
    row("config|resetstat",   2, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Control(C::ConfigResetStat))
        .doc("", "Puts the counters of INFO back to zero", "2.0.0", "O(1)", "server"),
    row("config|rewrite",     2, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Control(C::ConfigRewrite))
        .doc("", "Writes the settings in force to the configuration file", "2.8.0", "O(1)", "server"),
    row("config|set",        -4, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Control(C::ConfigSet))
        .doc("parameter value [parameter value ...]", "Changes settings, all or none", "2.0.0", "O(N) in settings", "server").tips("request_policy:all_nodes response_policy:all_succeeded"),
];

#[rustfmt::skip]
const DEBUG: &[Command] = &[
    row("debug|change-repl-id",      2, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Control(C::DebugIgnored))
        .doc("", "Accepted, does nothing", "3.0.0", "O(1)", "server"),
    row("debug|digest",              2, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Control(C::DebugDigest))
        .doc("", "A checksum of the whole data set, whatever its order", "2.0.0", "O(N) in the data set", "server"),
    row("debug|digest-value",       -2, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Control(C::DebugDigest))
        .doc("[name [name ...]]", "A checksum of the value of each key", "5.0.0", "O(N) in the size of the values", "server"),
    row("debug|help",                2, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Data(catalog::help))
        .doc("", "Lists the subcommands", "4.0.0", "O(1)", "server"),
    row("debug|jmap",                2, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Control(C::DebugJmap))
        .doc("", "Accepted, does nothing", "1.0.0", "O(1)", "server"),
    row("debug|link",               -3, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Control(C::DebugLink))
        .doc("<LIST | RESET | port rule>", "Breaks the replication link from the node on a port: cut, stall, delay MS, rate BYTES, none", "7.0.0", "O(N) in connections", "server"),
    row("debug|listpack",            3, ADMIN | NOSCRIPT | LOADING | STALE, "", &[at(2, "RO")], Control(C::DebugEncoding))
        .doc("key", "Logs how a small collection is stored", "7.0.0", "O(N) in elements", "server"),
    row("debug|object",              3, ADMIN | NOSCRIPT | LOADING | STALE, "", &[at(2, "RO")], Control(C::DebugObject))
        .doc("key", "How one value is stored", "1.0.0", "O(1)", "server"),
    row("debug|populate",           -3, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Control(C::DebugPopulate))
        .doc("count [prefix] [size]", "Makes many keys", "2.8.0", "O(N) in keys made", "server"),
    row("debug|quicklist",          -3, ADMIN | NOSCRIPT | LOADING | STALE, "", &[at(2, "RO")], Control(C::DebugEncoding))
        .doc("key [0 | 1]", "Logs how a large list is stored, with its elements if asked", "7.0.0", "O(N) in nodes", "server"),
    row("debug|quicklist-packed-threshold", 3, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Control(C::DebugEncoding))
        .doc("size", "From which size on an element of a list has a node for itself, 0 for what the node's size says", "7.0.0", "O(1)", "server"),
    row("debug|reload",             -2, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Control(C::DebugReload))
        .doc("[option ...]", "Saves the data set and loads it again", "2.0.0", "O(N) in the data set", "server"),
    row("debug|set-active-expire",   3, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Control(C::DebugSetActiveExpire))
        .doc("<0 | 1>", "Turns the deletion of expired keys in the background off or on", "2.8.0", "O(1)", "server"),
    row("debug|sleep",               3, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Control(C::DebugSleep))
        .doc("seconds", "Stops the server for a while", "2.4.0", "O(1)", "server"),
];

#[rustfmt::skip]
const LATENCY: &[Command] = &[
    row("latency|help",      2, LOADING | STALE,                    "", &[], Data(catalog::help))
        .doc("", "Lists the subcommands", "2.8.13", "O(1)", "server"),
    row("latency|histogram", -2, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Control(C::Latency))
        .doc("[command [command ...]]", "How the times of commands are spread", "7.0.0", "O(N) in commands", "server").tips("nondeterministic_output request_policy:all_nodes response_policy:special"),
    row("latency|history",   3, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Control(C::Latency))
        .doc("event", "The record of one event", "2.8.13", "O(1)", "server").tips("nondeterministic_output request_policy:all_nodes response_policy:special"),
    row("latency|latest",    2, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Control(C::Latency))
        .doc("", "The latest sample of every event", "2.8.13", "O(1)", "server").tips("nondeterministic_output request_policy:all_nodes response_policy:special"),
    row("latency|reset",    -2, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Control(C::Latency))
        .doc("[event [event ...]]", "Forgets samples", "2.8.13", "O(1)", "server").tips("request_policy:all_nodes response_policy:all_succeeded"),
];

#[rustfmt::skip]
const MEMORY: &[Command] = &[
    row("memory|doctor",        2, 0,               "", &[], Control(C::MemoryDoctor))
        .doc("", "What is remarkable about the memory, in words", "4.0.0", "O(N) in clients", "server").tips("nondeterministic_output request_policy:all_shards response_policy:special"),
    row("memory|help",          2, LOADING | STALE, "", &[], Data(catalog::help))
        .doc("", "Lists the subcommands", "4.0.0", "O(1)", "server"),
    row("memory|malloc-stats",  2, 0,               "", &[], Control(C::MemoryMallocStats))
        .doc("", "What the allocator tells about itself: nothing", "4.0.0", "O(1)", "server").tips("nondeterministic_output request_policy:all_shards response_policy:special"),
    row("memory|purge",         2, 0,               "", &[], Control(C::MemoryPurge))
        .doc("", "Frees what waits to be freed", "4.0.0", "O(N) in what waits", "server").tips("request_policy:all_shards response_policy:all_succeeded"),
    row("memory|stats",         2, 0,               "", &[], Control(C::MemoryStats))
        .doc("", "Where the memory goes, in bytes", "4.0.0", "O(N) in clients and databases", "server").tips("nondeterministic_output request_policy:all_shards response_policy:special"),
    row("memory|usage",        -3, R,               "", &[at(2, "RO")], Control(C::MemoryUsage))
        .doc("key [SAMPLES count]", "How many bytes a key takes", "4.0.0", "O(N) in samples", "server"),
];

#[rustfmt::skip]
const SLOWLOG: &[Command] = &[
    row("slowlog|get",    -2, ADMIN | LOADING | STALE, "", &[], Control(C::Slowlog))
        .doc("[count]", "The latest slow requests", "2.2.12", "O(N) in entries", "server").tips("request_policy:all_nodes nondeterministic_output"),
    row("slowlog|help",    2, LOADING | STALE,         "", &[], Data(catalog::help))
        .doc("", "Lists the subcommands", "6.2.0", "O(1)", "server"),
    row("slowlog|len",     2, ADMIN | LOADING | STALE, "", &[], Control(C::Slowlog))
        .doc("", "How many slow requests are noted", "2.2.12", "O(1)", "server").tips("request_policy:all_nodes response_policy:agg_sum nondeterministic_output"),
    row("slowlog|reset",   2, ADMIN | LOADING | STALE, "", &[], Control(C::Slowlog))
        .doc("", "Forgets the slow requests", "2.2.12", "O(N) in entries", "server").tips("request_policy:all_nodes response_policy:all_succeeded"),
];
