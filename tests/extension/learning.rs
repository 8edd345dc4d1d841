//! The operator in a network that learns, and how the network sees it.

use wgrad::graph::Network;
use wgrad::ops::{Conv2d, Linear, MaxPool2d};
use wgrad::random::Seed;
use wgrad::train::{Sgd, Trainer};

use super::gpu;
use super::swish::SwishLayer;

/// softplus(0.5414) is 1: at first the plain swish.
const PLAIN: f64 = 0.5414;

fn network() -> Network {
    Network::from_graph([1, 8, 8], |graph, x| {
        let y = graph.conv2d(x, Conv2d::new(6, 3).padding(1));
        let y = graph.swish(y, PLAIN);
        let y = graph.max_pool2d(y, MaxPool2d::new(2));
        let y = graph.flatten(y);
        graph.linear(y, Linear::new(10))
    })
}

#[test]
fn the_operator_learns_with_its_network() {
    let Some(device) = gpu::device() else { return };
    let (digits, _) = wgrad::data::digits().split(0.25, Seed(1));
    let mut model = network().build(device, 1).unwrap();
    let before = model.parameter("swish1.sharpness").unwrap();
    assert_eq!(before, [PLAIN as f32; 6]);
    let first = model.evaluate(&digits).unwrap();
    let trainer = Trainer::new(Sgd::new(0.1).momentum(0.9))
        .epochs(4)
        .batch_size(32)
        .progress(false);
    let run = trainer.fit(&mut model, &digits, &digits).unwrap();
    let last = run.evaluation.unwrap();
    assert!(
        last.loss < 0.3 * first.loss && last.accuracy > Some(0.9),
        "loss {} from {}, accuracy {:?}",
        last.loss,
        first.loss,
        last.accuracy
    );
    let after = model.parameter("swish1.sharpness").unwrap();
    for (channel, (a, b)) in after.iter().zip(&before).enumerate() {
        assert!((a - b).abs() > 1e-4, "channel {channel} stays at {a}");
    }
}

#[test]
fn a_frozen_parameter_of_it_stays() {
    let Some(device) = gpu::device() else { return };
    let (digits, _) = wgrad::data::digits().split(0.1, Seed(1));
    let mut model = network().build(device, 1).unwrap();
    model.freeze("swish1").unwrap();
    let trainer = Trainer::new(Sgd::new(0.1)).batch_size(32);
    let mut training = trainer.start(&mut model, &digits).unwrap();
    for _ in 0..4 {
        training.step().unwrap();
    }
    let losses = training.losses().unwrap();
    assert!(losses[3] < losses[0], "{losses:?}");
    let sharpness = model.parameter("swish1.sharpness").unwrap();
    assert_eq!(sharpness, [PLAIN as f32; 6]);
}

#[test]
fn summaries_and_initialisers_know_it() {
    let network = network();
    let summary = network.summary().unwrap();
    assert!(summary.contains("swish1"), "{summary}");
    let (mut graph, _, _) = network.graph().unwrap();
    graph.resolve_initialisers();
    let law = format!("{:?}", graph.parameters()[0].initialiser);
    assert!(law.contains("Rectifier"), "He for its slope, not {law}");
}
