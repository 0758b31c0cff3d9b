//! Lengths and strings of the format, as they are written.

use super::format::encoding;
use super::lzf::Packer;
use crate::data::listpack::Item;
use crate::resp::number::parse_i64;

/// Strings of this many bytes or fewer are never compressed: it could not save four bytes.
const TOO_SHORT_TO_PACK: usize = 20;
/// Bytes that compression must save.
const WORTH_PACKING: usize = 4;
/// The longest text that can be a 32-bit integer.
const LONGEST_INT32: usize = 11;

/// Bytes being written.
#[derive(Debug, Default)]
pub(super) struct Put {
    /// What was written.
    pub(super) out: Vec<u8>,
    /// Compresses strings, if they are to be compressed.
    pub(super) packer: Option<Packer>,
}

impl Put {
    /// Nothing yet; strings are compressed where it pays if `compress`.
    pub(super) fn new(compress: bool) -> Self {
        Self { out: Vec::new(), packer: compress.then(Packer::default) }
    }

    /// Whether a string of this length may be compressed.
    pub(super) fn may_pack(&self, len: usize) -> bool {
        len > TOO_SHORT_TO_PACK && self.packer.is_some()
    }

    /// An element of a collection.
    pub(super) fn item(&mut self, item: Item<'_>) {
        match item {
            Item::Int(number) => self.integer(number),
            Item::Str(text) => self.bytes(text),
        }
    }

    /// A length: six bits, fourteen, thirty-two or sixty-four, big endian behind the two bits that say which.
    pub(super) fn length(&mut self, n: u64) {
        if let Ok(n @ 0..64) = u8::try_from(n) {
            self.out.push(n);
        } else if let Ok(n @ 0..0x4000) = u16::try_from(n) {
            self.out.extend((0x4000 | n).to_be_bytes());
        } else if let Ok(n) = u32::try_from(n) {
            self.out.push(0x80);
            self.out.extend(n.to_be_bytes());
        } else {
            self.out.push(0x81);
            self.out.extend(n.to_be_bytes());
        }
    }

    /// A number: stored as one where it has 32 bits.
    pub(super) fn integer(&mut self, n: i64) {
        if let Ok(n) = i8::try_from(n) {
            self.out.push(0xC0 | encoding::INT8);
            self.out.extend(n.to_le_bytes());
        } else if let Ok(n) = i16::try_from(n) {
            self.out.push(0xC0 | encoding::INT16);
            self.out.extend(n.to_le_bytes());
        } else if let Ok(n) = i32::try_from(n) {
            self.out.push(0xC0 | encoding::INT32);
            self.out.extend(n.to_le_bytes());
        } else {
            let mut digits = itoa::Buffer::new();
            let digits = digits.format(n).as_bytes();
            self.length(digits.len() as u64);
            self.out.extend_from_slice(digits);
        }
    }

    /// A string, in the shortest form.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        if bytes.len() <= LONGEST_INT32
            && let Some(n) = parse_i64(bytes).filter(|&n| i32::try_from(n).is_ok())
        {
            return self.integer(n);
        }
        if bytes.len() > TOO_SHORT_TO_PACK && self.packed(bytes) {
            return;
        }
        self.length(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    /// Writes `bytes` compressed; false, with nothing written, when that is off or does not pay.
    fn packed(&mut self, bytes: &[u8]) -> bool {
        let Some(mut packer) = self.packer.take() else { return false };
        let mut packed = Vec::new();
        let pays = packer.pack(bytes, bytes.len() - WORTH_PACKING, &mut packed);
        self.packer = Some(packer);
        if pays {
            self.out.push(0xC0 | encoding::LZF);
            self.length(packed.len() as u64);
            self.length(bytes.len() as u64);
            self.out.extend_from_slice(&packed);
        }
        pays
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_one_two_five_or_nine_bytes() {
        let cases: [(u64, &[u8]); 6] = [
            (63, b"\x3F"),
            (64, b"\x40\x40"),
            (0x3FFF, b"\x7F\xFF"),
            (0x4000, b"\x80\x00\x00\x40\x00"),
            (0xFFFF_FFFF, b"\x80\xFF\xFF\xFF\xFF"),
            (0x1_0000_0000, b"\x81\x00\x00\x00\x01\x00\x00\x00\x00"),
        ];
        for (n, want) in cases {
            let mut put = Put::default();
            put.length(n);
            assert_eq!(put.out, want, "{n}");
        }
    }
}
