//! A network as data, from which both a graph and a reference computation are made.

use wgrad::graph::{Graph, Var};
use wgrad::ops::{
    BatchNorm, Conv2d, ConvTranspose2d, GroupNorm, InstanceNorm, LayerNorm, LeakyRelu, Linear,
    LocalResponseNorm, MaxPool2d, MeanPool2d, Prelu, Slice, Upsample, ZeroPad,
};

use super::reference::unary::Unary;
use super::support::unary;

/// The attributes of a convolution with a square filter.
#[derive(Clone, Copy, Debug)]
pub struct Conv {
    pub outputs: usize,
    pub kernel: usize,
    pub stride: usize,
    pub padding: usize,
    pub dilation: usize,
    pub groups: usize,
    pub bias: bool,
}

/// A convolution that keeps the size of the image.
pub fn conv(outputs: usize, kernel: usize) -> Conv {
    Conv {
        outputs,
        kernel,
        stride: 1,
        padding: kernel / 2,
        dilation: 1,
        groups: 1,
        bias: true,
    }
}

/// A square pooling window.
#[derive(Clone, Copy, Debug)]
pub struct Pool {
    pub kernel: usize,
    pub stride: usize,
    pub padding: usize,
}

/// Windows side by side.
pub fn pool(kernel: usize) -> Pool {
    Pool {
        kernel,
        stride: kernel,
        padding: 0,
    }
}

/// One step of a network.
#[derive(Clone, Debug)]
pub enum Layer {
    Conv(Conv),
    ConvTranspose(Conv),
    Linear(usize),
    MaxPool(Pool),
    MeanPool(Pool),
    GlobalMeanPool,
    AdaptiveMeanPool([usize; 2]),
    SpatialPyramid(Vec<usize>),
    Flatten,
    Relu,
    LeakyRelu(f64),
    Prelu,
    SharedPrelu,
    Sigmoid,
    Tanh,
    /// A function of one element.
    Unary(Unary),
    Softmax,
    LogSoftmax,
    ScaleShift,
    BatchNorm,
    GroupNorm(usize),
    /// Layer normalisation.
    SampleNorm,
    /// With γ and β.
    InstanceNorm,
    /// Across channels, with large α.
    LocalResponseNorm(usize),
    /// A row above, two columns to the right, a channel behind.
    ZeroPad,
    /// Without the first channel, row and column.
    Slice,
    /// Bilinear, to this size.
    Upsample([usize; 2]),
    /// `x + f(x)`.
    Residual(Vec<Layer>),
    /// `x · f(x)`.
    Gate(Vec<Layer>),
    /// The results of all branches, their channels one after the other.
    Concat(Vec<Vec<Layer>>),
}

/// Adds the layers to a graph.
pub fn build(graph: &mut Graph, layers: &[Layer], x: Var) -> Var {
    layers.iter().fold(x, |x, layer| one(graph, layer, x))
}

fn one(graph: &mut Graph, layer: &Layer, x: Var) -> Var {
    match layer {
        Layer::Conv(c) => {
            let layer = Conv2d::new(c.outputs, c.kernel)
                .stride(c.stride)
                .padding(c.padding)
                .dilation(c.dilation)
                .groups(c.groups)
                .bias(c.bias);
            graph.conv2d(x, layer)
        }
        Layer::Linear(outputs) => graph.linear(x, Linear::new(*outputs)),
        Layer::MaxPool(p) => {
            let window = MaxPool2d::new(p.kernel).stride(p.stride).padding(p.padding);
            graph.max_pool2d(x, window)
        }
        Layer::MeanPool(p) => {
            let window = MeanPool2d::new(p.kernel)
                .stride(p.stride)
                .padding(p.padding);
            graph.mean_pool2d(x, window)
        }
        Layer::ConvTranspose(c) => {
            let layer = ConvTranspose2d::new(c.outputs, c.kernel)
                .stride(c.stride)
                .padding(c.padding)
                .dilation(c.dilation)
                .groups(c.groups)
                .bias(c.bias);
            graph.conv_transpose2d(x, layer)
        }
        Layer::AdaptiveMeanPool(bins) => graph.adaptive_mean_pool2d(x, *bins),
        Layer::SpatialPyramid(levels) => graph.spatial_pyramid_pool(x, levels),
        Layer::GlobalMeanPool => graph.global_mean_pool(x),
        Layer::Flatten => graph.flatten(x),
        Layer::Relu => graph.relu(x),
        Layer::LeakyRelu(slope) => graph.leaky_relu(x, LeakyRelu::new(*slope)),
        Layer::Prelu => graph.prelu(x, Prelu::per_channel()),
        Layer::SharedPrelu => graph.prelu(x, Prelu::shared()),
        Layer::Sigmoid => graph.sigmoid(x),
        Layer::Tanh => graph.tanh(x),
        Layer::Unary(function) => unary::apply(graph, x, *function),
        Layer::Softmax => graph.softmax(x),
        Layer::LogSoftmax => graph.log_softmax(x),
        Layer::ScaleShift => graph.scale_shift(x),
        Layer::BatchNorm => graph.batch_norm(x, BatchNorm::new()),
        Layer::GroupNorm(groups) => graph.group_norm(x, GroupNorm::new(*groups)),
        Layer::SampleNorm => graph.layer_norm(x, LayerNorm::new()),
        Layer::InstanceNorm => graph.instance_norm(x, InstanceNorm::new().affine(true)),
        Layer::LocalResponseNorm(size) => {
            graph.local_response_norm(x, LocalResponseNorm::new(*size).alpha(0.5))
        }
        Layer::ZeroPad => graph.zero_pad(x, ZeroPad::sides([1, 0], [0, 2]).channels(0, 1)),
        Layer::Slice => graph.slice(x, Slice::new().channels(1..).rows(1..).columns(1..)),
        Layer::Upsample(size) => graph.upsample(x, Upsample::bilinear_to(*size)),
        Layer::Residual(branch) => {
            let y = build(graph, branch, x);
            graph.add(x, y)
        }
        Layer::Gate(branch) => {
            let y = build(graph, branch, x);
            graph.multiply(x, y)
        }
        Layer::Concat(branches) => {
            let parts: Vec<Var> = branches.iter().map(|b| build(graph, b, x)).collect();
            graph.concat(&parts)
        }
    }
}
