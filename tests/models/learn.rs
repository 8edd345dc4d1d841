//! A training step on two small images lowers their loss.

use wgrad::data::Dataset;
use wgrad::graph::Network;
use wgrad::init::Init;
use wgrad::models;
use wgrad::ops::{MeanSquaredError, SoftmaxCrossEntropy};
use wgrad::random::{Seed, StandardNormal};
use wgrad::train::{Loss, Model, Sgd, Trainer};

use crate::gpu::device;

const CLASSES: usize = 4;

/// Two images.
fn normal(shape: [usize; 3]) -> Vec<f32> {
    let len = 2 * shape.iter().product::<usize>();
    wgrad::init::sample_from(&StandardNormal, len, Seed(3), "images")
}

/// The batch's loss in a step of training, and in the first step of another training that begins
/// where this one ended: with the statistics of the same batch, and the same random numbers. (In the
/// next step of the first training, other elements would be dropped: its loss may well be higher.)
fn check(net: &Network, data: &Dataset, loss: impl Into<Loss>, learning_rate: f64) {
    let Some(device) = device() else { return };
    let mut model = net.build(device, Seed(1)).unwrap();
    let trainer = Trainer::new(Sgd::new(learning_rate));
    let trainer = trainer.batch_size(2).loss(loss);
    let before = first_loss(&trainer, &mut model, data);
    // What is frozen needs no gradient.
    model.freeze("*.weight").unwrap();
    let behind = first_loss(&trainer, &mut model, data);
    assert!(behind < before, "{before} became {behind}");
}

fn first_loss(trainer: &Trainer, model: &mut Model, data: &Dataset) -> f32 {
    let mut training = trainer.start(model, data).unwrap();
    training.step().unwrap();
    training.losses().unwrap()[0]
}

fn check_classifier(net: &Network, shape: [usize; 3], learning_rate: f64) {
    let data = Dataset::from_f32(shape, normal(shape), vec![0, 1], CLASSES).unwrap();
    check(net, &data, SoftmaxCrossEntropy::new(), learning_rate);
}

#[test]
fn lenet5() {
    let shape = [1, 16, 16];
    check_classifier(&models::lenet5(shape, CLASSES), shape, 0.1);
}

#[test]
fn squeezenets() {
    let shape = [3, 33, 33];
    check_classifier(&models::squeezenet1_0(shape, CLASSES), shape, 1e-3);
    let shape = [3, 25, 25];
    check_classifier(&models::squeezenet1_1(shape, CLASSES), shape, 1e-3);
}

#[test]
fn all_cnn_c() {
    let shape = [3, 9, 9];
    check_classifier(&models::all_cnn_c(shape, CLASSES), shape, 0.01);
}

#[test]
fn resnet20() {
    let shape = [3, 8, 8];
    check_classifier(&models::resnet20(shape, CLASSES), shape, 0.01);
}

#[test]
fn deeper_resnets_for_small_images() {
    let shape = [3, 8, 8];
    for net in [models::resnet32, models::resnet44, models::resnet56] {
        check_classifier(&net(shape, CLASSES), shape, 0.01);
    }
}

#[test]
fn resnet18() {
    let shape = [3, 33, 33];
    check_classifier(&models::resnet18(shape, CLASSES), shape, 1e-3);
}

#[test]
fn resnet34() {
    let shape = [3, 33, 33];
    check_classifier(&models::resnet34(shape, CLASSES), shape, 1e-3);
}

#[test]
fn resnet50() {
    let shape = [3, 33, 33];
    check_classifier(&models::resnet50(shape, CLASSES), shape, 1e-3);
}

/// Networks whose parameters take 230 MB to 1.3 GB, of which linear layers have most: more than
/// many adapters bind at once. One after the other, for their gradients take as much again.
fn check_large(names: &str, linear_weights: &str) {
    for name in names.split(' ') {
        let rows = if name == "alexnet" { 63 } else { 32 };
        let shape = [3, rows, rows];
        let net = models::by_name(name, shape, CLASSES).unwrap();
        // The identity, as far as it goes: billions of random numbers would take longer than the
        // steps.
        let identity = Init::Dirac { groups: 1 };
        let net = net.with_init(linear_weights, identity).unwrap();
        check_classifier(&net, shape, 1e-5);
    }
}

#[test]
fn alexnet_and_vggs() {
    let weights = "classifier.*.weight";
    check_large("alexnet vgg11 vgg13 vgg16", weights);
    check_large("vgg11_bn vgg13_bn vgg16_bn", weights);
}

#[test]
fn prelu_nets() {
    check_large(
        "prelu_net14 prelu_net_a prelu_net_b prelu_net_c",
        "linear*.weight",
    );
}

#[test]
fn mobilenet_v1() {
    let shape = [3, 33, 33];
    let net = models::mobilenet_v1_with_width(shape, CLASSES, 0.25);
    check_classifier(&net, shape, 0.01);
}

#[test]
fn mobilenet_v2() {
    let shape = [3, 33, 33];
    let net = models::mobilenet_v2_with_width(shape, CLASSES, 0.35);
    check_classifier(&net, shape, 1e-3);
}

#[test]
fn autoencoder() {
    let shape = [1, 7, 6];
    let images = normal(shape);
    let data = Dataset::regression(shape, images.clone(), shape, images).unwrap();
    let net = models::autoencoder(shape, 5);
    check(&net, &data, MeanSquaredError::new(), 0.1);
}
