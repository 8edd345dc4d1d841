//! What happens when numbers overflow.

use std::collections::BTreeMap;

use wgrad::data::Dataset;
use wgrad::graph::Network;
use wgrad::ops::MeanSquaredError;
use wgrad::train::{Model, Sgd, Trainer};
use wgrad::{Device, Error};

use super::setup::{assert_same, bits, classified, normal, parameters, trainers, varied};
use crate::support::gpu::device;

const KEPT: &str = "is not finite (the parameters are kept as they were before this step)";

/// Takes `steps` steps, more than those that succeed, and gives the error, the losses before it
/// and what the model holds after it.
fn fail(
    model: &mut Model,
    trainer: &Trainer,
    data: &Dataset,
    steps: usize,
) -> (String, Vec<f32>, BTreeMap<String, Vec<f32>>) {
    let mut training = trainer.start(model, data).unwrap();
    for _ in 0..steps {
        training.step().unwrap();
    }
    let error = training.losses().unwrap_err();
    assert!(matches!(error, Error::NonFinite { .. }), "{error}");
    let again = training.losses().unwrap_err();
    assert_eq!(again.to_string(), error.to_string());
    let losses = training.unread_losses().to_vec();
    (error.to_string(), losses, parameters(model))
}

/// As [`fail`], up to a step before the failure.
fn succeed(
    model: &mut Model,
    trainer: &Trainer,
    data: &Dataset,
    steps: usize,
) -> (Vec<f32>, BTreeMap<String, Vec<f32>>) {
    let mut training = trainer.start(model, data).unwrap();
    for _ in 0..steps {
        training.step().unwrap();
    }
    let losses = training.losses().unwrap();
    (losses, parameters(model))
}

fn assert_finite(parameters: &BTreeMap<String, Vec<f32>>) {
    for (name, values) in parameters {
        assert!(values.iter().all(|v| v.is_finite()), "{name}");
    }
}

/// A failed training and one that stops before the failing step leave the same behind.
fn check_failure(
    device: &Device,
    net: &Network,
    trainer: &Trainer,
    data: &Dataset,
    good_steps: usize,
) -> String {
    let mut model = net.build(device, 8).unwrap();
    let (error, losses, left) = fail(&mut model, trainer, data, good_steps + 9);
    let mut model = net.build(device, 8).unwrap();
    let (good_losses, good) = succeed(&mut model, trainer, data, good_steps);
    assert_eq!(losses.len(), good_steps);
    assert_eq!(bits(&losses), bits(&good_losses));
    assert_same(&left, &good);
    assert_finite(&left);
    error
}

/// The steps that are queued behind the failed one reach into further epochs, with other samples
/// in another order: they must not succeed in its place.
#[test]
fn divergence_names_the_step_and_the_layer() {
    let Some(device) = device() else { return };
    let mut net = Network::input([1, 6, 6]);
    net.conv(5, 3).relu().linear(4);
    let trainer = Trainer::new(Sgd::new(1e12).momentum(0.9)).batch_size(6);
    let error = check_failure(device, &net, &trainer, &classified(18, &[1, 6, 6], 4), 2);
    assert_eq!(error, format!("step 2: the response of `linear1` {KEPT}"));
}

#[test]
fn running_statistics_too_are_those_after_the_last_good_step() {
    let Some(device) = device() else { return };
    let trainer = Trainer::new(Sgd::new(1e12)).batch_size(6);
    let data = classified(12, &[1, 8, 8], 10);
    let error = check_failure(device, &varied(), &trainer, &data, 1);
    assert_eq!(error, format!("step 1: the response of `bn2` {KEPT}"));
}

/// Twelve samples, of which the eighth is huge.
fn poisoned(shape: &[usize]) -> Dataset {
    let len: usize = shape.iter().product();
    let mut values = normal(&[&[12], shape].concat(), 4);
    values[7 * len..8 * len].fill(1e30);
    Dataset::regression(shape, values, [2], normal(&[12, 2], 5)).unwrap()
}

#[test]
fn a_sample_that_overflows_is_met_at_its_step() {
    let Some(device) = device() else { return };
    let mut net = Network::input([2, 4, 4]);
    net.conv(3, 3).tanh().linear(2);
    let trainer = Trainer::new(Sgd::new(0.01))
        .loss(MeanSquaredError::new())
        .shuffle(false)
        .batch_size(3);
    // tanh saturates, but leaves the loss finite: the next network has no such layer.
    let mut model = net.build(device, 8).unwrap();
    succeed(&mut model, &trainer, &poisoned(&[2, 4, 4]), 8);

    let mut net = Network::input([2, 4, 4]);
    net.conv(3, 3).leaky_relu(0.1).linear(2);
    let error = check_failure(device, &net, &trainer, &poisoned(&[2, 4, 4]), 2);
    assert_eq!(error, format!("step 2: the response of `mse1` {KEPT}"));
}

#[test]
fn no_rule_applies_a_step_that_is_not_finite() {
    let Some(device) = device() else { return };
    let mut net = Network::input([2, 4, 4]);
    net.conv(3, 3).leaky_relu(0.1).linear(2);
    for trainer in trainers() {
        let trainer = trainer
            .loss(MeanSquaredError::default())
            .shuffle(false)
            .batch_size(3);
        let error = check_failure(device, &net, &trainer, &poisoned(&[2, 4, 4]), 2);
        assert_eq!(error, format!("step 2: the response of `mse1` {KEPT}"));
    }
}

/// The variance of numbers near 1e30 is infinite; the normalised values, the loss and the
/// gradients are not.
#[test]
fn a_batch_statistic_that_overflows_stays_out_of_the_running_ones() {
    let Some(device) = device() else { return };
    let mut net = Network::input([2, 4, 4]);
    net.conv(3, 3).batch_norm().relu().linear(2);
    let trainer = Trainer::new(Sgd::new(0.01))
        .loss(MeanSquaredError::new())
        .shuffle(false)
        .batch_size(3);
    let error = check_failure(device, &net, &trainer, &poisoned(&[2, 4, 4]), 2);
    assert_eq!(error, format!("step 2: the response of `bn1` {KEPT}"));
}

#[test]
fn a_parameter_that_is_no_number_is_named_and_the_others_are_kept() {
    let Some(device) = device() else { return };
    let data = classified(12, &[1, 8, 8], 10);
    let mut model = varied().build(device, 8).unwrap();
    let before = parameters(&model);
    let mut poisoned = before["conv2.weight"].clone();
    poisoned[17] = f32::NAN;
    model.set_parameter("conv2.weight", &poisoned).unwrap();
    let trainer = Trainer::new(Sgd::new(0.1)).batch_size(6);
    let (error, losses, mut left) = fail(&mut model, &trainer, &data, 5);
    assert_eq!(error, format!("step 0: the value of `conv2.weight` {KEPT}"));
    assert!(losses.is_empty());
    left.insert("conv2.weight".to_owned(), before["conv2.weight"].clone());
    assert_same(&left, &before);

    // Mended, the model trains.
    let mended = &before["conv2.weight"];
    model.set_parameter("conv2.weight", mended).unwrap();
    succeed(&mut model, &trainer, &data, 5);
}

#[test]
fn fit_returns_the_error_and_leaves_a_usable_model() {
    let Some(device) = device() else { return };
    let data = classified(12, &[1, 8, 8], 10);
    let mut model = varied().build(device, 8).unwrap();
    let trainer = Trainer::new(Sgd::new(1e12)).batch_size(6).epochs(4);
    let error = trainer.fit(&mut model, &data, &data).unwrap_err();
    assert!(matches!(*error.error, Error::NonFinite { .. }), "{error}");
    assert_finite(&parameters(&model));
}
