//! What a decoder is put through with one input, whoever made it: a fuzzer, or the bounded run of `cargo test`.
//!
//! The inputs may do anything but end the process, keep what breaks the rules of a value, or take more memory than their
//! own length justifies, which the bounded run watches from outside.

use rctl_server::data::hyperloglog::Sketch;
use rctl_server::data::listpack::Item;
use rctl_server::data::stream::{Id, Node};
use rctl_server::data::{Collection, IntSet, Limits as Thresholds, Listpack};
use rctl_server::keyspace::{NewValue, ValueRef};
use rctl_server::persist::crc64::Crc64;
use rctl_server::persist::dump::{self, Restored};
use rctl_server::persist::{Decoder, Load};
use rctl_server::resp::{Batch, Limits, Parser, value};

/// Takes one input.
pub(crate) type Target = fn(&[u8]);

/// Every target by its name.
pub(crate) const TARGETS: [(&str, Target); 8] = [
    ("request", request),
    ("reply", reply),
    ("listpack", listpack),
    ("intset", intset),
    ("stream_node", stream_node),
    ("hyperloglog", hyperloglog),
    ("rdb", rdb),
    ("restore", restore),
];

/// Requests of a client, cut into pieces whose length the first byte chooses, before and after authentication.
pub(crate) fn request(data: &[u8]) {
    let Some((&piece, data)) = data.split_first() else { return };
    for limits in [Limits::BEFORE_AUTH, Limits::OPEN] {
        let (mut parser, mut batch) = (Parser::default(), Batch::default());
        let (mut held, mut met) = (Vec::new(), 0);
        for piece in data.chunks(usize::from(piece).max(1)) {
            held.extend_from_slice(piece);
            batch.clear();
            let used = match parser.parse(&held, &limits, 64, &mut batch) {
                Ok(used) => used,
                Err(_) => break,
            };
            for index in 0..batch.len() {
                let args = batch.args(&held, index);
                met += args.iter_from(0).map(<[u8]>::len).sum::<usize>();
                assert!(args.len() <= limits.args, "no request has more arguments than allowed");
            }
            held.drain(..used);
        }
        assert!(met <= data.len(), "requests hold no more than was sent");
    }
}

/// A reply, as masters and targets of MIGRATE send them.
pub(crate) fn reply(data: &[u8]) {
    if let Ok(Some((_, used))) = value::decode(data) {
        assert!(used <= data.len(), "a reply is as long as it says");
    }
}

/// A listpack from outside: one that is taken can be walked both ways, changed, and taken again.
pub(crate) fn listpack(data: &[u8]) {
    let Ok(mut pack) = Listpack::from_bytes(data.to_vec()) else { return };
    let count = pack.iter().count();
    assert_eq!(pack.len(), count, "it holds as many as it says");
    let texts: Vec<Vec<u8>> = pack.iter().map(Item::to_vec).collect();
    for (at, text) in texts.iter().enumerate() {
        let back = i64::try_from(at).unwrap_or(0) - i64::try_from(count).unwrap_or(0);
        assert_eq!(pack.get(back).map(Item::to_vec).as_ref(), Some(text), "from either end");
        if at > 200 {
            break;
        }
    }
    pack.push_front(b"first");
    pack.push_back(b"-12345");
    pack.remove_range(0, 1);
    let again = Listpack::from_bytes(pack.as_bytes().to_vec()).map(|pack| pack.len());
    assert_eq!(again, Ok(count + 1), "what we made of it is one");
}

/// An intset from outside.
pub(crate) fn intset(data: &[u8]) {
    let Ok(mut set) = IntSet::from_bytes(data.to_vec()) else { return };
    let numbers: Vec<i64> = set.iter().collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "in order, each once");
    assert!(numbers.iter().all(|&number| set.contains(number)), "all can be found");
    set.insert(i64::MIN);
    set.insert(7);
    set.remove(7);
    assert!(IntSet::from_bytes(set.as_bytes().to_vec()).is_ok(), "what we made of it is one");
}

/// A node of a stream from outside, behind the id of its master entry.
pub(crate) fn stream_node(data: &[u8]) {
    let Some((id, bytes)) = data.split_first_chunk::<16>() else { return };
    let _ = Node::verify(Id::from_bytes(*id), bytes.to_vec());
}

/// A HyperLogLog as SET may have left it: any string can stand where PFCOUNT looks.
pub(crate) fn hyperloglog(data: &[u8]) {
    let Some(mut sketch) = Sketch::from_bytes(data) else { return };
    if sketch.check().is_err() {
        return;
    }
    let _ = sketch.count();
    let _ = sketch.add(b"element", 3000);
    let _ = sketch.make_dense();
    let _ = sketch.count();
}

/// Low ones, so that collections change their form.
fn thresholds() -> Thresholds {
    Thresholds {
        list_node: 4,
        hash_entries: 4,
        set_ints: 4,
        set_entries: 4,
        zset_entries: 4,
        ..Thresholds::default()
    }
}

/// Takes what a file holds, and writes each collection out again.
struct Passing;

impl Load for Passing {
    fn begin(&mut self, _: u16) -> Result<(), String> {
        Ok(())
    }
    fn aux(&mut self, _: &[u8], _: &[u8]) {}
    fn select(&mut self, _: u64) -> Result<(), String> {
        Ok(())
    }
    fn resize(&mut self, _: u64, _: u64) {}
    fn string(&mut self, _: &[u8], _: NewValue<'_>, _: Option<u64>) -> Result<(), String> {
        Ok(())
    }
    fn collection(&mut self, _: &[u8], collection: Collection, _: Option<u64>) -> Result<(), String> {
        written_and_read(&collection);
        Ok(())
    }
    fn limits(&self) -> Thresholds {
        thresholds()
    }
    fn skipped(&mut self, _: &str) {}
    fn end(&mut self, _: bool) {}
}

/// What was taken from outside can be written, and what is written is taken again.
fn written_and_read(collection: &Collection) {
    let payload = dump::dump(ValueRef::Collection(collection));
    let again = dump::restore(&payload, &thresholds());
    let whole = matches!(&again, Ok(Restored::Collection(again)) if again.len() == collection.len());
    assert!(whole, "all of it comes back, not {again:?}");
}

/// A data file, or a snapshot from a master, cut into pieces whose length the first byte chooses.
pub(crate) fn rdb(data: &[u8]) {
    let Some((&piece, data)) = data.split_first() else { return };
    let mut decoder = Decoder::new();
    for piece in data.chunks(usize::from(piece).max(1)) {
        if decoder.feed(piece, &mut Passing).is_err() {
            return;
        }
    }
    let _ = decoder.finish();
}

/// The value of a payload for RESTORE; its version and checksum are made right.
pub(crate) fn restore(data: &[u8]) {
    let mut payload = [data, &[12, 0]].concat();
    let mut checksum = Crc64::new();
    checksum.update(&payload);
    payload.extend(checksum.value().to_le_bytes());
    if let Ok(Restored::Collection(collection)) = dump::restore(&payload, &thresholds()) {
        written_and_read(&collection);
    }
}
