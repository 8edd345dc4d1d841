//! Mish (Misra, "Mish: a self regularized non-monotonic activation function", BMVC 2020).

use super::Reason;
use super::unary::Unary;
use crate::graph::{Graph, Var};
use crate::onnx::{OnnxNode, Translation};
use crate::shader::{Shader, shader};

/// `y = x·t` with `t = tanh(ln(1 + eˣ))`; NaN stays NaN. The derivative is `t + x·(1 − t²)·σ(x)`
/// with `σ(x) = 1/(1 + e⁻ˣ)`.
///
/// It counts as a rectifier of slope 0 when the default initialiser is chosen (He's law).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mish;

impl Unary for Mish {
    const NAMES: [&'static str; 2] = ["mish", "mish_grad"];
    const SHADER: Shader = shader!("mish");

    fn slope(&self) -> Option<f64> {
        Some(0.0)
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let x = cx.input(0)?;
        let softplus = cx.step(OnnxNode::new("Softplus", [x.clone()]));
        let tanh = cx.step(OnnxNode::new("Tanh", [softplus]));
        cx.result(OnnxNode::new("Mul", [x, tanh]));
        Ok(())
    }
}

impl Graph {
    /// Applies [`Mish`] to a value of any shape.
    pub fn mish(&mut self, x: Var) -> Var {
        let name = self.layer_name("mish");
        self.apply(&name, Mish, &[x])
    }
}
