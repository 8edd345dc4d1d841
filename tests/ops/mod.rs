//! One file per operator's stem: fixed cases, and properties over random shapes and attributes.

mod add;
mod batch_norm;
mod concat;
mod conv2d;
mod conv2d_variants;
mod dropout;
mod global_mean_pool;
mod leaky_relu;
mod linear;
mod log_softmax;
mod max_pool2d;
mod mean_pool2d;
mod mse;
mod multiply;
mod prelu;
mod relayout;
mod relu;
mod reshape;
mod rrelu;
mod scale;
mod scale_shift;
mod sigmoid;
mod slice_channels;
mod softmax;
mod softmax_cross_entropy;
mod tanh;
mod unary;

use proptest::test_runner::Config;

use crate::reference::Tensor;

/// The number of random cases per property; `PROPTEST_CASES` changes it.
fn cases() -> Config {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|n| n.parse().ok());
    Config {
        cases: cases.unwrap_or(16),
        failure_persistence: None,
        ..Config::default()
    }
}

/// Channel counts around the width of a vec4.
fn channels() -> impl proptest::strategy::Strategy<Value = usize> {
    proptest::sample::select(vec![1_usize, 2, 3, 4, 5, 8, 13])
}

/// Normal values of this shape.
fn normal(shape: &[usize], seed: u64) -> Tensor {
    Tensor::normal(shape, seed)
}
