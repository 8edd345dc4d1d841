//! The layers that a chain is made of.

use super::{Graph, Var};
use crate::ops::{
    BatchNorm, Celu, ChannelDropout, Conv2d, ConvTranspose2d, Dropout, Elu, Gelu, GroupNorm,
    InstanceNorm, LayerNorm, LeakyRelu, Linear, LocalResponseNorm, MaxPool2d, MeanPool2d, Prelu,
    Rrelu, Slice, Softplus, Upsample, ZeroPad,
};
use crate::shape::{Shape, Size2d};

/// A layer of a chain.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Layer {
    /// Convolution.
    Conv2d(Conv2d),
    /// Transposed convolution.
    ConvTranspose2d(ConvTranspose2d),
    /// Fully connected; flattens its input.
    Linear(Linear),
    /// Maximum over windows.
    MaxPool2d(MaxPool2d),
    /// Mean over windows.
    MeanPool2d(MeanPool2d),
    /// Maximum over so many rows and columns of bins.
    AdaptiveMaxPool2d(Size2d),
    /// Mean over so many rows and columns of bins.
    AdaptiveMeanPool2d(Size2d),
    /// Maximum over the whole image.
    GlobalMaxPool,
    /// Mean over the whole image.
    GlobalMeanPool,
    /// Maxima over the bins of every level of a pyramid, as features.
    SpatialPyramidPool(Vec<usize>),
    /// Rectifier.
    Relu,
    /// Rectifier with a fixed slope.
    LeakyRelu(LeakyRelu),
    /// Rectifier with learned slopes.
    Prelu(Prelu),
    /// Rectifier with random slopes.
    Rrelu(Rrelu),
    /// Exponential linear unit.
    Elu(Elu),
    /// Continuously differentiable exponential linear unit.
    Celu(Celu),
    /// Scaled exponential linear unit.
    Selu,
    /// Smooth rectifier.
    Softplus(Softplus),
    /// Sigmoid-weighted linear unit.
    Silu,
    /// Gaussian error linear unit.
    Gelu(Gelu),
    /// `x·tanh(ln(1 + eˣ))`.
    Mish,
    /// Rectifier with a ceiling of 6.
    Relu6,
    /// `x` times its hard-sigmoid.
    HardSwish,
    /// Logistic function.
    Sigmoid,
    /// Logistic function of three straight lines.
    HardSigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// Softmax over the channels.
    Softmax,
    /// Logarithm of softmax over the channels.
    LogSoftmax,
    /// A learned factor and summand for each channel.
    ScaleShift,
    /// Batch normalisation.
    BatchNorm(BatchNorm),
    /// Group normalisation.
    GroupNorm(GroupNorm),
    /// Layer normalisation.
    LayerNorm(LayerNorm),
    /// Instance normalisation.
    InstanceNorm(InstanceNorm),
    /// Local response normalisation.
    LocalResponseNorm(LocalResponseNorm),
    /// Zeros around the image.
    ZeroPad(ZeroPad),
    /// Some channels, rows and columns.
    Slice(Slice),
    /// Another size of the image.
    Upsample(Upsample),
    /// Dropout.
    Dropout(Dropout),
    /// Dropout of whole channels.
    ChannelDropout(ChannelDropout),
    /// `[C, H, W]` to `[C·H·W]`.
    Flatten,
    /// Another shape of as many elements.
    Reshape(Shape),
}

impl Layer {
    /// Adds the layer to a graph.
    pub(super) fn apply(&self, graph: &mut Graph, x: Var) -> Var {
        match self {
            Self::Conv2d(layer) => graph.conv2d(x, layer.clone()),
            Self::ConvTranspose2d(layer) => graph.conv_transpose2d(x, layer.clone()),
            Self::Linear(layer) => {
                let flat = match graph.shape(x).len() {
                    1 => x,
                    _ => graph.flatten(x),
                };
                graph.linear(flat, layer.clone())
            }
            Self::MaxPool2d(layer) => graph.max_pool2d(x, *layer),
            Self::MeanPool2d(layer) => graph.mean_pool2d(x, *layer),
            Self::AdaptiveMaxPool2d(bins) => graph.adaptive_max_pool2d(x, *bins),
            Self::AdaptiveMeanPool2d(bins) => graph.adaptive_mean_pool2d(x, *bins),
            Self::SpatialPyramidPool(levels) => graph.spatial_pyramid_pool(x, levels),
            Self::GlobalMaxPool => graph.global_max_pool(x),
            Self::GlobalMeanPool => graph.global_mean_pool(x),
            Self::Relu => graph.relu(x),
            Self::LeakyRelu(layer) => graph.leaky_relu(x, *layer),
            Self::Prelu(layer) => graph.prelu(x, *layer),
            Self::Rrelu(layer) => graph.rrelu(x, *layer),
            Self::Elu(layer) => graph.elu(x, *layer),
            Self::Celu(layer) => graph.celu(x, *layer),
            Self::Selu => graph.selu(x),
            Self::Softplus(layer) => graph.softplus(x, *layer),
            Self::Silu => graph.silu(x),
            Self::Gelu(layer) => graph.gelu(x, *layer),
            Self::Mish => graph.mish(x),
            Self::Relu6 => graph.relu6(x),
            Self::HardSwish => graph.hard_swish(x),
            Self::Sigmoid => graph.sigmoid(x),
            Self::HardSigmoid => graph.hard_sigmoid(x),
            Self::Tanh => graph.tanh(x),
            Self::Softmax => graph.softmax(x),
            Self::LogSoftmax => graph.log_softmax(x),
            Self::ScaleShift => graph.scale_shift(x),
            Self::BatchNorm(layer) => graph.batch_norm(x, layer.clone()),
            Self::GroupNorm(layer) => graph.group_norm(x, layer.clone()),
            Self::LayerNorm(layer) => graph.layer_norm(x, layer.clone()),
            Self::InstanceNorm(layer) => graph.instance_norm(x, layer.clone()),
            Self::LocalResponseNorm(layer) => graph.local_response_norm(x, *layer),
            Self::ZeroPad(layer) => graph.zero_pad(x, *layer),
            Self::Slice(layer) => graph.slice(x, *layer),
            Self::Upsample(layer) => graph.upsample(x, *layer),
            Self::Dropout(layer) => graph.dropout(x, *layer),
            Self::ChannelDropout(layer) => graph.channel_dropout(x, *layer),
            Self::Flatten => graph.flatten(x),
            Self::Reshape(shape) => graph.reshape(x, shape.clone()),
        }
    }
}
