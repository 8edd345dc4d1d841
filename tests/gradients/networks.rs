//! Networks of the usual kinds, small enough to differentiate by every one of their numbers.

use super::check::Case;
use super::described::Layer::*;
use super::described::{Conv as ConvAttributes, Pool, conv, pool};
use super::losses::{CROSS_ENTROPY, SQUARED_ERROR};
use super::reference::unary::Unary as Function;
use super::support::gpu;

/// Convolution, PReLU, maximum, linear: odd channels, and a flattened image, whose order on the
/// device is not PyTorch's.
#[test]
fn a_plain_network() {
    let Some(device) = gpu::device() else { return };
    let case = Case {
        input: vec![3, 7, 6],
        batch: 3,
        layers: vec![
            Conv(conv(5, 3)),
            Prelu,
            MaxPool(Pool {
                kernel: 3,
                stride: 2,
                padding: 1,
            }),
            Conv(conv(6, 3)),
            Prelu,
            MaxPool(pool(2)),
            Flatten,
            Linear(7),
            SharedPrelu,
            Linear(4),
        ],
        loss: CROSS_ENTROPY,
    };
    assert_eq!(case.check(device, 1), Some(0), "no gradient vanishes");
}

#[test]
fn a_normalised_network() {
    let Some(device) = gpu::device() else { return };
    let no_bias = |outputs, stride| ConvAttributes {
        stride,
        bias: false,
        ..conv(outputs, 3)
    };
    let case = Case {
        input: vec![2, 8, 8],
        batch: 4,
        layers: vec![
            Conv(no_bias(5, 1)),
            BatchNorm,
            LeakyRelu(0.1),
            MeanPool(pool(2)),
            Conv(no_bias(6, 2)),
            BatchNorm,
            LeakyRelu(0.2),
            GlobalMeanPool,
            Linear(5),
        ],
        loss: CROSS_ENTROPY,
    };
    assert_eq!(case.check(device, 1), Some(0), "no gradient vanishes");
}

/// Groups, layers and instances, with parameters per channel and per element.
#[test]
fn a_network_normalised_by_sample() {
    let Some(device) = gpu::device() else { return };
    let no_bias = |outputs| ConvAttributes {
        bias: false,
        ..conv(outputs, 3)
    };
    let case = Case {
        input: vec![2, 6, 5],
        batch: 2,
        layers: vec![
            Conv(no_bias(6)),
            GroupNorm(2),
            LeakyRelu(0.1),
            Conv(no_bias(5)),
            InstanceNorm,
            Tanh,
            SampleNorm,
            MeanPool(pool(2)),
            Flatten,
            Linear(7),
            SampleNorm,
            Sigmoid,
            Linear(4),
        ],
        loss: CROSS_ENTROPY,
    };
    assert_eq!(case.check(device, 1), Some(0), "no gradient vanishes");
}

/// Padding, slices and other sizes, as in an autoencoder, and responses normalised locally.
#[test]
fn a_network_that_changes_sizes() {
    let Some(device) = gpu::device() else { return };
    let case = Case {
        input: vec![2, 5, 4],
        batch: 2,
        layers: vec![
            ZeroPad,
            Conv(conv(5, 3)),
            LocalResponseNorm(3),
            MeanPool(pool(2)),
            Conv(conv(4, 1)),
            Tanh,
            Upsample([5, 6]),
            Slice,
            Conv(conv(2, 3)),
        ],
        loss: SQUARED_ERROR,
    };
    assert_eq!(case.check(device, 1), Some(0), "no gradient vanishes");
}

/// Values with several readers, whose δ are sums; branches of different depth and kind.
#[test]
fn a_network_with_branches() {
    let Some(device) = gpu::device() else { return };
    let grouped = ConvAttributes {
        groups: 2,
        ..conv(6, 3)
    };
    let depthwise = ConvAttributes {
        groups: 6,
        ..conv(6, 3)
    };
    let dilated = ConvAttributes {
        dilation: 2,
        padding: 2,
        ..conv(3, 3)
    };
    let inner = vec![Conv(depthwise), Tanh];
    let case = Case {
        input: vec![3, 6, 5],
        batch: 2,
        layers: vec![
            Conv(conv(6, 1)),
            Residual(vec![Conv(grouped), Sigmoid, Residual(inner)]),
            Concat(vec![
                vec![Conv(dilated), Tanh],
                vec![
                    MeanPool(Pool {
                        kernel: 3,
                        stride: 1,
                        padding: 1,
                    }),
                    Conv(conv(5, 1)),
                ],
                vec![],
            ]),
            Relu,
            Conv(ConvAttributes {
                stride: 2,
                ..conv(3, 3)
            }),
        ],
        loss: SQUARED_ERROR,
    };
    assert_eq!(case.check(device, 1), Some(0), "no gradient vanishes");
}

/// An image that shrinks and grows, then features of several resolutions.
#[test]
fn a_network_that_enlarges_and_a_pyramid() {
    let Some(device) = gpu::device() else { return };
    let enlarging = ConvAttributes {
        stride: 2,
        groups: 2,
        ..conv(6, 3)
    };
    let case = Case {
        input: vec![3, 6, 5],
        batch: 2,
        layers: vec![
            Conv(conv(4, 3)),
            Tanh,
            AdaptiveMeanPool([4, 3]),
            ConvTranspose(enlarging),
            Tanh,
            SpatialPyramid(vec![3, 2, 1]),
            Linear(3),
        ],
        loss: CROSS_ENTROPY,
    };
    assert_eq!(case.check(device, 1), Some(0), "no gradient vanishes");
}

/// A network without images: the features' path through every operator that takes them.
#[test]
fn a_network_of_features() {
    let Some(device) = gpu::device() else { return };
    let case = Case {
        input: vec![5],
        batch: 6,
        layers: vec![
            Linear(7),
            Sigmoid,
            BatchNorm,
            Prelu,
            Residual(vec![Linear(7), Tanh]),
            Concat(vec![vec![Linear(3), Sigmoid], vec![LeakyRelu(0.3)]]),
            Linear(3),
        ],
        loss: SQUARED_ERROR,
    };
    assert_eq!(case.check(device, 1), Some(0), "no gradient vanishes");
}

/// Activations with exponentials; a gate, which is a product of two branches; channels that compete
/// in a softmax, and a scale and shift after it.
#[test]
fn a_network_of_smooth_activations() {
    let Some(device) = gpu::device() else { return };
    let case = Case {
        input: vec![3, 6, 5],
        batch: 2,
        layers: vec![
            Conv(conv(6, 3)),
            Unary(Function::Selu),
            Gate(vec![Conv(conv(6, 1)), Sigmoid]),
            Conv(conv(5, 3)),
            Unary(Function::Gelu),
            ScaleShift,
            Conv(conv(6, 1)),
            Softmax,
            ScaleShift,
            Conv(conv(4, 3)),
            Unary(Function::Mish),
            GlobalMeanPool,
            Linear(5),
            LogSoftmax,
        ],
        loss: SQUARED_ERROR,
    };
    assert_eq!(case.check(device, 1), Some(0), "no gradient vanishes");
}
