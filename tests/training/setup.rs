//! Data, networks and comparisons that several of these tests use.

use std::collections::BTreeMap;

use wgrad::data::Dataset;
use wgrad::graph::Network;
use wgrad::train::{Adadelta, Adagrad, Adam, AdamW, Lars, Model, Quickprop, RmsProp, Sgd, Trainer};

use crate::reference::Tensor;

/// Normal numbers.
pub fn normal(shape: &[usize], seed: u64) -> Vec<f32> {
    Tensor::normal(shape, seed).to_f32()
}

/// Normal samples with the labels 0, 1, ... in turn.
pub fn classified(count: usize, shape: &[usize], classes: usize) -> Dataset {
    let values = normal(&[&[count], shape].concat(), 5);
    let labels = (0..count).map(|i| (i % classes) as u32).collect();
    Dataset::from_f32(shape, values, labels, classes).unwrap()
}

/// The first of the digits that come with the crate.
pub fn digits(count: usize) -> Dataset {
    let indices: Vec<usize> = (0..count).collect();
    wgrad::data::digits().subset(&indices).unwrap()
}

/// One of everything that keeps or draws something: convolution, normalisation, learned slopes,
/// dropout, linear.
pub fn varied() -> Network {
    let mut net = Network::input([1, 8, 8]);
    net.conv(6, 3)
        .padding(1)
        .batch_norm()
        .prelu()
        .max_pool(2)
        .dropout(0.3)
        .conv(7, 3)
        .batch_norm()
        .relu()
        .linear(10);
    net
}

/// All parameters and running statistics.
pub fn parameters(model: &Model) -> BTreeMap<String, Vec<f32>> {
    let read = |name: &String| (name.clone(), model.parameter(name).unwrap());
    let names = model.parameters().iter().map(|p| &p.name);
    names.map(read).collect()
}

/// As numbers that compare bit by bit.
pub fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Asserts that two models are the same in every bit.
pub fn assert_same(found: &BTreeMap<String, Vec<f32>>, expected: &BTreeMap<String, Vec<f32>>) {
    assert!(found.keys().eq(expected.keys()));
    for (name, values) in expected {
        assert_eq!(bits(&found[name]), bits(values), "{name}");
    }
}

/// A trainer for every update rule and for what may stand around it in a step.
pub fn trainers() -> Vec<Trainer> {
    vec![
        Trainer::new(Sgd::new(0.01).momentum(0.9).nesterov(true)),
        Trainer::new(Adam::new(1e-3)),
        Trainer::new(AdamW::new(1e-3)),
        Trainer::new(RmsProp::new(1e-3)),
        Trainer::new(RmsProp::new(1e-3).centered(true).momentum(0.9)),
        Trainer::new(Adagrad::new(0.01)),
        Trainer::new(Adadelta::new(1.0)),
        Trainer::new(Lars::new(0.01).weight_decay(1e-3)),
        Trainer::new(Quickprop::new(0.01)),
        Trainer::new(Sgd::new(0.01)).clip_value(0.1).clip_norm(0.2),
        Trainer::new(Adam::new(1e-3)).average(0.9),
    ]
}
