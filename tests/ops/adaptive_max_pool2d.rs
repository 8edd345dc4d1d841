use proptest::prelude::*;
use wgrad::graph::Graph;
use wgrad::plan::Mode;

use super::{cases, channels, normal};
use crate::reference::Tensor;
use crate::reference::adaptive_max_pool2d::{forward, grad_input};
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

fn check_values(x: &Tensor, bins: [usize; 2], seed: u64) {
    let Some(device) = gpu::device() else { return };
    let reference = forward(x, bins);
    let dy = normal(&reference.y.shape, seed + 1);
    let mut probe = Probe::new(x.shape[0]);
    let x_var = probe.input(x);
    let y = probe.graph.adaptive_max_pool2d(x_var, bins);
    let dx = probe.gradients(y, &dy, &[x_var])[0];
    let results = probe.run(device, Mode::Training, &[y, dx]);
    assert_close("y", &results[0], &reference.y, Tolerance::F32);
    let grad = grad_input(&dy, &reference.argmax, [x.shape[2], x.shape[3]]);
    assert_close("dx", &results[1], &grad, Tolerance::F32);
    // Without a gradient nothing reads the places, and they are not written.
    let alone = probe.run(device, Mode::Evaluation, &[y]);
    assert_eq!(alone[0], results[0]);
}

fn check(shape: &[usize], bins: [usize; 2], seed: u64) {
    check_values(&normal(shape, seed), bins, seed);
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

/// In two passes too: whole numbers of a small range, ties everywhere.
#[test]
fn the_first_of_equal_maxima_in_row_order_gets_the_gradient() {
    for (size, bins) in [([7, 7], [3, 2]), ([40, 45], [1, 1])] {
        let x = normal(&[2, 5, size[0], size[1]], 1).map(|x| x.round().min(0.0));
        check_values(&x, bins, 1);
    }
}

#[test]
fn nan_wins_and_minus_infinity_is_a_value() {
    let Some(device) = gpu::device() else { return };
    let (nan, low) = (f64::NAN, f64::NEG_INFINITY);
    let x = Tensor::new(&[1, 1, 1, 6], vec![5.0, nan, 9.0, 1.0, low, low]);
    let mut probe = Probe::new(1);
    let x_var = probe.input(&x);
    let y = probe.graph.adaptive_max_pool2d(x_var, [1, 3]);
    let dy = Tensor::new(&[1, 1, 1, 3], vec![1.0, 2.0, 3.0]);
    let dx = probe.gradients(y, &dy, &[x_var])[0];
    let results = probe.run(device, Mode::Training, &[y, dx]);
    assert!(results[0][0].is_nan());
    assert_eq!(results[0][1..], [9.0, f32::NEG_INFINITY]);
    assert_eq!(results[1], [0.0, 1.0, 2.0, 0.0, 3.0, 0.0]);
}

#[test]
fn what_does_not_fit_is_named() {
    let error = |shape: &[usize], bins: [usize; 2]| {
        let mut graph = Graph::new();
        let x = graph.input("x", shape);
        graph.adaptive_max_pool2d(x, bins);
        graph.check().unwrap_err().to_string()
    };
    let prefix = "layer `adaptive_max_pool1` (adaptive_max_pool2d): ";
    for (shape, bins, reason) in [
        ([3, 5, 5].as_slice(), [0, 2], "0x2 bins are no result"),
        (
            &[1, 1, 40_000],
            [1, 1],
            "a bin of 1x1 over an image of 1x40000 has more than 32768 elements",
        ),
        (
            &[3, 2, 2],
            [usize::MAX, 1],
            "18446744073709551615x1 bins over an image of 2x2 are too many to be counted",
        ),
        (
            &[3, 2, 2],
            [1 << 30, 1 << 30],
            "a result of 1073741824x1073741824 is too large",
        ),
        (
            &[8],
            [2, 2],
            "an image of shape [channels, height, width] is needed, the input is [8]",
        ),
    ] {
        assert_eq!(error(shape, bins), format!("{prefix}{reason}"));
    }
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
