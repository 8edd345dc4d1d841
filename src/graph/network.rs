//! A network as a description: a chain of layers, or a graph of values.

use super::{Graph, Layer, Var};
use crate::error::{Error, Result};
use crate::init::Init;
use crate::ops::{
    BatchNorm, ChannelDropout, Conv2d, ConvTranspose2d, Dropout, LeakyRelu, Linear, MaxPool2d,
    MeanPool2d, Padding, Prelu,
};
use crate::random::Seed;
use crate::run::Device;
use crate::shape::{Shape, Size2d};
use crate::train::Model;

/// A description of a network. It has no weights and no batch size; [`Network::build`] makes
/// as many [`Model`]s from it as are wanted.
///
/// The chain is for the common pattern `INPUT → [[CONV]×N → POOL?]×M → [FC]×K`. Methods such as
/// [`padding`](Network::padding) change the layer before them:
///
/// ```
/// use wgrad::graph::Network;
///
/// let mut net = Network::input([1, 8, 8]);
/// net.conv(16, 3).padding(1).prelu().max_pool(2)
///    .conv(32, 3).padding(1).prelu().max_pool(2)
///    .linear(64).prelu()
///    .linear(10);
/// println!("{}", net.summary()?);
/// # Ok::<(), wgrad::Error>(())
/// ```
///
/// Branches and residuals are described as a graph of values, [`Network::from_graph`]; layers of a
/// chain may follow it. [`Network::up_to`] and [`Network::with_classes`] take a described network
/// apart, for what is trained to be used again.
#[derive(Clone, Debug)]
pub struct Network {
    base: Base,
    /// What follows the base.
    layers: Vec<Layer>,
    failure: Option<String>,
}

/// What a description begins with.
#[derive(Clone, Debug)]
enum Base {
    Input(Shape),
    Graph {
        graph: Graph,
        input: Var,
        output: Var,
    },
}

impl Network {
    /// A chain that begins with one sample of this shape, `[C, H, W]` or `[F]`.
    pub fn input(shape: impl Into<Shape>) -> Self {
        Self::of(Base::Input(shape.into()))
    }

    fn of(base: Base) -> Self {
        Self {
            base,
            layers: Vec::new(),
            failure: None,
        }
    }

    /// A finished graph, to which layers may be added.
    pub(super) fn of_graph(graph: Graph, input: Var, output: Var) -> Self {
        Self::of(Base::Graph {
            graph,
            input,
            output,
        })
    }

    /// A network described as a graph: `build` gets the input and gives the output.
    ///
    /// ```
    /// use wgrad::{graph::Network, ops::{Conv2d, Linear}};
    ///
    /// let net = Network::from_graph([3, 32, 32], |g, x| {
    ///     let x = g.conv2d(x, Conv2d::new(16, 3).padding(1));
    ///     let y = g.relu(x);
    ///     let y = g.conv2d(y, Conv2d::new(16, 3).padding(1));
    ///     let sum = g.add(x, y);
    ///     let features = g.global_mean_pool(sum);
    ///     g.linear(features, Linear::new(10))
    /// });
    /// # net.summary().unwrap();
    /// ```
    pub fn from_graph(shape: impl Into<Shape>, build: impl FnOnce(&mut Graph, Var) -> Var) -> Self {
        let mut graph = Graph::new();
        let input = graph.input("input", shape);
        let output = build(&mut graph, input);
        Self::of_graph(graph, input, output)
    }

    /// Adds a layer.
    pub fn layer(&mut self, layer: Layer) -> &mut Self {
        self.layers.push(layer);
        self
    }

    /// A convolution with `out_channels` filters; [`padding`](Self::padding),
    /// [`stride`](Self::stride), [`dilation`](Self::dilation), [`groups`](Self::groups),
    /// [`bias`](Self::bias) and [`init`](Self::init) may follow.
    pub fn conv(&mut self, out_channels: usize, kernel: impl Into<Size2d>) -> &mut Self {
        self.layer(Layer::Conv2d(Conv2d::new(out_channels, kernel)))
    }

    /// A transposed convolution to `out_channels`; the same may follow.
    pub fn conv_transpose(&mut self, out_channels: usize, kernel: impl Into<Size2d>) -> &mut Self {
        let layer = ConvTranspose2d::new(out_channels, kernel);
        self.layer(Layer::ConvTranspose2d(layer))
    }

    /// A linear layer; an image is flattened before it.
    pub fn linear(&mut self, out_features: usize) -> &mut Self {
        self.layer(Layer::Linear(Linear::new(out_features)))
    }

    /// The maximum over windows of this size, side by side unless a stride follows.
    pub fn max_pool(&mut self, kernel: impl Into<Size2d>) -> &mut Self {
        self.layer(Layer::MaxPool2d(MaxPool2d::new(kernel)))
    }

    /// The mean over windows of this size, side by side unless a stride follows.
    pub fn mean_pool(&mut self, kernel: impl Into<Size2d>) -> &mut Self {
        self.layer(Layer::MeanPool2d(MeanPool2d::new(kernel)))
    }

    /// The maximum over bins that divide an image of any size into `[rows, columns]`.
    pub fn adaptive_max_pool(&mut self, bins: impl Into<Size2d>) -> &mut Self {
        self.layer(Layer::AdaptiveMaxPool2d(bins.into()))
    }

    /// The mean over bins that divide an image of any size into `[rows, columns]`.
    pub fn adaptive_mean_pool(&mut self, bins: impl Into<Size2d>) -> &mut Self {
        self.layer(Layer::AdaptiveMeanPool2d(bins.into()))
    }

    /// Spatial pyramid pooling: `C·Σl²` features of an image of any size, for levels such as
    /// `[6, 3, 2, 1]`; see [`Graph::spatial_pyramid_pool`].
    pub fn spatial_pyramid_pool(&mut self, levels: impl Into<Vec<usize>>) -> &mut Self {
        self.layer(Layer::SpatialPyramidPool(levels.into()))
    }

    /// The maximum of every channel over the whole image.
    pub fn global_max_pool(&mut self) -> &mut Self {
        self.layer(Layer::GlobalMaxPool)
    }

    /// The mean of every channel over the whole image.
    pub fn global_mean_pool(&mut self) -> &mut Self {
        self.layer(Layer::GlobalMeanPool)
    }

    /// `max(0, x)`.
    pub fn relu(&mut self) -> &mut Self {
        self.layer(Layer::Relu)
    }

    /// A rectifier with this slope for negative values.
    pub fn leaky_relu(&mut self, slope: f64) -> &mut Self {
        self.layer(Layer::LeakyRelu(LeakyRelu::new(slope)))
    }

    /// A rectifier with a learned slope per channel.
    pub fn prelu(&mut self) -> &mut Self {
        self.layer(Layer::Prelu(Prelu::per_channel()))
    }

    /// A rectifier with one learned slope for all channels.
    pub fn shared_prelu(&mut self) -> &mut Self {
        self.layer(Layer::Prelu(Prelu::shared()))
    }

    /// The logistic function.
    pub fn sigmoid(&mut self) -> &mut Self {
        self.layer(Layer::Sigmoid)
    }

    /// The hyperbolic tangent.
    pub fn tanh(&mut self) -> &mut Self {
        self.layer(Layer::Tanh)
    }

    /// Batch normalisation.
    pub fn batch_norm(&mut self) -> &mut Self {
        self.layer(Layer::BatchNorm(BatchNorm::new()))
    }

    /// Dropout with this probability of zero.
    pub fn dropout(&mut self, probability: f32) -> &mut Self {
        self.layer(Layer::Dropout(Dropout::new(probability)))
    }

    /// Dropout of whole channels, with this probability of zero.
    pub fn channel_dropout(&mut self, probability: f32) -> &mut Self {
        self.layer(Layer::ChannelDropout(ChannelDropout::new(probability)))
    }

    /// `[C, H, W]` to `[C·H·W]`.
    pub fn flatten(&mut self) -> &mut Self {
        self.layer(Layer::Flatten)
    }

    /// Another shape of as many elements.
    pub fn reshape(&mut self, shape: impl Into<Shape>) -> &mut Self {
        self.layer(Layer::Reshape(shape.into()))
    }

    /// The padding of the convolution or pooling before: `1`, `[rows, columns]`,
    /// `[[top, bottom], [left, right]]` or [`Padding::Same`].
    pub fn padding(&mut self, padding: impl Into<Padding>) -> &mut Self {
        let padding = padding.into();
        self.change("padding", |layer| {
            Some(match layer {
                Layer::Conv2d(layer) => Layer::Conv2d(layer.padding(padding)),
                Layer::ConvTranspose2d(l) => Layer::ConvTranspose2d(l.padding(padding)),
                Layer::MaxPool2d(layer) => Layer::MaxPool2d(layer.padding(padding)),
                Layer::MeanPool2d(layer) => Layer::MeanPool2d(layer.padding(padding)),
                _ => return None,
            })
        })
    }

    /// The stride of the convolution or pooling before.
    pub fn stride(&mut self, stride: impl Into<Size2d>) -> &mut Self {
        let stride = stride.into();
        self.change("stride", |layer| {
            Some(match layer {
                Layer::Conv2d(layer) => Layer::Conv2d(layer.stride(stride)),
                Layer::ConvTranspose2d(l) => Layer::ConvTranspose2d(l.stride(stride)),
                Layer::MaxPool2d(layer) => Layer::MaxPool2d(layer.stride(stride)),
                Layer::MeanPool2d(layer) => Layer::MeanPool2d(layer.stride(stride)),
                _ => return None,
            })
        })
    }

    /// The dilation of the convolution before.
    pub fn dilation(&mut self, dilation: impl Into<Size2d>) -> &mut Self {
        let dilation = dilation.into();
        self.change("dilation", |layer| {
            Some(match layer {
                Layer::Conv2d(layer) => Layer::Conv2d(layer.dilation(dilation)),
                Layer::ConvTranspose2d(l) => Layer::ConvTranspose2d(l.dilation(dilation)),
                _ => return None,
            })
        })
    }

    /// The groups of the convolution before.
    pub fn groups(&mut self, groups: usize) -> &mut Self {
        self.change("groups", |layer| {
            Some(match layer {
                Layer::Conv2d(layer) => Layer::Conv2d(layer.groups(groups)),
                Layer::ConvTranspose2d(l) => Layer::ConvTranspose2d(l.groups(groups)),
                _ => return None,
            })
        })
    }

    /// Whether the convolution or linear layer before has a bias.
    pub fn bias(&mut self, bias: bool) -> &mut Self {
        self.change("bias", |layer| {
            Some(match layer {
                Layer::Conv2d(layer) => Layer::Conv2d(layer.bias(bias)),
                Layer::ConvTranspose2d(l) => Layer::ConvTranspose2d(l.bias(bias)),
                Layer::Linear(layer) => Layer::Linear(layer.bias(bias)),
                _ => return None,
            })
        })
    }

    /// The initialiser of the convolution or linear layer before.
    pub fn init(&mut self, init: Init) -> &mut Self {
        self.change("init", |layer| {
            Some(match layer {
                Layer::Conv2d(layer) => Layer::Conv2d(layer.init(init)),
                Layer::ConvTranspose2d(l) => Layer::ConvTranspose2d(l.init(init)),
                Layer::Linear(layer) => Layer::Linear(layer.init(init)),
                _ => return None,
            })
        })
    }

    /// The path of the convolution, linear layer or normalisation before, in place of `conv1`.
    pub fn name(&mut self, name: &str) -> &mut Self {
        self.change("name", |layer| {
            Some(match layer {
                Layer::Conv2d(layer) => Layer::Conv2d(layer.name(name)),
                Layer::ConvTranspose2d(l) => Layer::ConvTranspose2d(l.name(name)),
                Layer::Linear(layer) => Layer::Linear(layer.name(name)),
                Layer::BatchNorm(layer) => Layer::BatchNorm(layer.name(name)),
                Layer::GroupNorm(layer) => Layer::GroupNorm(layer.name(name)),
                Layer::LayerNorm(layer) => Layer::LayerNorm(layer.name(name)),
                Layer::InstanceNorm(layer) => Layer::InstanceNorm(layer.name(name)),
                _ => return None,
            })
        })
    }

    /// Changes the last layer of the chain; keeps an error if it has nothing to change.
    fn change(&mut self, what: &str, change: impl FnOnce(Layer) -> Option<Layer>) -> &mut Self {
        let reason = match self.layers.last_mut() {
            None => "there is no layer of a chain before it".to_owned(),
            Some(layer) => match change(layer.clone()) {
                Some(changed) => {
                    *layer = changed;
                    return self;
                }
                None => format!("the layer before it, {layer:?}, has none"),
            },
        };
        let message = format!("`{what}` cannot be set: {reason}");
        self.failure.get_or_insert(message);
        self
    }

    /// The graph with its input and output.
    ///
    /// # Errors
    /// The first error of the description: [`Error::Layer`] for a layer that does not fit.
    pub fn graph(&self) -> Result<(Graph, Var, Var)> {
        if let Some(failure) = &self.failure {
            return Err(Error::Invalid(failure.clone()));
        }
        let (mut graph, input, output) = match &self.base {
            Base::Graph {
                graph,
                input,
                output,
            } => (graph.clone(), *input, *output),
            Base::Input(shape) => {
                let mut graph = Graph::new();
                let input = graph.input("input", shape.clone());
                (graph, input, input)
            }
        };
        let apply = |x, layer: &Layer| layer.apply(&mut graph, x);
        let output = self.layers.iter().fold(output, apply);
        graph.check()?;
        if graph.value(output).producer.is_none() {
            return Err(Error::Invalid("the network has no layers".to_owned()));
        }
        Ok((graph, input, output))
    }

    /// A table of the layers with their shapes and numbers of parameters.
    ///
    /// # Errors
    /// As [`Network::graph`].
    pub fn summary(&self) -> Result<String> {
        Ok(self.graph()?.0.summary())
    }

    /// Draws the parameters and uploads them to a device. The same seed gives the same
    /// parameters on every platform.
    ///
    /// # Errors
    /// As [`Network::graph`]; [`Error::Init`], [`Error::OutOfMemory`], [`Error::DeviceLost`].
    pub fn build(&self, device: &Device, seed: impl Into<Seed>) -> Result<Model> {
        pollster::block_on(self.build_async(device, seed))
    }

    /// The asynchronous form of [`Network::build`].
    ///
    /// # Errors
    /// As [`Network::build`].
    pub async fn build_async(&self, device: &Device, seed: impl Into<Seed>) -> Result<Model> {
        let (graph, input, output) = self.graph()?;
        Model::new(device, graph, input, output, seed.into()).await
    }
}
