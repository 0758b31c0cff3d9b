//! Lists against a plain vector of texts, and their form against Redis' rules.

use super::*;
use crate::data::Rng;

fn below(rng: &mut Rng, bound: usize) -> usize {
    usize::try_from(rng.below(bound as u64)).unwrap()
}

/// Short and long texts, integers among them, few enough that some are equal.
fn text(rng: &mut Rng) -> Vec<u8> {
    match rng.below(40) {
        0 => vec![b'x'; 5000],
        1 => vec![b'y'; 9000],
        2..10 => vec![b'z'; below(rng, 200)],
        _ => rng.below(30).to_string().into_bytes(),
    }
}

fn owned(item: Item<'_>) -> Vec<u8> {
    item.to_vec()
}

fn texts(list: &List) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    list.walk(0, false, |item| {
        all.push(item.to_vec());
        ControlFlow::Continue(())
    });
    all
}

fn rebuilt(list: &List, fill: Fill) -> List {
    let nodes = list.nodes().map(|node| match node {
        NodeRef::Packed(pack) => Node::Packed(Listpack::from_bytes(pack.as_bytes().to_vec()).unwrap()),
        NodeRef::Plain(text) => Node::Plain(text.into()),
    });
    List::from_nodes(nodes.collect::<Vec<_>>(), fill)
}

fn agree(list: &List, model: &[Vec<u8>], fill: Fill) {
    assert_eq!(texts(list), model);
    assert_eq!(list.len(), model.len());
    let len = i64::try_from(model.len()).unwrap();
    for index in [0, len / 3, len - 1, len, -1, -len, -len - 1] {
        let want = rank_of(index, model.len()).map(|rank| model[rank].clone());
        assert_eq!(list.get(index).map(Item::to_vec), want, "index {index} of {len}");
    }
    let middle = model.len() / 2;
    let mut back = Vec::new();
    list.walk(middle, true, |item| {
        back.push(item.to_vec());
        ControlFlow::Continue(())
    });
    back.reverse();
    assert_eq!(back, model.get(..=middle).unwrap_or_default());
    for node in list.nodes() {
        match node {
            NodeRef::Packed(pack) if list.as_listpack().is_none() => {
                assert!(!pack.is_empty() && pack.bytes_len() <= fill.heavy() + 9000);
            }
            NodeRef::Packed(_) => {}
            NodeRef::Plain(text) => assert!(fill.is_large(text.len())),
        }
    }
    assert_eq!(list.node_count(), list.nodes().count());
    assert_eq!(texts(&rebuilt(list, fill)), model);
}

/// One random change, to the list and to the model.
fn change(rng: &mut Rng, list: &mut List, model: &mut Vec<Vec<u8>>, fill: Fill) {
    let new = text(rng);
    let at = below(rng, model.len() + 1);
    match rng.below(14) {
        0..3 => (list.push(Side::Left, std::iter::once(&new[..]), fill), model.insert(0, new)).1,
        3..6 => (list.push(Side::Right, std::iter::once(&new[..]), fill), model.push(new)).1,
        6 | 7 => (list.insert(at, &new, fill), model.insert(at, new)).1,
        8 => {
            assert_eq!(list.set(i64::try_from(at).unwrap(), &new, fill), at < model.len());
            if let Some(old) = model.get_mut(at) {
                *old = new;
            }
        }
        9 => {
            let popped = list.pop(Side::Left, fill, owned);
            assert_eq!(popped, (!model.is_empty()).then(|| model.remove(0)));
        }
        10 => assert_eq!(list.pop(Side::Right, fill, owned), model.pop()),
        11 => {
            let end = (at + below(rng, 20)).min(model.len());
            list.remove(at..end, fill);
            model.drain(at..end);
        }
        12 => {
            let (most, back) = (1 + below(rng, 3), rng.below(2) == 0);
            let mut equal: Vec<usize> = (0..model.len()).filter(|&at| model[at] == new).collect();
            if back {
                equal.reverse();
            }
            equal.truncate(most);
            assert_eq!(list.position(&new), model.iter().position(|old| *old == new));
            assert_eq!(list.remove_equal(&new, most, back, fill), equal.len());
            equal.sort_unstable();
            for at in equal.into_iter().rev() {
                model.remove(at);
            }
        }
        _ => {
            let ends = [Side::Left, Side::Right];
            let (out, into) = (ends[below(rng, 2)], ends[below(rng, 2)]);
            if !model.is_empty() {
                let moved = if out == Side::Left { model.remove(0) } else { model.remove(model.len() - 1) };
                let to = if into == Side::Left { 0 } else { model.len() };
                model.insert(to, moved.clone());
                assert_eq!(list.rotate(out, into, fill), Some(moved));
            }
        }
    }
}

#[test]
fn a_list_behaves_as_a_vector_of_texts() {
    for (seed, fill) in [-2, 1, 2, 3, 5, 7, 128, -1, -5].into_iter().enumerate() {
        let fill = Fill::of(fill);
        let mut rng = Rng::new(seed as u64);
        for steps in [40, 900] {
            let (mut list, mut model) = (List::default(), Vec::new());
            for step in 0..steps {
                change(&mut rng, &mut list, &mut model, fill);
                if step % 7 == 0 {
                    agree(&list, &model, fill);
                }
            }
            agree(&list, &model, fill);
            list.remove(0..model.len(), fill);
            assert!(list.is_empty());
        }
    }
}

#[test]
fn a_clone_keeps_what_it_had_while_the_list_changes() {
    let fill = Fill::of(3);
    let mut rng = Rng::new(77);
    let (mut list, mut model) = (List::default(), Vec::new());
    for _ in 0..200 {
        change(&mut rng, &mut list, &mut model, fill);
    }
    let (kept, was) = (list.clone(), model.clone());
    for _ in 0..200 {
        change(&mut rng, &mut list, &mut model, fill);
    }
    agree(&kept, &was, fill);
    agree(&list, &model, fill);
}

#[test]
fn a_list_becomes_large_before_it_exceeds_a_node_and_small_at_half_of_one() {
    let push = |list: &mut List, texts: &[&[u8]], fill| list.push(Side::Right, texts.iter().copied(), fill);
    let four = Fill::of(4);
    let mut list = List::default();
    push(&mut list, &[b"a", b"b", b"c", b"d"], four);
    assert_eq!(list.encoding(), "listpack");
    push(&mut list, &[b"e"], four);
    assert_eq!(list.encoding(), "quicklist");
    for (len, encoding) in [(4, "quicklist"), (3, "quicklist"), (2, "listpack")] {
        list.pop(Side::Right, four, |_| ());
        assert_eq!((list.len(), list.encoding()), (len, encoding));
    }

    let four_kib = Fill::of(-1);
    let half = vec![b'x'; 2000];
    let mut list = List::default();
    push(&mut list, &[&half, &half], four_kib);
    assert_eq!(list.encoding(), "listpack");
    push(&mut list, &[&[b'y'; 100]], four_kib);
    assert_eq!(list.encoding(), "quicklist");
    list.pop(Side::Left, four_kib, |_| ());
    assert_eq!(list.encoding(), "quicklist", "more than half of a node is left");
    list.pop(Side::Left, four_kib, |_| ());
    assert_eq!(list.encoding(), "listpack");
}

#[test]
fn nodes_are_filled_from_either_end_and_a_long_element_has_its_own() {
    let fill = Fill::of(3);
    let long = vec![b'x'; 10_000];
    let mut list = List::default();
    for text in [&b"1"[..], b"2", b"3", b"4", b"5", &long, b"6"] {
        list.push(Side::Right, std::iter::once(text), fill);
    }
    for text in [&b"0"[..], b"-1"] {
        list.push(Side::Left, std::iter::once(text), fill);
    }
    let sizes: Vec<_> = list
        .nodes()
        .map(|node| match node {
            NodeRef::Packed(pack) => pack.len(),
            NodeRef::Plain(text) => text.len(),
        })
        .collect();
    assert_eq!(sizes, [2, 3, 2, 10_000, 1]);
}

#[test]
fn a_large_list_is_freed_in_slices() {
    let fill = Fill::of(10);
    let mut list = List::default();
    for _ in 0..1000 {
        list.push(Side::Right, std::iter::once(&b"some text"[..]), fill);
    }
    let whole = list.memory();
    let freed = list.dismantle(100);
    assert!((100..=110).contains(&freed), "{freed}");
    assert!(list.memory() < whole * 95 / 100);
    let mut rest = 0;
    while let more @ 1.. = list.dismantle(100) {
        rest += more;
    }
    assert_eq!(freed + rest, 1000);
}

#[test]
fn memory_is_known_to_the_byte_after_any_change() {
    let fill = Fill::of(5);
    let mut rng = Rng::new(3);
    let (mut list, mut model) = (List::default(), Vec::new());
    for _ in 0..600 {
        change(&mut rng, &mut list, &mut model, fill);
        if let Form::Large(tree) = &list.0 {
            let pages: usize = tree.leaves().map(crate::data::tree::Leaf::bytes).sum();
            assert_eq!(tree.bytes() - size_of::<Tree<Page>>(), pages);
        }
    }
}
