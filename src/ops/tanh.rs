//! The hyperbolic tangent: `tanh(x) = (eˣ − e⁻ˣ)/(eˣ + e⁻ˣ)`.

use super::{Operator, Reason, elementwise};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::onnx::Translation;
use crate::plan::Lowering;
use crate::shader::shader;

/// `y = tanh(x)`, element by element, without overflow; NaN stays NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tanh;

impl Operator for Tanh {
    fn name(&self) -> &'static str {
        "tanh"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        elementwise::same_type::<1>(inputs)
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let delta = cx.output_delta()?;
        let y = cx.output(0);
        let dx = cx.apply(TanhGrad, &[y, delta]);
        cx.set(0, dx);
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        elementwise::lower(cx, shader!("tanh"), &["x"], "y", &[]);
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        cx.plain("Tanh")
    }
}

/// `δx = δy · (1 − y²)` from the result y. Operands: y, δy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TanhGrad;

impl Operator for TanhGrad {
    fn name(&self) -> &'static str {
        "tanh_grad"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        elementwise::same_type::<2>(inputs)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        elementwise::lower(cx, shader!("tanh_grad"), &["y", "dy"], "dx", &[]);
        Ok(())
    }
}

impl Graph {
    /// Applies [`Tanh`] to a value of any shape.
    pub fn tanh(&mut self, x: Var) -> Var {
        let name = self.layer_name("tanh");
        self.apply(&name, Tanh, &[x])
    }
}
