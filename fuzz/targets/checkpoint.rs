//! Any bytes as a checkpoint of a training.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    wgrad::fuzzing::checkpoint(bytes);
});
