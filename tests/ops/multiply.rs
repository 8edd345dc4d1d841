use proptest::prelude::*;
use wgrad::graph::Graph;
use wgrad::plan::Mode;

use super::{cases, channels, normal};
use crate::reference::multiply;
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

fn check(shape: &[usize], seed: u64) {
    let Some(device) = gpu::device() else { return };
    let [a, b, dy] = [0, 1, 2].map(|i| normal(shape, seed + i));
    let mut probe = Probe::new(shape[0]);
    let (a_var, b_var) = (probe.input(&a), probe.input(&b));
    let y = probe.graph.multiply(a_var, b_var);
    let deltas = probe.gradients(y, &dy, &[a_var, b_var]);
    let results = probe.run(device, Mode::Training, &[y, deltas[0], deltas[1]]);
    let references = [
        ("y", multiply::forward(&a, &b)),
        ("da", multiply::grad_factor(&b, &dy)),
        ("db", multiply::grad_factor(&a, &dy)),
    ];
    for (result, (name, reference)) in results.iter().zip(&references) {
        assert_close(name, result, reference, Tolerance::F32);
    }
}

#[test]
fn features_and_images() {
    check(&[1, 1], 1);
    check(&[3, 10], 2);
    check(&[2, 5, 3, 7], 3);
}

/// Both factors are one value: δ = 2·x·δy, the sum of two contributions.
#[test]
fn the_square_of_a_value() {
    let Some(device) = gpu::device() else { return };
    let (x, dy) = (normal(&[2, 5, 3, 3], 1), normal(&[2, 5, 3, 3], 2));
    let mut probe = Probe::new(2);
    let x_var = probe.input(&x);
    let y = probe.graph.multiply(x_var, x_var);
    let dx = probe.gradients(y, &dy, &[x_var])[0];
    let results = probe.run(device, Mode::Training, &[y, dx]);
    assert_close("y", &results[0], &multiply::forward(&x, &x), Tolerance::F32);
    let reference = multiply::grad_factor(&x, &dy).map(|d| 2.0 * d);
    assert_close("dx", &results[1], &reference, Tolerance::F32);
}

/// The elements belong together by their logical place, whatever their order on the device.
#[test]
fn values_in_different_orders_are_brought_into_one() {
    let Some(device) = gpu::device() else { return };
    let (a, b) = (normal(&[2, 5, 3, 2], 1), normal(&[2, 30], 2));
    let mut probe = Probe::new(2);
    let (a_var, b_var) = (probe.input(&a), probe.input(&b));
    let flat = probe.graph.flatten(a_var);
    let y = probe.graph.multiply(flat, b_var);
    let result = &probe.run(device, Mode::Training, &[y])[0];
    let reference = multiply::forward(&a.reshaped(&[2, 30]), &b);
    assert_close("y", result, &reference, Tolerance::F32);
}

#[test]
fn shapes_that_differ_are_refused() {
    let mut graph = Graph::new();
    let (a, b) = (graph.input("a", [3, 2, 2]), graph.input("b", [3, 1, 1]));
    graph.multiply(a, b);
    assert_eq!(
        graph.check().unwrap_err().to_string(),
        "layer `multiply1` (multiply): the operands' shapes [3, 2, 2] and [3, 1, 1] differ"
    );
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(n in 1_usize..4, c in channels(), h in 1_usize..9, w in 1_usize..9, seed: u64) {
        check(&[n, c, h, w], seed % 1000);
    }
}
