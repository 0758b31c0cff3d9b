//! What was removed and is costly to free: long strings, large collections and whole tables. Freed in slices, between turns.

use crate::data::table::{Block, Ruin, Table};

/// Bytes of a long string whose freeing costs about as much as that of a small entry: a page.
const BYTES_PER_UNIT: usize = 4096;

/// Everything that waits to be freed.
#[derive(Debug, Default)]
pub(super) struct Graveyard {
    ruins: Vec<Ruin>,
    blocks: Vec<Block>,
    /// Bytes of `blocks`.
    bytes: usize,
}

impl Graveyard {
    /// Takes an entry; frees it at once when that is cheap.
    #[inline]
    pub(super) fn bury(&mut self, block: Option<Block>) {
        if let Some(block) = block
            && block.is_costly()
        {
            self.bytes += block.footprint();
            self.blocks.push(block);
        }
    }

    /// Takes a table.
    pub(super) fn bury_table(&mut self, table: Table) {
        if !table.is_empty() {
            self.ruins.push(table.ruin());
        }
    }

    /// Takes all that another one holds.
    pub(super) fn merge(&mut self, other: Self) {
        self.ruins.extend(other.ruins);
        self.blocks.extend(other.blocks);
        self.bytes += other.bytes;
    }

    /// Frees about `budget` units, a small entry or a page each; true while there is more.
    pub(super) fn reclaim(&mut self, budget: usize) -> bool {
        let mut left = budget.max(1);
        while left > 0 {
            if let Some(block) = self.blocks.last_mut() {
                let size = block.footprint();
                let elements = block.collection_mut().map_or(0, |collection| collection.dismantle(left));
                let rest = if elements > 0 && block.is_costly() { block.footprint() } else { 0 };
                self.bytes -= size - rest.min(size);
                // A string is freed whole, a collection by its elements.
                let pages = if elements == 0 { size.div_ceil(BYTES_PER_UNIT) } else { 0 };
                left = left.saturating_sub(elements + pages);
                if rest == 0 {
                    self.blocks.pop();
                }
            } else if let Some(ruin) = self.ruins.last_mut() {
                match ruin.reclaim(left) {
                    0 => drop(self.ruins.pop()),
                    spent => left = left.saturating_sub(spent),
                }
            } else {
                // Nothing waits: the lists' own memory goes back too.
                self.blocks = Vec::new();
                self.ruins = Vec::new();
                break;
            }
        }
        !(self.blocks.is_empty() && self.ruins.is_empty())
    }

    /// Bytes not freed yet.
    pub(super) fn memory(&self) -> usize {
        self.bytes + self.ruins.iter().map(Ruin::memory).sum::<usize>()
    }
}
