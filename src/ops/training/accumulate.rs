//! Gradients of several micro-batches, put together.

use crate::graph::{BLOCK, ValueType};
use crate::layout::LANES;
use crate::ops::{Operator, Reason};
use crate::plan::Lowering;
use crate::shader::{Grid, Kernel, shader};

/// The buffer in which [`Accumulate`] puts gradients together.
pub(crate) const ACCUMULATED: &str = "accumulated";

/// Adds the micro-batch's share of the gradients to the buffer `accumulated`, or begins anew with
/// the first micro-batch of a group, unless the step's status forbids it.
///
/// Operands: the status, then the gradients, which lie in the buffer `gradients`.
#[derive(Clone, Copy, Debug)]
pub struct Accumulate {
    /// Elements of the buffer `gradients`.
    pub len: usize,
    /// Micro-batches of a group.
    pub group: usize,
}

impl Operator for Accumulate {
    fn name(&self) -> &'static str {
        "accumulate"
    }

    fn infer(&self, _: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        Ok(Vec::new())
    }

    fn acts(&self) -> bool {
        true
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        for piece in cx.pieces(self.len, BLOCK) {
            let vectors = piece.len() / LANES;
            let gradients = cx.persistent("gradients", piece.start, piece.len());
            let accumulated = cx.persistent(ACCUMULATED, piece.start, piece.len());
            let kernel = Kernel::new(shader!("accumulate"), Grid::Threads(vectors))
                .define("LENGTH", vectors)
                .constant("share", 1.0 / self.group as f64)
                .bind("status", &cx.input(0))
                .bind("gradients", gradients)
                .bind("accumulated", accumulated);
            cx.dispatch(kernel);
        }
        Ok(())
    }
}
