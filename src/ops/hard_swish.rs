//! Hard-swish, which does without exponentials (Howard et al., "Searching for MobileNetV3", ICCV
//! 2019).

use super::Reason;
use super::unary::Unary;
use crate::graph::{Graph, Var};
use crate::onnx::Translation;
use crate::shader::{Shader, shader};

/// `y = x · min(max(0, x + 3), 6)/6`; NaN stays NaN. The derivative is 0 where `x ≤ −3`,
/// `x/3 + ½` where `x < 3`, else 1, at ±3 as in PyTorch.
///
/// It counts as a rectifier of slope 0 when the default initialiser is chosen (He's law).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HardSwish;

impl Unary for HardSwish {
    const NAMES: [&'static str; 2] = ["hard_swish", "hard_swish_grad"];
    const SHADER: Shader = shader!("hard_swish");

    fn slope(&self) -> Option<f64> {
        Some(0.0)
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        cx.plain("HardSwish")
    }
}

impl Graph {
    /// Applies [`HardSwish`] to a value of any shape.
    pub fn hard_swish(&mut self, x: Var) -> Var {
        let name = self.layer_name("hard_swish");
        self.apply(&name, HardSwish, &[x])
    }
}
