//! Fixup (Zhang, Dauphin and Ma 2019): residual networks without normalisation.

use wgrad::Error;
use wgrad::graph::{Graph, Network, Var};
use wgrad::init::Init;
use wgrad::ops::{Conv2d, Linear};
use wgrad::random::Seed;
use wgrad::train::{Sgd, Trainer};

use super::setup::digits;
use crate::support::gpu::device;

/// Residual branches, and convolutions of each.
const BRANCHES: usize = 16;
const LAYERS: usize = 2;
const CHANNELS: usize = 8;

/// Of training.
const STEPS: usize = 30;

/// `x + conv(relu(conv(x)))`, and a rectifier.
fn block(g: &mut Graph, x: Var, name: &str) -> Var {
    g.scope(name, |g| {
        let convolution = || Conv2d::new(CHANNELS, 3).padding(1);
        let y = g.conv2d(x, convolution());
        let y = g.relu(y);
        let y = g.conv2d(y, convolution());
        let sum = g.add(x, y);
        g.relu(sum)
    })
}

/// With He's law throughout, as it is by default.
fn residual() -> Network {
    Network::from_graph([1, 8, 8], |g, x| {
        let x = g.conv2d(x, Conv2d::new(CHANNELS, 3).stride(2).padding(1));
        let mut x = g.relu(x);
        for index in 0..BRANCHES {
            x = block(g, x, &format!("block{index}"));
        }
        let x = g.flatten(x);
        g.linear(x, Linear::new(10))
    })
}

/// The rules of the paper: the classification layer and the last layer of each branch begin at zero,
/// the others of a branch from He's law times `BRANCHES^(−1/(2·LAYERS − 2))`.
fn fixup() -> Network {
    let zero = || Init::Constant(0.0);
    let net = residual().with_init("linear1", zero()).unwrap();
    let net = net.with_init("block*.conv2.weight", zero()).unwrap();
    let inner = Init::fixup(BRANCHES, LAYERS);
    net.with_init("block*.conv1.weight", inner).unwrap()
}

#[test]
fn a_network_begins_as_the_paper_says() {
    let Some(device) = device() else { return };
    let model = fixup().build(device, Seed(4)).unwrap();
    for name in ["linear1.weight", "linear1.bias", "block0.conv2.weight"] {
        assert!(model.parameter(name).unwrap().iter().all(|w| *w == 0.0));
    }
    let mut squares = Vec::new();
    for index in 0..BRANCHES {
        let name = format!("block{index}.conv1.weight");
        squares.extend(model.parameter(&name).unwrap().iter().map(|w| w * w));
        let last = format!("block{index}.conv2.weight");
        assert!(model.parameter(&last).unwrap().iter().all(|w| *w == 0.0));
    }
    let variance = squares.iter().map(|s| f64::from(*s)).sum::<f64>() / squares.len() as f64;
    let he = 2.0 / (9 * CHANNELS) as f64;
    let scale = (BRANCHES as f64).powf(-1.0 / (2 * LAYERS - 2) as f64);
    // Five standard errors.
    let allowed = 5.0 * (2.0 / squares.len() as f64).sqrt();
    let relative = variance / (he * scale * scale);
    assert!((relative - 1.0).abs() < allowed, "{relative}");

    // Every branch is zero, and the classifier takes no side.
    let evaluation = model.evaluate(&digits(20)).unwrap();
    let chance = 10_f64.ln();
    assert!(
        (evaluation.loss - chance).abs() < 1e-6,
        "{}",
        evaluation.loss
    );
}

/// The mean loss of the last ten steps.
fn learned(net: &Network, learning_rate: f64) -> Option<Result<f32, Error>> {
    let device = device()?;
    let mut model = net.build(device, Seed(4)).unwrap();
    let data = digits(160);
    let trainer = Trainer::new(Sgd::new(learning_rate).momentum(0.9)).batch_size(16);
    let mut training = trainer.start(&mut model, &data).unwrap();
    let losses = (0..STEPS)
        .try_for_each(|_| training.step().map(drop))
        .and_then(|()| training.losses());
    let mean = |losses: Vec<f32>| losses[STEPS - 10..].iter().sum::<f32>() / 10.0;
    Some(losses.map(mean))
}

#[test]
fn a_deep_network_learns_that_does_not_from_hes_law() {
    let chance = 10_f32.ln();
    let Some(loss) = learned(&fixup(), 0.05) else {
        return;
    };
    let loss = loss.unwrap();
    assert!(loss < 0.5 * chance, "{loss}");
    for learning_rate in [0.05, 5e-4] {
        // Each block doubles the variance of the response.
        match learned(&residual(), learning_rate) {
            Some(Ok(loss)) => assert!(loss > 0.95 * chance, "{learning_rate}: {loss}"),
            Some(Err(error)) => assert!(matches!(error, Error::NonFinite { .. }), "{error}"),
            None => return,
        }
    }
}
