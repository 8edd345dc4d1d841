use proptest::prelude::*;
use wgrad::graph::Graph;
use wgrad::plan::Mode;

use super::{cases, channels, normal};
use crate::reference::global_mean_pool;
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

fn check(shape: &[usize], seed: u64) {
    let Some(device) = gpu::device() else { return };
    // Not of mean zero: the means should not cancel.
    let x = normal(shape, seed).map(|x| f64::from((x + 1.0) as f32));
    let dy = normal(&shape[..2], seed + 1);
    let mut probe = Probe::new(shape[0]);
    let x_var = probe.input(&x);
    let y = probe.graph.global_mean_pool(x_var);
    let dx = probe.gradients(y, &dy, &[x_var])[0];
    let results = probe.run(device, Mode::Training, &[y, dx]);
    let reference = global_mean_pool::forward(&x);
    assert_close("y", &results[0], &reference, Tolerance::F32);
    let reference = global_mean_pool::grad_input(&dy, [shape[2], shape[3]]);
    assert_close("dx", &results[1], &reference, Tolerance::F32);
}

#[test]
fn small_images_take_one_pass() {
    check(&[1, 1, 1, 1], 1);
    check(&[3, 5, 2, 3], 2);
}

#[test]
fn big_images_take_two_passes() {
    check(&[1, 3, 101, 99], 3);
    check(&[2, 13, 64, 64], 4);
}

#[test]
fn features_are_refused() {
    let mut graph = Graph::new();
    let x = graph.input("x", 7);
    graph.global_mean_pool(x);
    assert_eq!(
        graph.check().unwrap_err().to_string(),
        "layer `global_mean_pool1` (global_mean_pool): an image of shape [channels, height, \
         width] is needed, the input is [7]"
    );
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(n in 1_usize..4, c in channels(), h in 1_usize..20, w in 1_usize..20, seed: u64) {
        check(&[n, c, h, w], seed % 1000);
    }
}
