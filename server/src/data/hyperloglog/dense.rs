//! Registers of six bits, one behind the other.

use super::{REGISTER_BITS, REGISTER_MAX};

/// All of them.
pub(super) fn all(registers: &[u8]) -> impl Iterator<Item = u8> {
    // Three bytes are four registers.
    let four = |&[a, b, c]: &[u8; 3]| [a, a >> 6 | b << 2, b >> 4 | c << 4, c >> 2];
    registers.as_chunks().0.iter().flat_map(four).map(|run| run & REGISTER_MAX)
}

/// A dense register: six bits that begin in one byte and may end in the next.
pub(super) fn get(registers: &[u8], index: usize) -> u8 {
    let (byte, shift) = (index * REGISTER_BITS / 8, index * REGISTER_BITS % 8);
    let low = registers.get(byte).copied().unwrap_or(0);
    let high = registers.get(byte + 1).copied().unwrap_or(0);
    (u16::from_le_bytes([low, high]) >> shift).to_le_bytes()[0] & REGISTER_MAX
}

/// Gives a register a value.
pub(super) fn set(registers: &mut [u8], index: usize, run: u8) {
    let (byte, shift) = (index * REGISTER_BITS / 8, index * REGISTER_BITS % 8);
    let [mask, mask_next] = (u16::from(REGISTER_MAX) << shift).to_le_bytes();
    let [bits, bits_next] = (u16::from(run & REGISTER_MAX) << shift).to_le_bytes();
    for (at, mask, bits) in [(byte, mask, bits), (byte + 1, mask_next, bits_next)] {
        if let Some(slot) = registers.get_mut(at) {
            *slot = *slot & !mask | bits;
        }
    }
}
