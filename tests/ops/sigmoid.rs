use proptest::prelude::*;
use wgrad::plan::Mode;

use super::{cases, channels, normal};
use crate::reference::{Tensor, sigmoid};
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

fn check(shape: &[usize], scale: f64, seed: u64) {
    let Some(device) = gpu::device() else { return };
    let x = normal(shape, seed).map(|x| f64::from((scale * x) as f32));
    let dy = normal(shape, seed + 1);
    let mut probe = Probe::new(shape[0]);
    let x_var = probe.input(&x);
    let y = probe.graph.sigmoid(x_var);
    let dx = probe.gradients(y, &dy, &[x_var])[0];
    let results = probe.run(device, Mode::Training, &[y, dx]);
    let reference = sigmoid::forward(&x);
    assert_close("y", &results[0], &reference, Tolerance::F32);
    let reference = sigmoid::grad_input(&reference, &dy);
    assert_close("dx", &results[1], &reference, Tolerance::F32);
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
