use proptest::prelude::*;
use wgrad::graph::Graph;
use wgrad::ops::Linear;
use wgrad::plan::{AdapterProfile, Mode};

use super::{cases, normal};
use crate::reference::linear;
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

fn check(batch: usize, inputs: usize, outputs: usize, with_bias: bool) {
    check_planned(batch, inputs, outputs, with_bias, None);
}

fn check_planned(
    batch: usize,
    inputs: usize,
    outputs: usize,
    with_bias: bool,
    adapter: Option<AdapterProfile>,
) {
    let Some(device) = gpu::device() else { return };
    let x = normal(&[batch, inputs], 1);
    let w = normal(&[outputs, inputs], 2);
    let b = normal(&[outputs], 3);
    let dy = normal(&[batch, outputs], 4);
    let mut probe = Probe::new(batch);
    if let Some(adapter) = adapter {
        probe.plan_for(adapter);
    }
    let x_var = probe.input(&x);
    let layer = Linear::new(outputs).bias(with_bias);
    let y = probe.graph.linear(x_var, layer);
    let mut wrt = vec![x_var, probe.parameter("weight", &w)];
    if with_bias {
        wrt.push(probe.parameter("bias", &b));
    }
    let deltas = probe.gradients(y, &dy, &wrt);
    let targets: Vec<_> = [y].into_iter().chain(deltas).collect();
    let results = probe.run(device, Mode::Training, &targets);

    let name = |part: &str| format!("{part} of {batch}x{inputs} to {outputs}");
    let y = linear::forward(&x, &w, with_bias.then_some(&b));
    assert_close(&name("y"), &results[0], &y, Tolerance::F32);
    let dx = linear::grad_input(&dy, &w);
    assert_close(&name("dx"), &results[1], &dx, Tolerance::F32);
    let dw = linear::grad_weight(&x, &dy);
    assert_close(&name("dw"), &results[2], &dw, Tolerance::F32);
    if with_bias {
        let db = linear::grad_bias(&dy);
        assert_close(&name("db"), &results[3], &db, Tolerance::F32);
    }
}

#[test]
fn layers_of_common_networks() {
    check(64, 3136, 128, true);
    check(64, 128, 10, true);
    check(1, 784, 10, true);
    check(1000, 7, 3, false);
}

#[test]
fn layers_of_common_networks_on_a_gpu() {
    let check = |n, i, o| check_planned(n, i, o, true, Some(AdapterProfile::gpu()));
    check(64, 3136, 128);
    check(64, 128, 10);
    check(1, 784, 10);
    check(600, 200, 70);
}

/// With matrices that are bound in pieces, of which the last is shorter.
#[test]
fn a_matrix_larger_than_a_binding() {
    for adapter in [AdapterProfile::cpu(), AdapterProfile::gpu()] {
        let check = |n, i, o, bytes| {
            let adapter = adapter.clone().with_max_binding_size(bytes);
            check_planned(n, i, o, true, Some(adapter));
        };
        check(4, 700, 61, 40_000);
        check(2, 260, 128, 1 << 17);
        // The partial results of a gradient that is cut by rows.
        check(1600, 256, 16, 1 << 21);
        // One that begins where a binding may begin.
        check(1, 1100, 4, 1 << 14);
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(n in 1_usize..70, i in 1_usize..80, o in 1_usize..40, bias: bool) {
        check(n, i, o, bias);
    }

    #[test]
    fn what_a_gpu_would_run_agrees_with_the_reference(
        n in 1_usize..70, i in 1_usize..80, o in 1_usize..40, bias: bool,
    ) {
        check_planned(n, i, o, bias, Some(AdapterProfile::gpu()));
    }
}

#[test]
fn an_image_must_be_flattened_first() {
    let mut graph = Graph::new();
    let x = graph.input("x", [3, 4, 4]);
    graph.linear(x, Linear::new(10));
    assert_eq!(
        graph.check().unwrap_err().to_string(),
        "layer `linear1` (linear): features of shape [in] are needed, the input is [3, 4, 4]; \
         flatten it first"
    );
}
