use proptest::prelude::*;
use wgrad::graph::Graph;
use wgrad::plan::Mode;

use super::{cases, channels, normal};
use crate::reference::adaptive_mean_pool2d::{forward, grad_input};
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

fn check(shape: &[usize], bins: [usize; 2], seed: u64) {
    let Some(device) = gpu::device() else { return };
    // Not of mean zero: the means should not cancel.
    let x = normal(shape, seed).map(|x| f64::from((x + 1.0) as f32));
    let reference = forward(&x, bins);
    let dy = normal(&reference.shape, seed + 1).map(|d| f64::from((d + 1.0) as f32));
    let mut probe = Probe::new(shape[0]);
    let x_var = probe.input(&x);
    let y = probe.graph.adaptive_mean_pool2d(x_var, bins);
    let dx = probe.gradients(y, &dy, &[x_var])[0];
    let results = probe.run(device, Mode::Training, &[y, dx]);
    assert_close("y", &results[0], &reference, Tolerance::F32);
    let grad = grad_input(&dy, [shape[2], shape[3]]);
    assert_close("dx", &results[1], &grad, Tolerance::F32);
}

#[test]
fn bins_that_divide_overlap_and_repeat() {
    check(&[2, 5, 8, 6], [4, 2], 1);
    check(&[2, 13, 13, 11], [6, 3], 2);
    check(&[1, 3, 2, 3], [5, 7], 3);
    check(&[3, 4, 1, 1], [1, 1], 4);
}

#[test]
fn large_bins_take_two_passes() {
    check(&[1, 3, 70, 61], [1, 1], 1);
    check(&[1, 5, 90, 75], [2, 1], 2);
}

#[test]
fn no_bins_are_refused() {
    let mut graph = Graph::new();
    let x = graph.input("x", [3, 4, 4]);
    graph.adaptive_mean_pool2d(x, [2, 0]);
    assert_eq!(
        graph.check().unwrap_err().to_string(),
        "layer `adaptive_mean_pool1` (adaptive_mean_pool2d): 2x0 bins are no result"
    );
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(
        n in 1_usize..4,
        c in channels(),
        size in [1_usize..12, 1_usize..12],
        bins in [1_usize..9, 1_usize..9],
        seed: u64,
    ) {
        check(&[n, c, size[0], size[1]], bins, seed % 1000);
    }
}
