//! The exponential linear unit (Clevert, Unterthiner and Hochreiter, "Fast and accurate deep
//! network learning by exponential linear units", ICLR 2016).

use super::Reason;
use super::unary::Unary;
use crate::graph::{Graph, Var};
use crate::onnx::{OnnxNode, Translation};
use crate::shader::{Kernel, Shader, shader};

/// `y = x` where `x > 0`, else `α(eˣ − 1)`; NaN stays NaN. The derivative is 1 or `αeˣ`.
///
/// It counts as a rectifier of slope 0 when the default initialiser is chosen (He's law).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elu {
    alpha: f64,
}

impl Elu {
    /// With this α, any finite number; `−α` is the limit for large negative inputs.
    pub const fn new(alpha: f64) -> Self {
        Self { alpha }
    }
}

impl Default for Elu {
    /// α = 1.
    fn default() -> Self {
        Self::new(1.0)
    }
}

impl Unary for Elu {
    const NAMES: [&'static str; 2] = ["elu", "elu_grad"];
    const SHADER: Shader = shader!("elu");

    fn slope(&self) -> Option<f64> {
        Some(0.0)
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let node = OnnxNode::new("Elu", [cx.input(0)?]).float("alpha", self.alpha);
        cx.result(node);
        Ok(())
    }

    fn check(&self) -> Result<(), Reason> {
        match self.alpha.is_finite() {
            true => Ok(()),
            false => Err(format!(
                "alpha must be a finite number, it is {}",
                self.alpha
            )),
        }
    }

    fn configure(&self, kernel: Kernel) -> Kernel {
        kernel.constant("alpha", self.alpha)
    }
}

impl Graph {
    /// Applies [`Elu`] to a value of any shape.
    pub fn elu(&mut self, x: Var, elu: Elu) -> Var {
        let name = self.layer_name("elu");
        self.apply(&name, elu, &[x])
    }
}
