//! Ten steps of three networks against PyTorch's, from `tests/golden/training_*`.

use safetensors::{Dtype, SafeTensors};
use wgrad::data::Dataset;
use wgrad::graph::Network;
use wgrad::ops::{
    BatchNorm, Conv2d, LeakyRelu, Linear, MeanPool2d, MeanSquaredError, SoftmaxCrossEntropy,
};
use wgrad::train::{AdamW, Loss, Sgd, Trainer, UpdateRule};

use crate::reference::Tensor;
use crate::support::compare::{Tolerance, compare};
use crate::support::gpu::device;

/// PyTorch's own training in f32 ends within 2e-7 of these numbers; ours sums in another order.
const TOLERANCE: Tolerance = Tolerance::relative(1e-5);

/// A tensor of the file; PyTorch's numbers are f64, what it began with is f32 or i32.
pub fn read(file: &SafeTensors<'_>, name: &str) -> Tensor {
    let view = file.tensor(name).unwrap();
    let bytes = view.data();
    let data: Vec<f64> = match view.dtype() {
        Dtype::F64 => bytes
            .as_chunks()
            .0
            .iter()
            .map(|b| f64::from_le_bytes(*b))
            .collect(),
        Dtype::F32 => bytes
            .as_chunks()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b).into())
            .collect(),
        Dtype::I32 => bytes
            .as_chunks()
            .0
            .iter()
            .map(|b| i32::from_le_bytes(*b).into())
            .collect(),
        other => panic!("{name} holds {other:?}"),
    };
    Tensor::new(view.shape(), data)
}

/// The samples of all steps, one after the other, and the size of a step's batch.
fn data(file: &SafeTensors<'_>) -> (Dataset, usize) {
    let inputs = read(file, "inputs");
    let [steps, batch, sample @ ..] = &inputs.shape[..] else {
        panic!("inputs have the shape {:?}", inputs.shape)
    };
    assert_eq!(*steps, 10);
    let values = inputs.to_f32();
    let dataset = match file.tensor("labels").is_ok() {
        true => {
            let labels: Vec<u32> = read(file, "labels")
                .data
                .iter()
                .map(|&l| l as u32)
                .collect();
            let classes = 1 + *labels.iter().max().unwrap() as usize;
            Dataset::from_f32(sample, values, labels, classes)
        }
        false => {
            let targets = read(file, "targets");
            Dataset::regression(sample, values, &targets.shape[2..], targets.to_f32())
        }
    };
    (dataset.unwrap(), *batch)
}

fn check(what: &str, found: &[f32], expected: &Tensor) {
    if let Err(mismatch) = compare(found, &expected.data, TOLERANCE) {
        panic!("{what}: {mismatch}");
    }
}

fn replay(bytes: &[u8], net: &Network, rule: impl UpdateRule, loss: impl Into<Loss>) {
    let Some(device) = device() else { return };
    let file = SafeTensors::deserialize(bytes).unwrap();
    let (data, batch) = data(&file);
    let mut model = net.build(device, 0).unwrap();
    let initial = file
        .names()
        .into_iter()
        .filter_map(|name| name.strip_prefix("initial."));
    let mut names: Vec<&str> = initial.collect();
    for name in &names {
        let values = read(&file, &format!("initial.{name}")).to_f32();
        model.set_parameter(name, &values).unwrap();
    }
    names.sort_unstable();
    let mut known: Vec<&str> = model.parameters().iter().map(|p| p.name.as_str()).collect();
    known.sort_unstable();
    assert_eq!(known, names);

    let trainer = Trainer::new(rule)
        .loss(loss)
        .shuffle(false)
        .batch_size(batch);
    let mut training = trainer.start(&mut model, &data).unwrap();
    for _ in 0..10 {
        training.step().unwrap();
    }
    check(
        "losses",
        &training.losses().unwrap(),
        &read(&file, "losses"),
    );
    for name in names {
        let expected = read(&file, &format!("final.{name}"));
        check(name, &model.parameter(name).unwrap(), &expected);
    }
}

#[test]
fn ten_steps_of_plain() {
    let mut net = Network::input([1, 8, 8]);
    net.conv(8, 3)
        .padding(1)
        .prelu()
        .max_pool(2)
        .conv(12, 3)
        .padding(1)
        .prelu()
        .max_pool(2)
        .linear(16)
        .shared_prelu()
        .linear(10);
    replay(
        include_bytes!("../golden/training_plain.safetensors"),
        &net,
        Sgd::new(0.05).momentum(0.9).weight_decay(1e-3),
        SoftmaxCrossEntropy::new(),
    );
}

#[test]
fn ten_steps_of_batchnorm() {
    let net = Network::from_graph([3, 9, 7], |g, x| {
        let conv1 = Conv2d::new(10, [5, 3])
            .stride(2)
            .padding([2, 1])
            .bias(false);
        let conv2 = Conv2d::new(10, 3).groups(5).dilation(2).padding(2);
        let pool = MeanPool2d::new(2)
            .padding([0, 1])
            .ceil_mode(true)
            .count_include_pad(false);
        let x = g.conv2d(x, conv1);
        let x = g.batch_norm(x, BatchNorm::new());
        let x = g.relu(x);
        let x = g.conv2d(x, conv2);
        let x = g.batch_norm(x, BatchNorm::new());
        let x = g.leaky_relu(x, LeakyRelu::new(0.1));
        let x = g.mean_pool2d(x, pool);
        let x = g.flatten(x);
        g.linear(x, Linear::new(5))
    });
    let rule = Sgd::new(0.05).momentum(0.9).nesterov(true);
    replay(
        include_bytes!("../golden/training_batchnorm.safetensors"),
        &net,
        rule.weight_decay(1e-3),
        SoftmaxCrossEntropy::new(),
    );
}

#[test]
fn ten_steps_of_residual() {
    let net = Network::from_graph([4, 6, 6], |g, x| {
        let x = g.conv2d(x, Conv2d::new(8, 3).padding(1));
        let x = g.tanh(x);
        let branch = g.conv2d(x, Conv2d::new(8, 1));
        let sum = g.add(branch, x);
        let x = g.relu(sum);
        let depthwise = g.conv2d(x, Conv2d::new(8, 3).padding(1).groups(8));
        let x = g.concat(&[x, depthwise]);
        let x = g.global_mean_pool(x);
        let x = g.flatten(x);
        g.linear(x, Linear::new(4))
    });
    replay(
        include_bytes!("../golden/training_residual.safetensors"),
        &net,
        AdamW::new(0.01).weight_decay(0.01),
        MeanSquaredError::new(),
    );
}
