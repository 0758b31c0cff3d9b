//! The built-in replication server of `rctl`: Redis-compatible, with a pure core.
//!
//! The rooms, bottom to top; each imports only rooms above it in this list. It is also the reading order.
//! [`mutant`] is none of them: mistakes that only a test can make. Only [`shell`] touches a socket, a file, a clock or entropy.

pub mod mutant;
pub mod fault;
pub mod resp;
pub mod data;
pub mod keyspace;
pub mod persist;
pub mod command;
pub mod replication;
pub mod node;
pub mod sim;
pub mod shell;
