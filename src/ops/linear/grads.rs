//! The gradients of the linear layer.

use crate::graph::ValueType;
use crate::layout::LANES;
use crate::ops::conv2d::{self, Pass, Problem};
use crate::ops::{Operator, Reason};
use crate::plan::Lowering;

/// `δz = δz'·W`. Operands: δz', W.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearGradInput {
    pub(super) input: ValueType,
}

impl Operator for LinearGradInput {
    fn name(&self) -> &'static str {
        "linear_grad_input"
    }

    fn infer(&self, _: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        Ok(vec![self.input.clone()])
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (dy, weight, dx) = (cx.input(0), cx.input(1), cx.output(0));
        let [inputs, outputs] = [&dx, &dy].map(|z| z.value_type.layout.size() / LANES);
        let problem = Problem::product(Pass::GradInput, cx.batch(), inputs, outputs);
        let choice = cx.choose(&problem, None);
        conv2d::lower_grad_input(cx, &problem, choice, [&dy, &weight, &dx], None);
        Ok(())
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        2 * (batch * inputs[1].shape.elements()) as u64
    }
}

/// `δW = δz'ᵀ·z`. Operands: z, δz'.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearGradWeight {
    pub(super) weight: ValueType,
}

impl Operator for LinearGradWeight {
    fn name(&self) -> &'static str {
        "linear_grad_weight"
    }

    fn infer(&self, _: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        Ok(vec![self.weight.clone()])
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (x, dy, dw) = (cx.input(0), cx.input(1), cx.output(0));
        let [inputs, outputs] = [&x, &dy].map(|z| z.value_type.layout.size() / LANES);
        let problem = Problem::product(Pass::GradWeight, cx.batch(), inputs, outputs);
        let choice = cx.choose(&problem, None);
        conv2d::lower_grad_weight(cx, &problem, choice, [&x, &dy, &dw]);
        Ok(())
    }

    fn flops(&self, _: &[&ValueType], outputs: &[&ValueType], batch: usize) -> u64 {
        2 * (batch * outputs[0].shape.elements()) as u64
    }
}
