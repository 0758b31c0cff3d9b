//! The main table: one cache line to find a key, one block per entry, growth in bounded steps.
//!
//! - Extendible hashing: the top bits of a hash choose a segment through the directory, the low six bits a bucket in
//!   it, eight others are the tag. A full segment splits in two; two sparse ones merge. Each step moves one segment.
//! - Hash order, for cursors: first the bucket's number, then the top bits. Neither splitting nor merging moves a
//!   key in it, so a cursor is a position and a key that stays is met at least once.
//! - Snapshots: one bit per bucket and live snapshot says whether the bucket was written out. It is, whole, before
//!   its first change.
//! - An empty table owns no memory; one that empties gives it back.
//!
//! Files in reading order: `layout` and `block` (an entry), `entry` (the same as it is read), `bucket` (seven of
//! them), `directory` (the table), `grow` (split, merge, presize, teardown), `walk` (cursors, random keys, deadlines),
//! `cut` (snapshots).
//!
//! This is the one room of the crate with `unsafe`. Its tests compare it with a naive model and run under miri.

#![expect(
    unsafe_code,
    reason = "entries are hand-laid blocks behind raw pointers: memory and speed are the point"
)]

mod block;
mod bucket;
mod cut;
mod directory;
mod entry;
mod grow;
mod layout;
mod walk;

#[cfg(test)]
mod tests;

pub use block::{Block, INLINE_MAX};
pub(in crate::data) use bucket::prefetch;
pub use cut::{CUTS, Captured};
pub use directory::Table;
pub use entry::EntryRef;
pub use grow::Ruin;
pub(in crate::data) use layout::block_size;
pub use walk::{Deadlines, Position};
