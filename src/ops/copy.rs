//! A copy, for a view whose result needs a place of its own.

use super::{Operator, Reason, elementwise};
use crate::graph::ValueType;
use crate::onnx::Translation;
use crate::plan::Lowering;
use crate::shader::shader;

/// `y = x`, bit by bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copy;

impl Operator for Copy {
    fn name(&self) -> &'static str {
        "copy"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        elementwise::same_type::<1>(inputs)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        elementwise::lower(cx, shader!("copy"), &["x"], "y", &[]);
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        cx.same()
    }
}
