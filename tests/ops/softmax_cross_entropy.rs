use proptest::prelude::*;
use wgrad::autodiff::gradients;
use wgrad::graph::{Graph, Var};
use wgrad::ops::loss::Reduction;
use wgrad::plan::Mode;

use super::{cases, normal};
use crate::reference::{self, Tensor, softmax_cross_entropy as expected};
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

const REDUCTIONS: [(Reduction, reference::Reduction); 2] = [
    (Reduction::Mean, reference::Reduction::Mean),
    (Reduction::Sum, reference::Reduction::Sum),
];

fn labels_for(samples: usize, classes: usize) -> Vec<u32> {
    (0..samples).map(|n| (n * 7 % classes) as u32).collect()
}

/// The loss, the losses per sample and δ of the logits against the reference; with `twice`, of
/// the loss added to itself.
fn check(logits: &Tensor, labels: &[u32], twice: bool) {
    let Some(device) = gpu::device() else { return };
    for (reduction, expected_reduction) in REDUCTIONS {
        let mut probe = Probe::new(labels.len());
        let (z, t) = (probe.input(logits), probe.labels(labels));
        let values = probe.graph.softmax_cross_entropy(z, t, reduction);
        let objective = if twice {
            probe.graph.add(values.loss, values.loss)
        } else {
            values.loss
        };
        let delta = gradients(&mut probe.graph, objective, &[z]).unwrap()[0];
        let targets = [values.loss, values.per_sample, delta];
        let results = probe.run(device, Mode::Training, &targets);

        let loss = expected::forward(logits, labels, expected_reduction);
        let losses = expected::per_sample(logits, labels);
        let worth = if twice { 2.0 } else { 1.0 };
        let grad = expected::grad_logits(logits, labels, expected_reduction).map(|d| worth * d);
        assert_close(
            "loss",
            &results[0],
            &Tensor::new(&[1], vec![loss]),
            Tolerance::F32,
        );
        let losses = Tensor::new(&[labels.len()], losses);
        assert_close("losses", &results[1], &losses, Tolerance::F32);
        assert_close("delta", &results[2], &grad, Tolerance::F32);
    }
}

#[test]
fn few_and_many_classes() {
    for (samples, classes) in [
        (1, 2),
        (3, 3),
        (5, 13),
        (64, 10),
        (2, 64),
        (3, 65),
        (7, 1000),
    ] {
        let logits = normal(&[samples, classes], 1).map(|z| f64::from((3.0 * z) as f32));
        check(&logits, &labels_for(samples, classes), false);
    }
}

/// The only class is always right; everything is exactly zero.
#[test]
fn one_class_is_certain() {
    check(&normal(&[3, 1], 1), &[0, 0, 0], false);
}

#[test]
fn the_sum_over_a_large_batch_is_cut_into_pieces() {
    check(&normal(&[5000, 3], 1), &labels_for(5000, 3), false);
}

#[test]
fn a_loss_that_counts_twice_has_twice_the_gradient() {
    check(&normal(&[3, 5], 1), &[4, 0, 2], true);
}

#[test]
fn huge_logits_stay_finite() {
    let logits = Tensor::new(
        &[3, 3],
        vec![1e4, -1e4, 0., 1e4, -1e4, 9999., -1e4, -1e4, -1e4],
    );
    check(&logits, &[0, 1, 2], false);
    let wide = Tensor::from_fn(&[2, 300], |i| if i[1] % 2 == 0 { 1e4 } else { -1e4 });
    check(&wide, &[4, 5], false);
}

/// Losses near e⁻¹⁵ keep their digits, and so does δ of the label.
#[test]
fn almost_certain_samples_keep_their_digits() {
    let logits = Tensor::from_fn(
        &[4, 5],
        |i| if i[1] == 2 { 11.0 + i[0] as f64 } else { 0.0 },
    );
    check(&logits, &[2; 4], false);
}

/// The loss, the losses and δ for logits that are given as they are.
fn run(logits: &Tensor, labels: &[u32]) -> Option<Vec<Vec<f32>>> {
    let device = gpu::device()?;
    let mut probe = Probe::new(labels.len());
    let (z, t) = (probe.input(logits), probe.labels(labels));
    let values = probe.graph.softmax_cross_entropy(z, t, Reduction::Mean);
    let delta = gradients(&mut probe.graph, values.loss, &[z]).unwrap()[0];
    Some(probe.run(
        device,
        Mode::Training,
        &[values.loss, values.per_sample, delta],
    ))
}

fn are_nan(values: &[f32]) -> Vec<bool> {
    values.iter().map(|v| v.is_nan()).collect()
}

#[test]
fn a_label_that_is_no_class_spoils_its_sample_only() {
    for classes in [3, 100] {
        let Some(results) = run(&normal(&[3, classes], 1), &[0, classes as u32, u32::MAX]) else {
            return;
        };
        assert!(results[0][0].is_nan());
        assert_eq!(are_nan(&results[1]), [false, true, true]);
        assert!(results[2][..classes].iter().all(|d| d.is_finite()));
        assert!(results[2][classes..].iter().all(|d| d.is_nan()));
    }
}

#[test]
fn nan_stays_nan() {
    for classes in [3, 100] {
        for spoiled in [0, 1] {
            let mut logits = normal(&[2, classes], 1);
            logits.data[classes + spoiled] = f64::NAN;
            let Some(results) = run(&logits, &[0, 1]) else {
                return;
            };
            assert!(results[0][0].is_nan());
            assert_eq!(are_nan(&results[1]), [false, true]);
            assert!(results[2][classes..].iter().all(|d| d.is_nan()));
        }
    }
}

/// Without a gradient, the kernel does not compute δ.
#[test]
fn the_loss_alone() {
    let Some(device) = gpu::device() else { return };
    let logits = normal(&[4, 5], 1);
    let mut probe = Probe::new(4);
    let (z, t) = (probe.input(&logits), probe.labels(&[0, 1, 2, 3]));
    let values = probe
        .graph
        .softmax_cross_entropy(z, t, Reduction::default());
    let results = probe.run(device, Mode::Evaluation, &[values.loss, values.per_sample]);
    let loss = expected::forward(&logits, &[0, 1, 2, 3], reference::Reduction::Mean);
    assert_close(
        "loss",
        &results[0],
        &Tensor::new(&[1], vec![loss]),
        Tolerance::F32,
    );
}

fn error(build: impl FnOnce(&mut Graph) -> [Var; 2]) -> String {
    let mut graph = Graph::new();
    let [logits, labels] = build(&mut graph);
    graph.softmax_cross_entropy(logits, labels, Reduction::Mean);
    graph.check().unwrap_err().to_string()
}

#[test]
fn wrong_operands_are_refused() {
    assert_eq!(
        error(|g| [g.input("x", [3, 4, 5]), g.labels("t")]),
        "layer `softmax_cross_entropy1` (softmax_cross_entropy): logits of shape [classes] per \
         sample are needed, the input is [3, 4, 5]"
    );
    assert_eq!(
        error(|g| [g.input("x", [3]), g.input("t", [3])]),
        "layer `softmax_cross_entropy1` (softmax_cross_entropy): one class index per sample is \
         needed as label, the input is [3]"
    );
}

#[test]
fn the_losses_per_sample_have_no_gradient() {
    let mut graph = Graph::new();
    let (z, t) = (graph.input("z", [3]), graph.labels("t"));
    let values = graph.softmax_cross_entropy(z, t, Reduction::Mean);
    let dy = graph.persistent("dy", graph.type_of(values.per_sample).clone(), "dy", 0);
    let seeds = [(values.per_sample, dy)];
    let error = wgrad::autodiff::gradients_from(&mut graph, &seeds, &[z]).unwrap_err();
    assert!(
        error.to_string().contains("only the loss has a gradient"),
        "{error}"
    );
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(n in 1_usize..9, k in 1_usize..90, spread in 1_u32..20, twice: bool, seed: u64) {
        let logits = normal(&[n, k], seed % 1000).map(|z| f64::from((f64::from(spread) * z) as f32));
        check(&logits, &labels_for(n, k), twice);
    }
}
