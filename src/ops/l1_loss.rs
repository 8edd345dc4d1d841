//! Absolute error: a regression that outliers move less than the squared error does.

use std::sync::Arc;

use super::loss::{self, LossValues, Reduction, reduced};
use super::pointwise_loss::{self, Pointwise};
use super::{Operator, Reason};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::plan::Lowering;
use crate::shader::shader;

/// `Σ |p − t|` over the elements of all samples, or its mean over all elements (PyTorch's
/// `l1_loss`).
///
/// Operands: prediction p and target t of one shape and layout. `δp = sign(p − t)`, 0 where they
/// are equal, divided by the number of elements for the mean; the target gets no gradient. A
/// sample's own loss is the mean, or the sum, over its elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct L1Loss {
    /// Mean or sum.
    pub reduction: Reduction,
}

impl L1Loss {
    /// The mean over all elements.
    pub fn new() -> Self {
        Self::default()
    }
}

reduced!(L1Loss);

impl Operator for L1Loss {
    fn name(&self) -> &'static str {
        "l1_loss"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        pointwise_loss::infer(inputs)
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        loss::gradient(cx)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let loss = Pointwise {
            shader: shader!("l1_loss"),
            reduction: self.reduction,
            terms: cx.input(0).value_type.shape.elements(),
            factor: 1.0,
            delta_factor: 1.0,
        };
        loss.lower(cx, |kernel| kernel);
        Ok(())
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        // Difference, magnitude and sum; δ.
        pointwise_loss::flops(inputs, batch, 4)
    }
}

impl Graph {
    /// The absolute error between two values of one shape ([`L1Loss`], or a [`Reduction`]).
    pub fn l1_loss(&mut self, prediction: Var, target: Var, loss: impl Into<L1Loss>) -> LossValues {
        let name = self.layer_name("l1_loss");
        LossValues::new(&self.apply_all(&name, Arc::new(loss.into()), &[prediction, target]))
    }
}
