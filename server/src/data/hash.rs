//! Hashes: a listpack of fields and values, or a large one, by Redis' rules, and never back.
//!
//! The rules are those of Redis 7.2 (t_hash.c). The large form is a tree found by hashes ([`Hashed`]).
//!
//! For snapshots: [`Hash::as_listpack`] gives a small hash as it is to be written, [`Hash::walk`] goes through a large one in slices;
//! [`Hash::from_listpack`] takes a verified row over, [`Hash::set`] builds one from pairs, and where
//! [`Hash::is_large_from`] says so, [`Hash::from_large`] does.

#[cfg(test)]
mod tests;

use super::collection::{Kind, variant};
use super::hashed::Hashed;
use super::limits::Limits;
use super::listpack::{Item, Listpack};
use super::packed::Malformed;

/// See the top of the file.
#[derive(Debug, Clone, Default)]
pub struct Hash {
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    /// A field and its value, again and again.
    Packed(Listpack),
    Large(Box<Hashed<true>>),
}

impl Default for Form {
    fn default() -> Self {
        Self::Packed(Listpack::new())
    }
}

impl Hash {
    /// Whether a hash that is to take `len` pairs is large at once, because they are too many for anything else; it is then made of a
    /// [`super::hashed::Bulk`].
    #[must_use]
    pub fn is_large_from(len: usize, limits: &Limits) -> bool {
        len > limits.hash_entries
    }

    /// A large one.
    #[must_use]
    pub fn from_large(pairs: Hashed<true>) -> Self {
        Self { form: Form::Large(Box::new(pairs)) }
    }

    /// Takes a listpack of fields and values over. One with too many becomes large.
    ///
    /// # Errors
    /// It is empty, a field has no value, or a field is there twice.
    pub fn from_listpack(pairs: Listpack, limits: &Limits) -> Result<Self, Malformed> {
        let texts = pairs.len();
        if texts == 0 || !texts.is_multiple_of(2) {
            return Err(Malformed("a hash in a listpack has no pairs"));
        }
        if !pairs.all_differ(2) {
            return Err(Malformed("a hash in a listpack has a field twice"));
        }
        let mut hash = Self { form: Form::Packed(pairs) };
        if texts / 2 > limits.hash_entries {
            hash.grow(limits);
        }
        Ok(hash)
    }

    /// The listpack of fields and values, if it is one.
    #[must_use]
    pub fn as_listpack(&self) -> Option<&Listpack> {
        match &self.form {
            Form::Packed(pairs) => Some(pairs),
            Form::Large(_) => None,
        }
    }

    /// Prepares for these fields and values: what they will need for sure, if the fields differ, it becomes at once.
    pub fn expect<'a>(&mut self, texts: impl ExactSizeIterator<Item = &'a [u8]>, limits: &Limits) {
        let Form::Packed(pairs) = &self.form else { return };
        let mut large = texts.len() / 2 > limits.hash_entries;
        let mut sum = 0_usize;
        for text in texts {
            large |= text.len() > limits.hash_value;
            sum = sum.saturating_add(text.len());
        }
        if large || !pairs.fits(sum) {
            self.grow(limits);
        }
    }

    /// Gives a field a value; true if the field is new.
    pub fn set(&mut self, field: &[u8], value: &[u8], limits: &Limits) -> bool {
        if let Form::Packed(pairs) = &mut self.form {
            let longest = field.len().max(value.len());
            if longest <= limits.hash_value && pairs.fits(field.len().saturating_add(value.len())) {
                let new = set_packed(pairs, field, value);
                if new && pairs.len() / 2 > limits.hash_entries {
                    self.grow(limits);
                }
                return new;
            }
            self.grow(limits);
        }
        match &mut self.form {
            Form::Large(pairs) => pairs.store(field, value),
            Form::Packed(_) => false,
        }
    }

    /// Removes a field; false if it is not there.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        match &mut self.form {
            Form::Large(pairs) => pairs.remove(field),
            Form::Packed(pairs) => {
                let found = pairs.find(pairs.start(), field, 1);
                if let Some(at) = found {
                    pairs.remove_at(at, 2);
                }
                found.is_some()
            }
        }
    }

    /// The value of a field.
    #[must_use]
    pub fn get(&self, field: &[u8]) -> Option<Item<'_>> {
        match &self.form {
            Form::Large(pairs) => pairs.get(field).map(Item::Str),
            Form::Packed(pairs) => {
                let at = pairs.find(pairs.start(), field, 1)?;
                pairs.at(pairs.next(at)?)
            }
        }
    }

    /// The pair at an index of an order that lasts until the hash changes.
    #[must_use]
    pub fn at(&self, index: usize) -> Option<(Item<'_>, Item<'_>)> {
        match &self.form {
            Form::Large(pairs) => pairs.at(index).map(|(field, value)| (Item::Str(field), Item::Str(value))),
            Form::Packed(pairs) => {
                let at = pairs.seek(i64::try_from(index.checked_mul(2)?).ok()?)?;
                Some((pairs.at(at)?, pairs.at(pairs.next(at)?)?))
            }
        }
    }

    /// Shows up to `count` pairs from an index on; gives the next index. As long as nothing changes, a walk from 0 on by the indices given
    /// meets each pair once, and is over at the number of pairs.
    pub fn walk(&self, from: usize, count: usize, mut each: impl FnMut(Item<'_>, Item<'_>)) -> usize {
        match &self.form {
            Form::Large(pairs) => {
                pairs.walk(from, count, |field, value| each(Item::Str(field), Item::Str(value)))
            }
            Form::Packed(pairs) => {
                let mut texts = pairs.iter().skip(from.saturating_mul(2));
                let mut index = from;
                while index - from < count
                    && let (Some(field), Some(value)) = (texts.next(), texts.next())
                {
                    each(field, value);
                    index += 1;
                }
                index
            }
        }
    }

    /// See [`Hashed::look_ahead`]; what is small needs none.
    pub fn look_ahead(&self, fields: &[&[u8]]) {
        if let Form::Large(pairs) = &self.form {
            pairs.look_ahead(fields);
        }
    }

    /// Shows every pair.
    pub fn for_each(&self, each: impl FnMut(Item<'_>, Item<'_>)) {
        self.walk(0, usize::MAX, each);
    }

    /// Shows about `count` pairs from a cursor on and gives the next cursor, as HSCAN needs it: see [`Hashed::scan`]. A small hash is
    /// shown whole.
    pub fn scan(&self, cursor: u64, count: usize, mut each: impl FnMut(Item<'_>, Item<'_>)) -> u64 {
        match &self.form {
            Form::Large(pairs) => {
                pairs.scan(cursor, count, |field, value| each(Item::Str(field), Item::Str(value)))
            }
            Form::Packed(_) => {
                self.for_each(each);
                0
            }
        }
    }

    /// Makes it a large one.
    fn grow(&mut self, limits: &Limits) {
        let mut large = Hashed::new(limits.seed);
        self.for_each(|field, value| {
            field.with_text(|field| value.with_text(|value| large.store(field, value)));
        });
        self.form = Form::Large(Box::new(large));
    }
}

impl Kind for Hash {
    const NAME: &'static str = "hash";
    const NUMBER: u32 = 4;

    #[inline]
    fn len(&self) -> usize {
        match &self.form {
            Form::Packed(pairs) => pairs.len() / 2,
            Form::Large(pairs) => pairs.len(),
        }
    }

    fn memory(&self) -> usize {
        match &self.form {
            Form::Packed(pairs) => pairs.memory(),
            Form::Large(pairs) => pairs.bytes(),
        }
    }

    fn encoding(&self) -> &'static str {
        match &self.form {
            Form::Packed(_) => "listpack",
            Form::Large(_) => "hashtable",
        }
    }

    fn dismantle(&mut self, budget: usize) -> usize {
        match &mut self.form {
            Form::Large(pairs) => pairs.dismantle(budget),
            Form::Packed(pairs) => {
                let count = pairs.len() / 2;
                pairs.clear();
                count
            }
        }
    }

    variant!(Hash);
}

fn set_packed(pairs: &mut Listpack, field: &[u8], value: &[u8]) -> bool {
    let found = pairs.find(pairs.start(), field, 1);
    match found.and_then(|at| pairs.next(at)) {
        Some(at) => pairs.replace(at, value),
        None => {
            pairs.push_back(field);
            pairs.push_back(value);
        }
    }
    found.is_none()
}
