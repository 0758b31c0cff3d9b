//! Hashes.

use super::{FAST, OOM, R, W};
use crate::command::spec::Handler::Data;
use crate::command::spec::{Command, at, row};
use crate::command::{hash_numbers, hash_random, hashes, scan_elements};

#[rustfmt::skip]
pub(super) const ROWS: &[Command] = &[
    row("hdel",         -3, W | FAST,       "hash", &[at(1, "RW delete")], Data(hashes::hdel))
        .doc("key field [field ...]", "Removes fields from a hash", "2.0.0", "O(N) in fields given", "hash"),
    row("hexists",       3, R | FAST,       "hash", &[at(1, "RO")], Data(hashes::hexists))
        .doc("key field", "Whether a hash has a field", "2.0.0", "O(1)", "hash"),
    row("hget",          3, R | FAST,       "hash", &[at(1, "RO access")], Data(hashes::hget))
        .doc("key field", "The value of a field", "2.0.0", "O(1)", "hash"),
    row("hgetall",       2, R,              "hash", &[at(1, "RO access")], Data(hashes::hgetall))
        .doc("key", "All fields of a hash with their values", "2.0.0", "O(N) in fields", "hash").tips("nondeterministic_output_order"),
    row("hincrby",       4, W | OOM | FAST, "hash", &[at(1, "RW access update")], Data(hash_numbers::hincrby))
        .doc("key field increment", "Adds to an integer in a field", "2.0.0", "O(1)", "hash"),
    row("hincrbyfloat",  4, W | OOM | FAST, "hash", &[at(1, "RW access update")], Data(hash_numbers::hincrbyfloat))
        .doc("key field increment:double", "Adds to a decimal number in a field", "2.6.0", "O(1)", "hash"),
    row("hkeys",         2, R,              "hash", &[at(1, "RO access")], Data(hashes::hkeys))
        .doc("key", "All fields of a hash", "2.0.0", "O(N) in fields", "hash").tips("nondeterministic_output_order"),
    row("hlen",          2, R | FAST,       "hash", &[at(1, "RO")], Data(hashes::hlen))
        .doc("key", "How many fields a hash has", "2.0.0", "O(1)", "hash"),
    row("hmget",        -3, R | FAST,       "hash", &[at(1, "RO access")], Data(hashes::hmget))
        .doc("key field [field ...]", "The values of several fields", "2.0.0", "O(N) in fields given", "hash"),
    row("hmset",        -4, W | OOM | FAST, "hash", &[at(1, "RW update")], Data(hashes::hmset))
        .doc("key field value [field value ...]", "The old form of HSET, which does not count", "2.0.0", "O(N) in fields given", "hash"),
    row("hrandfield",   -2, R,              "hash", &[at(1, "RO access")], Data(hash_random::hrandfield))
        .doc("key [count [WITHVALUES]]", "Fields drawn at random", "6.2.0", "O(N) in fields drawn", "hash").tips("nondeterministic_output"),
    row("hscan",        -3, R,              "hash", &[at(1, "RO access")], Data(scan_elements::hscan))
        .doc("key cursor [MATCH pattern] [COUNT count]", "Some fields of a hash with their values, and where to go on", "2.8.0", "O(1) a call, O(N) in all", "hash").tips("nondeterministic_output"),
    row("hset",         -4, W | OOM | FAST, "hash", &[at(1, "RW update")], Data(hashes::hset))
        .doc("key field value [field value ...]", "Sets fields of a hash, making it if it is missing", "2.0.0", "O(N) in fields given", "hash"),
    row("hsetnx",        4, W | OOM | FAST, "hash", &[at(1, "RW insert")], Data(hashes::hsetnx))
        .doc("key field value", "Sets a field, if the hash does not have it", "2.0.0", "O(1)", "hash"),
    row("hstrlen",       3, R | FAST,       "hash", &[at(1, "RO")], Data(hashes::hstrlen))
        .doc("key field", "The length of a field's value", "3.2.0", "O(1)", "hash"),
    row("hvals",         2, R,              "hash", &[at(1, "RO access")], Data(hashes::hvals))
        .doc("key", "All values of a hash", "2.0.0", "O(N) in fields", "hash").tips("nondeterministic_output_order"),
];
