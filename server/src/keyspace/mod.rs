//! Keys: 16 databases over the main table, deadlines, snapshots, watched keys.
//!
//! A plain value: no RESP, no wording of errors, no clock (`now_ms` comes in). Whether an expired key is deleted, hidden or alive is
//! the caller's decision ([`crate::command::context`]); this room answers what is there.

pub mod value;

pub use value::{NewValue, Ttl, ValueRef};

/// Names a live snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotId(pub u32);

/// All databases.
#[derive(Debug, Default)]
pub struct Keyspace {}
