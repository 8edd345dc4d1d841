//! Several micro-batches as one step.

use std::collections::BTreeMap;

use wgrad::data::Dataset;
use wgrad::graph::Network;
use wgrad::ops::MeanSquaredError;
use wgrad::train::{Adam, Sgd, Trainer, UpdateRule};
use wgrad::{Device, Error};

use super::setup::{assert_same, bits, classified, digits, normal, parameters, varied};
use crate::support::compare::{Tolerance, compare};
use crate::support::gpu::device;

type Learned = (BTreeMap<String, Vec<f32>>, Vec<f32>);

/// What is learned in so many steps, and the losses.
fn train(device: &Device, net: &Network, trainer: &Trainer, data: &Dataset, steps: u64) -> Learned {
    let mut model = net.build(device, 3).unwrap();
    let mut training = trainer.start(&mut model, data).unwrap();
    for _ in 0..steps {
        training.step().unwrap();
    }
    assert_eq!(training.steps(), steps);
    let losses = training.losses().unwrap();
    (parameters(&model), losses)
}

fn check(rule: impl UpdateRule + Copy, change: impl Fn(Trainer) -> Trainer) {
    let Some(device) = device() else { return };
    let mut net = Network::input([1, 8, 8]);
    net.conv(5, 3).prelu().max_pool(2).linear(10);
    let data = digits(72);
    let trainer = |batch: usize, micro_batches: usize| {
        let trainer = Trainer::new(rule)
            .batch_size(batch)
            .accumulate(micro_batches)
            .seed(5);
        change(trainer)
    };
    // Two epochs of three steps, whose order must be the same.
    let (whole, losses) = train(device, &net, &trainer(24, 1), &data, 6);
    for micro_batches in [2, 3, 8] {
        let trainer = trainer(24 / micro_batches, micro_batches);
        let (found, found_losses) = train(device, &net, &trainer, &data, 6);
        let same = |what: &str, found: &[f32], expected: &[f32]| {
            let expected: Vec<f64> = expected.iter().map(|&v| v.into()).collect();
            if let Err(mismatch) = compare(found, &expected, Tolerance::relative(1e-6)) {
                panic!("{micro_batches} micro-batches: {what}: {mismatch}");
            }
        };
        same("losses", &found_losses, &losses);
        for (name, values) in &whole {
            same(name, &found[name], values);
        }
    }
}

#[test]
fn micro_batches_are_one_batch() {
    check(Sgd::new(0.02).momentum(0.9).weight_decay(1e-3), |t| t);
}

/// Clipping sees the gradients of the whole step.
#[test]
fn micro_batches_are_clipped_as_one_batch() {
    check(Sgd::new(0.02), |t| t.clip_value(0.05).clip_norm(0.1));
}

/// More steps than the rings hold, dropout and batch normalisation: the same in every bit.
#[test]
fn repeats_are_the_same_in_every_bit() {
    let Some(device) = device() else { return };
    let mut net = Network::input([6]);
    net.linear(5).batch_norm().relu().dropout(0.3).linear(3);
    let data = classified(40, &[6], 3);
    let trainer = Trainer::new(Adam::new(1e-3)).batch_size(4).accumulate(3);
    let run = || train(device, &net, &trainer, &data, 530);
    let (first, second) = (run(), run());
    assert_same(&first.0, &second.0);
    assert_eq!(first.1.len(), 530);
    assert_eq!(bits(&first.1), bits(&second.1));
}

/// Running statistics of a step with two micro-batches: two moves by each batch's own.
#[test]
fn running_statistics_see_each_micro_batch() {
    let Some(device) = device() else { return };
    let mut net = Network::input([2, 3, 3]);
    net.batch_norm().linear(4);
    let data = classified(8, &[2, 3, 3], 4);
    let mean = |micro_batches: usize, steps: u64| {
        let trainer = Trainer::new(Sgd::new(0.1))
            .shuffle(false)
            .batch_size(4)
            .accumulate(micro_batches);
        train(device, &net, &trainer, &data, steps).0["bn1.running_mean"].clone()
    };
    // Layers before the normalisation do not learn, so that nothing else differs.
    assert_eq!(bits(&mean(2, 1)), bits(&mean(1, 2)));
    assert_ne!(bits(&mean(2, 1)), bits(&mean(1, 1)));
}

/// The second micro-batch of the second step overflows: parameters and running statistics are
/// those after the first.
#[test]
fn a_micro_batch_that_is_not_finite_discards_its_step() {
    let Some(device) = device() else { return };
    let mut net = Network::input([2, 4, 4]);
    net.conv(3, 3).batch_norm().leaky_relu(0.1).linear(2);
    let mut values = normal(&[18, 2, 4, 4], 4);
    values[10 * 32..11 * 32].fill(1e30);
    let targets = normal(&[18, 2], 5);
    let data = Dataset::regression([2, 4, 4], values, [2], targets).unwrap();
    let trainer = Trainer::new(Sgd::new(0.01).momentum(0.9))
        .loss(MeanSquaredError::default())
        .shuffle(false)
        .batch_size(2)
        .accumulate(3);
    let (good, good_losses) = train(device, &net, &trainer, &data, 1);

    let mut model = net.build(device, 3).unwrap();
    let mut training = trainer.start(&mut model, &data).unwrap();
    for _ in 0..7 {
        training.step().unwrap();
    }
    let error = training.losses().unwrap_err();
    assert!(matches!(error, Error::NonFinite { step: 1, .. }), "{error}");
    assert!(error.to_string().contains("`bn1`"), "{error}");
    assert_eq!(bits(training.unread_losses()), bits(&good_losses));
    assert_same(&parameters(&model), &good);
}

#[test]
fn a_step_takes_no_more_than_there_is() {
    let Some(device) = device() else { return };
    let data = digits(10);
    let mut model = varied().build(device, 1).unwrap();
    let trainer = Trainer::new(Sgd::new(0.1)).batch_size(64).accumulate(4);
    let training = trainer.start(&mut model, &data).unwrap();
    assert_eq!(training.steps_per_epoch(), 1);
    drop(training);
    let mut refusal = |micro_batches: usize| {
        let trainer = Trainer::new(Sgd::new(0.1)).accumulate(micro_batches);
        trainer.start(&mut model, &data).unwrap_err().to_string()
    };
    assert_eq!(
        refusal(11),
        "a step of 11 micro-batches needs as many samples, the data set has 10"
    );
    assert_eq!(refusal(0), "a batch of size zero has no samples");
}

/// Each micro-batch draws its own dropout.
#[test]
fn micro_batches_drop_different_numbers() {
    let Some(device) = device() else { return };
    let mut net = Network::input([64]);
    net.dropout(0.5).linear(2);
    // The same sample twice: with one draw for both, the mean of two is either one.
    let sample = normal(&[64], 1);
    let data = Dataset::from_f32([64], [sample.clone(), sample].concat(), vec![0, 0], 2).unwrap();
    let trainer = |n| Trainer::new(Sgd::new(0.1)).batch_size(1).accumulate(n);
    let (_, two) = train(device, &net, &trainer(2), &data, 1);
    let (_, one) = train(device, &net, &trainer(1), &data, 1);
    assert_ne!(bits(&two), bits(&one));
}
