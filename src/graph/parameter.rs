//! Named parameters: what is learned, and the running statistics beside it.

use super::{Graph, Var};
use crate::init::{Fans, Init};
use crate::layout::Layout;
use crate::shape::Shape;

/// Parameters begin at multiples of this many elements: 256 bytes, the strictest alignment
/// of a storage binding, and one entry in the table of learning-rate and decay factors.
pub(crate) const BLOCK: usize = 64;

/// `len` rounded up to whole blocks.
pub(crate) const fn aligned(len: usize) -> usize {
    len.div_ceil(BLOCK).saturating_mul(BLOCK)
}

/// Where a parameter's first values come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Initialiser {
    /// The law given by the layer or by the user.
    Given(Init),
    /// He for a layer that a rectifier follows, Xavier for others; chosen by
    /// [`Graph::resolve_initialisers`].
    Auto,
}

/// What a parameter is for, which decides how it is updated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A filter or linear weight: learned, decayed.
    Weight,
    /// A bias, slope, scale or shift: learned, not decayed.
    Bias,
    /// A running average: not learned, moved by this factor towards each batch's value.
    Statistic,
}

impl Role {
    /// The buffer in which all parameters of this kind lie.
    pub(crate) fn arena(self) -> &'static str {
        match self {
            Self::Weight | Self::Bias => "parameters",
            Self::Statistic => "statistics",
        }
    }
}

/// A parameter that a layer asks for.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// PyTorch's shape.
    pub shape: Shape,
    /// Order on the device.
    pub layout: Layout,
    /// Its connections, for the initialiser.
    pub fans: Fans,
    /// First values.
    pub initialiser: Initialiser,
    /// How it is updated.
    pub role: Role,
}

impl Declaration {
    /// A filter or linear weight with the given initialiser, or the automatic one.
    pub fn weight(shape: impl Into<Shape>, layout: Layout, fans: Fans, init: Option<Init>) -> Self {
        Self {
            shape: shape.into(),
            layout,
            fans,
            initialiser: init.map_or(Initialiser::Auto, Initialiser::Given),
            role: Role::Weight,
        }
    }

    /// A number per channel that starts at `value` and is never decayed.
    pub fn vector(channels: usize, value: f64) -> Self {
        let shape = Shape::from([channels]);
        Self {
            layout: Layout::sample(&shape),
            shape,
            fans: Fans::default(),
            initialiser: Initialiser::Given(Init::Constant(value)),
            role: Role::Bias,
        }
    }

    /// A running average per channel.
    pub fn statistic(channels: usize, value: f64) -> Self {
        Self {
            role: Role::Statistic,
            ..Self::vector(channels, value)
        }
    }

    pub(super) fn place(self, name: String, var: Var, offset: usize) -> Parameter {
        Parameter {
            name,
            shape: self.shape,
            layout: self.layout,
            fans: self.fans,
            initialiser: self.initialiser,
            role: self.role,
            learning_rate_factor: 1.0,
            decay_factor: if self.role == Role::Weight { 1.0 } else { 0.0 },
            frozen: false,
            var,
            offset,
        }
    }
}

/// A parameter of a graph.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Parameter {
    /// Path such as `conv1.weight`.
    pub name: String,
    /// PyTorch's shape.
    pub shape: Shape,
    /// Order on the device.
    pub layout: Layout,
    /// Its connections, for the initialiser.
    pub fans: Fans,
    /// First values.
    pub initialiser: Initialiser,
    /// How it is updated.
    pub role: Role,
    /// Multiplies the learning rate (Caffe's `lr_mult`).
    pub learning_rate_factor: f32,
    /// Multiplies the weight decay (Caffe's `decay_mult`); 0 for biases, slopes and scales.
    pub decay_factor: f32,
    /// Left as it is by training; its gradient is not computed.
    pub frozen: bool,
    pub(crate) var: Var,
    pub(crate) offset: usize,
}

impl Parameter {
    /// The value that operators read.
    pub const fn var(&self) -> Var {
        self.var
    }

    /// Whether training changes it through a gradient.
    pub fn is_trained(&self) -> bool {
        self.role != Role::Statistic && !self.frozen
    }
}

/// The last initialisation step: follow each weight's result to the next rectifier.
pub(super) fn resolve(graph: &mut Graph) {
    let choices: Vec<(usize, Init)> = graph
        .parameters
        .iter()
        .enumerate()
        .filter(|(_, p)| p.initialiser == Initialiser::Auto)
        .map(|(i, p)| {
            let init = match rectifier_after(graph, p.var) {
                Some(slope) => Init::he().negative_slope(slope),
                None => Init::xavier(),
            };
            (i, init)
        })
        .collect();
    for (index, init) in choices {
        graph.parameters[index].initialiser = Initialiser::Given(init);
    }
}

/// The negative slope of the first rectifier that the weight's response reaches through
/// operators that keep its distribution (normalisation, pooling, sums, reshapes).
fn rectifier_after(graph: &Graph, weight: Var) -> Option<f64> {
    let mut reached = vec![weight];
    for node in &graph.nodes {
        if !node.inputs.iter().any(|input| reached.contains(input)) {
            continue;
        }
        if let Some(slope) = node.operator.rectifier_slope() {
            return Some(slope);
        }
        let first = node.inputs.contains(&weight);
        if first || node.operator.keeps_distribution() {
            reached.extend(&node.outputs);
        }
    }
    None
}
