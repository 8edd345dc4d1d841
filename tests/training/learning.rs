//! Whether networks learn what they can.

use wgrad::data::Dataset;
use wgrad::graph::Network;
use wgrad::ops::linear::LinearProduct;
use wgrad::ops::{Linear, MeanSquaredError};
use wgrad::random::Seed;
use wgrad::train::{Adam, Sgd, Trainer};

use super::setup::{bits, classified, normal, parameters, varied};
use crate::reference::{Reduction, Tensor, linear, mse};
use crate::support::compare::{Tolerance, compare};
use crate::support::gpu::device;

#[test]
fn digits_are_learned() {
    let Some(device) = device() else { return };
    let (train, test) = wgrad::data::digits().split(0.8, Seed(7));
    let mut net = Network::input([1, 8, 8]);
    net.conv(8, 3)
        .padding(1)
        .prelu()
        .max_pool(2)
        .conv(16, 3)
        .padding(1)
        .prelu()
        .max_pool(2)
        .linear(10);
    let mut model = net.build(device, Seed(42)).unwrap();
    let run = Trainer::new(Adam::new(0.01))
        .epochs(5)
        .batch_size(32)
        .seed(Seed(42))
        .fit(&mut model, &train, &test)
        .unwrap();
    let accuracy = run.evaluation.unwrap().accuracy.unwrap();
    assert!(accuracy > 0.95, "accuracy {accuracy}");
    let epochs = run.history.epochs();
    assert_eq!(epochs.len(), 5);
    assert!(epochs[4].train_loss < 0.2 * epochs[0].train_loss);
}

#[test]
fn a_linear_law_is_found() {
    let Some(device) = device() else { return };
    let x = Tensor::normal(&[64, 5], 1);
    let (weight, bias) = (Tensor::normal(&[2, 5], 2), Tensor::normal(&[2], 3));
    let targets = linear::forward(&x, &weight, Some(&bias)).to_f32();
    let data = Dataset::regression([5], x.to_f32(), [2], targets).unwrap();
    let mut net = Network::input([5]);
    net.linear(2);
    let mut model = net.build(device, 1).unwrap();
    let trainer = Trainer::new(Sgd::new(0.1).momentum(0.9))
        .loss(MeanSquaredError::new())
        .batch_size(16);
    let mut training = trainer.start(&mut model, &data).unwrap();
    for _ in 0..200 {
        training.step().unwrap();
    }
    let losses = training.losses().unwrap();
    assert!(
        losses[199] < 0.01 * losses[0],
        "{} to {}",
        losses[0],
        losses[199]
    );
    let found = model.parameter("linear1.weight").unwrap();
    compare(&found, &weight.data, Tolerance::relative(1e-2)).unwrap();
}

/// `y = W·(W·x + b) + b`: one step against both layers' gradients, summed.
#[test]
fn a_parameter_of_two_layers_gets_both_gradients() {
    let Some(device) = device() else { return };
    let net = Network::from_graph([4], |g, x| {
        let hidden = g.linear(x, Linear::new(4));
        let [weight, bias] =
            ["linear1.weight", "linear1.bias"].map(|name| g.find_parameter(name).unwrap());
        g.apply("again", LinearProduct, &[hidden, weight, bias])
    });
    let mut model = net.build(device, 1).unwrap();
    let values = |name: &str| model.parameter(name).unwrap();
    let w = Tensor::from_f32(&[4, 4], &values("linear1.weight"));
    let b = Tensor::from_f32(&[4], &values("linear1.bias"));
    let x = Tensor::from_f32(&[6, 4], &normal(&[6, 4], 2));
    let targets = Tensor::from_f32(&[6, 4], &normal(&[6, 4], 3));

    let hidden = linear::forward(&x, &w, Some(&b));
    let y = linear::forward(&hidden, &w, Some(&b));
    let delta = mse::grad_prediction(&y, &targets, Reduction::Mean);
    let delta_hidden = linear::grad_input(&delta, &w);
    let sum = |a: Tensor, b: Tensor| a.zip(&b, |a, b| a + b);
    let grad_w = sum(
        linear::grad_weight(&hidden, &delta),
        linear::grad_weight(&x, &delta_hidden),
    );
    let grad_b = sum(linear::grad_bias(&delta), linear::grad_bias(&delta_hidden));

    let data = Dataset::regression([4], x.to_f32(), [4], targets.to_f32()).unwrap();
    let trainer = Trainer::new(Sgd::new(0.5)).loss(MeanSquaredError::new());
    trainer.start(&mut model, &data).unwrap().step().unwrap();
    let expected = [
        ("linear1.weight", w.zip(&grad_w, |w, g| w - 0.5 * g)),
        ("linear1.bias", b.zip(&grad_b, |b, g| b - 0.5 * g)),
    ];
    for (name, expected) in expected {
        let found = model.parameter(name).unwrap();
        compare(&found, &expected.data, Tolerance::F32).unwrap();
    }
}

/// A frozen layer costs no gradient kernel; at the network's start, not even the δ of its input.
#[test]
fn frozen_layers_have_no_gradient_kernels() {
    let Some(device) = device() else { return };
    let data = classified(8, &[1, 8, 8], 10);
    let mut model = varied().build(device, 1).unwrap();
    let trainer = Trainer::new(Sgd::new(0.1)).batch_size(4);
    let backward = |model: &mut wgrad::train::Model, layer: &str| {
        let training = trainer.start(model, &data).unwrap();
        let of_layer = format!("{layer}.");
        let commands = training.recording().commands.iter();
        let is_of_layer = |node: &str| node.split('+').any(|part| part.starts_with(&of_layer));
        commands.filter(|c| is_of_layer(&c.node)).count()
    };
    let layers = ["conv1", "bn1", "prelu1"];
    for layer in layers {
        assert!(backward(&mut model, layer) > 0, "{layer}");
        model.freeze(layer).unwrap();
        let below = layers.iter().take_while(|l| **l != layer);
        for layer in below.chain([&layer]) {
            assert_eq!(backward(&mut model, layer), 0, "{layer}");
        }
    }
    let (conv2, before) = (backward(&mut model, "conv2"), parameters(&model));
    model.freeze("conv2").unwrap();
    let frozen = backward(&mut model, "conv2");
    assert!(frozen < conv2, "{frozen} kernels against {conv2}");

    let mut training = trainer.start(&mut model, &data).unwrap();
    for _ in 0..5 {
        training.step().unwrap();
    }
    let after = parameters(training.model());
    for (name, values) in before {
        let frozen = [&layers[..], &["conv2"]].concat();
        let kept = frozen
            .iter()
            .any(|layer| name.starts_with(&format!("{layer}.")));
        assert_eq!(kept, bits(&after[&name]) == bits(&values), "{name}");
    }
}
