//! What the losses have in common: a number per sample, their mean or sum, and a gradient that
//! the forward pass computes along the way.
//!
//! Every loss operator has three results: 0 the loss, one number for the batch; 1 the samples'
//! losses; 2 the gradient of the loss with respect to its first operand.

use super::scale::Scale;
use super::{Reason, arity};
use crate::autodiff::Backward;
use crate::graph::{Element, ValueType, Var};
use crate::plan::{BufferId, Lowering};
use crate::shader::{Grid, Kernel, shader};

/// How the losses of a batch become one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// The average: the step does not depend on the batch size. The default.
    #[default]
    Mean,
    /// The sum.
    Sum,
}

impl Reduction {
    /// What a sum of `count` terms is multiplied by: 1/count or 1.
    pub(crate) fn scale(self, count: usize) -> f64 {
        match self {
            Self::Mean => 1.0 / count as f64,
            Self::Sum => 1.0,
        }
    }
}

/// A loss, for the batch and for each of its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LossValues {
    /// The mean or sum over the batch: one number, to take gradients of.
    pub loss: Var,
    /// One number per sample, in the order of the batch. It has no gradient.
    pub per_sample: Var,
    /// What each sample counts in the mean, one number per sample; `None` where all count 1. The
    /// mean is then `Σ per_sample / Σ weights`.
    pub weights: Option<Var>,
}

impl LossValues {
    pub(super) fn new(results: &[Var]) -> Self {
        Self {
            loss: results[0],
            per_sample: results[1],
            weights: None,
        }
    }
}

/// The builder method for the reduction, and the loss with nothing but a reduction.
macro_rules! reduced {
    ($loss:ident) => {
        impl $loss {
            /// Mean, the default, or sum.
            #[must_use]
            pub fn reduction(mut self, reduction: $crate::ops::Reduction) -> Self {
                self.reduction = reduction;
                self
            }
        }

        impl From<$crate::ops::Reduction> for $loss {
            fn from(reduction: $crate::ops::Reduction) -> Self {
                Self::default().reduction(reduction)
            }
        }
    };
}
pub(super) use reduced;

/// The shape rule of losses that compare a vector per sample with the label of a class.
pub(crate) fn logits_and_labels(inputs: &[&ValueType]) -> Result<ValueType, Reason> {
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
    Ok(logits)
}

/// The types of the results of a loss for a first operand of this type.
pub(super) fn results(operand: &ValueType) -> Vec<ValueType> {
    vec![ValueType::fixed([]), ValueType::sample([]), operand.clone()]
}

/// The backward pass: result 2 is the gradient, for a loss that itself has gradient 1.
pub(super) fn gradient(cx: &mut Backward<'_>) -> Result<(), Reason> {
    if cx.wants(1) {
        return Err("the target of a loss has no gradient".to_owned());
    }
    if cx.delta(1).is_some() || cx.delta(2).is_some() {
        return Err("only the loss has a gradient, not the losses per sample".to_owned());
    }
    let worth = cx.output_delta()?;
    let mut delta = cx.output(2);
    if !cx.is_unit(worth) {
        delta = cx.apply(Scale, &[delta, worth]);
    }
    cx.set(0, delta);
    Ok(())
}

/// Numbers that one workgroup adds up.
const SPAN: usize = 4096;

/// Emits `total = factor · Σ values`, divided by `divisor` if there is one, in as many levels as
/// `len` needs.
pub(super) fn lower_total(
    cx: &mut Lowering<'_>,
    values: BufferId,
    len: usize,
    total: BufferId,
    factor: f64,
    divisor: Option<BufferId>,
) {
    let (mut values, mut len) = (values, len);
    while len > SPAN {
        let spans = len.div_ceil(SPAN);
        let partial = cx.temporary("partial_sums", spans);
        cx.dispatch(spans_kernel(values, len, SPAN, partial, 1.0));
        (values, len) = (partial, spans);
    }
    let mut kernel = spans_kernel(values, len, SPAN, total, factor);
    if let Some(divisor) = divisor {
        kernel = kernel.flag("DIVISOR", true).bind("divisor", divisor);
    }
    cx.dispatch(kernel);
}

/// `sums[s] = factor · Σ values[s·span ..]`: sums of `span` neighbours each.
pub(super) fn spans_kernel(
    values: BufferId,
    len: usize,
    span: usize,
    sums: BufferId,
    factor: f64,
) -> Kernel {
    const WORKGROUP: usize = 64;
    let spans = len.div_ceil(span);
    Kernel::new(shader!("sum_spans"), Grid::Threads(spans * WORKGROUP))
        .defines([("LENGTH", len), ("SPAN", span)])
        .constant("factor", factor)
        .bind("x", values)
        .bind("y", sums)
}
