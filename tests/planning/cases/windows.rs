//! Convolution and pooling.

use wgrad::ops::max_pool2d::MaxPool2d;
use wgrad::ops::mean_pool2d::MeanPool2d;
use wgrad::ops::{Conv2d, ConvTranspose2d, LocalResponseNorm, Upsample};

use super::{Cases, over_images};

/// A convolution, in the order in which papers describe it.
struct Convolution {
    batch: usize,
    input: [usize; 3],
    output: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    groups: usize,
}

impl Convolution {
    const fn new(batch: usize, input: [usize; 3], output: usize, kernel: usize) -> Self {
        Self {
            batch,
            input,
            output,
            kernel: [kernel; 2],
            stride: [1; 2],
            padding: [kernel / 2; 2],
            dilation: [1; 2],
            groups: 1,
        }
    }

    const fn stride(self, stride: usize) -> Self {
        Self {
            stride: [stride; 2],
            ..self
        }
    }

    const fn groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    fn layer(&self) -> Conv2d {
        Conv2d::new(self.output, self.kernel)
            .stride(self.stride)
            .padding(self.padding)
            .dilation(self.dilation)
            .groups(self.groups)
    }

    /// Other numbers on both axes.
    const fn uneven(self) -> Self {
        Self {
            kernel: [3, 2],
            stride: [2, 3],
            padding: [1, 0],
            dilation: [2, 1],
            ..self
        }
    }
}

/// Layers of well-known networks, and odd ones.
#[rustfmt::skip]
const CONVOLUTIONS: &[Convolution] = &[
    Convolution::new(1, [1, 1, 1], 1, 1),
    Convolution::new(1, [3, 9, 7], 5, 3),
    Convolution::new(2, [5, 9, 7], 13, 3).uneven(),
    Convolution::new(64, [1, 28, 28], 32, 5),                 // LeNet
    Convolution::new(32, [32, 14, 14], 64, 3),
    Convolution::new(128, [96, 27, 27], 256, 5),              // AlexNet
    Convolution::new(32, [64, 56, 56], 64, 3),                // VGG, ResNet
    Convolution::new(32, [3, 224, 224], 64, 7).stride(2),
    Convolution::new(32, [64, 56, 56], 128, 3).stride(2),
    Convolution::new(32, [512, 7, 7], 512, 3),
    Convolution::new(8, [256, 14, 14], 1024, 1),
    Convolution::new(8, [256, 14, 14], 512, 1).stride(2),
    Convolution::new(2, [3, 5, 5], 7, 1),
    Convolution::new(2, [6, 9, 9], 9, 3).groups(3),
    Convolution::new(2, [6, 9, 9], 9, 3).groups(3).uneven(),
    Convolution::new(32, [128, 28, 28], 128, 3).groups(32),   // ResNeXt
    Convolution::new(32, [128, 28, 28], 128, 3).groups(8).stride(2),
    Convolution::new(2, [13, 7, 7], 26, 3).groups(13),        // multiplier 2
    Convolution::new(2, [13, 12, 12], 13, 5).groups(13),
    Convolution::new(2, [13, 12, 12], 13, 5).groups(13).uneven(),
    Convolution::new(32, [32, 112, 112], 32, 3).groups(32),   // MobileNet
    Convolution::new(32, [144, 56, 56], 144, 3).groups(144).stride(2),
];

pub fn conv2d(cases: &mut Cases) {
    for c in CONVOLUTIONS {
        for bias in [true, false] {
            cases.add(c.batch, |graph| {
                let x = graph.input("x", c.input);
                graph.conv2d(x, c.layer().bias(bias))
            });
        }
    }
}

/// The convolutions' transposes: from their results to their inputs.
pub fn conv_transpose2d(cases: &mut Cases) {
    for c in CONVOLUTIONS {
        for bias in [true, false] {
            let image = {
                let mut graph = wgrad::graph::Graph::new();
                let x = graph.input("x", c.input);
                let y = graph.conv2d(x, c.layer());
                graph.shape(y).clone()
            };
            cases.add(c.batch, |graph| {
                let x = graph.input("x", image);
                let layer = ConvTranspose2d::new(c.input[0], c.kernel)
                    .stride(c.stride)
                    .padding(c.padding)
                    .dilation(c.dilation)
                    .groups(c.groups)
                    .bias(bias);
                graph.conv_transpose2d(x, layer)
            });
        }
    }
}

pub fn adaptive_max_pool2d(cases: &mut Cases) {
    over_images(cases, |graph, x| graph.adaptive_max_pool2d(x, [3, 2]));
    over_images(cases, |graph, x| graph.global_max_pool(x));
    over_images(cases, |graph, x| {
        graph.spatial_pyramid_pool(x, &[6, 3, 2, 1])
    });
}

pub fn adaptive_mean_pool2d(cases: &mut Cases) {
    over_images(cases, |graph, x| graph.adaptive_mean_pool2d(x, [3, 2]));
    over_images(cases, |graph, x| graph.adaptive_mean_pool2d(x, 1));
}

pub fn global_mean_pool(cases: &mut Cases) {
    over_images(cases, |graph, x| graph.global_mean_pool(x));
    cases.add(2, |graph| {
        let x = graph.input("x", [3, 500, 500]);
        graph.global_mean_pool(x)
    });
}

pub fn local_response_norm(cases: &mut Cases) {
    for size in [1, 4, 5] {
        over_images(cases, |graph, x| {
            graph.local_response_norm(x, LocalResponseNorm::new(size))
        });
        over_images(cases, |graph, x| {
            graph.local_response_norm(x, LocalResponseNorm::new(size).within_channels())
        });
    }
}

pub fn max_pool2d(cases: &mut Cases) {
    let pools = [
        MaxPool2d::new(1),
        MaxPool2d::new(2).ceil_mode(true),
        MaxPool2d::new(3).stride(2).padding(1),
        MaxPool2d::new([2, 3]).stride([3, 1]).padding([1, 0]),
        // Places that do not fit into a byte.
        MaxPool2d::new([19, 17]).stride([1, 2]).padding([9, 8]),
    ];
    for pool in pools {
        for (batch, shape) in [(2, [13, 8, 8]), (1, [1, 3, 4]), (32, [64, 112, 112])] {
            cases.add(batch, |graph| {
                let x = graph.input("x", shape);
                graph.max_pool2d(x, pool)
            });
        }
    }
}

pub fn mean_pool2d(cases: &mut Cases) {
    let pools = [
        MeanPool2d::new(1),
        MeanPool2d::new(2).ceil_mode(true),
        MeanPool2d::new(3).stride(2).padding(1),
        MeanPool2d::new([2, 3]).stride([3, 1]).padding([1, 0]),
    ];
    for pool in pools {
        for count_include_pad in [true, false] {
            for (batch, shape) in [(2, [13, 8, 8]), (1, [1, 3, 4]), (32, [64, 112, 112])] {
                cases.add(batch, |graph| {
                    let x = graph.input("x", shape);
                    graph.mean_pool2d(x, pool.count_include_pad(count_include_pad))
                });
            }
        }
    }
}

pub fn upsample(cases: &mut Cases) {
    let all = [
        Upsample::nearest(2),
        Upsample::nearest_to([5, 3]),
        Upsample::bilinear([1, 3]),
        Upsample::bilinear_to([9, 1]),
        Upsample::bilinear([2, 1]).align_corners(true),
        Upsample::bilinear_to([1, 9]).align_corners(true),
    ];
    for upsample in all {
        for (batch, shape) in [(2, [13, 8, 8]), (1, [1, 1, 1]), (32, [64, 56, 56])] {
            cases.add(batch, |graph| {
                let x = graph.input("x", shape);
                graph.upsample(x, upsample)
            });
        }
    }
}
