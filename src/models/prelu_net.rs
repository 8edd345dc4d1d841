//! The networks of He, Zhang, Ren and Sun, "Delving deep into rectifiers: surpassing human-level
//! performance on ImageNet classification", 2015: PReLU with a slope per channel, and spatial
//! pyramid pooling, which takes images of any size.

use crate::graph::Network;

/// The fourteen layers of table 1, for `[3, 224, 224]`. Pairs of 2×2 convolutions are padded by 0
/// and 1 in turn, which keeps the 36×36 and 18×18 of the paper: the table does not tell.
pub fn prelu_net14(input: [usize; 3], classes: usize) -> Network {
    let mut net = Network::input(input);
    net.conv(64, 7).stride(2).prelu().max_pool(3);
    for layer in 0..4 {
        net.conv(128, 2).padding(layer % 2).prelu();
    }
    net.max_pool(2);
    for layer in 0..6 {
        net.conv(256, 2).padding(layer % 2).prelu();
    }
    head(&mut net, [6, 3, 2, 1], classes);
    net
}

/// Model A of table 3: nineteen layers, for `[3, 224, 224]`.
pub fn prelu_net_a(input: [usize; 3], classes: usize) -> Network {
    large(5, [256, 512, 512], input, classes)
}

/// Model B of table 3: A with a convolution more in each stage, twenty-two layers.
pub fn prelu_net_b(input: [usize; 3], classes: usize) -> Network {
    large(6, [256, 512, 512], input, classes)
}

/// Model C of table 3: B with more channels.
pub fn prelu_net_c(input: [usize; 3], classes: usize) -> Network {
    large(6, [384, 768, 896], input, classes)
}

/// Three stages of `depth` 3×3 convolutions.
fn large(depth: usize, stages: [usize; 3], input: [usize; 3], classes: usize) -> Network {
    let mut net = Network::input(input);
    net.conv(96, 7).stride(2).padding(3).prelu();
    for channels in stages {
        net.max_pool(2);
        for _ in 0..depth {
            net.conv(channels, 3).padding(1).prelu();
        }
    }
    head(&mut net, [7, 3, 2, 1], classes);
    net
}

fn head(net: &mut Network, levels: [usize; 4], classes: usize) {
    net.spatial_pyramid_pool(levels);
    for _ in 0..2 {
        net.linear(4096).prelu().dropout(0.5);
    }
    net.linear(classes);
}
