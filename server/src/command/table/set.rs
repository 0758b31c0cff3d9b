//! Sets.

use super::{FAST, OOM, R, W};
use crate::command::spec::Handler::Data;
use crate::command::spec::{Command, at, counted, range, row};
use crate::command::{scan_elements, set_algebra, set_random, sets};

#[rustfmt::skip]
pub(super) const ROWS: &[Command] = &[
    row("sadd",        -3, W | OOM | FAST, "set", &[at(1, "RW insert")], Data(sets::sadd))
        .doc("key member [member ...]", "Adds members to a set, making it if it is missing", "1.0.0", "O(N) in members given", "set"),
    row("scard",        2, R | FAST,       "set", &[at(1, "RO")], Data(sets::scard))
        .doc("key", "How many members a set has", "1.0.0", "O(1)", "set"),
    row("sdiff",       -2, R,              "set", &[range(1, -1, 1, "RO access")], Data(set_algebra::sdiff))
        .doc("key [key ...]", "The members of the first set that are in none of the others", "1.0.0", "O(N) in members of all sets", "set").tips("nondeterministic_output_order"),
    row("sdiffstore",  -3, W | OOM,        "set", &[at(1, "OW update"), range(2, -1, 1, "RO access")], Data(set_algebra::sdiffstore))
        .doc("destination key [key ...]", "Stores the members of the first set that are in none of the others", "1.0.0", "O(N) in members of all sets", "set"),
    row("sinter",      -2, R,              "set", &[range(1, -1, 1, "RO access")], Data(set_algebra::sinter))
        .doc("key [key ...]", "The members that sets have in common", "1.0.0", "O(N*M) in members of the smallest set and sets", "set").tips("nondeterministic_output_order"),
    row("sintercard",  -3, R,              "set", &[counted(1, "RO access")], Data(set_algebra::sintercard))
        .doc("numkeys key [key ...] [LIMIT limit]", "How many members sets have in common", "7.0.0", "O(N*M) in members of the smallest set and sets", "set"),
    row("sinterstore", -3, W | OOM,        "set", &[at(1, "RW update"), range(2, -1, 1, "RO access")], Data(set_algebra::sinterstore))
        .doc("destination key [key ...]", "Stores the members that sets have in common", "1.0.0", "O(N*M) in members of the smallest set and sets", "set"),
    row("sismember",    3, R | FAST,       "set", &[at(1, "RO")], Data(sets::sismember))
        .doc("key member", "Whether a set has a member", "1.0.0", "O(1)", "set"),
    row("smembers",     2, R,              "set", &[at(1, "RO access")], Data(sets::smembers))
        .doc("key", "All members of a set", "1.0.0", "O(N) in members", "set").tips("nondeterministic_output_order"),
    row("smismember",  -3, R | FAST,       "set", &[at(1, "RO access")], Data(sets::smismember))
        .doc("key member [member ...]", "Which of these a set has as members", "6.2.0", "O(N) in members given", "set"),
    row("smove",        4, W | FAST,       "set", &[at(1, "RW access delete"), at(2, "RW insert")], Data(sets::smove))
        .doc("source destination member", "Moves a member from one set to another", "1.0.0", "O(1)", "set"),
    row("spop",        -2, W | FAST,       "set", &[at(1, "RW access delete")], Data(set_random::spop))
        .doc("key [count]", "Takes members drawn at random out of a set", "1.0.0", "O(N) in members taken", "set").tips("nondeterministic_output"),
    row("srandmember", -2, R,              "set", &[at(1, "RO access")], Data(set_random::srandmember))
        .doc("key [count]", "Members drawn at random", "1.0.0", "O(N) in members drawn", "set").tips("nondeterministic_output"),
    row("srem",        -3, W | FAST,       "set", &[at(1, "RW delete")], Data(sets::srem))
        .doc("key member [member ...]", "Removes members from a set", "1.0.0", "O(N) in members given", "set"),
    row("sscan",       -3, R,              "set", &[at(1, "RO access")], Data(scan_elements::sscan))
        .doc("key cursor [MATCH pattern] [COUNT count]", "Some members of a set, and where to go on", "2.8.0", "O(1) a call, O(N) in all", "set").tips("nondeterministic_output"),
    row("sunion",      -2, R,              "set", &[range(1, -1, 1, "RO access")], Data(set_algebra::sunion))
        .doc("key [key ...]", "The members of all sets together", "1.0.0", "O(N) in members of all sets", "set").tips("nondeterministic_output_order"),
    row("sunionstore", -3, W | OOM,        "set", &[at(1, "OW update"), range(2, -1, 1, "RO access")], Data(set_algebra::sunionstore))
        .doc("destination key [key ...]", "Stores the members of all sets together", "1.0.0", "O(N) in members of all sets", "set"),
];
