//! The scaled exponential linear unit (Klambauer, Unterthiner, Mayr and Hochreiter,
//! "Self-normalizing neural networks", NeurIPS 2017).

use super::Reason;
use super::unary::Unary;
use crate::graph::{Graph, Var};
use crate::onnx::Translation;
use crate::shader::{Shader, shader};

/// `y = λx` where `x > 0`, else `λα(eˣ − 1)`, with λ = 1.0507… and α = 1.6733…, for which a normal
/// variable of mean 0 and variance 1 keeps both; NaN stays NaN. The derivative is λ or `λαeˣ`.
///
/// That it does so takes weights of variance `1/fan_in` in front: the default initialiser is
/// LeCun's normal law, which is He's for a rectifier of slope 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selu;

impl Unary for Selu {
    const NAMES: [&'static str; 2] = ["selu", "selu_grad"];
    const SHADER: Shader = shader!("selu");

    fn slope(&self) -> Option<f64> {
        // 2/((1 + 1²)·fan_in) = 1/fan_in, the fixed point that λ and α are made for.
        Some(1.0)
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        cx.plain("Selu")
    }
}

impl Graph {
    /// Applies [`Selu`] to a value of any shape.
    pub fn selu(&mut self, x: Var) -> Var {
        let name = self.layer_name("selu");
        self.apply(&name, Selu, &[x])
    }
}
