//! The logarithm of softmax, which stays finite where a softmax is rounded to zero (PyTorch's
//! `log_softmax`).

use super::{Operator, Reason, elementwise, softmax};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::onnx::{OnnxNode, Translation};
use crate::plan::Lowering;

/// `y_k = x_k − ln Σ_j e^{x_j}` over the channels of each position. The largest x is taken out first,
/// so that nothing overflows; NaN makes the position's channels NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSoftmax;

impl Operator for LogSoftmax {
    fn name(&self) -> &'static str {
        "log_softmax"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        softmax::check(inputs)
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let (y, delta) = (cx.output(0), cx.output_delta()?);
        let dx = cx.apply(LogSoftmaxGrad, &[y, delta]);
        cx.set(0, dx);
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        softmax::lower(cx, true);
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let node = OnnxNode::new("LogSoftmax", [cx.input(0)?]).int("axis", 1);
        cx.result(node);
        Ok(())
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        softmax::flops(inputs, batch, 7)
    }
}

/// `δx_k = δy_k − e^{y_k} Σ_j δy_j` from the result y. Operands: y, δy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSoftmaxGrad;

impl Operator for LogSoftmaxGrad {
    fn name(&self) -> &'static str {
        "log_softmax_grad"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        elementwise::same_type::<2>(inputs)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        softmax::lower_gradient(cx, true);
        Ok(())
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        softmax::flops(inputs, batch, 4)
    }
}

impl Graph {
    /// Applies [`LogSoftmax`] over the channels of an image `[C, H, W]`, at every position, or over
    /// features `[F]`.
    pub fn log_softmax(&mut self, x: Var) -> Var {
        let x = self.relayout(x);
        let name = self.layer_name("log_softmax");
        self.apply(&name, LogSoftmax, &[x])
    }
}
