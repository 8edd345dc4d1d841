//! Spatial pyramid pooling and global max pooling.

use proptest::prelude::*;
use wgrad::graph::{Graph, Network};
use wgrad::plan::Mode;

use super::{cases, channels, normal};
use crate::reference::adaptive_max_pool2d::{forward, grad_input, grad_pyramid, pyramid};
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

fn check(shape: &[usize], levels: &[usize], seed: u64) {
    let Some(device) = gpu::device() else { return };
    let x = normal(shape, seed);
    let reference = pyramid(&x, levels);
    let dy = normal(&reference.shape, seed + 1);
    let mut probe = Probe::new(shape[0]);
    let x_var = probe.input(&x);
    let y = probe.graph.spatial_pyramid_pool(x_var, levels);
    let dx = probe.gradients(y, &dy, &[x_var])[0];
    let results = probe.run(device, Mode::Training, &[y, dx]);
    let name = |part: &str| format!("{part} of {levels:?} over {shape:?}");
    assert_close(&name("y"), &results[0], &reference, Tolerance::F32);
    let grad = grad_pyramid(&x, levels, &dy);
    assert_close(&name("dx"), &results[1], &grad, Tolerance::F32);
}

#[test]
fn pyramids_of_the_paper() {
    check(&[2, 13, 13, 13], &[6, 3, 2, 1], 1);
    check(&[1, 5, 10, 9], &[4, 3, 2, 1], 2);
}

/// More levels than one kernel joins, single levels, and one that is repeated.
#[test]
fn other_pyramids() {
    check(&[1, 3, 7, 5], &[1, 2, 3, 4, 5, 6], 1);
    check(&[2, 3, 4, 4], &[3], 2);
    check(&[2, 5, 4, 4], &[1], 3);
    check(&[1, 4, 4, 3], &[2, 2], 4);
}

#[test]
fn global_max_pooling_gives_features() {
    let Some(device) = gpu::device() else { return };
    for (shape, seed) in [([3, 5, 4, 6], 1), ([1, 1, 1, 1], 2), ([1, 3, 50, 60], 3)] {
        let x = normal(&shape, seed);
        let reference = forward(&x, [1, 1]);
        let dy = normal(&shape[..2], seed + 1);
        let mut probe = Probe::new(shape[0]);
        let x_var = probe.input(&x);
        let y = probe.graph.global_max_pool(x_var);
        assert_eq!(probe.graph.shape(y)[..], shape[1..2]);
        let dx = probe.gradients(y, &dy, &[x_var])[0];
        let results = probe.run(device, Mode::Training, &[y, dx]);
        assert_close("y", &results[0], &reference.y, Tolerance::F32);
        let dy = dy.reshaped(&[shape[0], shape[1], 1, 1]);
        let grad = grad_input(&dy, &reference.argmax, [shape[2], shape[3]]);
        assert_close("dx", &results[1], &grad, Tolerance::F32);
    }
}

#[test]
fn a_pyramid_without_levels_is_refused() {
    let mut graph = Graph::new();
    let x = graph.input("x", [3, 4, 4]);
    graph.spatial_pyramid_pool(x, &[]);
    assert_eq!(
        graph.check().unwrap_err().to_string(),
        "layer `spatial_pyramid_pool1` (spatial_pyramid_pool): a pyramid needs at least one level"
    );
}

/// One description, images of any size.
#[test]
fn a_chain_gives_as_many_features_for_every_size() {
    for size in [[13, 13], [9, 20], [1, 1]] {
        let mut net = Network::input([3, size[0], size[1]]);
        net.conv(4, 3)
            .padding(1)
            .relu()
            .spatial_pyramid_pool([3, 2, 1])
            .linear(2);
        let (graph, _, _) = net.graph().unwrap();
        let weight = graph.find_parameter("linear1.weight").unwrap();
        assert_eq!(graph.shape(weight)[..], [2, 4 * 14]);
        let mut net = Network::input([3, size[0], size[1]]);
        net.adaptive_mean_pool([2, 3])
            .adaptive_max_pool(2)
            .global_max_pool();
        let (graph, _, y) = net.graph().unwrap();
        assert_eq!(graph.shape(y)[..], [3]);
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(
        n in 1_usize..4,
        c in channels(),
        size in [1_usize..12, 1_usize..12],
        levels in prop::collection::vec(1_usize..6, 1..5),
        seed: u64,
    ) {
        check(&[n, c, size[0], size[1]], &levels, seed % 1000);
    }
}
