//! `rctl cli`: a person or a script talks to one node, and sees what `redis-cli` would show.
//!
//! Same replies, prompts and exit status, byte for byte. What is ours is said on stderr and only to a terminal:
//! who the master is after a READONLY, a typographic quote, a `*` that the shell has expanded. Help, hints and
//! completion are ours too, and come from the server's own command table.
//!
//! Reading order: [`format`] (a reply as text), [`options`] (what was typed), [`link`] (the connection),
//! [`session`] (one command, and what it changes: the database, MULTI, the protocol), [`streaming`] (commands whose
//! answer never ends), [`reference`] (help, hints, completion), [`lines`] (where lines come from), [`advice`] (what
//! `redis-cli` does not say), [`gauge`] (`--stat`).
//!
//! Invariants: one connection, one request at a time; nothing here reads the state of a set; a lost connection is
//! opened again by the next command and never in the background.

pub mod advice;
pub mod format;
pub mod gauge;
pub mod lines;
pub mod link;
pub mod options;
pub mod reference;
pub mod repl;
pub mod session;
pub mod streaming;
