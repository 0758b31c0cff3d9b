//! Streams against naive models, and nodes from outside.

use super::*;
use crate::data::{Limits, Rng};
use proptest::prelude::*;
use std::collections::BTreeMap;

type Words = Vec<Vec<u8>>;

fn id(ms: u64, seq: u64) -> Id {
    Id { ms, seq }
}

fn small() -> Limits {
    Limits { stream_entries: 5, stream_bytes: 200, ..Limits::default() }
}

fn append(log: &mut Log, at: Id, words: &Words, limits: &Limits) {
    log.append(at, words.len() / 2, |n| &words[n], limits);
}

fn shown(entry: Entry<'_>) -> (Id, Words) {
    let words = entry.fields.flat_map(|(name, value)| [name.to_vec(), value.to_vec()]).collect();
    (entry.id, words)
}

/// The same stream from its nodes' bytes.
fn reloaded(log: &Log) -> Log {
    let mut loaded = Log::default();
    for node in log.nodes() {
        let verified = Node::verify(node.master(), node.as_bytes().to_vec()).unwrap();
        assert_eq!(verified.len(), node.len());
        loaded.push_node(verified).unwrap();
    }
    loaded.finish(log.len() as u64, log.last(), Some(log.added()), Some(log.max_deleted())).unwrap();
    loaded
}

fn assert_is(log: &Log, model: &BTreeMap<Id, Words>, rng: &mut Rng) {
    assert_eq!((log.len(), log.node_count()), (model.len(), log.nodes().count()));
    assert_eq!(log.first(), model.keys().next().copied().unwrap_or_default());
    assert_eq!(log.top(), model.keys().next_back().copied());
    for _ in 0..4 {
        let (from, to) = (id(rng.below(60), rng.below(4)), id(rng.below(60), rng.below(4)));
        let mut wanted: Vec<_> = if from <= to {
            model.range(from..=to).map(|(id, words)| (*id, words.clone())).collect()
        } else {
            Vec::new()
        };
        assert_eq!(log.range(from, to).map(shown).collect::<Vec<_>>(), wanted);
        wanted.reverse();
        assert_eq!(log.reverse(from, to).map(shown).collect::<Vec<_>>(), wanted);
        assert_eq!(log.contains(from), model.contains_key(&from));
        assert_eq!(log.has_after(from), model.keys().any(|id| *id > from));
    }
}

/// Some words: the same names often, numbers and texts.
fn words(rng: &mut Rng) -> Words {
    let fields = if rng.below(3) == 0 { 1 + rng.below(3) } else { 2 };
    (0..2 * fields)
        .map(|n| match (n % 2, rng.below(4)) {
            (0, 0) => vec![b'x'; 1 + rng.below(90) as usize],
            (0, _) => format!("field{n}").into_bytes(),
            (_, 0) => (rng.below(1 << 40) as i64 - (1 << 39)).to_string().into_bytes(),
            _ => vec![b'v'; rng.below(20) as usize],
        })
        .collect()
}

#[test]
fn a_log_holds_what_a_sorted_map_holds_whatever_was_done() {
    for seed in 0..40 {
        let mut rng = Rng::new(seed);
        let (mut log, mut model, mut held) = (Log::default(), BTreeMap::new(), Vec::new());
        let mut added = 0;
        for step in 0..400 {
            match rng.below(10) {
                0..6 => {
                    let last = log.last();
                    let next = if rng.below(3) == 0 {
                        id(last.ms + 1, rng.below(3))
                    } else {
                        id(last.ms, last.seq + 1)
                    };
                    let words = words(&mut rng);
                    append(&mut log, next, &words, &small());
                    model.insert(next, words);
                    added += 1;
                }
                6..9 => {
                    let some = model.keys().nth(rng.below(model.len() as u64 + 1) as usize).copied();
                    let gone = some.unwrap_or_default();
                    assert_eq!(log.delete(gone), model.remove(&gone).is_some());
                }
                _ => {
                    let most = rng.below(30);
                    let (keep, wanted) = if rng.below(2) == 0 {
                        (Keep::Len(most), model.len().saturating_sub(most as usize))
                    } else {
                        let from = id(rng.below(log.last().ms + 2), rng.below(4));
                        (Keep::From(from), model.range(..from).count())
                    };
                    let approximate = rng.below(2) == 0;
                    let went = log.trim(&Trim { keep, approximate, limit: 0 });
                    assert!(went == wanted || approximate && went < wanted, "{went} of {wanted}");
                    for _ in 0..went {
                        model.pop_first();
                    }
                }
            }
            assert_eq!(log.added(), added);
            if step % 50 == 7 {
                held.push((log.clone(), model.clone()));
            }
            if step % 10 == 0 {
                assert_is(&log, &model, &mut rng);
            }
        }
        for (log, model) in held {
            assert_is(&log, &model, &mut rng);
            assert_is(&reloaded(&log), &model, &mut rng);
        }
    }
}

#[test]
fn a_node_is_the_bytes_that_redis_writes() {
    let mut log = Log::default();
    let limits = Limits::default();
    append(&mut log, id(1, 1), &vec![b"a".to_vec(), b"1".to_vec()], &limits);
    append(&mut log, id(1, 2), &vec![b"a".to_vec(), b"x".to_vec()], &limits);
    append(&mut log, id(2, 0), &vec![b"b".to_vec(), b"y".to_vec()], &limits);
    assert!(log.delete(id(1, 1)));
    let (node, next) = log.node_at(0).unwrap();
    assert_eq!((node.master(), next), (id(1, 1), 2));
    let head = [2, 1, 1, 1, 1, 1, 0x81, b'a', 2, 0, 1];
    let entries: &[u8] = &[
        3, 1, 0, 1, 0, 1, 1, 1, 4, 1, // gone, with the names of the head
        2, 1, 0, 1, 1, 1, 0x81, b'x', 2, 4, 1, //
        0, 1, 1, 1, 0xdf, 0xff, 2, 1, 1, 0x81, b'b', 2, 0x81, b'y', 2, 6, 1,
    ];
    let body = &node.as_bytes()[6..node.as_bytes().len() - 1];
    assert_eq!(body, [&head[..], entries].concat());
}

#[test]
fn a_node_is_full_when_redis_says_so() {
    let mut log = Log::default();
    let limits = Limits { stream_entries: 3, stream_bytes: 0, ..Limits::default() };
    for n in 1..=7 {
        append(&mut log, id(n, 0), &vec![b"a".to_vec(), b"1".to_vec()], &limits);
    }
    assert_eq!(log.nodes().map(Node::len).collect::<Vec<_>>(), [3, 3, 1]);
    let trim = |keep, limit| Trim { keep, approximate: true, limit };
    assert_eq!(log.clone().trim(&trim(Keep::Len(4), 0)), 3);
    assert_eq!(log.clone().trim(&trim(Keep::Len(0), 4)), 3);
    assert_eq!(log.clone().trim(&trim(Keep::Len(0), 2)), 0);
    assert_eq!(log.clone().trim(&trim(Keep::From(id(6, 0)), 0)), 3);
    assert_eq!(log.trim(&trim(Keep::From(Id::MAX), 0)), 7);
    assert!(log.is_empty() && log.node_at(0).is_none());
    append(&mut log, id(9, 0), &vec![b"a".to_vec(), b"1".to_vec()], &limits);
    assert_eq!((log.first(), log.len(), log.added()), (id(9, 0), 1, 8));
}

#[test]
fn what_breaks_a_rule_of_nodes_is_refused() {
    let mut log = Log::default();
    let limits = Limits::default();
    for n in 1..=3 {
        append(&mut log, id(n, 0), &vec![b"a".to_vec(), b"1".to_vec()], &limits);
    }
    let node = log.node_at(0).unwrap().0.clone();
    let verify = |bytes: Vec<u8>| Node::verify(id(1, 0), bytes).map_err(|error| error.0);
    let changed = |at: usize, byte: u8| {
        let mut bytes = node.as_bytes().to_vec();
        bytes[at] = byte;
        verify(bytes).map(|node| node.len())
    };
    assert_eq!(changed(6, 3), Ok(3));
    assert_eq!(changed(6, 2), Err("a node of a stream has other entries than its head says"));
    assert_eq!(changed(8, 1), Err("a node of a stream has other entries than its head says"));
    assert_eq!(changed(10, 2), Err("the head of a node of a stream is broken"));
    assert_eq!(changed(15, 5), Err("the head of a node of a stream is broken"));
    assert_eq!(changed(17, 8), Err("an entry of a stream has flags that nobody knows"));
    assert_eq!(changed(17, 0), Err("an entry of a stream has other elements than it says"));
    assert_eq!(changed(19, 2), Err("the ids of a stream do not grow"));
    assert_eq!(changed(25, 5), Err("an entry of a stream has other elements than it says"));
    assert!(Node::verify(Id::MAX, node.as_bytes().to_vec()).is_err(), "ids past the greatest wrap");
    let mut loaded = Log::default();
    loaded.push_node(node.clone()).unwrap();
    assert!(loaded.push_node(node).is_err(), "a second time");
    assert!(loaded.clone().finish(4, id(3, 0), None, None).is_err());
    assert!(loaded.clone().finish(3, id(2, 0), None, None).is_err());
    assert_eq!(loaded.finish(3, id(3, 0), None, None), Ok(()));
    assert_eq!((loaded.added(), loaded.first()), (3, id(1, 0)));
}

proptest! {
    #[test]
    fn no_bytes_at_all_can_do_more_than_be_refused(
        seed in any::<u64>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        master in (any::<u64>(), any::<u64>()),
    ) {
        let mut rng = Rng::new(seed);
        let mut log = Log::default();
        for n in 1..8 {
            append(&mut log, id(n, 0), &words(&mut rng), &Limits::default());
        }
        log.delete(id(3, 0));
        let mut bytes = log.node_at(0).unwrap().0.as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(node) = Node::verify(Id { ms: master.0, seq: master.1 }, bytes) {
            let mut log = Log::default();
            log.push_node(node).unwrap();
            let met: Vec<Id> = log.range(Id::MIN, Id::MAX).map(|entry| shown(entry).0).collect();
            let mut back: Vec<Id> = log.reverse(Id::MIN, Id::MAX).map(|entry| entry.id).collect();
            back.reverse();
            prop_assert_eq!(&met, &back);
            prop_assert_eq!(met.len(), log.len());
            prop_assert!(met.is_sorted());
        }
    }
}

/// A group as two maps.
#[derive(Debug, Clone, Default)]
struct Model {
    pending: BTreeMap<Id, (Vec<u8>, u64)>,
    consumers: BTreeMap<Vec<u8>, ()>,
}

fn assert_agrees(group: &Group, model: &Model) {
    let names: Vec<_> = group.consumers().map(|(_, consumer)| consumer.name().to_vec()).collect();
    assert_eq!(names, model.consumers.keys().cloned().collect::<Vec<_>>());
    let all: Vec<_> = group
        .pending_from(Id::MIN)
        .map(|p| (p.id, (group.name_of(p.owner).to_vec(), p.deliveries)))
        .collect();
    assert_eq!(all, model.pending.clone().into_iter().collect::<Vec<_>>());
    assert_eq!(group.pending_len(), model.pending.len());
    for (owner, consumer) in group.consumers() {
        let own: Vec<_> = group.pending_of(owner, id(20, 0)).map(|p| p.id).collect();
        let wanted: Vec<_> = model
            .pending
            .range(id(20, 0)..)
            .filter(|(_, (name, _))| **name == *consumer.name())
            .map(|(id, _)| *id)
            .collect();
        assert_eq!(own, wanted);
        let all = model.pending.values().filter(|(name, _)| **name == *consumer.name()).count();
        assert_eq!(consumer.pending(), all);
    }
}

#[test]
fn a_group_knows_who_has_what_whatever_was_done() {
    for seed in 0..20 {
        let mut rng = Rng::new(seed);
        let (mut groups, mut model, mut held) = (Groups::default(), Model::default(), Vec::new());
        assert!(groups.add(b"g", Group::new(id(1, 0), None)) && !groups.add(b"g", Group::default()));
        for step in 0..2000 {
            let name = format!("consumer{}", rng.below(6)).into_bytes();
            let entry = id(rng.below(600), 0);
            groups.edit(b"g", |group| match rng.below(20) {
                0..16 => {
                    let owner = group.find(&name).or_else(|| group.add(&name, 1, None)).unwrap();
                    group.assign(Pending { id: entry, delivered_ms: 1, deliveries: step, owner });
                    model.consumers.insert(name.clone(), ());
                    model.pending.insert(entry, (name, step));
                }
                16..19 => assert_eq!(group.acknowledge(entry), model.pending.remove(&entry).is_some()),
                _ => {
                    let had = model.pending.values().filter(|(owner, _)| *owner == name).count();
                    let there = model.consumers.remove(&name).is_some();
                    assert_eq!(group.remove(&name), there.then_some(had));
                    model.pending.retain(|_, (owner, _)| *owner != name);
                }
            });
            if step % 300 == 100 {
                held.push((groups.clone(), model.clone()));
            }
            if step % 100 == 0 {
                assert_agrees(groups.get(b"g").unwrap(), &model);
            }
        }
        for (groups, model) in held {
            assert_agrees(groups.get(b"g").unwrap(), &model);
        }
        assert!(groups.memory() > 0);
        assert!(groups.remove(b"g") && !groups.remove(b"g"));
        assert_eq!(groups.memory(), 0);
    }
}

#[test]
fn a_group_of_a_snapshot_is_taken_only_whole() {
    let mut loading = Loading::new(id(5, 0), Some(3));
    loading.pending(id(1, 0), 7, 2).unwrap();
    loading.pending(id(2, 0), 8, 1).unwrap();
    assert!(loading.pending(id(1, 0), 7, 2).is_err());
    let alice = loading.consumer(b"alice", 1, None).unwrap();
    assert!(loading.consumer(b"alice", 1, None).is_err());
    loading.own(alice, id(2, 0)).unwrap();
    assert!(loading.own(alice, id(2, 0)).is_err());
    assert!(loading.own(alice, id(3, 0)).is_err());
    let bob = loading.consumer(b"bob", 1, Some(4)).unwrap();
    loading.own(bob, id(1, 0)).unwrap();
    let group = loading.finish().unwrap();
    assert_eq!(group.pending_ends(), Some((id(1, 0), id(2, 0))));
    assert_eq!(
        group.pending_of(bob, Id::MIN).map(|p| (p.delivered_ms, p.deliveries)).collect::<Vec<_>>(),
        [(7, 2)]
    );
    let mut loading = Loading::new(id(5, 0), Some(3));
    loading.pending(id(1, 0), 7, 2).unwrap();
    assert!(loading.finish().is_err());
}

#[test]
fn a_stream_is_freed_in_slices_and_its_memory_with_it() {
    let mut stream = Stream::default();
    let empty = stream.memory();
    for n in 1..=2000 {
        append(stream.log_mut(), id(n, 0), &vec![b"a".to_vec(), b"1".to_vec()], &Limits::default());
    }
    let (groups, _) = stream.groups_mut();
    groups.add(b"g", Group::default());
    groups.edit(b"g", |group| {
        let owner = group.add(b"c", 1, None).unwrap();
        for n in 1..=1000 {
            group.assign(Pending { id: id(n, 0), delivered_ms: 1, deliveries: 1, owner });
        }
    });
    let (mut slices, mut memory) = (0, stream.memory());
    assert!(memory > empty + 20_000);
    while stream.dismantle(100) > 0 {
        slices += 1;
        assert!(stream.memory() <= memory);
        memory = stream.memory();
    }
    assert!(slices >= 30, "{slices}");
    assert!(stream.is_empty() && stream.groups().is_empty());
    assert_eq!(stream.memory(), empty);
}
