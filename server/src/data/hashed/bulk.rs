//! Many elements at once, in any order, as a snapshot brings them.
//!
//! They are gathered, put in order of their hashes, and then added: neighbours go to the same page while it is near, which takes a
//! fraction of what it costs to look for a far page for each. The first of them fill pages from the start.

use super::page::{Page, Stored};
use super::{Hashed, Leaf, Tree};

/// Elements gathered before they are added, and bytes of their texts: a few milliseconds' work.
const BATCH: usize = 1 << 16;
const BATCH_BYTES: usize = 8 << 20;
/// A page that is filled from the start is left room for so many more, of the 256 that it takes, and of its 4096 bytes.
const FILLED: usize = 192;
const FILLED_BYTES: usize = 3072;

/// See the top of the file.
#[derive(Debug)]
pub struct Bulk<const PAIRS: bool> {
    made: Hashed<PAIRS>,
    gathered: Vec<Gathered>,
    /// The texts of those gathered, each field before its value.
    texts: Vec<u8>,
    /// No field came twice so far.
    differ: bool,
}

/// An element that was not added yet.
#[derive(Debug, Clone, Copy)]
struct Gathered {
    hash: u32,
    start: usize,
    value: usize,
    end: usize,
}

impl<const PAIRS: bool> Bulk<PAIRS> {
    /// Begins one whose hashes follow from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { made: Hashed::new(seed), gathered: Vec::new(), texts: Vec::new(), differ: true }
    }

    /// Takes an element.
    pub fn push(&mut self, field: &[u8], value: &[u8]) {
        let (hash, start) = (self.made.hash(field), self.texts.len());
        self.texts.extend_from_slice(field);
        self.texts.extend_from_slice(value);
        let value = start + field.len();
        self.gathered.push(Gathered { hash, start, value, end: self.texts.len() });
        if self.gathered.len() >= BATCH || self.texts.len() >= BATCH_BYTES {
            self.settle();
        }
    }

    /// All elements; `None` if a field came twice.
    #[must_use]
    pub fn finish(mut self) -> Option<Hashed<PAIRS>> {
        self.settle();
        self.differ.then_some(self.made)
    }

    /// Adds what was gathered.
    fn settle(&mut self) {
        let (mut gathered, texts) = (std::mem::take(&mut self.gathered), std::mem::take(&mut self.texts));
        gathered.sort_unstable_by_key(|one| one.hash);
        let elements = gathered.iter().map(|one| {
            let text = |range: std::ops::Range<usize>| texts.get(range).unwrap_or_default();
            (one.hash, text(one.start..one.value), text(one.value..one.end))
        });
        if self.made.is_empty() {
            self.fill(elements);
        } else {
            for (hash, field, value) in elements {
                let stored = self.made.tree.edit_by_hash(hash, |page| page.store(hash, field, value));
                self.differ &= stored == Stored::New;
            }
        }
        // The room is used again.
        gathered.clear();
        self.gathered = gathered;
        if texts.capacity() <= 2 * BATCH_BYTES {
            self.texts = texts;
            self.texts.clear();
        }
    }

    /// Makes the first pages, of elements in order.
    fn fill<'a>(&mut self, elements: impl Iterator<Item = (u32, &'a [u8], &'a [u8])>) {
        let (mut pages, mut page, mut last) = (Vec::new(), Page::default(), None);
        for (hash, field, value) in elements {
            // Elements of equal hash stay together.
            if last != Some(hash) && (page.count() >= FILLED || page.live() >= FILLED_BYTES) {
                pages.push(std::mem::take(&mut page));
            }
            self.differ &= page.store(hash, field, value) == Stored::New;
            last = Some(hash);
        }
        if page.count() > 0 {
            pages.push(page);
        }
        self.made.tree = Tree::from_leaves(pages);
    }
}
