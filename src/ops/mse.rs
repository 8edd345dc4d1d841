//! Squared error ("Euclidean" loss): the loss of regression.

use std::sync::Arc;

use super::loss::{self, LossValues, Reduction, reduced};
use super::pointwise_loss::{self, Pointwise};
use super::{Operator, Reason};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::plan::Lowering;
use crate::shader::shader;

/// `Σ (p − t)²` over the elements of all samples, or its mean over all elements, batch and
/// features alike, as PyTorch's `mse_loss`. (Caffe's `EuclideanLoss` is the sum over 2N.)
///
/// Operands: prediction p and target t of one shape and layout. `δp = 2(p − t)`, divided by the
/// number of elements for the mean; the target gets no gradient. A sample's own loss is the
/// mean, or the sum, over its elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeanSquaredError {
    /// Mean or sum.
    pub reduction: Reduction,
}

impl MeanSquaredError {
    /// The mean over all elements.
    pub fn new() -> Self {
        Self::default()
    }
}

reduced!(MeanSquaredError);

impl Operator for MeanSquaredError {
    fn name(&self) -> &'static str {
        "mse"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        pointwise_loss::infer(inputs)
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        loss::gradient(cx)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let loss = Pointwise {
            shader: shader!("mse"),
            reduction: self.reduction,
            terms: cx.input(0).value_type.shape.elements(),
            factor: 1.0,
            delta_factor: 2.0,
        };
        loss.lower(cx, |kernel| kernel);
        Ok(())
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        // Difference, square and sum; δ.
        pointwise_loss::flops(inputs, batch, 4)
    }
}

impl Graph {
    /// The squared error between two values of one shape ([`MeanSquaredError`], or a
    /// [`Reduction`]).
    pub fn mean_squared_error(
        &mut self,
        prediction: Var,
        target: Var,
        loss: impl Into<MeanSquaredError>,
    ) -> LossValues {
        let name = self.layer_name("mse");
        LossValues::new(&self.apply_all(&name, Arc::new(loss.into()), &[prediction, target]))
    }
}
