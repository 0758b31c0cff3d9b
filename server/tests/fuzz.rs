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
        _ => stream_node(),
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
