//! The sigmoid-weighted linear unit, also known as swish (Elfwing, Uchibe and Doya,
//! "Sigmoid-weighted linear units for neural network function approximation", 2018).

use super::Reason;
use super::unary::Unary;
use crate::graph::{Graph, Var};
use crate::onnx::{OnnxNode, Translation};
use crate::shader::{Shader, shader};

/// `y = x·σ(x)` with `σ(x) = 1/(1 + e⁻ˣ)`; NaN stays NaN. The derivative is
/// `σ(x) + x·σ(x)·(1 − σ(x))`.
///
/// It counts as a rectifier of slope 0 when the default initialiser is chosen (He's law).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silu;

impl Unary for Silu {
    const NAMES: [&'static str; 2] = ["silu", "silu_grad"];
    const SHADER: Shader = shader!("silu");

    fn slope(&self) -> Option<f64> {
        Some(0.0)
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let x = cx.input(0)?;
        let sigmoid = cx.step(OnnxNode::new("Sigmoid", [x.clone()]));
        cx.result(OnnxNode::new("Mul", [x, sigmoid]));
        Ok(())
    }
}

impl Graph {
    /// Applies [`Silu`] to a value of any shape.
    pub fn silu(&mut self, x: Var) -> Var {
        let name = self.layer_name("silu");
        self.apply(&name, Silu, &[x])
    }
}
