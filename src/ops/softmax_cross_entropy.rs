//! Softmax and cross-entropy in one, from logits: the loss of classification.

use std::sync::Arc;

use super::loss::{self, LossValues, Reduction};
use super::{Operator, Reason, arity};
use crate::autodiff::Backward;
use crate::graph::{Element, Graph, ValueType, Var};
use crate::plan::Lowering;
use crate::shader::{Grid, Kernel, shader};

/// `L_n = log Σ_k e^{z_nk} − z_nt` for the label t of sample n, and the mean or sum over n
/// (Bridle 1990; PyTorch's `cross_entropy`).
///
/// Operands: logits z `[K]` and labels. `δz_nk = softmax(z_n)_k − [k = t]`, divided by the
/// batch size for the mean; computed by the same kernel as the loss. The largest logit is taken
/// out first, so that logits of ±10⁴ give finite losses. A label of K or more makes the sample's
/// loss and gradient NaN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SoftmaxCrossEntropy {
    /// Mean or sum over the batch.
    pub reduction: Reduction,
}

/// More classes than this are shared by the invocations of a workgroup.
const WIDE: usize = 64;

impl Operator for SoftmaxCrossEntropy {
    fn name(&self) -> &'static str {
        "softmax_cross_entropy"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let [logits, labels] = arity::<2>(inputs)?;
        if logits.element != Element::F32 || !logits.batched || logits.shape.len() != 1 {
            return Err(format!(
                "logits of shape [classes] per sample are needed, the input is {}",
                logits.shape
            ));
        }
        if !logits.is_standard() {
            return Err(format!(
                "the logits {} are a flattened image; a linear layer must come between",
                logits.shape
            ));
        }
        if labels.element != Element::U32 || !labels.batched || !labels.shape.is_empty() {
            return Err(format!(
                "one class index per sample is needed as label, the input is {}",
                labels.shape
            ));
        }
        Ok(loss::results(&logits))
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        loss::gradient(cx)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (logits, labels) = (cx.input(0), cx.input(1));
        let (total, losses) = (cx.output(0), cx.output(1));
        let (samples, classes) = (cx.batch(), logits.value_type.shape.elements());
        let factor = self.reduction.scale(samples);

        let wide = classes > WIDE;
        let per_sample = if wide { 64 } else { 1 };
        let grid = Grid::Threads(samples.saturating_mul(per_sample));
        let mut kernel = Kernel::new(shader!("softmax_cross_entropy"), grid)
            .defines([("SAMPLES", samples), ("CLASSES", classes)])
            .flag("WIDE", wide)
            .bind("logits", &logits)
            .bind("labels", &labels)
            .bind("losses", &losses);
        if cx.is_used(2) {
            let delta = cx.output(2);
            kernel = kernel
                .flag("DELTA", true)
                .constant("scale", factor)
                .bind("delta", &delta);
        }
        cx.dispatch(kernel);
        if cx.is_used(0) {
            loss::lower_total(cx, losses.buffer, samples, total.buffer, factor);
        }
        Ok(())
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        // Comparison, exponential and sum for the loss; exponential and product for δ.
        inputs
            .first()
            .map_or(0, |z| 6 * z.logical_len(batch) as u64)
    }
}

impl Graph {
    /// The loss of logits `[K]` against class indices ([`SoftmaxCrossEntropy`]).
    ///
    /// ```
    /// use wgrad::graph::Graph;
    /// use wgrad::ops::loss::Reduction;
    ///
    /// let mut graph = Graph::new();
    /// let logits = graph.input("logits", [10]);
    /// let labels = graph.labels("labels");
    /// let values = graph.softmax_cross_entropy(logits, labels, Reduction::Mean);
    /// let deltas = wgrad::autodiff::gradients(&mut graph, values.loss, &[logits])?;
    /// assert_eq!(graph.shape(deltas[0]), graph.shape(logits));
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    pub fn softmax_cross_entropy(
        &mut self,
        logits: Var,
        labels: Var,
        reduction: Reduction,
    ) -> LossValues {
        let logits = self.relayout(logits);
        let name = self.layer_name("softmax_cross_entropy");
        let operator = Arc::new(SoftmaxCrossEntropy { reduction });
        LossValues::new(&self.apply_all(&name, operator, &[logits, labels]))
    }
}
