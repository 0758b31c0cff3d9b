//! What values packed into one row of bytes have in common: how they grow, and what is wrong with one that is refused.

use std::fmt;

use super::table::block_size;

/// Why bytes from outside are no value: they break the rule that this states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0)
    }
}

impl std::error::Error for Malformed {}

/// Makes room for `more` bytes. The allocator's next size class is asked for, no doubling: a row that grows is moved about
/// four times while it doubles, and what it does not use is what the allocator would have wasted anyway.
#[inline]
pub(super) fn make_room(bytes: &mut Vec<u8>, more: usize) {
    let wanted = bytes.len().saturating_add(more);
    if wanted > bytes.capacity() {
        bytes.reserve_exact(block_size(wanted) - bytes.len());
    }
}

/// Gives memory back once a quarter of the row is unused.
#[inline]
pub(super) fn give_back(bytes: &mut Vec<u8>) {
    let unused = bytes.capacity() - bytes.len();
    if unused > 32 && unused > bytes.capacity() / 4 {
        bytes.shrink_to(block_size(bytes.len().max(1)));
    }
}

/// The bytes that a row takes from the allocator.
#[inline]
pub(super) fn memory(bytes: &Vec<u8>) -> usize {
    if bytes.capacity() == 0 { 0 } else { block_size(bytes.capacity()) }
}
