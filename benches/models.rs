//! The models that benchmarks time, and random data to time them on.

use wgrad::data::Dataset;
use wgrad::graph::Network;
use wgrad::models::{self, Shortcut};
use wgrad::random::{Seed, StandardNormal};

/// Model S, 1×28×28: two convolutions with PReLU and pooling, two linear layers.
#[rustfmt::skip]
pub fn small() -> Network {
    let mut net = Network::input([1, 28, 28]);
    net.conv(32, 3).padding(1).prelu().max_pool(2)
       .conv(64, 3).padding(1).prelu().max_pool(2)
       .linear(128).shared_prelu()
       .linear(10);
    net
}

/// Model M, 3×32×32: six convolutions with batch normalisation and ReLU, VGG-like.
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

/// Model P, 1×28×28: three plain convolutions, the latter two strided. No pooling, normalisation
/// or learned slopes, so that every engine of the comparison can express it.
#[rustfmt::skip]
pub fn plain() -> Network {
    let mut net = Network::input([1, 28, 28]);
    net.conv(32, 3).padding(1).bias(false).relu()
       .conv(64, 3).padding(1).stride(2).bias(false).relu()
       .conv(128, 3).padding(1).stride(2).bias(false).relu()
       .global_mean_pool()
       .linear(10);
    net
}

/// Model R20, 3×32×32: ResNet-20 of He et al. 2016, section 4.2, for ten classes. Where the
/// shape changes, the shortcut is a 1×1 convolution (the paper's option B), as in the networks that
/// it is compared with.
pub fn resnet20() -> Network {
    models::resnet_cifar(3, Shortcut::Projection, [3, 32, 32], 10)
}

/// Model R18, 3×224×224: ResNet-18 of He et al. 2016, table 1, for a thousand classes.
pub fn resnet18() -> Network {
    models::resnet18([3, 224, 224], 1000)
}

/// Normal samples with labels that go round the classes.
///
/// # Errors
/// Those of [`Dataset::from_f32`].
pub fn random_data(shape: [usize; 3], classes: usize, samples: usize) -> wgrad::Result<Dataset> {
    let len = samples * shape.iter().product::<usize>();
    let values = wgrad::init::sample_from(&StandardNormal, len, Seed(1), "data");
    let labels = (0..samples).map(|i| (i % classes) as u32).collect();
    Ok(Dataset::from_f32(shape, values, labels, classes)?)
}
