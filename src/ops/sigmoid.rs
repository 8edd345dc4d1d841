//! The logistic function: `σ(x) = 1/(1 + e⁻ˣ)`.

use super::{Operator, Reason, elementwise};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::onnx::Translation;
use crate::plan::Lowering;
use crate::shader::shader;

/// `y = 1/(1 + e⁻ˣ)`, element by element, without overflow; NaN stays NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sigmoid;

impl Operator for Sigmoid {
    fn name(&self) -> &'static str {
        "sigmoid"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let types = elementwise::same_type::<1>(inputs)?;
        for value_type in &types {
            elementwise::padded_channels(value_type)?;
        }
        Ok(types)
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let delta = cx.output_delta()?;
        let y = cx.output(0);
        let dx = cx.apply(SigmoidGrad, &[y, delta]);
        cx.set(0, dx);
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (x, y) = (cx.input(0), cx.output(0));
        let mut kernel = elementwise::kernel(shader!("sigmoid"), "y", &y).bind("x", &x);
        if let Some(channels) = elementwise::padded_channels(&y.value_type)? {
            kernel = kernel.define("CHANNELS", channels);
        }
        cx.dispatch(kernel);
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        cx.plain("Sigmoid")
    }
}

/// `δx = δy · y(1 − y)` from the result y. Operands: y, δy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigmoidGrad;

impl Operator for SigmoidGrad {
    fn name(&self) -> &'static str {
        "sigmoid_grad"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        elementwise::same_type::<2>(inputs)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        elementwise::lower(cx, shader!("sigmoid_grad"), &["y", "dy"], "dx", &[]);
        Ok(())
    }
}

impl Graph {
    /// Applies [`Sigmoid`] to a value of any shape.
    pub fn sigmoid(&mut self, x: Var) -> Var {
        let name = self.layer_name("sigmoid");
        self.apply(&name, Sigmoid, &[x])
    }
}
