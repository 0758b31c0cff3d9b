//! See `inputs::rdb`.
#![no_main]

#[path = "../inputs.rs"]
#[expect(dead_code, reason = "each target uses one of them")]
mod inputs;

libfuzzer_sys::fuzz_target!(|data: &[u8]| inputs::rdb(data));
