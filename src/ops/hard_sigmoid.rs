//! Hard-sigmoid, a logistic function of three straight lines (Howard et al., "Searching for
//! MobileNetV3", ICCV 2019).

use super::Reason;
use super::unary::Unary;
use crate::graph::{Graph, Var};
use crate::onnx::{OnnxNode, Translation};
use crate::shader::{Shader, shader};

/// `y = min(max(0, x + 3), 6)/6`; NaN stays NaN. The derivative is 1/6 where `−3 < x < 3`, else 0.
///
/// It is no rectifier: the default initialiser in front is Xavier's, as for a sigmoid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HardSigmoid;

impl Unary for HardSigmoid {
    const NAMES: [&'static str; 2] = ["hard_sigmoid", "hard_sigmoid_grad"];
    const SHADER: Shader = shader!("hard_sigmoid");
    const KEEPS_ZERO: bool = false;

    fn slope(&self) -> Option<f64> {
        None
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let node = OnnxNode::new("HardSigmoid", [cx.input(0)?]);
        cx.result(node.float("alpha", 1.0 / 6.0).float("beta", 0.5));
        Ok(())
    }
}

impl Graph {
    /// Applies [`HardSigmoid`] to a value of any shape.
    pub fn hard_sigmoid(&mut self, x: Var) -> Var {
        let name = self.layer_name("hard_sigmoid");
        self.apply(&name, HardSigmoid, &[x])
    }
}
