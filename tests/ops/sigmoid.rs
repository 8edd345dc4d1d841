use proptest::prelude::*;
use wgrad::graph::Graph;
use wgrad::plan::Mode;

use super::{cases, channels, check_from_result};
use crate::reference::{Tensor, sigmoid};
use crate::support::gpu;
use crate::support::probe::Probe;

fn check(shape: &[usize], scale: f64, seed: u64) {
    let case = (shape, scale, seed);
    check_from_result(case, Graph::sigmoid, sigmoid::forward, sigmoid::grad_input);
}

#[test]
fn features_and_images() {
    check(&[1, 1], 1.0, 1);
    check(&[3, 10], 1.0, 2);
    check(&[2, 5, 3, 7], 0.01, 3);
    check(&[2, 4, 3, 7], 5.0, 4);
}

#[test]
fn far_out_nothing_overflows_and_nan_stays_nan() {
    let Some(device) = gpu::device() else { return };
    let x = Tensor::new(
        &[1, 5],
        vec![1e4, -1e4, f64::INFINITY, f64::NEG_INFINITY, f64::NAN],
    );
    let mut probe = Probe::new(1);
    let x = probe.input(&x);
    let y = probe.graph.sigmoid(x);
    let y = &probe.run(device, Mode::Training, &[y])[0];
    assert_eq!(y[..4], [1.0, 0.0, 1.0, 0.0]);
    assert!(y[4].is_nan());
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(n in 1_usize..4, c in channels(), h in 1_usize..9, w in 1_usize..9, seed: u64) {
        check(&[n, c, h, w], 1.0, seed % 1000);
    }
}
