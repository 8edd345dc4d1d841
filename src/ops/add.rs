//! The sum of two values: the join of a residual branch.

use super::{Operator, Reason, elementwise};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::onnx::Translation;
use crate::plan::Lowering;
use crate::shader::shader;

/// `y = a + b`, element by element. `δa = δb = δy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Add;

impl Operator for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        elementwise::same_type::<2>(inputs)
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let delta = cx.output_delta()?;
        cx.set(0, delta);
        cx.set(1, delta);
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        elementwise::lower(cx, shader!("add"), &["a", "b"], "y", &[]);
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        cx.plain("Add")
    }

    fn keeps_distribution(&self) -> bool {
        true
    }
}

impl Graph {
    /// Adds two values of one shape, such as a branch and its shortcut.
    pub fn add(&mut self, a: Var, b: Var) -> Var {
        let (a, b) = match self.type_of(a).layout == self.type_of(b).layout {
            true => (a, b),
            false => (self.relayout(a), self.relayout(b)),
        };
        let name = self.layer_name("add");
        self.apply(&name, Add, &[a, b])
    }
}
