//! Sorted sets.

use super::collection::{Kind, variant};

/// See the top of the file.
#[derive(Debug, Clone, Default)]
pub struct Zset {}

impl Kind for Zset {
    const NAME: &'static str = "zset";
    const NUMBER: u32 = 3;

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

    variant!(Zset);
}
