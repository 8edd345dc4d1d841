//! wgrad in the comparison. Called with `describe` it tells the adapter instead.

use std::error::Error;

use wgrad::autodiff::gradients_from;
use wgrad::graph::{Graph, Network};
use wgrad::ops::{Conv2d, Linear};
use wgrad::random::StandardNormal;
use wgrad::{Session, SessionOptions, prelude::*};
use wgrad_benches::{medium, plain, random_data, resnet18, resnet20, small};
use wgrad_peers::worker;

fn main() -> Result<(), Box<dyn Error>> {
    let device = Device::open()?;
    if std::env::args().nth(1).as_deref() == Some("describe") {
        let kind = if device.profile().cpu { "cpu" } else { "gpu" };
        println!("{kind}\t{}", device.description());
        return Ok(());
    }
    let (workload, batch) = worker::task();
    let sgd = Sgd::new(1e-4);
    let momentum = sgd.momentum(0.9);
    match workload.as_str() {
        "S" => train(&device, &small(), [1, 28, 28], 10, batch, momentum),
        "M" => train(&device, &medium(), [3, 32, 32], 10, batch, momentum),
        "P" => train(&device, &plain(), [1, 28, 28], 10, batch, sgd),
        "R20" => train(&device, &resnet20(), [3, 32, 32], 10, batch, momentum),
        "R18" => train(&device, &resnet18(), [3, 224, 224], 1000, batch, momentum),
        "conv" | "conv-grad" => convolution(&device, batch, workload == "conv"),
        "gemm" | "gemm-grad" => product(&device, batch, workload == "gemm"),
        other => Err(format!("there is no workload `{other}`").into()),
    }
}

fn train(
    device: &Device,
    net: &Network,
    shape: [usize; 3],
    classes: usize,
    batch: usize,
    sgd: Sgd,
) -> Result<(), Box<dyn Error>> {
    let data = random_data(shape, classes, batch)?;
    let mut model = net.build(device, 42)?;
    let trainer = Trainer::new(sgd).batch_size(batch);
    let mut training = trainer.start(&mut model, &data)?;
    let mut run = |steps| -> wgrad::Result<f32> {
        for _ in 0..steps {
            training.step()?;
        }
        Ok(training.losses()?.last().copied().unwrap_or(f32::NAN))
    };
    worker::serve(|steps| run(steps).expect("a step"));
    Ok(())
}

fn convolution(device: &Device, batch: usize, forward: bool) -> Result<(), Box<dyn Error>> {
    let mut graph = Graph::new();
    let x = graph.input("x", [256, 28, 28]);
    let layer = Conv2d::new(256, 3).padding(1).bias(false);
    let y = graph.conv2d(x, layer);
    operator(device, graph, [x, y], batch, forward)
}

fn product(device: &Device, batch: usize, forward: bool) -> Result<(), Box<dyn Error>> {
    let mut graph = Graph::new();
    let x = graph.input("x", [4096]);
    let y = graph.linear(x, Linear::new(4096).bias(false));
    operator(device, graph, [x, y], batch, forward)
}

/// Repeats the forward pass from `x` to `y`, or both gradients for a given one of `y`.
fn operator(
    device: &Device,
    mut graph: Graph,
    [x, y]: [wgrad::graph::Var; 2],
    batch: usize,
    forward: bool,
) -> Result<(), Box<dyn Error>> {
    let shape = graph.shape(y).clone();
    let dy = graph.input("dy", shape);
    let weight = graph.find_parameter("weight").ok_or("no weights")?;
    let targets = match forward {
        true => vec![y],
        false => gradients_from(&mut graph, &[(y, dy)], &[x, weight])?,
    };
    let session = Session::new(device, &graph, &targets, SessionOptions::training(batch))?;
    for var in [x, dy, weight].into_iter().filter(|v| session.keeps(*v)) {
        let len = graph.type_of(var).logical_len(batch);
        let values = wgrad::init::sample_from(&StandardNormal, len, Seed(1), "values");
        session.set(var, &values)?;
    }
    worker::serve(|steps| {
        for _ in 0..steps {
            session.run().expect("a run");
        }
        session.wait().expect("the device");
        0.0
    });
    Ok(())
}
