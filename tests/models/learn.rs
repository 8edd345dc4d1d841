//! A training step on two small images lowers their loss.
//!
//! AlexNet, VGG and the PReLU nets have linear layers of 50 to 270 million weights at any size of
//! the image. Such a buffer is larger than lavapipe allows, so they are trained on request, on
//! another driver; here they are only planned (`plan.rs`), as are VGG with batch normalisation and
//! PReLU net C everywhere.

use wgrad::data::Dataset;
use wgrad::graph::Network;
use wgrad::models;
use wgrad::ops::{MeanSquaredError, SoftmaxCrossEntropy};
use wgrad::random::{Seed, StandardNormal};
use wgrad::train::{Loss, Sgd, Trainer};

use crate::gpu::device;

const CLASSES: usize = 4;

/// Two images.
fn normal(shape: [usize; 3]) -> Vec<f32> {
    let len = 2 * shape.iter().product::<usize>();
    wgrad::init::sample_from(&StandardNormal, len, Seed(3), "images")
}

/// The batch's loss in a step of training and in the next one: with the statistics of the batch, so
/// for networks with batch normalisation, whose running statistics mean nothing after one step.
fn check_training(net: &Network, shape: [usize; 3], learning_rate: f64) {
    let Some(device) = device() else { return };
    let data = Dataset::from_f32(shape, normal(shape), vec![0, 1], CLASSES).unwrap();
    let mut model = net.build(device, Seed(1)).unwrap();
    let trainer = Trainer::new(Sgd::new(learning_rate)).batch_size(2);
    let mut training = trainer.start(&mut model, &data).unwrap();
    training.step().unwrap();
    training.step().unwrap();
    let losses = training.losses().unwrap();
    assert!(losses[1] < losses[0], "{losses:?}");
}

/// The batch's loss in evaluation before a step and behind it: without dropout.
fn check_evaluation(net: &Network, data: &Dataset, loss: impl Into<Loss>, learning_rate: f64) {
    let Some(device) = device() else { return };
    let mut model = net.build(device, Seed(1)).unwrap();
    let trainer = Trainer::new(Sgd::new(learning_rate));
    let trainer = trainer.batch_size(2).loss(loss);
    let mut training = trainer.start(&mut model, data).unwrap();
    let before = training.model().evaluate(data).unwrap().loss;
    training.step().unwrap();
    let behind = training.model().evaluate(data).unwrap().loss;
    assert!(behind < before, "{before} became {behind}");
}

fn check_classifier(net: &Network, shape: [usize; 3], learning_rate: f64) {
    let data = Dataset::from_f32(shape, normal(shape), vec![0, 1], CLASSES).unwrap();
    check_evaluation(net, &data, SoftmaxCrossEntropy::new(), learning_rate);
}

#[test]
fn lenet5() {
    let shape = [1, 16, 16];
    check_classifier(&models::lenet5(shape, CLASSES), shape, 0.1);
}

#[test]
fn squeezenets() {
    let shape = [3, 33, 33];
    check_classifier(&models::squeezenet1_0(shape, CLASSES), shape, 0.01);
    let shape = [3, 25, 25];
    check_classifier(&models::squeezenet1_1(shape, CLASSES), shape, 0.01);
}

#[test]
fn all_cnn_c() {
    let shape = [3, 9, 9];
    check_classifier(&models::all_cnn_c(shape, CLASSES), shape, 0.01);
}

#[test]
fn resnet20() {
    let shape = [3, 8, 8];
    check_training(&models::resnet20(shape, CLASSES), shape, 0.01);
}

#[test]
fn deeper_resnets_for_small_images() {
    let shape = [3, 8, 8];
    for net in [models::resnet32, models::resnet44, models::resnet56] {
        check_training(&net(shape, CLASSES), shape, 0.01);
    }
}

#[test]
fn resnet18() {
    let shape = [3, 33, 33];
    check_training(&models::resnet18(shape, CLASSES), shape, 1e-3);
}

#[test]
fn resnet34() {
    let shape = [3, 33, 33];
    check_training(&models::resnet34(shape, CLASSES), shape, 1e-3);
}

#[test]
fn resnet50() {
    let shape = [3, 33, 33];
    check_training(&models::resnet50(shape, CLASSES), shape, 1e-3);
}

/// Networks whose parameters take 230 MB to a gigabyte in one buffer.
fn check_large(names: &[&str], rows: usize) {
    let shape = [3, rows, rows];
    for name in names {
        let net = models::by_name(name, shape, CLASSES).unwrap();
        check_classifier(&net, shape, 1e-5);
    }
}

#[test]
#[ignore = "a buffer larger than lavapipe has: `--ignored` on another driver"]
fn alexnet() {
    check_large(&["alexnet"], 63);
}

#[test]
#[ignore = "a buffer larger than lavapipe has: `--ignored` on another driver"]
fn vggs() {
    check_large(&["vgg11", "vgg13", "vgg16"], 32);
}

#[test]
#[ignore = "a buffer larger than lavapipe has: `--ignored` on another driver"]
fn prelu_nets() {
    // Model C needs 1.3 GB in one buffer, more than SwiftShader has too.
    check_large(&["prelu_net14", "prelu_net_a", "prelu_net_b"], 96);
}

#[test]
fn mobilenet_v1() {
    let shape = [3, 33, 33];
    let net = models::mobilenet_v1_with_width(shape, CLASSES, 0.25);
    check_training(&net, shape, 0.01);
}

#[test]
fn mobilenet_v2() {
    let shape = [3, 33, 33];
    let net = models::mobilenet_v2_with_width(shape, CLASSES, 0.35);
    check_training(&net, shape, 1e-3);
}

#[test]
fn autoencoder() {
    let shape = [1, 7, 6];
    let images = normal(shape);
    let data = Dataset::regression(shape, images.clone(), shape, images).unwrap();
    let net = models::autoencoder(shape, 5);
    check_evaluation(&net, &data, MeanSquaredError::new(), 0.1);
}
