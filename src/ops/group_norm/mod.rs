//! Normalisation of single samples: group normalisation (Wu and He, "Group normalization", ECCV
//! 2018), layer normalisation (Ba, Kiros and Hinton, "Layer normalization", 2016) and instance
//! normalisation (Ulyanov, Vedaldi and Lempitsky, "Instance normalization: the missing ingredient
//! for fast stylization", 2016).
//!
//! `y = γ·(x − μ)/√(σ² + ε) + β`, where μ and σ² are mean and biased variance of the channels of
//! one group of one sample, over all their positions. Nothing depends on the other samples:
//! training and evaluation are the same, and a batch may have a single sample. Instance
//! normalisation is the case of a group for every channel. Layer normalisation is that of a
//! single group, and has γ and β for every element of a sample, not for every channel.
//!
//! The statistics are as accurate as batch normalisation's, and by the same means: pieces of a
//! channel in two passes, put together by Chan's formula in a fixed order; see
//! [`batch_norm`](super::batch_norm).

mod forward;
mod grad;

use std::sync::Arc;

pub use forward::GroupNormalisation;
pub use grad::GroupNormalisationGrad;

use crate::graph::{Declaration, Graph, Initialiser, Role, Var};
use crate::init::{Fans, Init};
use crate::layout::Layout;
use crate::shape::Shape;

/// What the three layers have in common, whose differences are groups and γ's shape.
macro_rules! options {
    () => {
        /// ε, above 0: keeps the divisor from zero. 1e-5 unless told, as in PyTorch.
        #[must_use]
        pub const fn epsilon(mut self, epsilon: f32) -> Self {
            self.epsilon = epsilon;
            self
        }

        /// Whether γ and β are learned: the parameters `weight`, at first 1, and `bias`, at first
        /// 0, neither of them decayed. Without them y is x normalised.
        #[must_use]
        pub const fn affine(mut self, affine: bool) -> Self {
            self.affine = affine;
            self
        }

        /// The layer's path, in place of the kind and a number.
        #[must_use]
        pub fn name(mut self, name: impl Into<String>) -> Self {
            self.name = Some(name.into());
            self
        }
    };
}

/// A group normalisation layer: every sample's channels are normalised in groups of neighbours.
/// Parameters `weight` and `bias` of shape `[C]`; paths `gn1`, `gn2`, ...
///
/// ```
/// use wgrad::graph::Graph;
/// use wgrad::ops::GroupNorm;
///
/// let mut graph = Graph::new();
/// let x = graph.input("x", [32, 14, 14]);
/// let y = graph.group_norm(x, GroupNorm::new(8));
/// assert_eq!(graph.shape(y)[..], [32, 14, 14]);
/// assert!(graph.find_parameter("gn1.weight").is_some());
/// # graph.check()?;
/// # Ok::<(), wgrad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct GroupNorm {
    groups: usize,
    epsilon: f32,
    affine: bool,
    name: Option<String>,
}

impl GroupNorm {
    /// This many groups, which must divide the channels, with γ and β.
    pub const fn new(groups: usize) -> Self {
        Self {
            groups,
            epsilon: 1e-5,
            affine: true,
            name: None,
        }
    }

    options!();
}

/// A layer normalisation layer: every sample is normalised as a whole. Parameters `weight` and
/// `bias` of the sample's shape, `[C, H, W]` or `[F]`, as in PyTorch's `LayerNorm` with
/// `normalized_shape` that shape; paths `ln1`, `ln2`, ...
///
/// ```
/// use wgrad::graph::Graph;
/// use wgrad::ops::LayerNorm;
///
/// let mut graph = Graph::new();
/// let x = graph.input("x", [32, 14, 14]);
/// let y = graph.layer_norm(x, LayerNorm::new().epsilon(1e-6));
/// assert_eq!(graph.parameters()[0].shape[..], [32, 14, 14]);
/// # graph.check()?;
/// # Ok::<(), wgrad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LayerNorm {
    epsilon: f32,
    affine: bool,
    name: Option<String>,
}

impl Default for LayerNorm {
    fn default() -> Self {
        Self::new()
    }
}

impl LayerNorm {
    /// With γ and β.
    pub const fn new() -> Self {
        Self {
            epsilon: 1e-5,
            affine: true,
            name: None,
        }
    }

    options!();
}

/// An instance normalisation layer: every channel of every sample is normalised by itself.
/// Parameters `weight` and `bias` of shape `[C]` if asked for; paths `in1`, `in2`, ...
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceNorm {
    epsilon: f32,
    affine: bool,
    name: Option<String>,
}

impl Default for InstanceNorm {
    fn default() -> Self {
        Self::new()
    }
}

impl InstanceNorm {
    /// Without γ and β, as in PyTorch.
    pub const fn new() -> Self {
        Self {
            epsilon: 1e-5,
            affine: false,
            name: None,
        }
    }

    options!();
}

/// γ or β: a number for every element of `shape`.
fn affine(shape: &Shape, value: f64) -> Declaration {
    Declaration {
        shape: shape.clone(),
        layout: Layout::sample(shape),
        fans: Fans::default(),
        initialiser: Initialiser::Given(Init::Constant(value)),
        role: Role::Bias,
    }
}

impl Graph {
    /// Normalises groups of channels of every sample, an image `[C, H, W]` or features `[C]`.
    pub fn group_norm(&mut self, x: Var, layer: GroupNorm) -> Var {
        let path = self.path(layer.name.as_deref(), "gn");
        let channels = self.channels(x);
        let shape = layer.affine.then(|| Shape::from([channels]));
        self.normalise(x, &path, layer.groups, layer.epsilon, shape)
    }

    /// Normalises every sample, an image `[C, H, W]` or features `[F]`, as a whole.
    pub fn layer_norm(&mut self, x: Var, layer: LayerNorm) -> Var {
        let path = self.path(layer.name.as_deref(), "ln");
        let shape = layer.affine.then(|| self.shape(x).clone());
        self.normalise(x, &path, 1, layer.epsilon, shape)
    }

    /// Normalises every channel of every sample, an image `[C, H, W]`.
    ///
    /// ```
    /// use wgrad::graph::Graph;
    /// use wgrad::ops::InstanceNorm;
    ///
    /// let mut graph = Graph::new();
    /// let x = graph.input("x", [32, 14, 14]);
    /// graph.instance_norm(x, InstanceNorm::new());
    /// assert!(graph.parameters().is_empty());
    /// # graph.check()?;
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    pub fn instance_norm(&mut self, x: Var, layer: InstanceNorm) -> Var {
        let path = self.path(layer.name.as_deref(), "in");
        let channels = self.channels(x);
        let shape = layer.affine.then(|| Shape::from([channels]));
        self.normalise(x, &path, channels, layer.epsilon, shape)
    }

    fn channels(&self, x: Var) -> usize {
        self.shape(x).first().copied().unwrap_or(1)
    }

    /// `weights` is the shape of γ and β, if there are any.
    fn normalise(
        &mut self,
        x: Var,
        path: &str,
        groups: usize,
        epsilon: f32,
        weights: Option<Shape>,
    ) -> Var {
        let mut operands = vec![self.relayout(x)];
        if let Some(shape) = weights {
            operands.push(self.parameter(path, "weight", affine(&shape, 1.0)));
            operands.push(self.parameter(path, "bias", affine(&shape, 0.0)));
        }
        let operator = GroupNormalisation { groups, epsilon };
        self.apply_all(path, Arc::new(operator), &operands)[0]
    }
}
