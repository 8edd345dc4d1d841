//! Evaluation and prediction against computation by hand.

use wgrad::data::Dataset;
use wgrad::graph::{Graph, Network, Var};
use wgrad::ops::{
    BinaryCrossEntropy, HingeLoss, HuberLoss, L1Loss, LossValues, MeanSquaredError,
    SoftmaxCrossEntropy,
};
use wgrad::train::{AnswerKind, Loss, LossFunction, Model, Prediction, Sgd, Trainer};

use super::setup::{assert_same, bits, classified, normal, parameters, varied};
use crate::reference::{self, Reduction, Tensor, batch_norm};
use crate::support::compare::{Tolerance, compare};
use crate::support::gpu::device;

fn answers(model: &Model, data: &Dataset) -> Vec<Prediction> {
    let indices: Vec<u32> = (0..data.len() as u32).collect();
    model.predict_batch(&data.batch(&indices).unwrap()).unwrap()
}

/// −log of the softmax of the logit of the true class.
fn cross_entropy(logits: &[f32], label: u32) -> f64 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shifted = |v: f32| f64::from(v) - f64::from(largest);
    let sum: f64 = logits.iter().map(|&v| shifted(v).exp()).sum();
    sum.ln() - shifted(logits[label as usize])
}

fn assert_loss(found: f64, expected: f64) {
    let close = (found - expected).abs() <= 1e-5 * expected;
    assert!(close, "loss {found}, by hand {expected}");
}

/// A little training, so that running statistics are not those of the start.
fn trained(device: &wgrad::Device) -> Model {
    let mut model = varied().build(device, 4).unwrap();
    let data = classified(40, &[1, 8, 8], 10);
    let trainer = Trainer::new(Sgd::new(0.05)).batch_size(8);
    let mut training = trainer.start(&mut model, &data).unwrap();
    for _ in 0..10 {
        training.step().unwrap();
    }
    training.losses().unwrap();
    model
}

/// Fewer samples than a batch, one more, and several batches with a rest.
#[test]
fn loss_accuracy_and_confusion_are_those_of_the_predictions() {
    let Some(device) = device() else { return };
    let model = trained(device);
    let before = parameters(&model);
    for count in [1, 37, 257, 517] {
        let data = classified(count, &[1, 8, 8], 10);
        let labels = data.labels().unwrap();
        let answers = answers(&model, &data);
        assert_eq!(answers.len(), count);
        let losses = answers
            .iter()
            .zip(labels)
            .map(|(a, &l)| cross_entropy(a.values(), l));
        let right = answers
            .iter()
            .zip(labels)
            .filter(|(a, l)| a.top1() == **l as usize);

        let evaluation = model.evaluate(&data).unwrap();
        assert_loss(evaluation.loss, losses.sum::<f64>() / count as f64);
        assert_eq!(
            evaluation.accuracy,
            Some(right.count() as f64 / count as f64)
        );
        for k in [0, 1, 2, 5, 10, 11] {
            let among = |(a, l): &(&Prediction, &u32)| {
                a.top(k).iter().any(|(class, _)| *class == **l as usize)
            };
            let found = answers.iter().zip(labels).filter(among).count();
            assert_eq!(
                evaluation.top_k(k),
                Some(found as f64 / count as f64),
                "{k}"
            );
        }
        let confusion = evaluation.confusion.unwrap();
        for (class, row) in (0..10_u32).map(|class| (class, class as usize)) {
            for predicted in 0..10_usize {
                let expected = answers.iter().zip(labels);
                let expected = expected.filter(|(a, l)| **l == class && a.top1() == predicted);
                assert_eq!(confusion.count(row, predicted), expected.count() as u64);
            }
        }
    }
    assert_same(&parameters(&model), &before);
}

/// The losses of values and of labels, over whole and partial batches.
#[test]
fn every_loss_is_that_of_the_predictions() {
    use reference::*;
    type OfValues = fn(&Tensor, &Tensor) -> f64;
    let Some(device) = device() else { return };
    let mut net = Network::input([3, 4, 4]);
    net.conv(5, 3).tanh().linear(3);
    let mut model = net.build(device, 4).unwrap();
    const MEAN: Reduction = Reduction::Mean;
    let of_values: [(Loss, OfValues); 4] = [
        (MeanSquaredError::new().into(), |y, t| {
            mse::forward(y, t, MEAN)
        }),
        (L1Loss::new().into(), |y, t| l1_loss::forward(y, t, MEAN)),
        (HuberLoss::smooth_l1(0.5).into(), |y, t| {
            let a = huber_loss::Attributes {
                threshold: 0.5,
                smooth_l1: true,
            };
            huber_loss::forward(y, t, MEAN, &a)
        }),
        (BinaryCrossEntropy::new().into(), |y, t| {
            binary_cross_entropy::forward(y, t, MEAN, None)
        }),
    ];
    for (loss, expected) in of_values {
        for count in [1, 300] {
            let targets = Tensor::normal(&[count, 3], 2).map(|t| f64::from(u8::from(t > 0.0)));
            let values = normal(&[count, 48], 1);
            let data = Dataset::regression([3, 4, 4], values, [3], targets.to_f32()).unwrap();
            // Evaluation reports the loss of the last training.
            let trainer = Trainer::new(Sgd::new(0.1)).loss(loss.clone());
            trainer.start(&mut model, &data).unwrap().step().unwrap();
            let evaluation = model.evaluate(&data).unwrap();
            let y = responses(&model, &data);
            assert_loss(evaluation.loss, expected(&y, &targets));
            let has_accuracy = loss.name() == "binary cross-entropy";
            assert_eq!(evaluation.accuracy.is_some(), has_accuracy);
            assert_eq!(evaluation.confusion.is_some(), has_accuracy);
            assert_eq!(evaluation.top_k(1), None);
        }
    }
    for squared in [false, true] {
        let data = classified(300, &[3, 4, 4], 3);
        let trainer = Trainer::new(Sgd::new(0.1)).loss(HingeLoss::new().squared(squared));
        trainer.start(&mut model, &data).unwrap().step().unwrap();
        let evaluation = model.evaluate(&data).unwrap();
        let y = responses(&model, &data);
        let labels = data.labels().unwrap();
        assert_loss(
            evaluation.loss,
            hinge_loss::forward(&y, labels, MEAN, squared),
        );
        assert_eq!(evaluation.confusion.unwrap().total(), 300);
    }
}

/// Yes and no are counted by element: features and images, fewer and more channels than a vector,
/// short and long samples, whole and partial batches.
#[test]
fn yes_and_no_are_counted() {
    let Some(device) = device() else { return };
    let features = |n: usize| {
        let mut net = Network::input([4]);
        net.linear(n);
        net
    };
    let mut image = Network::input([2, 9, 9]);
    image.conv(5, 1);
    for (net, shape) in [
        (features(1), &[1][..]),
        (features(70), &[70]),
        (image, &[5, 9, 9]),
    ] {
        let mut model = net.build(device, 4).unwrap();
        let (inputs, outputs) = (
            model.input_shape().elements(),
            model.output_shape().elements(),
        );
        for count in [3, 300] {
            let targets =
                Tensor::normal(&[count, outputs], 2).map(|t| f64::from(u8::from(t > 0.3)));
            let data = Dataset::regression(
                &model.input_shape()[..],
                normal(&[count, inputs], 1),
                shape,
                targets.to_f32(),
            )
            .unwrap();
            let trainer = Trainer::new(Sgd::new(0.0)).loss(BinaryCrossEntropy::new());
            trainer.start(&mut model, &data).unwrap();
            let evaluation = model.evaluate(&data).unwrap();
            let confusion = evaluation.confusion.unwrap();
            let responses = responses(&model, &data);
            let pairs = responses.data.iter().zip(&targets.data);
            let pairs: Vec<(bool, bool)> = pairs.map(|(z, t)| (*t > 0.5, *z > 0.0)).collect();
            for (truth, answer) in [(false, false), (false, true), (true, false), (true, true)] {
                let expected = pairs
                    .iter()
                    .filter(|pair| **pair == (truth, answer))
                    .count();
                let found = confusion.count(truth.into(), answer.into());
                assert_eq!(found, expected as u64, "{shape:?} {count} {truth} {answer}");
            }
            let right = pairs.iter().filter(|(truth, answer)| truth == answer);
            let share = right.count() as f64 / pairs.len() as f64;
            assert_eq!(evaluation.accuracy, Some(share));
            assert_eq!(confusion.classes().names(), ["no", "yes"]);
        }
    }
}

/// A response that is no number is never right, whatever was asked.
#[test]
fn an_answer_that_is_no_number_is_wrong() {
    let Some(device) = device() else { return };
    let mut net = Network::input([2]);
    net.linear(2);
    let mut model = net.build(device, 4).unwrap();
    let data = Dataset::regression(
        [2],
        vec![1.0; 8],
        [2],
        vec![0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0],
    );
    let data = data.unwrap();
    let trainer = Trainer::new(Sgd::new(0.0)).loss(BinaryCrossEntropy::new());
    trainer.start(&mut model, &data).unwrap();
    model
        .set_parameter("linear1.bias", &[f32::NAN, 1e4])
        .unwrap();
    let evaluation = model.evaluate(&data).unwrap();
    // Of the second elements two are 1.
    assert_eq!(evaluation.accuracy, Some(0.25));
    assert_eq!(evaluation.confusion.unwrap().total(), 8);
}

fn responses(model: &Model, data: &Dataset) -> Tensor {
    let answers = answers(model, data);
    let values: Vec<f32> = answers
        .iter()
        .flat_map(Prediction::values)
        .copied()
        .collect();
    Tensor::from_f32(&[data.len(), model.output_shape().elements()], &values)
}

/// The mean is by the weights of all samples, not the mean of the batches' means; ignored samples
/// count nowhere.
#[test]
fn weighted_and_ignored_samples() {
    let Some(device) = device() else { return };
    let mut net = Network::input([4]);
    net.linear(3);
    let mut model = net.build(device, 4).unwrap();
    let labels: Vec<u32> = (0..300_u32).map(|n| (n / 100 + n % 2) % 4).collect();
    let data = Dataset::from_f32([4], normal(&[300, 4], 1), labels.clone(), 4).unwrap();
    let loss = SoftmaxCrossEntropy::new()
        .label_smoothing(0.1)
        .class_weights([0.5, 1.0, 4.0])
        .ignored(3);
    let trainer = Trainer::new(Sgd::new(0.1)).loss(loss);
    trainer.start(&mut model, &data).unwrap().step().unwrap();
    let options = reference::softmax_cross_entropy::Options {
        label_smoothing: f64::from(0.1_f32),
        class_weights: Some(vec![0.5, 1.0, 4.0]),
        ignored: Some(3),
    };
    let y = responses(&model, &data);
    let evaluation = model.evaluate(&data).unwrap();
    assert_loss(
        evaluation.loss,
        options.forward(&y, &labels, Reduction::Mean),
    );
    let counted = labels.iter().filter(|label| **label != 3).count() as u64;
    let confusion = evaluation.confusion.unwrap();
    assert!(counted < 300);
    assert_eq!(confusion.total(), counted);
    assert_eq!(confusion.classes().len(), 3);
    assert_eq!(evaluation.accuracy, confusion.accuracy());
}

/// More batches than the device has sums for: they are read in between.
#[test]
fn very_many_batches() {
    let Some(device) = device() else { return };
    let mut net = Network::input([1]);
    net.linear(2);
    let mut model = net.build(device, 4).unwrap();
    model.set_parameter("linear1.weight", &[0.0; 2]).unwrap();
    model.set_parameter("linear1.bias", &[3.0, 3.0]).unwrap();
    let count = 256 * wgrad::ops::training::TALLY_BATCHES + 300;
    let labels: Vec<u32> = (0..count).map(|n| u32::from(n % 3 == 0)).collect();
    let zeros = labels.iter().filter(|label| **label == 0).count();
    let data = Dataset::from_f32([1], vec![1.0; count], labels, 2).unwrap();
    let evaluation = model.evaluate(&data).unwrap();
    assert_loss(evaluation.loss, 2f64.ln());
    assert_eq!(evaluation.accuracy, Some(zeros as f64 / count as f64));
    assert_eq!(evaluation.confusion.unwrap().total(), count as u64);
}

/// Of equal responses the first class counts as the answer; NaN is no answer unless all are.
#[test]
fn ties_and_numbers_that_are_none() {
    let Some(device) = device() else { return };
    let mut net = Network::input([2]);
    net.linear(3);
    let mut model = net.build(device, 4).unwrap();
    model.set_parameter("linear1.weight", &[0.0; 6]).unwrap();
    let data = Dataset::from_f32([2], vec![0.0; 6], vec![0, 1, 2], 3).unwrap();
    let nan = f32::NAN;
    for (bias, predicted) in [
        ([1.0, 1.0, 1.0], 0),
        ([0.0, 1.0, 1.0], 1),
        ([nan, 1.0, nan], 1),
        ([nan, nan, 1.0], 2),
        ([nan; 3], 0),
    ] {
        model.set_parameter("linear1.bias", &bias).unwrap();
        let evaluation = model.evaluate(&data).unwrap();
        let confusion = evaluation.confusion.as_ref().unwrap();
        for truth in 0..3 {
            assert_eq!(confusion.count(truth, predicted), 1, "{bias:?}");
        }
        let ranked: Vec<f64> = (1..=3).map(|k| evaluation.top_k(k).unwrap()).collect();
        assert_eq!(ranked, [1.0 / 3.0, 2.0 / 3.0, 1.0], "{bias:?}");
    }
}

/// A network may answer with a class of which the data set has no samples, nor a name.
#[test]
fn fewer_classes_than_outputs() {
    let Some(device) = device() else { return };
    let mut net = Network::input([4]);
    net.linear(5);
    let mut model = net.build(device, 4).unwrap();
    model.set_parameter("linear1.weight", &[0.0; 20]).unwrap();
    model
        .set_parameter("linear1.bias", &[0.0, 0.0, 0.0, 0.0, 9.0])
        .unwrap();
    let data = Dataset::from_f32([4], normal(&[3, 4], 1), vec![0, 1, 1], ["cat", "dog"]);
    let evaluation = model.evaluate(&data.unwrap()).unwrap();
    assert_eq!(evaluation.accuracy, Some(0.0));
    assert_eq!(evaluation.confusion.unwrap().count(1, 4), 2);
}

#[test]
fn one_sample_is_answered_as_it_is_among_others() {
    let Some(device) = device() else { return };
    let model = trained(device);
    let data = classified(67, &[1, 8, 8], 10);
    let answers = answers(&model, &data);
    for index in [0, 1, 63, 64, 66] {
        let alone = model.predict(&data.image(index).unwrap()).unwrap();
        let among: Vec<f64> = answers[index].values().iter().map(|&v| v.into()).collect();
        compare(alone.values(), &among, Tolerance::F32).unwrap();
        let sum: f32 = alone.probabilities().iter().sum();
        assert!((sum - 1.0).abs() <= 1e-5);
        assert_eq!(alone.top(3).len(), 3);
        assert_eq!(alone.top(1)[0].0, alone.top1());
    }
}

#[test]
fn normalisation_is_by_running_statistics() {
    let Some(device) = device() else { return };
    let mut net = Network::input([3, 2, 2]);
    net.batch_norm();
    let mut model = net.build(device, 4).unwrap();
    let vectors: [(&str, [f32; 3]); 4] = [
        ("bn1.weight", [1.5, -0.5, 2.0]),
        ("bn1.bias", [0.25, 0.0, -1.0]),
        ("bn1.running_mean", [3.0, -2.0, 0.5]),
        ("bn1.running_var", [4.0, 0.25, 9.0]),
    ];
    for (name, values) in &vectors {
        model.set_parameter(name, values).unwrap();
    }
    let [weight, bias, mean, variance] = vectors.map(|(_, v)| Tensor::from_f32(&[3], &v));
    let x = Tensor::normal(&[5, 3, 2, 2], 6);
    let expected = batch_norm::forward_evaluation(&x, [&weight, &bias], [&mean, &variance], 1e-5);
    let answers = model.predict_batch(&x.to_f32()).unwrap();
    let found: Vec<f32> = answers
        .iter()
        .flat_map(Prediction::values)
        .copied()
        .collect();
    compare(&found, &expected.data, Tolerance::F32).unwrap();
}

#[test]
fn dropout_does_nothing() {
    let Some(device) = device() else { return };
    let mut net = Network::input([20]);
    net.dropout(0.9);
    let model = net.build(device, 4).unwrap();
    let sample = normal(&[20], 3);
    let answer = &model.predict_batch(&sample).unwrap()[0];
    assert_eq!(bits(answer.values()), bits(&sample));
}

/// The squared error of responses that go through a hyperbolic tangent first.
#[derive(Debug)]
struct Squashed;

impl LossFunction for Squashed {
    fn name(&self) -> &'static str {
        "squashed squared error"
    }

    fn compares_with(&self) -> AnswerKind {
        AnswerKind::Values
    }

    fn apply(&self, graph: &mut Graph, response: Var, answer: Var) -> LossValues {
        let squashed = graph.tanh(response);
        graph.mean_squared_error(squashed, answer, MeanSquaredError::new())
    }
}

/// It trains, is evaluated, and checks its data as the others do.
#[test]
fn a_loss_of_ones_own() {
    let Some(device) = device() else { return };
    let mut net = Network::input([4]);
    net.linear(3);
    let mut model = net.build(device, 4).unwrap();
    let targets = Tensor::normal(&[20, 3], 2).map(f64::tanh);
    let data = Dataset::regression([4], normal(&[20, 4], 1), [3], targets.to_f32()).unwrap();
    let trainer = Trainer::new(Sgd::new(0.1)).loss(Squashed).batch_size(20);
    let mut training = trainer.start(&mut model, &data).unwrap();
    for _ in 0..20 {
        training.step().unwrap();
    }
    let losses = training.losses().unwrap();
    assert!(losses[19] < losses[0], "{losses:?}");
    let squashed = responses(&model, &data).map(f64::tanh);
    let expected = reference::mse::forward(&squashed, &targets, Reduction::Mean);
    assert_loss(model.evaluate(&data).unwrap().loss, expected);
    let labels = classified(4, &[4], 3);
    assert_eq!(
        model.evaluate(&labels).unwrap_err().to_string(),
        "squashed squared error: target values are needed, the data set has class labels"
    );
}
