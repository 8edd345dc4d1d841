use proptest::prelude::*;
use wgrad::plan::Mode;

use super::{cases, channels, normal};
use crate::reference::relu;
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

fn check(shape: &[usize], seed: u64) {
    let Some(device) = gpu::device() else { return };
    let x = normal(shape, seed);
    let dy = normal(shape, seed + 1);
    let mut probe = Probe::new(shape[0]);
    let x_var = probe.input(&x);
    let y = probe.graph.relu(x_var);
    let dx = probe.gradients(y, &dy, &[x_var])[0];
    let results = probe.run(device, Mode::Training, &[y, dx]);
    assert_close("y", &results[0], &relu::forward(&x), Tolerance::F32);
    assert_close(
        "dx",
        &results[1],
        &relu::grad_input(&x, &dy),
        Tolerance::F32,
    );
}

#[test]
fn features_and_images() {
    check(&[1, 1], 1);
    check(&[3, 10], 2);
    check(&[2, 5, 3, 7], 3);
}

#[test]
fn nan_stays_nan() {
    let Some(device) = gpu::device() else { return };
    let mut probe = Probe::new(1);
    let mut x = normal(&[1, 4], 1);
    x.data[2] = f64::NAN;
    let x = probe.input(&x);
    let y = probe.graph.relu(x);
    assert!(probe.run(device, Mode::Training, &[y])[0][2].is_nan());
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(n in 1_usize..4, c in channels(), h in 1_usize..9, w in 1_usize..9, seed: u64) {
        check(&[n, c, h, w], seed % 1000);
    }
}
