//! Streams.

use super::{BLOCKING, FAST, LOADING, OOM, R, STALE, W};
use crate::command::catalog;
use crate::command::spec::Handler::{Container, Data};
use crate::command::spec::{Command, at, behind, row};
use crate::command::streams::{self, add, autoclaim, claim, groups, info, pending, range, read, read_group};

#[rustfmt::skip]
pub(super) const ROWS: &[Command] = &[
    row("xack",       -4, W | FAST,       "stream", &[at(1, "RW update")], Data(groups::xack))
        .doc("key group id [id ...]", "Confirms that entries were processed, so that they are pending no more", "5.0.0", "O(1) an entry", "stream"),
    row("xadd",       -5, W | OOM | FAST, "stream", &[at(1, "RW update")], Data(add::xadd))
        .doc("key [NOMKSTREAM] [<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | id> field value [field value ...]", "Adds an entry to a stream, making it if it is missing, and trims it", "5.0.0", "O(1), and O(N) in entries trimmed", "stream").tips("nondeterministic_output"),
    row("xautoclaim", -6, W | FAST,       "stream", &[at(1, "RW delete")], Data(autoclaim::xautoclaim))
        .doc("key group consumer min-idle-time start [COUNT count] [JUSTID]", "Gives what is pending for too long to another consumer, some at a time", "6.2.0", "O(1) for a small count", "stream").tips("nondeterministic_output"),
    row("xclaim",     -6, W | FAST,       "stream", &[at(1, "RW update")], Data(claim::xclaim))
        .doc("key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds] [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID lastid]", "Gives pending entries to another consumer", "5.0.0", "O(log N) in pending entries, for each", "stream").tips("nondeterministic_output"),
    row("xdel",       -3, W | FAST,       "stream", &[at(1, "RW delete")], Data(streams::xdel))
        .doc("key id [id ...]", "Deletes entries of a stream", "5.0.0", "O(1) an entry", "stream"),
    row("xgroup",     -2, 0,              "", &[], Container)
        .doc("", "Consumer groups of a stream", "5.0.0", "Depends on the subcommand", "stream").subs(XGROUP),
    row("xinfo",      -2, 0,              "", &[], Container)
        .doc("", "What is known about a stream, its groups and their consumers", "5.0.0", "Depends on the subcommand", "stream").subs(XINFO),
    row("xlen",        2, R | FAST,       "stream", &[at(1, "RO")], Data(streams::xlen))
        .doc("key", "How many entries a stream has", "5.0.0", "O(1)", "stream"),
    row("xpending",   -3, R,              "stream", &[at(1, "RO access")], Data(pending::xpending))
        .doc("key group [[IDLE min-idle-time] start end count [consumer]]", "What was delivered and not confirmed", "5.0.0", "O(N) in entries listed, or in consumers", "stream").tips("nondeterministic_output"),
    row("xrange",     -4, R,              "stream", &[at(1, "RO access")], Data(range::xrange))
        .doc("key start end [COUNT count]", "Entries of a stream from one id to another", "5.0.0", "O(N) in entries given", "stream"),
    row("xread",      -4, R | BLOCKING,   "stream", &[behind("STREAMS", 1, -1, 2, "RO access")], Data(read::xread))
        .doc("[COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]", "Entries behind an id of several streams, waiting for them if asked to", "5.0.0", "O(N) in entries given", "stream"),
    row("xreadgroup", -7, W | BLOCKING,   "stream", &[behind("STREAMS", 4, -1, 2, "RO access")], Data(read_group::xreadgroup))
        .doc("GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key ...] id [id ...]", "New entries of several streams for a consumer of a group, or its pending ones", "5.0.0", "O(N) in entries given", "stream"),
    row("xrevrange",  -4, R,              "stream", &[at(1, "RO access")], Data(range::xrevrange))
        .doc("key end start [COUNT count]", "Entries of a stream from one id back to another", "5.0.0", "O(N) in entries given", "stream"),
    row("xsetid",     -3, W | OOM | FAST, "stream", &[at(1, "RW update")], Data(streams::xsetid))
        .doc("key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]", "Sets the last id of a stream, for replication", "5.0.0", "O(1)", "stream"),
    row("xtrim",      -4, W,              "stream", &[at(1, "RW delete")], Data(add::xtrim))
        .doc("key <MAXLEN | MINID> [= | ~] threshold [LIMIT count]", "Deletes the first entries of a stream", "5.0.0", "O(N) in entries trimmed", "stream").tips("nondeterministic_output"),
];

#[rustfmt::skip]
const XGROUP: &[Command] = &[
    row("xgroup|create",         -5, W | OOM,         "stream", &[at(2, "RW insert")], Data(groups::create))
        .doc("key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]", "Makes a consumer group", "5.0.0", "O(1)", "stream"),
    row("xgroup|createconsumer",  5, W | OOM,         "stream", &[at(2, "RW insert")], Data(groups::create_consumer))
        .doc("key group consumer", "Makes a consumer in a group", "6.2.0", "O(1)", "stream"),
    row("xgroup|delconsumer",     5, W,               "stream", &[at(2, "RW delete")], Data(groups::del_consumer))
        .doc("key group consumer", "Deletes a consumer and what is pending for it", "5.0.0", "O(N) in its pending entries", "stream"),
    row("xgroup|destroy",         4, W,               "stream", &[at(2, "RW delete")], Data(groups::destroy))
        .doc("key group", "Deletes a consumer group", "5.0.0", "O(N) in its pending entries", "stream"),
    row("xgroup|help",            2, LOADING | STALE, "stream", &[], Data(catalog::help))
        .doc("", "Lists the subcommands", "5.0.0", "O(1)", "stream"),
    row("xgroup|setid",          -5, W,               "stream", &[at(2, "RW update")], Data(groups::set_id))
        .doc("key group <id | $> [ENTRIESREAD entries-read]", "Sets from where a group reads on", "5.0.0", "O(1)", "stream"),
];

#[rustfmt::skip]
const XINFO: &[Command] = &[
    row("xinfo|consumers",  4, R,               "stream", &[at(2, "RO access")], Data(info::consumers))
        .doc("key group", "The consumers of a group", "5.0.0", "O(N) in consumers", "stream").tips("nondeterministic_output"),
    row("xinfo|groups",     3, R,               "stream", &[at(2, "RO access")], Data(info::groups))
        .doc("key", "The consumer groups of a stream", "5.0.0", "O(N) in groups", "stream"),
    row("xinfo|help",       2, LOADING | STALE, "stream", &[], Data(catalog::help))
        .doc("", "Lists the subcommands", "5.0.0", "O(1)", "stream"),
    row("xinfo|stream",    -3, R,               "stream", &[at(2, "RO access")], Data(info::stream))
        .doc("key [FULL [COUNT count]]", "What is known about a stream", "5.0.0", "O(1), O(N) in entries shown with FULL", "stream"),
];
