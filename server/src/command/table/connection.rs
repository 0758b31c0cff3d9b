//! Connections.

use super::{ADMIN, BUSY, FAST, LOADING, NO_AUTH, NOSCRIPT, STALE};
use crate::command::catalog;
use crate::command::spec::Handler::{Container, Control, Data};
use crate::command::spec::{Caching, Command, Control as C, row};

#[rustfmt::skip]
pub(super) const ROWS: &[Command] = &[
    row("auth",    -2, NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | BUSY, "connection", &[], Control(C::Auth))
        .doc("[username] password", "Authenticates the connection", "1.0.0", "O(1)", "connection"),
    row("client",  -2, 0,                                                  "", &[], Container)
        .doc("", "Connections, seen and ruled", "2.4.0", "Depends on the subcommand", "connection").subs(CLIENT),
    row("echo",     2, LOADING | STALE | FAST,                             "connection", &[], Data(catalog::echo))
        .doc("message", "Gives back its argument", "1.0.0", "O(1)", "connection"),
    row("hello",   -1, NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | BUSY, "connection", &[], Control(C::Hello))
        .doc("[protover [AUTH username password] [SETNAME clientname]]", "Chooses the protocol and introduces both sides", "6.0.0", "O(1)", "connection"),
    row("ping",    -1, FAST,                                               "connection", &[], Control(C::Ping))
        .doc("[message]", "Answers PONG, or its argument", "1.0.0", "O(1)", "connection").tips("request_policy:all_shards response_policy:all_succeeded"),
    row("quit",    -1, NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | BUSY, "connection", &[], Control(C::Quit))
        .doc("", "Closes the connection", "1.0.0", "O(1)", "connection"),
    row("reset",    1, NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | BUSY, "connection", &[], Control(C::Reset))
        .doc("", "Puts the connection back to how it began", "6.2.0", "O(1)", "connection"),
    row("select",   2, LOADING | STALE | FAST,                             "connection", &[], Control(C::Select))
        .doc("index", "Chooses the database", "1.0.0", "O(1)", "connection"),
];

#[rustfmt::skip]
const CLIENT: &[Command] = &[
    row("client|caching",    3, NOSCRIPT | LOADING | STALE,         "connection", &[], Control(C::ClientCaching(Caching::Caching)))
        .doc("<YES | NO>", "Whether the keys of the next request are remembered", "6.0.0", "O(1)", "connection"),
    row("client|getname",    2, NOSCRIPT | LOADING | STALE,         "connection", &[], Control(C::ClientGetName))
        .doc("", "The name of this connection", "2.6.9", "O(1)", "connection"),
    row("client|getredir",   2, NOSCRIPT | LOADING | STALE,         "connection", &[], Control(C::ClientCaching(Caching::GetRedir)))
        .doc("", "Which connection is told of changed keys instead of this one", "6.0.0", "O(1)", "connection"),
    row("client|help",       2, LOADING | STALE,                    "connection", &[], Data(catalog::help))
        .doc("", "Lists the subcommands", "5.0.0", "O(1)", "connection"),
    row("client|id",         2, NOSCRIPT | LOADING | STALE,         "connection", &[], Control(C::ClientId))
        .doc("", "The number of this connection", "5.0.0", "O(1)", "connection"),
    row("client|info",       2, NOSCRIPT | LOADING | STALE,         "connection", &[], Control(C::ClientInfo))
        .doc("", "What is known about this connection", "6.2.0", "O(1)", "connection").tips("nondeterministic_output"),
    row("client|kill",      -3, ADMIN | NOSCRIPT | LOADING | STALE, "connection", &[], Control(C::ClientKill))
        .doc("<ip:port | <[ID client-id] | [TYPE type] | [USER username] | [ADDR ip:port] | [LADDR ip:port] | [SKIPME yes/no]> ...>", "Closes connections", "2.4.0", "O(N) in connections", "connection"),
    row("client|list",      -2, ADMIN | NOSCRIPT | LOADING | STALE, "connection", &[], Control(C::ClientList))
        .doc("[TYPE type] [ID client-id [client-id ...]]", "What is known about every connection", "2.4.0", "O(N) in connections", "connection").tips("nondeterministic_output"),
    row("client|no-evict",   3, ADMIN | NOSCRIPT | LOADING | STALE, "connection", &[], Control(C::ClientNoEvict))
        .doc("<ON | OFF>", "Spares this connection when memory for clients runs out", "7.0.0", "O(1)", "connection"),
    row("client|no-touch",   3, NOSCRIPT | LOADING | STALE,         "connection", &[], Control(C::ClientNoTouch))
        .doc("<ON | OFF>", "Lets this connection read without marking keys as used", "7.2.0", "O(1)", "connection"),
    row("client|pause",     -3, ADMIN | NOSCRIPT | LOADING | STALE, "connection", &[], Control(C::ClientPause))
        .doc("timeout [WRITE | ALL]", "Holds back commands of clients for a while", "2.9.50", "O(1)", "connection"),
    row("client|reply",      3, NOSCRIPT | LOADING | STALE,         "connection", &[], Control(C::ClientReply))
        .doc("<ON | OFF | SKIP>", "Whether this connection gets replies", "3.2.0", "O(1)", "connection"),
    row("client|setinfo",    4, NOSCRIPT | LOADING | STALE,         "connection", &[], Control(C::ClientSetInfo))
        .doc("<LIB-NAME libname | LIB-VER libver>", "Notes which library the client uses", "7.2.0", "O(1)", "connection"),
    row("client|setname",    3, NOSCRIPT | LOADING | STALE,         "connection", &[], Control(C::ClientSetName))
        .doc("connection-name", "Names this connection", "2.6.9", "O(1)", "connection"),
    row("client|tracking",  -3, NOSCRIPT | LOADING | STALE,         "connection", &[], Control(C::ClientCaching(Caching::Tracking)))
        .doc("<ON | OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]", "Whether this connection is told of changed keys", "6.0.0", "O(1)", "connection"),
    row("client|trackinginfo", 2, NOSCRIPT | LOADING | STALE,       "connection", &[], Control(C::ClientCaching(Caching::TrackingInfo)))
        .doc("", "What this connection is told of changed keys", "6.2.0", "O(1)", "connection"),
    row("client|unblock",   -3, ADMIN | NOSCRIPT | LOADING | STALE, "connection", &[], Control(C::ClientUnblock))
        .doc("client-id [TIMEOUT | ERROR]", "Ends the waiting of a blocked client", "5.0.0", "O(log N) in connections", "connection"),
    row("client|unpause",    2, ADMIN | NOSCRIPT | LOADING | STALE, "connection", &[], Control(C::ClientUnpause))
        .doc("", "Ends a pause", "6.2.0", "O(N) in paused clients", "connection"),
];
