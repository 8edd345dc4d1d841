//! SqueezeNet (Iandola et al. 2016): few channels before the 3×3 convolutions, no fully connected
//! layer.

use crate::graph::{Graph, Network, Var};
use crate::ops::{Conv2d, MaxPool2d};

/// Pooling.
const POOL: Option<usize> = None;

/// Version 1.0, the paper's, for `[3, 224, 224]`; images of 29×29 and more fit.
pub fn squeezenet1_0(input: [usize; 3], classes: usize) -> Network {
    let [a, b, c, d] = [16, 32, 48, 64].map(Some);
    let layers = [POOL, a, a, b, POOL, b, c, c, d, POOL, d];
    squeezenet(Conv2d::new(96, 7).stride(2), layers, input, classes)
}

/// Version 1.1, for `[3, 224, 224]`; images of 25×25 and more fit. It has the accuracy of 1.0 on
/// ImageNet at 2.4 times less computation, say the authors.
pub fn squeezenet1_1(input: [usize; 3], classes: usize) -> Network {
    let [a, b, c, d] = [16, 32, 48, 64].map(Some);
    let layers = [POOL, a, a, POOL, b, b, POOL, c, c, d, d];
    squeezenet(Conv2d::new(64, 3).stride(2), layers, input, classes)
}

/// The layers behind the first convolution: pooling, or a fire module with so many channels in its
/// middle.
fn squeezenet(
    stem: Conv2d,
    layers: [Option<usize>; 11],
    input: [usize; 3],
    classes: usize,
) -> Network {
    Network::from_graph(input, |g, x| {
        let x = g.conv2d(x, stem.name("features.0"));
        let mut x = g.relu(x);
        for (layer, squeeze) in (2..).zip(layers) {
            x = match squeeze {
                None => g.max_pool2d(x, MaxPool2d::new(3).stride(2).ceil_mode(true)),
                Some(squeeze) => g.scope(&format!("features.{layer}"), |g| fire(g, x, squeeze)),
            };
        }
        let x = g.dropout(x, 0.5);
        let x = g.conv2d(x, Conv2d::new(classes, 1).name("classifier.1"));
        let x = g.relu(x);
        g.global_mean_pool(x)
    })
}

/// To `squeeze` channels, and from there to eight times as many, half by 1×1 and half by 3×3
/// filters.
fn fire(g: &mut Graph, x: Var, squeeze: usize) -> Var {
    let x = g.conv2d(x, Conv2d::new(squeeze, 1).name("squeeze"));
    let x = g.relu(x);
    let expand = 4 * squeeze;
    let ones = g.conv2d(x, Conv2d::new(expand, 1).name("expand1x1"));
    let threes = Conv2d::new(expand, 3).padding(1);
    let threes = g.conv2d(x, threes.name("expand3x3"));
    // Rectifying both together is the same as each alone, in one dispatch.
    let both = g.concat(&[ones, threes]);
    g.relu(both)
}
