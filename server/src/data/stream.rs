//! Streams: a log of entries in nodes that are byte for byte Redis' own, and its consumer groups.
//!
//! - [`Log`] has the entries: a tree of nodes ([`node`]), found by id. Reading goes through [`range`].
//! - [`Groups`] has the consumer groups; what is pending in one is a tree as well.
//!
//! A clone shares all of it: it costs one allocation.

mod group;
mod groups;
mod id;
mod log;
mod node;
mod pending;
mod range;
mod record;
mod roster;
mod trim;
mod verify;

#[cfg(test)]
mod tests;

pub use group::{Consumer, Group, Loading};
pub use groups::Groups;
pub use id::Id;
pub use log::Log;
pub use node::Node;
pub use pending::{Owner, Pending};
pub use range::{Entry, Range, Reverse};
pub use record::Fields;
pub use trim::{Keep, Trim};

use super::collection::{Kind, variant};

/// See the top of the file.
#[derive(Debug, Clone, Default)]
pub struct Stream(Box<Body>);

#[derive(Debug, Clone, Default)]
struct Body {
    log: Log,
    groups: Groups,
}

impl Stream {
    /// From its parts, as a snapshot has them.
    #[must_use]
    pub fn new(log: Log, groups: Groups) -> Self {
        Self(Box::new(Body { log, groups }))
    }

    /// The entries.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.0.log
    }

    /// The entries, to change them.
    pub fn log_mut(&mut self) -> &mut Log {
        &mut self.0.log
    }

    /// The consumer groups.
    #[must_use]
    pub fn groups(&self) -> &Groups {
        &self.0.groups
    }

    /// The consumer groups, to change them; and the entries.
    pub fn groups_mut(&mut self) -> (&mut Groups, &Log) {
        (&mut self.0.groups, &self.0.log)
    }
}

impl Kind for Stream {
    const NAME: &'static str = "stream";
    const NUMBER: u32 = 6;
    const MAY_BE_EMPTY: bool = true;

    fn len(&self) -> usize {
        self.0.log.len()
    }

    fn memory(&self) -> usize {
        size_of::<Body>() + self.0.log.nodes.bytes() + self.0.groups.memory()
    }

    fn encoding(&self) -> &'static str {
        "stream"
    }

    fn dismantle(&mut self, budget: usize) -> usize {
        let mut freed = 0;
        while freed < budget {
            match self.0.log.nodes.pop_leaf() {
                Some(node) => freed += node.len(),
                None => match self.0.groups.shed() {
                    0 => break,
                    shed => freed += shed,
                },
            }
        }
        freed
    }

    variant!(Stream);
}
