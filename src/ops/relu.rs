//! The rectified linear unit (Nair and Hinton 2010): `f(y) = max(0, y)`.

use super::{Operator, Reason, elementwise};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::onnx::Translation;
use crate::plan::Lowering;
use crate::shader::shader;

/// `y = max(0, x)`, element by element; NaN stays NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relu;

impl Operator for Relu {
    fn name(&self) -> &'static str {
        "relu"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        elementwise::same_type::<1>(inputs)
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let delta = cx.output_delta()?;
        // The result tells as well as the operand where x > 0, and the next layer keeps it anyway.
        let y = cx.output(0);
        let dx = cx.apply(ReluGrad, &[y, delta]);
        cx.set(0, dx);
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        elementwise::lower(cx, shader!("relu"), &["x"], "y", &[]);
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        cx.plain("Relu")
    }

    fn rectifier_slope(&self) -> Option<f64> {
        Some(0.0)
    }
}

/// `δx = δy` where `y > 0`, which is where `x > 0`, else 0. Operands: y, δy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReluGrad;

impl Operator for ReluGrad {
    fn name(&self) -> &'static str {
        "relu_grad"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        elementwise::same_type::<2>(inputs)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        elementwise::lower(cx, shader!("relu_grad"), &["y", "dy"], "dx", &[]);
        Ok(())
    }
}

impl Graph {
    /// Applies [`Relu`] to a value of any shape.
    pub fn relu(&mut self, x: Var) -> Var {
        let name = self.layer_name("relu");
        self.apply(&name, Relu, &[x])
    }
}
