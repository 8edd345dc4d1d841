//! Residual networks (He, Zhang, Ren and Sun, "Deep residual learning for image recognition",
//! 2016): those of table 1 for ImageNet and those of section 4.2 for CIFAR.

use crate::graph::{Graph, Network, Var};
use crate::ops::{BatchNorm, Conv2d, Linear, MaxPool2d, MeanPool2d, ZeroPad};

/// Eighteen layers, for `[3, 224, 224]`; images of any size fit. Where the shape changes, the
/// shortcut is a projection (option B), as in torchvision.
pub fn resnet18(input: [usize; 3], classes: usize) -> Network {
    imagenet(basic, [2, 2, 2, 2], input, classes)
}

/// Thirty-four layers; otherwise as [`resnet18`].
pub fn resnet34(input: [usize; 3], classes: usize) -> Network {
    imagenet(basic, [3, 4, 6, 3], input, classes)
}

/// Fifty layers in bottleneck blocks; otherwise as [`resnet18`]. The 3×3 convolution of a block is
/// the one with a stride, as in torchvision ("ResNet v1.5"), not the first as in the paper.
pub fn resnet50(input: [usize; 3], classes: usize) -> Network {
    imagenet(bottleneck, [3, 4, 6, 3], input, classes)
}

/// Twenty layers, for `[3, 32, 32]`, with shortcuts without parameters (option A).
pub fn resnet20(input: [usize; 3], classes: usize) -> Network {
    resnet_cifar(3, Shortcut::Identity, input, classes)
}

/// Thirty-two layers; otherwise as [`resnet20`].
pub fn resnet32(input: [usize; 3], classes: usize) -> Network {
    resnet_cifar(5, Shortcut::Identity, input, classes)
}

/// Forty-four layers; otherwise as [`resnet20`].
pub fn resnet44(input: [usize; 3], classes: usize) -> Network {
    resnet_cifar(7, Shortcut::Identity, input, classes)
}

/// Fifty-six layers; otherwise as [`resnet20`].
pub fn resnet56(input: [usize; 3], classes: usize) -> Network {
    resnet_cifar(9, Shortcut::Identity, input, classes)
}

/// The shortcut around a block whose result has another shape than its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortcut {
    /// Every other pixel, and zeros for the further channels: the paper's option A.
    Identity,
    /// A 1×1 convolution with the stride, and batch normalisation: option B.
    Projection,
}

/// The paper's network for CIFAR with `6·blocks + 2` layers, for `[3, 32, 32]`: three stages of so
/// many blocks with 16, 32 and 64 channels.
pub fn resnet_cifar(
    blocks: usize,
    shortcut: Shortcut,
    input: [usize; 3],
    classes: usize,
) -> Network {
    Network::from_graph(input, |g, x| {
        let x = g.conv2d(x, conv(16, 3, 1).name("conv1"));
        let x = g.batch_norm(x, BatchNorm::new().name("bn1"));
        let x = g.relu(x);
        let x = stages(g, x, &[blocks; 3], 16, |g, x, size| {
            residual(g, x, size, shortcut, basic)
        });
        head(g, x, classes)
    })
}

/// The channels and the stride of a block.
#[derive(Clone, Copy)]
struct Size {
    channels: usize,
    stride: usize,
}

/// The layers of a block between its input and the sum.
type Body = fn(&mut Graph, Var, Size) -> Var;

fn imagenet(body: Body, blocks: [usize; 4], input: [usize; 3], classes: usize) -> Network {
    Network::from_graph(input, |g, x| {
        let x = g.conv2d(x, conv(64, 7, 2).name("conv1"));
        let x = g.batch_norm(x, BatchNorm::new().name("bn1"));
        let x = g.relu(x);
        let x = g.max_pool2d(x, MaxPool2d::new(3).stride(2).padding(1));
        let x = stages(g, x, &blocks, 64, |g, x, size| {
            residual(g, x, size, Shortcut::Projection, body)
        });
        head(g, x, classes)
    })
}

/// Stages of `blocks` blocks. From the second on, a stage halves the image and doubles the
/// channels.
fn stages(
    g: &mut Graph,
    mut x: Var,
    blocks: &[usize],
    mut channels: usize,
    block: impl Fn(&mut Graph, Var, Size) -> Var,
) -> Var {
    for (stage, &count) in (1..).zip(blocks) {
        for index in 0..count {
            let stride = if stage > 1 && index == 0 { 2 } else { 1 };
            let size = Size { channels, stride };
            x = g.scope(&format!("layer{stage}.{index}"), |g| block(g, x, size));
        }
        channels *= 2;
    }
    x
}

/// `ReLU(body(x) + shortcut(x))`.
fn residual(g: &mut Graph, x: Var, size: Size, shortcut: Shortcut, body: Body) -> Var {
    let y = body(g, x, size);
    let channels = g.shape(y)[0];
    let before = g.shape(x)[0];
    let x = match shortcut {
        _ if size.stride == 1 && before == channels => x,
        Shortcut::Identity => {
            // A mean over one pixel: the pixels on which the stride falls.
            let x = g.mean_pool2d(x, MeanPool2d::new(1).stride(size.stride));
            let more = channels.saturating_sub(before);
            g.zero_pad(x, ZeroPad::new(0).channels(more / 2, more - more / 2))
        }
        Shortcut::Projection => g.scope("downsample", |g| {
            let x = g.conv2d(x, conv(channels, 1, size.stride).name("0"));
            g.batch_norm(x, BatchNorm::new().name("1"))
        }),
    };
    let sum = g.add(y, x);
    g.relu(sum)
}

fn basic(g: &mut Graph, x: Var, Size { channels, stride }: Size) -> Var {
    let y = g.conv2d(x, conv(channels, 3, stride).name("conv1"));
    let y = g.batch_norm(y, BatchNorm::new().name("bn1"));
    let y = g.relu(y);
    let y = g.conv2d(y, conv(channels, 3, 1).name("conv2"));
    g.batch_norm(y, BatchNorm::new().name("bn2"))
}

fn bottleneck(g: &mut Graph, x: Var, Size { channels, stride }: Size) -> Var {
    let y = g.conv2d(x, conv(channels, 1, 1).name("conv1"));
    let y = g.batch_norm(y, BatchNorm::new().name("bn1"));
    let y = g.relu(y);
    let y = g.conv2d(y, conv(channels, 3, stride).name("conv2"));
    let y = g.batch_norm(y, BatchNorm::new().name("bn2"));
    let y = g.relu(y);
    let y = g.conv2d(y, conv(4 * channels, 1, 1).name("conv3"));
    g.batch_norm(y, BatchNorm::new().name("bn3"))
}

fn head(g: &mut Graph, x: Var, classes: usize) -> Var {
    let x = g.global_mean_pool(x);
    g.linear(x, Linear::new(classes).name("fc"))
}

/// Without bias, since normalisation follows; an odd kernel keeps the size but for the stride.
fn conv(channels: usize, kernel: usize, stride: usize) -> Conv2d {
    let conv = Conv2d::new(channels, kernel).stride(stride);
    conv.padding(kernel / 2).bias(false)
}
