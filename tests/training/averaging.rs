//! The moving average of the weights.

use wgrad::Error;
use wgrad::graph::Network;
use wgrad::train::{Model, Sgd, Trainer};

use super::setup::{assert_same, bits, classified, digits, parameters, varied};
use crate::support::compare::{Tolerance, compare};
use crate::support::gpu::device;

const DECAY: f64 = 0.8;

fn trainer() -> Trainer {
    Trainer::new(Sgd::new(0.05).momentum(0.9))
        .batch_size(10)
        .average(DECAY)
}

fn build() -> Option<Model> {
    device().map(|device| varied().build(device, 1).unwrap())
}

/// The weights after step s count decay^(t − s), of parameters and running statistics alike.
#[test]
fn it_is_the_weighted_mean_of_the_weights_so_far() {
    let Some(mut model) = build() else { return };
    let data = digits(50);
    let trainer = trainer();
    model.freeze("conv1.weight").unwrap();
    let mut training = trainer.start(&mut model, &data).unwrap();
    assert_same(
        &parameters(training.averaged().unwrap()),
        &parameters(training.model()),
    );
    let mut history = Vec::new();
    for step in 1..=20 {
        training.step().unwrap();
        history.push(parameters(training.model()));
        if ![1, 2, 7, 20].contains(&step) {
            continue;
        }
        let average = parameters(training.averaged().unwrap());
        let weights = (0..step).map(|s| DECAY.powi(step - 1 - s));
        let total: f64 = weights.clone().sum();
        for (name, found) in &average {
            let mut expected = vec![0.0; found.len()];
            for (weight, state) in weights.clone().zip(&history) {
                for (sum, value) in expected.iter_mut().zip(&state[name]) {
                    *sum += weight / total * f64::from(*value);
                }
            }
            if let Err(mismatch) = compare(found, &expected, Tolerance::relative(1e-6)) {
                panic!("{name} after {step} steps: {mismatch}");
            }
        }
    }
    // It does not touch what it averages.
    let last = history.pop().unwrap();
    let Some(mut other) = build() else { return };
    other.freeze("conv1.weight").unwrap();
    let plain = Trainer::new(Sgd::new(0.05).momentum(0.9)).batch_size(10);
    let mut training = plain.start(&mut other, &data).unwrap();
    assert!(training.averaged().is_none());
    for _ in 0..20 {
        training.step().unwrap();
    }
    assert_same(&parameters(training.model()), &last);
}

/// The rates at which it moves go through a ring of 1,024 steps; with a decay so near 1 it is
/// the plain mean.
#[test]
fn averages_longer_than_their_ring() {
    let Some(device) = device() else { return };
    let mut net = Network::input([3]);
    net.linear(4);
    let mut model = net.build(device, 1).unwrap();
    let data = classified(20, &[3], 4);
    let trainer = trainer().average(1.0 - 1e-12);
    let mut training = trainer.start(&mut model, &data).unwrap();
    let mut sum = [0.0_f64; 4];
    for _ in 0..1100 {
        training.step().unwrap();
        let bias = training.model().parameter("linear1.bias").unwrap();
        sum.iter_mut()
            .zip(&bias)
            .for_each(|(s, b)| *s += f64::from(*b));
    }
    let mean: Vec<f64> = sum.iter().map(|s| s / 1100.0).collect();
    let averaged = training
        .averaged()
        .unwrap()
        .parameter("linear1.bias")
        .unwrap();
    compare(&averaged, &mean, Tolerance::relative(1e-5)).unwrap();
}

/// `fit` evaluates the average and leaves it in the model; it is what the loop by hand gives.
#[test]
fn fit_ends_with_the_average() {
    let Some(mut model) = build() else { return };
    let data = digits(50);
    let trainer = trainer().epochs(3).progress(false);
    let run = trainer.fit(&mut model, &data, &data).unwrap();
    let evaluation = model.evaluate(&data).unwrap();
    assert_eq!(evaluation.loss, run.evaluation.unwrap().loss);

    let Some(mut by_hand) = build() else { return };
    let mut training = trainer.start(&mut by_hand, &data).unwrap();
    for _ in 0..15 {
        training.step().unwrap();
    }
    let averaged = parameters(training.averaged().unwrap());
    assert_ne!(
        bits(&averaged["linear1.weight"]),
        bits(&training.model().parameter("linear1.weight").unwrap())
    );
    assert_same(&parameters(&model), &averaged);
    training.adopt_average();
    assert_same(&parameters(training.model()), &averaged);
    training.step().unwrap();
    training.losses().unwrap();
}

/// With several micro-batches it moves once a step.
#[test]
fn a_step_of_micro_batches_moves_it_once() {
    let Some(mut model) = build() else { return };
    let data = digits(40);
    let trainer = trainer().batch_size(5).accumulate(4);
    let mut training = trainer.start(&mut model, &data).unwrap();
    training.step().unwrap();
    let first = parameters(training.model());
    training.step().unwrap();
    let second = training.model().parameter("linear1.bias").unwrap();
    let pairs = first["linear1.bias"].iter().zip(&second);
    let expected = pairs.map(|(a, b)| (DECAY * f64::from(*a) + f64::from(*b)) / (1.0 + DECAY));
    let found = training
        .averaged()
        .unwrap()
        .parameter("linear1.bias")
        .unwrap();
    let expected: Vec<f64> = expected.collect();
    compare(&found, &expected, Tolerance::relative(1e-6)).unwrap();
}

#[test]
fn a_step_that_is_not_finite_leaves_it_as_it_was() {
    let Some(mut model) = build() else { return };
    let data = digits(20);
    let trainer = Trainer::new(Sgd::new(1e12)).batch_size(10).average(DECAY);
    let mut training = trainer.start(&mut model, &data).unwrap();
    training.step().unwrap();
    let after_one = parameters(training.averaged().unwrap());
    for _ in 0..4 {
        training.step().unwrap();
    }
    let error = training.losses().unwrap_err();
    assert!(matches!(error, Error::NonFinite { step: 1, .. }), "{error}");
    assert_same(&parameters(training.averaged().unwrap()), &after_one);
}

#[test]
fn decays_that_make_no_sense_are_refused() {
    let Some(mut model) = build() else { return };
    let data = digits(4);
    for (decay, text) in [(1.0, "1"), (-0.5, "-0.5"), (f64::NAN, "NaN")] {
        let trainer = trainer().average(decay);
        let error = trainer.start(&mut model, &data).unwrap_err();
        let expected = format!("the decay of the average must lie in [0, 1), it is {text}");
        assert_eq!(error.to_string(), expected);
    }
}
