//! Keys: numbered databases over the main table, deadlines, snapshots, watched keys.
//!
//! A plain value: no RESP, no wording of errors, no clock (`now_ms` comes in). Whether an expired key is deleted, hidden or alive is
//! the caller's decision ([`crate::command::context`]); this room answers what is there.
//!
//! Invariants, kept by every method that changes something:
//! - Before a bucket changes, each live snapshot has captured it (`snapshot`).
//! - A client that watches a key hears of each change to it (`watch`); a key that is waited for is ready after one (`wait`).
//! - What is costly to free goes to the graveyard (`graveyard`), and `memory` still counts it.
//!
//! Databases are counted from 0; a number out of range names an empty database that takes nothing.
//!
//! Files in reading order: `value`, `store` (the keys), `expiry`, `snapshot`, `watch`, `wait`, `news`, `graveyard`, `digest`.

pub mod value;

mod digest;
mod expiry;
mod graveyard;
mod news;
mod snapshot;
mod store;
mod wait;
mod watch;

#[cfg(test)]
mod tests;

pub use crate::data::table::{Deadlines, EntryRef};
pub use news::Changed;
pub use snapshot::{Capture, SnapshotId};
pub use store::{Edited, Keyspace};
pub use value::{NewValue, Ttl, ValueRef};
