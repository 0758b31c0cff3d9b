//! Collections of every type and size.

use crate::data::hash::Hash;
use crate::data::list::{Fill, List, Side};
use crate::data::set::Set;
use crate::data::stream::{Group, Id, Pending, Stream};
use crate::data::zset::Zset;
use crate::data::{Collection, Kind, Limits, Rng};
use crate::keyspace::{Keyspace, NewValue, Ttl};

/// Small bounds, so that every form occurs.
pub(super) fn limits() -> Limits {
    Limits {
        seed: 5,
        list_node: -1,
        hash_entries: 8,
        set_ints: 8,
        set_entries: 8,
        zset_entries: 8,
        stream_entries: 10,
        ..Limits::default()
    }
}

/// Texts of every kind: short, numeric, long, repetitive.
fn text(rng: &mut Rng, n: usize) -> Vec<u8> {
    match rng.below(6) {
        0 => n.to_string().into_bytes(),
        1 => format!("-{}", rng.below(1 << 40) + 1 + n as u64).into_bytes(),
        2 => [&[b'x'; 80][..], n.to_string().as_bytes()].concat(),
        3 => [&rng.draw().to_le_bytes()[..], &n.to_le_bytes()].concat(),
        _ => format!("element {n}").into_bytes(),
    }
}

pub(super) fn list(rng: &mut Rng, len: usize) -> Collection {
    let mut list = List::default();
    for n in 0..len {
        let text = if rng.below(200) == 0 { vec![b'p'; 9000] } else { text(rng, n) };
        list.push(Side::Right, std::iter::once(&text[..]), Fill::of(limits().list_node));
    }
    list.wrap()
}

pub(super) fn set(rng: &mut Rng, len: usize, ints: bool) -> Collection {
    let mut set = Set::default();
    for n in 0..len {
        let member = if ints { (n * 1_000_003).to_string().into_bytes() } else { text(rng, n) };
        set.add(&member, &limits());
    }
    set.wrap()
}

pub(super) fn hash(rng: &mut Rng, len: usize) -> Collection {
    let mut hash = Hash::default();
    for n in 0..len {
        hash.set(&text(rng, n), &text(rng, n + 1), &limits());
    }
    hash.wrap()
}

pub(super) fn zset(rng: &mut Rng, len: usize) -> Collection {
    let mut zset = Zset::default();
    for n in 0..len {
        let scores = [1.0, -0.25, 1e300, f64::INFINITY, f64::NEG_INFINITY, 17.5];
        let score = scores[usize::try_from(rng.below(6)).unwrap_or(0)];
        zset.insert(&text(rng, n), score, &limits());
    }
    zset.wrap()
}

pub(super) fn stream(rng: &mut Rng, len: usize) -> Collection {
    let mut stream = Stream::default();
    for n in 0..len {
        let words = [&b"name"[..], b"value", b"other", b"12"];
        let fields = 1 + n % 2;
        stream.log_mut().append(
            Id { ms: 5 + n as u64 / 3, seq: n as u64 },
            fields,
            |word| words[word % 4],
            &limits(),
        );
    }
    for n in (0..len).step_by(7) {
        stream.log_mut().delete(Id { ms: 5 + n as u64 / 3, seq: n as u64 });
    }
    for name in [&b"one"[..], b"two"].iter().take(len % 3) {
        let mut group = Group::new(Id { ms: 5, seq: 1 }, if name.len() == len % 5 { None } else { Some(2) });
        for who in 0..2u8 {
            let owner =
                group.add(&[b'a' + who], 1000 + i64::from(who), if who == 0 { None } else { Some(900) });
            let Some(owner) = owner else { continue };
            for n in (usize::from(who)..len).step_by(2) {
                let id = Id { ms: 5 + n as u64 / 3, seq: n as u64 };
                group.assign(Pending { id, delivered_ms: 77, deliveries: rng.below(5), owner });
            }
        }
        stream.groups_mut().0.add(name, group);
    }
    stream.wrap()
}

/// A keyspace with every type in every size, and some deadlines.
pub(super) fn keyspace(seed: u64) -> Keyspace {
    let mut rng = Rng::new(seed);
    let mut keyspace = Keyspace::new(1, 7);
    for (at, len) in [1, 2, 5, 8, 9, 40, 700, 3000].into_iter().enumerate() {
        let made = [
            list(&mut rng, len),
            set(&mut rng, len, true),
            set(&mut rng, len, false),
            hash(&mut rng, len),
            zset(&mut rng, len),
            stream(&mut rng, len - at % 2),
        ];
        for (kind, collection) in made.into_iter().enumerate() {
            let ttl = if (at + kind).is_multiple_of(3) { Ttl::At(2_000_000_000_000) } else { Ttl::Clear };
            keyspace.put_collection(0, format!("{kind} {len}").as_bytes(), collection, ttl);
        }
        keyspace.set(
            0,
            format!("string {len}").as_bytes(),
            NewValue::Bytes(&text(&mut rng, len)),
            Ttl::Clear,
        );
    }
    keyspace
}
