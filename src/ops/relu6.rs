//! The rectifier with a ceiling (Krizhevsky, "Convolutional deep belief networks on CIFAR-10",
//! 2010).

use super::Reason;
use super::unary::Unary;
use crate::graph::{Graph, Var};
use crate::onnx::{OnnxNode, Translation};
use crate::shader::{Shader, shader};

/// `y = min(max(0, x), 6)`; NaN stays NaN. The derivative is 1 where `0 < x < 6`, else 0.
///
/// It counts as a rectifier of slope 0 when the default initialiser is chosen (He's law).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relu6;

impl Unary for Relu6 {
    const NAMES: [&'static str; 2] = ["relu6", "relu6_grad"];
    const SHADER: Shader = shader!("relu6");

    fn slope(&self) -> Option<f64> {
        Some(0.0)
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let (zero, six) = (cx.number(0.0), cx.number(6.0));
        let node = OnnxNode::new("Clip", [cx.input(0)?, zero, six]);
        cx.result(node);
        Ok(())
    }
}

impl Graph {
    /// Applies [`Relu6`] to a value of any shape.
    pub fn relu6(&mut self, x: Var) -> Var {
        let name = self.layer_name("relu6");
        self.apply(&name, Relu6, &[x])
    }
}
