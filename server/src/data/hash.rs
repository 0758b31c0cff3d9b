//! Hashes.

use super::collection::{Kind, variant};

/// See the top of the file.
#[derive(Debug, Clone, Default)]
pub struct Hash {}

impl Kind for Hash {
    const NAME: &'static str = "hash";
    const NUMBER: u32 = 4;

    fn len(&self) -> usize {
        0
    }

    fn memory(&self) -> usize {
        0
    }

    fn encoding(&self) -> &'static str {
        "listpack"
    }

    fn dismantle(&mut self, _budget: usize) -> usize {
        0
    }

    variant!(Hash);
}
