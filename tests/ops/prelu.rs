use proptest::prelude::*;
use wgrad::graph::{Graph, Initialiser};
use wgrad::init::Init;
use wgrad::ops::prelu::Prelu;
use wgrad::plan::Mode;

use super::{cases, channels, normal};
use crate::reference::prelu;
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

fn check(shape: &[usize], shared: bool, seed: u64) {
    let Some(device) = gpu::device() else { return };
    let x = normal(shape, seed);
    // Not of mean zero: the sum of a slope's gradient should not cancel.
    let dy = normal(shape, seed + 1).map(|d| f64::from((d + 2.0) as f32));
    let slopes = if shared { 1 } else { shape[1] };
    let alpha = normal(&[slopes], seed + 2);
    let kind = if shared {
        Prelu::shared()
    } else {
        Prelu::per_channel()
    };
    let mut probe = Probe::new(shape[0]);
    let x_var = probe.input(&x);
    let y = probe.graph.prelu(x_var, kind);
    let alpha_var = probe.parameter("prelu1.weight", &alpha);
    let deltas = probe.gradients(y, &dy, &[x_var, alpha_var]);
    let results = probe.run(device, Mode::Training, &[y, deltas[0], deltas[1]]);
    let references = [
        ("y", prelu::forward(&x, &alpha)),
        ("dx", prelu::grad_input(&x, &alpha, &dy)),
        ("dalpha", prelu::grad_slope(&x, &alpha, &dy)),
    ];
    for (result, (name, reference)) in results.iter().zip(&references) {
        assert_close(name, result, reference, Tolerance::F32);
    }
    // Either gradient alone, which is another variant of the kernel.
    for (delta, (name, reference)) in deltas.iter().zip(&references[1..]) {
        let result = probe.run(device, Mode::Training, &[*delta]);
        assert_close(name, &result[0], reference, Tolerance::F32);
    }
}

#[test]
fn features_and_images() {
    for shared in [false, true] {
        check(&[1, 1], shared, 1);
        check(&[3, 10], shared, 2);
        check(&[2, 5, 3, 7], shared, 3);
    }
}

/// Enough elements for many pieces, and more channels than invocations on a CPU driver.
#[test]
fn long_sums_are_cut_and_wide_layers_are_not() {
    for shared in [false, true] {
        check(&[3, 13, 61, 47], shared, 4);
        check(&[2, 1500], shared, 5);
    }
}

#[test]
fn nan_stays_nan() {
    let Some(device) = gpu::device() else { return };
    let mut probe = Probe::new(1);
    let mut x = normal(&[1, 4], 1);
    x.data[2] = f64::NAN;
    let x = probe.input(&x);
    let y = probe.graph.prelu(x, Prelu::per_channel());
    probe.parameter("weight", &normal(&[4], 2));
    assert!(probe.run(device, Mode::Training, &[y])[0][2].is_nan());
}

#[test]
fn the_slope_is_a_parameter_that_is_never_decayed() {
    let mut graph = Graph::new();
    let x = graph.input("x", [3, 2, 2]);
    let y = graph.prelu(x, Prelu::default());
    graph.prelu(y, Prelu::shared().init(0.1));
    let [first, second] = graph.parameters() else {
        panic!("two parameters are declared")
    };
    assert_eq!(
        (first.name.as_str(), &*first.shape),
        ("prelu1.weight", [3].as_slice())
    );
    assert_eq!(
        (second.name.as_str(), &*second.shape),
        ("prelu2.weight", [1].as_slice())
    );
    assert_eq!((first.decay_factor, second.decay_factor), (0.0, 0.0));
    assert_eq!(first.initialiser, Initialiser::Given(Init::Constant(0.25)));
    assert_eq!(second.initialiser, Initialiser::Given(Init::Constant(0.1)));
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(
        n in 1_usize..4,
        c in channels(),
        h in 1_usize..9,
        w in 1_usize..9,
        shared: bool,
        seed: u64,
    ) {
        check(&[n, c, h, w], shared, seed % 1000);
    }
}
