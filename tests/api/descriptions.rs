//! A chain and a graph are two ways to say one thing.

use wgrad::data::Dataset;
use wgrad::graph::Network;
use wgrad::init::Init;
use wgrad::ops::{BatchNorm, Conv2d, Dropout, LeakyRelu, Linear, MaxPool2d, MeanPool2d, Prelu};
use wgrad::random::Seed;
use wgrad::train::{Model, Sgd, Trainer};

use super::{gpu, numbers};

fn chain() -> Network {
    let mut net = Network::input([3, 12, 10]);
    net.conv(6, [3, 5])
        .padding([1, 2])
        .bias(false)
        .batch_norm()
        .prelu()
        .max_pool(3)
        .stride(2)
        .padding(1)
        .conv(9, 3)
        .dilation(2)
        .padding(2)
        .groups(3)
        .init(Init::xavier_uniform())
        .leaky_relu(0.2)
        .mean_pool(2)
        .conv(7, 1)
        .name("last")
        .relu()
        .dropout(0.25)
        .linear(8)
        .sigmoid()
        .linear(6)
        .tanh()
        .linear(5)
        .bias(false);
    net
}

fn graph() -> Network {
    Network::from_graph([3, 12, 10], |g, x| {
        let x = g.conv2d(x, Conv2d::new(6, [3, 5]).padding([1, 2]).bias(false));
        let x = g.batch_norm(x, BatchNorm::new());
        let x = g.prelu(x, Prelu::per_channel());
        let x = g.max_pool2d(x, MaxPool2d::new(3).stride(2).padding(1));
        let grouped = Conv2d::new(9, 3)
            .dilation(2)
            .padding(2)
            .groups(3)
            .init(Init::xavier_uniform());
        let x = g.conv2d(x, grouped);
        let x = g.leaky_relu(x, LeakyRelu::new(0.2));
        let x = g.mean_pool2d(x, MeanPool2d::new(2));
        let x = g.conv2d(x, Conv2d::new(7, 1).name("last"));
        let x = g.relu(x);
        let x = g.dropout(x, Dropout::new(0.25));
        let x = g.flatten(x);
        let x = g.linear(x, Linear::new(8));
        let x = g.sigmoid(x);
        let x = g.linear(x, Linear::new(6));
        let x = g.tanh(x);
        g.linear(x, Linear::new(5).bias(false))
    })
}

fn all(model: &Model) -> Vec<(String, Vec<usize>, Vec<u32>)> {
    let read = |name: &str| {
        let values = model.parameter(name).unwrap();
        values.iter().map(|v| v.to_bits()).collect()
    };
    let parameters = model.parameters().iter();
    parameters
        .map(|p| (p.name.clone(), p.shape.to_vec(), read(&p.name)))
        .collect()
}

fn responses(model: &Model, samples: &[f32]) -> Vec<u32> {
    let answers = model.predict_batch(samples).unwrap();
    let values = answers.iter().flat_map(|a| a.values());
    values.map(|v| v.to_bits()).collect()
}

#[test]
fn both_have_the_same_names_weights_and_responses() {
    let Some(device) = gpu::device() else { return };
    let [mut a, mut b] = [chain(), graph()].map(|net| net.build(device, Seed(5)).unwrap());
    let names: Vec<&str> = a.parameters().iter().map(|p| p.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "conv1.weight",
            "bn1.weight",
            "bn1.bias",
            "bn1.running_mean",
            "bn1.running_var",
            "prelu1.weight",
            "conv2.weight",
            "conv2.bias",
            "last.weight",
            "last.bias",
            "linear1.weight",
            "linear1.bias",
            "linear2.weight",
            "linear2.bias",
            "linear3.weight",
        ]
    );
    assert_eq!(all(&a), all(&b));
    assert_eq!(a.parameter_count(), b.parameter_count());
    assert_eq!(a.output_shape()[..], [5]);
    let samples = numbers(3 * 12 * 10 * 9, 1);
    assert_eq!(responses(&a, &samples), responses(&b, &samples));

    // And they learn the same.
    let labels: Vec<u32> = (0..9).map(|i| i % 5).collect();
    let data = Dataset::from_f32([3, 12, 10], samples.clone(), labels, 5).unwrap();
    let trainer = Trainer::new(Sgd::new(0.1).momentum(0.9)).batch_size(4);
    for model in [&mut a, &mut b] {
        let mut training = trainer.start(model, &data).unwrap();
        for _ in 0..3 {
            training.step().unwrap();
        }
        training.losses().unwrap();
    }
    assert_eq!(all(&a), all(&b));
    let untrained = graph().build(device, Seed(5)).unwrap();
    assert_ne!(all(&a), all(&untrained));
}

#[test]
fn their_summaries_agree() {
    let (a, b) = (chain().summary().unwrap(), graph().summary().unwrap());
    assert_eq!(a, b);
    assert!(
        a.contains("last") && a.contains("learned parameters"),
        "{a}"
    );
}

/// A description is not used up: every model has weights of its own.
#[test]
fn one_description_makes_several_models() {
    let Some(device) = gpu::device() else { return };
    let net = chain();
    let mut first = net.build(device, Seed(1)).unwrap();
    let second = net.build(device, Seed(1)).unwrap();
    let before = all(&second);
    first.set_parameter("last.bias", &[1.0; 7]).unwrap();
    assert_eq!(all(&second), before);
    assert_ne!(all(&first), before);
}
