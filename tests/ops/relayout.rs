use proptest::prelude::*;
use wgrad::graph::Graph;
use wgrad::layout::Layout;
use wgrad::ops::relayout::Relayout;
use wgrad::plan::Mode;

use super::{cases, channels, normal};
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

/// Through a packed row-major order, in which samples need not begin at a vec4, and back.
fn check(shape: &[usize], seed: u64) {
    let Some(device) = gpu::device() else { return };
    let (x, dy) = (normal(shape, seed), normal(shape, seed + 1));
    let mut probe = Probe::new(shape[0]);
    let x_var = probe.input(&x);
    let row_major = Layout::row_major(&shape[1..].into());
    let packed = probe
        .graph
        .apply("packed", Relayout::to(row_major), &[x_var]);
    let y = probe.graph.relayout(packed);
    // A rank that has another standard layout: [A, B] as B, A4.
    let matrix = probe.graph.reshape(y, [shape[1], shape[2] * shape[3]]);
    let matrix = probe.graph.relayout(matrix);
    let back = probe.graph.reshape(matrix, &shape[1..]);
    let back = probe.graph.relayout(back);
    let dx = probe.gradients(back, &dy, &[x_var])[0];
    let results = probe.run(device, Mode::Training, &[packed, y, matrix, back, dx]);
    for (name, result) in ["packed", "y", "matrix", "back"].iter().zip(&results) {
        assert_close(name, result, &x, Tolerance::F32);
    }
    assert_close("dx", &results[4], &dy, Tolerance::F32);
}

#[test]
fn any_order_and_back() {
    check(&[1, 1, 1, 1], 1);
    check(&[3, 5, 2, 3], 2);
    check(&[2, 8, 3, 3], 3);
}

#[test]
fn a_value_in_its_standard_layout_is_left_alone() {
    let mut graph = Graph::new();
    let x = graph.input("x", [3, 2, 2]);
    assert_eq!(graph.relayout(x), x);
}

#[test]
fn a_layout_of_another_size_and_too_many_axes_are_refused() {
    let mut graph = Graph::new();
    let x = graph.input("x", [3, 2, 2]);
    let layout = Layout::sample(&[11].into());
    graph.apply("order", Relayout::to(layout), &[x]);
    assert_eq!(
        graph.check().unwrap_err().to_string(),
        "layer `order` (relayout): a layout of 11 elements cannot hold a value of shape [3, 2, 2]"
    );
    let mut graph = Graph::new();
    let x = graph.input("x", 32);
    let x = graph.reshape(x, [2, 2, 2, 2, 2]);
    graph.relayout(x);
    assert_eq!(
        graph.check().unwrap_err().to_string(),
        "layer `relayout1` (relayout): the shape [2, 2, 2, 2, 2] has more than 4 axes that are \
         longer than 1"
    );
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(n in 1_usize..4, c in channels(), h in 1_usize..9, w in 1_usize..9, seed: u64) {
        check(&[n, c, h, w], seed % 1000);
    }
}
