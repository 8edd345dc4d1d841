//! Softmax (Bridle, "Training stochastic model recognition algorithms as networks", 1990).

use super::{Operator, Reason, arity, elementwise};
use crate::autodiff::Backward;
use crate::graph::{Element, Graph, ValueType, Var};
use crate::layout::LANES;
use crate::onnx::{OnnxNode, Translation};
use crate::plan::Lowering;
use crate::shader::{Grid, Kernel, Shader, shader};

/// `y_k = e^{x_k} / Σ_j e^{x_j}` over the channels of each position: positive numbers that sum to 1.
/// The largest x is taken out first, so that nothing overflows; NaN makes the position's channels
/// NaN.
///
/// For a loss give the logits to [`Graph::softmax_cross_entropy`], which loses no digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Softmax;

/// More channels than this are shared by the invocations of a workgroup.
const WIDE: usize = 64;

/// The shape rule of operators over the channels of each position.
pub(super) fn check(inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
    let [x] = arity::<1>(inputs)?;
    match x.is_standard() && !x.shape.is_empty() && x.element == Element::F32 {
        true => Ok(vec![x]),
        false => Err(format!(
            "an image or features are needed, the input is {}",
            x.shape
        )),
    }
}

/// `y` from `x`: softmax, or its logarithm.
pub(super) fn lower(cx: &mut Lowering<'_>, logarithm: bool) {
    dispatch(cx, shader!("softmax"), &["x"], "y", logarithm);
}

/// `dx` from `y` and `dy`.
pub(super) fn lower_gradient(cx: &mut Lowering<'_>, logarithm: bool) {
    dispatch(cx, shader!("softmax_grad"), &["y", "dy"], "dx", logarithm);
}

/// One dispatch over the channels of each position, with the operands under these names.
fn dispatch(
    cx: &mut Lowering<'_>,
    shader: Shader,
    operands: &[&'static str],
    result: &'static str,
    logarithm: bool,
) {
    let output = cx.output(0);
    let channels = output.value_type.shape.first().copied().unwrap_or(1);
    let rows = output.len / (channels.div_ceil(LANES) * LANES);
    let wide = channels > WIDE;
    let threads = if wide { rows.saturating_mul(64) } else { rows };
    let mut kernel = Kernel::new(shader, Grid::Threads(threads))
        .defines([("ROWS", rows), ("CHANNELS", channels)])
        .flag("WIDE", wide)
        .flag("LOG", logarithm)
        .bind(result, &output);
    for (index, name) in operands.iter().enumerate() {
        kernel = kernel.bind(name, &cx.input(index));
    }
    cx.dispatch(kernel);
}

/// So many operations for each element of the first operand.
pub(super) fn flops(inputs: &[&ValueType], batch: usize, per_element: u64) -> u64 {
    let elements = inputs.first().map_or(0, |x| x.logical_len(batch) as u64);
    per_element * elements
}

impl Operator for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        check(inputs)
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let (y, delta) = (cx.output(0), cx.output_delta()?);
        let dx = cx.apply(SoftmaxGrad, &[y, delta]);
        cx.set(0, dx);
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        lower(cx, false);
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let node = OnnxNode::new("Softmax", [cx.input(0)?]).int("axis", 1);
        cx.result(node);
        Ok(())
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        // A comparison; twice a difference and an exponential; a sum and a quotient.
        flops(inputs, batch, 7)
    }
}

/// `δx_k = y_k (δy_k − Σ_j y_j δy_j)` from the result y. Operands: y, δy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoftmaxGrad;

impl Operator for SoftmaxGrad {
    fn name(&self) -> &'static str {
        "softmax_grad"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        elementwise::same_type::<2>(inputs)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        lower_gradient(cx, false);
        Ok(())
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        flops(inputs, batch, 4)
    }
}

impl Graph {
    /// Applies [`Softmax`] over the channels of an image `[C, H, W]`, at every position, or over
    /// features `[F]`.
    pub fn softmax(&mut self, x: Var) -> Var {
        let x = self.relayout(x);
        let name = self.layer_name("softmax");
        self.apply(&name, Softmax, &[x])
    }
}
