//! Trimming a stream from its start, by Redis' rules: node by node, and within a node if it has to be exact.

use super::id::Id;
use super::log::Log;
use super::node::Node;

/// What to trim a stream to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trim {
    /// What may stay.
    pub keep: Keep,
    /// Only whole nodes go, so that it costs little.
    pub approximate: bool,
    /// No node goes that makes them more entries than this; 0 for any number.
    pub limit: u64,
}

/// What may stay when a stream is trimmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// So many of the last entries.
    Len(u64),
    /// Entries from this id on.
    From(Id),
}

impl Log {
    /// Trims; gives how many entries went.
    pub fn trim(&mut self, trim: &Trim) -> usize {
        let before = self.len();
        while let Some((node, _)) = self.node_at(0) {
            let (len, entries) = (self.len() as u64, node.len() as u64);
            let went = (before - self.len()) as u64;
            if matches!(trim.keep, Keep::Len(most) if len <= most)
                || trim.limit > 0 && went + entries > trim.limit
            {
                break;
            }
            let whole = match trim.keep {
                Keep::Len(most) => len - entries >= most,
                Keep::From(id) => node.last().is_some_and(|last| last < id),
            };
            if whole {
                let end = node.len();
                self.nodes.remove_ranks(0..end, |node, _| *node = Node::default());
                self.count -= 1;
                continue;
            }
            if !trim.approximate {
                let mut excess = match trim.keep {
                    Keep::Len(most) => len - most,
                    Keep::From(_) => u64::MAX,
                };
                let emptied = self.nodes.edit_by_rank(0, |node, _| {
                    node.trim(|id| {
                        let goes = excess > 0 && !matches!(trim.keep, Keep::From(from) if id >= from);
                        excess -= u64::from(goes);
                        goes
                    });
                    node.is_empty()
                });
                self.count -= usize::from(emptied);
            }
            break;
        }
        if self.len() < before {
            self.find_first();
        }
        before - self.len()
    }
}
