//! The loss of support vector machines, one class against all others.

use std::sync::Arc;

use super::loss::{self, LossValues, Reduction, reduced};
use super::pointwise_loss::{self, Pointwise};
use super::{Operator, Reason};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::plan::Lowering;
use crate::shader::shader;

/// `Σ_k max(0, 1 − y_k·z_k)^p` for each sample, p being 1 or 2, with `y_k = 1` for the label's
/// class and −1 for all others; the mean over the samples, or the sum. Caffe's `HingeLoss` with
/// `norm: L1` or `L2`: one classifier against all others for each class. (PyTorch's
/// `multi_margin_loss` is another: it compares each class with the label's.)
///
/// Operands: scores z `[K]` and labels. With the margin `h_k = max(0, 1 − y_k·z_k)`,
/// `δz_k = −y_k` where h_k > 0 for p = 1, and `−2·y_k·h_k` for p = 2; divided by the batch size
/// for the mean. A label of K or more makes the sample's loss and gradient NaN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HingeLoss {
    /// Whether the margins are squared: Caffe's `norm: L2`.
    pub squared: bool,
    /// Mean or sum over the batch.
    pub reduction: Reduction,
}

impl HingeLoss {
    /// Margins as they are, averaged over the batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Squared margins: Caffe's `norm: L2`.
    #[must_use]
    pub fn squared(mut self, squared: bool) -> Self {
        self.squared = squared;
        self
    }
}

reduced!(HingeLoss);

impl Operator for HingeLoss {
    fn name(&self) -> &'static str {
        "hinge_loss"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        Ok(loss::results(&loss::logits_and_labels(inputs)?))
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        loss::gradient(cx)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let classes = cx.input(0).value_type.shape.elements();
        let loss = Pointwise {
            shader: shader!("hinge_loss"),
            reduction: self.reduction,
            terms: 1,
            factor: 1.0,
            delta_factor: if self.squared { -2.0 } else { -1.0 },
        };
        loss.lower(cx, |kernel| {
            kernel
                .define("CLASSES", classes)
                .flag("SQUARED", self.squared)
        });
        Ok(())
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        // Product, difference and maximum, sum; δ.
        pointwise_loss::flops(inputs, batch, 5)
    }
}

impl Graph {
    /// The hinge loss of scores `[K]` against class indices ([`HingeLoss`], or a [`Reduction`]).
    pub fn hinge_loss(
        &mut self,
        scores: Var,
        labels: Var,
        loss: impl Into<HingeLoss>,
    ) -> LossValues {
        let scores = self.relayout(scores);
        let name = self.layer_name("hinge_loss");
        LossValues::new(&self.apply_all(&name, Arc::new(loss.into()), &[scores, labels]))
    }
}
