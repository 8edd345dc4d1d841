//! One dispatch that updates every parameter.

use std::sync::Arc;

use super::RING;
use crate::graph::ValueType;
use crate::layout::LANES;
use crate::ops::{Operator, Reason};
use crate::plan::Lowering;
use crate::shader::{Grid, Kernel};
use crate::train::UpdateRule;

/// Applies an update rule to the buffer `parameters`, unless the step's status forbids it.
///
/// Operands: the status, then the gradients, which lie in the buffer `gradients` where the
/// parameters lie in theirs.
#[derive(Clone, Debug)]
pub struct Update {
    /// What is applied.
    pub rule: Arc<dyn UpdateRule>,
    /// Elements of the buffer `parameters`.
    pub len: usize,
}

/// Names of the rule's own state, one number per parameter each.
pub(crate) const MOMENTS: [&str; 3] = ["moment0", "moment1", "moment2"];

impl Operator for Update {
    fn name(&self) -> &'static str {
        self.rule.name()
    }

    fn infer(&self, _: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        match self.rule.moments() <= MOMENTS.len() {
            true => Ok(Vec::new()),
            false => Err(format!("a rule has at most {} moments", MOMENTS.len())),
        }
    }

    fn acts(&self) -> bool {
        true
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let vectors = self.len / LANES;
        let parameters = cx.persistent("parameters", 0, self.len);
        let gradients = cx.persistent("gradients", 0, self.len);
        let factors = cx.persistent("factors", 0, factors_len(self.len));
        let schedule = cx.persistent("schedule", 0, RING * LANES);
        let mut kernel = Kernel::new(self.rule.shader(), Grid::Threads(vectors))
            .define("LENGTH", vectors)
            .define("RING", RING)
            .bind("parameters", parameters)
            .bind("gradients", gradients)
            .bind("factors", factors)
            .bind("schedule", schedule)
            .bind("status", &cx.input(0));
        for name in &MOMENTS[..self.rule.moments()] {
            kernel = kernel.bind(name, cx.persistent(name, 0, self.len));
        }
        for (name, value) in self.rule.constants() {
            kernel = kernel.constant(name, value);
        }
        cx.dispatch(kernel);
        Ok(())
    }
}

/// Elements of the table of factors: two per block of parameters.
pub(crate) fn factors_len(parameters: usize) -> usize {
    2 * parameters / crate::graph::BLOCK
}
