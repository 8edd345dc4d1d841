//! Any bytes as records of CIFAR-10 or CIFAR-100.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    wgrad::fuzzing::cifar(bytes);
});
