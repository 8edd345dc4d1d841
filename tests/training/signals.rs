//! The signal report: measured moments, and the theory beside them.

use wgrad::graph::Network;
use wgrad::init::Init;
use wgrad::ops::{BatchNorm, Conv2d, Linear, MaxPool2d};
use wgrad::report::Signals;
use wgrad::train::{Sgd, Trainer};

use super::setup::classified;
use crate::support::gpu::device;

fn report(network: Network, input: &[usize]) -> Option<Signals> {
    let device = device()?;
    let data = classified(32, input, 10);
    let model = network.build(device, 5).unwrap();
    let trainer = Trainer::new(Sgd::new(0.1)).batch_size(32);
    Some(trainer.signals(&model, &data).unwrap())
}

/// Fully connected layers of 256 units, with ReLU.
fn deep(layers: usize, init: Option<Init>) -> Network {
    let mut network = Network::input(64);
    for _ in 0..layers {
        network.linear(256);
        if let Some(init) = &init {
            network.init(init.clone());
        }
        network.relu();
    }
    network.linear(10);
    network
}

/// How far two positive numbers lie apart, as a factor of at least 1.
fn factor(a: f64, b: f64) -> f64 {
    (a / b).max(b / a)
}

/// Wide layers are what the theory is about: it must hold at each of them.
#[test]
fn wide_layers_behave_as_predicted() {
    let Some(signals) = report(deep(8, None), &[64]) else {
        return;
    };
    assert_eq!(signals.layers().len(), 17);
    for layer in signals.layers() {
        let response = factor(layer.response.variance, layer.response_theory.unwrap());
        let gradient = factor(layer.gradient.variance, layer.gradient_theory.unwrap());
        assert!(
            response < 2.0 && gradient < 2.0,
            "{}\n{signals}",
            layer.layer
        );
    }
    assert!(
        signals.verdict_on_responses().contains("keep their size"),
        "{signals}"
    );
    assert!(
        signals.verdict_on_gradients().contains("keep their size"),
        "{signals}"
    );
}

/// With a fixed deviation of 0.01 signals shrink by 256·0.01²/2 at every layer; the theory says
/// so, and so does the verdict.
#[test]
fn a_law_of_fixed_width_is_found_out() {
    let narrow = Init::Gaussian {
        mean: 0.0,
        std: 0.01,
    };
    let Some(signals) = report(deep(8, Some(narrow)), &[64]) else {
        return;
    };
    let verdict = signals.verdict_on_responses();
    assert!(verdict.starts_with("responses VANISH"), "{signals}");
    assert!(
        signals
            .verdict_on_gradients()
            .starts_with("gradients VANISH"),
        "{signals}"
    );
    for layer in signals
        .layers()
        .iter()
        .filter(|l| l.operator == "linear")
        .skip(1)
    {
        let predicted = layer.response_theory.unwrap();
        assert!(
            factor(layer.response.variance, predicted) < 3.0,
            "{signals}"
        );
    }
}

/// Every kind of layer that the theory knows, in a residual network; the last convolution's
/// gradient follows a pooling.
#[test]
fn branches_normalisation_and_pooling_have_a_theory() {
    let network = Network::from_graph([8, 12, 12], |graph, x| {
        let x = graph.conv2d(x, Conv2d::new(32, 3));
        let x = graph.batch_norm(x, BatchNorm::new());
        let shortcut = graph.relu(x);
        let x = graph.conv2d(shortcut, Conv2d::new(32, 1));
        let x = graph.add(x, shortcut);
        let x = graph.max_pool2d(x, MaxPool2d::new(2));
        let x = graph.conv2d(x, Conv2d::new(32, 3));
        let x = graph.relu(x);
        let x = graph.global_mean_pool(x);
        graph.linear(x, Linear::new(10))
    });
    let Some(signals) = report(network, &[8, 12, 12]) else {
        return;
    };
    for layer in signals.layers() {
        assert!(layer.response_theory.is_some(), "{}", layer.layer);
        assert!(layer.gradient_theory.is_some(), "{}", layer.layer);
    }
    let norm = signals.layers().iter().find(|l| l.operator == "batch_norm");
    let norm = norm.unwrap();
    assert!(factor(norm.response.variance, 1.0) < 1.01, "{signals}");
    assert!(norm.response_theory.is_some_and(|v| factor(v, 1.0) < 1.01));
    assert!(norm.response.mean.abs() < 1e-3);
}

/// What the theory knows nothing of is left open, and so is what comes after.
#[test]
fn an_unknown_layer_has_no_theory() {
    let mut network = Network::input(16);
    network.linear(32).tanh().linear(10);
    let Some(signals) = report(network, &[16]) else {
        return;
    };
    let known: Vec<[bool; 2]> = signals
        .layers()
        .iter()
        .map(|l| [l.response_theory.is_some(), l.gradient_theory.is_some()])
        .collect();
    assert_eq!(known, [[true, false], [false, true], [false, true]]);
}

/// Reporting changes nothing: the model is as it was.
#[test]
fn the_model_is_left_as_it_was() {
    let Some(device) = device() else { return };
    let data = classified(8, &[16], 10);
    let mut network = Network::input(16);
    network.linear(32).batch_norm().relu().linear(10);
    let model = network.build(device, 5).unwrap();
    let values = |name: &str| model.parameter(name).unwrap();
    let names = ["linear1.weight", "bn1.running_mean", "bn1.running_var"];
    let before = names.map(values);
    let trainer = Trainer::new(Sgd::new(0.1)).batch_size(8);
    trainer.signals(&model, &data).unwrap();
    assert_eq!(names.map(values), before);
}
