//! Batch normalisation (Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network
//! Training by Reducing Internal Covariate Shift", ICML 2015).
//!
//! `y = γ·(x − μ)/√(σ² + ε) + β`, channel by channel. In training μ and σ² are those of the
//! batch (m = N·H·W numbers a channel, σ² their biased variance); in evaluation they are the
//! running averages. As in PyTorch, the running variance averages the *unbiased* variance.
//!
//! How the statistics are computed: each invocation takes a piece of a channel in two passes
//! over rows in the cache (centre, then deviations from it), and the pieces are put together by
//! Chan's formula in a fixed order. The mean is kept as two numbers. So a channel with mean
//! 1000 and deviation 1 loses no digits. A convolution by Winograd's algorithm leaves the figures of
//! each of its tiles, in the pass that stores them, and no other pass reads its result for them.

mod forward;
mod grad;
mod split;

use std::any::Any;
use std::sync::Arc;

pub use forward::BatchNormalisation;
pub(super) use forward::channels_of;
pub use grad::BatchNormalisationGrad;
pub(crate) use split::Rows;

use crate::graph::{Declaration, Graph, Var};

/// A batch normalisation layer: parameters `weight` (γ, at first 1) and `bias` (β, at first 0),
/// neither of them decayed, and running averages `running_mean` and `running_var`, all of shape
/// `[C]`.
///
/// ```
/// use wgrad::graph::Graph;
/// use wgrad::ops::{BatchNorm, Conv2d};
///
/// let mut graph = Graph::new();
/// let x = graph.input("x", [3, 32, 32]);
/// let x = graph.conv2d(x, Conv2d::new(16, 3).bias(false));
/// let x = graph.batch_norm(x, BatchNorm::new().momentum(0.01));
/// let y = graph.relu(x);
/// assert!(graph.find_parameter("bn1.running_mean").is_some());
/// # graph.check()?;
/// # Ok::<(), wgrad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNorm {
    pub(crate) epsilon: f32,
    pub(crate) momentum: f32,
    pub(crate) frozen: bool,
    pub(crate) name: Option<String>,
}

impl Default for BatchNorm {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchNorm {
    /// ε = 1e-5, momentum 0.1: PyTorch's defaults.
    pub const fn new() -> Self {
        Self {
            epsilon: 1e-5,
            momentum: 0.1,
            frozen: false,
            name: None,
        }
    }

    /// ε, above 0: keeps the divisor from zero.
    #[must_use]
    pub const fn epsilon(mut self, epsilon: f32) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// How far a step moves the running averages towards the batch's values, in [0, 1]
    /// (PyTorch's meaning; Caffe's is one minus it).
    #[must_use]
    pub const fn momentum(mut self, momentum: f32) -> Self {
        self.momentum = momentum;
        self
    }

    /// Normalises by the running averages in training too, and leaves them as they are: for a layer
    /// that comes with statistics of more data than it will see here. [`Model::freeze`] on the
    /// layer does the same, and freezes γ and β as well.
    ///
    /// [`Model::freeze`]: crate::train::Model::freeze
    #[must_use]
    pub const fn frozen(mut self, frozen: bool) -> Self {
        self.frozen = frozen;
        self
    }

    /// The layer's path, in place of `bn1`, `bn2`, ...
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

impl Graph {
    /// Normalises every channel of an image `[C, H, W]`, or every feature of `[C]`.
    pub fn batch_norm(&mut self, x: Var, layer: BatchNorm) -> Var {
        let x = self.relayout(x);
        let path = self.path(layer.name.as_deref(), "bn");
        let channels = self.shape(x).first().copied().unwrap_or(1);
        let operands = [
            x,
            self.parameter(&path, "weight", Declaration::vector(channels, 1.0)),
            self.parameter(&path, "bias", Declaration::vector(channels, 0.0)),
            self.parameter(&path, "running_mean", Declaration::statistic(channels, 0.0)),
            self.parameter(&path, "running_var", Declaration::statistic(channels, 1.0)),
        ];
        let operator = BatchNormalisation {
            epsilon: layer.epsilon,
            momentum: layer.momentum,
            frozen: layer.frozen,
        };
        self.apply_all(&path, Arc::new(operator), &operands)[0]
    }
}

/// A running average and the batch's value that it follows:
/// `running ← (1 − momentum)·running + momentum·batch_value`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(dead_code, reason = "for training, which moves the running averages")]
pub(crate) struct RunningPair {
    pub(crate) batch_value: Var,
    pub(crate) running: Var,
    pub(crate) momentum: f32,
}

/// Has every batch normalisation both of whose running averages are frozen normalise by them in
/// training too: the statistics of the batch would not be what evaluation goes by.
pub(crate) fn freeze_statistics(graph: &mut Graph) {
    let frozen = graph.parameters().iter().filter(|p| p.frozen);
    let frozen: Vec<Var> = frozen.map(|p| p.var).collect();
    for index in 0..graph.nodes().len() {
        let node = &graph.nodes()[index];
        let operator: &dyn Any = node.operator.as_ref();
        let Some(&operator) = operator.downcast_ref::<BatchNormalisation>() else {
            continue;
        };
        let averages = node.inputs.iter().skip(3);
        if averages.clone().count() == 2 && averages.clone().all(|var| frozen.contains(var)) {
            let operator = BatchNormalisation {
                frozen: true,
                ..operator
            };
            graph.exchange(index, Arc::new(operator));
        }
    }
}

/// The running averages that training moves: mean and variance of each batch normalisation.
#[allow(dead_code, reason = "for training, which moves the running averages")]
pub(crate) fn running_pairs(graph: &Graph) -> Vec<RunningPair> {
    let mut pairs = Vec::new();
    for node in graph.nodes() {
        let operator: &dyn Any = node.operator.as_ref();
        let Some(operator) = operator.downcast_ref::<BatchNormalisation>() else {
            continue;
        };
        if operator.frozen {
            continue;
        }
        // A node that was refused has other results; then the graph has an error.
        let values = [(1, 3), (3, 4)].map(|(result, operand)| {
            let batch_value = *node.outputs.get(result)?;
            let running = *node.inputs.get(operand)?;
            Some(RunningPair {
                batch_value,
                running,
                momentum: operator.momentum,
            })
        });
        pairs.extend(values.into_iter().flatten());
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::{BatchNorm, running_pairs};
    use crate::graph::Graph;

    #[test]
    fn running_averages_are_paired_with_the_batch_values() {
        let mut graph = Graph::new();
        let x = graph.input("x", [3, 4, 4]);
        let x = graph.batch_norm(x, BatchNorm::new().momentum(0.25));
        let x = graph.relu(x);
        graph.batch_norm(x, BatchNorm::new().name("last"));
        let names: Vec<_> = running_pairs(&graph)
            .into_iter()
            .map(|pair| {
                let name = |var| graph.value(var).name.as_str();
                (name(pair.batch_value), name(pair.running), pair.momentum)
            })
            .collect();
        let expected = [
            ("bn1.1", "bn1.running_mean", 0.25),
            ("bn1.3", "bn1.running_var", 0.25),
            ("last.1", "last.running_mean", 0.1),
            ("last.3", "last.running_var", 0.1),
        ];
        assert_eq!(names, expected);
    }
}
