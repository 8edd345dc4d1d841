//! Any bytes as images and labels of idx files, compressed or not.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    wgrad::fuzzing::idx(bytes);
});
