use proptest::prelude::*;
use wgrad::autodiff::gradients;
use wgrad::graph::{Graph, Var};
use wgrad::ops::loss::Reduction;
use wgrad::plan::Mode;

use super::{Expected, REDUCTIONS, cases, channels, check_loss, normal, sample_by_sample};
use crate::reference::{Tensor, mse as expected};
use crate::support::gpu;
use crate::support::probe::Probe;

/// The loss, the losses per sample and δ of the prediction against the reference.
fn check(shape: &[usize], seed: u64) {
    let (p, t) = (normal(shape, seed), normal(shape, seed + 1));
    for (reduction, by_reference) in REDUCTIONS {
        let loss = |p: &Tensor, t: &Tensor| expected::forward(p, t, by_reference);
        let expected = Expected {
            loss: loss(&p, &t),
            per_sample: sample_by_sample(&p, &t, loss),
            delta: expected::grad_prediction(&p, &t, by_reference),
        };
        let build = |probe: &mut Probe, p| {
            let t = probe.input(&t);
            probe.graph.mean_squared_error(p, t, reduction)
        };
        check_loss(&p, build, &expected);
    }
}

#[test]
fn features_and_images() {
    check(&[1, 1], 1);
    check(&[3, 10], 2);
    check(&[5, 64], 3);
    check(&[2, 3, 5, 7], 4);
    // Partial sums per sample, and a batch that is summed in two levels.
    check(&[2, 3, 33, 65], 5);
    check(&[4100, 1], 6);
}

#[test]
fn nan_stays_nan() {
    let Some(device) = gpu::device() else { return };
    let (mut p, t) = (normal(&[2, 3], 1), normal(&[2, 3], 2));
    p.data[4] = f64::NAN;
    let mut probe = Probe::new(2);
    let (p, t) = (probe.input(&p), probe.input(&t));
    let values = probe.graph.mean_squared_error(p, t, Reduction::Mean);
    let results = probe.run(device, Mode::Evaluation, &[values.loss, values.per_sample]);
    assert!(results[0][0].is_nan());
    assert!(!results[1][0].is_nan() && results[1][1].is_nan());
}

fn error(build: impl FnOnce(&mut Graph) -> [Var; 2]) -> String {
    let mut graph = Graph::new();
    let [p, t] = build(&mut graph);
    graph.mean_squared_error(p, t, Reduction::Mean);
    graph.check().unwrap_err().to_string()
}

#[test]
fn wrong_operands_are_refused() {
    assert_eq!(
        error(|g| [g.input("p", [3, 4, 5]), g.input("t", [3, 4])]),
        "layer `mse1` (mse): the operands' shapes [3, 4, 5] and [3, 4] differ"
    );
    assert_eq!(
        error(|g| [g.labels("p"), g.labels("t")]),
        "layer `mse1` (mse): a prediction and a target per sample are needed"
    );
    assert_eq!(
        error(|g| [g.input("p", [4]), g.labels("t")]),
        "layer `mse1` (mse): the operands' shapes [4] and [] differ"
    );
}

#[test]
fn the_target_has_no_gradient() {
    let mut graph = Graph::new();
    let (p, t) = (graph.input("p", [3]), graph.input("t", [3]));
    let loss = graph.mean_squared_error(p, t, Reduction::Mean).loss;
    let error = gradients(&mut graph, loss, &[t]).unwrap_err().to_string();
    assert!(
        error.contains("the target of a loss has no gradient"),
        "{error}"
    );
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(n in 1_usize..5, c in channels(), h in 1_usize..20, w in 1_usize..20, seed: u64) {
        check(&[n, c, h, w], seed % 1000);
    }
}
