//! Fused plans compute what unfused plans compute.
//!
//! Each network here is run twice, with fusion and with a kernel of its own for every operator.
//! Responses and all gradients must agree, and the plan must show that the fusion took place: the
//! label of a fused dispatch joins the names of its operators with `+`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

#[path = "support/compare.rs"]
mod compare;
#[path = "support/gpu.rs"]
mod gpu;

use std::collections::BTreeSet;

use compare::{Tolerance, compare};
use gpu::device;
use wgrad::autodiff::gradients_from;
use wgrad::graph::{Graph, Role, Var};
use wgrad::ops::prelu::Prelu;
use wgrad::ops::{BatchNorm, Conv2d, LeakyRelu, Linear, MaxPool2d};
use wgrad::plan::{AdapterProfile, Mode};
use wgrad::{Device, Session, SessionOptions};

/// The kernels add and round in the same order, but a compiler may contract differently.
const TOLERANCE: Tolerance = Tolerance::relative(1e-6);

const BATCH: usize = 3;

/// A network: what it does with an image of 6 channels and 8×8 pixels. Gives values to read.
type Build = fn(&mut Graph, Var) -> Vec<Var>;

/// Numbers in (-1, 1) without pattern or ties.
fn numbers(count: usize, seed: usize) -> Vec<f32> {
    let number = |i: usize| {
        let hash = (i + 1 + seed * 7_919).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as usize);
        (hash >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(number).collect()
}

struct Network {
    graph: Graph,
    /// What is set by hand: the input, δ, the parameters.
    inputs: Vec<Var>,
    targets: Vec<Var>,
}

impl Network {
    /// In training mode with the gradients of everything learned, and of the input.
    fn new(build: Build, mode: Mode) -> Self {
        let mut graph = Graph::new();
        let x = graph.input("x", [6, 8, 8]);
        let mut targets = build(&mut graph, x);
        graph.check().unwrap();
        let all = graph.parameters().to_vec();
        let find = |graph: &Graph, name: &str| graph.find_parameter(name).unwrap();
        let mut inputs = vec![x];
        inputs.extend(all.iter().map(|p| find(&graph, &p.name)));
        if mode == Mode::Training {
            let y = targets[0];
            let shape = graph.shape(y).clone();
            let dy = graph.input("dy", shape);
            inputs.push(dy);
            let learned = all.iter().filter(|p| p.role != Role::Statistic);
            let mut wrt = vec![x];
            wrt.extend(learned.map(|p| find(&graph, &p.name)));
            targets.extend(gradients_from(&mut graph, &[(y, dy)], &wrt).unwrap());
        }
        Self {
            graph,
            inputs,
            targets,
        }
    }

    /// All results, and the labels of the dispatches.
    fn run(&self, device: &Device, options: SessionOptions) -> (Vec<Vec<f32>>, BTreeSet<String>) {
        let options = options.guarded();
        let session = Session::new(device, &self.graph, &self.targets, options).unwrap();
        for (seed, &input) in self.inputs.iter().enumerate() {
            if !session.keeps(input) {
                continue;
            }
            let value = self.graph.value(input);
            let mut contents = numbers(value.value_type.logical_len(BATCH), seed);
            if value.name.ends_with("running_var") {
                contents.iter_mut().for_each(|v| *v = v.abs() + 0.5);
            }
            session.set(input, &contents).unwrap();
        }
        session.run().unwrap();
        session.check_guards().unwrap();
        let results = self.targets.iter().map(|t| session.get(*t).unwrap());
        let labels = session.recording().commands.iter().map(|c| c.node.clone());
        (results.collect(), labels.collect())
    }
}

/// Runs the network fused and unfused, on the device's kernels and on those for a GPU.
fn check(build: Build, mode: Mode, expected: &[&str]) {
    let Some(device) = device() else { return };
    let network = Network::new(build, mode);
    let options = || match mode {
        Mode::Training => SessionOptions::training(BATCH),
        Mode::Evaluation => SessionOptions::evaluation(BATCH),
    };
    for gpu in [false, true] {
        let options = || match gpu {
            true => options().planned_for(AdapterProfile::gpu()),
            false => options(),
        };
        let (fused, labels) = network.run(device, options());
        let (unfused, single) = network.run(device, options().unfused());
        for label in expected {
            assert!(labels.contains(*label), "no `{label}` among {labels:#?}");
        }
        assert!(single.iter().all(|l| !l.contains('+')), "{single:#?}");
        for ((target, fused), unfused) in network.targets.iter().zip(&fused).zip(&unfused) {
            let reference: Vec<f64> = unfused.iter().map(|&v| f64::from(v)).collect();
            let name = &network.graph.value(*target).name;
            assert!(
                unfused.iter().any(|v| *v != 0.0),
                "`{name}` is zero everywhere: nothing is compared"
            );
            compare(fused, &reference, TOLERANCE).unwrap_or_else(|e| panic!("`{name}`: {e}"));
        }
    }
}

#[test]
fn rectifiers_move_into_every_kind_of_convolution() {
    let build: Build = |graph, x| {
        let x = graph.conv2d(x, Conv2d::new(12, 3).padding(1));
        let x = graph.relu(x);
        let x = graph.conv2d(x, Conv2d::new(12, 3).padding(1).groups(3));
        let x = graph.relu(x);
        let x = graph.conv2d(x, Conv2d::new(12, 3).padding(1).groups(12).bias(false));
        let x = graph.relu(x);
        let x = graph.conv2d(x, Conv2d::new(7, 1));
        let x = graph.relu(x);
        let x = graph.flatten(x);
        let x = graph.linear(x, Linear::new(5));
        vec![graph.relu(x)]
    };
    let expected = [
        "conv1+relu1",
        "conv2+relu2",
        "conv3+relu3",
        "conv4+relu4",
        "linear1+relu5",
    ];
    check(build, Mode::Training, &expected);
    check(build, Mode::Evaluation, &expected);
}

#[test]
fn a_winograd_convolution_takes_the_rectifier_into_its_last_step() {
    let build: Build = |graph, x| {
        let winograd = wgrad::ops::conv2d::Variant::Winograd;
        let x = graph.conv2d(x, Conv2d::new(6, 3).padding(1).variant(winograd));
        vec![graph.relu(x)]
    };
    check(build, Mode::Training, &["conv1+relu1"]);
}

#[test]
fn learned_slopes_and_fixed_ones_move_in_evaluation() {
    let build: Build = |graph, x| {
        let x = graph.conv2d(x, Conv2d::new(10, 3));
        let x = graph.prelu(x, Prelu::per_channel());
        let x = graph.conv2d(x, Conv2d::new(5, 3));
        let x = graph.prelu(x, Prelu::shared());
        let x = graph.conv2d(x, Conv2d::new(5, 3));
        vec![graph.leaky_relu(x, LeakyRelu::new(-0.3))]
    };
    let expected = ["conv1+prelu1", "conv2+prelu2", "conv3+leaky_relu1"];
    check(build, Mode::Evaluation, &expected);
    // In training the gradients read what comes before the rectifier.
    check(
        build,
        Mode::Training,
        &["conv1", "prelu1", "conv2.channel_sum"],
    );
}

#[test]
fn normalisation_takes_the_shortcut_and_the_rectifier() {
    let build: Build = |graph, x| {
        let shortcut = graph.conv2d(x, Conv2d::new(6, 1));
        let x = graph.conv2d(x, Conv2d::new(6, 3).padding(1).bias(false));
        let x = graph.batch_norm(x, BatchNorm::new());
        let x = graph.relu(x);
        let x = graph.conv2d(x, Conv2d::new(6, 3).padding(1).bias(false));
        let x = graph.batch_norm(x, BatchNorm::new());
        let x = graph.add(shortcut, x);
        let x = graph.relu(x);
        vec![graph.conv2d(x, Conv2d::new(2, 1))]
    };
    let expected = ["bn1+relu1", "bn2+add1+relu2"];
    check(build, Mode::Evaluation, &expected);
    let masked = "relu1.relu_grad+bn1.batch_norm_grad";
    check(build, Mode::Training, &[&expected[..], &[masked]].concat());
}

#[test]
fn pooling_normalises_and_rectifies_what_it_loads() {
    let build: Build = |graph, x| {
        let x = graph.conv2d(x, Conv2d::new(6, 3).padding(1).bias(false));
        let x = graph.batch_norm(x, BatchNorm::new());
        let x = graph.relu(x);
        let x = graph.max_pool2d(x, MaxPool2d::new(2));
        vec![graph.conv2d(x, Conv2d::new(3, 3))]
    };
    check(build, Mode::Evaluation, &["bn1+relu1+max_pool1"]);
    let expected = [
        "relu1+max_pool1",
        "max_pool1.max_pool2d_grad+relu1.relu_grad",
    ];
    check(build, Mode::Training, &expected);
}

#[test]
fn pooling_and_bias_join_the_gradient_of_learned_slopes() {
    let build: Build = |graph, x| {
        let x = graph.conv2d(x, Conv2d::new(9, 3).padding(1));
        let x = graph.prelu(x, Prelu::per_channel().init(-0.5));
        let x = graph.max_pool2d(x, MaxPool2d::new(3).stride(2).padding(1));
        let x = graph.conv2d(x, Conv2d::new(5, 1));
        let x = graph.prelu(x, Prelu::shared());
        vec![graph.max_pool2d(x, MaxPool2d::new(2).stride(3))]
    };
    let expected = [
        "prelu1+max_pool1",
        "max_pool1.max_pool2d_grad+prelu1.prelu_grad+conv1.channel_sum",
        "max_pool2.max_pool2d_grad+prelu2.prelu_grad",
    ];
    check(build, Mode::Training, &expected);
    check(
        build,
        Mode::Evaluation,
        &["prelu1+max_pool1", "prelu2+max_pool2"],
    );
}

#[test]
fn what_is_read_elsewhere_too_is_still_computed() {
    let build: Build = |graph, x| {
        let before = graph.conv2d(x, Conv2d::new(6, 3).padding(1));
        let rectified = graph.relu(before);
        let pooled = graph.max_pool2d(rectified, MaxPool2d::new(2));
        let up = graph.conv2d(rectified, Conv2d::new(6, 2).stride(2));
        vec![graph.add(pooled, up), before, rectified]
    };
    check(build, Mode::Training, &["conv1", "relu1", "max_pool1"]);
    check(build, Mode::Evaluation, &["conv1", "relu1", "max_pool1"]);
}

/// A channel's first pixel in every tile is taken for its centre: channels far from zero tell whether
/// digits are lost. A large batch is convolved in pieces, a tile that is not whole has no statistics.
#[test]
fn a_winograd_convolution_leaves_the_statistics_of_its_result() {
    check_statistics([10, 16, 16], 8, 0.0, "side=4");
    check_statistics([10, 16, 16], 8, 1000.0, "side=4");
    check_statistics([64, 32, 32], 24, 0.0, "pieces=2");
    check_statistics([10, 14, 14], 8, 0.0, "side=4");
}

/// With results of this shape, biases around `offset`, and a choice of kernels that says `choice`.
fn check_statistics(
    [channels, height, width]: [usize; 3],
    batch: usize,
    offset: f32,
    choice: &str,
) {
    let Some(device) = device() else { return };
    let mut graph = Graph::new();
    let x = graph.input("x", [8, height, width]);
    let variant = wgrad::ops::conv2d::Variant::Winograd;
    let conv = Conv2d::new(channels, 3).padding(1).variant(variant);
    let y = graph.conv2d(x, conv);
    let y = graph.batch_norm(y, BatchNorm::new());
    let y = graph.relu(y);
    let run = |options: SessionOptions| {
        let session = Session::new(device, &graph, &[y], options.guarded()).unwrap();
        for (seed, parameter) in graph.parameters().iter().enumerate() {
            let value = graph.find_parameter(&parameter.name).unwrap();
            let mut values = numbers(graph.shape(value).elements(), seed);
            if parameter.name == "conv1.bias" {
                values.iter_mut().for_each(|v| *v += offset);
            }
            if session.keeps(value) {
                session.set(value, &values).unwrap();
            }
        }
        let image = numbers(batch * 8 * height * width, 9);
        session.set(x, &image).unwrap();
        session.run().unwrap();
        session.check_guards().unwrap();
        let commands = &session.recording().commands;
        let chosen = |tile: String| tile.contains(choice);
        assert!(commands.iter().any(|command| chosen(command.tile())));
        let mut kernels = commands.iter().map(|command| command.shader.name);
        let has_own_pass = kernels.any(|name| name == "batch_norm_partials");
        (session.get(y).unwrap(), has_own_pass)
    };
    let (fused, has_own_pass) = run(SessionOptions::training(batch));
    assert_eq!(has_own_pass, height % 4 != 0);
    let (unfused, has_own_pass) = run(SessionOptions::training(batch).unfused());
    assert!(has_own_pass);
    let reference: Vec<f64> = unfused.iter().map(|&v| f64::from(v)).collect();
    compare(&fused, &reference, TOLERANCE).unwrap();
}
