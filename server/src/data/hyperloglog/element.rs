//! From an element to its register.

use super::{INDEX_BITS, REGISTER_MAX, REGISTERS, RUN_BITS};

/// The register of an element, and the run it was seen with: zeros at the low end of the rest of its hash, and one.
pub(super) fn place(element: &[u8]) -> (usize, u8) {
    let hash = murmur(element);
    let index = usize::try_from(hash & (REGISTERS as u64 - 1)).unwrap_or(0);
    let rest = hash >> INDEX_BITS | 1 << RUN_BITS;
    (index, u8::try_from(rest.trailing_zeros() + 1).unwrap_or(REGISTER_MAX))
}

/// MurmurHash64A with the seed that Redis uses for it.
///
/// Reference: Austin Appleby's MurmurHash2, the variant for 64-bit machines, read as little endian everywhere.
fn murmur(bytes: &[u8]) -> u64 {
    const SEED: u64 = 0xadc8_3b19;
    const MIX: u64 = 0xc6a4_a793_5bd1_e995;
    const SHIFT: u32 = 47;
    let mut hash = SEED ^ (bytes.len() as u64).wrapping_mul(MIX);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let mut word = u64::from_le_bytes(*word).wrapping_mul(MIX);
        word ^= word >> SHIFT;
        hash = (hash ^ word.wrapping_mul(MIX)).wrapping_mul(MIX);
    }
    if !rest.is_empty() {
        let tail = rest.iter().rev().fold(0u64, |tail, byte| tail << 8 | u64::from(*byte));
        hash = (hash ^ tail).wrapping_mul(MIX);
    }
    hash = (hash ^ hash >> SHIFT).wrapping_mul(MIX);
    hash ^ hash >> SHIFT
}
