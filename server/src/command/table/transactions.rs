//! Transactions.

use super::{BUSY, FAST, LOADING, NOSCRIPT, SKIP_SLOW, STALE};
use crate::command::spec::Handler::Control;
use crate::command::spec::{Command, Control as C, range, row};

#[rustfmt::skip]
pub(super) const ROWS: &[Command] = &[
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
];
