use proptest::prelude::*;
use wgrad::autodiff::gradients;
use wgrad::graph::{Graph, Var};
use wgrad::ops::loss::Reduction;
use wgrad::plan::Mode;

use super::{cases, channels, normal};
use crate::reference::{self, Tensor, mse as expected};
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

const REDUCTIONS: [(Reduction, reference::Reduction); 2] = [
    (Reduction::Mean, reference::Reduction::Mean),
    (Reduction::Sum, reference::Reduction::Sum),
];

/// The squared error of every sample by itself.
fn per_sample(p: &Tensor, t: &Tensor, reduction: reference::Reduction) -> Tensor {
    let len = p.data.len() / p.shape[0];
    let row = |data: &[f64]| Tensor::new(&[len], data.to_vec());
    let rows = p.data.chunks(len).zip(t.data.chunks(len));
    let losses = rows.map(|(p, t)| expected::forward(&row(p), &row(t), reduction));
    Tensor::new(&[p.shape[0]], losses.collect())
}

/// The loss, the losses per sample and δ of the prediction against the reference; with `twice`,
/// of the loss added to itself.
fn check(shape: &[usize], seed: u64, twice: bool) {
    let Some(device) = gpu::device() else { return };
    let (p, t) = (normal(shape, seed), normal(shape, seed + 1));
    for (reduction, expected_reduction) in REDUCTIONS {
        let mut probe = Probe::new(shape[0]);
        let (p_var, t_var) = (probe.input(&p), probe.input(&t));
        let values = probe.graph.mean_squared_error(p_var, t_var, reduction);
        let objective = if twice {
            probe.graph.add(values.loss, values.loss)
        } else {
            values.loss
        };
        let delta = gradients(&mut probe.graph, objective, &[p_var]).unwrap()[0];
        let targets = [values.loss, values.per_sample, delta];
        let results = probe.run(device, Mode::Training, &targets);

        let loss = Tensor::new(&[1], vec![expected::forward(&p, &t, expected_reduction)]);
        let losses = per_sample(&p, &t, expected_reduction);
        let worth = if twice { 2.0 } else { 1.0 };
        let grad = expected::grad_prediction(&p, &t, expected_reduction).map(|d| worth * d);
        assert_close("loss", &results[0], &loss, Tolerance::F32);
        assert_close("losses", &results[1], &losses, Tolerance::F32);
        assert_close("delta", &results[2], &grad, Tolerance::F32);
    }
}

#[test]
fn features_and_images() {
    check(&[1, 1], 1, false);
    check(&[3, 10], 2, false);
    check(&[5, 64], 3, false);
    check(&[2, 3, 5, 7], 4, true);
    // Partial sums per sample, and a batch that is summed in two levels.
    check(&[2, 3, 33, 65], 5, false);
    check(&[4100, 1], 6, false);
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
    fn agrees_with_the_reference(n in 1_usize..5, c in channels(), h in 1_usize..20, w in 1_usize..20, twice: bool, seed: u64) {
        check(&[n, c, h, w], seed % 1000, twice);
    }
}
