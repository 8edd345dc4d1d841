//! The continuously differentiable exponential linear unit (Barron, "Continuously differentiable
//! exponential linear units", 2017).

use super::Reason;
use super::unary::Unary;
use crate::graph::{Graph, Var};
use crate::onnx::{OnnxNode, Translation};
use crate::shader::{Kernel, Shader, shader};

/// `y = x` where `x > 0`, else `α(e^{x/α} − 1)`; NaN stays NaN. The derivative, 1 or `e^{x/α}`, is
/// continuous for every α; for α = 1 it is [`Elu`](super::Elu).
///
/// It counts as a rectifier of slope 0 when the default initialiser is chosen (He's law).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Celu {
    alpha: f64,
}

impl Celu {
    /// With this α, above 0; `−α` is the limit for large negative inputs.
    pub const fn new(alpha: f64) -> Self {
        Self { alpha }
    }
}

impl Default for Celu {
    /// α = 1.
    fn default() -> Self {
        Self::new(1.0)
    }
}

impl Unary for Celu {
    const NAMES: [&'static str; 2] = ["celu", "celu_grad"];
    const SHADER: Shader = shader!("celu");

    fn slope(&self) -> Option<f64> {
        Some(0.0)
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let node = OnnxNode::new("Celu", [cx.input(0)?]).float("alpha", self.alpha);
        cx.result(node);
        Ok(())
    }

    fn check(&self) -> Result<(), Reason> {
        match self.alpha.is_finite() && self.alpha > 0.0 {
            true => Ok(()),
            false => Err(format!(
                "alpha must be a number above 0, it is {}",
                self.alpha
            )),
        }
    }

    fn configure(&self, kernel: Kernel) -> Kernel {
        kernel.constant("alpha", self.alpha)
    }
}

impl Graph {
    /// Applies [`Celu`] to a value of any shape.
    pub fn celu(&mut self, x: Var, celu: Celu) -> Var {
        let name = self.layer_name("celu");
        self.apply(&name, celu, &[x])
    }
}
