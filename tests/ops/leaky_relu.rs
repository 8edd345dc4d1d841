use proptest::prelude::*;
use wgrad::graph::Graph;
use wgrad::ops::leaky_relu::LeakyRelu;
use wgrad::plan::Mode;

use super::{cases, channels, normal};
use crate::reference::leaky_relu;
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

fn check(shape: &[usize], slope: f64, seed: u64) {
    let Some(device) = gpu::device() else { return };
    let (x, dy) = (normal(shape, seed), normal(shape, seed + 1));
    let mut probe = Probe::new(shape[0]);
    let x_var = probe.input(&x);
    let y = probe.graph.leaky_relu(x_var, LeakyRelu::new(slope));
    let dx = probe.gradients(y, &dy, &[x_var])[0];
    let results = probe.run(device, Mode::Training, &[y, dx]);
    let reference = leaky_relu::forward(&x, slope);
    assert_close("y", &results[0], &reference, Tolerance::F32);
    let reference = leaky_relu::grad_input(&x, &dy, slope);
    assert_close("dx", &results[1], &reference, Tolerance::F32);
}

#[test]
fn features_and_images_with_slopes_of_any_sign() {
    check(&[1, 1], 0.01, 1);
    check(&[3, 10], -0.5, 2);
    check(&[2, 5, 3, 7], 0.3, 3);
}

#[test]
fn nan_stays_nan() {
    let Some(device) = gpu::device() else { return };
    let mut probe = Probe::new(1);
    let mut x = normal(&[1, 4], 1);
    x.data[2] = f64::NAN;
    let x = probe.input(&x);
    let y = probe.graph.leaky_relu(x, LeakyRelu::default());
    assert!(probe.run(device, Mode::Training, &[y])[0][2].is_nan());
}

#[test]
fn a_slope_that_is_no_number_is_refused() {
    let mut graph = Graph::new();
    let x = graph.input("x", 3);
    graph.leaky_relu(x, LeakyRelu::new(f64::NAN));
    assert_eq!(
        graph.check().unwrap_err().to_string(),
        "layer `leaky_relu1` (leaky_relu): the slope NaN is not a finite number"
    );
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(
        n in 1_usize..4,
        c in channels(),
        h in 1_usize..9,
        w in 1_usize..9,
        slope in -1.0..1.0,
        seed: u64,
    ) {
        check(&[n, c, h, w], slope, seed % 1000);
    }
}
