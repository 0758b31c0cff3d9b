//! Strings.

use super::{FAST, OOM, R, W};
use crate::command::spec::Handler::Data;
use crate::command::spec::{Command, at, range, row};
use crate::command::{counters, lcs, string_set, strings};

#[rustfmt::skip]
pub(super) const ROWS: &[Command] = &[
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
];
