//! Sets: an intset, a listpack or a large one, by Redis' rules, and never back.
//!
//! A set of integers is an intset; with another member it becomes a listpack; with too many or too long ones, a tree found by hashes
//! ([`Hashed`]). The rules are those of Redis 7.2 (t_set.c), down to what a number of arguments to come decides beforehand, so that
//! OBJECT ENCODING says the same.
//!
//! For snapshots: [`Set::as_intset`] and [`Set::as_listpack`] give a small set as it is to be written, [`Set::walk`] goes through a
//! large one in slices; [`Set::from_intset`] and [`Set::from_listpack`] take verified rows over, [`Set::add`] builds one from members,
//! and where [`Set::is_large_from`] says so, [`Set::from_large`] does.

mod form;

#[cfg(test)]
mod tests;

use super::collection::{Kind, variant};
use super::hashed::Hashed;
use super::intset::IntSet;
use super::limits::Limits;
use super::listpack::{Item, Listpack};
use super::packed::Malformed;

/// Members up to this are an intset at most, whatever the limit says: Redis' bound on what an intset counts.
const MOST_INTS: usize = 1 << 30;

/// See the top of the file.
#[derive(Debug, Clone, Default)]
pub struct Set {
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    Ints(IntSet),
    Packed(Listpack),
    Large(Box<Hashed<false>>),
}

impl Default for Form {
    fn default() -> Self {
        Self::Ints(IntSet::new())
    }
}

impl Set {
    /// Whether a set that is to take `len` members is large at once, because they are too many for anything else; it is then made of a
    /// [`super::hashed::Bulk`].
    #[must_use]
    pub fn is_large_from(len: usize, limits: &Limits) -> bool {
        len > limits.set_ints.max(limits.set_entries)
    }

    /// A large one.
    #[must_use]
    pub fn from_large(members: Hashed<false>) -> Self {
        Self { form: Form::Large(Box::new(members)) }
    }

    /// Takes an intset over. One with too many members becomes large.
    #[must_use]
    pub fn from_intset(ints: IntSet, limits: &Limits) -> Self {
        let mut set = Self { form: Form::Ints(ints) };
        if set.len() > limits.set_ints.min(MOST_INTS) {
            set.grow(limits);
        }
        set
    }

    /// Takes a listpack of members over. One with too many becomes large.
    ///
    /// # Errors
    /// It is empty, or a member is there twice.
    pub fn from_listpack(members: Listpack, limits: &Limits) -> Result<Self, Malformed> {
        if members.is_empty() {
            return Err(Malformed("a set in a listpack has no member"));
        }
        if !members.all_differ(1) {
            return Err(Malformed("a set in a listpack has a member twice"));
        }
        let mut set = Self { form: Form::Packed(members) };
        if set.len() > limits.set_entries {
            set.grow(limits);
        }
        Ok(set)
    }

    /// The intset, if it is one.
    #[must_use]
    pub fn as_intset(&self) -> Option<&IntSet> {
        match &self.form {
            Form::Ints(ints) => Some(ints),
            _ => None,
        }
    }

    /// The listpack, if it is one.
    #[must_use]
    pub fn as_listpack(&self) -> Option<&Listpack> {
        match &self.form {
            Form::Packed(members) => Some(members),
            _ => None,
        }
    }

    /// Prepares for `count` members to be added, of which this is the first: what so many will need for sure, if they differ, it becomes
    /// at once.
    pub fn expect(&mut self, first: &[u8], count: usize, limits: &Limits) {
        if self.is_empty() {
            let integer = matches!(Item::of(first), Item::Int(_));
            self.form = if integer && count <= limits.set_ints {
                Form::default()
            } else if count <= limits.set_entries {
                Form::Packed(Listpack::new())
            } else {
                Form::Large(Box::new(Hashed::new(limits.seed)))
            };
            return;
        }
        let most = match &self.form {
            Form::Ints(_) => limits.set_ints,
            Form::Packed(_) => limits.set_entries,
            Form::Large(_) => return,
        };
        if count > most {
            self.grow(limits);
        }
    }

    /// Adds a member; false if it is one.
    pub fn add(&mut self, member: &[u8], limits: &Limits) -> bool {
        match &mut self.form {
            Form::Large(members) => return members.store(member, &[]),
            Form::Ints(ints) => {
                if let Item::Int(number) = Item::of(member) {
                    let added = ints.insert(number);
                    if added && ints.len() > limits.set_ints.min(MOST_INTS) {
                        self.grow(limits);
                    }
                    return added;
                }
            }
            Form::Packed(members) => {
                if members.find(members.start(), member, 0).is_some() {
                    return false;
                }
            }
        }
        self.add_text(member, limits)
    }

    /// Removes a member; false if it is none.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match &mut self.form {
            Form::Large(members) => members.remove(member),
            Form::Ints(ints) => match Item::of(member) {
                Item::Int(number) => ints.remove(number),
                Item::Str(_) => false,
            },
            Form::Packed(members) => {
                let found = members.find(members.start(), member, 0);
                if let Some(at) = found {
                    members.remove(at);
                }
                found.is_some()
            }
        }
    }

    /// Is it a member.
    #[must_use]
    pub fn contains(&self, member: &[u8]) -> bool {
        match &self.form {
            Form::Large(members) => members.contains(member),
            Form::Ints(ints) => match Item::of(member) {
                Item::Int(number) => ints.contains(number),
                Item::Str(_) => false,
            },
            Form::Packed(members) => members.find(members.start(), member, 0).is_some(),
        }
    }

    /// The member at an index of an order that lasts until the set changes.
    #[must_use]
    pub fn at(&self, index: usize) -> Option<Item<'_>> {
        match &self.form {
            Form::Large(members) => members.at(index).map(|(member, _)| Item::Str(member)),
            Form::Ints(ints) => ints.get(index).map(Item::Int),
            Form::Packed(members) => members.get(i64::try_from(index).ok()?),
        }
    }

    /// Removes the member at an index, after `look` has seen it.
    pub fn take<R>(&mut self, index: usize, look: impl FnOnce(&[u8]) -> R) -> Option<R> {
        match &mut self.form {
            Form::Large(members) => members.take(index, |member, _| look(member)),
            Form::Ints(ints) => {
                let number = ints.get(index)?;
                ints.remove(number);
                Some(Item::Int(number).with_text(look))
            }
            Form::Packed(members) => {
                let at = members.seek(i64::try_from(index).ok()?)?;
                let result = members.at(at)?.with_text(look);
                members.remove(at);
                Some(result)
            }
        }
    }

    /// Shows up to `count` members from an index on; gives the next index. As long as nothing changes, a walk from 0 on by the indices
    /// given meets each member once, and is over at the number of members.
    pub fn walk(&self, from: usize, count: usize, mut each: impl FnMut(Item<'_>)) -> usize {
        let left = self.len().saturating_sub(from).min(count);
        match &self.form {
            Form::Large(members) => return members.walk(from, count, |member, _| each(Item::Str(member))),
            Form::Ints(ints) => (from..from + left)
                .filter_map(|index| ints.get(index))
                .for_each(|number| each(Item::Int(number))),
            Form::Packed(members) => members.iter().skip(from).take(left).for_each(each),
        }
        from + left
    }

    /// See [`Hashed::look_ahead`]; what is small needs none.
    pub fn look_ahead(&self, members: &[&[u8]]) {
        if let Form::Large(held) = &self.form {
            held.look_ahead(members);
        }
    }

    /// Shows every member.
    pub fn for_each(&self, each: impl FnMut(Item<'_>)) {
        self.walk(0, usize::MAX, each);
    }

    /// Shows about `count` members from a cursor on and gives the next cursor, as SSCAN needs it: see [`Hashed::scan`]. A small set is
    /// shown whole.
    pub fn scan(&self, cursor: u64, count: usize, mut each: impl FnMut(Item<'_>)) -> u64 {
        match &self.form {
            Form::Large(members) => members.scan(cursor, count, |member, _| each(Item::Str(member))),
            _ => {
                self.for_each(each);
                0
            }
        }
    }
}

impl Kind for Set {
    const NAME: &'static str = "set";
    const NUMBER: u32 = 2;

    #[inline]
    fn len(&self) -> usize {
        match &self.form {
            Form::Ints(ints) => ints.len(),
            Form::Packed(members) => members.len(),
            Form::Large(members) => members.len(),
        }
    }

    fn memory(&self) -> usize {
        match &self.form {
            Form::Ints(ints) => ints.memory(),
            Form::Packed(members) => members.memory(),
            Form::Large(members) => members.bytes(),
        }
    }

    fn encoding(&self) -> &'static str {
        match &self.form {
            Form::Ints(_) => "intset",
            Form::Packed(_) => "listpack",
            Form::Large(_) => "hashtable",
        }
    }

    fn dismantle(&mut self, budget: usize) -> usize {
        match &mut self.form {
            Form::Large(members) => members.dismantle(budget),
            small => {
                let count = match small {
                    Form::Ints(ints) => ints.len(),
                    Form::Packed(members) => members.len(),
                    Form::Large(_) => 0,
                };
                *small = Form::default();
                count
            }
        }
    }

    variant!(Set);
}
