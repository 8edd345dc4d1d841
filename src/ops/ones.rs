//! A constant: the δ of the loss with respect to itself.

use super::{Operator, Reason, elementwise};
use crate::graph::ValueType;
use crate::plan::Lowering;
use crate::shader::shader;

/// A value like the operand with 1 in every element, padding included: meant for scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ones;

impl Operator for Ones {
    fn name(&self) -> &'static str {
        "ones"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        elementwise::same_type::<1>(inputs)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let output = cx.output(0);
        cx.dispatch(elementwise::kernel(shader!("ones"), "y", &output));
        Ok(())
    }
}
