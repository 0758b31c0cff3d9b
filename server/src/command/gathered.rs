//! An array or a set in a reply whose length is known only at its end.

use crate::data::listpack::Item;
use crate::resp::Reply;

use super::sets::write_text;

/// See the top of the file.
pub(super) struct Gathered {
    texts: Reply,
    count: usize,
}

impl Gathered {
    /// An empty one, for a reply in the protocol of this one.
    pub(super) fn new(reply: &Reply) -> Self {
        Self { texts: Reply::new(Vec::new(), reply.resp3()), count: 0 }
    }

    /// Adds a bulk string.
    pub(super) fn push(&mut self, item: Item<'_>) {
        write_text(&mut self.texts, item);
        self.count += 1;
    }

    /// Writes it as an array.
    pub(super) fn write_array(&self, reply: &mut Reply) {
        reply.array(self.count);
        reply.raw(self.texts.bytes());
    }

    /// Writes it as a set.
    pub(super) fn write_set(&self, reply: &mut Reply) {
        reply.set(self.count);
        reply.raw(self.texts.bytes());
    }
}
