//! Any bytes as records of CIFAR-10 or CIFAR-100.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wgrad::data::{Cifar, cifar};

fuzz_target!(|bytes: &[u8]| {
    for kind in [Cifar::Ten, Cifar::HundredFine, Cifar::HundredCoarse] {
        if let Ok(data) = cifar(kind, bytes) {
            let classes = kind.classes().len();
            assert!(data.iter().all(|sample| sample.label() < Some(classes as u32)));
        }
    }
});
