//! Any bytes as a table, for a classification and for a regression.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wgrad::data::Csv;

fuzz_target!(|input: (bool, &[u8])| {
    let (header, table) = input;
    for csv in [Csv::labelled(0), Csv::predicting([1])] {
        if let Ok(data) = csv.header(header).parse(table) {
            let finite = |value: &f32| value.is_finite();
            assert!(data.iter().all(|sample| sample.values().iter().all(finite)));
        }
    }
});
