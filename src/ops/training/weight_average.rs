//! A moving average of what was learned.

use super::RING;
use crate::graph::{BLOCK, ValueType};
use crate::layout::LANES;
use crate::ops::{Operator, Reason};
use crate::plan::Lowering;
use crate::shader::{Grid, Kernel, shader};

/// The ring of the rates at which averages move, by step.
pub(crate) const AVERAGE_RATES: &str = "average.rates";

/// Moves an averaged copy of the buffers `parameters` and `statistics`, unless the step's status
/// forbids it. The copies are the buffers `average.parameters` and `average.statistics`.
///
/// Operands: the status.
#[derive(Clone, Copy, Debug)]
pub struct WeightAverage {
    /// Elements of the buffer `parameters`.
    pub parameters: usize,
    /// Elements of the buffer `statistics`; 0 where no running average moves.
    pub statistics: usize,
}

impl Operator for WeightAverage {
    fn name(&self) -> &'static str {
        "weight_average"
    }

    fn infer(&self, _: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        Ok(Vec::new())
    }

    fn acts(&self) -> bool {
        true
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let rates = cx.persistent(AVERAGE_RATES, 0, RING);
        let copies = [
            ("parameters", "average.parameters", self.parameters),
            ("statistics", "average.statistics", self.statistics),
        ];
        for (live, average, len) in copies.into_iter().filter(|(_, _, len)| *len > 0) {
            for piece in cx.pieces(len, BLOCK) {
                let vectors = piece.len() / LANES;
                let numbers = cx.persistent(live, piece.start, piece.len());
                let average = cx.persistent(average, piece.start, piece.len());
                let kernel = Kernel::new(shader!("weight_average"), Grid::Threads(vectors))
                    .define("LENGTH", vectors)
                    .define("RING", RING)
                    .bind("status", &cx.input(0))
                    .bind("rates", rates)
                    .bind("numbers", numbers)
                    .bind("average", average);
                cx.dispatch(kernel);
            }
        }
        Ok(())
    }
}
