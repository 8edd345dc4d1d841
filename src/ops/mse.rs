//! Squared error ("Euclidean" loss): the loss of regression.

use std::sync::Arc;

use super::loss::{self, LossValues, Reduction};
use super::{Operator, Reason, elementwise};
use crate::autodiff::Backward;
use crate::graph::{Element, Graph, ValueType, Var};
use crate::layout::LANES;
use crate::plan::Lowering;
use crate::shader::{Grid, Kernel, shader};

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

/// Vec4s of a sample for one invocation.
const VECS_PER_INVOCATION: usize = 16;

impl Operator for MeanSquaredError {
    fn name(&self) -> &'static str {
        "mse"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let types = elementwise::same_type::<2>(inputs)?;
        let [prediction] = types.as_slice() else {
            return Err("two operands are needed".to_owned());
        };
        if !prediction.batched || inputs.iter().any(|t| t.element != Element::F32) {
            return Err("a prediction and a target per sample are needed".to_owned());
        }
        if !prediction.layout.size().is_multiple_of(LANES) {
            return Err(format!(
                "a prediction of shape {} cannot be compared; give it an axis, such as [1]",
                prediction.shape
            ));
        }
        Ok(loss::results(prediction))
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        loss::gradient(cx)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (prediction, target) = (cx.input(0), cx.input(1));
        let (total, losses) = (cx.output(0), cx.output(1));
        let samples = cx.batch();
        let of_rows = self.reduction.scale(prediction.value_type.shape.elements());
        let of_batch = self.reduction.scale(samples);

        let vecs = prediction.value_type.layout.size() / LANES;
        let chunks = vecs.div_ceil(VECS_PER_INVOCATION);
        let parts = samples.saturating_mul(chunks);
        let (sums, factor) = match chunks {
            1 => (losses.buffer, of_rows),
            _ => (cx.temporary("partial_sums", parts), 1.0),
        };
        let mut kernel = Kernel::new(shader!("mse"), Grid::Threads(parts))
            .defines([("SAMPLES", samples), ("VECS", vecs), ("CHUNKS", chunks)])
            .constant("factor", factor)
            .bind("prediction", &prediction)
            .bind("truth", &target)
            .bind("sums", sums);
        if cx.is_used(2) {
            let delta = cx.output(2);
            kernel = kernel
                .flag("DELTA", true)
                .constant("delta_factor", 2.0 * of_rows * of_batch)
                .bind("delta", &delta);
        }
        cx.dispatch(kernel);
        if chunks > 1 {
            loss::lower_spans(cx, sums, parts, chunks, losses.buffer, of_rows);
        }
        if cx.is_used(0) {
            loss::lower_total(cx, losses.buffer, samples, total.buffer, of_batch);
        }
        Ok(())
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        // Difference, square and sum; δ.
        inputs
            .first()
            .map_or(0, |p| 4 * p.logical_len(batch) as u64)
    }
}

impl Graph {
    /// The squared error between two values of one shape ([`MeanSquaredError`]).
    pub fn mean_squared_error(
        &mut self,
        prediction: Var,
        target: Var,
        reduction: Reduction,
    ) -> LossValues {
        let name = self.layer_name("mse");
        let operator = Arc::new(MeanSquaredError { reduction });
        LossValues::new(&self.apply_all(&name, operator, &[prediction, target]))
    }
}
