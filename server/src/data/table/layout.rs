//! The memory of an entry: size classes, allocation, lengths as varints.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// The allocation for `used` bytes: steps of 16 to 128, then four steps per doubling. Those are the allocator's own
/// classes (mimalloc's), so rounding up costs nothing and `memory` tells the truth.
pub(in crate::data) fn block_size(used: usize) -> usize {
    if used <= 128 {
        return used.next_multiple_of(16);
    }
    let step = 1usize << ((used - 1).ilog2() - 2);
    used.next_multiple_of(step)
}

fn layout(used: usize) -> Layout {
    // No alignment is asked for, because mimalloc pads sizes that are no power of two to give any. A key and an inline
    // value are bounded by the protocol, far below the limit that this checks.
    Layout::from_size_align(block_size(used), 1).unwrap_or(Layout::new::<u64>())
}

/// Memory for `used` bytes, not written yet.
pub(super) fn allocate(used: usize) -> NonNull<u8> {
    let layout = layout(used);
    // SAFETY: the size is never zero: a block has a header.
    NonNull::new(unsafe { alloc(layout) }).unwrap_or_else(|| handle_alloc_error(layout))
}

/// Gives a block back.
///
/// # Safety
/// `block` came from [`allocate`] for a size of the same class and is not used again.
pub(super) unsafe fn free(block: NonNull<u8>, used: usize) {
    // SAFETY: by this function's contract.
    unsafe { dealloc(block.as_ptr(), layout(used)) };
}

/// Bytes that a number takes as a varint.
pub(super) fn varint_len(number: usize) -> usize {
    let bits = (usize::BITS - number.leading_zeros()).max(1);
    bits.div_ceil(7) as usize
}

/// Writes seven bits a byte, lowest first, the high bit meaning that more follow; gives the bytes written.
///
/// # Safety
/// `at` may be written for [`varint_len`] bytes.
pub(super) unsafe fn write_varint(at: *mut u8, mut number: usize) -> usize {
    let mut written = 0;
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        // SAFETY: by this function's contract.
        unsafe { at.add(written).write(if number == 0 { low } else { low | 0x80 }) };
        written += 1;
        if number == 0 {
            return written;
        }
    }
}

/// Reads what [`write_varint`] wrote at `base + at`; gives the number and the offset behind it.
///
/// # Safety
/// A varint stands there.
pub(super) unsafe fn read_varint(base: *const u8, at: usize) -> (usize, usize) {
    // SAFETY: by this function's contract.
    let first = unsafe { base.add(at).read() };
    if first < 0x80 {
        return (usize::from(first), at + 1);
    }
    let (mut number, mut shift, mut next) = (usize::from(first & 0x7f), 7, at + 1);
    loop {
        // SAFETY: the byte before said that more follow.
        let byte = unsafe { base.add(next).read() };
        number |= usize::from(byte & 0x7f) << shift;
        next += 1;
        if byte < 0x80 {
            return (number, next);
        }
        shift += 7;
    }
}
