use proptest::prelude::*;
use wgrad::graph::Graph;
use wgrad::plan::Mode;

use super::{cases, channels, normal};
use crate::reference::{Tensor, concat};
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

/// Joins values with these channels; `rest` is what follows them in the shape.
fn check(batch: usize, channels: &[usize], rest: &[usize], seed: u64) {
    let Some(device) = gpu::device() else { return };
    let shape = |c: usize| [&[batch, c], rest].concat();
    let seeds = seed + 1..;
    let inputs: Vec<Tensor> = channels
        .iter()
        .zip(seeds)
        .map(|(&c, seed)| normal(&shape(c), seed))
        .collect();
    let dy = normal(&shape(channels.iter().sum()), seed);
    let mut probe = Probe::new(batch);
    let vars: Vec<_> = inputs.iter().map(|input| probe.input(input)).collect();
    let y = probe.graph.concat(&vars);
    let mut targets = probe.gradients(y, &dy, &vars);
    targets.push(y);
    let results = probe.run(device, Mode::Training, &targets);
    let reference = concat::forward(&inputs.iter().collect::<Vec<_>>());
    assert_close("y", &results[channels.len()], &reference, Tolerance::F32);
    for (dx, reference) in results.iter().zip(concat::grad_inputs(&dy, channels)) {
        assert_close("dx", dx, &reference, Tolerance::F32);
    }
}

#[test]
fn two_to_four_images_or_features() {
    check(2, &[4, 8], &[3, 2], 1);
    check(2, &[8, 4, 5], &[3, 2], 2);
    check(1, &[1, 3, 5, 13], &[2, 1], 3);
    check(3, &[6, 7], &[], 4);
}

/// More than one kernel binds.
#[test]
fn many_parts_are_joined_through_temporaries() {
    check(2, &[4, 4, 8, 4, 4, 4, 8, 1], &[2, 3], 5);
    check(2, &[1, 2, 3, 4, 5, 1, 1, 2, 3, 1], &[2, 3], 6);
}

#[test]
fn one_value_may_come_twice() {
    let Some(device) = gpu::device() else { return };
    let (x, dy) = (normal(&[2, 3, 2, 2], 1), normal(&[2, 6, 2, 2], 2));
    let mut probe = Probe::new(2);
    let x_var = probe.input(&x);
    let y = probe.graph.concat(&[x_var, x_var]);
    let dx = probe.gradients(y, &dy, &[x_var])[0];
    let results = probe.run(device, Mode::Training, &[y, dx]);
    assert_close(
        "y",
        &results[0],
        &concat::forward(&[&x, &x]),
        Tolerance::F32,
    );
    let parts = concat::grad_inputs(&dy, &[3, 3]);
    let reference = parts[0].zip(&parts[1], |a, b| a + b);
    assert_close("dx", &results[1], &reference, Tolerance::F32);
}

#[test]
fn inputs_that_do_not_fit_are_refused() {
    let mut graph = Graph::new();
    let a = graph.input("a", [3, 2, 5]);
    let b = graph.input("b", [3, 2, 4]);
    graph.concat(&[a, b]);
    assert_eq!(
        graph.check().unwrap_err().to_string(),
        "layer `concat1` (concat): the inputs' shapes [3, 2, 5] and [3, 2, 4] differ in more \
         than their channels"
    );
    let mut graph = Graph::new();
    graph.concat(&[]);
    assert_eq!(
        graph.check().unwrap_err().to_string(),
        "layer `concat1` (concat): at least one value is needed"
    );
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(
        n in 1_usize..4,
        parts in proptest::collection::vec(channels(), 1..7),
        h in 1_usize..6,
        w in 1_usize..6,
        seed: u64,
    ) {
        check(n, &parts, &[h, w], seed % 1000);
    }
}
