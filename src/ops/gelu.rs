//! The Gaussian error linear unit (Hendrycks and Gimpel, "Gaussian error linear units", 2016).

use super::Reason;
use super::unary::Unary;
use crate::graph::{Graph, Var};
use crate::onnx::{OnnxNode, Translation};
use crate::shader::{Kernel, Shader, shader};

/// `y = x·Φ(x)`, where `Φ(x) = ½(1 + erf(x/√2))` is the chance of a standard normal variable to lie
/// below x; NaN stays NaN. The derivative is `Φ(x) + x·Φ′(x)`.
///
/// In the form [`Gelu::tanh`], `½(1 + tanh(√(2/π)(x + 0.044715x³)))` stands for Φ, which differs from
/// it by less than 0.0003. WGSL has no erf; Φ is computed from the approximation of erfc in Press et
/// al., "Numerical recipes", section 6.2, with a relative error below 1.2e-7.
///
/// It counts as a rectifier of slope 0 when the default initialiser is chosen (He's law).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gelu {
    tanh: bool,
}

impl Gelu {
    /// The exact form, PyTorch's default.
    pub const fn new() -> Self {
        Self { tanh: false }
    }

    /// The form with tanh, PyTorch's `approximate="tanh"`.
    pub const fn tanh() -> Self {
        Self { tanh: true }
    }
}

impl Default for Gelu {
    fn default() -> Self {
        Self::new()
    }
}

impl Unary for Gelu {
    const NAMES: [&'static str; 2] = ["gelu", "gelu_grad"];
    const SHADER: Shader = shader!("gelu");

    fn slope(&self) -> Option<f64> {
        Some(0.0)
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        // ONNX has it from opset 20 on.
        let x = cx.input(0)?;
        let inner = match self.tanh {
            false => {
                let root = cx.number(2.0_f64.sqrt());
                let scaled = cx.step(OnnxNode::new("Div", [x.clone(), root]));
                cx.step(OnnxNode::new("Erf", [scaled]))
            }
            true => {
                let (three, cubic) = (cx.number(3.0), cx.number(0.044_715));
                let cube = cx.step(OnnxNode::new("Pow", [x.clone(), three]));
                let cube = cx.step(OnnxNode::new("Mul", [cube, cubic]));
                let sum = cx.step(OnnxNode::new("Add", [x.clone(), cube]));
                let root = cx.number((2.0 / std::f64::consts::PI).sqrt());
                let scaled = cx.step(OnnxNode::new("Mul", [sum, root]));
                cx.step(OnnxNode::new("Tanh", [scaled]))
            }
        };
        let (one, half) = (cx.number(1.0), cx.number(0.5));
        let sum = cx.step(OnnxNode::new("Add", [inner, one]));
        let share = cx.step(OnnxNode::new("Mul", [sum, half]));
        cx.result(OnnxNode::new("Mul", [x, share]));
        Ok(())
    }

    fn configure(&self, kernel: Kernel) -> Kernel {
        kernel.flag("TANH", self.tanh)
    }
}

impl Graph {
    /// Applies [`Gelu`] to a value of any shape.
    pub fn gelu(&mut self, x: Var, gelu: Gelu) -> Var {
        let name = self.layer_name("gelu");
        self.apply(&name, gelu, &[x])
    }
}
