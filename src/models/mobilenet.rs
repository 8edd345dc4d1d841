//! MobileNets: depthwise convolutions for the window, 1×1 convolutions for the channels.

use crate::graph::{Graph, Network, Var};
use crate::ops::{BatchNorm, Conv2d, Linear};

/// MobileNet (Howard et al. 2017), for `[3, 224, 224]`; images of any size fit.
pub fn mobilenet_v1(input: [usize; 3], classes: usize) -> Network {
    mobilenet_v1_with_width(input, classes, 1.0)
}

/// [`mobilenet_v1`] with `width` times the channels everywhere (the paper's α: 0.25, 0.5, 0.75), but
/// at least eight.
pub fn mobilenet_v1_with_width(input: [usize; 3], classes: usize, width: f64) -> Network {
    /// Channels and stride of the separable convolutions, from table 1 of the paper.
    const BLOCKS: [(usize, usize); 13] = [
        (64, 1),
        (128, 2),
        (128, 1),
        (256, 2),
        (256, 1),
        (512, 2),
        (512, 1),
        (512, 1),
        (512, 1),
        (512, 1),
        (512, 1),
        (1024, 2),
        (1024, 1),
    ];
    Network::from_graph(input, |g, x| {
        let width = checked(g, width);
        let wide = |channels: usize| ((channels as f64 * width) as usize).max(8);
        let stem = Conv2d::new(wide(32), 3).stride(2).padding(1);
        let mut x = rectified(g, x, "features.0", stem, Graph::relu);
        for (block, (channels, stride)) in (1..).zip(BLOCKS) {
            let name = format!("features.{block}");
            x = g.scope(&name, |g| {
                let x = rectified(g, x, "0", depthwise(g, x, stride), Graph::relu);
                rectified(g, x, "1", Conv2d::new(wide(channels), 1), Graph::relu)
            });
        }
        let x = g.global_mean_pool(x);
        g.linear(x, Linear::new(classes).name("classifier"))
    })
}

/// MobileNetV2 (Sandler et al. 2018), for `[3, 224, 224]`; images of any size fit.
pub fn mobilenet_v2(input: [usize; 3], classes: usize) -> Network {
    mobilenet_v2_with_width(input, classes, 1.0)
}

/// [`mobilenet_v2`] with `width` times the channels, rounded to multiples of eight as in
/// torchvision. The last convolution keeps at least its 1280.
pub fn mobilenet_v2_with_width(input: [usize; 3], classes: usize, width: f64) -> Network {
    /// Expansion, channels, blocks, and stride of the first of them: table 2 of the paper.
    const GROUPS: [(usize, usize, usize, usize); 7] = [
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ];
    Network::from_graph(input, |g, x| {
        let width = checked(g, width);
        let stem = Conv2d::new(in_eights(32.0 * width), 3).stride(2).padding(1);
        let mut x = rectified(g, x, "features.0", stem, Graph::relu6);
        let mut layer = 1;
        for (expansion, channels, count, first) in GROUPS {
            let channels = in_eights(channels as f64 * width);
            for block in 0..count {
                let stride = if block == 0 { first } else { 1 };
                let name = format!("features.{layer}.conv");
                x = g.scope(&name, |g| inverted(g, x, expansion, channels, stride));
                layer += 1;
            }
        }
        let last = Conv2d::new(in_eights(1280.0 * width.max(1.0)), 1);
        let x = rectified(g, x, &format!("features.{layer}"), last, Graph::relu6);
        let x = g.global_mean_pool(x);
        let x = g.dropout(x, 0.2);
        g.linear(x, Linear::new(classes).name("classifier.1"))
    })
}

/// The inverted residual: to more channels, depthwise, back to few, with a shortcut where the shape
/// stays.
fn inverted(g: &mut Graph, x: Var, expansion: usize, channels: usize, stride: usize) -> Var {
    let before = g.shape(x)[0];
    let mut names = ["0", "1", "2", "3"].into_iter();
    let mut next = || names.next().unwrap_or_default();
    let mut y = x;
    if expansion > 1 {
        let wider = Conv2d::new(expansion * before, 1);
        y = rectified(g, y, next(), wider, Graph::relu6);
    }
    y = rectified(g, y, next(), depthwise(g, y, stride), Graph::relu6);
    y = g.conv2d(y, Conv2d::new(channels, 1).bias(false).name(next()));
    y = g.batch_norm(y, BatchNorm::new().name(next()));
    match stride == 1 && before == channels {
        true => g.add(x, y),
        false => y,
    }
}

/// A filter of 3×3 for each channel.
fn depthwise(g: &Graph, x: Var, stride: usize) -> Conv2d {
    let channels = g.shape(x)[0];
    let conv = Conv2d::new(channels, 3).stride(stride).padding(1);
    conv.groups(channels)
}

/// Convolution `<name>.0`, normalisation `<name>.1`, rectifier.
fn rectified(
    g: &mut Graph,
    x: Var,
    name: &str,
    conv: Conv2d,
    rectifier: fn(&mut Graph, Var) -> Var,
) -> Var {
    let y = g.conv2d(x, conv.bias(false).name(format!("{name}.0")));
    let y = g.batch_norm(y, BatchNorm::new().name(format!("{name}.1")));
    rectifier(g, y)
}

/// The nearest multiple of eight, not below eight nor below 90 % of `channels`.
fn in_eights(channels: f64) -> usize {
    let nearest = ((channels + 4.0) as usize / 8 * 8).max(8);
    match (nearest as f64) < 0.9 * channels {
        true => nearest + 8,
        false => nearest,
    }
}

/// The width if it can be used; otherwise an error of the graph.
fn checked(g: &mut Graph, width: f64) -> f64 {
    if width > 0.0 && width <= 16.0 {
        return width;
    }
    let reason = format!("the width must lie in (0, 16], it is {width}");
    g.fail_at("features", "mobilenet", reason);
    1.0
}
