//! A sigmoid and cross-entropy in one, from logits: independent yes-or-no questions.

use std::sync::Arc;

use super::loss::{self, LossValues, Reduction, reduced};
use super::pointwise_loss::{self, Pointwise};
use super::{Operator, Reason};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::plan::Lowering;
use crate::shader::shader;

/// `Σ (1 − t)·softplus(z) + w·t·softplus(−z)` over the elements of all samples, or its mean over
/// all elements: PyTorch's `binary_cross_entropy_with_logits`, w being its `pos_weight`. With
/// w = 1 it is `−t·log σ(z) − (1 − t)·log(1 − σ(z))`.
///
/// Operands: logits z and targets t in 0..1, of one shape in the standard layout.
/// `δz = (1 − t)·σ(z) − w·t·σ(−z)`, divided by the number of elements for the mean; the target
/// gets no gradient. `softplus(z) = max(z, 0) + log(1 + e^−|z|)`, so that logits of ±10⁴ give
/// finite losses. A sample's own loss is the mean, or the sum, over its elements.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BinaryCrossEntropy {
    /// Mean or sum.
    pub reduction: Reduction,
    /// What a positive counts, by channel or for all; 1 without.
    pub positive_weights: Option<Arc<[f32]>>,
}

impl BinaryCrossEntropy {
    /// The mean over all elements.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets a target of 1 count `weights` times: above 1 raises the recall, below 1 the precision.
    /// One number for all elements, or one for each channel (each feature of a vector).
    #[must_use]
    pub fn positive_weights(mut self, weights: impl Into<Arc<[f32]>>) -> Self {
        self.positive_weights = Some(weights.into());
        self
    }
}

reduced!(BinaryCrossEntropy);

impl Operator for BinaryCrossEntropy {
    fn name(&self) -> &'static str {
        "binary_cross_entropy"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let results = pointwise_loss::infer(inputs)?;
        if let Some(logits) = inputs.first().filter(|logits| !logits.is_standard()) {
            return Err(format!(
                "the logits {} are stored in another order; relayout them first",
                logits.shape
            ));
        }
        let channels = inputs.first().and_then(|z| z.shape.first()).copied();
        if let (Some(weights), Some(channels)) = (&self.positive_weights, channels)
            && weights.len() != 1
            && weights.len() != channels
        {
            return Err(format!(
                "there are {} weights for {channels} channels",
                weights.len()
            ));
        }
        Ok(results)
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        loss::gradient(cx)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let shape = cx.input(0).value_type.shape;
        let channels = shape.first().copied().unwrap_or(1);
        let weights = self.positive_weights.as_ref().map(|weights| {
            let weights = match weights[..] {
                [all] => &vec![all; channels],
                _ => &weights[..],
            };
            cx.data("positive_weights", weights)
        });
        let loss = Pointwise {
            shader: shader!("binary_cross_entropy"),
            reduction: self.reduction,
            terms: shape.elements(),
            factor: 1.0,
            delta_factor: 1.0,
        };
        loss.lower(cx, |kernel| {
            let kernel = kernel.define("CHANNELS", channels);
            match weights {
                Some(weights) => kernel.flag("WEIGHTS", true).bind("weights", weights),
                None => kernel,
            }
        });
        Ok(())
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        // Exponential, logarithm and two products for the loss; the same again for δ.
        pointwise_loss::flops(inputs, batch, 10)
    }
}

impl Graph {
    /// The loss of logits against targets in 0..1 of the same shape ([`BinaryCrossEntropy`], or
    /// a [`Reduction`]).
    pub fn binary_cross_entropy(
        &mut self,
        logits: Var,
        target: Var,
        loss: impl Into<BinaryCrossEntropy>,
    ) -> LossValues {
        let logits = self.relayout(logits);
        let name = self.layer_name("binary_cross_entropy");
        LossValues::new(&self.apply_all(&name, Arc::new(loss.into()), &[logits, target]))
    }
}
