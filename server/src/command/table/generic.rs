//! Keys whatever they hold.

use super::{FAST, LOADING, NOSCRIPT, OOM, R, STALE, W};
use crate::command::spec::Handler::{Container, Control, Data};
use crate::command::spec::{Command, Control as C, at, behind, range, row, unknown};
use crate::command::{blocking, catalog, dump, keys, scan, sort, ttl};

#[rustfmt::skip]
pub(super) const ROWS: &[Command] = &[
    row("copy",         -3, W | OOM,  "keyspace", &[at(1, "RO access"), at(2, "OW update")], Data(keys::copy))
        .doc("source destination [DB destination-db] [REPLACE]", "Copies a key", "6.2.0", "O(N) in the size of the value", "generic"),
    row("del",          -2, W,        "keyspace", &[range(1, -1, 1, "RM delete")], Data(keys::del))
        .doc("key [key ...]", "Deletes keys", "1.0.0", "O(N) in keys and what they hold", "generic").tips("request_policy:multi_shard response_policy:agg_sum"),
    row("dump",          2, R,        "keyspace", &[at(1, "RO access")], Data(dump::dump))
        .doc("key", "A value as bytes that RESTORE takes", "2.6.0", "O(N) in the size of the value", "generic").tips("nondeterministic_output"),
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
    row("migrate",      -6, W,        "keyspace dangerous", &[at(3, "RW access delete"), behind("KEYS", -2, -1, 0, "RW access delete incomplete")], Control(C::Migrate))
        .doc("host port <key | \"\"> destination-db timeout [COPY] [REPLACE] [AUTH password | AUTH2 username password] [KEYS key [key ...]]", "Brings keys to another server", "2.6.0", "O(N) in the size of the values", "generic").tips("nondeterministic_output"),
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
    row("restore",      -4, W | OOM,  "keyspace dangerous", &[at(1, "OW update")], Data(dump::restore))
        .doc("key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]", "Makes a key of the bytes that DUMP gave", "2.6.0", "O(N) in the size of the value", "generic"),
    row("scan",         -2, R,        "keyspace", &[], Data(scan::scan))
        .doc("cursor [MATCH pattern] [COUNT count] [TYPE type]", "Some keys, and where to go on", "2.8.0", "O(1) a call, O(N) in all", "generic").tips("nondeterministic_output request_policy:special"),
    row("sort",         -2, W | OOM,  "set sortedset list dangerous", &[at(1, "RO access"), unknown("", "RO access"), unknown("STORE", "OW update")], Data(sort::sort))
        .doc("key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA] [STORE destination]", "Elements in an order, or what other keys hold for them", "1.0.0", "O(N log N) in elements", "generic"),
    row("sort_ro",      -2, R,        "set sortedset list dangerous", &[at(1, "RO access"), unknown("", "RO access")], Data(sort::sort_ro))
        .doc("key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]", "As SORT, storing nothing", "7.0.0", "O(N log N) in elements", "generic"),
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
    row("waitaof",       4, NOSCRIPT, "connection", &[], Data(blocking::waitaof))
        .doc("numlocal numreplicas timeout", "Would wait for append-only files; there is none here, and it says so", "7.2.0", "O(1)", "generic").tips("request_policy:all_shards response_policy:agg_min"),
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
