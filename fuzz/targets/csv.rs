//! Any bytes as a table, for a classification and for a regression.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    wgrad::fuzzing::csv(bytes);
});
