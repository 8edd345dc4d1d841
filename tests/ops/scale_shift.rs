use proptest::prelude::*;
use wgrad::graph::{Graph, Initialiser};
use wgrad::init::Init;
use wgrad::plan::Mode;

use super::{cases, channels, normal};
use crate::reference::scale_shift;
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

fn check(shape: &[usize], seed: u64) {
    let Some(device) = gpu::device() else { return };
    // Not of mean zero: the sums should not cancel.
    let [x, dy] = [0, 1].map(|i| normal(shape, seed + i).map(|v| f64::from((v + 2.0) as f32)));
    let [weight, bias] = [2, 3].map(|i| normal(&[shape[1]], seed + i));
    let mut probe = Probe::new(shape[0]);
    let x_var = probe.input(&x);
    let y = probe.graph.scale_shift(x_var);
    let weight_var = probe.parameter("scale_shift1.weight", &weight);
    let bias_var = probe.parameter("scale_shift1.bias", &bias);
    let mut targets = vec![y];
    targets.extend(probe.gradients(y, &dy, &[x_var, weight_var, bias_var]));
    let results = probe.run(device, Mode::Training, &targets);
    let references = [
        ("y", scale_shift::forward(&x, &weight, &bias)),
        ("dx", scale_shift::grad_input(&weight, &dy)),
        ("dweight", scale_shift::grad_weight(&x, &dy)),
        ("dbias", scale_shift::grad_bias(&dy)),
    ];
    for (result, (name, reference)) in results.iter().zip(&references) {
        assert_close(name, result, reference, Tolerance::F32);
    }
    // Each gradient alone, which are other variants of the kernel.
    for (delta, (name, reference)) in targets.iter().zip(&references).skip(1) {
        let result = probe.run(device, Mode::Training, &[*delta]);
        assert_close(name, &result[0], reference, Tolerance::F32);
    }
}

#[test]
fn features_and_images() {
    check(&[1, 1], 1);
    check(&[3, 10], 2);
    check(&[2, 5, 3, 7], 3);
}

/// Enough elements for many pieces, and more channels than invocations on a CPU driver.
#[test]
fn long_sums_are_cut_and_wide_layers_are_not() {
    check(&[3, 13, 61, 47], 4);
    check(&[2, 1500], 5);
}

#[test]
fn nan_stays_nan_in_its_channel() {
    let Some(device) = gpu::device() else { return };
    let (mut x, dy) = (normal(&[2, 3], 1), normal(&[2, 3], 2));
    x.data[1] = f64::NAN;
    let mut probe = Probe::new(2);
    let x_var = probe.input(&x);
    let y = probe.graph.scale_shift(x_var);
    let weight = probe.parameter("weight", &normal(&[3], 3));
    probe.parameter("bias", &normal(&[3], 4));
    let dweight = probe.gradients(y, &dy, &[weight])[0];
    let results = probe.run(device, Mode::Training, &[y, dweight]);
    let are_nan = |values: &[f32]| values.iter().map(|v| v.is_nan()).collect::<Vec<_>>();
    assert_eq!(
        are_nan(&results[0]),
        [false, true, false, false, false, false]
    );
    assert_eq!(are_nan(&results[1]), [false, true, false]);
}

#[test]
fn it_starts_as_the_identity_and_is_never_decayed() {
    let mut graph = Graph::new();
    let x = graph.input("x", [3, 2, 2]);
    graph.scale_shift(x);
    for (parameter, (name, value)) in graph
        .parameters()
        .iter()
        .zip([("scale_shift1.weight", 1.0), ("scale_shift1.bias", 0.0)])
    {
        assert_eq!(
            (parameter.name.as_str(), &*parameter.shape),
            (name, [3].as_slice())
        );
        assert_eq!(parameter.decay_factor, 0.0);
        let initialiser = Initialiser::Given(Init::Constant(value));
        assert_eq!(parameter.initialiser, initialiser);
    }
    assert_eq!(graph.parameters().len(), 2);
}

#[test]
fn labels_are_refused() {
    let mut graph = Graph::new();
    let x = graph.labels("x");
    graph.scale_shift(x);
    assert_eq!(
        graph.check().unwrap_err().to_string(),
        "layer `scale_shift1` (scale_shift): an image or features are needed, the input is []"
    );
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(n in 1_usize..4, c in channels(), h in 1_usize..9, w in 1_usize..9, seed: u64) {
        check(&[n, c, h, w], seed % 1000);
    }
}
