//! Scripting, which is refused by name.

use super::{BUSY, LOADING, NO_KEYS, NOSCRIPT, OOM, R, SKIP_MONITOR, STALE, W};
use crate::command::catalog;
use crate::command::scripting::refused;
use crate::command::spec::Handler::{Container, Data};
use crate::command::spec::{Command, counted, row};

const RUN: u32 = NOSCRIPT | SKIP_MONITOR | STALE | NO_KEYS;

#[rustfmt::skip]
pub(super) const ROWS: &[Command] = &[
    row("eval",       -3, RUN,     "scripting", &[counted(2, "RW access update")], Data(refused))
        .doc("script numkeys [key [key ...]] [arg [arg ...]]", "Would run a script; refused", "2.6.0", "O(1)", "scripting"),
    row("eval_ro",    -3, RUN | R, "scripting", &[counted(2, "RO access")], Data(refused))
        .doc("script numkeys [key [key ...]] [arg [arg ...]]", "Would run a script that only reads; refused", "7.0.0", "O(1)", "scripting"),
    row("evalsha",    -3, RUN,     "scripting", &[counted(2, "RW access update")], Data(refused))
        .doc("sha1 numkeys [key [key ...]] [arg [arg ...]]", "Would run a script that was loaded; refused", "2.6.0", "O(1)", "scripting"),
    row("evalsha_ro", -3, RUN | R, "scripting", &[counted(2, "RO access")], Data(refused))
        .doc("sha1 numkeys [key [key ...]] [arg [arg ...]]", "Would run a script that was loaded and only reads; refused", "7.0.0", "O(1)", "scripting"),
    row("fcall",      -3, RUN,     "scripting", &[counted(2, "RW access update")], Data(refused))
        .doc("function numkeys [key [key ...]] [arg [arg ...]]", "Would run a function; refused", "7.0.0", "O(1)", "scripting"),
    row("fcall_ro",   -3, RUN | R, "scripting", &[counted(2, "RO access")], Data(refused))
        .doc("function numkeys [key [key ...]] [arg [arg ...]]", "Would run a function that only reads; refused", "7.0.0", "O(1)", "scripting"),
    row("function",   -2, 0,       "", &[], Container)
        .doc("", "Would manage functions; refused", "7.0.0", "Depends on the subcommand", "scripting").subs(FUNCTION),
    row("script",     -2, 0,       "", &[], Container)
        .doc("", "Would manage scripts; refused", "2.6.0", "Depends on the subcommand", "scripting").subs(SCRIPT),
];

#[rustfmt::skip]
const FUNCTION: &[Command] = &[
    row("function|delete",   3, NOSCRIPT | W,       "scripting", &[], Data(refused))
        .doc("library-name", "Refused", "7.0.0", "O(1)", "scripting").tips("request_policy:all_shards response_policy:all_succeeded"),
    row("function|dump",     2, NOSCRIPT,           "scripting", &[], Data(refused))
        .doc("", "Refused", "7.0.0", "O(1)", "scripting"),
    row("function|flush",   -2, NOSCRIPT | W,       "scripting", &[], Data(refused))
        .doc("[ASYNC | SYNC]", "Refused", "7.0.0", "O(1)", "scripting").tips("request_policy:all_shards response_policy:all_succeeded"),
    row("function|help",     2, LOADING | STALE,    "scripting", &[], Data(catalog::help))
        .doc("", "Lists the subcommands", "7.0.0", "O(1)", "scripting"),
    row("function|kill",     2, NOSCRIPT | BUSY,    "scripting", &[], Data(refused))
        .doc("", "Refused", "7.0.0", "O(1)", "scripting").tips("request_policy:all_shards response_policy:one_succeeded"),
    row("function|list",    -2, NOSCRIPT,           "scripting", &[], Data(refused))
        .doc("[LIBRARYNAME library-name-pattern] [WITHCODE]", "Refused", "7.0.0", "O(1)", "scripting").tips("nondeterministic_output_order"),
    row("function|load",    -3, NOSCRIPT | W | OOM, "scripting", &[], Data(refused))
        .doc("[REPLACE] function-code", "Refused", "7.0.0", "O(1)", "scripting").tips("request_policy:all_shards response_policy:all_succeeded"),
    row("function|restore", -3, NOSCRIPT | W | OOM, "scripting", &[], Data(refused))
        .doc("serialized-value [FLUSH | APPEND | REPLACE]", "Refused", "7.0.0", "O(1)", "scripting").tips("request_policy:all_shards response_policy:all_succeeded"),
    row("function|stats",    2, NOSCRIPT | BUSY,    "scripting", &[], Data(refused))
        .doc("", "Refused", "7.0.0", "O(1)", "scripting").tips("nondeterministic_output request_policy:all_shards response_policy:special"),
];

#[rustfmt::skip]
const SCRIPT: &[Command] = &[
    row("script|debug",   3, NOSCRIPT,         "scripting", &[], Data(refused))
        .doc("<YES | SYNC | NO>", "Refused", "3.2.0", "O(1)", "scripting"),
    row("script|exists", -3, NOSCRIPT,         "scripting", &[], Data(refused))
        .doc("sha1 [sha1 ...]", "Refused", "2.6.0", "O(1)", "scripting").tips("request_policy:all_shards response_policy:agg_logical_and"),
    row("script|flush",  -2, NOSCRIPT,         "scripting", &[], Data(refused))
        .doc("[ASYNC | SYNC]", "Refused", "2.6.0", "O(1)", "scripting").tips("request_policy:all_nodes response_policy:all_succeeded"),
    row("script|help",    2, LOADING | STALE,  "scripting", &[], Data(catalog::help))
        .doc("", "Lists the subcommands", "5.0.0", "O(1)", "scripting"),
    row("script|kill",    2, NOSCRIPT | BUSY,  "scripting", &[], Data(refused))
        .doc("", "Refused", "2.6.0", "O(1)", "scripting").tips("request_policy:all_shards response_policy:one_succeeded"),
    row("script|load",    3, NOSCRIPT | STALE, "scripting", &[], Data(refused))
        .doc("script", "Refused", "2.6.0", "O(1)", "scripting").tips("request_policy:all_nodes response_policy:all_succeeded"),
];
