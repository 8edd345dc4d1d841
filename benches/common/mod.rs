//! The models that are timed, and random data to time them on.

use wgrad::data::Dataset;
use wgrad::graph::Network;
use wgrad::random::{Seed, StandardNormal};

/// Model S: 28×28×1, two convolutions with PReLU and pooling, two linear layers.
#[rustfmt::skip]
pub fn small() -> Network {
    let mut net = Network::input([1, 28, 28]);
    net.conv(32, 3).padding(1).prelu().max_pool(2)
       .conv(64, 3).padding(1).prelu().max_pool(2)
       .linear(128).shared_prelu()
       .linear(10);
    net
}

/// Model M: VGG-like on 3×32×32, six convolutions with batch normalisation and ReLU.
pub fn medium() -> Network {
    let mut net = Network::input([3, 32, 32]);
    for channels in [64, 128, 256] {
        for _ in 0..2 {
            net.conv(channels, 3).padding(1).batch_norm().relu();
        }
        net.max_pool(2);
    }
    net.linear(10);
    net
}

/// Normal samples with labels that go round the ten classes.
pub fn random_data(shape: [usize; 3], samples: usize) -> Dataset {
    let len = samples * shape.iter().product::<usize>();
    let values = wgrad::init::sample_from(&StandardNormal, len, Seed(1), "data");
    let labels = (0..samples as u32).map(|i| i % 10).collect();
    Dataset::from_f32(shape, values, labels, 10).expect("the data are well formed")
}
