//! The sum of two values: the join of a residual branch.

use super::{Operator, Reason, elementwise};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::layout::LANES;
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
        let (a, b, y) = (cx.input(0), cx.input(1), cx.output(0));
        let positions = y
            .value_type
            .layout
            .axes()
            .last()
            .map_or(1, |axis| axis.padded);
        let kernel = elementwise::kernel(shader!("add"), "y", &y)
            .define("VECS", positions.div_ceil(LANES))
            .bind("a", &a)
            .bind("b", &b);
        let kernel = cx.epilogue(kernel);
        cx.dispatch(kernel);
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        cx.plain("Add")
    }

    fn takes_epilogue(&self) -> bool {
        true
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
