use proptest::prelude::*;
use wgrad::graph::Graph;
use wgrad::ops::Padding;
use wgrad::ops::mean_pool2d::MeanPool2d;
use wgrad::plan::Mode;

use super::{cases, channels, normal};
use crate::reference::mean_pool2d::{Attributes, forward, grad_input};
use crate::reference::pool_window::same;
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

fn check(shape: &[usize], a: &Attributes, seed: u64) {
    let Some(device) = gpu::device() else { return };
    // Not of mean zero: the means should not cancel.
    let x = normal(shape, seed).map(|x| f64::from((x + 1.0) as f32));
    let reference = forward(&x, a);
    let dy = normal(&reference.shape, seed + 1).map(|d| f64::from((d + 1.0) as f32));
    let mut probe = Probe::new(shape[0]);
    let x_var = probe.input(&x);
    let pool = MeanPool2d::new(a.kernel)
        .stride(a.stride)
        .padding(a.padding)
        .ceil_mode(a.ceil_mode)
        .count_include_pad(a.count_include_pad);
    let y = probe.graph.mean_pool2d(x_var, pool);
    let dx = probe.gradients(y, &dy, &[x_var])[0];
    let results = probe.run(device, Mode::Training, &[y, dx]);
    assert_close("y", &results[0], &reference, Tolerance::F32);
    let grad = grad_input(&dy, [shape[2], shape[3]], a);
    assert_close("dx", &results[1], &grad, Tolerance::F32);
}

/// ⌈L/S⌉ windows per axis.
#[test]
fn same_padding() {
    let Some(device) = gpu::device() else { return };
    for (kernel, stride, [height, width]) in [(3, 2, [7, 8]), (2, 1, [5, 5]), (4, 3, [9, 11])] {
        let a = Attributes {
            stride: [stride; 2],
            padding: [height, width].map(|length| same(length, kernel, stride)),
            ..Attributes::new([kernel; 2])
        };
        let x = normal(&[2, 5, height, width], 1);
        let mut probe = Probe::new(2);
        let x_var = probe.input(&x);
        let layer = MeanPool2d::new(kernel)
            .stride(stride)
            .padding(Padding::Same);
        let y = probe.graph.mean_pool2d(x_var, layer);
        assert_eq!(
            probe.graph.shape(y)[1..],
            [height, width].map(|l| l.div_ceil(stride))
        );
        let results = probe.run(device, Mode::Evaluation, &[y]);
        assert_close("y", &results[0], &forward(&x, &a), Tolerance::F32);
    }
}

#[test]
fn usual_windows() {
    check(&[2, 5, 8, 6], &Attributes::new([2, 2]), 1);
    check(&[1, 3, 1, 1], &Attributes::new([1, 1]), 2);
    let overlapping = Attributes {
        stride: [2, 2],
        padding: [[1; 2], [1; 2]],
        ..Attributes::new([3, 3])
    };
    check(&[2, 13, 9, 12], &overlapping, 3);
    let without_padding = Attributes {
        count_include_pad: false,
        ..overlapping
    };
    check(&[2, 13, 9, 12], &without_padding, 4);
}

/// Kernel 4, stride 3, padding 1 on 6 columns: the last window is cut at the padding's end.
#[test]
fn a_window_that_ends_behind_the_padding() {
    for count_include_pad in [true, false] {
        let a = Attributes {
            stride: [1, 3],
            padding: [[0; 2], [1; 2]],
            ceil_mode: true,
            count_include_pad,
            ..Attributes::new([1, 4])
        };
        check(&[1, 1, 1, 6], &a, 1);
    }
}

#[test]
fn a_window_that_does_not_fit_is_refused() {
    let mut graph = Graph::new();
    let x = graph.input("x", [3, 2, 5]);
    graph.mean_pool2d(x, MeanPool2d::new(3));
    assert_eq!(
        graph.check().unwrap_err().to_string(),
        "layer `mean_pool1` (mean_pool2d): the window 3x3 is larger than the input [3, 2, 5] \
         with its padding 0x0"
    );
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(
        n in 1_usize..4,
        c in channels(),
        size in [4_usize..10, 4_usize..10],
        kernel in [1_usize..5, 1_usize..5],
        stride in [1_usize..4, 1_usize..4],
        padding in [[0_usize..3, 0_usize..3], [0_usize..3, 0_usize..3]],
        flags: [bool; 2],
        seed: u64,
    ) {
        let padding = [0, 1].map(|axis| padding[axis].map(|side: usize| side.min(kernel[axis] / 2)));
        let [ceil_mode, count_include_pad] = flags;
        let a = Attributes { kernel, stride, padding, ceil_mode, count_include_pad };
        check(&[n, c, size[0], size[1]], &a, seed % 1000);
    }
}
