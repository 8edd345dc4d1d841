//! One description serves every batch size, and a sample's answer does not depend on the others.

use wgrad::data::Dataset;
use wgrad::graph::Network;
use wgrad::random::Seed;
use wgrad::train::{Model, Sgd, Trainer};
use wgrad::{Session, SessionOptions};

use super::{gpu, numbers};

const SHAPE: [usize; 3] = [3, 9, 7];
const LEN: usize = 3 * 9 * 7;
const SIZES: [usize; 3] = [1, 7, 64];

fn network() -> Network {
    let mut net = Network::input(SHAPE);
    net.conv(10, 3)
        .padding(1)
        .batch_norm()
        .prelu()
        .max_pool(2)
        .conv(8, 3)
        .groups(2)
        .relu()
        .linear(12)
        .tanh()
        .linear(5);
    net
}

/// The largest difference between two rows of answers.
fn distance(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    assert!(a.iter().chain(b).all(|v| v.is_finite()));
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max)
}

fn answers(model: &Model, samples: &[f32]) -> Vec<f32> {
    let answers = model.predict_batch(samples).unwrap();
    answers.iter().flat_map(|a| a.values().to_vec()).collect()
}

#[test]
fn a_prediction_does_not_depend_on_the_batch() {
    let Some(device) = gpu::device() else { return };
    let model = network().build(device, Seed(2)).unwrap();
    let samples = numbers(LEN * 64, 1);
    let alone: Vec<f32> = samples
        .chunks(LEN)
        .flat_map(|sample| answers(&model, sample))
        .collect();
    assert!(alone.iter().any(|v| v.abs() > 0.1), "{alone:?}");
    for size in SIZES {
        let together: Vec<f32> = samples
            .chunks(LEN * size)
            .flat_map(|samples| answers(&model, samples))
            .collect();
        let distance = distance(&alone, &together);
        assert!(distance <= 1e-6, "{distance} in batches of {size}");
    }
}

/// The same by plans for exactly these sizes.
#[test]
fn a_graph_is_planned_for_any_batch() {
    let Some(device) = gpu::device() else { return };
    let network = network();
    let model = network.build(device, Seed(2)).unwrap();
    let samples = numbers(LEN * 64, 1);
    let expected = answers(&model, &samples);
    let (graph, input, output) = network.graph().unwrap();
    for size in SIZES {
        let options = SessionOptions::evaluation(size).guarded();
        let session = Session::new(device, &graph, &[output], options).unwrap();
        for parameter in model.parameters() {
            let var = graph.find_parameter(&parameter.name).unwrap();
            let values = model.parameter(&parameter.name).unwrap();
            session.set(var, &values).unwrap();
        }
        session.set(input, &samples[..LEN * size]).unwrap();
        session.run().unwrap();
        session.check_guards().unwrap();
        let found = session.get(output).unwrap();
        let distance = distance(&expected[..5 * size], &found);
        assert!(distance <= 1e-6, "{distance} in a batch of {size}");
    }
}

/// Evaluation covers a remainder that fills no batch.
#[test]
fn an_evaluation_is_that_of_its_samples() {
    let Some(device) = gpu::device() else { return };
    let model = network().build(device, Seed(2)).unwrap();
    let count = 300; // more than one batch of an evaluation
    let samples = numbers(LEN * count, 3);
    let labels: Vec<u32> = (0..count as u32).map(|i| i % 5).collect();
    let data = Dataset::from_f32(SHAPE, samples.clone(), labels.clone(), 5).unwrap();
    let evaluation = model.evaluate(&data).unwrap();
    let (mut loss, mut right) = (0.0, 0.0);
    for (answer, &label) in model.predict_batch(&samples).unwrap().iter().zip(&labels) {
        loss -= f64::from(answer.probabilities()[label as usize].ln()) / count as f64;
        right += f64::from(u8::from(answer.top1() == label as usize)) / count as f64;
    }
    assert!(
        (evaluation.loss - loss).abs() < 1e-5,
        "{}, {loss}",
        evaluation.loss
    );
    let accuracy = evaluation.accuracy.unwrap();
    assert!((accuracy - right).abs() < 1e-9, "{accuracy}, {right}");
}

#[test]
fn a_training_takes_any_batch() {
    let Some(device) = gpu::device() else { return };
    let count = 65;
    let labels: Vec<u32> = (0..count).map(|i| i % 5).collect();
    let data = Dataset::from_f32(SHAPE, numbers(LEN * 65, 4), labels, 5).unwrap();
    // 100 is more than there are: one batch of all.
    for (size, steps) in [(1, 65), (7, 9), (64, 1), (100, 1)] {
        let mut model = network().build(device, Seed(2)).unwrap();
        let before = model.parameter("linear2.weight").unwrap();
        let trainer = Trainer::new(Sgd::new(0.01)).batch_size(size);
        let mut training = trainer.start(&mut model, &data).unwrap();
        assert_eq!(training.steps_per_epoch(), steps, "batches of {size}");
        for _ in 0..3 {
            training.step().unwrap();
        }
        let losses = training.losses().unwrap();
        assert!(
            losses.len() == 3 && losses.iter().all(|l| *l > 0.0),
            "{losses:?}"
        );
        assert_ne!(before, model.parameter("linear2.weight").unwrap());
    }
}
