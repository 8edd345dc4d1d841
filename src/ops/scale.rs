//! A value times a number that is computed too: δ of a loss, times what the loss is worth.

use super::{Operator, Reason, arity};
use crate::autodiff::Backward;
use crate::graph::{Element, ValueType};
use crate::plan::{BufferId, Lowering};
use crate::shader::shader;

use super::elementwise;

/// `y = s·x` for an `x` of any shape and one number `s`. Operands: x, s. `δx = s·δy`; `s` gets
/// no gradient. Padding stays zero as long as `s` is finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale;

impl Operator for Scale {
    fn name(&self) -> &'static str {
        "scale"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let [x, factor] = arity::<2>(inputs)?;
        if factor.batched || factor.shape.elements() != 1 {
            return Err(format!(
                "the factor must be one number for the whole batch, its shape is {}{}",
                factor.shape,
                if factor.batched { " per sample" } else { "" },
            ));
        }
        if x.element != Element::F32 || factor.element != Element::F32 {
            return Err("integers cannot be scaled".to_owned());
        }
        Ok(vec![x])
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        if cx.wants(1) {
            return Err("the factor of scale has no gradient".to_owned());
        }
        let delta = cx.output_delta()?;
        let factor = cx.input(1);
        let dx = cx.apply(Self, &[delta, factor]);
        cx.set(0, dx);
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let output = cx.output(0);
        let kernel = elementwise::kernel(shader!("scale"), "y", &output)
            .bind("x", BufferId::from(&cx.input(0)))
            .bind("factor", BufferId::from(&cx.input(1)));
        cx.dispatch(kernel);
        Ok(())
    }
}
