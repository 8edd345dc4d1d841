use proptest::prelude::*;
use wgrad::graph::Graph;
use wgrad::ops::Upsample;
use wgrad::plan::Mode;

use super::{cases, channels, normal};
use crate::reference::upsample::{Method, forward, grad_input};
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

const METHODS: [Method; 3] = [Method::Nearest, Method::Bilinear, Method::AlignedCorners];

fn to(method: Method, size: [usize; 2]) -> Upsample {
    match method {
        Method::Nearest => Upsample::nearest_to(size),
        Method::Bilinear => Upsample::bilinear_to(size),
        Method::AlignedCorners => Upsample::bilinear_to(size).align_corners(true),
    }
}

fn check(shape: [usize; 4], method: Method, size: [usize; 2], seed: u64) {
    let Some(device) = gpu::device() else { return };
    let x = normal(&shape, seed);
    let dy = normal(&[shape[0], shape[1], size[0], size[1]], seed + 1);
    let mut probe = Probe::new(shape[0]);
    let x_var = probe.input(&x);
    let y = probe.graph.upsample(x_var, to(method, size));
    let dx = probe.gradients(y, &dy, &[x_var])[0];
    let results = probe.run(device, Mode::Training, &[y, dx]);
    let name = |of: &str| format!("{of} of {method:?} from {shape:?} to {size:?}");
    let reference = forward(&x, method, size);
    assert_close(&name("y"), &results[0], &reference, Tolerance::F32);
    let reference = grad_input(&dy, method, [shape[2], shape[3]]);
    assert_close(&name("dx"), &results[1], &reference, Tolerance::F32);
}

#[test]
fn larger_and_smaller_images() {
    for method in METHODS {
        check([2, 5, 4, 3], method, [8, 6], 1);
        check([1, 3, 3, 5], method, [7, 11], 2);
        check([2, 4, 9, 8], method, [4, 3], 3);
        check([1, 13, 2, 7], method, [5, 3], 4);
    }
}

/// A single row or column, on either side, and axes that stay as they are.
#[test]
fn axes_of_one_number_and_of_equal_length() {
    for method in METHODS {
        check([2, 3, 1, 1], method, [4, 5], 1);
        check([1, 5, 3, 1], method, [1, 6], 2);
        check([1, 2, 6, 7], method, [1, 1], 3);
        check([2, 5, 3, 4], method, [3, 8], 4);
        check([2, 5, 3, 4], method, [6, 4], 5);
        check([2, 5, 3, 4], method, [3, 4], 6);
    }
}

#[test]
fn factors_multiply_the_size() {
    let mut graph = Graph::new();
    let x = graph.input("x", [3, 4, 5]);
    for upsample in [Upsample::nearest([2, 3]), Upsample::bilinear([2, 3])] {
        let y = graph.upsample(x, upsample);
        assert_eq!(graph.shape(y)[..], [3, 8, 15]);
    }
    graph.check().unwrap();
}

#[test]
fn impossible_sizes_are_refused() {
    for (upsample, rows, columns) in [
        (Upsample::nearest(0), 0, 0),
        (Upsample::bilinear_to([5, 0]), 5, 0),
        (Upsample::nearest_to([5, 32_769]), 5, 32_769),
        (Upsample::nearest([usize::MAX, 1]), usize::MAX, 5),
    ] {
        let mut graph = Graph::new();
        let x = graph.input("x", [3, 4, 5]);
        graph.upsample(x, upsample);
        assert_eq!(
            graph.check().unwrap_err().to_string(),
            format!(
                "layer `upsample1` (upsample): an image of 4x5 cannot become one of \
                 {rows}x{columns}: an axis has 1 to 32768 numbers"
            )
        );
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(
        n in 1_usize..3, c in channels(), input in [1_usize..9, 1..9], output in [1_usize..17, 1..17],
        method in 0..3_usize, seed: u64,
    ) {
        check([n, c, input[0], input[1]], METHODS[method], output, seed % 1000);
    }
}
