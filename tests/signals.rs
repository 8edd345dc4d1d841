//! The theory of initialisers (see `wgrad::init`) on a network of twenty layers: by He's law the
//! responses and the gradients keep their size from the first layer to the last; by a law of
//! fixed width both vanish.
//!
//! What is measured: the mean square of every layer's response before its rectifier (their mean
//! is zero, so this is their variance), over all channels and positions, and of the gradient with
//! respect to it, for random δ behind the last layer. Two things come between this and the theory:
//!
//! * The zeros around the image, of which the theory knows nothing. What they take is known
//!   exactly, see [`seen`], and divided out; over 20 layers of 12×12 pixels it is a factor of 0.39.
//! * The theory speaks of the expectation over weights. Through 20 layers of C channels one draw
//!   of the weights scatters about it by a factor of up to exp(√(5·20/C)), because rectifiers make
//!   the positions of an image ever more alike and leave only C independent terms. With C = 128
//!   that is 2.4 (with 32 channels it would be 6), and the mean square is averaged over
//!   [`DRAWS`] draws of all weights.
//!
//! "Kept within a factor of 2" then means: the largest of the twenty layers' variances is less
//! than twice the smallest.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

#[path = "support/gpu.rs"]
mod gpu;

use wgrad::graph::{Graph, Initialiser, Var};
use wgrad::init::{Fans, Init};
use wgrad::ops::{Conv2d, Linear, Prelu};
use wgrad::random::Seed;
use wgrad::{Device, Session, SessionOptions};

const LAYERS: usize = 20;
const CHANNELS: usize = 128;
const SIZE: usize = 12;
const BATCH: usize = 1;
const DRAWS: u64 = 4;

/// Which rectifier follows every convolution.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rectifier {
    Relu,
    Prelu,
}

/// Mean squares by layer, as if the image had no border: of the responses from the first layer to
/// the last, of the gradients from the last to the first.
#[derive(Debug)]
struct Signals {
    responses: Vec<f64>,
    gradients: Vec<f64>,
}

/// The network: its input, the responses before the rectifiers, and its output.
fn network(rectifier: Rectifier, init: Option<&Init>) -> (Graph, Var, Vec<Var>, Var) {
    let mut graph = Graph::new();
    let input = graph.input("x", [CHANNELS, SIZE, SIZE]);
    let mut x = input;
    let mut responses = Vec::new();
    for _ in 0..LAYERS {
        let mut layer = Conv2d::new(CHANNELS, 3).padding(1).bias(false);
        if let Some(init) = init {
            layer = layer.init(init.clone());
        }
        let y = graph.conv2d(x, layer);
        responses.push(y);
        x = match rectifier {
            Rectifier::Relu => graph.relu(y),
            Rectifier::Prelu => graph.prelu(y, Prelu::per_channel()),
        };
    }
    graph.resolve_initialisers();
    (graph, input, responses, x)
}

fn mean_square(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / values.len() as f64
}

/// Normal numbers for a batch of images.
fn noise(seed: Seed, name: &str) -> Vec<f32> {
    let unit = Init::Gaussian {
        mean: 0.0,
        std: 1.0,
    };
    let shape = [BATCH, CHANNELS, SIZE, SIZE];
    unit.sample(&shape, Fans::default(), seed, name).unwrap()
}

/// The share of the signal that is left after `layers` convolutions with zeros around the image:
/// in expectation, the mean square at a position is the mean over its filter's taps of the mean
/// squares there, and 0 outside. Rows and columns are independent of each other.
fn seen(layers: usize) -> f64 {
    let mut line = [1.0; SIZE];
    for _ in 0..layers {
        let at = |i: usize| line.get(i).copied().unwrap_or(0.0);
        line = std::array::from_fn(|i| (at(i.wrapping_sub(1)) + at(i) + at(i + 1)) / 3.0);
    }
    (line.iter().sum::<f64>() / SIZE as f64).powi(2)
}

/// Gives every parameter values by its law.
fn draw_parameters(session: &Session, graph: &Graph, seed: Seed) {
    for parameter in graph.parameters() {
        let Initialiser::Given(init) = &parameter.initialiser else {
            panic!("`{}` has no initialiser", parameter.name)
        };
        let values = init.sample(&parameter.shape, parameter.fans, seed, &parameter.name);
        let var = graph.find_parameter(&parameter.name).unwrap();
        session.set(var, &values.unwrap()).unwrap();
    }
}

/// Runs the network forward and backward, with weights by the default law or by `init`.
fn measure(device: &Device, rectifier: Rectifier, init: Option<&Init>, draws: u64) -> Signals {
    let (mut graph, input, responses, output) = network(rectifier, init);
    let delta = graph.input("delta", [CHANNELS, SIZE, SIZE]);
    let seeds = [(output, delta)];
    let gradients = wgrad::autodiff::gradients_from(&mut graph, &seeds, &responses).unwrap();
    let targets: Vec<Var> = responses.iter().chain(&gradients).copied().collect();
    let session = Session::new(device, &graph, &targets, SessionOptions::training(BATCH)).unwrap();
    let mut squares = vec![0.0; targets.len()];
    for draw in 0..draws {
        let seed = Seed(draw);
        draw_parameters(&session, &graph, seed);
        session.set(input, &noise(seed, "x")).unwrap();
        session.set(delta, &noise(seed, "delta")).unwrap();
        session.run().unwrap();
        for (square, target) in squares.iter_mut().zip(&targets) {
            *square += mean_square(&session.get(*target).unwrap()) / draws as f64;
        }
    }
    let mut gradients = squares.split_off(LAYERS);
    // Both in the order in which the signal flows.
    gradients.reverse();
    let divide = |(i, square): (usize, &f64), passed: usize| square / seen(i + passed);
    Signals {
        responses: squares.iter().enumerate().map(|s| divide(s, 1)).collect(),
        gradients: gradients.iter().enumerate().map(|s| divide(s, 0)).collect(),
    }
}

/// The largest over the smallest of all layers.
fn spread(by_layer: &[f64]) -> f64 {
    let largest = by_layer.iter().copied().fold(0.0, f64::max);
    let smallest = by_layer.iter().copied().fold(f64::INFINITY, f64::min);
    largest / smallest
}

fn assert_kept(rectifier: Rectifier) {
    let Some(device) = gpu::device() else { return };
    let signals = measure(device, rectifier, None, DRAWS);
    assert!(spread(&signals.responses) < 2.0, "{signals:.3?}");
    assert!(spread(&signals.gradients) < 2.0, "{signals:.3?}");
}

#[test]
fn the_default_law_keeps_the_signal_through_twenty_layers_of_relu() {
    assert_kept(Rectifier::Relu);
}

/// The default law knows the slope of the PReLU that follows: without the factor 1 + 0.25² the
/// signal would grow by 1.0625^19 = 3.2.
#[test]
fn the_default_law_keeps_the_signal_through_twenty_layers_of_prelu() {
    assert_kept(Rectifier::Prelu);
}

#[test]
fn weights_of_a_fixed_width_let_the_signal_vanish() {
    let Some(device) = gpu::device() else { return };
    let init = Init::Gaussian {
        mean: 0.0,
        std: 0.01,
    };
    let signals = measure(device, Rectifier::Relu, Some(&init), 1);
    for (what, by_layer) in [
        ("responses", &signals.responses),
        ("gradients", &signals.gradients),
    ] {
        let (first, last) = (by_layer[0], by_layer[LAYERS - 1]);
        assert!(last > 0.0 && last < 1e-3 * first, "{what}: {by_layer:?}");
        // The theory's rate: ½ n Var[w] a layer.
        let rate = (last / first).powf(1.0 / (LAYERS - 1) as f64);
        let expected = 0.5 * (9 * CHANNELS) as f64 * 1e-4;
        assert!(
            (rate / expected - 1.0).abs() < 0.1,
            "{what}: a factor of {rate} a layer, {expected} was expected"
        );
    }
}

/// The law is also what keeps a signal from growing: twice He's variance doubles it each layer.
#[test]
fn twice_the_variance_lets_the_signal_explode() {
    let Some(device) = gpu::device() else { return };
    let fan_in = (9 * CHANNELS) as f64;
    let init = Init::Gaussian {
        mean: 0.0,
        std: (4.0 / fan_in).sqrt(),
    };
    let signals = measure(device, Rectifier::Relu, Some(&init), 1);
    let growth = signals.responses[LAYERS - 1] / signals.responses[0];
    let expected = 2.0_f64.powi(LAYERS as i32 - 1);
    assert!(
        growth > 0.3 * expected && growth < 3.0 * expected,
        "the signal grew by {growth}, 2^19 = {expected} was expected"
    );
}

/// SELU has a fixed point: behind weights of the default law, which is LeCun's for it, every layer's
/// response has mean 0 and variance 1 (Klambauer et al. 2017). By He's law the first already has 1.7.
#[test]
fn selu_normalises_itself() {
    let Some(device) = gpu::device() else { return };
    let (features, samples) = (256, 16);
    let mut graph = Graph::new();
    let input = graph.input("x", features);
    let mut x = input;
    let responses: Vec<Var> = (0..LAYERS)
        .map(|_| {
            let y = graph.linear(x, Linear::new(features).bias(false));
            x = graph.selu(y);
            x
        })
        .collect();
    graph.resolve_initialisers();
    let options = SessionOptions::training(samples);
    let session = Session::new(device, &graph, &responses, options).unwrap();
    draw_parameters(&session, &graph, Seed(1));
    let unit = Init::Gaussian {
        mean: 0.0,
        std: 1.0,
    };
    let values = unit.sample(&[samples, features], Fans::default(), Seed(1), "x");
    session.set(input, &values.unwrap()).unwrap();
    session.run().unwrap();
    for (layer, response) in responses.iter().enumerate() {
        let values = session.get(*response).unwrap();
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64;
        let variance = mean_square(&values) - mean * mean;
        // A layer's draw of 256 weights scatters by about √(2/256) = 0.09; the fixed point attracts.
        assert!(mean.abs() < 0.15, "layer {layer}: mean {mean}");
        assert!(
            (variance - 1.0).abs() < 0.3,
            "layer {layer}: variance {variance}"
        );
    }
}
