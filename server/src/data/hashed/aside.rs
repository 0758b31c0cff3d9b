//! Long texts of a page, kept outside it and shared by its copies.

use std::sync::Arc;

use crate::data::packed;

/// Texts by their place; a free place is used again.
#[derive(Debug, Clone, Default)]
pub(super) struct Aside {
    texts: Vec<Option<Arc<[u8]>>>,
    /// Bytes of the texts.
    bytes: usize,
}

impl Aside {
    /// The text at a place.
    pub(super) fn get(&self, place: u32) -> Option<&Arc<[u8]>> {
        self.texts.get(usize::try_from(place).ok()?)?.as_ref()
    }

    /// Keeps a text; gives its place.
    #[cold]
    pub(super) fn put(&mut self, text: Arc<[u8]>) -> u32 {
        self.bytes += size(&text);
        let free = self.texts.iter().position(Option::is_none);
        let place = free.unwrap_or(self.texts.len());
        match self.texts.get_mut(place) {
            Some(room) => *room = Some(text),
            None => self.texts.push(Some(text)),
        }
        u32::try_from(place).unwrap_or(u32::MAX)
    }

    /// Lets the text at a place go.
    #[cold]
    pub(super) fn release(&mut self, place: u32) {
        let room = usize::try_from(place).ok().and_then(|place| self.texts.get_mut(place));
        if let Some(text) = room.and_then(Option::take) {
            self.bytes -= size(&text);
        }
    }

    /// Bytes of memory.
    pub(super) fn memory(&self) -> usize {
        self.bytes + self.texts.capacity() * size_of::<Option<Arc<[u8]>>>()
    }
}

/// What a text takes: its bytes, and the two counts before them.
fn size(text: &Arc<[u8]>) -> usize {
    packed::size_of_block(text.len() + 2 * size_of::<usize>())
}
