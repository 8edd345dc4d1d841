//! Networks with more parameters than the device binds at once.

use wgrad::graph::Network;
use wgrad::train::{Adam, Sgd, Trainer};
use wgrad::{Device, DeviceOptions, Error};

use super::setup::{assert_same, bits, digits, parameters, trainers};
use crate::support::compare::{Tolerance, compare};
use crate::support::gpu::device;

/// The device of the tests, and the same with bindings of so many bytes.
fn devices(bytes: u64) -> Option<[Device; 2]> {
    let whole = device()?;
    let options = DeviceOptions::from_env().max_binding_size(bytes);
    Some([whole.clone(), Device::open_with(&options).unwrap()])
}

/// Its parameters have 31,000 bytes, none of them more than 17,000.
fn several() -> Network {
    let mut net = Network::input([1, 8, 8]);
    net.conv(8, 3)
        .padding(1)
        .batch_norm()
        .prelu()
        .max_pool(2)
        .conv(16, 3)
        .padding(1)
        .relu()
        .dropout(0.3)
        .linear(16)
        .relu()
        .linear(10);
    net
}

/// Bytes of two pieces of these parameters.
const LEAST: u64 = 24 << 10;

/// Losses and parameters after some steps.
fn train(device: &Device, net: &Network, trainer: &Trainer) -> (Vec<f32>, Vec<(String, Vec<f32>)>) {
    let data = digits(48);
    let mut model = net.build(device, 3).unwrap();
    let mut training = trainer.start(&mut model, &data).unwrap();
    for _ in 0..3 {
        training.step().unwrap();
    }
    let losses = training.losses().unwrap();
    (losses, parameters(&model).into_iter().collect())
}

#[test]
fn every_rule_changes_all_pieces_as_it_would_the_whole() {
    let Some([whole, lesser]) = devices(LEAST) else {
        return;
    };
    let accumulated = Trainer::new(Adam::new(1e-3)).accumulate(2).clip_norm(0.1);
    for trainer in trainers().into_iter().chain([accumulated]) {
        let trainer = trainer.batch_size(8);
        let (losses, expected) = train(&whole, &several(), &trainer);
        let (found_losses, found) = train(&lesser, &several(), &trainer);
        assert_eq!(bits(&found_losses), bits(&losses), "{trainer:?}");
        for ((name, found), (_, expected)) in found.iter().zip(&expected) {
            assert_eq!(bits(found), bits(expected), "{name}: {trainer:?}");
        }
    }
}

#[test]
fn averages_and_checkpoints_are_those_of_the_whole() {
    let Some([whole, lesser]) = devices(LEAST) else {
        return;
    };
    let data = digits(48);
    let trainer = Trainer::new(Sgd::new(0.05).momentum(0.9));
    let trainer = trainer.batch_size(8).average(0.9);
    let steps = |training: &mut wgrad::train::Training<'_>| {
        for _ in 0..2 {
            training.step().unwrap();
        }
    };
    let name = format!("wgrad-bindings-{}.safetensors", std::process::id());
    let file = std::env::temp_dir().join(name);
    let mut half = several().build(&lesser, 3).unwrap();
    let mut training = trainer.start(&mut half, &data).unwrap();
    steps(&mut training);
    training.save(&file).unwrap();

    let averages = [&whole, &lesser].map(|device| {
        let mut model = several().build(device, 9).unwrap();
        let mut training = trainer.resume(&mut model, &data, &file).unwrap();
        steps(&mut training);
        let average = parameters(training.averaged().unwrap());
        (average, parameters(&model))
    });
    std::fs::remove_file(&file).unwrap();
    let mut alone = several().build(&whole, 3).unwrap();
    let mut training = trainer.start(&mut alone, &data).unwrap();
    steps(&mut training);
    steps(&mut training);
    let expected = parameters(training.averaged().unwrap());
    let alone = parameters(&alone);
    for (average, found) in &averages {
        assert_same(average, &expected);
        assert_same(found, &alone);
    }
}

/// A matrix of 64 KiB, in pieces of 16.
#[test]
fn a_linear_layer_is_computed_in_pieces() {
    let Some([whole, lesser]) = devices(20_000) else {
        return;
    };
    let mut net = Network::input([1, 8, 8]);
    net.conv(8, 3).padding(1).relu();
    net.linear(32)
        .prelu()
        .dropout(0.2)
        .linear(32)
        .relu()
        .linear(10);
    let trainer = Trainer::new(Sgd::new(0.05).momentum(0.9)).batch_size(8);
    let (losses, expected) = train(&whole, &net, &trainer);
    let (found_losses, found) = train(&lesser, &net, &trainer);
    let same = |what: &str, found: &[f32], expected: &[f32]| {
        let expected: Vec<f64> = expected.iter().map(|&v| v.into()).collect();
        if let Err(mismatch) = compare(found, &expected, Tolerance::relative(1e-5)) {
            panic!("{what}: {mismatch}");
        }
    };
    same("losses", &found_losses, &losses);
    for ((name, found), (_, expected)) in found.iter().zip(&expected) {
        same(name, found, expected);
    }
}

#[test]
fn a_response_larger_than_a_binding_is_refused_by_its_layer() {
    let Some([_, lesser]) = devices(LEAST) else {
        return;
    };
    let mut net = Network::input([1, 8, 8]);
    net.conv(16, 3)
        .padding(1)
        .relu()
        .global_mean_pool()
        .linear(10);
    let mut model = net.build(&lesser, 3).unwrap();
    let trainer = Trainer::new(Sgd::new(0.05)).batch_size(8);
    let error = trainer.start(&mut model, &digits(8)).unwrap_err();
    assert!(matches!(error, Error::OutOfMemory { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        "out of device memory: `relu1` needs 32768 bytes (`conv1+relu1` binds them at once, the \
         adapter allows 24576)"
    );
}
