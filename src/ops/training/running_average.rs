//! One dispatch that moves every running average.

use crate::graph::ValueType;
use crate::layout::LANES;
use crate::ops::{Operator, Reason};
use crate::plan::Lowering;
use crate::shader::{Grid, Kernel, shader};

/// `running ← (1 − m)·running + m·batch` for the whole buffer `statistics`, unless the step's
/// status forbids it; m lies in `statistics_momentum`, one number per block.
///
/// Operands: the status, then the batch's values, which lie in `batch_statistics` where the
/// running averages lie in theirs.
#[derive(Clone, Copy, Debug)]
pub struct RunningAverage {
    /// Elements of the buffer `statistics`.
    pub len: usize,
    /// Micro-batches of a step; the last one changes `statistics`, those before it a copy.
    pub group: usize,
}

impl Operator for RunningAverage {
    fn name(&self) -> &'static str {
        "running_average"
    }

    fn infer(&self, _: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        Ok(Vec::new())
    }

    fn acts(&self) -> bool {
        true
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let vectors = self.len / LANES;
        let running = cx.persistent("statistics", 0, self.len);
        let batch = cx.persistent("batch_statistics", 0, self.len);
        let momentum = cx.persistent("statistics_momentum", 0, self.len / crate::graph::BLOCK);
        let mut kernel = Kernel::new(shader!("running_average"), Grid::Threads(vectors))
            .define("LENGTH", vectors)
            .bind("status", &cx.input(0))
            .bind("batch", batch)
            .bind("momentum", momentum)
            .bind("running", running);
        if self.group > 1 {
            let pending = cx.persistent("statistics.pending", 0, self.len);
            kernel = kernel.define("GROUP", self.group).bind("pending", pending);
        }
        cx.dispatch(kernel);
        Ok(())
    }
}
