//! Losses that are a sum over elements of a function of prediction and truth.

use super::loss::{self, Reduction};
use super::{Reason, elementwise};
use crate::graph::{Element, ValueType};
use crate::layout::LANES;
use crate::plan::Lowering;
use crate::shader::{Grid, Kernel, Shader};

/// Vec4s of a sample for one invocation.
const VECS_PER_INVOCATION: usize = 16;

/// The shape rule for a prediction and a target of one shape and layout.
pub(super) fn infer(inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
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

/// What tells one of these losses from another.
pub(super) struct Pointwise {
    /// Learns SAMPLES, VECS and CHUNKS; binds `prediction`, `truth`, `sums` and, with DELTA,
    /// `delta`; is given `factor` for the sums and `delta_factor` for δ.
    pub shader: Shader,
    /// Mean or sum.
    pub reduction: Reduction,
    /// The terms of a sample over which the mean is taken.
    pub terms: usize,
    /// What the kernel's sums are multiplied by besides.
    pub factor: f64,
    /// What its δ is multiplied by besides.
    pub delta_factor: f64,
}

impl Pointwise {
    /// Emits the kernels; `configure` adds what the loss's own kernel needs beyond the above.
    pub fn lower(&self, cx: &mut Lowering<'_>, configure: impl FnOnce(Kernel) -> Kernel) {
        let (prediction, truth) = (cx.input(0), cx.input(1));
        let (total, losses) = (cx.output(0), cx.output(1));
        let samples = cx.batch();
        let of_terms = self.reduction.scale(self.terms);
        let of_batch = self.reduction.scale(samples);

        let vecs = prediction.value_type.layout.size() / LANES;
        let chunks = vecs.div_ceil(VECS_PER_INVOCATION);
        let parts = samples.saturating_mul(chunks);
        let of_sample = self.factor * of_terms;
        let (sums, factor) = match chunks {
            1 => (losses.buffer, of_sample),
            _ => (cx.temporary("partial_sums", parts), 1.0),
        };
        let mut kernel = Kernel::new(self.shader, Grid::Threads(parts))
            .defines([("SAMPLES", samples), ("VECS", vecs), ("CHUNKS", chunks)])
            .constant("factor", factor)
            .bind("prediction", &prediction)
            .bind("truth", &truth)
            .bind("sums", sums);
        if cx.is_used(2) {
            let delta = cx.output(2);
            kernel = kernel
                .flag("DELTA", true)
                .constant("delta_factor", self.delta_factor * of_terms * of_batch)
                .bind("delta", &delta);
        }
        cx.dispatch(configure(kernel));
        if chunks > 1 {
            cx.dispatch(loss::spans_kernel(
                sums,
                parts,
                chunks,
                losses.buffer,
                of_sample,
            ));
        }
        if cx.is_used(0) {
            loss::lower_total(cx, losses.buffer, samples, total.buffer, of_batch, None);
        }
    }
}

/// Floating-point operations: some per element of the prediction.
pub(super) fn flops(inputs: &[&ValueType], batch: usize, per_element: u64) -> u64 {
    inputs
        .first()
        .map_or(0, |p| per_element * p.logical_len(batch) as u64)
}
