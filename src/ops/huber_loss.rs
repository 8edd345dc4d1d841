//! Squared error near zero, absolute error beyond.

use std::sync::Arc;

use super::loss::{self, LossValues, Reduction, reduced};
use super::pointwise_loss::{self, Pointwise};
use super::{Operator, Reason};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::plan::Lowering;
use crate::shader::shader;

/// `Σ h(p − t)` over the elements of all samples, or its mean over all elements (Huber 1964;
/// PyTorch's `huber_loss` and `smooth_l1_loss`), with
///
/// ```text
/// h(d) = d²/2          where |d| ≤ threshold,   h′(d) = d
///        threshold · (|d| − threshold/2) beyond,        threshold · sign(d)
/// ```
///
/// [`HuberLoss::smooth_l1`] is this divided by the threshold, so that its slope beyond is ±1.
///
/// Operands: prediction p and target t of one shape and layout. `δp = h′(p − t)`, divided by the
/// number of elements for the mean; the target gets no gradient. A sample's own loss is the mean,
/// or the sum, over its elements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HuberLoss {
    /// Where the square ends: PyTorch's `delta`, or `beta` of the smooth L1 loss.
    pub threshold: f32,
    /// Whether the loss is divided by the threshold.
    pub smooth_l1: bool,
    /// Mean or sum.
    pub reduction: Reduction,
}

impl Default for HuberLoss {
    fn default() -> Self {
        Self::new(1.0)
    }
}

impl HuberLoss {
    /// Huber's loss, square up to differences of `delta`, which is greater than 0.
    pub fn new(delta: f32) -> Self {
        Self {
            threshold: delta,
            smooth_l1: false,
            reduction: Reduction::Mean,
        }
    }

    /// The smooth L1 loss: `d²/(2·beta)` up to differences of `beta`, `|d| − beta/2` beyond.
    /// With a `beta` of 0 it would be [`L1Loss`](super::l1_loss::L1Loss).
    pub fn smooth_l1(beta: f32) -> Self {
        Self {
            smooth_l1: true,
            ..Self::new(beta)
        }
    }
}

reduced!(HuberLoss);

impl Operator for HuberLoss {
    fn name(&self) -> &'static str {
        "huber_loss"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        if !(self.threshold > 0.0 && self.threshold.is_finite()) {
            return Err(format!(
                "the difference where the square ends must be greater than 0, it is {}",
                self.threshold
            ));
        }
        pointwise_loss::infer(inputs)
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        loss::gradient(cx)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let threshold = f64::from(self.threshold);
        let factor = if self.smooth_l1 { 1.0 / threshold } else { 1.0 };
        let loss = Pointwise {
            shader: shader!("huber_loss"),
            reduction: self.reduction,
            terms: cx.input(0).value_type.shape.elements(),
            factor,
            delta_factor: factor,
        };
        loss.lower(cx, |kernel| kernel.constant("threshold", threshold));
        Ok(())
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        // Difference, two branches, sum; δ.
        pointwise_loss::flops(inputs, batch, 8)
    }
}

impl Graph {
    /// Huber's loss between two values of one shape ([`HuberLoss`]).
    ///
    /// ```
    /// use wgrad::{graph::Graph, ops::HuberLoss};
    ///
    /// let mut graph = Graph::new();
    /// let (prediction, target) = (graph.input("p", [3]), graph.input("t", [3]));
    /// let loss = graph.huber_loss(prediction, target, HuberLoss::smooth_l1(0.5)).loss;
    /// assert!(graph.shape(loss).is_empty());
    /// ```
    pub fn huber_loss(
        &mut self,
        prediction: Var,
        target: Var,
        loss: impl Into<HuberLoss>,
    ) -> LossValues {
        let name = self.layer_name("huber_loss");
        LossValues::new(&self.apply_all(&name, Arc::new(loss.into()), &[prediction, target]))
    }
}
