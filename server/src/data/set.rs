//! Sets.

use super::collection::{Kind, variant};

/// See the top of the file.
#[derive(Debug, Clone, Default)]
pub struct Set {}

impl Kind for Set {
    const NAME: &'static str = "set";
    const NUMBER: u32 = 2;

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

    variant!(Set);
}
