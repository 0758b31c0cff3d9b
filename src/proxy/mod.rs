//! A proxy before a server that has no link faults of its own: it owns the public port, the server a unix socket.
//!
//! It never changes a byte. It tells whose connection it has by the first commands, and holds, cuts or slows the
//! replication links, each by the port that its replica announces; clients pass. It takes the same `DEBUG LINK` as a
//! built-in node does. Proxy and server are one process group: they are killed, frozen and ended as one, and what is
//! under way dies with them.
//!
//! Reading order: `classify` (whose connection is it: pure), `admin` (`DEBUG LINK`), `connection` (moving bytes), [`run`]
//! (the server beside it).
//!
//! What shows: INFO `tcp_port` and `CONFIG GET port` are 0, CLIENT LIST has one address for all.

mod admin;
mod classify;
mod connection;
mod run;

pub use run::run;
