//! The leaky rectifier (Maas, Hannun and Ng 2013): a small fixed slope for negative inputs.

use super::{Operator, Reason, elementwise};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::onnx::{OnnxNode, Translation};
use crate::plan::Lowering;
use crate::shader::shader;

/// `y = x` where `x > 0`, else `slope · x`, element by element; NaN stays NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeakyRelu {
    slope: f64,
}

impl LeakyRelu {
    /// With this slope for negative inputs; any finite number.
    pub const fn new(slope: f64) -> Self {
        Self { slope }
    }

    pub(crate) const fn slope(self) -> f64 {
        self.slope
    }
}

impl Default for LeakyRelu {
    /// A slope of 0.01.
    fn default() -> Self {
        Self::new(0.01)
    }
}

impl Operator for LeakyRelu {
    fn name(&self) -> &'static str {
        "leaky_relu"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        if !self.slope.is_finite() {
            return Err(format!("the slope {} is not a finite number", self.slope));
        }
        elementwise::same_type::<1>(inputs)
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let delta = cx.output_delta()?;
        let x = cx.input(0);
        let dx = cx.apply(LeakyReluGrad { slope: self.slope }, &[x, delta]);
        cx.set(0, dx);
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let constants = [("slope", self.slope)];
        elementwise::lower(cx, shader!("leaky_relu"), &["x"], "y", &constants);
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let node = OnnxNode::new("LeakyRelu", [cx.input(0)?]).float("alpha", self.slope);
        cx.result(node);
        Ok(())
    }

    fn rectifier_slope(&self) -> Option<f64> {
        Some(self.slope)
    }
}

/// `δx = δy` where `x > 0`, else `slope · δy`. Operands: x, δy. From the input, because a
/// negative slope makes the output's sign say nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeakyReluGrad {
    slope: f64,
}

impl Operator for LeakyReluGrad {
    fn name(&self) -> &'static str {
        "leaky_relu_grad"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        elementwise::same_type::<2>(inputs)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let constants = [("slope", self.slope)];
        elementwise::lower(
            cx,
            shader!("leaky_relu_grad"),
            &["x", "dy"],
            "dx",
            &constants,
        );
        Ok(())
    }
}

impl Graph {
    /// Applies [`LeakyRelu`] to a value of any shape.
    pub fn leaky_relu(&mut self, x: Var, leaky_relu: LeakyRelu) -> Var {
        let name = self.layer_name("leaky_relu");
        self.apply(&name, leaky_relu, &[x])
    }
}
