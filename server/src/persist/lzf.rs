//! LZF, the compression of RDB strings: bytes as they are, and copies of what stood at most 8 KiB before.
//!
//! A control byte below 32 announces that many bytes and one more, literally. Any other is a copy: its three high bits
//! are the length less two (seven means that the next byte is added), its five low bits and the following byte the
//! distance less one.
//!
//! Unpacking is total: whatever the bytes are, it ends, stays within the announced length, and allocates only as
//! output is made (a byte of input makes at most 88 of output).

/// The farthest a copy reaches back, in bytes.
const WINDOW: usize = 1 << 13;
/// The longest copy, in bytes.
const LONGEST_COPY: usize = 264;
/// The longest literal run, in bytes.
const LONGEST_RUN: usize = 32;
/// The shortest copy that saves anything, in bytes.
const SHORTEST_COPY: usize = 3;
/// Bits of the compressor's table: 16 Ki places, 64 KiB.
const TABLE_BITS: u32 = 14;

/// The bytes do not unpack to the announced length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// Appends what `packed` holds to `out`: exactly `len` bytes.
///
/// # Errors
/// A copy reaches before the beginning, the input ends within an instruction, or the output is shorter or longer than
/// `len`. What was appended so far stays.
pub fn unpack(packed: &[u8], len: usize, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let base = out.len();
    let mut rest = packed;
    while let Some((&control, after)) = rest.split_first() {
        if control < 32 {
            let (run, after) = after.split_at_checked(usize::from(control) + 1).ok_or(Malformed)?;
            fits(out.len() - base, run.len(), len)?;
            out.extend_from_slice(run);
            rest = after;
            continue;
        }
        let mut size = usize::from(control >> 5) + 2;
        let mut after = after;
        if size == 9 {
            let (&more, next) = after.split_first().ok_or(Malformed)?;
            size += usize::from(more);
            after = next;
        }
        let (&low, after) = after.split_first().ok_or(Malformed)?;
        let distance = (usize::from(control & 31) << 8 | usize::from(low)) + 1;
        let made = out.len() - base;
        if distance > made {
            return Err(Malformed);
        }
        fits(made, size, len)?;
        copy_back(out, distance, size);
        rest = after;
    }
    if out.len() - base == len { Ok(()) } else { Err(Malformed) }
}

fn fits(made: usize, more: usize, len: usize) -> Result<(), Malformed> {
    if len.checked_sub(made).is_some_and(|room| more <= room) { Ok(()) } else { Err(Malformed) }
}

/// Appends `size` bytes that begin `distance` before the end. They may overlap: a distance of one repeats a byte.
fn copy_back(out: &mut Vec<u8>, distance: usize, size: usize) {
    let start = out.len() - distance;
    let mut left = size;
    while left > 0 {
        // All that stands from `start` on repeats with the period `distance`, so ever longer pieces may be copied.
        let piece = left.min(out.len() - start);
        out.extend_from_within(start..start + piece);
        left -= piece;
    }
}

/// A compressor; its table is kept from string to string.
#[derive(Debug)]
pub struct Packer {
    /// Where three bytes of this hash were last seen, counted over all strings: a place below `base` belongs to an
    /// earlier one, so the table need not be cleared.
    table: Vec<u32>,
    base: u32,
}

impl Default for Packer {
    fn default() -> Self {
        Self { table: Vec::new(), base: 1 }
    }
}

impl Packer {
    /// Appends `input`, packed, to `out` if it takes at most `limit` bytes; otherwise appends nothing and returns false.
    pub fn pack(&mut self, input: &[u8], limit: usize, out: &mut Vec<u8>) -> bool {
        let mark = out.len();
        let Some(next_base) = self.room_for(input.len()) else { return false };
        let mut literal = 0;
        let mut at = 0;
        while let Some(three) = input.get(at..at + SHORTEST_COPY) {
            let Some(seen) = self.swap(three, at).filter(|&seen| at - seen <= WINDOW) else {
                at += 1;
                continue;
            };
            let longest = LONGEST_COPY.min(input.len() - at);
            let same = same_bytes(input, seen, at, longest);
            if same < SHORTEST_COPY {
                at += 1;
                continue;
            }
            literals(input.get(literal..at).unwrap_or_default(), out);
            copy(at - seen, same, out);
            if out.len() - mark > limit {
                break;
            }
            // The last two places of a copy start the next match most often.
            let end = at + same;
            for place in end - 2..end {
                if let Some(three) = input.get(place..place + SHORTEST_COPY) {
                    self.swap(three, place);
                }
            }
            at = end;
            literal = end;
        }
        self.base = next_base;
        if out.len() - mark <= limit {
            literals(input.get(literal..).unwrap_or_default(), out);
        }
        let packed = out.len() - mark <= limit;
        if !packed {
            out.truncate(mark);
        }
        packed
    }

    /// Makes room for the places of `len` more bytes and returns where the next string will begin.
    fn room_for(&mut self, len: usize) -> Option<u32> {
        let len = u32::try_from(len).ok()?;
        if self.table.is_empty() || self.base.checked_add(len).is_none() {
            self.table.clear();
            self.table.resize(1 << TABLE_BITS, 0);
            self.base = 1;
        }
        self.base.checked_add(len)
    }

    /// Notes that `three` bytes stand at `at`, and tells where bytes of the same hash stood before.
    fn swap(&mut self, three: &[u8], at: usize) -> Option<usize> {
        let hash = three.iter().fold(0u32, |hash, &byte| hash << 8 | u32::from(byte));
        let index = hash.wrapping_mul(0x9E37_79B1) >> (32 - TABLE_BITS);
        let place = self.table.get_mut(index as usize)?;
        let now = self.base.wrapping_add(u32::try_from(at).ok()?);
        let seen = std::mem::replace(place, now).checked_sub(self.base)?;
        Some(seen as usize)
    }
}

/// How many bytes from `seen` on equal those from `at` on, `longest` at most.
fn same_bytes(input: &[u8], seen: usize, at: usize, longest: usize) -> usize {
    let here = input.get(at..at + longest).unwrap_or_default();
    let there = input.get(seen..seen + longest).unwrap_or_default();
    here.iter().zip(there).take_while(|(a, b)| a == b).count()
}

fn literals(bytes: &[u8], out: &mut Vec<u8>) {
    for run in bytes.chunks(LONGEST_RUN) {
        out.push(low_byte(run.len() - 1));
        out.extend_from_slice(run);
    }
}

fn copy(distance: usize, size: usize, out: &mut Vec<u8>) {
    let (back, len) = (distance - 1, size - 2);
    if len < 7 {
        out.push(low_byte(len << 5 | back >> 8));
    } else {
        out.extend([low_byte(7 << 5 | back >> 8), low_byte(len - 7)]);
    }
    out.push(low_byte(back & 0xff));
}

/// A number the caller keeps below 256.
fn low_byte(n: usize) -> u8 {
    debug_assert!(n < 256);
    u8::try_from(n).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    #[test]
    fn a_repeated_byte_is_a_literal_and_one_copy() {
        let mut out = Vec::new();
        assert!(Packer::default().pack(&[b'a'; 100], 96, &mut out));
        assert_eq!(out, [0, b'a', 7 << 5, 99 - 9, 0]);
    }

    #[test]
    fn what_does_not_pay_is_not_packed() {
        let mut out = b"kept".to_vec();
        assert!(!Packer::default().pack(b"abcdefghijklmnopqrstuvwxyz", 22, &mut out));
        assert_eq!(out, b"kept");
    }

    #[test]
    fn a_claimed_length_allocates_nothing_and_a_copy_from_nowhere_is_refused() {
        let mut out = Vec::new();
        assert_eq!(unpack(&[0, b'a'], 1 << 40, &mut out), Err(Malformed));
        assert!(out.capacity() < 100);
        assert_eq!(unpack(&[0, b'a', 1 << 5, 1], 4, &mut Vec::new()), Err(Malformed));
        assert_eq!(unpack(&[0, b'a', 7 << 5, 255, 0], 100, &mut Vec::new()), Err(Malformed));
        assert_eq!(unpack(&[5, b'a'], 6, &mut Vec::new()), Err(Malformed));
    }

    /// Strings over few letters, so that there is something to copy.
    fn repetitive() -> impl Strategy<Value = Vec<u8>> {
        (1u8..8, 0usize..20_000)
            .prop_flat_map(|(letters, len)| vec(0..letters, len / 8..=len))
            .prop_map(|bytes| bytes.repeat(2))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn unpacking_gives_back_what_was_packed(strings in vec(repetitive(), 1..4)) {
            let mut packer = Packer::default();
            for string in strings {
                let mut packed = vec![1, 2, 3];
                prop_assert!(packer.pack(&string, string.len() * 2 + 8, &mut packed));
                let mut out = b"before".to_vec();
                prop_assert_eq!(unpack(&packed[3..], string.len(), &mut out), Ok(()));
                prop_assert_eq!(&out[6..], &string[..]);
            }
        }

        #[test]
        fn unpacking_anything_stays_within_the_length(bytes in vec(any::<u8>(), 0..300), len in 0usize..2000) {
            let mut out = Vec::new();
            let result = unpack(&bytes, len, &mut out);
            prop_assert!(out.len() <= len);
            prop_assert_eq!(result.is_ok(), out.len() == len && result.is_ok());
        }
    }
}
