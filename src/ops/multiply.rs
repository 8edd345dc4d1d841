//! The product of two values: a gate, an attention map, a mask.

use super::{Operator, Reason, elementwise};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::onnx::Translation;
use crate::plan::Lowering;
use crate::shader::shader;

/// `y = a · b`, element by element. `δa = δy · b` and `δb = δy · a`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Multiply;

impl Operator for Multiply {
    fn name(&self) -> &'static str {
        "multiply"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        elementwise::same_type::<2>(inputs)
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let delta = cx.output_delta()?;
        for (operand, other) in [(0, 1), (1, 0)] {
            if cx.wants(operand) {
                let factor = cx.input(other);
                let gradient = cx.apply(Self, &[delta, factor]);
                cx.set(operand, gradient);
            }
        }
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        elementwise::lower(cx, shader!("multiply"), &["a", "b"], "y", &[]);
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        cx.plain("Mul")
    }
}

impl Graph {
    /// Multiplies two values of one shape, such as features and their gate.
    ///
    /// ```
    /// use wgrad::graph::Graph;
    ///
    /// let mut graph = Graph::new();
    /// let x = graph.input("image", [16, 8, 8]);
    /// let gate = graph.sigmoid(x);
    /// let y = graph.multiply(x, gate); // SiLU
    /// assert_eq!(graph.shape(y), graph.shape(x));
    /// ```
    pub fn multiply(&mut self, a: Var, b: Var) -> Var {
        let (a, b) = match self.type_of(a).layout == self.type_of(b).layout {
            true => (a, b),
            false => (self.relayout(a), self.relayout(b)),
        };
        let name = self.layer_name("multiply");
        self.apply(&name, Multiply, &[a, b])
    }
}
