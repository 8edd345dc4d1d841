use proptest::prelude::*;
use wgrad::graph::Graph;
use wgrad::ops::Padding;
use wgrad::ops::max_pool2d::MaxPool2d;
use wgrad::plan::Mode;

use super::{cases, channels, normal};
use crate::reference::Tensor;
use crate::reference::max_pool2d::{Attributes, forward, grad_input};
use crate::reference::pool_window::same;
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

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
        let layer = MaxPool2d::new(kernel).stride(stride).padding(Padding::Same);
        let y = probe.graph.max_pool2d(x_var, layer);
        assert_eq!(
            probe.graph.shape(y)[1..],
            [height, width].map(|l| l.div_ceil(stride))
        );
        let results = probe.run(device, Mode::Evaluation, &[y]);
        let expected = forward(&x, &a).y;
        assert_close("y", &results[0], &expected, Tolerance::F32);
    }
}

fn pool(a: &Attributes) -> MaxPool2d {
    MaxPool2d::new(a.kernel)
        .stride(a.stride)
        .padding(a.padding)
        .ceil_mode(a.ceil_mode)
}

fn check_values(x: &Tensor, a: &Attributes, seed: u64) {
    let Some(device) = gpu::device() else { return };
    let reference = forward(x, a);
    let dy = normal(&reference.y.shape, seed + 1);
    let mut probe = Probe::new(x.shape[0]);
    let x_var = probe.input(x);
    let y = probe.graph.max_pool2d(x_var, pool(a));
    let dx = probe.gradients(y, &dy, &[x_var])[0];
    let results = probe.run(device, Mode::Training, &[y, dx]);
    assert_close("y", &results[0], &reference.y, Tolerance::F32);
    let grad = grad_input(&dy, &reference.argmax, [x.shape[2], x.shape[3]]);
    assert_close("dx", &results[1], &grad, Tolerance::F32);
    // Without a gradient nothing reads the places, and they are not written.
    let alone = probe.run(device, Mode::Evaluation, &[y]);
    assert_eq!(alone[0], results[0]);
}

fn check(shape: &[usize], a: &Attributes, seed: u64) {
    check_values(&normal(shape, seed), a, seed);
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
    let with_gaps = Attributes {
        stride: [3, 4],
        ..Attributes::new([2, 1])
    };
    check(&[3, 4, 11, 11], &with_gaps, 4);
}

/// A place in such a window does not fit into a byte.
#[test]
fn windows_of_more_than_256_elements() {
    let a = Attributes {
        stride: [1, 2],
        padding: [[3; 2], [0; 2]],
        ..Attributes::new([19, 17])
    };
    check(&[2, 5, 20, 23], &a, 1);
}

#[test]
fn the_first_of_equal_maxima_in_row_order_gets_the_gradient() {
    let a = Attributes {
        stride: [1, 1],
        padding: [[1; 2], [1; 2]],
        ..Attributes::new([3, 3])
    };
    // Whole numbers of a small range: ties everywhere, zeros beside the padding too.
    let x = normal(&[2, 5, 7, 7], 1).map(|x| x.round().min(0.0));
    check_values(&x, &a, 1);
}

#[test]
fn nan_wins_and_minus_infinity_is_a_value() {
    let Some(device) = gpu::device() else { return };
    let data = vec![
        5.0,
        f64::NAN,
        9.0,
        1.0,
        f64::NEG_INFINITY,
        f64::NEG_INFINITY,
    ];
    let x = Tensor::new(&[1, 1, 1, 6], data);
    let mut probe = Probe::new(1);
    let x_var = probe.input(&x);
    let y = probe.graph.max_pool2d(x_var, MaxPool2d::new([1, 2]));
    let dy = Tensor::new(&[1, 1, 1, 3], vec![1.0, 2.0, 3.0]);
    let dx = probe.gradients(y, &dy, &[x_var])[0];
    let results = probe.run(device, Mode::Training, &[y, dx]);
    assert!(results[0][0].is_nan());
    assert_eq!(results[0][1..], [9.0, f32::NEG_INFINITY]);
    assert_eq!(results[1], [0.0, 1.0, 2.0, 0.0, 3.0, 0.0]);
}

#[test]
fn windows_that_do_not_fit_are_refused() {
    let error = |shape: &[usize], pool: MaxPool2d| {
        let mut graph = Graph::new();
        let x = graph.input("x", shape);
        graph.max_pool2d(x, pool);
        graph.check().unwrap_err().to_string()
    };
    let prefix = "layer `max_pool1` (max_pool2d): ";
    for (shape, pool, reason) in [
        (
            [3, 2, 5].as_slice(),
            MaxPool2d::new([4, 3]).padding([0, 1]),
            "the window 4x3 is larger than the input [3, 2, 5] with its padding 0x1",
        ),
        (
            &[3, 5, 5],
            MaxPool2d::new([0, 2]),
            "the window 0x2 has no elements",
        ),
        (
            &[3, 5, 5],
            MaxPool2d::new(usize::MAX),
            "the window 18446744073709551615x18446744073709551615 has more than 32768 elements",
        ),
        (
            &[3, 5, 5],
            MaxPool2d::new(2).stride([1, 0]),
            "the stride 1x0 does not advance",
        ),
        (
            &[3, 5, 5],
            MaxPool2d::new(3).padding(2),
            "the padding 2x2 is more than half of the window 3x3",
        ),
        (
            &[3, 5, 5],
            MaxPool2d::new(3).padding([[1, 0], [0, 2]]),
            "the padding [[1, 0], [0, 2]] is more than half of the window 3x3",
        ),
        (
            &[8],
            MaxPool2d::new(2),
            "an image of shape [channels, height, width] is needed, the input is [8]",
        ),
    ] {
        assert_eq!(error(shape, pool), format!("{prefix}{reason}"));
    }
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
        ceil_mode: bool,
        seed: u64,
    ) {
        let padding = [0, 1].map(|axis| padding[axis].map(|side: usize| side.min(kernel[axis] / 2)));
        let a = Attributes { kernel, stride, padding, ceil_mode };
        check(&[n, c, size[0], size[1]], &a, seed % 1000);
    }
}
