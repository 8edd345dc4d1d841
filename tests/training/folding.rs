//! Models with batch normalisation folded away answer as those with it.

use wgrad::Device;
use wgrad::data::Dataset;
use wgrad::graph::Network;
use wgrad::ops::{BatchNorm, Conv2d, Linear};
use wgrad::train::{Model, Sgd, Trainer};

use super::setup::{assert_same, classified, normal, parameters};
use crate::support::compare::{Tolerance, compare};
use crate::support::gpu::device;

/// Numbers that no normalisation has at the start, and running averages far from 0 and 1.
fn stir(model: &mut Model) {
    let known: Vec<(String, usize)> = model
        .parameters()
        .iter()
        .map(|p| (p.name.clone(), p.shape.elements()))
        .collect();
    for (seed, (name, len)) in known.iter().enumerate() {
        let draws = normal(&[*len], 100 + seed as u64);
        let values: Vec<f32> = match name.rsplit('.').next().unwrap() {
            "running_var" => draws.iter().map(|v| 0.01 + v * v).collect(),
            "running_mean" | "bias" => draws,
            "weight" if name.contains("bn") => draws.iter().map(|v| 1.0 + v).collect(),
            _ => continue,
        };
        model.set_parameter(name, &values).unwrap();
    }
}

fn answers(model: &Model, samples: &[f32]) -> Vec<f32> {
    let answers = model.predict_batch(samples).unwrap();
    answers.iter().flat_map(|a| a.values().to_vec()).collect()
}

/// Folds, and compares answers, parameters and the names that are left of the normalisations.
fn check(model: &Model, left: &[&str]) {
    let before = parameters(model);
    let folded = model.folded().unwrap();
    assert_same(&parameters(model), &before);
    let names = folded.parameters().iter().map(|p| p.name.as_str());
    let norms: Vec<&str> = names.filter(|name| name.contains("running_mean")).collect();
    assert_eq!(norms, left);
    let samples = normal(&[&[5], &model.input_shape()[..]].concat(), 7);
    let reference: Vec<f64> = answers(model, &samples)
        .into_iter()
        .map(f64::from)
        .collect();
    compare(&answers(&folded, &samples), &reference, Tolerance::F32)
        .unwrap_or_else(|mismatch| panic!("{mismatch}"));
}

fn built(device: &Device, network: &Network) -> Model {
    let mut model = network.build(device, 3).unwrap();
    stir(&mut model);
    model
}

#[test]
fn a_chain() {
    let Some(device) = device() else { return };
    let mut net = Network::input([3, 9, 8]);
    net.conv(6, 3)
        .bias(false)
        .batch_norm()
        .relu()
        .conv(6, 3)
        .groups(6)
        .batch_norm()
        .prelu()
        .conv(8, [1, 2])
        .groups(2)
        .batch_norm()
        .mean_pool(2)
        .batch_norm()
        .linear(7)
        .batch_norm()
        .tanh()
        .linear(5);
    check(&built(device, &net), &["bn4.running_mean"]);
}

/// A block with a projection in its shortcut, and one that adds its input.
#[test]
fn residual_blocks() {
    let Some(device) = device() else { return };
    let net = Network::from_graph([3, 8, 8], |g, x| {
        let x = g.conv2d(x, Conv2d::new(5, 3).padding(1).bias(false));
        let x = g.batch_norm(x, BatchNorm::new().epsilon(1e-3));
        let x = g.relu(x);
        let halving = |kernel, padding| Conv2d::new(8, kernel).stride(2).padding(padding);
        let y = g.conv2d(x, halving(3, 1).bias(false));
        let y = g.batch_norm(y, BatchNorm::new());
        let shortcut = g.conv2d(x, halving(1, 0));
        let shortcut = g.batch_norm(shortcut, BatchNorm::new());
        let x = g.add(y, shortcut);
        let x = g.relu(x);
        let y = g.conv2d(x, Conv2d::new(8, 3).padding(1));
        let y = g.batch_norm(y, BatchNorm::new());
        let x = g.add(x, y);
        // The convolution's result is read twice: this normalisation stays.
        let y = g.conv2d(x, Conv2d::new(8, 1));
        let z = g.batch_norm(y, BatchNorm::new().name("kept"));
        let x = g.add(y, z);
        let features = g.global_mean_pool(x);
        g.linear(features, Linear::new(4))
    });
    check(&built(device, &net), &["kept.running_mean"]);
}

#[test]
fn a_normalisation_at_the_end_and_none_at_all() {
    let Some(device) = device() else { return };
    let mut last = Network::input([6]);
    last.linear(9).relu().linear(3).bias(false).batch_norm();
    check(&built(device, &last), &[]);
    let mut none = Network::input([6]);
    none.linear(9).relu().linear(3);
    check(&built(device, &none), &[]);
}

/// With what training left, and through evaluation of a data set.
#[test]
fn a_trained_model_is_evaluated_alike() {
    let Some(device) = device() else { return };
    let mut net = Network::input([1, 8, 8]);
    net.conv(6, 3).batch_norm().relu().max_pool(2).linear(4);
    let mut model = net.build(device, 4).unwrap();
    let data: Dataset = classified(40, &[1, 8, 8], 4);
    let trainer = Trainer::new(Sgd::new(0.05)).batch_size(8);
    let mut training = trainer.start(&mut model, &data).unwrap();
    for _ in 0..10 {
        training.step().unwrap();
    }
    training.losses().unwrap();
    drop(training);
    check(&model, &[]);
    let (before, after) = (
        model.evaluate(&data).unwrap(),
        model.folded().unwrap().evaluate(&data).unwrap(),
    );
    assert!((before.loss - after.loss).abs() <= 1e-5 * before.loss);
}
