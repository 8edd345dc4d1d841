//! Softplus, a smooth rectifier (Dugas, Bengio, Bélisle, Nadeau and Garcia, "Incorporating
//! second-order functional knowledge for better option pricing", NIPS 2000).

use super::Reason;
use super::unary::Unary;
use crate::graph::{Graph, Var};
use crate::onnx::{OnnxNode, Translation};
use crate::shader::{Kernel, Shader, shader};

/// `y = ln(1 + e^{βx})/β`, without overflow; NaN stays NaN. The derivative is `1/(1 + e^{−βx})`.
///
/// PyTorch takes y = x beyond `βx = 20`, where the two are equal in f32; there is no such threshold
/// here. It counts as a rectifier of slope 0 when the default initialiser is chosen (He's law).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softplus {
    beta: f64,
}

impl Softplus {
    /// With this sharpness β, above 0.
    pub const fn new(beta: f64) -> Self {
        Self { beta }
    }
}

impl Default for Softplus {
    /// β = 1.
    fn default() -> Self {
        Self::new(1.0)
    }
}

impl Unary for Softplus {
    const NAMES: [&'static str; 2] = ["softplus", "softplus_grad"];
    const SHADER: Shader = shader!("softplus");
    const KEEPS_ZERO: bool = false;

    fn slope(&self) -> Option<f64> {
        Some(0.0)
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        if self.beta == 1.0 {
            return cx.plain("Softplus");
        }
        let beta = cx.number(self.beta);
        let sharper = OnnxNode::new("Mul", [cx.input(0)?, beta.clone()]);
        let sharper = cx.step(sharper);
        let softplus = cx.step(OnnxNode::new("Softplus", [sharper]));
        cx.result(OnnxNode::new("Div", [softplus, beta]));
        Ok(())
    }

    fn check(&self) -> Result<(), Reason> {
        match self.beta.is_finite() && self.beta > 0.0 {
            true => Ok(()),
            false => Err(format!(
                "beta must be a number above 0, it is {}",
                self.beta
            )),
        }
    }

    fn configure(&self, kernel: Kernel) -> Kernel {
        kernel.constant("beta", self.beta)
    }
}

impl Graph {
    /// Applies [`Softplus`] to a value of any shape.
    pub fn softplus(&mut self, x: Var, softplus: Softplus) -> Var {
        let name = self.layer_name("softplus");
        self.apply(&name, softplus, &[x])
    }
}
