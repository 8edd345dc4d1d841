//! SqueezeNet (Iandola et al. 2016): few channels before the 3×3 convolutions, no fully connected
//! layer.

use crate::graph::{Graph, Network, Var};
use crate::ops::{Conv2d, MaxPool2d};

/// Version 1.0, the paper's, for `[3, 224, 224]`; images of 29×29 and more fit.
pub fn squeezenet1_0(input: [usize; 3], classes: usize) -> Network {
    Network::from_graph(input, |g, x| {
        let stem = Conv2d::new(96, 7).stride(2);
        let x = g.conv2d(x, stem.name("features.0"));
        let mut x = g.relu(x);
        for (layer, squeeze) in [
            (2, None),
            (3, Some(16)),
            (4, Some(16)),
            (5, Some(32)),
            (6, None),
            (7, Some(32)),
            (8, Some(48)),
            (9, Some(48)),
            (10, Some(64)),
            (11, None),
            (12, Some(64)),
        ] {
            x = pool_or_fire(g, x, layer, squeeze);
        }
        head(g, x, classes)
    })
}

/// Version 1.1, for `[3, 224, 224]`; images of 25×25 and more fit: as good as 1.0 on ImageNet at
/// 2.4 times less computation, says the authors' repository.
pub fn squeezenet1_1(input: [usize; 3], classes: usize) -> Network {
    Network::from_graph(input, |g, x| {
        let stem = Conv2d::new(64, 3).stride(2);
        let x = g.conv2d(x, stem.name("features.0"));
        let mut x = g.relu(x);
        for (layer, squeeze) in [
            (2, None),
            (3, Some(16)),
            (4, Some(16)),
            (5, None),
            (6, Some(32)),
            (7, Some(32)),
            (8, None),
            (9, Some(48)),
            (10, Some(48)),
            (11, Some(64)),
            (12, Some(64)),
        ] {
            x = pool_or_fire(g, x, layer, squeeze);
        }
        head(g, x, classes)
    })
}

/// The fire module `features.<layer>` with so many channels in its middle and eight times as many
/// in its result; without a number, pooling.
fn pool_or_fire(g: &mut Graph, x: Var, layer: usize, squeeze: Option<usize>) -> Var {
    let Some(squeeze) = squeeze else {
        return g.max_pool2d(x, MaxPool2d::new(3).stride(2).ceil_mode(true));
    };
    g.scope(&format!("features.{layer}"), |g| {
        let x = g.conv2d(x, Conv2d::new(squeeze, 1).name("squeeze"));
        let x = g.relu(x);
        let expand = 4 * squeeze;
        let ones = g.conv2d(x, Conv2d::new(expand, 1).name("expand1x1"));
        let threes = Conv2d::new(expand, 3).padding(1);
        let threes = g.conv2d(x, threes.name("expand3x3"));
        // A rectifier of both together is the same as one of each, and one dispatch.
        let both = g.concat(&[ones, threes]);
        g.relu(both)
    })
}

fn head(g: &mut Graph, x: Var, classes: usize) -> Var {
    let x = g.dropout(x, 0.5);
    let x = g.conv2d(x, Conv2d::new(classes, 1).name("classifier.1"));
    let x = g.relu(x);
    g.global_mean_pool(x)
}
