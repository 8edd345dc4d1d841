//! Stochastic depth (Huang et al., "Deep networks with stochastic depth", ECCV 2016).

use super::dropout::{self, Drawn};
use super::{Operator, Reason, draws};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::onnx::Translation;
use crate::plan::{Lowering, Mode};

/// What is dropped together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DropMode {
    /// Each sample by itself. The default.
    #[default]
    Row,
    /// The whole batch.
    Batch,
}

/// In training, the value is zeroed with probability p, each sample by itself or the batch as a
/// whole, and otherwise multiplied by 1/(1−p); in evaluation, `y = x` (torchvision's
/// `StochasticDepth`). Put at the end of a residual branch, before the sum, it makes the network
/// shorter now and then:
///
/// ```
/// use wgrad::graph::Network;
/// use wgrad::ops::{Conv2d, StochasticDepth};
///
/// let net = Network::from_graph([8, 16, 16], |g, x| {
///     let branch = g.conv2d(x, Conv2d::new(8, 3).padding(1));
///     let branch = g.stochastic_depth(branch, StochasticDepth::new(0.2));
///     g.add(x, branch)
/// });
/// # net.summary().unwrap();
/// ```
///
/// The draws are those of [`Dropout`](super::Dropout), one per sample: sample n is element n, a
/// whole batch is element 0. The backward pass draws them again: `δx = δy/(1−p)` where kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StochasticDepth {
    /// The probability p of being dropped, in [0, 1].
    pub probability: f32,
    /// What is dropped together.
    pub mode: DropMode,
    /// Which draws are used; layers with different numbers draw independently.
    /// [`Graph::stochastic_depth`] takes the hash of the layer's path.
    pub stream: u32,
}

impl StochasticDepth {
    /// Drops samples with this probability, in [0, 1].
    pub const fn new(probability: f32) -> Self {
        Self {
            probability,
            mode: DropMode::Row,
            stream: 0,
        }
    }

    /// What is dropped together.
    #[must_use]
    pub const fn mode(mut self, mode: DropMode) -> Self {
        self.mode = mode;
        self
    }
}

impl From<f32> for StochasticDepth {
    fn from(probability: f32) -> Self {
        Self::new(probability)
    }
}

impl Operator for StochasticDepth {
    fn name(&self) -> &'static str {
        "stochastic_depth"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        if !(0.0..=1.0).contains(&self.probability) {
            return Err(format!(
                "the probability of being dropped must lie in [0, 1], it is {}",
                self.probability
            ));
        }
        draws::same_type(inputs)
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        dropout::gradient(cx, *self)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let drawn = match self.mode {
            DropMode::Row => Drawn::Sample,
            DropMode::Batch => Drawn::Batch,
        };
        dropout::lower(cx, drawn, self.probability, self.stream)
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        cx.same()
    }

    fn is_view(&self, mode: Mode) -> bool {
        mode == Mode::Evaluation || self.probability == 0.0
    }

    fn keeps_distribution(&self) -> bool {
        true
    }
}

impl Graph {
    /// Applies [`StochasticDepth`], usually to the end of a residual branch.
    pub fn stochastic_depth(&mut self, x: Var, depth: impl Into<StochasticDepth>) -> Var {
        let name = self.layer_name("stochastic_depth");
        let depth = StochasticDepth {
            stream: draws::stream_of(&name),
            ..depth.into()
        };
        self.apply(&name, depth, &[x])
    }
}
