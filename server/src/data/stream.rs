//! Streams.

use super::collection::{Kind, variant};

/// See the top of the file.
#[derive(Debug, Clone, Default)]
pub struct Stream {}

impl Kind for Stream {
    const NAME: &'static str = "stream";
    const NUMBER: u32 = 6;
    const MAY_BE_EMPTY: bool = true;

    fn len(&self) -> usize {
        0
    }

    fn memory(&self) -> usize {
        0
    }

    fn encoding(&self) -> &'static str {
        "stream"
    }

    fn dismantle(&mut self, _budget: usize) -> usize {
        0
    }

    variant!(Stream);
}
