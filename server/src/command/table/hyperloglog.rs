//! HyperLogLogs.

use super::{ADMIN, FAST, MAY_REPL, OOM, R, W};
use crate::command::hyperloglog as pf;
use crate::command::spec::Handler::Data;
use crate::command::spec::{Command, at, range, row};

#[rustfmt::skip]
pub(super) const ROWS: &[Command] = &[
    row("pfadd",      -2, W | OOM | FAST,  "hyperloglog", &[at(1, "RW insert")], Data(pf::pfadd))
        .doc("key [element ...]", "Adds elements to a HyperLogLog", "2.8.9", "O(1) for each element", "hyperloglog"),
    row("pfcount",    -2, R | MAY_REPL,    "hyperloglog", &[range(1, -1, 1, "RW access")], Data(pf::pfcount))
        .doc("key [key ...]", "About how many different elements were added to HyperLogLogs", "2.8.9", "O(N) in keys", "hyperloglog"),
    row("pfdebug",     3, W | OOM | ADMIN, "hyperloglog", &[at(2, "RW access")], Data(pf::pfdebug))
        .doc("subcommand key", "What a HyperLogLog is made of", "2.8.9", "O(1)", "hyperloglog"),
    row("pfmerge",    -2, W | OOM,         "hyperloglog", &[at(1, "RW access insert"), range(2, -1, 1, "RO access")], Data(pf::pfmerge))
        .doc("destkey [sourcekey ...]", "Stores the union of HyperLogLogs", "2.8.9", "O(N) in keys", "hyperloglog"),
    row("pfselftest",  1, ADMIN,           "hyperloglog", &[], Data(pf::pfselftest))
        .doc("", "Tests HyperLogLogs against themselves", "2.8.9", "O(1)", "hyperloglog"),
];
