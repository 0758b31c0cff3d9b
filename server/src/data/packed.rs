//! What values packed into one row of bytes have in common: how they grow, and what is wrong with one that is refused.

use std::fmt;

use super::table::{self, block_size};

/// Bytes that come from memory together.
const LINE: usize = 64;

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
pub(super) fn make_room<T>(row: &mut Vec<T>, more: usize) {
    let wanted = row.len().saturating_add(more);
    if wanted > row.capacity() {
        row.reserve_exact(in_class(row, wanted) - row.len());
    }
}

/// Gives memory back once a quarter of the row is unused.
#[inline]
pub(super) fn give_back<T>(row: &mut Vec<T>) {
    let unused = row.capacity() - row.len();
    if unused * size_of::<T>() > 32 && unused > row.capacity() / 4 {
        row.shrink_to(in_class(row, row.len().max(1)));
    }
}

/// Asks the processor for a whole row of a few hundred bytes.
#[inline]
pub(super) fn prefetch<T>(row: &[T]) {
    let start: *const u8 = row.as_ptr().cast();
    for offset in (0..size_of_val(row)).step_by(LINE) {
        table::prefetch(start.wrapping_add(offset));
    }
}

/// The bytes that a row takes from the allocator.
#[inline]
pub(super) fn memory<T>(row: &Vec<T>) -> usize {
    if row.capacity() == 0 { 0 } else { block_size(row.capacity() * size_of::<T>()) }
}

/// How many elements the allocation for `count` of them holds.
#[inline]
fn in_class<T>(_: &Vec<T>, count: usize) -> usize {
    block_size(count.saturating_mul(size_of::<T>())) / size_of::<T>().max(1)
}

/// The bytes that the allocator gives to one who asks for `size`.
#[inline]
pub(super) fn size_of_block(size: usize) -> usize {
    block_size(size)
}
