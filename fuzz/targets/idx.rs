//! Two files of any bytes as images and labels, compressed or not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wgrad::data::idx;

fuzz_target!(|files: (&[u8], &[u8])| {
    let (images, labels) = files;
    if let Ok(data) = idx(images, labels, 10) {
        assert_eq!(data.iter().count(), data.len());
        assert!(data.iter().all(|sample| sample.label() < Some(10)));
    }
});
