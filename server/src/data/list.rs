//! Lists.

use super::collection::{Kind, variant};

/// See the top of the file.
#[derive(Debug, Clone, Default)]
pub struct List {}

impl Kind for List {
    const NAME: &'static str = "list";
    const NUMBER: u32 = 1;

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

    variant!(List);
}
