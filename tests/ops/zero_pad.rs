use proptest::prelude::*;
use wgrad::graph::Graph;
use wgrad::ops::ZeroPad;
use wgrad::plan::Mode;

use super::{cases, channels, normal};
use crate::reference::zero_pad;
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

fn check(shape: &[usize], margins: [[usize; 2]; 3], seed: u64) {
    let Some(device) = gpu::device() else { return };
    let x = normal(shape, seed);
    let used = &margins[..shape.len() - 1];
    let reference = zero_pad::forward(&x, used);
    let dy = normal(&reference.shape, seed + 1);
    let [[before, behind], rows, columns] = margins;
    let mut probe = Probe::new(shape[0]);
    let x_var = probe.input(&x);
    let padding = ZeroPad::sides(rows, columns).channels(before, behind);
    let y = probe.graph.zero_pad(x_var, padding);
    let dx = probe.gradients(y, &dy, &[x_var])[0];
    let results = probe.run(device, Mode::Training, &[y, dx]);
    assert_close("y", &results[0], &reference, Tolerance::F32);
    let reference = zero_pad::grad_input(&dy, used);
    assert_close("dx", &results[1], &reference, Tolerance::F32);
}

#[test]
fn sides_of_their_own_widths() {
    check(&[2, 5, 3, 4], [[0, 0], [1, 2], [3, 0]], 1);
    check(&[1, 3, 1, 1], [[0, 0], [0, 0], [0, 1]], 2);
    check(&[2, 13, 2, 2], [[0, 0], [4, 0], [0, 0]], 3);
}

#[test]
fn channels_that_begin_a_vector_and_others() {
    check(&[2, 5, 2, 3], [[4, 3], [0, 0], [0, 0]], 1);
    check(&[2, 6, 2, 3], [[3, 9], [1, 0], [0, 1]], 2);
    check(&[1, 4, 2, 2], [[0, 4], [0, 0], [0, 0]], 3);
    check(&[3, 7], [[2, 1], [0, 0], [0, 0]], 4);
}

#[test]
fn one_number_stands_for_all_sides() {
    let mut graph = Graph::new();
    let x = graph.input("x", [3, 4, 5]);
    let y = graph.zero_pad(x, 2);
    assert_eq!(graph.shape(y)[..], [3, 8, 9]);
    let y = graph.zero_pad(x, ZeroPad::new([0, 1]));
    assert_eq!(graph.shape(y)[..], [3, 4, 7]);
    graph.check().unwrap();
}

#[test]
fn wrong_inputs_are_refused() {
    let error = |shape: &[usize], padding: ZeroPad| {
        let mut graph = Graph::new();
        let x = graph.input("x", shape);
        graph.zero_pad(x, padding);
        graph.check().unwrap_err().to_string()
    };
    assert_eq!(
        error(&[7], ZeroPad::new(1)),
        "layer `zero_pad1` (zero_pad): only an image has rows and columns, the input is [7]"
    );
    let largest = ZeroPad::sides([usize::MAX, 0], [0, 0]);
    assert!(error(&[3, 2, 2], largest).contains("overflows"));
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(
        n in 1_usize..4, c in channels(), h in 1_usize..6, w in 1_usize..6,
        sides in [0_usize..4, 0..4, 0..4, 0..4], around in [0_usize..9, 0..6], seed: u64,
    ) {
        let margins = [around, [sides[0], sides[1]], [sides[2], sides[3]]];
        check(&[n, c, h, w], margins, seed % 1000);
    }
}
