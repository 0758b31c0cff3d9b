//! A bounded run of the fuzz targets (`server/fuzz`): seeded mutations of real bytes, with an eye on memory.
//!
//! `FUZZ_INPUTS=1000000 cargo test --release -p rctl-server --test fuzz` runs longer, `FUZZ_SEED` elsewhere. Its inputs
//! are the same on every machine, so a failure names the target and the input's number.

#[path = "../fuzz/inputs.rs"]
mod inputs;

use peak_alloc::PeakAlloc;
use rctl_server::data::Rng;
use rctl_server::resp::reply::encode_request;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Inputs per target of a plain `cargo test`.
const INPUTS: u64 = 4000;
/// Bytes that a target may take whatever its input, and how many for each byte of it.
const SPARE: usize = 1 << 20;
const PER_BYTE: usize = 64;

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[test]
fn decoders_stand_whatever_they_are_given() {
    // One test: another at the same time would be taken for what a target takes.
    values_are_taken();
    let seed = number("FUZZ_SEED", 1);
    for (name, target) in inputs::TARGETS {
        let samples = samples(name);
        let mut rng = Rng::new(seed);
        for at in 0..number("FUZZ_INPUTS", INPUTS) {
            let input = mutated(&samples, &mut rng);
            let before = MEMORY.current_usage();
            MEMORY.reset_peak_usage();
            let held = std::panic::catch_unwind(|| target(&input));
            let taken = MEMORY.peak_usage().saturating_sub(before);
            assert!(held.is_ok(), "{name}: input {at} of seed {seed}: {}", input.escape_ascii());
            assert!(
                taken <= SPARE + PER_BYTE * input.len(),
                "{name}: input {at} of seed {seed} takes {taken} bytes for its {}: {}",
                input.len(),
                input.escape_ascii()
            );
        }
    }
}

/// Whole inputs, from which the others are made.
fn samples(name: &str) -> Vec<Vec<u8>> {
    use rctl_server::data::{IntSet, Listpack};
    match name {
        "request" => {
            let mut pipeline = vec![17];
            encode_request(&mut pipeline, &["SET", "key", "value"]);
            encode_request(&mut pipeline, &["LPUSH", "list", &"x".repeat(300), "-17"]);
            vec![pipeline, b"\x05PING\r\nSET \"a b\" 'c'\r\n*0\r\n".to_vec()]
        }
        "reply" => vec![
            b"%1\r\n+a\r\n*3\r\n:1\r\n$3\r\nfoo\r\n_\r\n".to_vec(),
            b"-ERR no\r\n".to_vec(),
            b"=7\r\ntxt:abc\r\n,1.5\r\n#t\r\n(123\r\n".to_vec(),
        ],
        "listpack" => {
            let mut pack = Listpack::new();
            for text in ["a", "17", "-70000", "4294967296", "-9223372036854775808", &"long ".repeat(40)] {
                pack.push_back(text.as_bytes());
            }
            vec![pack.as_bytes().to_vec(), Listpack::new().as_bytes().to_vec()]
        }
        "intset" => {
            let mut small = IntSet::new();
            for n in 0..20 {
                small.insert(n * 7);
            }
            let mut wide = small.clone();
            wide.insert(1 << 40);
            vec![small.as_bytes().to_vec(), wide.as_bytes().to_vec()]
        }
        "hyperloglog" => {
            let mut sketch = rctl_server::data::hyperloglog::Sketch::new();
            for n in 0u32..50 {
                let _ = sketch.add(&n.to_le_bytes(), 3000);
            }
            let sparse = sketch.as_bytes().to_vec();
            let _ = sketch.make_dense();
            vec![sparse, sketch.as_bytes().to_vec()]
        }
        "rdb" => values()
            .iter()
            .map(|value| {
                let (kind, body) = value.split_at(1);
                [b"\x20REDIS0011\xfa\x01a\x01b\xfe\x00\xfb\x01\x00", kind, b"\x01k", body, b"\xff", &[0; 8]]
                    .concat()
            })
            .collect(),
        "restore" => values(),
        _ => stream_node(),
    }
}

/// A value of each type and form: the byte of its type, and its body.
fn values() -> Vec<Vec<u8>> {
    let packed = |texts: &[&str]| {
        let mut pack = rctl_server::data::Listpack::new();
        texts.iter().for_each(|text| pack.push_back(text.as_bytes()));
        pack.as_bytes().to_vec()
    };
    let text = |bytes: &[u8]| {
        let len = u16::try_from(bytes.len()).unwrap_or(0).to_be_bytes();
        [&[0x40 | len[0], len[1]], bytes].concat()
    };
    let form = |kind: u8, bytes: &[u8]| [&[kind], &text(bytes)[..]].concat();
    let ziplist: &[u8] = b"\x10\0\0\0\x0d\0\0\0\x02\0\x00\x01a\x03\xf6\xff";
    let node = stream_node().swap_remove(0);
    let (id, pack) = node.split_at(16);
    vec![
        b"\x00\x05hello".to_vec(),
        b"\x01\x03\x01a\xc0\x07\x01b".to_vec(),
        b"\x02\x02\x01a\xc1\x00\x10".to_vec(),
        b"\x03\x02\x01a\x031.5\x01b\xff".to_vec(),
        b"\x04\x02\x01f\x01v\x01g\xc0\x01".to_vec(),
        b"\x05\x02\x01a\0\0\0\0\0\0\xf0\x3f\x01b\0\0\0\0\0\0\x00\x40".to_vec(),
        form(9, b"\x01\x01f\x01\x00v\xff"),
        form(10, ziplist),
        form(11, b"\x02\0\0\0\x02\0\0\0\x01\x00\x05\x00"),
        form(12, ziplist),
        form(13, ziplist),
        [&b"\x0e\x01"[..], &text(ziplist)].concat(),
        form(16, &packed(&["f", "v", "g", "12"])),
        form(17, &packed(&["a", "1", "b", "2.5"])),
        [&b"\x12\x02\x02"[..], &text(&packed(&["a", "17"])), b"\x01", &text(b"plain")].concat(),
        form(20, &packed(&["a", "17", "b"])),
        [&b"\x0f\x01\x10"[..], id, &text(pack), b"\x02\x0b\x02\x00"].concat(),
        [
            &b"\x15\x01\x10"[..],
            id,
            &text(pack),
            b"\x02\x0b\x02\x05\x01\x00\x00\x02",
            b"\x01\x01g\x09\x00\x01\x01",
            &[0; 7],
            b"\x05\0\0\0\0\0\0\0\x01",
            &[1; 8],
            b"\x01\x01\x01c",
            &[1; 16],
            b"\x01",
            &[0; 7],
            b"\x05\0\0\0\0\0\0\0\x01",
        ]
        .concat(),
    ]
}

/// Mutations say something only if what they are made from is taken.
fn values_are_taken() {
    for value in values() {
        let mut payload = [&value[..], &[12, 0]].concat();
        let mut checksum = rctl_server::persist::crc64::Crc64::new();
        checksum.update(&payload);
        payload.extend(checksum.value().to_le_bytes());
        let taken = rctl_server::persist::dump::restore(&payload, &rctl_server::data::Limits::default());
        assert!(taken.is_ok(), "{}: {taken:?}", value.escape_ascii());
    }
}

/// The master entry, and an entry with the same fields and one with others, as XADD writes them.
fn stream_node() -> Vec<Vec<u8>> {
    let mut pack = rctl_server::data::Listpack::new();
    for text in ["2", "0", "1", "f", "0", "2", "0", "0", "v", "4", "0", "5", "1", "1", "g", "w", "6"] {
        pack.push_back(text.as_bytes());
    }
    let id = rctl_server::data::stream::Id { ms: 5, seq: 1 }.to_bytes();
    vec![[&id[..], pack.as_bytes()].concat()]
}

/// A sample with some bytes changed, removed, repeated or put in; numbers that decoders trip over are put in often.
fn mutated(samples: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    const TELLING: [&[u8]; 10] = [
        b"\x00",
        b"\xff",
        b"\x7f",
        b"\x80",
        b"\xff\xff",
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x80",
        b"\xf0\xff\xff\xff\x7f",
        b"-1",
        b"99999999999999999999",
    ];
    let below = |rng: &mut Rng, end: usize| usize::try_from(rng.below(end as u64)).unwrap_or(0);
    let mut bytes = samples[below(rng, samples.len())].clone();
    for _ in 0..=below(rng, 4) {
        let at = below(rng, bytes.len() + 1);
        let end = (at + 1 + below(rng, 8)).min(bytes.len());
        match rng.below(7) {
            0 => bytes.truncate(at),
            1 if at < bytes.len() => bytes[at] ^= 1 << rng.below(8),
            2 if at < bytes.len() => bytes[at] = u8::try_from(rng.below(256)).unwrap_or(0),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            5 => drop(bytes.splice(at..at, TELLING[below(rng, TELLING.len())].iter().copied())),
            _ => {
                let telling = TELLING[below(rng, TELLING.len())];
                let end = (at + telling.len()).min(bytes.len());
                bytes.splice(at..end, telling.iter().copied());
            }
        }
    }
    bytes
}
