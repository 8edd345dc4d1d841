//! Which law a layer's weights are drawn from when nobody says, seen on the weights themselves.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

#[path = "support/gpu.rs"]
mod gpu;

use wgrad::graph::{Graph, Network, Var};
use wgrad::init::{Fan, Init};
use wgrad::ops::{BatchNorm, Conv2d, Linear, Prelu};
use wgrad::random::Seed;
use wgrad::train::Model;

/// He's variance for a rectifier of this slope.
fn he(fan_in: usize, slope: f64) -> f64 {
    2.0 / ((1.0 + slope * slope) * fan_in as f64)
}

fn xavier(fan_in: usize, fan_out: usize) -> f64 {
    2.0 / (fan_in + fan_out) as f64
}

/// Asserts that the weights have this variance, up to five standard errors, and mean zero.
fn assert_variance(model: &Model, name: &str, variance: f64) {
    let values = model.parameter(name).unwrap();
    let count = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
    let squares = values.iter().map(|&v| (f64::from(v) - mean).powi(2));
    let found = squares.sum::<f64>() / (count - 1.0);
    // A normal law's sample variance scatters by √(2/n).
    let allowed = 5.0 * (2.0 / count).sqrt();
    assert!(
        allowed < 0.25,
        "`{name}` has too few weights to tell laws apart"
    );
    assert!(
        (found / variance - 1.0).abs() < allowed,
        "`{name}` has variance {found}, not {variance}"
    );
    assert!(
        mean.abs() < 5.0 * (variance / count).sqrt(),
        "`{name}` has mean {mean}"
    );
}

fn build(net: &Network) -> Option<Model> {
    Some(net.build(gpu::device()?, 11).unwrap())
}

#[test]
fn a_chain_gets_the_law_of_what_follows() {
    let mut net = Network::input([24, 6, 6]);
    net.conv(40, 3)
        .relu()
        .conv(36, 3)
        .bias(false)
        .batch_norm()
        .relu()
        .conv(44, 1)
        .prelu()
        .conv(48, 1)
        .max_pool(2)
        .dropout(0.5)
        .leaky_relu(0.5)
        .linear(64)
        .shared_prelu()
        .linear(56)
        .tanh()
        .linear(40);
    let Some(model) = build(&net) else { return };
    for (name, variance) in [
        ("conv1.weight", he(24 * 9, 0.0)),
        ("conv2.weight", he(40 * 9, 0.0)),
        ("conv3.weight", he(36, 0.25)),
        ("conv4.weight", he(44, 0.5)),
        ("linear1.weight", he(48, 0.25)),
        ("linear2.weight", xavier(64, 56)),
        ("linear3.weight", xavier(56, 40)),
    ] {
        assert_variance(&model, name, variance);
    }
    for parameter in model.parameters() {
        let values = model.parameter(&parameter.name).unwrap();
        let start = match parameter.name.as_str() {
            name if name.starts_with("prelu") => 0.25,
            "bn1.weight" | "bn1.running_var" => 1.0,
            name if name.ends_with(".bias") || name == "bn1.running_mean" => 0.0,
            _ => continue,
        };
        assert!(values.iter().all(|v| *v == start), "{}", parameter.name);
    }
}

/// The slope that the law is for is the one that PReLU starts from, and the law is found through
/// sums, branches and concatenations.
#[test]
fn a_graph_gets_the_law_of_what_follows() {
    let net = Network::from_graph([32, 4, 4], |graph: &mut Graph, x: Var| {
        let conv = |graph: &mut Graph, x: Var, name: &str| {
            graph.conv2d(x, Conv2d::new(32, 3).padding(1).name(name))
        };
        let a = conv(graph, x, "first");
        let a = graph.prelu(a, Prelu::per_channel().init(1.0));
        let b = conv(graph, a, "second");
        let b = graph.batch_norm(b, BatchNorm::new());
        let sum = graph.add(a, b);
        let c = conv(graph, sum, "third");
        let both = graph.concat(&[sum, c]);
        let y = graph.relu(both);
        let y = graph.conv2d(y, Conv2d::new(64, 3).groups(32).name("grouped"));
        let y = graph.relu(y);
        let features = graph.global_mean_pool(y);
        graph.linear(features, Linear::new(48))
    });
    let Some(model) = build(&net) else { return };
    assert_variance(&model, "first.weight", he(32 * 9, 1.0));
    // Its response reaches a rectifier only behind the sum and the concatenation.
    assert_variance(&model, "second.weight", he(32 * 9, 0.0));
    assert_variance(&model, "third.weight", he(32 * 9, 0.0));
    // 64 channels in 32 groups: two inputs of nine taps each.
    assert_variance(&model, "grouped.weight", he(2 * 9, 0.0));
    assert_variance(&model, "linear1.weight", xavier(64, 48));
}

#[test]
fn what_is_said_wins() {
    let mut net = Network::input([16, 6, 6]);
    net.conv(32, 3)
        .init(Init::Gaussian {
            mean: 0.0,
            std: 0.01,
        })
        .relu()
        .conv(32, 3)
        .init(Init::he().mode(Fan::Out).uniform())
        .prelu()
        .linear(48)
        .init(Init::lecun())
        .relu()
        .linear(4)
        .init(Init::Constant(0.0));
    let Some(model) = build(&net) else { return };
    assert_variance(&model, "conv1.weight", 1e-4);
    assert_variance(&model, "conv2.weight", 2.0 / (32.0 * 9.0));
    let bound = (3.0 * 2.0 / (32.0 * 9.0_f64)).sqrt() as f32;
    let uniform = model.parameter("conv2.weight").unwrap();
    assert!(uniform.iter().all(|w| w.abs() <= bound), "uniform");
    let near_the_bound = uniform.iter().filter(|w| w.abs() > 0.9 * bound).count();
    assert!(near_the_bound * 20 > uniform.len(), "uniform to its ends");
    assert_variance(&model, "linear1.weight", 1.0 / (32.0 * 4.0));
    let zeros = model.parameter("linear2.weight").unwrap();
    assert!(zeros.iter().all(|w| *w == 0.0));
}

/// One seed, one set of weights; a layer more changes no other layer's.
#[test]
fn weights_follow_from_the_seed_and_the_name() {
    let Some(device) = gpu::device() else { return };
    let mut net = Network::input([3, 8, 8]);
    net.conv(5, 3).relu();
    let mut longer = net.clone();
    longer.conv(7, 3).relu();
    let weights = |net: &Network, seed: u64| {
        let model = net.build(device, Seed(seed)).unwrap();
        model.parameter("conv1.weight").unwrap()
    };
    assert_eq!(weights(&net, 1), weights(&net, 1));
    assert_eq!(weights(&net, 1), weights(&longer, 1));
    assert_ne!(weights(&net, 1), weights(&net, 2));
    let model = longer.build(device, 1).unwrap();
    assert_ne!(
        model.parameter("conv1.weight").unwrap()[..5],
        model.parameter("conv2.weight").unwrap()[..5]
    );
}
