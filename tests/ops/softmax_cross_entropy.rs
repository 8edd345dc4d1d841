use std::sync::Arc;

use proptest::prelude::*;
use wgrad::graph::{Graph, Var};
use wgrad::ops::SoftmaxCrossEntropy;
use wgrad::ops::loss::Reduction;
use wgrad::plan::Mode;

use super::*;
use crate::reference::softmax_cross_entropy::{self as expected, Options};

fn labels_for(samples: usize, classes: usize) -> Vec<u32> {
    (0..samples).map(|n| (n * 7 % classes) as u32).collect()
}

/// The loss, the losses per sample and δ of the logits against the reference.
fn check_with(logits: &Tensor, labels: &[u32], loss: &SoftmaxCrossEntropy) {
    let wide = |w: &f32| f64::from(*w);
    let weights = loss.class_weights.as_ref();
    let options = Options {
        label_smoothing: f64::from(loss.label_smoothing),
        class_weights: weights.map(|weights| weights.iter().map(wide).collect()),
        ignored: loss.ignored,
    };
    for (reduction, by_reference) in REDUCTIONS {
        let expected = Expected {
            loss: options.forward(logits, labels, by_reference),
            per_sample: options.per_sample(logits, labels),
            delta: options.grad_logits(logits, labels, by_reference),
        };
        let build = |probe: &mut Probe, z| {
            let t = probe.labels(labels);
            let loss = loss.clone().reduction(reduction);
            probe.graph.softmax_cross_entropy(z, t, loss)
        };
        check_loss(logits, build, &expected);
    }
}

fn check(logits: &Tensor, labels: &[u32]) {
    check_with(logits, labels, &SoftmaxCrossEntropy::new());
}

/// Every combination of the options, the first label being ignored.
fn variants(labels: &[u32], classes: usize) -> Vec<SoftmaxCrossEntropy> {
    let weights: Vec<f32> = (0..classes).map(|k| 0.25 + (k % 5) as f32).collect();
    let mut variants = Vec::new();
    for smoothing in [0.0, 0.1] {
        for weighted in [false, true] {
            for ignoring in [false, true] {
                let mut loss = SoftmaxCrossEntropy::new().label_smoothing(smoothing);
                if weighted {
                    loss = loss.class_weights(weights.clone());
                }
                if ignoring {
                    loss = loss.ignored(labels[0]);
                }
                variants.push(loss);
            }
        }
    }
    variants
}

#[test]
fn smoothing_weights_and_ignored_samples() {
    for (samples, classes) in [(2, 2), (5, 13), (70, 10), (3, 65), (7, 300)] {
        let logits = normal(&[samples, classes], 1).map(|z| f64::from((3.0 * z) as f32));
        let labels = labels_for(samples, classes);
        for loss in variants(&labels, classes) {
            check_with(&logits, &labels, &loss);
        }
    }
}

#[test]
fn huge_logits_stay_finite_with_options() {
    let logits = Tensor::from_fn(&[3, 5], |i| if (i[0] + i[1]) % 2 == 0 { 1e4 } else { -1e4 });
    for loss in variants(&[4, 0, 2], 5) {
        check_with(&logits, &[4, 0, 2], &loss);
    }
}

/// A label beyond the classes may be ignored; so may all of them, whose mean is 0/0.
#[test]
fn ignored_labels_need_be_no_class() {
    let loss = SoftmaxCrossEntropy::new().ignored(u32::MAX);
    for classes in [3, 100] {
        let logits = normal(&[3, classes], 1);
        check_with(&logits, &[0, u32::MAX, 2], &loss);
        let build = |probe: &mut Probe, z| {
            let t = probe.labels(&[u32::MAX; 3]);
            probe.graph.softmax_cross_entropy(z, t, loss.clone())
        };
        let Some(results) = run_loss(&logits, build) else {
            return;
        };
        assert!(results[0][0].is_nan());
        assert_eq!(results[1], [0.0; 3]);
    }
}

/// What the samples count, for an evaluation that adds up several batches.
#[test]
fn the_weights_of_the_samples() {
    let Some(device) = gpu::device() else { return };
    let mut probe = Probe::new(3);
    let (z, t) = (probe.input(&normal(&[3, 2], 1)), probe.labels(&[1, 0, 7]));
    let loss = SoftmaxCrossEntropy::new()
        .class_weights([0.5, 2.0])
        .ignored(7);
    let weights = probe.graph.softmax_cross_entropy(z, t, loss).weights;
    let plain = probe.graph.softmax_cross_entropy(z, t, Reduction::Mean);
    assert_eq!(plain.weights, None);
    let results = probe.run(device, Mode::Evaluation, &[weights.unwrap()]);
    assert_eq!(results[0], [2.0, 0.5, 0.0]);
}

/// The weights belong to the operator, not to its name.
#[test]
fn namesakes_have_weights_of_their_own() {
    let Some(device) = gpu::device() else { return };
    let mut probe = Probe::new(2);
    let (z, t) = (probe.input(&normal(&[2, 2], 1)), probe.labels(&[1, 0]));
    let results: Vec<Var> = [[0.5, 2.0], [3.0, 4.0]]
        .into_iter()
        .map(|weights| {
            let loss = SoftmaxCrossEntropy::new().class_weights(weights);
            probe.graph.apply_all("loss", Arc::new(loss), &[z, t])[3]
        })
        .collect();
    let results = probe.run(device, Mode::Evaluation, &results);
    assert_eq!(results, [[2.0, 0.5], [4.0, 3.0]]);
}

#[test]
fn impossible_options_are_refused() {
    let error = |loss: SoftmaxCrossEntropy| {
        let mut graph = Graph::new();
        let (z, t) = (graph.input("z", [3]), graph.labels("t"));
        graph.softmax_cross_entropy(z, t, loss);
        graph.check().unwrap_err().to_string()
    };
    for share in [-0.1, 1.5, f32::NAN] {
        assert_eq!(
            error(SoftmaxCrossEntropy::new().label_smoothing(share)),
            format!(
                "layer `softmax_cross_entropy1` (softmax_cross_entropy): label smoothing must lie \
                 in [0, 1], it is {share}"
            )
        );
    }
    assert_eq!(
        error(SoftmaxCrossEntropy::new().class_weights([1.0; 4])),
        "layer `softmax_cross_entropy1` (softmax_cross_entropy): there are 4 weights for 3 classes"
    );
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
        check(&logits, &labels_for(samples, classes));
    }
}

/// The only class is always right; everything is exactly zero.
#[test]
fn one_class_is_certain() {
    check(&normal(&[3, 1], 1), &[0, 0, 0]);
}

#[test]
fn the_sum_over_a_large_batch_is_cut_into_pieces() {
    check(&normal(&[5000, 3], 1), &labels_for(5000, 3));
}

#[test]
fn huge_logits_stay_finite() {
    let logits = Tensor::new(
        &[3, 3],
        vec![1e4, -1e4, 0., 1e4, -1e4, 9999., -1e4, -1e4, -1e4],
    );
    check(&logits, &[0, 1, 2]);
    let wide = Tensor::from_fn(&[2, 300], |i| if i[1] % 2 == 0 { 1e4 } else { -1e4 });
    check(&wide, &[4, 5]);
}

/// Losses near e⁻¹⁵ keep their digits, and so does δ of the label.
#[test]
fn almost_certain_samples_keep_their_digits() {
    let logits = Tensor::from_fn(
        &[4, 5],
        |i| if i[1] == 2 { 11.0 + i[0] as f64 } else { 0.0 },
    );
    check(&logits, &[2; 4]);
}

/// The loss, the losses and δ for logits that are given as they are.
fn run(logits: &Tensor, labels: &[u32]) -> Option<Vec<Vec<f32>>> {
    run_loss(logits, |probe, z| {
        let t = probe.labels(labels);
        probe.graph.softmax_cross_entropy(z, t, Reduction::Mean)
    })
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
    fn agrees_with_the_reference(n in 1_usize..9, k in 1_usize..90, spread in 1_u32..20, option in 0_usize..8, seed: u64) {
        let logits = normal(&[n, k], seed % 1000).map(|z| f64::from((f64::from(spread) * z) as f32));
        let labels = labels_for(n, k);
        check(&logits, &labels);
        let variants = variants(&labels, k);
        // A mean over no sample is no number.
        let others = labels.iter().any(|label| *label != labels[0]);
        let loss = &variants[option % variants.len()];
        if others || loss.ignored.is_none() {
            check_with(&logits, &labels, loss);
        }
    }
}
