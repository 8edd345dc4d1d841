//! The public interface as a program uses it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

#[path = "api/asynchronous.rs"]
mod asynchronous;
#[path = "api/batches.rs"]
mod batches;
#[path = "api/descriptions.rs"]
mod descriptions;
#[path = "api/errors.rs"]
mod errors;
#[path = "api/history.rs"]
mod history;
#[path = "api/parameters.rs"]
mod parameters;
#[path = "api/predictor.rs"]
mod predictor;
#[path = "api/quick_start.rs"]
mod quick_start;

#[path = "api/threads.rs"]
mod threads;

#[path = "support/gpu.rs"]
mod gpu;

/// Numbers between -1 and 1 without a pattern that a mix-up of indices would leave as it is.
fn numbers(len: usize, start: u32) -> Vec<f32> {
    let number = |i: u32| {
        let bits = (i + 1000 * start).wrapping_mul(2_654_435_761);
        (bits >> 16) as f32 / 32_768.0 - 1.0
    };
    (0..len as u32).map(number).collect()
}

/// Asserts that two rows of numbers agree to a part in 10⁵ of the largest.
fn assert_close(what: &str, found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0.0_f64, |m, e| m.max(e.abs()));
    assert!(largest > 1e-3, "{what}: nothing but zeros are expected");
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        let close = (f64::from(*f) - e).abs() <= 1e-5 * largest;
        assert!(close, "{what}[{i}] is {f}, not {e}");
    }
}
