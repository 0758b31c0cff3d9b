//! THE table: every command, one row. Dispatch, arity errors, COMMAND in all its forms and HELP come from here.
//!
//! A file for each group, and in it two short lines per command. The first is the machine's: name, arity, flags, categories
//! that do not follow from the flags, keys, handler. The second is for people: synopsis, summary, the Redis version it
//! appeared in, complexity, group. Names are sorted within a group. A container's subcommands are a slice of their own below
//! the group, in which both words count for arity and for the positions of keys.
//!
//! Those files are flat and grow with the number of commands; rustfmt is off in them.

mod bitmap;
mod connection;
mod generic;
mod geo;
mod hash;
mod hyperloglog;
mod list;
mod pubsub;
mod scripting;
mod server;
mod set;
mod sorted_set;
mod stream;
mod string;
mod transactions;

use super::spec::{Command, Flags};

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
const BLOCKING: u32 = Flags::BLOCKING.0;
const NO_ASYNC: u32 = Flags::NO_ASYNC_LOADING.0;
const MAY_REPL: u32 = Flags::MAY_REPLICATE.0;
const BUSY: u32 = Flags::ALLOW_BUSY.0;
const NO_KEYS: u32 = Flags::NO_MANDATORY_KEYS.0;
const SKIP_MONITOR: u32 = Flags::SKIP_MONITOR.0;
const SKIP_SLOW: u32 = Flags::SKIP_SLOWLOG.0;

const GROUPS: [&[Command]; 15] = [
    string::ROWS,
    generic::ROWS,
    list::ROWS,
    set::ROWS,
    hash::ROWS,
    sorted_set::ROWS,
    stream::ROWS,
    hyperloglog::ROWS,
    bitmap::ROWS,
    geo::ROWS,
    connection::ROWS,
    transactions::ROWS,
    pubsub::ROWS,
    scripting::ROWS,
    server::ROWS,
];

const COUNT: usize = {
    let (mut count, mut group) = (0, 0);
    while group < GROUPS.len() {
        count += GROUPS[group].len();
        group += 1;
    }
    count
};

/// Every command, grouped.
pub static TABLE: &[Command] = &JOINED;

static JOINED: [Command; COUNT] = {
    let mut joined = [string::ROWS[0]; COUNT];
    let (mut at, mut group) = (0, 0);
    while group < GROUPS.len() {
        let mut row = 0;
        while row < GROUPS[group].len() {
            joined[at] = GROUPS[group][row];
            at += 1;
            row += 1;
        }
        group += 1;
    }
    joined
};
