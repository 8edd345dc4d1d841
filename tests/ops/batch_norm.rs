use proptest::prelude::*;
use wgrad::graph::{Graph, Var};
use wgrad::ops::BatchNorm;
use wgrad::plan::Mode;

use super::{cases, channels, normal};
use crate::reference::{Tensor, batch_norm as expected};
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

const EPSILON: f32 = 1e-5;

/// γ and β as parameters of the layer `bn1`.
struct Affine {
    weight: Tensor,
    bias: Tensor,
}

impl Affine {
    fn random(channels: usize) -> Self {
        Self {
            weight: normal(&[channels], 11),
            bias: normal(&[channels], 12),
        }
    }

    fn set(&self, probe: &mut Probe) -> [Var; 2] {
        [
            probe.parameter("bn1.weight", &self.weight),
            probe.parameter("bn1.bias", &self.bias),
        ]
    }
}

/// Everything that training computes: y, the statistics, and the three gradients.
fn check_training(x: &Tensor, epsilon: f32) {
    let Some(device) = gpu::device() else { return };
    let affine = Affine::random(x.shape[1]);
    // A seed of its own: for δ = x the formula cancels and only rounding is left.
    let dy = normal(&x.shape, 4_013);
    let mut probe = Probe::new(x.shape[0]);
    let x_var = probe.input(x);
    let y = probe
        .graph
        .batch_norm(x_var, BatchNorm::new().epsilon(epsilon));
    let [weight, bias] = affine.set(&mut probe);
    let statistics = probe.graph.nodes()[0].outputs[1..4].to_vec();
    let deltas = probe.gradients(y, &dy, &[x_var, weight, bias]);
    let targets = [&[y][..], &statistics, &deltas].concat();
    let results = probe.run(device, Mode::Training, &targets);

    let epsilon = f64::from(epsilon);
    let forward = expected::forward_training(x, &affine.weight, &affine.bias, epsilon);
    let grads = expected::grad_training(x, &affine.weight, &dy, epsilon);
    let inverse_std = forward.biased_variance.map(|v| 1.0 / (v + epsilon).sqrt());
    // Against the size of the channel's values: a mean near zero is a sum that cancels.
    for (c, mean) in forward.mean.data.iter().enumerate() {
        let size = mean.hypot(forward.biased_variance.data[c].sqrt());
        let difference = (f64::from(results[1][c]) - mean).abs();
        assert!(
            difference <= 1e-6 * size,
            "mean of channel {c} of {:?} is off by {difference:e} where values are {size:e}",
            x.shape
        );
    }
    let references = [
        ("y", forward.y),
        ("inverse std", inverse_std),
        ("unbiased variance", forward.unbiased_variance),
        ("dx", grads.x),
    ];
    let others = results[..1].iter().chain(&results[2..5]);
    for ((name, reference), result) in references.iter().zip(others) {
        let name = format!("{name} of {:?}", x.shape);
        assert_close(&name, result, reference, Tolerance::F32);
    }
    // A sum of numbers of unit variance, which may cancel by chance: beside its usual size.
    let usual = ((x.data.len() / x.shape[1]) as f64).sqrt();
    for (name, sum, result) in [
        ("dweight", grads.weight, &results[5]),
        ("dbias", grads.bias, &results[6]),
    ] {
        let name = format!("{name} of {:?}", x.shape);
        let reference = Tensor::new(&[sum.data.len() + 1], [sum.data, vec![usual]].concat());
        let result = [&result[..], &[usual as f32]].concat();
        assert_close(&name, &result, &reference, Tolerance::F32);
    }
}

/// Evaluation with running averages that have nothing to do with the batch.
fn check_evaluation(x: &Tensor) {
    let Some(device) = gpu::device() else { return };
    let channels = x.shape[1];
    let affine = Affine::random(channels);
    let mean = normal(&[channels], 14);
    let variance = normal(&[channels], 15).map(|v| f64::from((v * v + 0.1) as f32));
    let mut probe = Probe::new(x.shape[0]);
    let x_var = probe.input(x);
    let y = probe.graph.batch_norm(x_var, BatchNorm::new());
    affine.set(&mut probe);
    probe.parameter("bn1.running_mean", &mean);
    probe.parameter("bn1.running_var", &variance);
    let results = probe.run(device, Mode::Evaluation, &[y]);
    let parameters = [&affine.weight, &affine.bias];
    let reference =
        expected::forward_evaluation(x, parameters, [&mean, &variance], f64::from(EPSILON));
    assert_close("y", &results[0], &reference, Tolerance::F32);
}

/// Training of a layer that normalises by its running averages, alone or with a ReLU behind.
fn check_frozen(x: &Tensor, rectified: bool) {
    let Some(device) = gpu::device() else { return };
    let channels = x.shape[1];
    let affine = Affine::random(channels);
    let mean = normal(&[channels], 14);
    let variance = normal(&[channels], 15).map(|v| f64::from((v * v + 0.1) as f32));
    let dy = normal(&x.shape, 4_013);
    let mut probe = Probe::new(x.shape[0]);
    let x_var = probe.input(x);
    let mut y = probe.graph.batch_norm(x_var, BatchNorm::new().frozen(true));
    if rectified {
        y = probe.graph.relu(y);
    }
    let [weight, bias] = affine.set(&mut probe);
    probe.parameter("bn1.running_mean", &mean);
    probe.parameter("bn1.running_var", &variance);
    let deltas = probe.gradients(y, &dy, &[x_var, weight, bias]);
    let results = probe.run(device, Mode::Training, &[&[y][..], &deltas].concat());

    let epsilon = f64::from(EPSILON);
    let statistics = [&mean, &variance];
    let parameters = [&affine.weight, &affine.bias];
    let mut forward = expected::forward_evaluation(x, parameters, statistics, epsilon);
    let mut delta = dy;
    if rectified {
        delta = delta.zip(&forward, |d, y| if y > 0.0 { d } else { 0.0 });
        forward = forward.map(|y| y.max(0.0));
    }
    let grads = expected::grad_evaluation(x, &affine.weight, statistics, &delta, epsilon);
    for ((name, reference), result) in [
        ("y", forward),
        ("dx", grads.x),
        ("dweight", grads.weight),
        ("dbias", grads.bias),
    ]
    .iter()
    .zip(&results)
    {
        let name = format!("{name} of {:?}", x.shape);
        assert_close(&name, result, reference, Tolerance::F32);
    }
}

/// One value a channel, too, which has no statistics of its own.
#[test]
fn frozen_it_trains_as_it_answers() {
    for shape in [&[1, 3][..], &[10, 13], &[4, 3, 5, 5], &[7, 5, 41, 43]] {
        for rectified in [false, true] {
            check_frozen(&normal(shape, 1), rectified);
        }
    }
}

#[test]
fn training_on_features_and_images() {
    for shape in [
        &[8, 1][..],
        &[10, 13],
        &[1, 5, 3, 4],
        &[4, 3, 5, 5],
        &[3, 8, 4, 2],
    ] {
        check_training(&normal(shape, 1), EPSILON);
    }
}

/// With two values a channel, x̂ is nearly ±1 and δx nearly 0: a large ε keeps it well above
/// rounding.
#[test]
fn training_on_two_values_per_channel() {
    check_training(&normal(&[2, 5], 1), 0.5);
    check_training(&normal(&[1, 3, 1, 2], 1), 0.5);
}

/// Channels in many pieces, of unequal length.
#[test]
fn training_on_long_channels() {
    check_training(&normal(&[7, 5, 41, 43], 1), EPSILON);
    check_training(&normal(&[3, 65, 21, 23], 1), EPSILON);
}

/// What a sum of squares minus the square of the mean would lose.
#[test]
fn training_far_from_zero() {
    for shape in [[6, 3, 4, 4], [8, 5, 40, 40]] {
        let x = normal(&shape, 1);
        check_training(&x.map(|x| f64::from((x + 1000.0) as f32)), EPSILON);
        // One channel far off, the others not, in both directions.
        let mut mixed = Tensor::from_fn(&shape, |i| x.at(i) + [0.0, -1e4, 100.0][i[1] % 3]);
        mixed = mixed.map(|x| f64::from(x as f32));
        check_training(&mixed, EPSILON);
    }
}

/// The first value, from which a shifted sum would start, lies a thousand deviations off; and
/// samples with means of their own.
#[test]
fn training_with_outliers() {
    let shape = [5, 2, 30, 30];
    let mut x = normal(&shape, 1);
    x.data[0] = 1000.0;
    check_training(&x, EPSILON);
    let drifting = Tensor::from_fn(&shape, |i| x.at(i) + 50.0 * i[0] as f64);
    check_training(&drifting.map(|x| f64::from(x as f32)), EPSILON);
}

#[test]
fn a_constant_channel_becomes_its_bias() {
    let Some(device) = gpu::device() else { return };
    let x = Tensor::from_fn(&[3, 2, 5, 5], |i| 0.1 * (1 + i[1]) as f64);
    let x = Tensor::from_f32(&x.shape, &x.to_f32());
    let affine = Affine::random(2);
    let mut probe = Probe::new(3);
    let x_var = probe.input(&x);
    let y = probe.graph.batch_norm(x_var, BatchNorm::new());
    affine.set(&mut probe);
    let reference = Tensor::from_fn(&x.shape, |i| affine.bias.at(&[i[1]]));
    let results = probe.run(device, Mode::Training, &[y]);
    assert_close("y", &results[0], &reference, Tolerance::F32);
}

#[test]
fn evaluation_uses_the_running_averages() {
    for shape in [&[1, 1][..], &[3, 13], &[1, 5, 1, 1], &[4, 3, 5, 5]] {
        check_evaluation(&normal(shape, 1));
    }
}

#[test]
fn nan_spoils_its_channel_only() {
    let Some(device) = gpu::device() else { return };
    let mut x = normal(&[4, 3], 1);
    x.data[4] = f64::NAN;
    let mut probe = Probe::new(4);
    let x_var = probe.input(&x);
    let y = probe.graph.batch_norm(x_var, BatchNorm::new());
    Affine::random(3).set(&mut probe);
    let results = probe.run(device, Mode::Training, &[y]);
    for (i, y) in results[0].iter().enumerate() {
        assert_eq!(y.is_nan(), i % 3 == 1, "element {i}");
    }
}

#[test]
fn one_value_per_channel_has_no_variance() {
    let Some(device) = gpu::device() else { return };
    let mut graph = Graph::new();
    let x = graph.input("x", [3, 1, 1]);
    let y = graph.batch_norm(x, BatchNorm::new());
    let run = |options| wgrad::Session::new(device, &graph, &[y], options).map(drop);
    let error = run(wgrad::SessionOptions::training(1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "layer `bn1` (batch_norm): more than one value per channel is needed in training, a \
         batch of 1 of [3, 1, 1] has one"
    );
    run(wgrad::SessionOptions::training(2)).unwrap();
    run(wgrad::SessionOptions::evaluation(1)).unwrap();
}

#[test]
fn statistics_of_the_batch_exist_in_training_only() {
    let Some(device) = gpu::device() else { return };
    let mut graph = Graph::new();
    let x = graph.input("x", [3]);
    graph.batch_norm(x, BatchNorm::new());
    let mean = graph.nodes()[0].outputs[1];
    let options = wgrad::SessionOptions::evaluation(2);
    let error = wgrad::Session::new(device, &graph, &[mean], options).unwrap_err();
    assert!(
        error.to_string().contains("no statistics of the batch"),
        "{error}"
    );
}

fn error(layer: BatchNorm, input: impl FnOnce(&mut Graph) -> Var) -> String {
    let mut graph = Graph::new();
    let x = input(&mut graph);
    graph.batch_norm(x, layer);
    graph.check().unwrap_err().to_string()
}

#[test]
fn wrong_inputs_and_attributes_are_refused() {
    let head = "layer `bn1` (batch_norm): ";
    assert_eq!(
        error(BatchNorm::new(), |g| g.input("x", [3, 4])),
        format!(
            "{head}an image of shape [channels, height, width] or features are needed, the input \
             is [3, 4]"
        )
    );
    assert!(error(BatchNorm::new(), |g| g.labels("x")).contains("the input is []"));
    for epsilon in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert_eq!(
            error(BatchNorm::new().epsilon(epsilon), |g| g.input("x", [3])),
            format!("{head}epsilon must be above 0, it is {epsilon}")
        );
    }
    assert_eq!(
        error(BatchNorm::new().momentum(1.5), |g| g.input("x", [3])),
        format!("{head}the momentum must lie in [0, 1], it is 1.5")
    );
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(
        n in 2_usize..5, c in channels(), h in 2_usize..13, w in 2_usize..13,
        offset in -100_i32..100, seed: u64,
    ) {
        let x = normal(&[n, c, h, w], seed % 1000);
        let x = x.map(|x| f64::from((x + f64::from(offset)) as f32));
        check_training(&x, EPSILON);
        check_evaluation(&x);
    }
}
