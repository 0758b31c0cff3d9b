//! From one form of a set to the next.

use super::{Form, Set};
use crate::data::collection::Kind;
use crate::data::hashed::Hashed;
use crate::data::limits::Limits;
use crate::data::listpack::{Item, Listpack};

impl Set {
    /// Adds what is no member yet, and no integer if this is an intset.
    pub(super) fn add_text(&mut self, member: &[u8], limits: &Limits) -> bool {
        let fits = self.len() < limits.set_entries && self.widest().max(member.len()) <= limits.set_value;
        match &mut self.form {
            Form::Packed(members) if fits && members.fits(member.len()) => {
                members.push_back(member);
                return true;
            }
            Form::Ints(ints) if fits => {
                let mut members = Listpack::new();
                ints.iter().for_each(|number| members.push_back_item(Item::Int(number)));
                members.push_back(member);
                self.form = Form::Packed(members);
                return true;
            }
            _ => {}
        }
        self.grow(limits);
        match &mut self.form {
            Form::Large(members) => members.store(member, &[]),
            _ => false,
        }
    }

    /// Makes it a large one.
    pub(super) fn grow(&mut self, limits: &Limits) {
        let mut large = Hashed::new(limits.seed);
        self.for_each(|member| {
            member.with_text(|text| large.store(text, &[]));
        });
        self.form = Form::Large(Box::new(large));
    }

    /// Makes a large set anew from its members, as small as it may be: what Redis does when most of them have been popped.
    pub fn rebuild(&mut self, limits: &Limits) {
        if !matches!(self.form, Form::Large(_)) {
            return;
        }
        let old = std::mem::replace(&mut self.form, Form::Packed(Listpack::new()));
        let mut old = Self { form: old };
        if old.len() > limits.set_entries {
            *self = old;
            return;
        }
        old.for_each(|member| {
            member.with_text(|text| self.add(text, limits));
        });
        old.dismantle(usize::MAX);
    }

    /// A set of the same members, in the form it would have had they been added to an empty one.
    #[must_use]
    pub fn anew(&self, limits: &Limits) -> Self {
        if matches!(self.form, Form::Large(_)) && self.len() > limits.set_ints.max(limits.set_entries) {
            return self.clone();
        }
        let mut set = Self::default();
        self.for_each(|member| {
            member.with_text(|text| set.add(text, limits));
        });
        set
    }

    /// The longest text of an intset's members; 0 for what counts them itself.
    fn widest(&self) -> usize {
        let Form::Ints(ints) = &self.form else { return 0 };
        let ends = [ints.get(0), ints.len().checked_sub(1).and_then(|last| ints.get(last))];
        ends.into_iter().flatten().map(|number| Item::Int(number).text_len()).max().unwrap_or(0)
    }
}
