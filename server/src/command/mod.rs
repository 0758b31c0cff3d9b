//! What can be asked: one table of commands, and the handlers of those that only touch data.
//!
//! A row's handler is either a *data* function, which sees the keyspace, the time, a reply writer and the
//! effects it has ([`context::Context`]), or a *control* variant that the node matches exhaustively. So most
//! commands can be tested with no server at all, and the table still lists everything.

//!
//! Reading order: [`spec`] (what a row is), [`table`] (the rows), [`lookup`] (from a request to a row), [`context`] and
//! [`effects`] (what handlers see and say), `typed` (how they reach collections), [`waiting`] (how they wait), then the families.

pub mod args;
pub mod blocking;
pub mod bitfield;
pub mod bitmap;
pub mod catalog;
pub mod context;
pub mod counters;
pub mod deadline;
pub mod docs;
pub mod dump;
pub mod effects;
pub mod error;
pub mod hash_numbers;
pub mod hash_random;
pub mod hashes;
pub mod hyperloglog;
pub mod keys;
pub mod lcs;
pub mod list_edits;
pub mod list_moves;
pub mod list_search;
pub mod lists;
pub mod lolwut;
pub mod lookup;
pub mod scan;
pub mod scripting;
pub mod scan_elements;
pub mod set_algebra;
pub mod set_random;
pub mod sets;
pub mod sort;
pub mod spec;
pub mod streams;
pub mod string_set;
pub mod strings;
pub mod synopsis;
pub mod table;
pub mod ttl;
mod draw;
mod gathered;
pub mod geo;
mod typed;
pub mod waiting;
pub mod zset;

#[cfg(test)]
mod tests;

pub use context::Context;
pub use effects::Effects;
pub use error::Failure;
pub use lookup::{find, keys_of, lookup, lookup_sub, resolve};
pub use spec::{Command, Control, Flags, Handler};
pub use table::TABLE;
