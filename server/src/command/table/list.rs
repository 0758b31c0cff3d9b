//! Lists.

use super::{BLOCKING, FAST, NOSCRIPT, OOM, R, W};
use crate::command::spec::Handler::Data;
use crate::command::spec::{Command, at, counted, range, row};
use crate::command::{blocking, list_edits, list_moves, list_search, lists};

#[rustfmt::skip]
pub(super) const ROWS: &[Command] = &[
    row("blmove",     6, W | OOM | NOSCRIPT | BLOCKING, "list", &[at(1, "RW access delete"), at(2, "RW insert")], Data(blocking::blmove))
        .doc("source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout:double", "Moves an element from a list to another, waiting for one", "6.2.0", "O(1)", "list"),
    row("blmpop",    -5, W | BLOCKING,   "list", &[counted(2, "RW access delete")], Data(blocking::blmpop))
        .doc("timeout:double numkeys key [key ...] <LEFT | RIGHT> [COUNT count]", "Takes elements from the first list that has any, waiting for one", "7.0.0", "O(N+M) in keys and elements", "list"),
    row("blpop",     -3, W | NOSCRIPT | BLOCKING, "list", &[range(1, -2, 1, "RW access delete")], Data(blocking::blpop))
        .doc("key [key ...] timeout:double", "Takes the head of the first list that has one, waiting for it", "2.0.0", "O(N) in keys", "list"),
    row("brpop",     -3, W | NOSCRIPT | BLOCKING, "list", &[range(1, -2, 1, "RW access delete")], Data(blocking::brpop))
        .doc("key [key ...] timeout:double", "Takes the tail of the first list that has one, waiting for it", "2.0.0", "O(N) in keys", "list"),
    row("brpoplpush", 4, W | OOM | NOSCRIPT | BLOCKING, "list", &[at(1, "RW access delete"), at(2, "RW insert")], Data(blocking::brpoplpush))
        .doc("source destination timeout:double", "Takes the tail of a list, puts it before the head of another, waiting for one", "2.2.0", "O(1)", "list"),
    row("lindex",     3, R,              "list", &[at(1, "RO access")], Data(lists::lindex))
        .doc("key index", "The element at a place of a list", "1.0.0", "O(N) in elements to the place, O(1) for the first and the last", "list"),
    row("linsert",    5, W | OOM,        "list", &[at(1, "RW insert")], Data(list_edits::linsert))
        .doc("key <BEFORE | AFTER> pivot element", "Puts an element before or behind another one", "2.2.0", "O(N) in elements before the pivot", "list"),
    row("llen",       2, R | FAST,       "list", &[at(1, "RO")], Data(lists::llen))
        .doc("key", "The length of a list", "1.0.0", "O(1)", "list"),
    row("lmove",      5, W | OOM,        "list", &[at(1, "RW access delete"), at(2, "RW insert")], Data(list_moves::lmove))
        .doc("source destination <LEFT | RIGHT> <LEFT | RIGHT>", "Takes an element from an end of a list, puts it at an end of another and gives it", "6.2.0", "O(1)", "list"),
    row("lmpop",     -4, W,              "list", &[counted(1, "RW access delete")], Data(list_moves::lmpop))
        .doc("numkeys key [key ...] <LEFT | RIGHT> [COUNT count]", "Takes elements from the first list that has any", "7.0.0", "O(N+M) in keys and elements", "list"),
    row("lpop",      -2, W | FAST,       "list", &[at(1, "RW access delete")], Data(lists::lpop))
        .doc("key [count]", "Takes elements from the head of a list", "1.0.0", "O(N) in elements taken", "list"),
    row("lpos",      -3, R,              "list", &[at(1, "RO access")], Data(list_search::lpos))
        .doc("key element [RANK rank] [COUNT num-matches] [MAXLEN len]", "Where an element stands in a list", "6.0.6", "O(N) in elements looked at", "list"),
    row("lpush",     -3, W | OOM | FAST, "list", &[at(1, "RW insert")], Data(lists::lpush))
        .doc("key element [element ...]", "Puts elements before the head of a list, making it if it is missing", "1.0.0", "O(N) in elements", "list"),
    row("lpushx",    -3, W | OOM | FAST, "list", &[at(1, "RW insert")], Data(lists::lpushx))
        .doc("key element [element ...]", "Puts elements before the head of a list that exists", "2.2.0", "O(N) in elements", "list"),
    row("lrange",     4, R,              "list", &[at(1, "RO access")], Data(lists::lrange))
        .doc("key start stop", "Elements of a list from one place to another", "1.0.0", "O(S+N) in elements before the first and elements given", "list"),
    row("lrem",       4, W,              "list", &[at(1, "RW delete")], Data(list_edits::lrem))
        .doc("key count element", "Removes elements that are equal to one", "1.0.0", "O(N) in elements of the list", "list"),
    row("lset",       4, W | OOM,        "list", &[at(1, "RW update")], Data(list_edits::lset))
        .doc("key index element", "Replaces the element at a place of a list", "1.0.0", "O(N) in elements to the place, O(1) for the first and the last", "list"),
    row("ltrim",      4, W,              "list", &[at(1, "RW delete")], Data(list_edits::ltrim))
        .doc("key start stop", "Removes everything but the elements from one place to another", "1.0.0", "O(N) in elements removed", "list"),
    row("rpop",      -2, W | FAST,       "list", &[at(1, "RW access delete")], Data(lists::rpop))
        .doc("key [count]", "Takes elements from the tail of a list", "1.0.0", "O(N) in elements taken", "list"),
    row("rpoplpush",  3, W | OOM,        "list", &[at(1, "RW access delete"), at(2, "RW insert")], Data(list_moves::rpoplpush))
        .doc("source destination", "Takes an element from the tail of a list, puts it before the head of another and gives it", "1.2.0", "O(1)", "list"),
    row("rpush",     -3, W | OOM | FAST, "list", &[at(1, "RW insert")], Data(lists::rpush))
        .doc("key element [element ...]", "Puts elements behind the tail of a list, making it if it is missing", "1.0.0", "O(N) in elements", "list"),
    row("rpushx",    -3, W | OOM | FAST, "list", &[at(1, "RW insert")], Data(lists::rpushx))
        .doc("key element [element ...]", "Puts elements behind the tail of a list that exists", "2.2.0", "O(N) in elements", "list"),
];
