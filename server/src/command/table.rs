//! THE table: every command, one row. Dispatch, arity errors, COMMAND in all its forms and HELP come from here.
//!
//! Two short lines per command. The first is the machine's: name, arity, flags, categories that do not follow from the flags,
//! keys, handler. The second is for people: synopsis, summary, the Redis version it appeared in, complexity, group.
//! Groups follow each other; names are sorted within a group. A container's subcommands are a slice of their own below the
//! table, in which both words count for arity and for the positions of keys.
//!
//! This file is flat and grows with the number of commands, so the limit on the length of files does not apply to it, and
//! rustfmt is off in it.

use super::spec::Handler::{Container, Control, Data};
use super::spec::{Command, Control as C, Flags, at, range, row};
use super::{catalog, counters, docs, keys, lcs, scan, string_set, strings, ttl};

const W: u32 = Flags::WRITE.0;
const R: u32 = Flags::READONLY.0;
const OOM: u32 = Flags::DENYOOM.0;
const ADMIN: u32 = Flags::ADMIN.0;
const CHANNEL: u32 = Flags::PUBSUB.0;
const NOSCRIPT: u32 = Flags::NOSCRIPT.0;
const LOADING: u32 = Flags::LOADING.0;
const STALE: u32 = Flags::STALE.0;
const FAST: u32 = Flags::FAST.0;
const NO_AUTH: u32 = Flags::NO_AUTH.0;
const NO_MULTI: u32 = Flags::NO_MULTI.0;
const NO_ASYNC: u32 = Flags::NO_ASYNC_LOADING.0;
const MAY_REPL: u32 = Flags::MAY_REPLICATE.0;
const BUSY: u32 = Flags::ALLOW_BUSY.0;
const SKIP_SLOW: u32 = Flags::SKIP_SLOWLOG.0;

/// Every command, grouped.
#[rustfmt::skip]
pub static TABLE: &[Command] = &[
    // string
    row("append",        3, W | OOM | FAST, "string", &[at(1, "RW insert")], Data(strings::append))
        .doc("key value", "Adds to the end of a string, making it if it is missing", "2.0.0", "O(1)", "string"),
    row("decr",          2, W | OOM | FAST, "string", &[at(1, "RW access update")], Data(counters::decr))
        .doc("key", "Subtracts one from an integer", "1.0.0", "O(1)", "string"),
    row("decrby",        3, W | OOM | FAST, "string", &[at(1, "RW access update")], Data(counters::decrby))
        .doc("key decrement", "Subtracts from an integer", "1.0.0", "O(1)", "string"),
    row("get",           2, R | FAST,       "string", &[at(1, "RO access")], Data(strings::get))
        .doc("key", "The value of a string", "1.0.0", "O(1)", "string"),
    row("getdel",        2, W | FAST,       "string", &[at(1, "RW access delete")], Data(strings::getdel))
        .doc("key", "The value of a string, which is then deleted", "6.2.0", "O(1)", "string"),
    row("getex",        -2, W | FAST,       "string", &[at(1, "RW access update")], Data(strings::getex))
        .doc("key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]", "The value of a string, and a new deadline for it", "6.2.0", "O(1)", "string"),
    row("getrange",      4, R,              "string", &[at(1, "RO access")], Data(strings::getrange))
        .doc("key start end", "A part of a string", "2.4.0", "O(N) in the length returned", "string"),
    row("getset",        3, W | OOM | FAST, "string", &[at(1, "RW access update")], Data(string_set::getset))
        .doc("key value", "Sets a string and gives the old one", "1.0.0", "O(1)", "string"),
    row("incr",          2, W | OOM | FAST, "string", &[at(1, "RW access update")], Data(counters::incr))
        .doc("key", "Adds one to an integer", "1.0.0", "O(1)", "string"),
    row("incrby",        3, W | OOM | FAST, "string", &[at(1, "RW access update")], Data(counters::incrby))
        .doc("key increment", "Adds to an integer", "1.0.0", "O(1)", "string"),
    row("incrbyfloat",   3, W | OOM | FAST, "string", &[at(1, "RW access update")], Data(counters::incrbyfloat))
        .doc("key increment:double", "Adds to a decimal number", "2.6.0", "O(1)", "string"),
    row("lcs",          -3, R,              "string", &[range(1, 1, 1, "RO access")], Data(lcs::lcs))
        .doc("key1 key2 [LEN] [IDX] [MINMATCHLEN len] [WITHMATCHLEN]", "The longest common subsequence of two strings", "7.0.0", "O(N*M) in the two lengths", "string"),
    row("mget",         -2, R | FAST,       "string", &[range(1, -1, 1, "RO access")], Data(strings::mget))
        .doc("key [key ...]", "The values of several strings", "1.0.0", "O(N) in keys", "string").tips("request_policy:multi_shard"),
    row("mset",         -3, W | OOM,        "string", &[range(1, -1, 2, "OW update")], Data(string_set::mset))
        .doc("key value [key value ...]", "Sets several strings at once", "1.0.1", "O(N) in keys", "string").tips("request_policy:multi_shard response_policy:all_succeeded"),
    row("msetnx",       -3, W | OOM,        "string", &[range(1, -1, 2, "OW insert")], Data(string_set::msetnx))
        .doc("key value [key value ...]", "Sets several strings, if none of the keys exists", "1.0.1", "O(N) in keys", "string").tips("request_policy:multi_shard response_policy:agg_min"),
    row("psetex",        4, W | OOM,        "string", &[at(1, "OW update")], Data(string_set::psetex))
        .doc("key milliseconds value", "Sets a string that expires, in milliseconds", "2.6.0", "O(1)", "string"),
    row("set",          -3, W | OOM,        "string", &[at(1, "RW access update variable_flags")], Data(string_set::set))
        .doc("key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]", "Sets a string", "1.0.0", "O(1)", "string"),
    row("setex",         4, W | OOM,        "string", &[at(1, "OW update")], Data(string_set::setex))
        .doc("key seconds value", "Sets a string that expires, in seconds", "2.0.0", "O(1)", "string"),
    row("setnx",         3, W | OOM | FAST, "string", &[at(1, "OW insert")], Data(string_set::setnx))
        .doc("key value", "Sets a string, if the key does not exist", "1.0.0", "O(1)", "string"),
    row("setrange",      4, W | OOM,        "string", &[at(1, "RW update")], Data(strings::setrange))
        .doc("key offset value", "Overwrites a part of a string, padding it with zero bytes", "2.2.0", "O(N) in the length written", "string"),
    row("strlen",        2, R | FAST,       "string", &[at(1, "RO")], Data(strings::strlen))
        .doc("key", "The length of a string", "2.2.0", "O(1)", "string"),
    row("substr",        4, R,              "string", &[at(1, "RO access")], Data(strings::getrange))
        .doc("key start end", "The old name of GETRANGE", "1.0.0", "O(N) in the length returned", "string"),

    // generic
    row("copy",         -3, W | OOM,  "keyspace", &[at(1, "RO access"), at(2, "OW update")], Data(keys::copy))
        .doc("source destination [DB destination-db] [REPLACE]", "Copies a key", "6.2.0", "O(N) in the size of the value", "generic"),
    row("del",          -2, W,        "keyspace", &[range(1, -1, 1, "RM delete")], Data(keys::del))
        .doc("key [key ...]", "Deletes keys", "1.0.0", "O(N) in keys and what they hold", "generic").tips("request_policy:multi_shard response_policy:agg_sum"),
    row("exists",       -2, R | FAST, "keyspace", &[range(1, -1, 1, "RO")], Data(keys::exists))
        .doc("key [key ...]", "How many of these keys exist", "1.0.0", "O(N) in keys", "generic").tips("request_policy:multi_shard response_policy:agg_sum"),
    row("expire",       -3, W | FAST, "keyspace", &[at(1, "RW update")], Data(ttl::expire))
        .doc("key seconds [NX | XX | GT | LT]", "Lets a key expire after some seconds", "1.0.0", "O(1)", "generic"),
    row("expireat",     -3, W | FAST, "keyspace", &[at(1, "RW update")], Data(ttl::expireat))
        .doc("key unix-time-seconds [NX | XX | GT | LT]", "Lets a key expire at a second", "1.2.0", "O(1)", "generic"),
    row("expiretime",    2, R | FAST, "keyspace", &[at(1, "RO access")], Data(ttl::expiretime))
        .doc("key", "The second at which a key expires", "7.0.0", "O(1)", "generic"),
    row("keys",          2, R,        "keyspace dangerous", &[], Data(scan::keys))
        .doc("pattern", "All keys that match a pattern", "1.0.0", "O(N) in keys of the database", "generic").tips("request_policy:all_shards nondeterministic_output_order"),
    row("move",          3, W | FAST, "keyspace", &[at(1, "RW access update")], Data(keys::move_key))
        .doc("key db", "Moves a key to another database", "1.0.0", "O(1)", "generic"),
    row("object",       -2, 0,        "", &[], Container)
        .doc("", "What is known about a key besides its value", "2.2.3", "Depends on the subcommand", "generic").subs(OBJECT),
    row("persist",       2, W | FAST, "keyspace", &[at(1, "RW update")], Data(ttl::persist))
        .doc("key", "Takes away the deadline of a key", "2.2.0", "O(1)", "generic"),
    row("pexpire",      -3, W | FAST, "keyspace", &[at(1, "RW update")], Data(ttl::pexpire))
        .doc("key milliseconds [NX | XX | GT | LT]", "Lets a key expire after some milliseconds", "2.6.0", "O(1)", "generic"),
    row("pexpireat",    -3, W | FAST, "keyspace", &[at(1, "RW update")], Data(ttl::pexpireat))
        .doc("key unix-time-milliseconds [NX | XX | GT | LT]", "Lets a key expire at a millisecond", "2.6.0", "O(1)", "generic"),
    row("pexpiretime",   2, R | FAST, "keyspace", &[at(1, "RO access")], Data(ttl::pexpiretime))
        .doc("key", "The millisecond at which a key expires", "7.0.0", "O(1)", "generic"),
    row("pttl",          2, R | FAST, "keyspace", &[at(1, "RO access")], Data(ttl::pttl))
        .doc("key", "Milliseconds a key has to live", "2.6.0", "O(1)", "generic").tips("nondeterministic_output"),
    row("randomkey",     1, R,        "keyspace", &[], Data(scan::randomkey))
        .doc("", "Any key of the database", "1.0.0", "O(1)", "generic").tips("request_policy:all_shards nondeterministic_output"),
    row("rename",        3, W,        "keyspace", &[at(1, "RW access delete"), at(2, "OW update")], Data(keys::rename))
        .doc("key newkey", "Gives a key another name", "1.0.0", "O(1)", "generic"),
    row("renamenx",      3, W | FAST, "keyspace", &[at(1, "RW access delete"), at(2, "OW insert")], Data(keys::renamenx))
        .doc("key newkey", "Gives a key another name, if that name is free", "1.0.0", "O(1)", "generic"),
    row("scan",         -2, R,        "keyspace", &[], Data(scan::scan))
        .doc("cursor [MATCH pattern] [COUNT count] [TYPE type]", "Some keys, and where to go on", "2.8.0", "O(1) a call, O(N) in all", "generic").tips("nondeterministic_output request_policy:special"),
    row("touch",        -2, R | FAST, "keyspace", &[range(1, -1, 1, "RO")], Data(keys::touch))
        .doc("key [key ...]", "Marks keys as used", "3.2.1", "O(N) in keys", "generic").tips("request_policy:multi_shard response_policy:agg_sum"),
    row("ttl",           2, R | FAST, "keyspace", &[at(1, "RO access")], Data(ttl::ttl))
        .doc("key", "Seconds a key has to live", "1.0.0", "O(1)", "generic").tips("nondeterministic_output"),
    row("type",          2, R | FAST, "keyspace", &[at(1, "RO")], Data(keys::type_of))
        .doc("key", "The type of the value", "1.0.0", "O(1)", "generic"),
    row("unlink",       -2, W | FAST, "keyspace", &[range(1, -1, 1, "RM delete")], Data(keys::unlink))
        .doc("key [key ...]", "Deletes keys, freeing big values bit by bit", "4.0.0", "O(1) a key", "generic").tips("request_policy:multi_shard response_policy:agg_sum"),
    row("wait",          3, NOSCRIPT, "connection", &[], Control(C::Wait))
        .doc("numreplicas timeout", "Waits until replicas have what this client wrote", "3.0.0", "O(1)", "generic").tips("request_policy:all_shards response_policy:agg_min"),

    // connection
    row("auth",    -2, NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | BUSY, "connection", &[], Control(C::Auth))
        .doc("[username] password", "Authenticates the connection", "1.0.0", "O(1)", "connection"),
    row("client",  -2, 0,                                                  "", &[], Container)
        .doc("", "Connections, seen and ruled", "2.4.0", "Depends on the subcommand", "connection").subs(CLIENT),
    row("echo",     2, LOADING | STALE | FAST,                             "connection", &[], Data(catalog::echo))
        .doc("message", "Gives back its argument", "1.0.0", "O(1)", "connection"),
    row("hello",   -1, NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | BUSY, "connection", &[], Control(C::Hello))
        .doc("[protover [AUTH username password] [SETNAME clientname]]", "Chooses the protocol and introduces both sides", "6.0.0", "O(1)", "connection"),
    row("ping",    -1, FAST,                                               "connection", &[], Control(C::Ping))
        .doc("[message]", "Answers PONG, or its argument", "1.0.0", "O(1)", "connection").tips("request_policy:all_shards response_policy:all_succeeded"),
    row("quit",    -1, NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | BUSY, "connection", &[], Control(C::Quit))
        .doc("", "Closes the connection", "1.0.0", "O(1)", "connection"),
    row("reset",    1, NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | BUSY, "connection", &[], Control(C::Reset))
        .doc("", "Puts the connection back to how it began", "6.2.0", "O(1)", "connection"),
    row("select",   2, LOADING | STALE | FAST,                             "connection", &[], Control(C::Select))
        .doc("index", "Chooses the database", "1.0.0", "O(1)", "connection"),

    // transactions
    row("discard",   1, NOSCRIPT | LOADING | STALE | FAST | BUSY, "transaction", &[], Control(C::Discard))
        .doc("", "Forgets the commands queued since MULTI", "2.0.0", "O(N) in queued commands", "transactions"),
    row("exec",      1, NOSCRIPT | LOADING | STALE | SKIP_SLOW,   "transaction", &[], Control(C::Exec))
        .doc("", "Runs the commands queued since MULTI", "1.2.0", "Depends on the commands", "transactions"),
    row("multi",     1, NOSCRIPT | LOADING | STALE | FAST | BUSY, "transaction", &[], Control(C::Multi))
        .doc("", "Starts to queue commands", "1.2.0", "O(1)", "transactions"),
    row("unwatch",   1, NOSCRIPT | LOADING | STALE | FAST | BUSY, "transaction", &[], Control(C::Unwatch))
        .doc("", "Forgets all watched keys", "2.2.0", "O(1)", "transactions"),
    row("watch",    -2, NOSCRIPT | LOADING | STALE | FAST | BUSY, "transaction", &[range(1, -1, 1, "RO")], Control(C::Watch))
        .doc("key [key ...]", "Lets EXEC refuse if one of these keys changes", "2.2.0", "O(1) a key", "transactions"),

    // pubsub
    row("psubscribe",    -2, CHANNEL | NOSCRIPT | LOADING | STALE,        "", &[], Control(C::PSubscribe))
        .doc("pattern [pattern ...]", "Listens to channels whose names match", "2.0.0", "O(N) in patterns", "pubsub"),
    row("publish",        3, CHANNEL | LOADING | STALE | FAST | MAY_REPL, "", &[], Control(C::Publish))
        .doc("channel message", "Sends a message to a channel", "2.0.0", "O(N+M) in subscribers and patterns", "pubsub"),
    row("pubsub",        -2, 0,                                           "", &[], Container)
        .doc("", "Channels and who listens", "2.8.0", "Depends on the subcommand", "pubsub").subs(PUBSUB),
    row("punsubscribe",  -1, CHANNEL | NOSCRIPT | LOADING | STALE,        "", &[], Control(C::PUnsubscribe))
        .doc("[pattern [pattern ...]]", "Stops listening to patterns", "2.0.0", "O(N+M) in patterns", "pubsub"),
    row("subscribe",     -2, CHANNEL | NOSCRIPT | LOADING | STALE,        "", &[], Control(C::Subscribe))
        .doc("channel [channel ...]", "Listens to channels", "2.0.0", "O(N) in channels", "pubsub"),
    row("unsubscribe",   -1, CHANNEL | NOSCRIPT | LOADING | STALE,        "", &[], Control(C::Unsubscribe))
        .doc("[channel [channel ...]]", "Stops listening to channels", "2.0.0", "O(N) in subscribers", "pubsub"),

    // server
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
const OBJECT: &[Command] = &[
    row("object|encoding",   3, R,               "keyspace", &[at(2, "RO")], Data(keys::object_encoding))
        .doc("key", "How the value is stored", "2.2.3", "O(1)", "generic").tips("nondeterministic_output"),
    row("object|freq",       3, R,               "keyspace", &[at(2, "RO")], Data(keys::object_freq))
        .doc("key", "How often the key is used, under an LFU policy", "4.0.0", "O(1)", "generic").tips("nondeterministic_output"),
    row("object|help",       2, LOADING | STALE, "keyspace", &[], Data(catalog::help))
        .doc("", "Lists the subcommands", "6.2.0", "O(1)", "generic"),
    row("object|idletime",   3, R,               "keyspace", &[at(2, "RO")], Data(keys::object_idletime))
        .doc("key", "Seconds since the key was last used", "2.2.3", "O(1)", "generic").tips("nondeterministic_output"),
    row("object|refcount",   3, R,               "keyspace", &[at(2, "RO")], Data(keys::object_refcount))
        .doc("key", "How many references the value has", "2.2.3", "O(1)", "generic").tips("nondeterministic_output"),
];

#[rustfmt::skip]
const CLIENT: &[Command] = &[
    row("client|getname",    2, NOSCRIPT | LOADING | STALE,         "connection", &[], Control(C::ClientGetName))
        .doc("", "The name of this connection", "2.6.9", "O(1)", "connection"),
    row("client|help",       2, LOADING | STALE,                    "connection", &[], Data(catalog::help))
        .doc("", "Lists the subcommands", "5.0.0", "O(1)", "connection"),
    row("client|id",         2, NOSCRIPT | LOADING | STALE,         "connection", &[], Control(C::ClientId))
        .doc("", "The number of this connection", "5.0.0", "O(1)", "connection"),
    row("client|info",       2, NOSCRIPT | LOADING | STALE,         "connection", &[], Control(C::ClientInfo))
        .doc("", "What is known about this connection", "6.2.0", "O(1)", "connection").tips("nondeterministic_output"),
    row("client|kill",      -3, ADMIN | NOSCRIPT | LOADING | STALE, "connection", &[], Control(C::ClientKill))
        .doc("<ip:port | <[ID client-id] | [TYPE type] | [USER username] | [ADDR ip:port] | [LADDR ip:port] | [SKIPME yes/no]> ...>", "Closes connections", "2.4.0", "O(N) in connections", "connection"),
    row("client|list",      -2, ADMIN | NOSCRIPT | LOADING | STALE, "connection", &[], Control(C::ClientList))
        .doc("[TYPE type] [ID client-id [client-id ...]]", "What is known about every connection", "2.4.0", "O(N) in connections", "connection").tips("nondeterministic_output"),
    row("client|no-evict",   3, ADMIN | NOSCRIPT | LOADING | STALE, "connection", &[], Control(C::ClientNoEvict))
        .doc("<ON | OFF>", "Spares this connection when memory for clients runs out", "7.0.0", "O(1)", "connection"),
    row("client|no-touch",   3, NOSCRIPT | LOADING | STALE,         "connection", &[], Control(C::ClientNoTouch))
        .doc("<ON | OFF>", "Lets this connection read without marking keys as used", "7.2.0", "O(1)", "connection"),
    row("client|pause",     -3, ADMIN | NOSCRIPT | LOADING | STALE, "connection", &[], Control(C::ClientPause))
        .doc("timeout [WRITE | ALL]", "Holds back commands of clients for a while", "2.9.50", "O(1)", "connection"),
    row("client|reply",      3, NOSCRIPT | LOADING | STALE,         "connection", &[], Control(C::ClientReply))
        .doc("<ON | OFF | SKIP>", "Whether this connection gets replies", "3.2.0", "O(1)", "connection"),
    row("client|setinfo",    4, NOSCRIPT | LOADING | STALE,         "connection", &[], Control(C::ClientSetInfo))
        .doc("<LIB-NAME libname | LIB-VER libver>", "Notes which library the client uses", "7.2.0", "O(1)", "connection"),
    row("client|setname",    3, NOSCRIPT | LOADING | STALE,         "connection", &[], Control(C::ClientSetName))
        .doc("connection-name", "Names this connection", "2.6.9", "O(1)", "connection"),
    row("client|unblock",   -3, ADMIN | NOSCRIPT | LOADING | STALE, "connection", &[], Control(C::ClientUnblock))
        .doc("client-id [TIMEOUT | ERROR]", "Ends the waiting of a blocked client", "5.0.0", "O(log N) in connections", "connection"),
    row("client|unpause",    2, ADMIN | NOSCRIPT | LOADING | STALE, "connection", &[], Control(C::ClientUnpause))
        .doc("", "Ends a pause", "6.2.0", "O(N) in paused clients", "connection"),
];

#[rustfmt::skip]
const PUBSUB: &[Command] = &[
    row("pubsub|channels",  -2, CHANNEL | LOADING | STALE, "", &[], Control(C::PubsubChannels))
        .doc("[pattern]", "Channels that somebody listens to", "2.8.0", "O(N) in channels", "pubsub"),
    row("pubsub|help",       2, LOADING | STALE,           "", &[], Data(catalog::help))
        .doc("", "Lists the subcommands", "6.2.0", "O(1)", "pubsub"),
    row("pubsub|numpat",     2, CHANNEL | LOADING | STALE, "", &[], Control(C::PubsubNumPat))
        .doc("", "How many patterns are listened to", "2.8.0", "O(1)", "pubsub"),
    row("pubsub|numsub",    -2, CHANNEL | LOADING | STALE, "", &[], Control(C::PubsubNumSub))
        .doc("[channel [channel ...]]", "How many listen to each channel", "2.8.0", "O(N) in channels asked", "pubsub"),
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
    row("debug|help",                2, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Data(catalog::help))
        .doc("", "Lists the subcommands", "4.0.0", "O(1)", "server"),
    row("debug|jmap",                2, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Control(C::DebugJmap))
        .doc("", "Accepted, does nothing", "1.0.0", "O(1)", "server"),
    row("debug|link",               -3, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Control(C::DebugLink))
        .doc("<LIST | RESET | port rule>", "Breaks the replication link from the node on a port: cut, stall, delay MS, rate BYTES, none", "7.0.0", "O(N) in connections", "server"),
    row("debug|object",              3, ADMIN | NOSCRIPT | LOADING | STALE, "", &[at(2, "RO")], Control(C::DebugObject))
        .doc("key", "How one value is stored", "1.0.0", "O(1)", "server"),
    row("debug|populate",           -3, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Control(C::DebugPopulate))
        .doc("count [prefix] [size]", "Makes many keys", "2.8.0", "O(N) in keys made", "server"),
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
    row("latency|history",   3, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Control(C::Latency))
        .doc("event", "The record of one event", "2.8.13", "O(1)", "server").tips("nondeterministic_output request_policy:all_nodes response_policy:special"),
    row("latency|latest",    2, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Control(C::Latency))
        .doc("", "The latest sample of every event", "2.8.13", "O(1)", "server").tips("nondeterministic_output request_policy:all_nodes response_policy:special"),
    row("latency|reset",    -2, ADMIN | NOSCRIPT | LOADING | STALE, "", &[], Control(C::Latency))
        .doc("[event [event ...]]", "Forgets samples", "2.8.13", "O(1)", "server").tips("request_policy:all_nodes response_policy:all_succeeded"),
];

#[rustfmt::skip]
const MEMORY: &[Command] = &[
    row("memory|help",    2, LOADING | STALE, "", &[], Data(catalog::help))
        .doc("", "Lists the subcommands", "4.0.0", "O(1)", "server"),
    row("memory|usage",  -3, R,               "", &[at(2, "RO")], Control(C::MemoryUsage))
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
