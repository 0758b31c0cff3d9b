//! One number for the whole data set, to compare two nodes.
//!
//! [`Keyspace::digest`] is the one that `DEBUG DIGEST` of Redis computes (debug.c), so that nodes of different make can
//! be compared: of each entry the key, the type, the value and whether it has a deadline, all joined by exclusive or,
//! so that the order does not matter. [`Keyspace::exact_digest`] also covers when the deadline is,
//! and consumer groups.

use std::ops::ControlFlow;

use super::store::Keyspace;
use super::value::ValueRef;
use crate::data::Collection;
use crate::data::stream::{Id, Stream};
use crate::data::table::EntryRef;
use crate::resp::double::Printed;
use sha1_smol::Sha1;

/// Redis' number of the string type; those of collections are [`crate::data::Kind::NUMBER`].
const STRING: u32 = 0;

impl Keyspace {
    /// The digest that Redis would give for this data set; all zeros when it is empty.
    #[must_use]
    pub fn digest(&self) -> [u8; 20] {
        self.combine(|entry, digest| {
            if entry.expire().is_some() {
                blend(digest, b"!!expire!!");
            }
        })
    }

    /// A digest that also tells different deadlines and consumer groups apart; all zeros when the data set is empty.
    #[must_use]
    pub fn exact_digest(&self) -> [u8; 20] {
        self.combine(|entry, digest| {
            if let Some(deadline) = entry.expire() {
                stir(digest, &deadline.to_be_bytes());
            }
            if let Some(Collection::Stream(stream)) = entry.collection() {
                stir_groups(digest, stream);
            }
        })
    }

    /// The digest that Redis gives for the value of one key, whatever the key is called; all zeros when there is none.
    #[must_use]
    pub fn value_digest(&self, db: usize, key: &[u8]) -> [u8; 20] {
        let mut digest = [0; 20];
        if let Some(entry) = self.get(db, key) {
            stir_value(&mut digest, entry);
            if entry.expire().is_some() {
                blend(&mut digest, b"!!expire!!");
            }
        }
        digest
    }

    fn combine(&self, deadline: impl Fn(EntryRef<'_>, &mut [u8; 20])) -> [u8; 20] {
        let mut total = [0; 20];
        for db in (0..self.databases()).filter(|&db| self.len(db) > 0) {
            stir(&mut total, &u32::try_from(db).unwrap_or(u32::MAX).to_be_bytes());
            self.for_each(db, &mut |entry| {
                let mut digest = [0; 20];
                stir(&mut digest, entry.key());
                stir_value(&mut digest, entry);
                deadline(entry, &mut digest);
                blend(&mut total, &digest);
            });
        }
        total
    }
}

/// Joins the type and the value of an entry in.
fn stir_value(digest: &mut [u8; 20], entry: EntryRef<'_>) {
    let kind = entry.collection().map_or(STRING, Collection::type_number);
    stir(digest, &kind.to_be_bytes());
    match entry.value() {
        ValueRef::Int(number) => stir(digest, itoa::Buffer::new().format(number).as_bytes()),
        ValueRef::Bytes(text) => stir(digest, text),
        ValueRef::Collection(collection) => stir_collection(digest, collection),
    }
}

/// Joins the elements of a collection in: those of a list in order, of others in any.
fn stir_collection(digest: &mut [u8; 20], collection: &Collection) {
    match collection {
        Collection::List(list) => list.walk(0, false, |item| {
            item.with_text(|text| stir(digest, text));
            ControlFlow::Continue(())
        }),
        Collection::Set(set) => set.for_each(|member| member.with_text(|text| blend(digest, text))),
        Collection::Hash(hash) => hash.for_each(|field, value| {
            let mut pair = [0; 20];
            field.with_text(|text| stir(&mut pair, text));
            value.with_text(|text| stir(&mut pair, text));
            blend(digest, &pair);
        }),
        Collection::Zset(zset) => {
            for (member, score) in zset.iter() {
                let mut element = [0; 20];
                member.with_text(|text| stir(&mut element, text));
                stir(&mut element, Printed::by_digits(score).as_bytes());
                blend(digest, &element);
            }
        }
        Collection::Stream(stream) => stir_stream(digest, stream),
    }
}

/// Joins the entries of a stream in. Consumer groups are no part of it, as in Redis.
fn stir_stream(digest: &mut [u8; 20], stream: &Stream) {
    for entry in stream.log().range(Id::MIN, Id::MAX) {
        stir(digest, format!("{}.{}", entry.id.ms, entry.id.seq).as_bytes());
        for (field, value) in entry.fields {
            field.with_text(|text| stir(digest, text));
            value.with_text(|text| stir(digest, text));
        }
    }
}

/// Joins the consumer groups of a stream in: how far each has read, its consumers, and what is pending for whom.
fn stir_groups(digest: &mut [u8; 20], stream: &Stream) {
    for (name, group) in stream.groups().iter() {
        stir(digest, name);
        stir(digest, &group.last.to_bytes());
        for (_, consumer) in group.consumers() {
            stir(digest, consumer.name());
        }
        for pending in group.pending_from(Id::MIN) {
            stir(digest, &pending.id.to_bytes());
            stir(digest, group.name_of(pending.owner));
            stir(digest, &pending.delivered_ms.to_be_bytes());
            stir(digest, &pending.deliveries.to_be_bytes());
        }
    }
}

/// Joins the hash of `bytes` in; the order of such calls does not matter.
fn blend(digest: &mut [u8; 20], bytes: &[u8]) {
    let hash = Sha1::from(bytes).digest().bytes();
    for (byte, mixed) in digest.iter_mut().zip(hash) {
        *byte ^= mixed;
    }
}

/// Joins the hash of `bytes` in and hashes the whole; the order of such calls matters.
fn stir(digest: &mut [u8; 20], bytes: &[u8]) {
    blend(digest, bytes);
    *digest = Sha1::from(&digest[..]).digest().bytes();
}
