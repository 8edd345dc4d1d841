//! Operators: one file per stem, found again in `shaders/`, `tests/reference/` and
//! `tests/ops/`.
//!
//! An operator is a small struct of attributes that implements [`Operator`]: its shape rule,
//! its gradient as graph nodes, and the kernels that compute it. Operators from outside the
//! crate implement the same trait.

use std::any::Any;
use std::fmt::Debug;

use crate::autodiff::Backward;
use crate::graph::ValueType;
use crate::onnx::Translation;
use crate::plan::{Lowering, Mode};

pub mod adaptive_max_pool2d;
pub mod adaptive_mean_pool2d;
pub mod add;
pub mod batch_norm;
pub mod binary_cross_entropy;
pub(crate) mod bins;
pub mod celu;
pub mod channel_dropout;
pub mod channel_sum;
pub mod choice;
pub mod concat;
pub mod conv2d;
pub mod conv_transpose2d;
pub(crate) mod copy;
pub(crate) mod draws;
pub mod dropout;
pub(crate) mod elementwise;
pub mod elu;
pub mod gelu;
pub mod global_mean_pool;
pub mod group_norm;
pub mod hard_sigmoid;
pub mod hard_swish;
pub mod hinge_loss;
pub mod huber_loss;
pub mod l1_loss;
pub mod leaky_relu;
pub mod linear;
pub mod local_response_norm;
pub mod log_softmax;
pub mod loss;
pub mod max_pool2d;
pub mod mean_pool2d;
pub mod mish;
pub mod mse;
pub mod multiply;
pub(crate) mod ones;
mod pointwise_loss;
pub(crate) mod pool_window;
pub mod prelu;
pub mod rectified_max_pool2d;
pub mod registry;
pub mod relayout;
pub mod relu;
pub mod relu6;
pub mod reshape;
pub mod rrelu;
pub mod scale;
pub mod scale_shift;
pub mod selu;
pub mod sigmoid;
pub mod silu;
pub mod slice;
pub mod softmax;
pub mod softmax_cross_entropy;
pub mod softplus;
pub(crate) mod split;
pub mod stochastic_depth;
pub(crate) mod sum_partials;
pub mod tanh;
pub(crate) mod tile;
pub mod training;
pub(crate) mod unary;
pub mod upsample;
pub mod window;
pub mod zero_pad;

pub use adaptive_max_pool2d::AdaptiveMaxPool2d;
pub use adaptive_mean_pool2d::AdaptiveMeanPool2d;
pub use batch_norm::BatchNorm;
pub use binary_cross_entropy::BinaryCrossEntropy;
pub use celu::Celu;
pub use channel_dropout::ChannelDropout;
pub use conv_transpose2d::ConvTranspose2d;
pub use conv2d::Conv2d;
pub use dropout::Dropout;
pub use elu::Elu;
pub use gelu::Gelu;
pub use group_norm::{GroupNorm, InstanceNorm, LayerNorm};
pub use hinge_loss::HingeLoss;
pub use huber_loss::HuberLoss;
pub use l1_loss::L1Loss;
pub use leaky_relu::LeakyRelu;
pub use linear::Linear;
pub use local_response_norm::LocalResponseNorm;
pub use loss::{LossValues, Reduction};
pub use max_pool2d::MaxPool2d;
pub use mean_pool2d::MeanPool2d;
pub use mse::MeanSquaredError;
pub use prelu::Prelu;
pub use rrelu::Rrelu;
pub use slice::Slice;
pub use softmax_cross_entropy::SoftmaxCrossEntropy;
pub use softplus::Softplus;
pub use stochastic_depth::StochasticDepth;
pub use upsample::Upsample;
pub use window::{Padding, Sides, Window2d};
pub use zero_pad::ZeroPad;

/// What a reason for a refusal is given as: the layer's path is added by the graph.
pub type Reason = String;

/// An operator of the graph.
pub trait Operator: Any + Debug + Send + Sync {
    /// The stem: `conv2d`, `prelu_grad`.
    fn name(&self) -> &'static str;

    /// The types of the results for these operands.
    ///
    /// # Errors
    /// A sentence with the shapes when they do not fit; the graph adds the layer's path.
    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason>;

    /// Adds the nodes that compute δ of the operands from δ of the results.
    ///
    /// # Errors
    /// A sentence when there is no gradient; operators that are themselves gradients have none.
    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let _ = cx;
        Err(format!("{} has no gradient", self.name()))
    }

    /// Emits the kernels that compute the results.
    ///
    /// # Errors
    /// A sentence when the adapter cannot run it.
    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason>;

    /// Says the operator's form in ONNX, for exporting a network that has it.
    ///
    /// # Errors
    /// A sentence when it has none; the export adds the layer's path.
    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let _ = cx;
        Err(format!("{} has no ONNX form", self.name()))
    }

    /// Whether the first result is the first operand in the same memory (a reshape, dropout
    /// in evaluation); it is then not lowered.
    fn is_view(&self, mode: Mode) -> bool {
        let _ = mode;
        false
    }

    /// Whether its kernels pass what they store as first result through `finish` of
    /// `wgrad::epilogue`, and tell [`Lowering::epilogue`] of the kernel that does. The planner
    /// then fuses a residual sum and a rectifier behind it into that kernel.
    fn takes_epilogue(&self) -> bool {
        false
    }

    /// Whether it changes persistent memory and must run though nobody reads its results.
    fn acts(&self) -> bool {
        false
    }

    /// The slope for negative inputs if this is a rectifier, for the default initialiser: He's
    /// law for this slope. Smooth rectifiers say 0; SELU says 1, which is LeCun's law.
    fn rectifier_slope(&self) -> Option<f64> {
        None
    }

    /// Whether a rectifier behind this operator still decides the initialiser of the layer
    /// in front: true for normalisation, pooling, sums, reshapes.
    fn keeps_distribution(&self) -> bool {
        false
    }

    /// Floating-point operations for a batch, multiplications and additions counted each.
    fn flops(&self, inputs: &[&ValueType], outputs: &[&ValueType], batch: usize) -> u64 {
        let _ = inputs;
        outputs.iter().map(|o| o.logical_len(batch) as u64).sum()
    }
}

/// Helper of shape rules: the `[C, H, W]` of an operand in the standard layout.
pub(crate) fn image(value_type: &ValueType) -> Result<[usize; 3], Reason> {
    match value_type.shape.image() {
        Some(shape) if value_type.is_standard() => Ok(shape),
        _ => Err(format!(
            "an image of shape [channels, height, width] is needed, the input is {}",
            value_type.shape
        )),
    }
}

/// Shape rule of the gradients of operators from an image `input` to an image `output`, whose one
/// operand is δ of the result.
pub(crate) fn image_gradient(
    inputs: &[&ValueType],
    input: [usize; 3],
    output: [usize; 3],
) -> Result<Vec<ValueType>, Reason> {
    let [delta] = arity::<1>(inputs)?;
    if image(&delta)? != output {
        return Err(format!(
            "the gradient {} does not fit the result {output:?}",
            delta.shape
        ));
    }
    Ok(vec![ValueType {
        batched: delta.batched,
        ..ValueType::sample(input)
    }])
}

/// Helper of shape rules: exactly this many operands.
pub(crate) fn arity<const N: usize>(inputs: &[&ValueType]) -> Result<[ValueType; N], Reason> {
    let owned: Vec<ValueType> = inputs.iter().map(|t| (*t).clone()).collect();
    <[ValueType; N]>::try_from(owned)
        .map_err(|_| format!("{N} operands are needed, {} were given", inputs.len()))
}
