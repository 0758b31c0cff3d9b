//! Nodes from outside: every rule of [`super::node`] is checked before one is believed.

use super::id::Id;
use super::node::Node;
use super::record::{GONE, SAME, elements, size, whole};
use crate::data::Listpack;
use crate::data::listpack::Iter;
use crate::data::packed::Malformed;

impl Node {
    /// Takes a node of a snapshot, after a look at all of it: the listpack, the head, the length and the flags of each
    /// entry, the counts, and that the ids of what is there grow.
    ///
    /// # Errors
    /// The rule that the bytes break.
    pub fn verify(master: Id, bytes: Vec<u8>) -> Result<Self, Malformed> {
        let pack = Listpack::from_bytes(bytes)?;
        let mut walk = pack.iter();
        let wrong_head = Malformed("the head of a node of a stream is broken");
        let live = number(&mut walk).ok_or(wrong_head)?;
        let gone = number(&mut walk).ok_or(wrong_head)?;
        let names = number(&mut walk).ok_or(wrong_head)?;
        skip(&mut walk, names).ok_or(wrong_head)?;
        if number(&mut walk) != Some(0) {
            return Err(wrong_head);
        }
        let mut seen = Seen { master, top: None, live: 0, gone: 0 };
        // An element takes two bytes at least.
        while walk.position() < pack.end() {
            seen.entry(&mut walk, names)?;
        }
        if (seen.live, seen.gone) != (live, gone) {
            return Err(Malformed("a node of a stream has other entries than its head says"));
        }
        Ok(Self { master, pack, live, gone })
    }
}

/// What the entries so far were.
struct Seen {
    master: Id,
    /// The id of the last that is there.
    top: Option<Id>,
    live: usize,
    gone: usize,
}

impl Seen {
    fn entry(&mut self, walk: &mut Iter<'_>, names: usize) -> Result<(), Malformed> {
        let broken = Malformed("an entry of a stream is broken");
        let flags = walk.next().and_then(whole).ok_or(broken)?;
        if flags & !(GONE | SAME) != 0 {
            return Err(Malformed("an entry of a stream has flags that nobody knows"));
        }
        let ms = walk.next().and_then(whole).ok_or(broken)?;
        let seq = walk.next().and_then(whole).ok_or(broken)?;
        let same = flags & SAME != 0;
        let fields = if same { names } else { number(walk).ok_or(broken)? };
        let words = if same { Some(fields) } else { fields.checked_mul(2) };
        skip(walk, words.ok_or(broken)?).ok_or(broken)?;
        if number(walk) != Some(elements(fields, same)) {
            return Err(Malformed("an entry of a stream has other elements than it says"));
        }
        if flags & GONE != 0 {
            self.gone += 1;
            return Ok(());
        }
        let id = Id {
            ms: self.master.ms.wrapping_add(ms.cast_unsigned()),
            seq: self.master.seq.wrapping_add(seq.cast_unsigned()),
        };
        // What is gone is left out: an older server may have added smaller ids behind it.
        if id < self.master || self.top.is_some_and(|top| id <= top) || id == Id::MIN {
            return Err(Malformed("the ids of a stream do not grow"));
        }
        self.top = Some(id);
        self.live += 1;
        Ok(())
    }
}

fn number(walk: &mut Iter<'_>) -> Option<usize> {
    walk.next().and_then(size)
}

/// Leaves out so many elements; none when there are fewer.
fn skip(walk: &mut Iter<'_>, elements: usize) -> Option<()> {
    match elements.checked_sub(1) {
        None => Some(()),
        Some(last) => walk.nth(last).map(|_| ()),
    }
}
